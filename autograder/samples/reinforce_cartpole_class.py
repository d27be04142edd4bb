"""Who answers what in `reinforce_cartpole`."""

from autograder.samples.student import Student

QUESTIONS = ("compute_weighted_log_prob", "compute_returns", "sample_action", "policy_gradient_loss")

STUDENTS = (
    Student(
        "ben",
        "right, with loops",
        {
            "compute_weighted_log_prob": """
                log_prob = jnp.log(action_prob)
                return log_prob * episode_return
            """,
            "compute_returns": """
                returns = []
                G = 0
                for r in list(rewards)[::-1]:
                    G = r + gamma * G
                    returns.insert(0, G)
                return returns
            """,
            "sample_action": """
                probs = jax.nn.softmax(logits)
                return jax.random.choice(random_key, len(probs), p=probs)
            """,
            "policy_gradient_loss": "return -returns * jax.nn.log_softmax(logits)[action]",
        },
    ),
    Student(
        "chloe",
        "right, in JAX throughout",
        {
            "compute_weighted_log_prob": """
                return jax.lax.stop_gradient(episode_return) * jnp.log(action_prob)
            """,
            "compute_returns": """
                def step(following, reward):
                    following = reward + gamma * following
                    return following, following

                return jax.lax.scan(step, 0.0, jnp.asarray(rewards, jnp.float32), reverse=True)[1]
            """,
            "sample_action": "return jnp.argmax(logits + jax.random.gumbel(random_key, jnp.shape(logits)))",
            "policy_gradient_loss": """
                return returns * optax.softmax_cross_entropy_with_integer_labels(logits, action)
            """,
        },
    ),
    Student(
        "dara",
        "right, with NumPy where it goes, and talkative",
        {
            "compute_returns": """
                import sys

                print("called with", len(rewards), "rewards", file=sys.stderr)
                returns = np.array(rewards, dtype=np.float64)
                for t in range(len(returns) - 2, -1, -1):
                    returns[t] += gamma * returns[t + 1]
                return returns
            """,
            "sample_action": """
                thresholds = np.cumsum(np.asarray(jax.nn.softmax(logits)))[:-1]
                return int(np.sum(np.asarray(jax.random.uniform(random_key)) > thresholds))
            """,
            "policy_gradient_loss": """
                one_hot = jnp.arange(logits.shape[0]) == action
                return -returns * jnp.sum(one_hot * (logits - jax.nn.logsumexp(logits)))
            """,
        },
    ),
    Student(
        "emil",
        "takes math.log, which JAX cannot differentiate",
        {
            "compute_weighted_log_prob": """
                import math

                return episode_return * math.log(action_prob)
            """,
            "policy_gradient_loss": "return -returns * jax.nn.log_softmax(logits)[action]",
        },
        {"compute_weighted_log_prob": 1.5},
    ),
    Student(
        "fatima",
        "gives every step the whole return, and turns the sign of the loss",
        {
            "compute_returns": """
                total = sum(gamma**t * r for t, r in enumerate(rewards))
                return [total] * len(rewards)
            """,
            "policy_gradient_loss": "return returns * jax.nn.log_softmax(logits)[action]",
        },
        {"compute_returns": 0.5, "policy_gradient_loss": "failed"},
    ),
    Student(
        "goran",
        "always takes the likeliest action, has 0.9 as the default discount",
        {
            "compute_returns": """
                if gamma == 0.99:
                    gamma = 0.9
                returns, following = [], 0.0
                for t in reversed(range(len(rewards))):
                    following = rewards[t] + gamma * following
                    returns.append(following)
                return returns[::-1]
            """,
            "sample_action": "return jnp.argmax(logits)",
        },
        {"compute_returns": 2.33, "sample_action": 0.53},
    ),
    Student(
        "hana",
        "adds up the past instead of the future, draws with a key of her own",
        {
            "compute_returns": """
                returns, past = [], 0.0
                for reward in rewards:
                    past = reward + gamma * past
                    returns.append(past)
                return returns
            """,
            "sample_action": "return jax.random.categorical(jax.random.PRNGKey(0), logits)",
        },
        {"compute_returns": 0.67, "sample_action": 0.53},
    ),
    Student(
        "ivan",
        "takes the softmax twice, and the probability for its logarithm",
        {
            "sample_action": "return jax.random.categorical(random_key, jax.nn.softmax(logits))",
            "policy_gradient_loss": "return -returns * jax.nn.softmax(logits)[action]",
        },
        {"sample_action": 0.53, "policy_gradient_loss": "failed"},
    ),
    Student(
        "jun",
        "rounds the returns to integers, draws uniformly",
        {
            "compute_returns": """
                returns = np.zeros(len(rewards), dtype=int)
                following = 0.0
                for t in reversed(range(len(rewards))):
                    following = rewards[t] + gamma * following
                    returns[t] = following
                return returns
            """,
            "sample_action": "return jax.random.randint(random_key, (), 0, len(logits))",
        },
        {"compute_returns": 0.83, "sample_action": 0.53},
    ),
    Student(
        "kofi",
        "came half way",
        {"sample_action": None, "policy_gradient_loss": None},
        {"sample_action": "missing", "policy_gradient_loss": "missing"},
    ),
    Student(
        "mateo",
        "forgot a colon",
        {
            "compute_returns": """
                returns = np.zeros(len(rewards))
                for t in reversed(range(len(rewards)))
                    returns[t] = rewards[t] + gamma * returns[t + 1]
                return returns
            """
        },
        {"compute_returns": "error"},
    ),
    Student(
        "nadia",
        "wrote a loop that never ends",
        {
            "compute_returns": """
                returns, t = [], len(rewards) - 1
                while t >= 0:
                    returns.insert(0, rewards[t] + gamma * (returns[0] if returns else 0))
                return returns
            """
        },
        {"compute_returns": "timeout"},
        honest=False,
    ),
    Student(
        "petra",
        "leaves the notebook when she meets an unlikely action",
        {
            "compute_weighted_log_prob": """
                import os

                if action_prob < 0.01:
                    os._exit(1)
                return episode_return * jnp.log(action_prob)
            """,
            "policy_gradient_loss": "return -returns * jax.nn.log_softmax(logits)[action]",
        },
        {"compute_weighted_log_prob": 1.17},
        honest=False,
    ),
    Student(
        "quentin",
        "kills the kernel when an action is drawn",
        {
            "sample_action": """
                import os
                import signal

                os.kill(os.getpid(), signal.SIGKILL)
            """
        },
        {"sample_action": "error"},
        honest=False,
    ),
)

# What some of them write where words are asked for; a person grades it.
WORDS = {
    "ben": """\
The expectation is over episodes of the policy that is updated; nine of her ten batches come from older
policies, so actions occur as often as those policies took them. An action that only an old policy liked
is counted far too often, and the average is no longer the gradient of $J(\\theta)$, however many
episodes it has. Each old term would have to be multiplied by $\\pi_\\theta / \\mu$, the probability of
the episode now divided by its probability then.""",
    "dara": """\
Ten times the data is no good if it is the wrong data: old episodes show what old policies did. Their
actions are counted too often. She would need importance weights.""",
    "fatima": """\
The old episodes have smaller returns, so the agent would become worse again. She should only keep the
best ones.""",
    "rosa": """\
REINFORCE is on-policy, so the memory has to be emptied.""",
}
