"""Who answers what in `gridworld`."""

from autograder.samples.student import Student

QUESTIONS = ("next_state", "reward", "discounted_return", "softmax_policy", "score")

STUDENTS = (
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

# What some of them write where words are asked for; a person grades it.
WORDS = {
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
}
