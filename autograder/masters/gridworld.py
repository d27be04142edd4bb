# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Gridworld: REINFORCE from scratch
#
# [Open in Colab]({{colab}})
#
# In this assignment you write the five small functions that a policy gradient needs, with nothing but NumPy:
# the environment's transition and reward, the return of an episode, a policy with parameters, and the gradient
# of its log probability. Then your own functions train an agent, and you compare what it learns with the exact
# optimum.
#
# **After it you can**
#
# - write a Markov decision process down as code
# - compute a discounted return
# - compute a softmax policy and its score $\nabla_\theta \log \pi_\theta(a|s)$ by hand, without automatic
#   differentiation
# - put them together into REINFORCE, and judge what it learned over several seeds
#
# **You need** Python, NumPy indexing, and these chapters of the book:
# [Markov decision processes]({{repository}}/blob/main/chapters/markov_decision_processes.md),
# [Policies, trajectories, returns]({{repository}}/blob/main/chapters/policies_trajectories_returns.md),
# [The policy gradient]({{repository}}/blob/main/chapters/policy_gradient.md) and
# [Reward-to-go and baselines]({{repository}}/blob/main/chapters/reward_to_go_and_baselines.md).
#
# **Time** about two hours: one for the exercises, one for the training and the questions it raises.
#
# **How to work** Replace each `raise NotImplementedError` by your own code and run the check below it. A check
# lists properties of the right answer and says which ones hold. Grading tests the same functions on further inputs,
# property by property, so a partly right answer earns part of its points. Each function is worth 2 points. Exercise 6
# asks for words instead of code: a person reads them, for another 2 points.

# %% [markdown]
# ## Setup
#
# In Colab the next cell installs what is missing; elsewhere it does nothing. Tested with the package versions of
# Colab's runtime of {{colab_runtime}}.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
{{setup()}}

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from tqdm import tqdm

from policy_gradients import tabular
from policy_gradients.checks import Checks, close, numbers
from policy_gradients.plotting import draw_gridworld, use_course_style

ACTIONS = ("up", "down", "left", "right")  # in the order of theta's last axis
use_course_style()

# %% [markdown]
# ## The problem
#
# The agent moves on a grid of four rows and four columns. A state is a tuple `(x, y)`: $x$ is the row, counted from 1
# at the top, and $y$ is the column, counted from 1 at the left. There are four actions, and no chance: the state and
# the action decide where the agent goes, and a move off the grid leaves it where it is. It starts in $(1, 1)$. Entering
# the goal $(4, 4)$ yields the reward $+1$, entering the pit $(2, 3)$ yields $-1$, and either ends the episode. Every other
# step yields $-0.1$, also one against a wall, so that dawdling costs something.

# %% mystnb={"image": {"alt": "A grid of four rows and four columns. The start is at row 1, column 1, the pit at row 2, column 3, and the goal at row 4, column 4."}}
grid = draw_gridworld()

# %% [markdown]
# ## Exercise 1: where a step leads
#
# Everything else stands on the transition function $p(s'|s,a)$. Here it is deterministic, so a function that returns
# the next state says it all. Its two traps are the orientation (the first coordinate is the *row*) and the walls.
#
# *Difficulty 1 of 5, importance 3 of 5, 10 minutes, 2 points*
#
# <details><summary>Hint</summary>
#
# Write down by how much each action changes $x$ and $y$, for instance in a dictionary. Add the change, then bring each
# coordinate back into 1 to 4: `min(max(x, 1), 4)`.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "next_state", "locked": false, "schema_version": 3, "solution": true, "task": false}
def next_state(state, action):
    """The state that a step leads to.

    "up" gives (x - 1, y), "down" (x + 1, y), "left" (x, y - 1) and "right" (x, y + 1);
    a move that would leave the grid gives (x, y).

    state : tuple (x, y) of two integers in 1..4, x the row and y the column
    action : one of "up", "down", "left", "right"
    returns : tuple (x, y), the next state

    Example: from (2, 3), up leads to (1, 3), down to (3, 3), left to (2, 2),
    right to (2, 4).
    """
    ### BEGIN SOLUTION
    down, right = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}[action]
    x, y = state
    return min(max(x + down, 1), 4), min(max(y + right, 1), 4)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_next_state", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("next_state", points=2)
up, down, left, right = "up down left right".split()
with check(
    "up and down change x, the row", hint="Row 1 is at the top: up lowers x by 1."
):
    close(next_state((3, 2), up), (2, 2), what="Up from (3, 2) led to")
    close(next_state((3, 2), down), (4, 2), what="Down from (3, 2) led to")
with check("left and right change y, the column", hint="Left lowers y by 1."):
    close(next_state((3, 2), left), (3, 1), what="Left from (3, 2) led to")
    close(next_state((3, 2), right), (3, 3), what="Right from (3, 2) led to")
with check(
    "a wall keeps the agent where it is",
    hint="Does it leave, bounce back, or reappear?",
):
    close(next_state((1, 2), up), (1, 2), what="Up from (1, 2) led to")
    close(next_state((2, 4), right), (2, 4), what="Right from (2, 4) led to")
with check(
    "the outermost cells can be entered and left", hint="Coordinates run from 1 to 4."
):
    close(next_state((2, 1), up), (1, 1), what="Up from (2, 1) led to")
    close(next_state((1, 3), right), (1, 4), what="Right from (1, 3) led to")
    close(next_state((1, 1), down), (2, 1), what="Down from (1, 1) led to")
### BEGIN HIDDEN TESTS
check.hide()


def hidden_tests():
    import numpy as np

    changes = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
    cases = [((x, y), action) for x in range(1, 5) for y in range(1, 5) for action in changes]
    cases = [cases[i] for i in check.rng().permutation(64)]
    moved = {(s, a): (s[0] + changes[a][0], s[1] + changes[a][1]) for s, a in cases}
    inside = {case for case in cases if min(moved[case]) >= 1 and max(moved[case]) <= 4}

    def lead_right(cases):
        # states and names are built anew: equal to those of the other calls, but distinct objects
        expression = "[next_state(tuple(list(s)), ''.join(list(a))) for s, a in cases]"
        entered = check.evaluate(expression, cases=cases)
        close(entered, [moved[case] if case in inside else case[0] for case in cases])

    for names, where in [(("up", "down"), "up and down"), (("left", "right"), "left and right")]:
        some = [case for case in cases if case[1] in names]
        with check(f"every move inside the grid, {where}", hint="Try the outermost rows and columns too.", weight=2):
            lead_right([case for case in some if case in inside])
        with check(f"every move against a wall, {where}", hint="A blocked move changes neither coordinate."):
            lead_right([case for case in some if case not in inside])
    with check("equal inputs give equal results, whatever came before", hint="Compare with ==; keep no position."):
        lead_right(cases + cases[::-1])
    with check("coordinates may be NumPy integers", hint="Use them as numbers, whatever their integer type."):
        values = {"states": np.array([s for s, _ in cases]), "names": [a for _, a in cases]}
        expression = "[next_state(tuple(s), ''.join(list(a))) for s, a in zip(states, names)]"
        entered = check.evaluate(expression, **values)
        close(entered, [moved[case] if case in inside else case[0] for case in cases])


hidden_tests()
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Exercise 2: what a step is worth
#
# The reward function is the only place where the problem says what is wanted. Here the reward depends on the state
# that is *entered*, so $r(s, a, s')$ is a function of $s'$ alone. Goal and pit are arguments: one function serves every
# grid.
#
# *Difficulty 1 of 5, importance 3 of 5, 5 minutes, 2 points*
#
# <details><summary>Hint</summary>
#
# Tuples compare item by item with `==`. The operator `is` asks whether two names mean the same object, which two equal
# tuples need not be.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "reward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reward(state, goal, pit):
    """The reward of a step that enters `state`.

    +1 if `state` is the goal, -1 if it is the pit, -0.1 otherwise.

    state, goal, pit : tuples (x, y) of two integers in 1..4; goal and pit differ
    returns : float

    Example: with goal (4, 4) and pit (2, 3), entering (4, 4) yields 1,
    (2, 3) yields -1, (4, 3) yields -0.1 and (1, 1) yields -0.1.
    """
    ### BEGIN SOLUTION
    if state == goal:
        return 1.0
    if state == pit:
        return -1.0
    return -0.1
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_reward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("reward", points=2)
# tuple([4, 4]) below is equal to the goal, but another object
goal, pit = (4, 4), (2, 3)
with check(
    "entering the goal yields +1", hint="Instead of -0.1. Compare with ==, not `is`."
):
    close(reward(tuple([4, 4]), goal, pit), 1, what="The goal yielded")
with check(
    "entering the pit yields -1", hint="Instead of -0.1. Compare with ==, not `is`."
):
    close(reward(tuple([2, 3]), goal, pit), -1, what="The pit yielded")
with check("entering any other state yields -0.1", hint="Both coordinates must agree."):
    for other in [(1, 1), (4, 3), (3, 2), (2, 2)]:
        close(reward(other, goal, pit), -0.1, what=f"{other} yielded")
with check(
    "goal and pit are where the arguments say", hint="Are fixed coordinates used?"
):
    goal, pit = (1, 2), (3, 3)
    close(
        reward(tuple([1, 2]), goal, pit), 1, what="With the goal at (1, 2), it yielded"
    )
    close(
        reward(tuple([3, 3]), goal, pit), -1, what="With the pit at (3, 3), it yielded"
    )
    close(
        reward((4, 4), goal, pit), -0.1, what="With the goal at (1, 2), (4, 4) yielded"
    )
### BEGIN HIDDEN TESTS
check.hide()


def hidden_tests():
    import numpy as np

    states = [(x, y) for x in range(1, 5) for y in range(1, 5)]
    grids = [(goal, pit) for goal in states for pit in states if goal != pit]
    others = [(s, *grid) for grid in grids for s in states if s not in grid]
    lined_up = [(s, goal, pit) for s, goal, pit in others if {s[0], -s[1]} & {goal[0], -goal[1], pit[0], -pit[1]}]

    def pay(cases, expected):
        # the tuples are built anew: equal where they are equal, but distinct objects
        expression = "[reward(tuple(list(s)), tuple(list(g)), tuple(list(p))) for s, g, p in cases]"
        close(check.evaluate(expression, cases=np.array(cases).tolist()), np.full(len(cases), expected))

    with check("+1 at the goal, wherever goal and pit are", hint="Compare by value, and with `goal` itself.", weight=2):
        pay([(goal, goal, pit) for goal, pit in grids], 1.0)
    with check("-1 in the pit, wherever goal and pit are", hint="Compare by value, and with `pit` itself.", weight=2):
        pay([(pit, goal, pit) for goal, pit in grids], -1.0)
    with check("-0.1 in the rows and columns of goal and pit", hint="Both coordinates must agree, not one of them."):
        pay(lined_up, -0.1)
    with check("-0.1 in every other state", hint="Is the order of the coordinates compared too? (1, 2) is not (2, 1)."):
        pay(others, -0.1)
    with check("coordinates may be NumPy integers", hint="Use them as numbers: compare with ==, not with `is`."):
        cases = [(s, *grid) for grid in grids for s in (*grid, states[5])]
        expression = "[reward(tuple(s), tuple(g), tuple(p)) for s, g, p in cases]"
        rewards = [1.0 if s == goal else -1.0 if s == pit else -0.1 for s, goal, pit in cases]
        close(check.evaluate(expression, cases=np.array(cases)), rewards)


hidden_tests()
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Exercise 3: what an episode is worth
#
# The agent is to maximise the expected return $J(\theta) = \mathbb E_{\tau \sim \pi_\theta}[G(\tau)]$, where the return
# of a trajectory is the discounted sum of its rewards. The same function gives the reward-to-go $G_t$: it is the return
# of the rewards from step $t$ on.
#
# *Difficulty 1 of 5, importance 5 of 5, 10 minutes, 2 points*
#
# <details><summary>Hint</summary>
#
# Either add up $\gamma^t r_t$ for $t = 0, \dots, T-1$, or go backwards through the rewards with $G \leftarrow r_t + \gamma
# G$. Both give 0 for an empty episode if you start from 0.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "discounted_return", "locked": false, "schema_version": 3, "solution": true, "task": false}
def discounted_return(rewards, gamma):
    r"""The return G = sum over t = 0..T-1 of gamma^t r_t.

    rewards : list of T numbers, the rewards of one episode; it is not changed,
        and T may be 0
    gamma : the discount, a number in [0, 1]
    returns : float, 0 for an empty episode

    Example: rewards [1, 2, 4, 8] and gamma 0.5 give
    1 + 0.5 * 2 + 0.25 * 4 + 0.125 * 8 = 4.
    """
    ### BEGIN SOLUTION
    return float(sum(gamma**t * reward_t for t, reward_t in enumerate(rewards)))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_discounted_return", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("discounted_return", points=2)
with check(
    "[1, 2, 4, 8] with gamma = 0.5", hint="The weights are 1, gamma, gamma^2, gamma^3."
):
    close(discounted_return([1, 2, 4, 8], 0.5), 4)
with check(
    "[-1, 0, -1, 1] with gamma = 0.5", hint="Is a sign, a zero or a fraction lost?"
):
    close(discounted_return([-1, 0, -1, 1], 0.5), -1.125)
with check("gamma = 1 adds up all rewards", hint="Is gamma fixed, or the mean taken?"):
    close(discounted_return([3, -1, 2, 5], 1), 9)
with check(
    "gamma = 0 keeps the first reward only", hint="0^0 = 1 here. Is the order reversed?"
):
    close(discounted_return([3, -1, 2, 5], 0), 3)
with check("an empty episode has the return 0", hint="There is no first reward then."):
    close(discounted_return([], 0.9), 0)
with check(
    "the list of rewards is not changed",
    hint="pop, reverse and rewards[t] = change it.",
):
    result, after = check.evaluate("[discounted_return(r, 0.5), r]", r=[1, 2, 4, 8])
    close(after, [1, 2, 4, 8], what="It became")
    numbers(result)
### BEGIN HIDDEN TESTS
check.hide()


def hidden_tests():
    import numpy as np

    rng = check.rng()

    def expected(rewards, gamma):
        return float(np.dot(float(gamma) ** np.arange(len(rewards)), np.asarray(rewards, dtype=float)))

    def refused(rewards):
        # lists are what is promised: an answer that refuses another kind of sequence is not wrong
        try:
            discounted_return(rewards, 0.5)
        except Exception:
            return True
        return False

    with check("the reward of step t has the weight gamma^t", hint="Is the exponent t, counted from 0?", weight=2):
        for gamma in (0.5, 0.75):
            for t in range(9):
                close(discounted_return([0.0] * t + [1.0] + [0.0] * (8 - t), gamma), gamma**t, atol=1e-6)
    with check("rewards of either sign, any discount", hint="Negative rewards count, and gamma is an argument.", weight=2):
        for gamma in [*rng.uniform(0.05, 1, size=8).tolist(), 0.9, 0.99]:
            rewards = rng.normal(scale=3, size=int(rng.integers(2, 12))).tolist()
            close(discounted_return(list(rewards), gamma), expected(rewards, gamma), atol=1e-4)
    with check("gamma 0 and 1, as integers and as floats", hint="Is an extreme treated apart, or gamma divided by?"):
        for size in (2, 5, 30):
            rewards = rng.integers(-40, 40, size=size) / 8
            for gamma, total in [(1, rewards.sum()), (1.0, rewards.sum()), (0, rewards[0]), (0.0, rewards[0])]:
                close(discounted_return(rewards.tolist(), gamma), total, atol=1e-4)
    with check("an episode of one step returns its reward", hint="The first reward is not discounted."):
        for gamma in (0, 0.3, 0.5, 0.99, 1):
            close(discounted_return([-2.5], gamma), -2.5)
    with check("an empty episode, any discount", hint="It returns the number 0."):
        for gamma in (0, 0.5, 1):
            close(discounted_return([], gamma), 0)
    with check("episodes of 2,000 steps", hint="Late steps count too; a recursion may go too deep."):
        close(discounted_return([0] * 1999 + [1], 1), 1)
        close(discounted_return([0] * 1500 + [2.0**20], 0.99), 0.99**1500 * 2.0**20, rtol=5e-4)
        for gamma in (1, 0.999, 0.99):
            rewards = rng.integers(0, 9, size=2000) / 8
            close(discounted_return(rewards.tolist(), gamma), expected(rewards, gamma), rtol=5e-4)
    with check("whole-number rewards", hint="An array of integers cuts off fractions: make it float."):
        for gamma in (0.5, 0.9):
            rewards = (2 * rng.integers(-5, 5, size=7) + 1).tolist()
            close(discounted_return(list(rewards), gamma), expected(rewards, gamma), atol=1e-4)
            close(discounted_return([0, 1, 0, 1], gamma), gamma + gamma**3)
    with check("rewards stay as they are, and a call can be repeated", hint="Work on a copy; keep no running total."):
        rewards = [2.0, -1.0, 0.5, 3.0]
        close(check.evaluate("[discounted_return(r, 0.5), discounted_return(r, 0.5)]", r=list(rewards)), [2.0, 2.0])
        close(check.evaluate("[discounted_return(r, 0.5), r][1]", r=list(rewards)), rewards)
        if not refused(np.array(rewards)):
            close(check.evaluate("[discounted_return(r, 0.5), r][1]", r=np.array(rewards)), rewards)
    with check("a tuple or an array, where it is taken, gives the same", hint="Does the type change the result?"):
        rewards = (2 * rng.integers(-5, 5, size=6) + 1).tolist()
        for kind in (tuple, np.array, np.float32, np.float64):
            kind = list if refused(kind(rewards)) else kind
            close(discounted_return(kind(rewards), 0.5), expected(rewards, 0.5))


hidden_tests()
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Exercise 4: the policy
#
# The policy is a table of logits $\theta$, one for each state and action, turned into probabilities by a softmax in each
# state:
#
# $$\pi_\theta(a|s) = \frac{\exp \theta_{s,a}}{\sum_{a'} \exp \theta_{s,a'}}.$$
#
# Every action keeps a positive probability, so the agent never stops exploring, and $\pi_\theta$ is differentiable in
# $\theta$, which is what the policy gradient needs.
#
# *Difficulty 2 of 5, importance 4 of 5, 10 minutes, 2 points*
#
# <details><summary>Hint</summary>
#
# Coordinates count from 1, array indices from 0. Subtracting the largest of the four logits first changes nothing in the
# result and keeps `np.exp` from overflowing. Do it in a new array: `theta[i, j]` is a view, and `-=` on it would change
# the parameters.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "softmax_policy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax_policy(theta, state):
    """The probabilities pi(a | state) of the four actions.

    pi(a | s) = exp(theta[s, a]) / (sum over a' of exp(theta[s, a']))

    theta : float array (4, 4, 4), logits; the axes are x - 1, y - 1 and the action,
        in the order up, down, left, right; it is not changed
    state : tuple (x, y) of two integers in 1..4
    returns : float array (4,), positive numbers that sum to 1

    Example: logits [log 1, log 2, log 3, log 4] at theta[x - 1, y - 1] give
    [0.1, 0.2, 0.3, 0.4].
    """
    ### BEGIN SOLUTION
    x, y = state
    logits = theta[x - 1, y - 1]
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_softmax_policy", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

check = Checks("softmax_policy", points=2)


def table():
    """Logits that are 0 but in three states."""
    theta = np.zeros((4, 4, 4))
    weights = [[1, 2, 3, 4], [4, 3, 2, 1], [1, 1, 1, 4]]
    theta[0, 2], theta[2, 0], theta[1, 3] = np.log(weights)
    return theta


with check(
    "equal logits give four times 1/4", hint="Is the softmax taken over all 64 logits?"
):
    close(softmax_policy(table(), (4, 4)), [0.25, 0.25, 0.25, 0.25])
with check(
    "logits log 1, log 2, log 3, log 4", hint="exp, then divide by the sum of the four."
):
    close(softmax_policy(table(), (1, 3)), [0.1, 0.2, 0.3, 0.4])
with check(
    "logits are at theta[x - 1, y - 1]",
    hint="Are x and y swapped, or not reduced by 1?",
):
    close(softmax_policy(table(), (3, 1)), [0.4, 0.3, 0.2, 0.1])
    close(softmax_policy(table(), (2, 4)), [1 / 7, 1 / 7, 1 / 7, 4 / 7])
with check(
    "the probabilities sum to 1", hint="Divide by the sum of the four exponentials."
):
    close(numbers(softmax_policy(table(), (1, 3))).sum(), 1, what="The sum is")
with check(
    "theta is not changed", hint="theta[i, j] is a view: `-=` on it changes theta."
):
    expression = "[softmax_policy(theta, (1, 3)), theta]"
    result, after = check.evaluate(expression, theta=table())
    assert np.allclose(after, table()), "After the call theta holds other numbers."
    numbers(result)
### BEGIN HIDDEN TESTS
check.hide()


def hidden_tests():
    rng = check.rng()
    states = [(x, y) for x in range(1, 5) for y in range(1, 5)]
    everywhere = "[softmax_policy(theta, tuple(s)) for s in states]"

    def expected(theta):
        weights = np.exp(theta - theta.max(axis=2, keepdims=True))
        return (weights / weights.sum(axis=2, keepdims=True)).reshape(16, 4)

    theta = rng.uniform(-3, 3, size=(4, 4, 4))
    with check("every state of a random table", hint="Are state and actions in theta's order, everywhere?", weight=2):
        for state, probabilities in zip(states, expected(theta), strict=True):
            close(softmax_policy(theta.copy(), state), probabilities)
    with check("logits far apart", hint="Are logits scaled, clipped or rounded?", weight=2):
        wide = rng.uniform(-25, 25, size=(4, 4, 4))
        wide[1], wide[2] = 24 + rng.normal(size=(4, 4)), -24 + rng.normal(size=(4, 4))
        close(check.evaluate(everywhere, theta=wide.copy(), states=states), expected(wide))
    with check("adding one number to a state's four logits changes nothing", hint="Is it a softmax?"):
        moved = theta + rng.uniform(-5, 5, size=(4, 4, 1))
        close(check.evaluate(everywhere, theta=moved, states=states), expected(theta))
    with check("only the state's own logits count", hint="Neither the sum nor an index may reach another state."):
        for state in states[::3]:
            other = rng.uniform(-10, 10, size=(4, 4, 4))
            other[state[0] - 1, state[1] - 1] = [1, 0, -1, 2]
            close(softmax_policy(other, state), [0.2368828, 0.0871443, 0.0320586, 0.6439143])
    with check("float32 parameters", hint="Does the result depend on theta's dtype?"):
        close(check.evaluate(everywhere, theta=theta.astype(np.float32), states=states), expected(theta))
    with check("theta is not changed", hint="theta[i, j] is a view: `-=` on it changes theta."):
        results, after = check.evaluate(f"[{everywhere}, theta]", theta=theta.copy(), states=states)
        close(after, theta)
        numbers(results)
    with check("results are independent of one another", hint="Return a new array; keep nothing between calls."):
        probabilities = check.evaluate(everywhere, theta=theta.copy(), states=states[::-1] + states)
        close(probabilities, np.concatenate([expected(theta)[::-1], expected(theta)]))
    with check("coordinates may be NumPy integers", hint="Use them as numbers, whatever their integer type."):
        close(check.evaluate(everywhere, theta=theta.copy(), states=np.array(states)), expected(theta))


hidden_tests()
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Exercise 5: the score
#
# The policy gradient theorem needs one derivative only, the score $\nabla_\theta \log \pi_\theta(a|s)$: the direction in
# parameter space that makes action $a$ more likely in state $s$. In a table it has a simple form. Take the logarithm of
# the softmax,
#
# $$\log \pi_\theta(a|s) = \theta_{s,a} - \log \sum_{a'} \exp \theta_{s,a'},$$
#
# and differentiate it with respect to each of the 64 numbers in $\theta$. The logits of the other states do not occur in
# it.
#
# *Difficulty 3 of 5, importance 5 of 5, 20 minutes, 2 points*
#
# <details><summary>Hint</summary>
#
# The derivative of $\log \sum_{a'} \exp \theta_{s,a'}$ with respect to $\theta_{s,b}$ is $\pi_\theta(b|s)$. So in row $s$ the
# score is "1 for the action taken, 0 for the others" minus the four probabilities. `ACTIONS.index(action)` gives the place
# of an action.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "score", "locked": false, "schema_version": 3, "solution": true, "task": false}
def score(theta, state, action):
    """The gradient of log pi(action | state) with respect to theta.

    d log pi(a | s) / d theta[s', b]
        = (1 if b is a else 0) - pi(b | s) where s' = s, else 0

    theta : float array (4, 4, 4), as in `softmax_policy`; it is not changed
    state : tuple (x, y) of two integers in 1..4
    action : one of "up", "down", "left", "right"
    returns : float array (4, 4, 4), a new one at every call

    Example: where pi is [0.1, 0.2, 0.3, 0.4], the score of "left" is
    [-0.1, -0.2, 0.7, -0.4] at [x - 1, y - 1] and 0 elsewhere.
    """
    ### BEGIN SOLUTION
    x, y = state
    gradient = np.zeros((4, 4, 4))
    gradient[x - 1, y - 1] = -softmax_policy(theta, state)
    gradient[x - 1, y - 1, ACTIONS.index(action)] += 1
    return gradient
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_score", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

check = Checks("score", points=2)
up, down, left, right = "up down left right".split()


def table():
    """Logits: pi is [0.1, 0.2, 0.3, 0.4] in state (1, 3), and uniform in the others."""
    theta = np.ones((4, 4, 4))
    theta[0, 2] = np.log([1, 2, 3, 4])
    return theta


with check(
    "it has theta's shape", hint="It has an entry for each of theta's, mostly 0."
):
    shape = numbers(score(table(), (1, 3), left)).shape
    assert shape == (4, 4, 4), f"Its shape is {shape}; it should be (4, 4, 4)."
with check(
    "left, where pi is [0.1, 0.2, 0.3, 0.4]", hint="1 for left, minus pi.", weight=2
):
    close(numbers(score(table(), (1, 3), left))[0, 2], [-0.1, -0.2, 0.7, -0.4])
with check(
    "each action has its own place",
    hint="The order is up, down, left, right.", weight=2,
):
    for place, action in enumerate([up, down, left, right]):
        row = numbers(score(table(), (4, 1), action))[3, 0]
        close(row, np.eye(4)[place] - 0.25, what=f"For {action} it is")
with check("it is 0 at all other states", hint="They do not occur in log pi(a | s)."):
    others = np.delete(numbers(score(table(), (1, 3), up)).reshape(16, 4), 2, axis=0)
    assert np.allclose(others, 0), "Entries of other states are not 0."
with check(
    "theta is not changed", hint="Make a new array: theta[i, j] is a view of theta."
):
    result, after = check.evaluate("[score(theta, (1, 3), 'up'), theta]", theta=table())
    assert np.allclose(after, table()), "After the call theta holds other numbers."
    numbers(result)
### BEGIN HIDDEN TESTS
check.hide()


def hidden_tests():
    rng = check.rng()
    names = "up down left right".split()
    cases = [(x, y, action) for x in range(1, 5) for y in range(1, 5) for action in names]
    cases = [cases[i] for i in rng.permutation(64)]
    everything = "[score(theta, (x, y), ''.join(list(action))) for x, y, action in cases]"
    x, y, place = np.array([(x - 1, y - 1, names.index(action)) for x, y, action in cases]).T

    def log_pi(theta):
        """(64,): the log probability of each case."""
        logits = theta[x, y]
        return logits[range(64), place] - np.log(np.exp(logits).sum(axis=1))

    def gradients(theta):
        """(64, 4, 4, 4): the gradient of each case's log probability, by central differences."""
        steps = 1e-5 * np.eye(64).reshape(64, 4, 4, 4)
        differences = [log_pi(theta + step) - log_pi(theta - step) for step in steps]
        return (np.array(differences).T / 2e-5).reshape(64, 4, 4, 4)

    def own(scores):
        """(64, 4): the entries at each case's own state."""
        return numbers(scores)[range(64), x, y]

    theta = rng.normal(scale=1.5, size=(4, 4, 4))
    expected = gradients(theta)
    with check("a random state and action", hint="Is it the gradient of log pi, not of pi?", weight=3):
        for case, want in zip(cases[:6], expected[:6], strict=True):
            close(score(theta.copy(), case[:2], case[2]), want, atol=2e-5)
    with check("all states and actions, at the state itself", hint="1 for the action taken, minus pi.", weight=3):
        close(own(check.evaluate(everything, theta=theta.copy(), cases=cases)), own(expected), atol=2e-5)
    with check("all states and actions, at the other states", hint="0, at every call, not left over from another."):
        scores = numbers(check.evaluate(everything, theta=theta.copy(), cases=cases)).copy()
        scores[range(64), x, y] = 0
        close(scores, np.zeros((64, 4, 4, 4)), atol=2e-5)
    with check("policies that are nearly certain", hint="A likely action has a small score.", weight=3):
        peaked = rng.uniform(-8, 8, size=(4, 4, 4))
        close(check.evaluate(everything, theta=peaked.copy(), cases=cases), gradients(peaked), atol=2e-5)
    with check("theta is not changed", hint="Copy before you write: theta[i, j] is a view of theta."):
        results, after = check.evaluate(f"[{everything}, theta]", theta=theta.copy(), cases=cases)
        close(after, theta)
        numbers(results)
    with check("results are independent of one another", hint="Return a new array; keep nothing between calls."):
        expression = "[score(t, (2, 3), 'up') for t in (theta, other, theta)]"
        one, two = gradients(theta)[cases.index((2, 3, "up"))], gradients(-theta)[cases.index((2, 3, "up"))]
        close(check.evaluate(expression, theta=theta.copy(), other=-theta), [one, two, one], atol=2e-5)
    with check("coordinates may be NumPy integers", hint="Use them as numbers, whatever their integer type."):
        values = {"states": np.array([case[:2] for case in cases]), "names": [action for *_, action in cases]}
        scores = check.evaluate("[score(theta, tuple(s), a) for s, a in zip(states, names)]", theta=theta.copy(), **values)
        close(scores, expected, atol=2e-5)


hidden_tests()
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Exercise 6: what came before, in your own words
#
# REINFORCE weights the score of each step. Two weights are at hand: the return of the whole episode, or the
# reward-to-go, the return of the rewards from that step on.
#
# An agent wanders about for 30 steps, each with the reward $-0.1$, and comes to stand next to the goal. Its 31st step
# enters the goal, with the reward $+1$. Let $\gamma = 1$. Explain in three to five sentences:
#
# - Which weight does the 31st step get in either case, and what does each do to the probability of that action?
# - Why may the rewards of the first 30 steps be left out of that weight without changing the estimate's mean?
# - Which of the two weights has the smaller variance, and why?
#
# *Difficulty 3 of 5, importance 5 of 5, 10 minutes, 2 points, read by a person*
#
# <details><summary>Hint</summary>
#
# Two facts are enough. In the state where the action is chosen, the mean of the score over the actions that the policy
# may draw is 0. And the first 30 rewards were already settled when the 31st action was drawn.
#
# </details>

# %% [markdown] nbgrader={"grade": true, "grade_id": "why_reward_to_go", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The return of the episode is $30 \cdot (-0.1) + 1 = -2$, so with this weight the step into the goal is made *less*
# likely, though it was the best one. Its reward-to-go is $+1$, which makes it more likely. The first 30 rewards were
# settled before the 31st action was drawn, so given its state they are the same number whichever action is drawn, and
# that number times the mean of the score, which is 0, is 0: leaving them out changes nothing on average. But they differ
# from episode to episode, and in a single episode they multiply the score by a number that has nothing to do with the
# action. The reward-to-go leaves out this noise, so here its variance is the smaller one.
#
# *Points.* Half a point for both weights, $-2$ and $+1$, and half a point for what they do to the probability. Half a
# point for the mean: earlier rewards do not depend on the action, and the mean score in a state is 0; "the action cannot
# have caused them" alone is enough only with a word on the score. Half a point for the variance: the reward-to-go leaves
# out terms that vary and tell nothing about the action.
# ### END SOLUTION

# %% [markdown]
# ## Training: your functions learn
#
# From here on nothing is graded and everything is given. The code below is REINFORCE, made of the five functions above,
# so it works as soon as they do.
#
# An episode ends by itself, it is **terminated**, when the agent enters the goal or the pit. A policy that has learned
# to walk into a wall would never get there, so training also cuts an episode off after 100 steps: then it is
# **truncated**. The returns below are those of at most 100 steps; what a truncated episode would still have cost is not
# in them.

# %% tags=["training"]
START, GOAL, PIT = (1, 1), (4, 4), (2, 3)
GAMMA = 1.0
MAX_STEPS = 100

# %% tags=["training"]
def sample_trajectory(theta, rng):
    """The states s_0..s_T, actions and rewards of one episode
    of at most MAX_STEPS steps."""
    states, actions, rewards = [START], [], []
    while states[-1] not in (GOAL, PIT) and len(actions) < MAX_STEPS:
        actions.append(ACTIONS[rng.choice(4, p=softmax_policy(theta, states[-1]))])
        states.append(tuple(next_state(states[-1], actions[-1])))
        rewards.append(reward(states[-1], GOAL, PIT))
    return states, actions, rewards

# %% [markdown]
# ### Two reference points
#
# What is a good return here? This problem is small enough to be solved exactly, so there are two numbers to compare
# with: the best expected return there is, by value iteration, and that of the policy that chooses each action with
# probability 1/4, by solving the linear Bellman equations. Both are exact and know nothing of your code.

# %% tags=["training"]
mdp = tabular.gridworld(discount=GAMMA)
optimal_values, optimal_action_values = tabular.value_iteration(mdp)
optimum = mdp.start @ optimal_values
random_policy = tabular.expected_return(mdp, np.full((16, 4), 1 / 4))
print(
    f"expected return: exact optimum {optimum:.3f}, random policy {random_policy:.3f}"
)

# %% [markdown]
# The second one tests your environment: episodes sampled with your functions, at $\theta = 0$, must agree with it up to
# sampling error.

# %% tags=["training"]
def returns_and_truncation(theta, n, rng):
    """(n,) returns of sampled episodes, and (n,) whether each was truncated."""
    episodes = [sample_trajectory(theta, rng) for _ in range(n)]
    returns = [discounted_return(rewards, GAMMA) for _, _, rewards in episodes]
    truncated = [states[-1] not in (GOAL, PIT) for states, _, _ in episodes]
    return np.array(returns), np.array(truncated)

# %% tags=["training"]
returns, truncated = returns_and_truncation(
    np.zeros((4, 4, 4)), 2000, np.random.default_rng(0)
)
print(
    f"mean of 2,000 episodes {returns.mean():.3f}, "
    f"standard error {returns.std() / 2000**0.5:.3f}"
)
print(f"truncated at {MAX_STEPS} steps: {truncated.mean():.2%}")

# %% [markdown]
# ### The estimator
#
# The policy gradient is estimated from $N$ trajectories of the present policy,
#
# $$\nabla_\theta J(\theta) \approx \frac1N \sum_{i=1}^{N} \sum_{t=0}^{T_i-1}
#   \psi_{i,t} \, \nabla_\theta \log \pi_\theta(a_{i,t}|s_{i,t}),$$
#
# where the weight $\psi_{i,t}$ is either the return $G(\tau_i)$ of the whole trajectory or the reward-to-go $G_{i,t}$.
# With $\gamma = 1$ both are unbiased: their mean is the gradient of the expected return over at most 100 steps. The
# reward-to-go leaves out what happened before the action: the action cannot have caused it, and it contributes 0 to the
# mean. Your `discounted_return` computes both weights.

# %% tags=["training"]
WEIGHTS = {
    "total return": lambda rewards, t: discounted_return(rewards, GAMMA),
    "reward-to-go": lambda rewards, t: discounted_return(rewards[t:], GAMMA),
}

# %% tags=["training"]
def gradient_estimate(theta, trajectories, weight):
    """(1/N) times the sum over trajectories and steps of weight times score."""
    total = np.zeros_like(theta)
    for states, actions, rewards in trajectories:
        for t, action in enumerate(actions):
            total += weight(rewards, t) * np.asarray(score(theta, states[t], action))
    return total / len(trajectories)

# %% [markdown]
# ### The loop
#
# Each update samples 10 fresh trajectories with the present policy, uses them once for $\theta \leftarrow \theta + \alpha
# \nabla_\theta J(\theta)$, and throws them away: REINFORCE is on-policy. Training goes on until 15,000 steps have been
# taken in the environment. The step size $\alpha = 1$ was chosen on other seeds than the ten below.

# %% tags=["training"]
def train(weight, seed, budget=15_000, step_size=1.0):
    """The trained theta, and for each update the steps so far
    and its batch's mean return."""
    rng, theta = np.random.default_rng(seed), np.zeros((4, 4, 4))
    steps, curve = [0], []
    while steps[-1] < budget:
        batch = [sample_trajectory(theta, rng) for _ in range(10)]
        theta = theta + step_size * gradient_estimate(theta, batch, weight)
        steps.append(steps[-1] + sum(len(rewards) for _, _, rewards in batch))
        curve.append(
            np.mean([discounted_return(rewards, GAMMA) for _, _, rewards in batch])
        )
    return theta, np.array(steps[1:]), np.array(curve)

# %% tags=["training"]
SEEDS = range(10)
jobs = [(name, seed) for name in WEIGHTS for seed in SEEDS]
runs = {
    (name, seed): train(WEIGHTS[name], seed)
    for name, seed in tqdm(jobs, desc="training")
}

# %% [markdown]
# ### Learning curves
#
# The runs take their updates after different numbers of steps, so the curves are first brought to common numbers of
# steps. Every point is the mean return of an update's own 10 episodes: it is measured while the agent still explores.

# %% tags=["training"]
steps = np.linspace(200, 15_000, 150)
curves = {}
for name in WEIGHTS:
    curves[name] = np.array([np.interp(steps, *runs[name, seed][1:]) for seed in SEEDS])

# %% tags=["training"]
def draw_curves(ax, name, colour):
    """The median over the seeds, a band from the worst to the best,
    the two reference points."""
    worst, best = curves[name].min(axis=0), curves[name].max(axis=0)
    ax.fill_between(steps, worst, best, color=colour, alpha=0.3, linewidth=0)
    median = np.median(curves[name], axis=0)
    ax.plot(steps, median, color=colour, label="median of the seeds")
    ax.axhline(optimum, color="C2", linestyle="--", label="exact optimum")
    ax.axhline(random_policy, color="C4", linestyle=":", label="random policy")
    ax.set(title=name, xlabel="environment steps", xticks=range(0, 15_001, 5_000))

# %% tags=["training"] mystnb={"image": {"alt": "Two panels of learning curves over 15,000 environment steps, one for each weight, with dashed lines for the exact optimum and dotted lines for the random policy. With the reward-to-go all ten seeds rise from the random policy's return to just below the optimum, and the band becomes narrow. With the total return the median gets there later, and the lower edge of the wide band stays far below the optimum until the end."}}
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
draw_curves(axes[0], "total return", "C1")
draw_curves(axes[1], "reward-to-go", "C0")
axes[0].set_ylabel("return of an episode")
axes[1].legend(loc="lower right")
plt.show()

# %% [markdown]
# ### Final returns
#
# The policy that each run ends with, sampled for 100 fresh episodes: their mean return, and the share of them that was
# truncated.

# %% tags=["training"]
def final(name, seed):
    """The mean return of a run's last policy,
    and the truncated share of its episodes."""
    theta, rng = runs[name, seed][0], np.random.default_rng(1000 + seed)
    returns, truncated = returns_and_truncation(theta, 100, rng)
    return returns.mean(), truncated.mean()


finals = {name: np.array([final(name, seed) for seed in SEEDS]) for name in WEIGHTS}

# %% tags=["training"]
def row(*cells):
    return "| " + " | ".join(map(str, cells)) + " |\n"


summary = {
    name: f"{r[:, 0].mean():.2f} ± {r[:, 0].std(ddof=1):.2f}"
    for name, r in finals.items()
}
text = row("seed", "total return", "truncated", "reward-to-go", "truncated")
text += row(*["---"] * 5)
for seed, (total, to_go) in enumerate(zip(*finals.values(), strict=True)):
    text += row(
        seed, f"{total[0]:.2f}", f"{total[1]:.0%}", f"{to_go[0]:.2f}", f"{to_go[1]:.0%}"
    )
text += row(
    "mean ± standard deviation",
    summary["total return"], "", summary["reward-to-go"], "",
)
display(Markdown(text))

# %% tags=["training"]
for name, result in finals.items():
    below, lowest = (result[:, 0] < 0).sum(), result[:, 0].min()
    print(
        f"{name}: {summary[name]}, lowest {lowest:.2f}, "
        f"below 0: {below} of {len(SEEDS)} seeds"
    )
print(f"exact optimum {optimum:.2f}, random policy {random_policy:.2f}")

# %% [markdown]
# **Why not quite the optimum?** A softmax gives no action the probability 0, so a sampled episode takes a wrong step now
# and then. The closer the policy comes to certainty, the rarer wrong steps are, and the smaller the score of the right
# ones, so that learning slows down.
#
# **Why may a run end near -1.2?** Two steps and the fall into the pit cost $2 \cdot (-0.1) - 1 = -1.2$. That is bad, but
# better than the random policy, so early in training falling in soon is an improvement over wandering about. A policy
# that has become nearly certain of the way into the pit hardly ever sees the goal, and what it does not sample it cannot
# learn from. This is a local trap of on-policy learning, and a noisy estimate can push a run into it.
#
# **What the seeds are for.** Ten runs of the same code differ in nothing but their random numbers. Look back at the table
# and ask what you would have concluded from its first five rows alone. Whether the reward-to-go is really the safer of
# the two weights, ten seeds hardly decide either.
#
# ### What was learned, state by state
#
# On the left the exact optimum: the optimal value of each state, and its best actions. The other two pictures show
# learned policies, the longer an arrow the likelier the action: the run with the reward-to-go and seed 0, and the run
# with the lowest final return of all.

# %% tags=["training"]
def as_table(theta):
    """(4, 4, 4): the probabilities of the four actions in every state."""
    return np.array(
        [[softmax_policy(theta, (x, y)) for y in range(1, 5)] for x in range(1, 5)]
    )


best_actions = tabular.greedy_policy(optimal_action_values)
learned = as_table(runs["reward-to-go", 0][0])
worst = min(jobs, key=lambda job: finals[job[0]][job[1], 0])

# %% tags=["training"] mystnb={"image": {"alt": "Three gridworlds with arrows. The exact optimum has the optimal value of every state and arrows that lead round the pit to the goal. The learned policy with the reward-to-go has one long arrow in the states along one such way and shorter arrows in several directions elsewhere. The arrows of the run with the lowest final return lead from the start straight into the pit."}}
fig, axes = plt.subplots(1, 3, figsize=(12, 4.3))
draw_gridworld(values=optimal_values, policy=best_actions, ax=axes[0])
axes[0].set_title("exact optimum")
draw_gridworld(policy=learned, ax=axes[1]).set_title("reward-to-go, seed 0")
draw_gridworld(policy=as_table(runs[worst][0]), ax=axes[2])
axes[2].set_title("lowest: {}, seed {}".format(*worst))
plt.show()

# %% [markdown]
# The score is 0 in states that an episode does not visit, so a policy learns only where it goes. For the middle picture
# this can be counted, with the exact expected number of visits of the learned policy to each state:

# %% tags=["training"]
# once in ten episodes, on average
often = tabular.visitation(mdp, learned.reshape(16, 4)) >= 0.1
agrees = best_actions[range(16), learned.reshape(16, 4).argmax(axis=1)] > 0
rarely = ~often & ~mdp.terminal
for kind, some in {"visited often": often, "visited rarely": rarely}.items():
    print(
        f"{kind}: {some.sum()} states, "
        f"the likeliest action is optimal in {(some & agrees).sum()}"
    )

# %% [markdown]
# ## What to try next
#
# - Set `SEEDS = range(50)`, which takes a minute or two. How many runs of each kind end in the pit, or against a wall?
# - Subtract a baseline: give each step the weight $G_t - b$, with $b$ the mean return of the batch *before* this one. What
#   does it change in the curves?
# - Set `step_size` to 0.3 and to 4. What happens to the band?
# - Set `GAMMA = 0.9` and run all cells from there on. Does the optimal policy change? Only one of the two weights still
#   estimates $\nabla_\theta J(\theta)$ without bias: which, and what does the other one lack?
# - Compare `gradient_estimate` at $\theta = 0$ with `tabular.exact_policy_gradient(mdp, np.zeros((16, 4)))` for 10, 100
#   and 1,000 trajectories. How fast does the error fall?
# - Go on to [REINFORCE on CartPole]({{repository}}/blob/main/assignments/reinforce_cartpole/reinforce_cartpole.ipynb):
#   there the states are no longer a table, a neural network takes the place of $\theta$, and automatic differentiation
#   that of your `score`.
#
# ## Take-away
#
# - An agent needs little: a transition, a reward, a policy with parameters, and the score.
# - In a softmax table the score is "one-hot minus the policy" in the state that was visited, and 0 elsewhere: a policy
#   learns only where it goes.
# - The reward-to-go drops what an action cannot have caused, and costs no more than a slice of the rewards.
# - A single run proves nothing, and an exact optimum, where there is one, is the best judge.
