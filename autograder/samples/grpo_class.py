"""Who answers what in `grpo`."""

from autograder.samples.student import Student

QUESTIONS = ("group_advantages", "grpo_loss", "kl_to_reference")

STUDENTS = (
    Student(
        "ben",
        "right, with loops",
        {
            "group_advantages": """
                returns = [float((rewards[:, i] * mask[:, i]).sum()) for i in range(rewards.shape[1])]
                result = []
                for i, value in enumerate(returns):
                    first = i // n_generations * n_generations
                    group = returns[first : first + n_generations]
                    mean = sum(group) / n_generations
                    std = (sum((g - mean) ** 2 for g in group) / n_generations) ** 0.5
                    result.append((value - mean) / (std + eps) if normalize else value - mean)
                return torch.tensor(result)
            """,
            "grpo_loss": """
                total, count = 0.0, 0
                for i in range(mask.shape[1]):
                    n = int(mask[:, i].sum())
                    ratio = torch.exp(log_probs[:n, i] - old_log_probs[:n, i].detach())
                    A = advantages[i].item()
                    total = total + torch.min(ratio * A, ratio.clamp(1 - clip, 1 + clip) * A).sum()
                    count += n
                return -total / count
            """,
            "kl_to_reference": """
                terms = []
                for i in range(mask.shape[1]):
                    n = int(mask[:, i].sum())
                    d = ref_log_probs[:n, i].detach() - log_probs[:n, i]
                    terms.append(torch.exp(d) - d - 1)
                return torch.cat(terms).mean()
            """,
        },
    ),
    Student(
        "chloe",
        "right, with where on the inputs",
        {
            "group_advantages": """
                returns = torch.where(mask > 0, rewards, 0.0).sum(0)
                groups = returns.reshape(-1, n_generations)
                centred = groups - groups.mean(1, keepdim=True)
                scale = centred.square().mean(1, keepdim=True).sqrt() + eps
                return (centred / scale if normalize else centred).flatten()
            """,
            "grpo_loss": """
                new = torch.where(mask > 0, log_probs, 0.0)
                old = torch.where(mask > 0, old_log_probs, 0.0).detach()
                ratio, A = (new - old).exp(), advantages.detach()
                losses = torch.maximum(-ratio * A, -ratio.clip(1 - clip, 1 + clip) * A)
                return (losses * mask).sum() / mask.sum()
            """,
            "kl_to_reference": """
                d = torch.where(mask > 0, ref_log_probs.detach(), 0.0) - torch.where(mask > 0, log_probs, 0.0)
                return ((torch.expm1(d) - d) * mask).sum() / mask.sum()
            """,
        },
    ),
    Student(
        "dara",
        "right, with NumPy where it goes, and talkative",
        {
            "group_advantages": """
                import sys

                print("shape", rewards.shape, file=sys.stderr)
                returns = (rewards.numpy() * mask.numpy()).sum(0).reshape(-1, n_generations)
                result = returns - returns.mean(1, keepdims=True)
                if normalize:
                    result = result / (returns.std(1, keepdims=True) + eps)
                return result.reshape(-1)
            """,
            "kl_to_reference": """
                rows, columns = np.nonzero(mask.numpy())
                d = ref_log_probs[rows, columns].detach() - log_probs[rows, columns]
                return torch.mean(d.exp() - 1 - d)
            """,
        },
    ),
    Student(
        "emil",
        "takes the standard deviation of a sample",
        {
            "group_advantages": """
                returns = (rewards * mask).sum(0).view(-1, n_generations)
                advantages = returns - returns.mean(1, keepdim=True)
                if normalize:
                    advantages = advantages / (returns.std(1, keepdim=True) + eps)
                return advantages.view(-1)
            """
        },
        {"group_advantages": 2.05},
    ),
    Student(
        "fatima",
        "forgets to detach, and turns the divergence round",
        {
            "grpo_loss": """
                live = mask > 0
                ratio = torch.exp(log_probs[live] - old_log_probs[live])
                A = advantages.expand_as(mask)[live]
                return -torch.min(ratio * A, ratio.clamp(1 - clip, 1 + clip) * A).mean()
            """,
            "kl_to_reference": """
                live = mask > 0
                d = log_probs[live] - ref_log_probs[live].detach()
                return (d.exp() - d - 1).mean()
            """,
        },
        {"grpo_loss": 3.14, "kl_to_reference": "failed"},
    ),
    Student(
        "goran",
        "multiplies by the mask, which leaves NaN",
        {
            "grpo_loss": """
                ratio = torch.exp(log_probs - old_log_probs.detach())
                A = advantages.detach()
                surrogate = torch.min(ratio * A, ratio.clamp(1 - clip, 1 + clip) * A)
                return -(surrogate * mask).sum() / mask.sum()
            """,
            "kl_to_reference": """
                d = ref_log_probs.detach() - log_probs
                return ((d.exp() - d - 1) * mask).sum() / mask.sum()
            """,
        },
        {"grpo_loss": 3.29, "kl_to_reference": 2.4},
    ),
    Student(
        "hana",
        "replaces NaN in the result: the value is right, the gradient is not",
        {
            "grpo_loss": """
                ratio = torch.exp(log_probs - old_log_probs.detach())
                A = advantages.detach()
                surrogate = torch.min(ratio * A, ratio.clamp(1 - clip, 1 + clip) * A)
                return -torch.where(mask > 0, surrogate, 0.0).sum() / mask.sum()
            """
        },
        {"grpo_loss": 3.57},
    ),
    Student(
        "ivan",
        "clips without the minimum, and gives each episode the same weight",
        {
            "grpo_loss": """
                live = mask > 0
                ratio = torch.exp(log_probs[live] - old_log_probs[live].detach())
                A = advantages.detach().expand_as(mask)[live]
                return -(ratio.clamp(1 - clip, 1 + clip) * A).mean()
            """,
            "kl_to_reference": """
                d = torch.where(mask > 0, ref_log_probs.detach() - log_probs, 0.0)
                return ((d.exp() - d - 1).sum(0) / mask.sum(0)).mean()
            """,
        },
        {"grpo_loss": 0.71, "kl_to_reference": 1.2},
    ),
    Student(
        "jun",
        "compares with the mean of the whole batch",
        {
            "group_advantages": """
                returns = (rewards * mask).sum(0)
                advantages = returns - returns.mean()
                return advantages / (returns.std(correction=0) + eps) if normalize else advantages
            """
        },
        {"group_advantages": 0.59},
    ),
    Student(
        "kofi",
        "came half way",
        {"grpo_loss": None, "kl_to_reference": None},
        {"grpo_loss": "missing", "kl_to_reference": "missing"},
    ),
    Student(
        "mateo",
        "forgot a bracket",
        {
            "group_advantages": """
                returns = (rewards * mask).sum(0).view(-1, n_generations)
                return (returns - returns.mean(1, keepdim=True).view(-1)
            """
        },
        {"group_advantages": "error"},
    ),
    Student(
        "nadia",
        "wrote a loop that never ends",
        {
            "group_advantages": """
                returns = (rewards * mask).sum(0)
                first = 0
                while first < len(returns):
                    group = returns[first : first + n_generations]
                    returns[first : first + n_generations] = group - group.mean()
                return returns
            """
        },
        {"group_advantages": "timeout"},
        honest=False,
    ),
    Student(
        "petra",
        "leaves the notebook when a group holds one episode",
        {
            "group_advantages": """
                import os

                if n_generations == 1:
                    os._exit(1)
                returns = (rewards * mask).sum(0).view(-1, n_generations)
                advantages = returns - returns.mean(1, keepdim=True)
                if normalize:
                    advantages = advantages / (returns.std(1, correction=0, keepdim=True) + eps)
                return advantages.flatten()
            """
        },
        {"group_advantages": 2.34},
        honest=False,
    ),
    Student(
        "quentin",
        "kills the kernel when a loss is asked for",
        {
            "grpo_loss": """
                import os
                import signal

                os.kill(os.getpid(), signal.SIGKILL)
            """
        },
        {"grpo_loss": "error"},
        honest=False,
    ),
)

# This assignment asks for no words.
WORDS = {}
