"""Who answers what in `actor_critic`."""

from autograder.samples.student import Student

QUESTIONS = ("bootstrapped_returns", "gae", "importance_weights", "policy_entropy", "a2c_loss")

STUDENTS = (
    Student(
        "ben",
        "right, with loops",
        {
            "bootstrapped_returns": """
                T, N = rewards.shape
                G = torch.zeros(T, N)
                for i in range(N):
                    for t in range(T - 1, -1, -1):
                        if terminated[t, i]:
                            following = 0.0
                        elif truncated[t, i] or t == T - 1:
                            following = next_values[t, i]
                        else:
                            following = G[t + 1, i]
                        G[t, i] = rewards[t, i] + gamma * following
                return G
            """,
            "gae": """
                A, following = torch.zeros(rewards.shape), torch.zeros(rewards.shape[1])
                for t in range(len(rewards) - 1, -1, -1):
                    delta = rewards[t] - values[t]
                    delta = delta + gamma * next_values[t] * torch.logical_not(terminated[t])
                    following = following * torch.logical_not(terminated[t] | truncated[t])
                    following = delta + gamma * lam * following
                    A[t] = following
                return A
            """,
            "importance_weights": """
                with torch.no_grad():
                    ratio = torch.exp(log_pi - log_mu)
                    return torch.minimum(ratio, torch.full_like(ratio, max_weight))
            """,
            "policy_entropy": "return torch.distributions.Categorical(logits=logits).entropy()",
            "a2c_loss": """
                G, w = returns.detach(), rho.detach()
                advantage = (G - values).detach()
                policy = (w * log_pi * advantage).mean()
                critic = nn.functional.mse_loss(values, G)
                return -policy + value_coef * critic - entropy_coef * entropy.mean()
            """,
        },
    ),
    Student(
        "chloe",
        "right, with masks throughout",
        {
            "bootstrapped_returns": """
                cut = truncated.clone()
                cut[-1] = True
                augmented = rewards + gamma * next_values * (cut & ~terminated)
                goes_on = gamma * (~(cut | terminated)).float()
                rows = [augmented[-1]]
                for reward, factor in zip(augmented[:-1].flip(0), goes_on[:-1].flip(0)):
                    rows.append(reward + factor * rows[-1])
                return torch.stack(rows[::-1])
            """,
            "gae": """
                delta = rewards + gamma * next_values.masked_fill(terminated, 0.0) - values
                factor = (gamma * lam) * (~terminated & ~truncated).float()
                rows = [delta[-1]]
                for t in range(len(delta) - 2, -1, -1):
                    rows.insert(0, delta[t] + factor[t] * rows[0])
                return torch.stack(rows)
            """,
            "policy_entropy": """
                log_p = torch.log_softmax(logits, -1)
                return -(log_p.exp() * log_p.masked_fill(log_p == -float("inf"), 0.0)).sum(-1)
            """,
        },
    ),
    Student(
        "dara",
        "right, with NumPy where it goes, and talkative",
        {
            "bootstrapped_returns": """
                import sys

                print("called with", tuple(rewards.shape), file=sys.stderr)
                r, v = np.asarray(rewards, dtype=float), np.asarray(next_values, dtype=float)
                stop, cut = np.asarray(terminated), np.asarray(truncated)
                G, after = np.zeros_like(r), v[-1]
                for t in range(len(r) - 1, -1, -1):
                    after = np.where(stop[t], 0, np.where(cut[t], v[t], after))
                    after = G[t] = r[t] + gamma * after
                return G
            """,
            "importance_weights": """
                ratio = np.exp(np.asarray(log_pi.detach()) - np.asarray(log_mu.detach()))
                return np.minimum(ratio, max_weight)
            """,
            "a2c_loss": """
                errors = returns.detach() - values
                terms = -rho.detach() * log_pi * errors.detach() + value_coef * errors**2
                return (terms - entropy_coef * entropy).mean()
            """,
        },
    ),
    Student(
        "emil",
        "takes a time limit for a failure",
        {
            "bootstrapped_returns": """
                following, rows = next_values[-1], []
                for t in reversed(range(len(rewards))):
                    following = rewards[t] + gamma * following * ~(terminated[t] | truncated[t])
                    rows.insert(0, following)
                return torch.stack(rows)
            """,
            "gae": """
                goes_on = ~(terminated | truncated)
                delta = rewards + gamma * goes_on * next_values - values
                following, rows = torch.zeros(rewards.shape[1]), []
                for t in reversed(range(len(rewards))):
                    following = delta[t] + gamma * lam * goes_on[t] * following
                    rows.insert(0, following)
                return torch.stack(rows)
            """,
        },
        {"bootstrapped_returns": 0.57, "gae": 0.5},
    ),
    Student(
        "fatima",
        "lets gradients flow where there should be constants",
        {
            "importance_weights": "return (log_pi - log_mu).exp().clamp(max=max_weight)",
            "a2c_loss": """
                errors = returns - values
                policy = -(rho * log_pi * errors).mean()
                return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()
            """,
        },
        {"importance_weights": 0.74, "a2c_loss": 1.35},
    ),
    Student(
        "goran",
        "multiplies zero with minus infinity",
        {
            "policy_entropy": """
                log_p = torch.log_softmax(logits, dim=-1)
                return -(log_p.exp() * log_p).sum(dim=-1)
            """,
        },
        {"policy_entropy": 1.31},
    ),
    Student(
        "hana",
        "forgets that the fragment ends in the middle of an episode, and what gamma does beside lambda",
        {
            "bootstrapped_returns": """
                following, rows = torch.zeros(rewards.shape[1]), []
                for t in reversed(range(len(rewards))):
                    following = torch.where(truncated[t], next_values[t], following)
                    following = rewards[t] + gamma * following * ~terminated[t]
                    rows.insert(0, following)
                return torch.stack(rows)
            """,
            "gae": """
                delta = rewards + gamma * ~terminated * next_values - values
                following, rows = torch.zeros(rewards.shape[1]), []
                for t in reversed(range(len(rewards))):
                    following = delta[t] + lam * ~(terminated[t] | truncated[t]) * following
                    rows.insert(0, following)
                return torch.stack(rows)
            """,
        },
        {"bootstrapped_returns": 0.4, "gae": 0.79},
    ),
    Student(
        "ivan",
        "turns the sign of the policy's part, and punishes entropy",
        {
            "policy_entropy": """
                p = logits.softmax(-1)
                return torch.xlogy(p, p).sum(-1)
            """,
            "a2c_loss": """
                errors = returns.detach() - values
                policy = (rho.detach() * log_pi * errors.detach()).mean()
                return policy + value_coef * (errors**2).mean() + entropy_coef * entropy.mean()
            """,
        },
        {"policy_entropy": 0.29, "a2c_loss": 0.45},
    ),
    Student(
        "jun",
        "takes the row below for what a step led to, and has the ratio upside down",
        {
            "gae": """
                after = torch.cat([values[1:], next_values[-1:]])
                delta = rewards + gamma * ~terminated * after - values
                following, rows = torch.zeros(rewards.shape[1]), []
                for t in reversed(range(len(rewards))):
                    following = delta[t] + gamma * lam * ~(terminated[t] | truncated[t]) * following
                    rows.insert(0, following)
                return torch.stack(rows)
            """,
            "importance_weights": "return (log_mu - log_pi).detach().exp().clamp(max=max_weight)",
        },
        {"gae": 0.21, "importance_weights": 0.13},
    ),
    Student(
        "kofi",
        "came half way",
        {"importance_weights": None, "policy_entropy": None, "a2c_loss": None},
        {"importance_weights": "missing", "policy_entropy": "missing", "a2c_loss": "missing"},
    ),
    Student(
        "mateo",
        "forgot a bracket",
        {"policy_entropy": "return -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1"},
        {"policy_entropy": "error"},
    ),
    Student(
        "nadia",
        "wrote a loop that never ends",
        {
            "gae": """
                A, t = torch.zeros(rewards.shape), len(rewards) - 1
                while t >= 0:
                    A[t] = rewards[t] + gamma * ~terminated[t] * next_values[t] - values[t]
                return A
            """
        },
        {"gae": "timeout"},
        honest=False,
    ),
    Student(
        "petra",
        "leaves the notebook when a fragment is long",
        {
            "bootstrapped_returns": """
                import os

                if len(rewards) > 500:
                    os._exit(1)
                following, rows = next_values[-1], []
                for t in reversed(range(len(rewards))):
                    following = torch.where(truncated[t], next_values[t], following)
                    following = rewards[t] + gamma * following * ~terminated[t]
                    rows.insert(0, following)
                return torch.stack(rows)
            """
        },
        {"bootstrapped_returns": 1.77},
        honest=False,
    ),
    Student(
        "quentin",
        "kills the kernel instead of weighing",
        {
            "importance_weights": """
                import os
                import signal

                os.kill(os.getpid(), signal.SIGKILL)
            """
        },
        {"importance_weights": "error"},
        honest=False,
    ),
)

# This assignment asks for no words.
WORDS = {}
