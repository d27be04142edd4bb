"""The sample class as a table: who hands in what, and the points it must get.

`bodies` holds what the student wrote into an answer cell, below the docstring: None for a cell left
as it was given; questions not named have the master's solution. `expected` holds what each question
must bring: points where only some of the properties hold, or a status (failed, error, timeout,
missing) that brings none. Questions not named in it bring all their points.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from autograder.master import Master
from autograder.samples import mishaps

GRIDWORLD = ("next_state", "reward", "discounted_return", "softmax_policy", "score")
CARTPOLE = ("compute_weighted_log_prob", "compute_returns", "sample_action", "policy_gradient_loss")


@dataclasses.dataclass(frozen=True)
class Student:
    """One invented student; see the module's text for `bodies` and `expected`.

    mishap: what happens to the finished notebook; status: of the submission;
    fault: a text that one line of the row's faults must hold;
    honest: whether plain `nbgrader autograde` gives the same points.
    """

    name: str
    did: str
    bodies: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    expected: Mapping[str, float | str] = dataclasses.field(default_factory=dict)
    mishap: Callable[[mishaps.Notebook], Any] | None = None
    file_name: str = "{name}.ipynb"
    status: str = "graded"
    fault: str = ""
    honest: bool = True

    def points(self, master: Master) -> dict[str, float]:
        """What each question must bring, by the question's name."""
        full = {question.name: question.points for question in master.questions}
        partial = {name: 0.0 if isinstance(value, str) else value for name, value in self.expected.items()}
        return full | partial

    def statuses(self, master: Master) -> dict[str, str]:
        """The status that each question must have in `grades.json`."""
        words = {
            name: value if isinstance(value, str) else "partial" for name, value in self.expected.items()
        }
        return {question.name: words.get(question.name, "passed") for question in master.questions}


def _whatever_the_assignment(questions: tuple[str, ...]) -> tuple[Student, ...]:
    """Students whose story is about the notebook and not about an answer."""
    second = questions[1]
    nothing = dict.fromkeys(questions, "missing")
    return (
        Student("ada", "took the solutions from the book"),
        Student("lena", "handed in the notebook as it was given", dict.fromkeys(questions), nothing),
        Student("rosa", "worked in Colab", mishap=mishaps.saved_by_colab),
        Student(
            "sami",
            "sent the copy that the browser had renamed",
            file_name="Copy of {name} (1).ipynb",
            fault="Copy of",
            honest=False,
        ),
        Student(
            "selma",
            "turned an answer into text by a wrong key",
            mishap=mishaps.turned_an_answer_into_text,
            fault="found in a cell of text",
            honest=False,
        ),
        Student("tara", "deleted a test cell", mishap=mishaps.deleted_a_test_cell, fault="was deleted"),
        Student(
            "theo",
            "joined an answer with its test",
            mishap=mishaps.joined_an_answer_with_its_test,
            fault="were joined",
            honest=False,
        ),
        Student(
            "ugo",
            "wrote an answer into a new cell above the one that is meant for it",
            mishap=mishaps.answered_in_a_cell_of_its_own,
            fault="found in a cell of your own",
            honest=False,
        ),
        Student(
            "umar",
            "copied an answer cell and wrote into the copy",
            mishap=mishaps.duplicated_an_answer_cell,
            fault="occurs 2 times",
        ),
        Student(
            "vera",
            "ran a test cell twice, by copying it",
            mishap=mishaps.duplicated_a_test_cell,
            fault="occurs 2 times",
        ),
        Student(
            "wanda",
            "pasted everything into a new notebook",
            mishap=mishaps.pasted_into_a_new_notebook,
            fault="grade ids of the cells were lost",
            honest=False,
        ),
        Student(
            "xaver",
            "left one answer out and made its test give the points",
            {second: None},
            {second: "missing"},
            mishap=mishaps.passed_by_editing_the_test,
            fault="was edited",
        ),
        Student(
            "yara",
            "added a game of her own that never ends",
            mishap=mishaps.added_an_endless_cell,
            honest=False,
        ),
        Student(
            "yuri",
            "left an endless loop below a function",
            expected={second: "timeout"},
            mishap=mishaps.left_an_endless_loop_in_the_answer_cell,
            honest=False,
        ),
        Student(
            "zack",
            "restarts the kernel in a cell of his own",
            mishap=mishaps.ended_its_own_process,
            honest=False,
        ),
        Student(
            "zelda",
            "closed the laptop during the upload",
            expected=nothing,
            mishap=mishaps.cut_off_while_uploading,
            status="unreadable",
            fault="JSON",
            honest=False,
        ),
        Student(
            "zoe",
            "handed in an empty file",
            expected=nothing,
            mishap=mishaps.emptied,
            status="unreadable",
            fault="empty",
            honest=False,
        ),
    )


_GRIDWORLD = (
    Student(
        "ben",
        "right, with branches and loops",
        {
            "next_state": """
                x, y = state
                if action == "up" and x > 1:
                    x = x - 1
                elif action == "down" and x < 4:
                    x = x + 1
                elif action == "left" and y > 1:
                    y = y - 1
                elif action == "right" and y < 4:
                    y = y + 1
                return x, y
            """,
            "reward": "return 1 if state == goal else -1 if state == pit else -0.1",
            "discounted_return": """
                G = 0
                for r in reversed(rewards):
                    G = r + gamma * G
                return G
            """,
            "softmax_policy": """
                exponentials = []
                for a in range(4):
                    exponentials.append(np.exp(theta[state[0] - 1][state[1] - 1][a]))
                return np.array([e / sum(exponentials) for e in exponentials])
            """,
            "score": """
                probabilities = softmax_policy(theta, state)
                gradient = np.zeros(theta.shape)
                for a in range(4):
                    indicator = 1.0 if ACTIONS[a] == action else 0.0
                    gradient[state[0] - 1, state[1] - 1, a] = indicator - probabilities[a]
                return gradient
            """,
        },
    ),
    Student(
        "chloe",
        "right, with NumPy and SciPy",
        {
            "next_state": """
                moves = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])
                return tuple(np.clip(np.array(state) + moves[ACTIONS.index(action)], 1, 4))
            """,
            "reward": "return {tuple(goal): 1.0, tuple(pit): -1.0}.get(tuple(state), -0.1)",
            "discounted_return": "return np.dot(float(gamma) ** np.arange(len(rewards)), rewards)",
            "softmax_policy": """
                from scipy.special import softmax

                return softmax(theta[tuple(np.array(state) - 1)])
            """,
            "score": """
                here = np.zeros((4, 4, 1))
                here[state[0] - 1, state[1] - 1] = 1
                return here * (np.eye(4)[ACTIONS.index(action)] - softmax_policy(theta, state))
            """,
        },
    ),
    Student(
        "dara",
        "right, with match and a generator, and talkative",
        {
            "next_state": """
                x, y = state
                match action:
                    case "up":
                        x -= 1
                    case "down":
                        x += 1
                    case "left":
                        y -= 1
                    case "right":
                        y += 1
                return state if not (1 <= x <= 4 and 1 <= y <= 4) else (x, y)
            """,
            "discounted_return": """
                import sys

                print("called with", len(rewards), "rewards", file=sys.stderr)
                return sum((r * gamma**t for t, r in enumerate(rewards)), start=0.0)
            """,
            "softmax_policy": """
                logits = np.asarray(theta[state[0] - 1, state[1] - 1], dtype=float)
                return np.exp(logits - np.log(np.exp(logits).sum()))
            """,
        },
    ),
    Student(
        "emil",
        "takes x for the column and y for the row",
        {
            "next_state": """
                dx, dy = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}[action]
                x, y = state
                return min(max(x + dx, 1), 4), min(max(y + dy, 1), 4)
            """,
            "softmax_policy": """
                x, y = state
                weights = np.exp(theta[y - 1, x - 1])
                return weights / weights.sum()
            """,
        },
        {"next_state": "failed", "softmax_policy": 0.53, "score": 0.7},
    ),
    Student(
        "fatima",
        "lets the grid wrap around, pays the step on top of the goal",
        {
            "next_state": """
                dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
                return (state[0] + dx - 1) % 4 + 1, (state[1] + dy - 1) % 4 + 1
            """,
            "reward": """
                total = -0.1
                if state == goal:
                    total += 1
                if state == pit:
                    total -= 1
                return total
            """,
        },
        {"next_state": 1.17, "reward": 0.55},
    ),
    Student(
        "goran",
        "compares with `is`, discounts the first reward too",
        {
            "reward": """
                if state is goal:
                    return 1
                if state is pit:
                    return -1
                return -0.1
            """,
            "discounted_return": "return sum(gamma ** (t + 1) * r for t, r in enumerate(rewards))",
        },
        {"reward": 0.55, "discounted_return": 0.47},
    ),
    Student(
        "hana",
        "forgets the discount, and the action in the score",
        {
            "discounted_return": "return sum(rewards)",
            "score": """
                gradient = np.zeros((4, 4, 4))
                gradient[state[0] - 1, state[1] - 1] = -softmax_policy(theta, state)
                return gradient
            """,
        },
        {"discounted_return": 0.59, "score": 0.5},
    ),
    Student(
        "ivan",
        "takes the softmax over the whole table, differentiates pi instead of log pi",
        {
            "softmax_policy": """
                weights = np.exp(theta)
                return weights[state[0] - 1, state[1] - 1] / weights.sum()
            """,
            "score": """
                x, y = state
                probabilities = np.exp(theta[x - 1, y - 1]) / np.exp(theta[x - 1, y - 1]).sum()
                gradient = np.zeros((4, 4, 4))
                one_hot = np.eye(4)[ACTIONS.index(action)]
                gradient[x - 1, y - 1] = probabilities @ one_hot * (one_hot - probabilities)
                return gradient
            """,
        },
        {"softmax_policy": 0.27, "score": 0.5},
    ),
    Student(
        "jun",
        "changes theta in place, returns one row as the score",
        {
            "softmax_policy": """
                logits = theta[state[0] - 1, state[1] - 1]
                logits -= logits.max()
                return np.exp(logits) / np.exp(logits).sum()
            """,
            "score": """
                row = -softmax_policy(theta, state)
                row[ACTIONS.index(action)] += 1
                return row
            """,
        },
        {"softmax_policy": 1.73, "score": "failed"},
    ),
    Student(
        "kofi",
        "came half way",
        {"softmax_policy": None, "score": None},
        {"softmax_policy": "missing", "score": "missing"},
    ),
    Student(
        "mateo",
        "left a bracket open",
        {"discounted_return": "return sum(gamma**t * r for t, r in enumerate(rewards)"},
        {"discounted_return": "error"},
    ),
    Student(
        "nadia",
        "wrote a loop that never ends",
        {
            "discounted_return": """
                t, G = 0, 0.0
                while t < len(rewards):
                    G += gamma**t * rewards[t]
                return G
            """
        },
        {"discounted_return": "timeout"},
        honest=False,
    ),
    Student(
        "petra",
        "leaves the notebook when a wall is hit",
        {
            "next_state": """
                import os

                dx, dy = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
                x, y = state[0] + dx, state[1] + dy
                if not (1 <= x <= 4 and 1 <= y <= 4):
                    os._exit(1)
                return x, y
            """
        },
        {"next_state": 0.33},
        honest=False,
    ),
    Student(
        "quentin",
        "kills the kernel when a reward is asked for",
        {
            "reward": """
                import os
                import signal

                os.kill(os.getpid(), signal.SIGKILL)
            """
        },
        {"reward": "error"},
        honest=False,
    ),
)

_CARTPOLE = (
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


def _alphabetical(*groups: tuple[Student, ...]) -> tuple[Student, ...]:
    return tuple(sorted((student for group in groups for student in group), key=lambda student: student.name))


CLASSES = {
    "gridworld": _alphabetical(_GRIDWORLD, _whatever_the_assignment(GRIDWORLD)),
    "reinforce_cartpole": _alphabetical(_CARTPOLE, _whatever_the_assignment(CARTPOLE)),
}

# What some of them write where words are asked for, by assignment and student; a person grades it.
WORDS = {
    "gridworld": {
        "ben": """\
With the total return the last step gets the weight $30 \\cdot (-0.1) + 1 = -2$, so walking into the
goal becomes *less* likely. With the reward-to-go it gets $+1$ and becomes more likely. The first 30
rewards are settled before the action is drawn, so they multiply a score whose mean over the actions is
0, and leaving them out changes nothing on average. They only add noise that differs from episode to
episode, so the reward-to-go has the smaller variance.""",
        "dara": """\
The weight is -2 for the whole return and 1 for the reward-to-go. The first one punishes the step into
the goal, the second one rewards it. An action cannot change what happened before it, so the old rewards
may go. The reward-to-go varies less.""",
        "fatima": """\
The reward-to-go is better because it is smaller: -2 instead of 1. The agent should not be punished for
the past.""",
        "rosa": """\
It gets -2 or +1. Either way the mean is the same, because the score has the mean 0 in every state.""",
    },
    "reinforce_cartpole": {
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
    },
}
