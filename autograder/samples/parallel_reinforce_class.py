"""Who answers what in `parallel_reinforce`."""

from autograder.samples.student import Student

QUESTIONS = ("Padding", "masked_reward_to_go", "padded_policy_gradient_loss")

STUDENTS = (
    Student(
        "ben",
        "right, with lists and loops",
        {
            "Padding": """
                def __init__(self, size):
                    self.running = [True] * size

                def reset(self):
                    self.running = [True] * len(self.running)

                def __call__(self, terminated, truncated):
                    mask = torch.tensor([1.0 if alive else 0.0 for alive in self.running])
                    for i in range(len(self.running)):
                        if terminated[i] or truncated[i]:
                            self.running[i] = False
                    return mask, not any(self.running)
            """,
            "masked_reward_to_go": """
                rows = []
                following = torch.zeros(rewards.shape[1])
                for t in range(len(rewards) - 1, -1, -1):
                    following = mask[t] * rewards[t] + gamma * following
                    rows.insert(0, following)
                return torch.stack(rows)
            """,
            "padded_policy_gradient_loss": """
                loss = 0
                for i in range(mask.shape[1]):
                    live = mask[:, i] == 1
                    loss = loss - (returns[live, i] * log_probs[live, i]).sum()
                return loss / mask.shape[1]
            """,
        },
    ),
    Student(
        "chloe",
        "right, in few words",
        {
            "Padding": """
                def __init__(self, size):
                    self.alive = torch.ones(size)

                def reset(self):
                    self.alive = torch.ones_like(self.alive)

                def __call__(self, terminated, truncated):
                    mask = self.alive
                    self.alive = mask * torch.from_numpy(~(terminated | truncated))
                    return mask, not self.alive.any()
            """,
            "padded_policy_gradient_loss": """
                return -(returns * log_probs).masked_fill(mask == 0, 0).sum(0).mean()
            """,
        },
    ),
    Student(
        "dara",
        "right, with NumPy where it goes, and talkative",
        {
            "Padding": """
                def __init__(self, size):
                    print("following", size, "episodes")
                    self.last, self.t = np.full(size, np.inf), 0

                def reset(self):
                    self.last, self.t = np.full(len(self.last), np.inf), 0

                def __call__(self, terminated, truncated):
                    mask = torch.as_tensor(self.last >= self.t, dtype=torch.float64)
                    ended = np.logical_or(terminated, truncated) & np.isinf(self.last)
                    self.last = np.where(ended, self.t, self.last)
                    self.t += 1
                    return mask, np.isfinite(self.last).all()
            """,
            "masked_reward_to_go": """
                returns = (rewards * mask).numpy()
                for t in reversed(range(len(returns) - 1)):
                    returns[t] += gamma * returns[t + 1]
                return returns
            """,
        },
    ),
    Student(
        "emil",
        "notes the ends too early: the step of the crash is lost",
        {
            "Padding": """
                def __init__(self, size):
                    self.size = size
                    self.reset()

                def reset(self):
                    self.ended = np.zeros(self.size, dtype=bool)

                def __call__(self, terminated, truncated):
                    self.ended = self.ended | terminated | truncated
                    return torch.from_numpy(~self.ended).float(), self.ended.all()
            """
        },
        {"Padding": 0.95},
    ),
    Student(
        "fatima",
        "has the mask the wrong way round, and the sign of the loss",
        {
            "Padding": """
                def __init__(self, size):
                    self.size = size
                    self.reset()

                def reset(self):
                    self.ended = np.zeros(self.size, dtype=bool)

                def __call__(self, terminated, truncated):
                    mask = torch.Tensor(self.ended.astype(int))
                    self.ended = self.ended | terminated | truncated
                    return mask, self.ended.all()
            """,
            "padded_policy_gradient_loss": """
                live = torch.where(mask.bool(), log_probs, 0.0)
                return (mask * returns * live).sum() / mask.shape[1]
            """,
        },
        {"Padding": 0.41, "padded_policy_gradient_loss": 0.22},
    ),
    Student(
        "goran",
        "multiplies the NaN by zero, and masks the returns too late",
        {
            "masked_reward_to_go": """
                returns = torch.zeros_like(rewards)
                following = torch.zeros_like(rewards[0])
                for t in reversed(range(len(rewards))):
                    following = rewards[t] + gamma * following
                    returns[t] = following
                return returns * mask
            """,
            "padded_policy_gradient_loss": """
                return -(mask * returns * log_probs).sum() / mask.shape[1]
            """,
        },
        {"masked_reward_to_go": 0.7, "padded_policy_gradient_loss": 2.22},
    ),
    Student(
        "hana",
        "knows crashes only, and divides by the number of steps",
        {
            "Padding": """
                def __init__(self, size):
                    self.size = size
                    self.reset()

                def reset(self):
                    self.ended = np.zeros(self.size, dtype=bool)

                def __call__(self, terminated, truncated):
                    mask = torch.from_numpy(~self.ended).float()
                    self.ended = self.ended | terminated
                    return mask, self.ended.all()
            """,
            "padded_policy_gradient_loss": """
                live = mask.bool()
                return -(returns[live] * log_probs[live]).mean()
            """,
        },
        {"Padding": 1.5, "padded_policy_gradient_loss": 0.33},
    ),
    Student(
        "ivan",
        "leaves PyTorch for the loss, so that nothing can be learned from it",
        {
            "padded_policy_gradient_loss": """
                live = np.where(mask.numpy() > 0, log_probs.detach().numpy(), 0.0)
                return torch.tensor(-(mask.numpy() * returns.numpy() * live).sum() / mask.shape[1])
            """
        },
        {"padded_policy_gradient_loss": 1.78},
    ),
    Student(
        "jun",
        "keeps the ends in the class, for all objects of it, and works in the caller's rewards",
        {
            "Padding": """
                def __init__(self, size):
                    type(self).ended = np.zeros(size, dtype=bool)

                def reset(self):
                    type(self).ended = np.zeros_like(self.ended)

                def __call__(self, terminated, truncated):
                    mask = torch.from_numpy(~self.ended).float()
                    type(self).ended = self.ended | terminated | truncated
                    return mask, self.ended.all()
            """,
            "masked_reward_to_go": """
                rewards *= mask
                for t in reversed(range(len(rewards) - 1)):
                    rewards[t] += gamma * rewards[t + 1]
                return rewards
            """,
        },
        {"Padding": 2.73, "masked_reward_to_go": 1.9},
    ),
    Student(
        "kofi",
        "came half way",
        {"masked_reward_to_go": None, "padded_policy_gradient_loss": None},
        {"masked_reward_to_go": "missing", "padded_policy_gradient_loss": "missing"},
    ),
    Student(
        "mateo",
        "forgot a colon",
        {
            "masked_reward_to_go": """
                returns = torch.zeros_like(rewards)
                for t in reversed(range(len(rewards)))
                    returns[t] = rewards[t]
                return returns
            """
        },
        {"masked_reward_to_go": "error"},
    ),
    Student(
        "nadia",
        "wrote a loop that never ends",
        {
            "masked_reward_to_go": """
                returns, t = rewards * mask, len(rewards) - 2
                while t >= 0:
                    returns[t] += gamma * returns[t + 1]
                return returns
            """
        },
        {"masked_reward_to_go": "timeout"},
        honest=False,
    ),
    Student(
        "petra",
        "leaves the notebook when a batch is large",
        {
            "masked_reward_to_go": """
                import os

                if len(rewards) > 1000:
                    os._exit(1)
                returns = rewards * mask
                for t in reversed(range(len(rewards) - 1)):
                    returns[t] += gamma * returns[t + 1]
                return returns
            """
        },
        {"masked_reward_to_go": 1.8},
        honest=False,
    ),
    Student(
        "quentin",
        "kills the kernel when a Padding is made",
        {
            "Padding": """
                def __init__(self, size):
                    import os
                    import signal

                    os.kill(os.getpid(), signal.SIGKILL)
            """
        },
        {"Padding": "error"},
        honest=False,
    ),
)

# What some of them write where words are asked for; a person grades it.
WORDS = {
    "ben": """\
The cut return lacks all rewards after the first end, so its mean is another number than the return of the
policy, and more batches do not help: it is biased. Whatever is paid late is not seen: an agent that waits for
its reward looks bad, and one that takes the small reward at once looks good. If the steps cost something,
wandering about looks cheap. With more environments the first end comes earlier, so even less is seen.""",
    "dara": """\
He throws data away. With more environments he throws away more of it, so the variance gets larger.""",
    "fatima": """\
It is biased towards short episodes, because long ones are cut.""",
    "rosa": """\
Truncation is worse than padding.""",
}
