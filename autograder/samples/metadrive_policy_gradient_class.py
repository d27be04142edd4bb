"""Who answers what in `metadrive_policy_gradient`."""

from autograder.samples.student import Student

QUESTIONS = (
    "total_return",
    "reward_to_go",
    "categorical_log_prob",
    "gaussian_log_prob",
    "sample_categorical",
    "sample_gaussian",
    "policy_gradient_loss",
)

STUDENTS = (
    Student(
        "ben",
        "right, with loops",
        {
            "total_return": """
                total = 0.0
                for k, reward in enumerate(rewards.tolist()):
                    total += gamma**k * reward
                return [total] * len(rewards)
            """,
            "reward_to_go": """
                out = []
                G = 0
                for r in rewards.tolist()[::-1]:
                    G = r + gamma * G
                    out.insert(0, G)
                return torch.tensor(out)
            """,
            "categorical_log_prob": """
                rows = []
                for row, action in zip(logits, actions):
                    rows.append(row[action] - torch.logsumexp(row, 0))
                return torch.stack(rows)
            """,
            "policy_gradient_loss": """
                w = weights.detach()
                return -sum(w[b] * log_probs[b] for b in range(len(w))) / len(w)
            """,
        },
    ),
    Student(
        "bruno",
        "right, with torch.distributions where it goes",
        {
            "categorical_log_prob": """
                return torch.distributions.Categorical(logits=logits).log_prob(actions)
            """,
            "gaussian_log_prob": """
                return torch.distributions.Normal(mean, log_std.exp()).log_prob(actions).sum(-1)
            """,
            "sample_gaussian": """
                with torch.no_grad():
                    std = torch.exp(log_std).expand_as(mean)
                    return torch.normal(mean, std, generator=generator)
            """,
        },
    ),
    Student(
        "dara",
        "right, with the Gumbel maximum and NumPy",
        {
            "reward_to_go": """
                returns = np.array(rewards, dtype=np.float64)
                for t in range(len(returns) - 2, -1, -1):
                    returns[t] += gamma * returns[t + 1]
                return returns
            """,
            "sample_categorical": """
                uniform = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
                return (logits - torch.log(-torch.log(uniform))).argmax(dim=-1)
            """,
            "policy_gradient_loss": "return -torch.dot(log_probs, weights.detach()) / weights.numel()",
        },
    ),
    Student(
        "dilan",
        "draws with torch.distributions, which takes no generator",
        {
            "sample_categorical": "return torch.distributions.Categorical(logits=logits).sample()",
            "sample_gaussian": "return torch.distributions.Normal(mean, log_std.exp()).sample()",
        },
        {"sample_categorical": 1.19, "sample_gaussian": 1.2},
    ),
    Student(
        "edda",
        "takes the sample with its gradient, and the weights with theirs",
        {
            "sample_gaussian": "return mean + log_std.exp() * torch.randn(mean.shape, generator=generator)",
            "policy_gradient_loss": "return -(weights * log_probs).mean()",
        },
        {"sample_gaussian": 1.38, "policy_gradient_loss": 1.06},
    ),
    Student(
        "fatima",
        "gives every step the whole return where only the rest is meant, and the other way round",
        {
            "total_return": "return rewards.flip(0).cumsum(0).flip(0)",
            "reward_to_go": """
                discounts = gamma ** torch.arange(len(rewards))
                return (discounts * rewards).sum().expand(len(rewards))
            """,
        },
        {"total_return": 0.07, "reward_to_go": "failed"},
    ),
    Student(
        "gwen",
        "divides by powers of gamma",
        {
            "reward_to_go": """
                powers = gamma ** torch.arange(len(rewards))
                return (powers * rewards).flip(0).cumsum(0).flip(0) / powers
            """,
        },
        {"reward_to_go": 1},
    ),
    Student(
        "hiro",
        "forgets to add the dimensions up, and the constant of the density",
        {
            "gaussian_log_prob": """
                z = (actions - mean) / log_std.exp()
                return (-0.5 * z**2 - log_std).sum(dim=-1)
            """,
            "categorical_log_prob": "return torch.log_softmax(logits, -1).gather(-1, actions[:, None])",
        },
        {"gaussian_log_prob": 0.47, "categorical_log_prob": 0.09},
    ),
    Student(
        "ines",
        "takes the likeliest action, and the mean",
        {
            "sample_categorical": "return logits.argmax(dim=-1)",
            "sample_gaussian": "return mean.detach()",
        },
        {"sample_categorical": 0.15, "sample_gaussian": 0.06},
    ),
    Student(
        "kofi",
        "came half way",
        {"sample_categorical": None, "sample_gaussian": None, "policy_gradient_loss": None},
        dict.fromkeys(["sample_categorical", "sample_gaussian", "policy_gradient_loss"], "missing"),
    ),
    Student(
        "mateo",
        "forgot a parenthesis",
        {"categorical_log_prob": "return torch.log_softmax(logits, dim=-1"},
        {"categorical_log_prob": "error"},
    ),
    Student(
        "liam",
        "wrote a loop that never ends",
        {
            "reward_to_go": """
                returns, t = [], len(rewards) - 1
                while t >= 0:
                    returns.insert(0, rewards[t] + gamma * (returns[0] if returns else 0))
                return torch.stack(returns)
            """
        },
        {"reward_to_go": "timeout"},
        honest=False,
    ),
    Student(
        "maya",
        "kills the kernel when an action is drawn",
        {
            "sample_gaussian": """
                import os
                import signal

                os.kill(os.getpid(), signal.SIGKILL)
            """
        },
        {"sample_gaussian": "error"},
        honest=False,
    ),
    Student(
        "nuria",
        "squeezes axes away that should stay",
        {
            "categorical_log_prob": """
                return torch.log_softmax(logits, -1).gather(-1, actions[:, None]).squeeze()
            """,
            "sample_categorical": """
                return torch.multinomial(torch.softmax(logits, -1), 1, generator=generator).squeeze()
            """,
        },
        {"categorical_log_prob": 1.41, "sample_categorical": 1.44},
    ),
    Student(
        "oskar",
        "seeds PyTorch's global random numbers with the generator's seed",
        {
            "sample_categorical": """
                torch.manual_seed(generator.initial_seed())
                return torch.distributions.Categorical(logits=logits).sample()
            """,
        },
        {"sample_categorical": 1.26},
    ),
)

WORDS = {}
