"""Who answers what in `silent_bugs`."""

from autograder.samples.student import Student

QUESTIONS = (
    "log_policy",
    "actor_loss",
    "rewards_to_go",
    "normalise_returns",
    "clipped_loss",
    "flatten_episodes",
)

STUDENTS = (
    Student(
        "ben",
        "right, with loops",
        {
            "log_policy": """
                rows = outputs.reshape(-1, outputs.shape[-1])
                return torch.stack([row - row.logsumexp(0) for row in rows]).reshape(outputs.shape)
            """,
            "actor_loss": """
                total = 0.0
                for b in range(len(log_probs)):
                    total = total + log_probs[b] * (float(returns[b]) - float(values[b, 0]))
                return -total / len(log_probs)
            """,
            "rewards_to_go": """
                result = [0.0] * len(rewards)
                for t in range(len(rewards) - 1, -1, -1):
                    result[t] = float(rewards[t])
                    if t + 1 < len(rewards) and not terminated[t] and not truncated[t]:
                        result[t] += gamma * result[t + 1]
                return result
            """,
            "normalise_returns": """
                T, N = returns.shape
                taken = [float(returns[t, i]) for t in range(T) for i in range(N) if mask[t, i] > 0]
                mean = sum(taken) / len(taken)
                std = (sum((x - mean) ** 2 for x in taken) / len(taken)) ** 0.5
                result = torch.zeros(T, N, dtype=returns.dtype)
                for t in range(T):
                    for i in range(N):
                        if mask[t, i] > 0:
                            result[t, i] = (float(returns[t, i]) - mean) / (std + eps)
                return result
            """,
            "clipped_loss": """
                total = 0.0
                for new, old, a in zip(log_probs, old_log_probs, advantages):
                    ratio, a = torch.exp(new - old.item()), a.item()
                    if a >= 0:
                        total = total + torch.clamp(ratio, max=1 + clip) * a
                    else:
                        total = total + torch.clamp(ratio, min=1 - clip) * a
                return -total / len(log_probs)
            """,
            "flatten_episodes": """
                T, N = mask.shape
                places = [(t, i) for t in range(T) for i in range(N) if mask[t, i] > 0]
                return [torch.stack([x[p] for p in places]) for x in (states, actions, returns)]
            """,
        },
    ),
    Student(
        "chloe",
        "right, with the library where it goes",
        {
            "log_policy": """
                return nn.functional.log_softmax(outputs, dim=-1)
            """,
            "actor_loss": """
                with torch.no_grad():
                    advantages = returns - values.view(-1)
                return torch.mean(-advantages * log_probs)
            """,
            "clipped_loss": """
                a = advantages.detach()
                ratio = (log_probs - old_log_probs.detach()).exp()
                return torch.maximum(-a * ratio, -a * ratio.clip(1 - clip, 1 + clip)).mean()
            """,
            "flatten_episodes": """
                rows, columns = torch.where(mask == 1)
                return states[rows, columns], actions[rows, columns], returns[rows, columns]
            """,
        },
    ),
    Student(
        "dara",
        "right, in NumPy, and talkative",
        {
            "rewards_to_go": """
                import sys

                print("steps", len(rewards), file=sys.stderr)
                ended = np.logical_or(terminated, truncated)
                result, total = np.zeros(len(rewards)), 0.0
                for t in np.arange(len(rewards))[::-1]:
                    total = float(rewards[t]) + gamma * total * (not ended[t])
                    result[t] = total
                return result
            """,
            "normalise_returns": """
                taken = returns.numpy()[mask.numpy() == 1]
                z = (returns.numpy() - taken.mean()) / (taken.std() + eps)
                return np.where(mask.numpy() == 1, z, 0)
            """,
        },
    ),
    Student(
        "emil",
        "lets the padding into the statistics",
        {
            "normalise_returns": """
                return mask * (returns - returns.mean()) / (returns.std(correction=0) + eps)
            """
        },
        {"normalise_returns": 0.38},
    ),
    Student(
        "fatima",
        "copies two of the broken functions as they are",
        {
            "log_policy": """
                exponentials = torch.exp(outputs - outputs.max(dim=-1, keepdim=True).values)
                probabilities = exponentials / exponentials.sum(dim=-1, keepdim=True)
                return torch.log_softmax(probabilities, dim=-1)
            """,
            "flatten_episodes": """
                live = mask > 0
                lengths = live.sum(dim=0).tolist()
                flat_returns = torch.cat([returns[:n, i] for i, n in enumerate(lengths)])
                return states[live], actions[live], flat_returns
            """,
        },
        {"log_policy": 0.07, "flatten_episodes": 0.23},
    ),
    Student(
        "goran",
        "repairs the shapes and forgets to detach",
        {
            "actor_loss": """
                return -(log_probs * (returns - values.squeeze(1))).mean()
            """,
            "clipped_loss": """
                ratio = torch.exp(log_probs - old_log_probs)
                bounded = ratio.clamp(1 - clip, 1 + clip)
                return -torch.min(ratio * advantages, bounded * advantages).mean()
            """,
        },
        {"actor_loss": 1.71, "clipped_loss": 1.76},
    ),
    Student(
        "hana",
        "takes only failures for ends",
        {
            "rewards_to_go": """
                result, following = torch.zeros_like(rewards), 0.0
                for t in reversed(range(len(rewards))):
                    following = rewards[t] + gamma * following * (not terminated[t])
                    result[t] = following
                return result
            """
        },
        {"rewards_to_go": 1.06},
    ),
    Student(
        "ivan",
        "orders all three vectors by columns, and takes the logarithm of probabilities",
        {
            "flatten_episodes": """
                live = (mask > 0).T
                return states.T[live], actions.T[live], returns.T[live]
            """,
            "log_policy": """
                return torch.log(torch.softmax(outputs, dim=-1))
            """,
        },
        {"flatten_episodes": 0.31, "log_policy": 0.93},
    ),
    Student(
        "jun",
        "turns the maximum and the minimum round",
        {
            "clipped_loss": """
                a = advantages.detach()
                ratio = torch.exp(log_probs - old_log_probs.detach())
                return -torch.max(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).mean()
            """
        },
        {"clipped_loss": 0.24},
    ),
    Student(
        "kofi",
        "came half way",
        {"normalise_returns": None, "clipped_loss": None, "flatten_episodes": None},
        {"normalise_returns": "missing", "clipped_loss": "missing", "flatten_episodes": "missing"},
    ),
    Student(
        "mateo",
        "forgot a bracket",
        {
            "actor_loss": """
                advantages = (returns - values.squeeze(1)).detach(
                return -(log_probs * advantages).mean()
            """
        },
        {"actor_loss": "error"},
    ),
    Student(
        "nadia",
        "wrote a loop that never ends",
        {
            "rewards_to_go": """
                result, t = torch.zeros_like(rewards), len(rewards) - 1
                while t >= 0:
                    result[t] = rewards[t]
                return result
            """
        },
        {"rewards_to_go": "timeout"},
        honest=False,
    ),
    Student(
        "petra",
        "leaves the notebook for a batch of one step",
        {
            "actor_loss": """
                import os

                if len(log_probs) == 1:
                    os._exit(1)
                return -(log_probs * (returns - values.squeeze(1)).detach()).mean()
            """
        },
        {"actor_loss": 1.29},
        honest=False,
    ),
    Student(
        "quentin",
        "kills the kernel when a loss is asked for",
        {
            "clipped_loss": """
                import os
                import signal

                os.kill(os.getpid(), signal.SIGKILL)
            """
        },
        {"clipped_loss": "error"},
        honest=False,
    ),
)

# This assignment asks for no words.
WORDS = {}
