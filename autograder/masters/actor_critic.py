# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Actor-critic: a value function that helps the policy
#
# REINFORCE has to wait for the end of an episode before it learns anything. An actor-critic need not: it
# learns a second thing beside the policy, the value of a state, and lets that value stand in for all the
# rewards that have not come yet. In this assignment you write the five functions of an advantage
# actor-critic in PyTorch. With them you train an agent that balances a pole, and then one that balances it
# although nobody tells it how fast anything moves.
#
# [Open in Colab]({{colab}})
#
# **After this assignment you can**
#
# - turn a fragment of experience into returns that bootstrap where the clock stopped, and only there
# - compute generalised advantage estimates, for any $\gamma$ and $\lambda$
# - correct for data from a slightly older policy with truncated importance weights
# - compute an entropy that survives forbidden actions
# - put together the actor-critic loss, and say which of its parts are constants
# - train feed-forward and recurrent agents, and judge them by several seeds against a baseline
#
# **Before you start**: the chapter
# [Actor-critic and GAE]({{repository}}/blob/main/chapters/actor_critic.md); Python functions, tensors of
# PyTorch or arrays of NumPy.
#
# **Time**: 2 to 3 hours for the five functions, some minutes of training.
#
# **How it works**: fill in each function where it says `NotImplementedError`, then run the cell below
# it. That cell lists the properties your function has to have, and says which of them hold. The
# grader checks these and some more, on other inputs. Every property earns its share of the points, so
# a function that is right except for one case still counts.

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
import torch
from torch import nn

from policy_gradients.checks import Checks, close, numbers
from policy_gradients.plotting import use_course_style

use_course_style()

# %% [markdown]
# ## The data: fragments of $N$ environments
#
# We step $N$ environments side by side, $T$ times, and get arrays with a row for each step and a column for
# each environment. Such a fragment begins and ends anywhere in an episode. When an episode ends within it,
# the environment is reset at once, so **the row after an end belongs to the next episode**.
#
# | tensor | shape | what it holds at row $t$ |
# | --- | --- | --- |
# | `rewards` | (T, N) floats | the reward $r_t$ of the step |
# | `values` | (T, N) floats | $V(s_t)$, the critic's value of the state before the step |
# | `next_values` | (T, N) floats | $V$ of the state that the step *really led to*, also where the episode ended with it |
# | `terminated` | (T, N) bools | the task ended the episode with this step: nothing can follow |
# | `truncated` | (T, N) bools | the clock stopped the episode after this step: something would have followed |
#
# Within an episode `next_values[t]` is `values[t + 1]`. At an end it is not: `values[t + 1]` is then the
# value of another episode's first state. Mixing the two up is a bug that no error message reports.

# %% [markdown]
# ## 1. Bootstrapped returns
#
# The return from step $t$ is $G_t = r_t + \gamma G_{t+1}$, as long as there is a $G_{t+1}$. It is missing in
# three places, for three different reasons:
#
# - the episode **terminated**: no reward follows, so $G_t = r_t$
# - the episode was **truncated**: rewards would have followed. We do not know them, but the critic has an
#   estimate: $G_t = r_t + \gamma V(s_{t+1})$
# - the fragment is over, at its **last row**: the episode goes on without us, and the critic's estimate
#   stands in again
#
# Putting an estimate in the place of what follows is called *bootstrapping*. A step may be marked as
# terminated and truncated at once, when the pole falls at the very last tick of the clock. It has fallen
# all the same: terminated wins, over the last row as well.
#
# *Difficulty 3 of 5, importance 5 of 5, about 25 minutes.*
#
# <details><summary>Hint</summary>
#
# Go through the rows from the last to the first, and keep one number per environment: what follows. Set it
# to `next_values[t]` wherever the step is truncated, then to zero wherever it is terminated, and only then
# form $r_t + \gamma \cdot$ what follows. What should it be before the first row you look at? `torch.where`
# chooses between two tensors, column by column.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "bootstrapped_returns", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bootstrapped_returns(rewards, next_values, terminated, truncated, gamma):
    """The discounted returns of N environments over T steps, with bootstrapping:

    G_t = r_t                          where terminated (whatever else holds),
    G_t = r_t + gamma next_values_t    where truncated, and at the last row,
    G_t = r_t + gamma G_{t+1}          everywhere else.

    rewards, next_values : (T, N) float tensors; they are not changed
    terminated, truncated : (T, N) bool tensors
    gamma : the discount, between 0 and 1, both included

    Returns the (T, N) returns.

    Example (T = 4, N = 1, gamma = 0.5): rewards 1, 2, 3, 4, next_values all 8
    -> 2, 2, 7, 8 where the second step terminated, 4, 6, 7, 8 where it was truncated
    """
    ### BEGIN SOLUTION
    returns, following = torch.empty_like(rewards), next_values[-1]
    for t in reversed(range(len(rewards))):
        following = torch.where(truncated[t], next_values[t], following)
        following = torch.where(terminated[t], torch.zeros_like(following), following)
        following = returns[t] = rewards[t] + gamma * following
    return returns
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_bootstrapped_returns", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("bootstrapped_returns", points=2)


def example(terminated=(), truncated=()):
    """Four steps of one environment, with ends at the given rows."""
    flags = torch.zeros(2, 4, 1, dtype=torch.bool)
    flags[0, list(terminated)], flags[1, list(truncated)] = True, True
    rewards = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    return rewards, torch.tensor([[8.0], [16.0], [32.0], [64.0]]), *flags


with check(
    "an episode without an end bootstraps at the last row",
    hint="After the last row the critic's estimate, next_values[-1], stands in.",
):
    returns = bootstrapped_returns(*example(), 0.5)
    close(returns, [[7.25], [12.5], [21.0], [36.0]])
with check(
    "nothing follows a terminated step",
    hint="Where the episode terminated, the return is the step's reward alone.",
):
    returns = bootstrapped_returns(*example(terminated=[1]), 0.5)
    close(returns, [[2.0], [2.0], [21.0], [36.0]])
with check(
    "a truncated step bootstraps from its own next value",
    hint="Where the clock stopped the episode, next_values[t] stands in for the rest.",
):
    returns = bootstrapped_returns(*example(truncated=[1]), 0.5)
    close(returns, [[6.0], [10.0], [21.0], [36.0]])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np

rng = check.rng()


def quarters(*shape):
    return rng.integers(-12, 13, size=shape) / 4 + 0.125  # exact in float32, and no zeros


def batch(n_steps, n_envs, p_terminated=0.2, p_truncated=0.2):
    """Random arguments up to gamma, as NumPy arrays."""
    ends = [rng.random((n_steps, n_envs)) < p for p in (p_terminated, p_truncated)]
    return [quarters(n_steps, n_envs), quarters(n_steps, n_envs), *ends]


def tensors(rewards, next_values, terminated, truncated):
    floats = [torch.tensor(x, dtype=torch.float32) for x in (rewards, next_values)]
    return *floats, torch.tensor(terminated), torch.tensor(truncated)


def expected(rewards, next_values, terminated, truncated, gamma):
    wanted = np.zeros(rewards.shape)
    for i in range(rewards.shape[1]):
        later = next_values[-1, i]
        for t in range(len(rewards) - 1, -1, -1):
            if truncated[t, i]:
                later = next_values[t, i]
            if terminated[t, i]:
                later = 0.0
            later = wanted[t, i] = rewards[t, i] + gamma * later
    return wanted


def holds(arrays, gamma, **options):
    close(bootstrapped_returns(*tensors(*arrays), gamma), expected(*arrays, gamma), atol=1e-4, **options)


with check("several environments, ends of both kinds", weight=3, hint="Do ends in one column leave the other columns alone, and does each end have its own rule?"):
    for gamma in (0.9, 0.5):
        holds(batch(9, 5), gamma)
with check("terminated wins where both flags are set", weight=2, hint="A step that is terminated and truncated is terminated: nothing follows."):
    arrays = batch(8, 4)
    arrays[2] |= arrays[3] | (np.arange(8) == 3)[:, None]
    arrays[3] |= (np.arange(8) == 3)[:, None]
    holds(arrays, 0.5)
with check("a step that terminated at the last row", weight=2, hint="The last row bootstraps only where the episode did not terminate with it."):
    arrays = batch(6, 3, 0.0, 0.0)
    arrays[2][-1] = [True, False, True]
    arrays[3][-1] = [False, True, True]
    holds(arrays, 0.5)
with check("what comes before a truncated step sees its value", hint="Does the estimate travel back to the earlier steps of its episode, discounted once for each step?"):
    arrays = batch(7, 2, 0.0, 0.0)
    arrays[3][[2, 5], [0, 1]] = True
    holds(arrays, 0.5)
with check("the next episode does not leak into the one before", hint="The row after an end belongs to another episode."):
    arrays = batch(5, 2, 0.0, 0.0)
    arrays[2][2, 0] = arrays[3][2, 1] = True
    arrays[0][3:] = 1000.0
    holds(arrays, 1.0)
with check("gamma = 1", hint="Without a discount, rewards and bootstrap add up."):
    holds(batch(9, 3), 1.0)
with check("gamma = 0, with an array of ends", weight=0.5, hint="With gamma = 0 only the step's own reward is left."):
    holds(batch(9, 3), 0.0)
with check("fragments of one step, and one environment", hint="With T = 1 the first row is the last one. Keep the shape (T, N)."):
    for arrays in (batch(1, 4), batch(1, 1, 0.0, 1.0), batch(5, 1)):
        holds(arrays, 0.5)
with check("arguments by name", weight=0.5, hint="Keep the arguments' names."):
    arrays = batch(4, 2)
    names = ("rewards", "next_values", "terminated", "truncated")
    close(bootstrapped_returns(gamma=0.5, **dict(zip(names, tensors(*arrays)))), expected(*arrays, 0.5))
with check("the arguments are not changed", weight=0.5, hint="Work on a new tensor: the caller still needs the rewards, values and flags."):
    arrays = tensors(*batch(6, 2))
    after = check.evaluate("[bootstrapped_returns(*a, 0.5), [x + 0.0 for x in a]][1]", a=[x.clone() for x in arrays])
    for left, given in zip(after, arrays):
        close(left, given)
with check("a fragment of 2,000 steps", weight=2, hint="Is it fast enough, without recursion, and without dividing by a power of gamma?"):
    holds(batch(2000, 2, 0.0005, 0.0005), 0.99, rtol=1e-3)
    holds(batch(2000, 2, 0.01, 0.01), 0.5)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## 2. Generalised advantage estimation
#
# The advantage of an action is how much better it was than what the policy does on average. One step tells
# something about it, the *temporal-difference error*
#
# $$\delta_t = r_t + \gamma\,(1 - \text{terminated}_t)\,V(s_{t+1}) - V(s_t).$$
#
# It depends on a single reward, so it is hardly noisy, but all else in it is the critic's opinion: where the
# critic is wrong, $\delta_t$ is biased. The bootstrapped return minus $V(s_t)$ looks further ahead, with less
# bias and more noise. *Generalised advantage estimation* blends all horizons in between, with one number
# $\lambda$ between 0 and 1:
#
# $$A_t = \delta_t + \gamma\lambda\,(1 - \text{ended}_t)\,A_{t+1}, \qquad A_T = 0,$$
#
# where ended means terminated or truncated. Mind which flag stands where. The time limit does not stop the
# bootstrapping in $\delta_t$, but either end stops the sum: $A_{t+1}$ is then about another episode.
#
# *Difficulty 3 of 5, importance 5 of 5, about 25 minutes.*
#
# <details><summary>Hint</summary>
#
# All $\delta_t$ can be computed at once, without a loop. `~terminated` is true where the episode did not
# terminate, and can be multiplied with floats; `1 - terminated` raises an error for tensors of bools. Then
# go backwards through the rows.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "gae", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    """Generalised advantage estimates (Schulman et al., 2015) of N environments:

    delta_t = r_t + gamma (1 - terminated_t) next_values_t - values_t
    A_t = delta_t + gamma lam (1 - ended_t) A_{t+1},   A_T = 0,
    where ended = terminated or truncated.

    rewards, values, next_values : (T, N) float tensors; they are not changed
    terminated, truncated : (T, N) bool tensors
    gamma, lam : numbers between 0 and 1, both included

    Returns the (T, N) advantages.

    Example (T = 4, N = 1, gamma = lam = 0.5, the second step terminated): rewards
    1, 2, 3, 4, values all 2, next_values all 4 -> delta 1, 0, 3, 4 -> 1, 0, 4, 4
    """
    ### BEGIN SOLUTION
    deltas = rewards + gamma * ~terminated * next_values - values
    goes_on = ~(terminated | truncated)
    advantages, following = torch.empty_like(deltas), torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = advantages[t] = deltas[t] + gamma * lam * goes_on[t] * following
    return advantages
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_gae", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("gae", points=3)


def example(terminated=(), truncated=()):
    """Four steps of one environment, with ends at the given rows."""
    flags = torch.zeros(2, 4, 1, dtype=torch.bool)
    flags[0, list(terminated)], flags[1, list(truncated)] = True, True
    rewards = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    return rewards, torch.full((4, 1), 2.0), torch.full((4, 1), 4.0), *flags


with check(
    "without an end: a discounted sum of the temporal-difference errors",
    hint="All delta are r + 0.5 * 4 - 2 = r here, and A_t = delta_t + 0.25 A_{t+1}.",
):
    close(gae(*example(), 0.5, 0.5), [[1.75], [3.0], [4.0], [4.0]])
with check(
    "a terminated step is worth its reward minus its value",
    hint="No next value in its delta, and the sum begins anew behind it.",
):
    advantages = gae(*example(terminated=[1]), 0.5, 0.5)
    close(advantages, [[1.0], [0.0], [4.0], [4.0]])
with check(
    "a truncated step keeps its next value",
    hint="The time limit stops the sum over the steps, and not the bootstrapping.",
):
    advantages = gae(*example(truncated=[1]), 0.5, 0.5)
    close(advantages, [[1.5], [2.0], [4.0], [4.0]])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np

rng = check.rng()


def quarters(*shape):
    return rng.integers(-12, 13, size=shape) / 4 + 0.125  # exact in float32, and no zeros


def batch(n_steps, n_envs, p_terminated=0.2, p_truncated=0.2):
    """Random arguments up to gamma, as NumPy arrays; values and next_values are independent."""
    ends = [rng.random((n_steps, n_envs)) < p for p in (p_terminated, p_truncated)]
    return [*(quarters(n_steps, n_envs) for _ in range(3)), *ends]


def tensors(rewards, values, next_values, terminated, truncated):
    floats = [torch.tensor(x, dtype=torch.float32) for x in (rewards, values, next_values)]
    return *floats, torch.tensor(terminated), torch.tensor(truncated)


def expected(rewards, values, next_values, terminated, truncated, gamma, lam):
    deltas = np.where(terminated, rewards, rewards + gamma * next_values) - values
    wanted, following = np.zeros(rewards.shape), np.zeros(rewards.shape[1])
    for t in range(len(rewards) - 1, -1, -1):
        following[terminated[t] | truncated[t]] = 0.0
        following = wanted[t] = deltas[t] + gamma * lam * following
    return wanted


def holds(arrays, gamma, lam, **options):
    close(gae(*tensors(*arrays), gamma, lam), expected(*arrays, gamma, lam), atol=1e-4, **options)


with check("several environments, ends of both kinds", weight=3, hint="Do ends in one column leave the other columns alone, and has each place its own flag?"):
    holds(batch(9, 5), 0.9, 0.8)
    holds(batch(9, 5), 0.75, 0.5)
with check("gamma and lambda have different places", weight=2, hint="The next value is discounted by gamma alone, the next advantage by gamma times lambda."):
    holds(batch(6, 3, 0.1, 0.1), 0.5, 1.0)
    holds(batch(6, 3, 0.1, 0.1), 1.0, 0.5)
with check("both flags set on the same step", weight=2, hint="A step that is terminated and truncated is terminated: its delta has no next value."):
    arrays = batch(6, 3)
    arrays[3][3] = arrays[4][3] = True
    holds(arrays, 0.5, 0.5)
with check("ends at the last row", hint="After the last row the sum is zero; the last delta follows the same rule as any other."):
    arrays = batch(5, 4, 0.0, 0.0)
    arrays[3][-1] = [True, False, True, False]
    arrays[4][-1] = [False, True, True, False]
    holds(arrays, 0.5, 0.5)
with check("next_values is used, and not values shifted by a row", weight=2, hint="At an end, and in tests anywhere, next_values[t] is not values[t + 1]."):
    holds(batch(6, 2, 0.0, 0.5), 1.0, 0.5)
with check("the next episode does not leak into the one before", hint="The row after an end belongs to another episode, whichever end it was."):
    arrays = batch(5, 2, 0.0, 0.0)
    arrays[3][2, 0] = arrays[4][2, 1] = True
    arrays[0][3:] = 1000.0
    holds(arrays, 1.0, 1.0)
with check("lambda = 0 leaves the temporal-difference errors", hint="With lambda = 0 the advantage is delta."):
    holds(batch(7, 3), 0.5, 0.0)
with check("lambda = 1 and gamma = 1", hint="Both may be 1: all errors up to the episode's end are added."):
    holds(batch(7, 3), 1.0, 1.0)
with check("gamma = 0", hint="With gamma = 0 what is left is the reward minus the value."):
    holds(batch(7, 3), 0.0, 0.5)
with check("fragments of one step, and one environment", hint="With T = 1 the first row is the last one. Keep the shape (T, N)."):
    for arrays in (batch(1, 4), batch(1, 1, 0.0, 1.0), batch(5, 1)):
        holds(arrays, 0.5, 0.5)
with check("arguments by name", weight=0.5, hint="Keep the arguments' names."):
    arrays = batch(4, 2)
    names = ("rewards", "values", "next_values", "terminated", "truncated")
    close(gae(lam=0.25, gamma=0.5, **dict(zip(names, tensors(*arrays)))), expected(*arrays, 0.5, 0.25))
with check("the arguments are not changed", weight=0.5, hint="Work on a new tensor: the caller still needs the rewards, values and flags."):
    arrays = tensors(*batch(6, 2))
    after = check.evaluate("[gae(*a, 0.5, 0.5), [x + 0.0 for x in a]][1]", a=[x.clone() for x in arrays])
    for left, given in zip(after, arrays):
        close(left, given)
with check("a fragment of 2,000 steps", weight=2, hint="Is it fast enough, without recursion, and without dividing by a power of gamma?"):
    holds(batch(2000, 2, 0.0005, 0.0005), 0.99, 0.95, rtol=1e-3)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## 3. Importance weights
#
# The policy $\mu$ that collected the data and the policy $\pi$ that learns from it are often not the same:
# another process collected with a copy that is some updates old, or we pass over the same batch twice. An
# action that $\pi$ likes less than $\mu$ did occurs too often in the data, and its weight is the ratio
#
# $$\rho = \min\Big(\frac{\pi(a\mid s)}{\mu(a\mid s)},\ \rho_{\max}\Big).$$
#
# Without the bound one ratio of a hundred would rule a whole batch. With it the weighted mean is slightly
# biased and much less noisy. The weight says how much a sample counts; it is a *constant*, and no gradient
# may flow through it.
#
# *Difficulty 2 of 5, importance 3 of 5, about 10 minutes.*
#
# <details><summary>Hint</summary>
#
# A ratio of probabilities is the exponential of a difference of log-probabilities. A tensor's `detach()`
# gives the same numbers without their gradient, and `clamp(max=...)` bounds them.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "importance_weights", "locked": false, "schema_version": 3, "solution": true, "task": false}
def importance_weights(log_pi, log_mu, max_weight=1.0):
    """Truncated importance weights min(pi(a | s) / mu(a | s), max_weight), as constants.

    log_pi, log_mu : float tensors of one shape, the log-probabilities of the actions
        that were taken, under the policy that learns and the one that collected
    max_weight : the largest weight, greater than 0

    Returns a tensor of the same shape that no gradient flows through.

    Example (pi / mu): 0.2 / 0.4, 0.4 / 0.4, 0.8 / 0.4, 0 / 0.4 -> 0.5, 1, 1, 0,
    and with max_weight = 3 -> 0.5, 1, 2, 0
    """
    ### BEGIN SOLUTION
    return (log_pi - log_mu).detach().exp().clamp(max=max_weight)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_importance_weights", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("importance_weights", points=1)
pi, mu = torch.tensor([0.2, 0.4, 0.8, 0.1]), torch.tensor([0.4, 0.4, 0.4, 0.8])

with check(
    "the ratio of the probabilities, at most 1 unless told otherwise",
    hint="These are log-probabilities: their difference is the logarithm of pi / mu.",
):
    close(importance_weights(pi.log(), mu.log()), [0.5, 1.0, 1.0, 0.125])
with check(
    "another bound",
    hint="Is max_weight used, and is it the bound of the ratio itself?",
):
    weights = importance_weights(pi.log(), mu.log(), max_weight=3.0)
    close(weights, [0.5, 1.0, 2.0, 0.125])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np

rng = check.rng()


def log_probs(*shape):
    return np.log(rng.uniform(0.05, 0.95, size=shape))


def tensor(array):
    return torch.tensor(array, dtype=torch.float32)


WEIGHTS = "(lambda w: [w, float(getattr(w, 'requires_grad', False))])(importance_weights(*xs, max_weight))"
LEAVES = "(lambda xs: " + WEIGHTS + ")([x.detach().clone().requires_grad_(True) for x in (log_pi, log_mu)])"

with check("(T, N) log-probabilities, with the default bound", weight=2, hint="Is the weight pi / mu, and not mu / pi, and are weights above 1 cut off?"):
    pi, mu = log_probs(5, 4), log_probs(5, 4)
    close(importance_weights(tensor(pi), tensor(mu)), np.minimum(np.exp(pi - mu), 1))
with check("(B,) log-probabilities, with other bounds", weight=2, hint="The bound can be above or below 1, and it does not rescale the weights below it."):
    for bound in (0.5, 2.5, 20):
        pi, mu = log_probs(12), log_probs(12)
        close(importance_weights(tensor(pi), tensor(mu), bound), np.minimum(np.exp(pi - mu), bound))
with check("the same policy has weights of one", hint="pi / mu = 1 where the policies agree."):
    pi = tensor(log_probs(3, 2))
    close(importance_weights(pi, pi, 5.0), np.ones((3, 2)))
with check("they are constants, even if the log-probabilities require a gradient", weight=3, hint="No gradient may flow through the weights, neither to log_pi nor to log_mu: detach them."):
    pi, mu = log_probs(3, 2), log_probs(3, 2)
    weights, tracked = check.evaluate(LEAVES, log_pi=tensor(pi), log_mu=tensor(mu), max_weight=4.0)
    close(weights, np.minimum(np.exp(pi - mu), 4))
    close(tracked, 0)
with check("very small and very large ratios", hint="Form the difference of the logarithms first: probabilities may be too small for a computer."):
    pi, mu = tensor([-300.0, -0.5, -200.0, -np.inf]), tensor([-299.0, -90.0, -100.0, -1.0])
    close(importance_weights(pi, mu, 2.0), [np.exp(-1), 2.0, 0.0, 0.0])
with check("the arguments are not changed", weight=0.5, hint="Do not change log_pi or log_mu in place."):
    pi, mu = tensor(log_probs(4)), tensor(log_probs(4))
    after = check.evaluate("[importance_weights(*a), a][1]", a=[pi.clone(), mu.clone()])
    close(after[0], pi)
    close(after[1], mu)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## 4. Entropy
#
# The entropy of a policy says how undecided it is,
#
# $$\mathcal H(\pi(\cdot\mid s)) = -\sum_a \pi(a\mid s)\log\pi(a\mid s),$$
#
# $\log A$ when all $A$ actions are equally likely and 0 when one of them is certain. A small bonus for it in
# the objective keeps a policy from settling before it has seen enough.
#
# The formula has a trap. Where an action is forbidden, its logit is $-\infty$, its probability is 0 and the
# logarithm of it is $-\infty$. The term $0\log 0$ counts as 0, but a computer makes $0\cdot(-\infty)$ a NaN,
# and one NaN in a loss makes every parameter of the network a NaN.
#
# *Difficulty 3 of 5, importance 3 of 5, about 15 minutes.*
#
# <details><summary>Hint</summary>
#
# `log_softmax` over the last axis gives log-probabilities without overflow, its exponential the
# probabilities. Then keep the log-probabilities away from $-\infty$ before you multiply: any finite number
# will do there, since it meets a probability of 0. The smallest one is `torch.finfo(logits.dtype).min`.
# (Replacing the NaN afterwards repairs the value, but PyTorch still computes a NaN as its gradient.)
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "policy_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def policy_entropy(logits):
    """The entropy -sum_a p_a log p_a of p = softmax(logits), in nats, over the last axis.

    logits : (..., A) float tensor; entries of -inf (not all of a row) are actions of
        probability zero, which add nothing

    Returns a (...) tensor, differentiable in `logits`.

    Examples (logits -> entropy): (0, 0) -> 0.693;  (0, log 3) -> 0.562;
    (0, 0, -inf) -> 0.693;  (5, -inf) -> 0
    """
    ### BEGIN SOLUTION
    log_probs = logits.log_softmax(dim=-1)
    finite = log_probs.clamp(min=torch.finfo(log_probs.dtype).min)
    return -(log_probs.exp() * finite).sum(dim=-1)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_policy_entropy", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("policy_entropy", points=2)

with check(
    "equally likely actions have the entropy log A",
    hint="Minus the sum of p log p over the last axis, with the natural logarithm.",
):
    close(policy_entropy(torch.zeros(3, 2)), [0.693147, 0.693147, 0.693147])
    close(policy_entropy(torch.zeros(4)), 1.386294)
with check(
    "logits are not probabilities yet",
    hint="Take the softmax of the logits: (0, log 3) are the probabilities 1/4, 3/4.",
):
    close(policy_entropy(torch.tensor([[0.0, 1.098612]])), [0.562335])
with check(
    "a forbidden action adds nothing",
    hint="0 times log 0 counts as 0, but 0 * (-inf) is a NaN.",
):
    close(policy_entropy(torch.tensor([0.0, 0.0, -float("inf")])), 0.693147)

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np
from scipy.special import entr, softmax

rng = check.rng()
INF = float("inf")
GRADIENT = (
    "(lambda z: torch.autograd.grad((policy_entropy(z) * w).sum(), z)[0])"
    "(z.detach().clone().requires_grad_(True))"
)


def logits(*shape):
    return rng.normal(scale=2, size=shape)


def holds(z):
    z = np.asarray(z, dtype=float)
    close(policy_entropy(torch.tensor(z, dtype=torch.float32)), entr(softmax(z, axis=-1)).sum(axis=-1))


with check("a batch of random logits", weight=2, hint="The sum goes over the last axis only, and gives one number for each row."):
    holds(logits(6, 3))
with check("(T, N, A), and a single row", weight=2, hint="The sum goes over the last axis, however many there are before it."):
    holds(logits(4, 3, 5))
    holds(logits(4))
with check("a constant added to the logits changes nothing", hint="Is it softmax(logits) that gives the probabilities?"):
    holds(logits(3, 4) + [[5.0], [-7.0], [30.0]])
with check("logits of -inf", weight=3, hint="A probability of zero adds nothing to the entropy: no NaN, and no infinity."):
    z = logits(4, 5)
    z[0, 1] = z[1, [0, 4]] = z[2, :3] = -INF
    holds(z)
with check("only one action is left", weight=2, hint="A certain action has the entropy 0."):
    holds([[-INF, 3.0, -INF], [0.0, -INF, -INF]])
with check("logits far apart", hint="Use log_softmax: the logarithm of a softmax may be the logarithm of a zero."):
    holds([[0.0, 200.0, -300.0], [-120.0, 0.0, 0.0]])
with check("its gradient", weight=3, hint="It should be -p (log p + H). Is a part of it detached, or computed outside of PyTorch?"):
    z, w = logits(5, 3), rng.uniform(0.5, 2, size=5)
    p = softmax(z, axis=-1)
    entropy = entr(p).sum(axis=-1, keepdims=True)
    found = check.evaluate(GRADIENT, z=torch.tensor(z, dtype=torch.float32), w=torch.tensor(w, dtype=torch.float32))
    close(found, -w[:, None] * p * (np.log(p) + entropy), atol=1e-4)
with check("the logits are not changed", weight=0.5, hint="Do not change the logits in place: the caller samples from them."):
    z = torch.tensor([[1.0, -INF, 2.0], [0.5, 0.0, -1.0]])
    close(check.evaluate("[policy_entropy(z), z][1]", z=z.clone()), z)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## 5. The loss
#
# Three aims in one number, to be minimised:
#
# $$L = -\overline{\rho\,\log\pi\;\cdot\,(G - V)} \;+\; c_V\,\overline{(G - V)^2}
# \;-\; c_{\mathcal H}\,\overline{\mathcal H},$$
#
# where the bar is the mean over all steps and environments. The first part is the policy gradient with the
# advantage $G - V$ as its weight; the second teaches the critic to predict the returns; the third rewards
# entropy. What is a constant where decides what is learned:
#
# - in the first part the advantage is a weight and nothing else. If the gradient reached $V$ through it, the
#   critic would be told to make the good actions' advantages look large
# - the returns $G$ hold values of the critic too, by bootstrapping, and are the target of the second part.
#   If the gradient reached them, the critic could move the target instead of hitting it
# - $\rho$ is a weight as well
#
# *Difficulty 3 of 5, importance 5 of 5, about 20 minutes.*
#
# <details><summary>Hint</summary>
#
# `detach()` makes a constant of a tensor. Which of the two appearances of $V$ needs it? Detach `returns`
# and `rho` first, whoever passes them: whether they require a gradient is not for you to know.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "a2c_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def a2c_loss(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    """The loss of an advantage actor-critic, to be minimised:

    -mean(rho log_pi constant(returns - values)) + value_coef mean((returns - values)^2)
    - entropy_coef mean(entropy)

    log_pi, values, returns, entropy, rho : (T, N) float tensors: log-probabilities of
        the actions taken, the critic's values, their targets, the policy's entropies,
        importance weights. `returns` and `rho` are constants, even if they require a
        gradient.
    value_coef, entropy_coef : the weights of the second and the third part

    Returns a scalar, differentiable in `log_pi`, `values` and `entropy`.

    Example (T = N = 1): log_pi = -2, value 1, return 4, entropy 0.5, rho = 1
    -> 6 + 0.25 * 9 - 0.01 * 0.5 = 8.245
    """
    ### BEGIN SOLUTION
    errors = returns.detach() - values
    policy = -(rho.detach() * log_pi * errors.detach()).mean()
    return policy + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_a2c_loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import torch

check = Checks("a2c_loss", points=2)
log_pi, values = torch.tensor([[-2.0, -1.0]]), torch.tensor([[1.0, 3.0]])
returns, entropy = torch.tensor([[4.0, 2.0]]), torch.tensor([[0.5, 0.25]])
rho = torch.tensor([[1.0, 0.5]])

with check(
    "its value",
    hint="Three means: the first with a minus sign, the last as well.",
):
    close(a2c_loss(log_pi, values, returns, entropy, rho), 3.99625)
with check(
    "its gradient with respect to the values comes from the squared error alone",
    hint="In the policy's part the advantage is a constant: detach it there, "
    "and only there.",
):
    gradient = check.evaluate(
        "(lambda v: torch.autograd.grad("
        "a2c_loss(log_pi, v, returns, entropy, rho), v)[0])"
        "(values.clone().requires_grad_(True))",
        log_pi=log_pi, values=values, returns=returns, entropy=entropy, rho=rho,
    )
    close(gradient, [[-0.75, 0.25]])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np

rng = check.rng()
GRADIENTS = (
    "(lambda xs: [torch.zeros_like(x) if g is None else g for x, g in"
    " zip(xs, torch.autograd.grad(a2c_loss(*xs, *coefs), xs, allow_unused=True))])"
    "([x.detach().clone().requires_grad_(True) for x in xs])"
)


def batch(n_steps, n_envs):
    """log_pi, values, returns, entropy, rho, each (T, N); the last below and at 1."""
    shape = n_steps, n_envs
    values, returns = rng.normal(scale=3, size=shape), rng.normal(scale=3, size=shape)
    weights = np.minimum(rng.uniform(0.2, 1.4, size=shape), 1)
    return -rng.exponential(size=shape), values, returns, rng.uniform(0.1, 1.3, size=shape), weights


def tensors(arrays):
    return [torch.tensor(x, dtype=torch.float32) for x in arrays]


def expected(log_pi, values, returns, entropy, rho, value_coef=0.25, entropy_coef=0.01):
    errors = returns - values
    return -(rho * log_pi * errors).mean() + value_coef * (errors**2).mean() - entropy_coef * entropy.mean()


def gradients(arrays, *coefs):
    found = check.evaluate(GRADIENTS, xs=tensors(arrays), coefs=list(coefs))
    return [numbers(item) for item in found]


with check("its value, with the default weights", weight=2, hint="Is every part a mean over all steps and environments, with its own sign?"):
    for shape in [(5, 3), (2, 6)]:
        arrays = batch(*shape)
        close(a2c_loss(*tensors(arrays)), expected(*arrays))
with check("other weights of the parts", weight=2, hint="value_coef and entropy_coef are the weights of the second and the third part."):
    arrays = batch(4, 3)
    close(a2c_loss(*tensors(arrays), 0.5, 0.125), expected(*arrays, 0.5, 0.125))
    close(a2c_loss(*tensors(arrays), entropy_coef=2.0, value_coef=1.5), expected(*arrays, 1.5, 2.0))
with check("weights of zero switch the parts off", hint="A weight of 0 is a number like any other."):
    arrays = batch(4, 3)
    close(a2c_loss(*tensors(arrays), 0.0, 0.0), expected(*arrays, 0.0, 0.0))
    close(a2c_loss(*tensors(arrays), 0.0), expected(*arrays, 0.0))
with check("one step of one environment, as a scalar", hint="The result has no axes, whatever T and N."):
    arrays = batch(1, 1)
    close(a2c_loss(*tensors(arrays)), expected(*arrays))
arrays = batch(3, 4)
log_pi, values, returns, entropy, rho = arrays
with check("its gradient with respect to the log-probabilities", weight=2, hint="It should be -rho (returns - values) / (T N)."):
    close(gradients(arrays)[0], -rho * (returns - values) / 12)
with check("its gradient with respect to the values", weight=2, hint="It should be 2 value_coef (values - returns) / (T N): rho has no place in the critic's part, and the advantage in the policy's part is a constant."):
    close(gradients(arrays)[1], 0.5 * (values - returns) / 12)
    close(gradients(arrays, 1.0)[1], 2 * (values - returns) / 12)
with check("its gradient with respect to the entropy", hint="It should be -entropy_coef / (T N): more entropy is a smaller loss."):
    close(gradients(arrays, 0.25, 0.5)[3], np.full((3, 4), -0.5 / 12))
with check("returns and rho are constants, even if they require a gradient", weight=2, hint="Detach returns and rho: the target of the critic must not be moved, and a weight is only a weight."):
    found = gradients(arrays, 0.5, 0.1)
    close(found[0], -rho * (returns - values) / 12)
    close(found[2], np.zeros((3, 4)))
    close(found[4], np.zeros((3, 4)))
with check("the arguments are not changed", weight=0.5, hint="Do not change a tensor in place."):
    after = check.evaluate("[a2c_loss(*xs), xs][1]", xs=tensors(arrays))
    for left, given in zip(after, arrays):
        close(left, given)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## Training: a critic at work
#
# From here on everything is written for you, and everything runs on the five functions above. Nothing
# below is graded.
#
# **CartPole-v1** in short: the state holds the cart's position and velocity and the pole's angle and
# angular velocity. Action 0 pushes to the left, action 1 to the right. Every step earns a reward of 1. When
# the pole leans more than 12 degrees or the cart leaves the track, the episode is *terminated*. After 500
# steps the clock stops it: it is *truncated*, though the pole may well stand.
#
# The settings were chosen on the seeds 100 to 105; those reported below are others. The networks are so
# small that a GPU would only wait for the environments, so all of this runs on the CPU.

# %% tags=["training"]
import os
from collections import namedtuple

import gymnasium as gym
from IPython.display import Markdown, display
from tqdm import tqdm

from policy_gradients import video
from policy_gradients.curves import plot_learning_curves
from policy_gradients.episodes import make_environments, play, uniformly_random

# %% tags=["training"]
QUICK = "POLICY_GRADIENTS_QUICK" in os.environ  # set it to see that all cells run
SEEDS = range(1 if QUICK else 5)
MAX_STEPS = 20_480 if QUICK else 512_000
N_ENVS, N_STEPS = 16, 16  # fragments of 256 steps, one update for each
GAMMA, LAMBDA, LEARNING_RATE, ENTROPY_COEF = 0.99, 0.95, 3e-3, 1e-4
torch.set_num_threads(1)

# %% [markdown]
# ### Sixteen carts
#
# Gymnasium has a CartPole that steps $N$ carts at once in NumPy. What an agent gets to see of the four
# numbers is up to us (`seen`). A well-kept pole leans by a hundredth of a radian or two, which is next to
# nothing for a network whose weights begin near one; so the angle is multiplied by 20.
#
# One thing needs care. After an episode has ended, this environment resets *with the next step*, and
# that step ignores its action and pays nothing: a row of experience that never happened. We reset at once
# instead, so that each row is a real step. `step` returns what the step really led to, and
# `observations` holds what to act upon next. At an end the two differ.

# %% tags=["training"]
SCALE = np.array([1.0, 1.0, 20.0, 1.0], np.float32)


def look(states, seen):
    """(N, len(seen)) tensor: what an agent sees of the states (N, 4)."""
    return torch.from_numpy(states.astype(np.float32) * SCALE)[:, seen]

# %% tags=["training"]
class CartPoles:
    """CartPole-v1, n of them, each reset as soon as its episode has ended."""
    def __init__(self, n, seed, seen):
        self.envs = gym.make_vec(
            "CartPole-v1", n, vectorization_mode="vector_entry_point"
        ).unwrapped
        self.seen, self.running, self.finished = seen, np.zeros(n), []
        self.observations = look(self.envs.reset(seed=seed)[0], seen)

    def step(self, actions):
        """Rewards, terminated, truncated, and the observations led to."""
        states, *results, _ = self.envs.step(actions.numpy())
        rewards, terminated, truncated = results
        self._restart(terminated | truncated, rewards)
        self.observations = look(self.envs.state.T, self.seen)
        return *map(torch.from_numpy, results), look(states, self.seen)

    def _restart(self, ended, rewards):
        self.running += rewards
        self.finished += self.running[ended].tolist()  # the returns of episodes
        self.running[ended], self.envs.steps[ended] = 0, 0
        start = self.envs.np_random.uniform(-0.05, 0.05, size=(4, ended.sum()))
        self.envs.state[:, ended], self.envs.prev_done[:] = start, False

# %% [markdown]
# ### Two agents
#
# Both map an observation and a *memory* to logits, a value and a new memory. The first has no memory. The
# second is a gated recurrent unit: its memory of 64 numbers can hold what it has seen before. `unroll`
# computes logits and values of a whole fragment, so that gradients can flow; where an episode ended, the
# memory is wiped.

# %% tags=["training"]
class Memoryless(nn.Module):
    """Logits and values from the present observation alone."""
    memory_size = 0

    def __init__(self, n_seen):
        super().__init__()
        self.actor, self.critic = [
            nn.Sequential(
                nn.Linear(n_seen, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(),
                nn.Linear(64, n_outputs),
            )
            for n_outputs in (2, 1)
        ]

    def forward(self, observations, memory):
        return self.actor(observations), self.critic(observations)[..., 0], memory

    def unroll(self, fragment):
        return self(fragment.observations, None)[:2]

# %% tags=["training"]
class Recurrent(nn.Module):
    """Logits and values from a memory that each observation updates."""
    memory_size = 64

    def __init__(self, n_seen):
        super().__init__()
        self.cell = nn.GRUCell(n_seen, self.memory_size)
        self.actor, self.critic = [nn.Linear(self.memory_size, n) for n in (2, 1)]

    def forward(self, observations, memory):
        updated = self.cell(observations.flatten(0, -2), memory.flatten(0, -2))
        memory = updated.view(memory.shape)
        return self.actor(memory), self.critic(memory)[..., 0], memory

    def unroll(self, fragment):
        memory, memories = fragment.first_memory, []
        ended = fragment.terminated | fragment.truncated
        for observations, wipe in zip(fragment.observations, ended):
            memory = self.cell(observations, memory)
            memories.append(memory)
            memory = memory * ~wipe[:, None]
        memories = torch.stack(memories)
        return self.actor(memories), self.critic(memories)[..., 0]

# %% [markdown]
# ### Collecting a fragment
#
# Sixteen steps in sixteen environments, by sampling from the policy. With each step we keep what it led to
# and the memory it left: from these two the critic can say what `next_values` is, at an end as anywhere
# else. `log_mu` is the log-probability under the policy that collects.

# %% tags=["training"]
Fragment = namedtuple(  # T steps of N environments, and the memory before the first
    "Fragment",
    "observations actions log_mu next_memory "
    "rewards terminated truncated next_observations first_memory",
)

# %% tags=["training"]
def sample(logits, generator):
    """One action for each row of logits."""
    return torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]


def log_prob(logits, actions):
    """(...) log-probabilities of the actions (...), for logits (..., A)."""
    return logits.log_softmax(-1).gather(-1, actions[..., None])[..., 0]

# %% tags=["training"]
@torch.no_grad()
def collect(agent, carts, memory, generator):
    """A fragment, and the memory after it."""
    rows, first_memory = [], memory
    for _ in range(N_STEPS):
        observations = carts.observations
        logits, _, memory = agent(observations, memory)
        actions = sample(logits, generator)
        choice = observations, actions, log_prob(logits, actions), memory
        rewards, terminated, truncated, led_to = carts.step(actions)
        rows.append((*choice, rewards, terminated, truncated, led_to))
        memory = memory * ~(terminated | truncated)[:, None]
    return Fragment(*map(torch.stack, zip(*rows)), first_memory), memory

# %% [markdown]
# ### Your functions
#
# Rewards are multiplied by $1-\gamma$, so that values lie between 0 and 1 and the critic need not climb to
# 100 first. The target of the critic is $V + A$, the $\lambda$-return, so that `a2c_loss` finds your
# advantage when it forms $G - V$. Each fragment is used once, by the policy that collected it; then
# all importance weights are 1, and they begin to matter when you use a fragment twice.

# %% tags=["training"]
def loss_of(agent, fragment, lam=LAMBDA):
    """The actor-critic loss of a fragment, by the functions of this notebook."""
    logits, values = agent.unroll(fragment)
    with torch.no_grad():
        after = fragment.next_observations, fragment.next_memory
        next_values = agent(*after)[1]
        ends = fragment.terminated, fragment.truncated
        rewards = (1 - GAMMA) * fragment.rewards
        advantages = gae(rewards, values.detach(), next_values, *ends, GAMMA, lam)
        returns = values + torch.as_tensor(advantages)
    log_pi = log_prob(logits, fragment.actions)
    rho = torch.as_tensor(importance_weights(log_pi, fragment.log_mu))
    return a2c_loss(
        log_pi, values, returns, policy_entropy(logits), rho, entropy_coef=ENTROPY_COEF
    )

# %% [markdown]
# Two of your functions can be held against each other. With $\lambda = 1$ all temporal-difference errors up
# to the end of the episode or of the fragment are added, and the values in between cancel: what is left is
# the bootstrapped return minus the value.

# %% tags=["training"]
torch.manual_seed(0)
carts, agent = CartPoles(N_ENVS, 0, [0, 1, 2, 3]), Memoryless(4)
generator = torch.Generator().manual_seed(0)
fragment, _ = collect(agent, carts, torch.zeros(N_ENVS, 0), generator)
with torch.no_grad():
    values = agent.unroll(fragment)[1]
    next_values = agent(fragment.next_observations, None)[1]

# %% tags=["training"]
ends = fragment.terminated, fragment.truncated
summed = gae(fragment.rewards, values, next_values, *ends, GAMMA, 1.0)
returns = bootstrapped_returns(fragment.rewards, next_values, *ends, GAMMA)
difference = numbers(summed) + numbers(values) - numbers(returns)
print(f"{int(ends[0].sum())} steps terminated;",
      f"largest difference {abs(difference).max():.1e}")

# %% [markdown]
# ### When is it good enough?
#
# `evaluate` plays one episode in each of 100 new environments. The training stops when the
# latest episodes, and 100 more of the sampled and of the greedy policy, all reach a mean of 490. The
# episodes that are *reported* have other seeds: those that decided when to stop are chosen, and flatter.

# %% tags=["training"]
@torch.no_grad()
def evaluate(agent, seen, seed, greedy, n=100):
    """(n,) returns of n episodes, one in each environment."""
    carts, memory = CartPoles(n, seed, seen), torch.zeros(n, agent.memory_size)
    generator = torch.Generator().manual_seed(seed)
    returns, live = torch.zeros(n), torch.ones(n)
    while live.any():
        logits, _, memory = agent(carts.observations, memory)
        actions = logits.argmax(-1) if greedy else sample(logits, generator)
        rewards, terminated, truncated, _ = carts.step(actions)
        returns += live * rewards
        live *= ~(terminated | truncated)
    return returns.numpy()

# %% tags=["training"]
def is_balanced(agent, seen, latest, target=490):
    """Whether the latest episodes, the sampled and the greedy policy reach it."""
    return latest >= target and all(
        evaluate(agent, seen, 500, greedy).mean() >= target for greedy in (True, False)
    )

# %% [markdown]
# ### The training loop
#
# Collect, compute the loss, take a step of Adam, repeat; the step size falls to zero at the largest number
# of environment steps. The bar shows the mean return of the latest 50 episodes. Interrupt the kernel
# whenever you like: the run then ends with what it has learned so far.

# %% tags=["training"]
def train(make_agent, seen, seed):
    """The agent, and its curve: steps taken and mean return of recent episodes."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    agent, carts = make_agent(len(seen)), CartPoles(N_ENVS, seed, seen)
    optimiser = torch.optim.Adam(agent.parameters())
    memory, curve = torch.zeros(N_ENVS, agent.memory_size), []
    bar = tqdm(range(0, MAX_STEPS, N_ENVS * N_STEPS), desc=f"seed {seed}")
    try:
        for steps in bar:
            step_size = LEARNING_RATE * (1 - steps / MAX_STEPS)
            optimiser.param_groups[0]["lr"] = step_size
            fragment, memory = collect(agent, carts, memory, generator)
            loss = loss_of(agent, fragment)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if steps % 10_240 or not carts.finished:
                continue  # a look at every 40th update
            latest = np.mean(carts.finished[-50:])
            curve.append((steps + N_ENVS * N_STEPS, latest))
            bar.set_postfix({"return": f"{latest:.1f}"})
            if is_balanced(agent, seen, latest):
                break
    except KeyboardInterrupt:
        print(f"seed {seed}: interrupted")
    bar.close()
    return agent, np.array(curve)

# %% [markdown]
# ### CartPole-v1
#
# One run could be luck, so there are five, which differ in nothing but the seed.

# %% tags=["training"]
EVERYTHING = [0, 1, 2, 3]
runs = [train(Memoryless, EVERYTHING, seed) for seed in SEEDS]

# %% tags=["training"]
def cell(returns):
    return f"{returns.mean():.1f} ± {returns.std(ddof=1) / len(returns) ** 0.5:.1f}"

# %% tags=["training"]
def rows_of(name, runs, seen):
    """Rows of a table, and on how many seeds both policies reach the threshold."""
    rows, solved = [], 0
    for seed, (agent, curve) in zip(SEEDS, runs):
        sampled = evaluate(agent, seen, 1_000 + seed, greedy=False)
        greedy = evaluate(agent, seen, 2_000 + seed, greedy=True)
        solved += min(sampled.mean(), greedy.mean()) >= threshold
        row = name, str(seed), cell(sampled), cell(greedy), f"{int(curve[-1, 0]):,}"
        rows.append(f"| {' | '.join(row)} |")
    return rows, solved

# %% tags=["training"]
threshold = gym.spec("CartPole-v1").reward_threshold
environments = make_environments("CartPole-v1", 100)
random_returns = play(environments, uniformly_random(2, seed=0), seed=10_000).returns
HEAD = ["| agent | seed | sampled policy | greedy policy | training steps |",
        "|---|---|---|---|---|"]
BASELINE = [f"| random policy | | {cell(random_returns)} | | |"]
rows, solved = rows_of("memoryless", runs, EVERYTHING)
display(Markdown("\n".join(HEAD + rows + BASELINE)))
print(f"Both policies reach {threshold:.0f} on {solved} of {len(runs)} seeds.")

# %% [markdown]
# Mean return of 100 new episodes, plus or minus its standard error.

# %% tags=["training"] mystnb={"image": {"alt": "Mean return of recent episodes against environment steps on CartPole-v1, a thin line for each of five seeds, their mean and a band from the worst to the best. All rise from the level of the random policy, near 20, to above the reward threshold of 475."}}
figure, axis = plt.subplots()
plot_learning_curves(
    axis, [curve.T for _, curve in runs], "actor-critic",
    threshold, random_returns.mean(),
)

# %% [markdown]
# Each run stops when it has passed the tests, so the lines end at different steps; mean and band end with
# the shortest. Here is the agent of seed 0:

# %% tags=["training"]
def actor(agent, seen, seed=0):
    """For `video.record`: the sampled policy, with a memory of its own."""
    memory = torch.zeros(1, agent.memory_size)
    generator = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def act(states):
        nonlocal memory
        logits, _, memory = agent(look(states, seen), memory)
        return sample(logits, generator).numpy()

    return act

# %% tags=["training"]
environment = gym.make("CartPole-v1", render_mode="rgb_array")
pictures = video.record(environment, actor(runs[0][0], EVERYTHING), seed=7, every=3)
video.show(pictures, "The actor-critic of seed 0 in CartPole-v1, one episode.")

# %% [markdown]
# ## Without velocities
#
# Now we hide the velocities: the agent sees where the cart is and how the pole leans, and not how fast
# either moves. The same picture, a pole leaning a little to the right, then calls for a push to the right
# if the pole is falling, and for a push to the left if it is swinging up fast. One picture does not tell
# which. Two pictures do: the velocity is the difference.
#
# The memoryless agent can do nothing about that. The recurrent one can keep what it saw before, if it finds
# out that this is worth keeping: nobody tells it what to remember. Both learn with the same five functions
# and the same settings.

# %% tags=["training"]
POSITIONS = [0, 2]
remembering = [train(Recurrent, POSITIONS, seed) for seed in SEEDS[:3]]
forgetting = [train(Memoryless, POSITIONS, seed) for seed in SEEDS[:3]]

# %% tags=["training"]
recurrent_rows, recurrent_solved = rows_of("recurrent", remembering, POSITIONS)
memoryless_rows, memoryless_solved = rows_of("memoryless", forgetting, POSITIONS)
display(Markdown("\n".join(HEAD + recurrent_rows + memoryless_rows + BASELINE)))
print(f"Both policies reach {threshold:.0f} without velocities: recurrent on",
      f"{recurrent_solved}, memoryless on {memoryless_solved}",
      f"of {len(remembering)} seeds.")

# %% tags=["training"] mystnb={"image": {"alt": "Mean return of recent episodes against environment steps on CartPole-v1 without velocities. The recurrent agents rise to the reward threshold of 475 within some hundred thousand steps. The memoryless agents stay at a small fraction of it, above the random policy."}}
figure, axis = plt.subplots()
plot_learning_curves(axis, [curve.T for _, curve in remembering], "recurrent")
plot_learning_curves(
    axis, [curve.T for _, curve in forgetting], "memoryless",
    threshold, random_returns.mean(),
)

# %% [markdown]
# The recurrent agent of seed 0, with the velocities hidden:

# %% tags=["training"]
act = actor(remembering[0][0], POSITIONS)
pictures = video.record(environment, act, seed=7, every=3)
video.show(
    pictures,
    "The recurrent actor-critic of seed 0 balances the pole without seeing velocities.",
)

# %% [markdown]
# **Your turn.** Things to try, one at a time, with several seeds: `LAMBDA` of 0 and of 1; a memoryless agent
# that sees the present and the last observation; two updates for each fragment (print the importance
# weights of the second); treating the time limit as a failure, by passing `ends[0] | ends[1]` as
# `terminated`.

# %% [markdown]
# ## Hand in
#
# Restart the kernel, run all cells up to the training section once more, and check that every property
# above holds. Then save the notebook and submit the `.ipynb` file; the training need not run for the
# grading.
