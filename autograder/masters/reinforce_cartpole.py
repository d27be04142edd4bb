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
# # REINFORCE on CartPole
#
# A pole stands on a cart, and all you can do is push the cart left or right. In this assignment you
# write the four functions at the heart of REINFORCE, and then train a neural network with them until
# it balances the pole for as long as the environment allows.
#
# [Open in Colab]({{colab}})
#
# **After this assignment you can**
#
# - turn the rewards of an episode into rewards-to-go, for any discount
# - sample from a policy given by logits, reproducibly, with JAX's random keys
# - write the policy-gradient loss so that automatic differentiation gives the policy gradient
# - train a policy network on-policy, and judge it by several seeds against a baseline
#
# **Before you start**: the chapters
# [The policy gradient]({{repository}}/blob/main/chapters/policy_gradient.md) and
# [Reward-to-go and baselines]({{repository}}/blob/main/chapters/reward_to_go_and_baselines.md);
# Python functions, NumPy arrays. No JAX is assumed beyond what is explained here.
#
# **Time**: 1 to 2 hours for the four functions and one question, some minutes of training.
#
# **How it works**: fill in each function where it says `NotImplementedError`, then run the cell below
# it. That cell lists the properties your function has to have, and says which of them hold. The
# grader checks these and some more, on other inputs. Every property earns its share of the points, so
# a function that is right except for one case still counts. The last exercise asks for words instead of
# code, and a person reads them.

# %% [markdown]
# ## Setup
#
# In Colab the next cell installs what is missing; elsewhere it does nothing. Tested with the package versions of
# Colab's runtime of {{colab_runtime}}.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
{{setup("dm-haiku", "box2d")}}

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import haiku as hk
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from policy_gradients.checks import Checks, close, numbers
from policy_gradients.plotting import use_course_style

use_course_style()

# %% [markdown]
# JAX in a few sentences, enough for this notebook. `jnp` is NumPy, with functions that can be
# differentiated (`jax.grad`), compiled (`jax.jit`) and applied to a whole batch (`jax.vmap`). To do
# that, JAX runs your function once with stand-ins for the numbers, so whatever leaves JAX on the way
# (`float(x)`, `math.log(x)`, `np.log(x)`, `if x > 0`) stops it. And randomness is explicit: a random
# function takes a *key*, the same key always gives the same draw, and new keys come from
# `jax.random.split`.

# %% [markdown]
# ## 1. The weighted log-probability
#
# The policy gradient is an expectation over trajectories,
#
# $$\nabla_\theta J(\theta) = \mathbb E_{\tau\sim\pi_\theta}\Big[\sum_{t=0}^{T-1}
# \psi_t\,\nabla_\theta \log \pi_\theta(a_t\mid s_t)\Big],$$
#
# and each of its terms is the gradient of one simple quantity: the logarithm of the probability of the
# action that was taken, times the weight $\psi_t$ of that step. With the return $G$ as the weight,
# actions of good episodes become more likely and those of bad ones less. So we begin with
# $G \log p$ for a single action.
#
# *Difficulty 1 of 5, importance 3 of 5, about 5 minutes.*
#
# <details><summary>Hint</summary>
#
# `jnp.log` is the natural logarithm. `math.log` gives the same number, but JAX cannot differentiate it.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "compute_weighted_log_prob", "locked": false, "schema_version": 3, "solution": true, "task": false}
def compute_weighted_log_prob(action_prob, episode_return):
    """The log-probability of one action, weighted by the return: G log p.

    action_prob : scalar p, the probability the policy gave to the action, 0 < p <= 1
    episode_return : scalar G, of any sign

    Returns a scalar that JAX can differentiate with respect to `action_prob`.

    Examples (p, G -> result):
    0.5, 1 -> -0.693;  0.5, -2 -> 1.386;  0.8, 100 -> -22.314;  1, 7 -> 0
    """
    ### BEGIN SOLUTION
    return episode_return * jnp.log(action_prob)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_compute_weighted_log_prob", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("compute_weighted_log_prob", points=2)

with check(
    "p = 0.8 with a return of 100",
    hint="It should be 100 log 0.8, with the natural logarithm.",
):
    close(compute_weighted_log_prob(0.8, 100.0), -22.314355)
with check(
    "a negative return makes the result positive",
    hint="Is the sign of the return kept?",
):
    close(compute_weighted_log_prob(0.5, -2.0), 1.386294)
with check(
    "JAX can differentiate it",
    hint="jax.grad follows jnp.log, but not math.log, np.log or float(...).",
):
    close(check.evaluate("jax.grad(compute_weighted_log_prob)(0.8, 100.0)"), 125.0)

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np

rng = check.rng()
probs = rng.uniform(0.05, 0.95, size=8).tolist()
returns = rng.uniform(-9.75, 9.75, size=8).tolist()

with check("other probabilities and returns, fractions included", weight=2,
           hint="Is it the return times the natural logarithm of the probability, with nothing cut off or rounded?"):
    for p, g in zip(probs, returns):
        close(compute_weighted_log_prob(p, g), g * np.log(p))
with check("an action that was certain weighs nothing", hint="log 1 = 0, whatever the return."):
    close(compute_weighted_log_prob(1.0, 3.0), 0.0)
with check("a return of zero", hint="The result is zero, whatever the probability."):
    close(compute_weighted_log_prob(probs[0], 0.0), 0.0)
with check("an unlikely action", hint="The logarithm of a small probability is a large negative number: do not cut it off."):
    close(compute_weighted_log_prob(0.002, 2.5), 2.5 * np.log(0.002))
with check("the return of a long episode", hint="Multiply by the return outside of the logarithm: p to the power of 500 is zero to a computer."):
    close(compute_weighted_log_prob(0.3, 500.0), 500 * np.log(0.3))
with check("NumPy and JAX scalars, in float32", hint="Do you rely on Python's float?"):
    p, g = np.float32(0.25), np.float32(-1.5)
    close(compute_weighted_log_prob(p, g), 1.5 * np.log(4))
    close(check.evaluate("compute_weighted_log_prob(jnp.asarray(p), jnp.asarray(g))", p=p, g=g), 1.5 * np.log(4))
with check("the gradient is G / p", weight=2,
           hint="The gradient of G log p with respect to p is G / p. Is something kept out of the gradient?"):
    for p, g in zip(probs, returns):
        close(check.evaluate("jax.grad(compute_weighted_log_prob)(p, g)", p=p, g=g), g / p)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## 2. Returns, step by step
#
# An action cannot change the rewards that came before it. So its weight need only hold the rewards
# from its own step on, the *reward-to-go*, which has the same expectation in the gradient and less
# variance. The discount $\gamma$ decides how much a later reward counts.
#
# $$G_t = \sum_{k=t}^{T-1} \gamma^{\,k-t}\, r_k$$
#
# *Difficulty 2 of 5, importance 5 of 5, about 15 minutes.*
#
# <details><summary>Hint</summary>
#
# $G_t$ and $G_{t+1}$ have nearly all their terms in common. Write $G_t$ with $G_{t+1}$, and go through
# the episode from its end. The sum as it stands is right as well, but for an episode of 1,000 steps
# it takes half a million additions instead of a thousand.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "compute_returns", "locked": false, "schema_version": 3, "solution": true, "task": false}
def compute_returns(rewards, gamma=0.99):
    """The discounted rewards-to-go of one episode:
    G_t = r_t + gamma r_{t+1} + gamma^2 r_{t+2} + ...

    rewards : the T rewards of an episode, a list, tuple or array; it is not changed.
        T may be 0.
    gamma : the discount, between 0 and 1, both included

    Returns G_0, ..., G_{T-1}: a list or an array of length T.

    Example: compute_returns([1, 2, 3, 4], gamma=1) -> [10, 9, 7, 4]
    """
    ### BEGIN SOLUTION
    returns = np.zeros(len(rewards))
    following = 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_compute_returns", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
check = Checks("compute_returns", points=3)

with check(
    "gamma = 1 adds up the rewards from t on",
    hint="Each entry holds its own reward and all later ones, none of the earlier.",
):
    close(compute_returns([1, 2, 3, 4], gamma=1), [10, 9, 7, 4])
with check(
    "gamma = 0 leaves the rewards as they are",
    hint="With gamma = 0 only the step's own reward is left.",
):
    close(compute_returns([1, 2, 3, 4], gamma=0), [1, 2, 3, 4])
with check(
    "the default discount is 0.99",
    hint="A reward k steps later counts gamma to the power of k.",
):
    close(compute_returns([1, 2, 3, 4]), [9.801496, 8.8904, 6.96, 4.0])
with check(
    "an episode of one step, and one of none",
    hint="An empty episode has an empty sequence of returns.",
):
    close(compute_returns([5.0]), [5.0])
    close(compute_returns([]), [])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np


def expected(rewards, gamma):
    following, backwards = 0.0, []
    for reward in np.asarray(rewards, dtype=np.float64)[::-1]:
        following = gamma * following + reward
        backwards.append(following)
    return backwards[::-1]


rng = check.rng()
rewards = [tuple(row) for row in (rng.integers(-15, 16, size=(3, 9)) / 4 + 0.125).tolist()]  # exact in float32
whole = tuple(rng.integers(1, 9, size=9).tolist())

with check("random rewards, several discounts", weight=3, hint="Is each reward discounted by its distance from t, and not from the start or the end?"):
    for episode, gamma in zip(rewards, [0.9, 0.5, 0.25]):
        close(compute_returns(list(episode), gamma), expected(episode, gamma), atol=1e-4)
with check("gamma = 1 on other rewards", hint="Without a discount the sums must be exact."):
    close(compute_returns(list(rewards[0]), 1.0), expected(rewards[0], 1.0), atol=1e-4)
with check("gamma = 0 on other rewards", hint="Is a discount of zero treated like any other number? Do you divide by a power of it?"):
    close(compute_returns(list(rewards[1]), gamma=0.0), rewards[1])
with check("the default discount on other rewards", hint="The default of gamma is 0.99, and no other value may be fixed in the function."):
    close(compute_returns(list(rewards[2])), expected(rewards[2], 0.99), atol=1e-4)
with check("one reward at the end of the episode", hint="Does a late reward reach the first steps, and do steps without reward count?"):
    close(compute_returns([0, 0, 0, 0, 0, 0, 0, 0, 1], 0.5), [2.0 ** (t - 8) for t in range(9)])
with check("integer rewards give fractional returns", hint="An array of integers cannot hold fractions: which dtype has your result?"):
    close(compute_returns(np.array(whole), 0.7), expected(whole, 0.7), atol=1e-4)
    close(compute_returns(list(whole), 0.7), expected(whole, 0.7), atol=1e-4)
with check("rewards in a tuple", hint="Do you use something that only lists have?"):
    close(compute_returns(rewards[0], 0.9), expected(rewards[0], 0.9), atol=1e-4)
with check("rewards in NumPy and JAX arrays, float32 and float64", hint="Do you use something that only lists have, such as `if rewards:` or `rewards.pop()`?"):
    for dtype in [np.float32, np.float64]:
        close(compute_returns(np.array(rewards[1], dtype), 0.9), expected(rewards[1], 0.9), atol=1e-4)
    close(check.evaluate("compute_returns(jnp.asarray(r), 0.9)", r=list(rewards[1])), expected(rewards[1], 0.9), atol=1e-4)
with check("the argument is not changed", hint="Work on a new sequence: the caller still needs the rewards."):
    close(check.evaluate("[compute_returns(r, 0.5), r][1]", r=list(rewards[0])), rewards[0])
    close(check.evaluate("[compute_returns(r, 0.5), r][1]", r=np.array(rewards[0])), rewards[0])
with check("one call does not remember another", hint="Is a list shared between calls, for example as a default argument?"):
    close(compute_returns([1.0, 2.0], 0.5), [2.0, 2.0])
    close(compute_returns([1.0, 2.0], 0.5), [2.0, 2.0])
with check("an episode of 2,000 steps", weight=2, hint="Is it fast enough for long episodes, without recursion, and without dividing by a power of gamma?"):
    episode = tuple((rng.integers(-8, 9, size=2000) / 4).tolist())
    close(compute_returns(list(episode)), expected(episode, 0.99), atol=1e-3)
    close(compute_returns(list(episode), 0.5), expected(episode, 0.5), atol=1e-3)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## 3. Sampling an action
#
# The policy network answers an observation with one number per action, the *logits* $z$. They stand
# for the probabilities
#
# $$\pi_\theta(a\mid s) = \frac{e^{z_a}}{\sum_{a'} e^{z_{a'}}}.$$
#
# REINFORCE needs actions *drawn* from this distribution: always taking the likeliest action would
# explore nothing, and the expectation in the policy gradient is over drawn actions.
#
# *Difficulty 2 of 5, importance 4 of 5, about 10 minutes.*
#
# <details><summary>Hint</summary>
#
# Look up `jax.random.categorical`, and check whether it wants probabilities or logits. There are other
# ways (`jax.random.choice`, the Gumbel maximum); all are right that draw from this distribution and
# depend on nothing but the key and the logits.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "sample_action", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_action(random_key, logits):
    """Draw one action from the categorical distribution with these logits.

    random_key : a JAX random key; the same key gives the same action
    logits : (A,) floats, one per action;
        P(action = a) = exp(logits[a]) / sum of exp(logits)

    Returns the action, a single integer in 0..A-1.

    Example: for logits (0, log 3, 0, 0) about half of many draws, with a key each,
    are 1, and 0, 2 and 3 come up in a sixth of them each.
    """
    ### BEGIN SOLUTION
    return jax.random.categorical(random_key, logits)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_sample_action", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import jax
import jax.numpy as jnp
import numpy as np

check = Checks("sample_action", points=2)

with check(
    "it returns one integer",
    hint="A single integer such as 1: no float, no one-hot vector, no list.",
    weight=0.5,
):
    action = sample_action(jax.random.PRNGKey(0), jnp.array([1.0, 2.0]))
    assert np.asarray(action).shape == () and np.asarray(action).dtype.kind in "iu", (
        "That is not an integer."
    )
with check(
    "the same key gives the same action",
    hint="Does all randomness come from `random_key`?",
    weight=0.5,
):
    first, second = [
        check.evaluate(
            "[int(sample_action(jax.random.PRNGKey(seed), jnp.zeros(2)))"
            " for seed in range(20)]"
        )
        for _ in range(2)
    ]
    assert first == second, "It returned different actions for the same key."
with check(
    "log-odds of 2: action 1 in 88 % of the draws",
    hint="Are these logits, and not probabilities? Are they scaled?",
):
    actions = check.evaluate(
        "[int(sample_action(jax.random.PRNGKey(seed), jnp.array([-1.0, 1.0])))"
        " for seed in range(150)]"
    )
    close(
        np.mean(actions), 0.88, rtol=0, atol=0.11,
        what="Over 150 keys the mean of the actions was",
    )

### BEGIN HIDDEN TESTS
check.hide()
from scipy.stats import binom

rng = check.rng()


def random_keys(n):
    return rng.integers(2**32, size=(n, 2), dtype=np.uint32)


def draw(logits, keys):
    """One action per key, as the function returns them."""
    one_by_one = "[sample_action(key, z) for z in [jnp.asarray(logits)] for key in map(jnp.asarray, keys)]"
    return check.evaluate(one_by_one, logits=np.array(logits, np.float32), keys=keys)


def draw_many(logits):
    """20,000 actions where jax.vmap can follow the function, else 500."""
    batched = "jax.vmap(lambda key: sample_action(key, jnp.asarray(logits)))(jnp.asarray(keys))"
    try:
        return check.evaluate(batched, logits=np.array(logits, np.float32), keys=random_keys(20_000))
    except Exception as error:
        if getattr(error, "kind", "error") != "error":
            raise
    return draw(logits, random_keys(500))


def assert_drawn_from(logits):
    """Each action's count lies in an exact binomial interval: a right sampler fails with probability < 1e-6."""
    actions = numbers(draw_many(logits))
    assert actions.ndim == 1 and len(actions) >= 500  # one for each key: no draws are no sample
    assert np.isin(actions, np.arange(len(logits))).all()
    counts = np.bincount(actions.astype(int), minlength=len(logits))
    p = np.exp(logits) / np.exp(logits).sum()
    tail = np.minimum(binom.cdf(counts, len(actions), p), binom.sf(counts - 1, len(actions), p))
    assert (tail > 0.5e-6 / len(logits)).all()


with check("two actions come up as often as they should", weight=3, hint="Draw from softmax(logits) itself: not the likeliest action, not uniformly, no extra scale or softmax."):
    assert_drawn_from(rng.permutation([0.0, 2.5]))
with check("four actions come up as often as they should", weight=3, hint="Does it work for more than two actions, numbered from 0, and for negative logits?"):
    assert_drawn_from(rng.permutation([-2.0, -0.5, 1.0, 2.0]))
with check("every action comes up, the first and the last as well", weight=2, hint="Can every action come up, equally likely ones equally often, and no other number?"):
    assert_drawn_from([1.0, 0.0, 0.0, 1.0])
    assert_drawn_from([0.0, -1.0, -1.0, 0.5])
with check("a constant added to all logits changes nothing", hint="Only differences of logits matter: is there a normalisation other than the softmax?"):
    assert_drawn_from(rng.permutation([4.0, 6.0, 5.0, 5.0]))
with check("an action that is far ahead is taken nearly always", hint="Is there extra exploration, or a limit on the logits?"):
    assert_drawn_from(rng.permutation([0.0, 0.0, 14.0, 0.0]))
with check("consecutive seeds give different actions", hint="Is the key used as it is, all of it?"):
    keys = np.stack([np.zeros(40, np.uint32), np.arange(40, dtype=np.uint32)], axis=1)  # PRNGKey(0), ..., PRNGKey(39)
    assert len(set(numbers(draw([0.0, 0.0], keys)))) == 2
with check("the same key gives the same action, again and again", hint="Does all randomness come from `random_key`?"):
    keys = random_keys(40)
    close(draw(np.zeros(4), keys), draw(np.zeros(4), keys))
with check("a single integer for any number of actions", hint="A single integer: no float, no array of length one."):
    for n_actions in [2, 4]:
        action = np.asarray(draw(np.zeros(n_actions), random_keys(1))[0])
        assert action.shape == () and action.dtype.kind in "iu"
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## 4. The policy-gradient loss
#
# Optimisers go downhill, and we want to go up: so the loss is *minus* the weighted log-probability,
#
# $$L(\theta) = -\,G_t\,\log\pi_\theta(a_t\mid s_t), \qquad
# \nabla_\theta L = -\,G_t\,\nabla_\theta\log\pi_\theta(a_t\mid s_t).$$
#
# Written for a single step, it becomes the loss of a batch by `jax.vmap`. Its value says nothing about
# how good the policy is; only its gradient has a meaning.
#
# *Difficulty 3 of 5, importance 5 of 5, about 15 minutes.*
#
# <details><summary>Hint</summary>
#
# Softmax of the logits, the entry of the action, then the function of exercise 1 with a minus sign. Or
# `jax.nn.log_softmax`, which is more exact where a probability is tiny. The gradient with respect to
# the logits should be $-G\,(\mathrm{onehot}(a) - \mathrm{softmax}(z))$: check it on paper for two
# actions.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "policy_gradient_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def policy_gradient_loss(action, logits, returns):
    """The loss whose gradient is minus the policy gradient's term of one step:
    -G log pi(a | s).

    action : integer scalar a in 0..A-1
    logits : (A,) floats, of which the softmax gives the policy's probabilities
    returns : scalar, the return or another weight of this step

    Returns a scalar, usable under jax.grad (with respect to `logits`), jax.vmap and
    jax.jit.

    Example: action 1, logits (1, 2), returns 10 -> 3.133, and the gradient with respect
    to the logits is (2.689, -2.689): a step downhill makes action 1 more likely.
    """
    ### BEGIN SOLUTION
    action_prob = jax.nn.softmax(logits)[action]
    return -compute_weighted_log_prob(action_prob, returns)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_policy_gradient_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import jax.numpy as jnp

check = Checks("policy_gradient_loss", points=3)

with check(
    "its value for action 1, logits (1, 2) and a return of 10",
    hint="Minus the return times the log of the action's softmax probability. "
    "Is the sign right?",
):
    close(policy_gradient_loss(1, jnp.array([1.0, 2.0]), 10.0), 3.132617)
with check(
    "its value with four actions",
    hint="Is the probability of the action taken the one that counts, "
    "for any number of actions?",
):
    close(policy_gradient_loss(3, jnp.zeros(4), 1.0), 1.386294)
with check(
    "its gradient with respect to the logits",
    hint="Does everything between the logits and the loss stay in JAX?",
):
    gradient = check.evaluate(
        "jax.grad(policy_gradient_loss, argnums=1)(1, jnp.zeros(4), 2.0)"
    )
    close(gradient, [0.5, -1.5, 0.5, 0.5])
with check(
    "it works on a batch by jax.vmap",
    hint="Use only jnp functions, no int(...), float(...) or `if` on the arguments.",
):
    batch = check.evaluate(
        "jax.jit(jax.vmap(policy_gradient_loss))"
        "(jnp.array([0, 3, 1, 1]), jnp.zeros((4, 4)), jnp.array([1.0, -1.0, 2.0, 0.5]))"
    )
    close(batch, [1.386294, -1.386294, 2.772589, 0.693147])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np
from scipy.special import log_softmax, softmax

rng = check.rng()


def steps(n_actions):
    """(B,) actions, each of them once, (B, A) logits, (B,) returns of both signs."""
    logits = rng.uniform(-2, 2, size=(n_actions, n_actions)).astype(np.float32)
    returns = rng.uniform(0.25, 25, size=n_actions) * np.where(np.arange(n_actions) % 2, -1, 1)
    return rng.permutation(n_actions).astype(np.int32), logits, returns.astype(np.float32)


def losses(actions, logits, returns):
    return -returns * log_softmax(logits.astype(float), axis=-1)[np.arange(len(actions)), actions]


def gradients(actions, logits, returns):
    return -returns[:, None] * (np.eye(logits.shape[1])[actions] - softmax(logits.astype(float), axis=-1))


ONE = "policy_gradient_loss(a, jnp.asarray(z), g)"
GRAD = "jax.grad(policy_gradient_loss, argnums=1)"

for n_actions, words in [(2, "two actions"), (4, "four actions")]:
    with check(f"its value with {words}", weight=2, hint="Minus the return times the log of the softmax probability of the action, for every action and both signs of the return."):
        batch = steps(n_actions)
        for (a, z, g), loss in zip(zip(*batch), losses(*batch)):
            close(check.evaluate(ONE, a=int(a), z=z, g=float(g)), loss, atol=1e-4)
with check("returns of zero, fractions, and several hundreds", hint="Is the return kept as it is: not cut off, rounded or scaled?"):
    z = np.array([0.5, -0.5, 0.0, 1.0], np.float32)
    for g in [0.0, 0.5, -0.75, 480.5, -480.5]:
        close(check.evaluate(ONE, a=2, z=z, g=g), -g * log_softmax(z.astype(float))[2], atol=1e-4)
with check("a constant added to all logits changes nothing", hint="Is it the softmax that turns the logits into probabilities?"):
    close(check.evaluate(ONE, a=0, z=np.array([3.0, 4.0, 5.0, 6.0], np.float32), g=2.0), 6.880380, atol=1e-4)
with check("NumPy arguments", hint="Take the entry of the action from the result of a jnp function."):
    close(policy_gradient_loss(np.int32(1), np.array([1.0, 2.0], np.float32), np.float32(10)), 3.132617)
with check("its gradient, for every action and both signs of the return", weight=3, hint="It should be -returns * (onehot(action) - softmax(logits)). Is something kept out of the gradient?"):
    batch = steps(4)
    rows = [check.evaluate(GRAD + "(a, jnp.asarray(z), g)", a=int(a), z=z, g=float(g)) for a, z, g in zip(*batch)]
    close(rows, gradients(*batch), atol=1e-4)
with check("a batch by jax.vmap", weight=2, hint="Under vmap the arguments are those of one step: one action, one row of logits, one return."):
    a, z, g = batch = steps(4)
    close(check.evaluate("jax.jit(jax.vmap(policy_gradient_loss))(jnp.asarray(a), jnp.asarray(z), jnp.asarray(g))", a=a, z=z, g=g), losses(*batch), atol=1e-4)
with check("compiled by jax.jit", hint="Under jit the action is not known beforehand: no int(...), no `if`."):
    close(check.evaluate("jax.jit(policy_gradient_loss)(a, jnp.asarray(z), g)", a=int(a[0]), z=z[0], g=float(g[0])), losses(*batch)[0], atol=1e-4)
with check("gradients of a batch", hint="Does it stay in JAX from the logits to the loss?"):
    close(check.evaluate(f"jax.jit(jax.vmap({GRAD}))(jnp.asarray(a), jnp.asarray(z), jnp.asarray(g))", a=a, z=z, g=g), gradients(*batch), atol=1e-4)
### END HIDDEN TESTS
check.score()

# %% [markdown]
# ## 5. Old episodes, in your own words
#
# After every update the training below throws its episodes away and plays new ones with the new policy.
# A friend finds that wasteful. Her memory keeps the last 10 batches, and every update averages the same
# loss over all of them: "ten times the data, a tenth of the variance".
#
# Explain in three to five sentences:
#
# - Over which episodes is the expectation in the policy gradient taken, and which episodes does the friend
#   average over?
# - What goes wrong with an action that an old policy took often and the present one would hardly ever take?
# - What would the friend have to do to each old term for its mean to be right again?
#
# *Difficulty 3 of 5, importance 5 of 5, about 10 minutes, 2 points, read by a person.*
#
# <details><summary>Hint</summary>
#
# Write the expectation as a sum over actions, with the probability of each. Which policy's probability
# stands in front of each term if the action was drawn by an old policy $\mu$?
#
# </details>

# %% [markdown] nbgrader={"grade": true, "grade_id": "why_on_policy", "locked": false, "points": 2, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# The expectation in the policy gradient is over episodes of the present policy $\pi_\theta$; nine of the
# friend's ten batches were drawn by older policies $\mu$, with other parameters. Her average is still an
# average of $\psi_t \nabla_\theta \log \pi_\theta(a_t \mid s_t)$, but actions and states occur in it as often
# as under $\mu$, so its mean is not the gradient of $J(\theta)$, and more data only estimate the wrong thing
# more precisely. An action that $\mu$ took often and $\pi_\theta$ hardly ever takes is counted far too often,
# and because its probability is small, its $\nabla_\theta \log \pi_\theta$ can be large: the update is ruled by
# what the agent no longer does, with weights that were earned by another policy's behaviour. To repair the
# mean, each old term would have to be multiplied by the ratio of the probabilities of its episode under
# $\pi_\theta$ and under $\mu$, the importance weight, whose own variance is large when the two differ much.
#
# *Points.* Half a point for naming both distributions: episodes of the present policy against a mixture of
# old ones. Half a point for the consequence: the mean is no longer the gradient of $J$ at the present
# parameters (biased), which more data do not cure. Half a point for the action: it counts as often as the old
# policy took it. Half a point for the remedy: the ratio of the probabilities $\pi_\theta / \mu$; the product
# over the steps need not be written down.
# ### END SOLUTION

# %% [markdown]
# ## Training: your functions balance the pole
#
# From here on everything is written for you, and everything runs on the four functions above. Nothing
# below is graded.
#
# **CartPole-v1** in short: an observation holds the cart's position and velocity and the pole's angle and
# angular velocity. Action 0 pushes to the left, action 1 to the right. Every step earns a reward of 1. When
# the pole leans more than 12 degrees or the cart leaves the track, the episode is *terminated*: the task
# itself has ended, and no reward can follow. After 500 steps the clock stops the episode: it is
# *truncated*, though the pole may well stand. The two are different facts, so they are kept apart.

# %% tags=["training"]
import os

import gymnasium as gym
from IPython.display import Markdown, display
from tqdm import tqdm

from policy_gradients import cartpole, video
from policy_gradients.curves import plot_learning_curves
from policy_gradients.episodes import make_environments, play, uniformly_random

# %% tags=["training"]
GAMMA = 0.99
N_EPISODES = 32  # complete episodes in a batch, one batch for each update
QUICK = "POLICY_GRADIENTS_QUICK" in os.environ  # a look at the code, not at results
SEEDS = range(1 if QUICK else 5)
MAX_STEPS = 5_000 if QUICK else 1_000_000  # environment steps of a run, at most
print(f"JAX computes on: {jax.devices()[0].device_kind} ({jax.default_backend()})")

# %% [markdown]
# ### The policy network
#
# [Haiku](https://dm-haiku.readthedocs.io) turns a function that builds a network into two pure functions:
# `init` makes random parameters, `apply` computes the output for given parameters. Ours is a small
# multilayer perceptron from an observation to logits.

# %% tags=["training"]
def make_policy(n_actions, hidden):
    """A network from observations (..., D) to logits (..., n_actions)."""
    def network(observations):
        return hk.nets.MLP([*hidden, n_actions], activation=jnp.tanh)(observations)

    return hk.without_apply_rng(hk.transform(network))

# %% tags=["training"]
policy = make_policy(cartpole.N_ACTIONS, hidden=[32, 32])
params = policy.init(jax.random.PRNGKey(0), jnp.zeros(cartpole.OBSERVATION_SIZE))
print(
    "logits of an untrained policy:",
    policy.apply(params, jnp.array([0.0, 0.0, 0.1, 0.0])),
)

# %% [markdown]
# ### Acting
#
# To act is to compute the logits and to call your `sample_action`. We write it for one observation;
# `cartpole.play` compiles it and runs 32 episodes side by side, with CartPole-v1's dynamics in JAX.
#
# If the second cell raises a `ConcretizationTypeError` or a `TracerArrayConversionError`, your
# `sample_action` leaves JAX, by `int(...)` or NumPy. It may well have full points, but it cannot be
# compiled: for the training, return what `jax.random.categorical` returns.

# %% tags=["training"]
def make_act(policy):
    """act(params, random_key, observation): an action drawn from the policy,
    for one observation."""
    def act(params, random_key, observation):
        return sample_action(random_key, policy.apply(params, observation))

    return act

# %% tags=["training"]
act = make_act(policy)
batch = cartpole.play(act, params, jax.random.PRNGKey(1), N_EPISODES)
print(f"{N_EPISODES} episodes of {batch.lengths.min()} to {batch.lengths.max()} steps:",
      f"{batch.terminated.sum()} terminated, {batch.truncated.sum()} truncated")

# %% [markdown]
# ### The memory
#
# REINFORCE is *on-policy*: the expectation in its gradient is over episodes of the very policy that is
# updated. So the memory holds the complete episodes of one policy, and taking them out for the update
# empties it. What would become of the estimate otherwise is what exercise 5 asks.
#
# Your `compute_returns` is called for each episode. All are padded with zero rewards to 500 steps; zeros
# at the end change no return before them, and a compiled function is compiled only once.

# %% tags=["training"]
class Memory:
    """One batch of complete episodes with their rewards-to-go; `take` empties it."""
    def __init__(self):
        self._content = None

    def store(self, episodes):
        rewards = np.asarray(episodes.rewards)
        columns = [
            compute_returns(rewards[:, i], GAMMA) for i in range(rewards.shape[1])
        ]
        self._content = episodes, np.stack(
            [np.asarray(column, np.float32) for column in columns], axis=1
        )

    def take(self):
        content, self._content = self._content, None
        return content

# %% [markdown]
# ### The weights
#
# In CartPole all returns are positive, so every action would be made more likely, the good ones only a
# little more than the bad. A *baseline* takes care of that: from each return we subtract the mean return
# at the same step, over the episodes that are still running then. That comparison is fair at the time limit too:
# near step 500 all returns are small because the clock is about to stop, and not because of anything the
# policy did.
#
# The mean contains the episode itself, which shrinks the expected gradient a little (by the factor
# $1 - 1/N$ if all $N$ episodes are running), and does not turn it. At last all weights are divided by
# their root mean square, so that the step size means the same early and late in training.

# %% tags=["training"]
def weights_of(returns, mask):
    """(T, N) returns minus their mean over the running episodes,
    scaled to a root mean square of 1."""
    running = np.maximum(mask.sum(axis=1, keepdims=True), 1)
    baseline = (returns * mask).sum(axis=1, keepdims=True) / running
    differences = (returns - baseline) * mask
    return differences / (np.sqrt((differences**2).sum() / mask.sum()) + 1e-8)

# %% [markdown]
# ### Learning
#
# Your `policy_gradient_loss` is written for one step. Two `jax.vmap`s apply it to all steps of all
# episodes, the mask removes the padding, and the rest is the estimator of the chapters,
# $-\frac1N\sum_i\sum_t \psi_{t}^{i}\log\pi_\theta(a_t^i\mid s_t^i)$. The gradient goes to the
# Adam optimiser of [Optax](https://optax.readthedocs.io).

# %% tags=["training"]
def make_learn(policy, optimiser):
    """learn(params, state, episodes, weights): one step of the optimiser, compiled."""
    def loss(params, episodes, weights):
        logits = policy.apply(params, episodes.observations)
        losses = jax.vmap(jax.vmap(policy_gradient_loss))(
            episodes.actions, logits, weights
        )
        return (episodes.mask * losses).sum() / episodes.mask.shape[1]

    @jax.jit
    def learn(params, state, episodes, weights):
        updates, state = optimiser.update(
            jax.grad(loss)(params, episodes, weights), state
        )
        return optax.apply_updates(params, updates), state

    return learn

# %% [markdown]
# ### The training loop
#
# Play a batch, store it, take it out, learn, repeat. The bar shows environment steps and steps per second,
# the batch's mean return, and its mean length. Interrupt the kernel whenever you like: the run then ends
# with what it has learned so far.

# %% tags=["training"]
def train(
    policy, observation_size, learning_rate, collect, max_steps, seed,
    is_solved=lambda *_: False,
):
    """REINFORCE. Returns the parameters, and the curve: steps taken and mean return,
    for each batch."""
    keys, memory, curve, steps = hk.PRNGSequence(seed), Memory(), [], 0
    optimiser = optax.adam(learning_rate)
    learn = make_learn(policy, optimiser)
    params = policy.init(next(keys), jnp.zeros(observation_size))
    state = optimiser.init(params)
    bar = tqdm(total=max_steps, desc=f"seed {seed}", unit=" steps", unit_scale=True)
    try:
        while steps < max_steps:
            memory.store(collect(params, next(keys)))
            episodes, returns = memory.take()
            steps += episodes.lengths.sum()
            curve.append((steps, episodes.returns.mean()))
            bar.update(episodes.lengths.sum())
            bar.set_postfix({
                "return": f"{curve[-1][1]:.1f}",
                "length": f"{episodes.lengths.mean():.0f}",
            })
            if is_solved(params, curve):
                break
            params, state = learn(
                params, state, episodes, weights_of(returns, np.asarray(episodes.mask))
            )
    except KeyboardInterrupt:
        print(f"seed {seed}: interrupted after {steps:,} steps")
    bar.close()
    return params, np.array(curve)

# %% [markdown]
# When to stop? Two tests have to agree. The batches come from the *sampled* policy, so the mean return of
# the last five says how that does. The *greedy* policy, which takes the likeliest action, must do as well.
# Greedy alone proves little: its choices can balance the pole while the distribution that was trained is
# still close to a coin toss.

# %% tags=["training"]
def act_greedily(params, random_key, observation):
    return policy.apply(params, observation).argmax()


def is_balanced(params, curve, target=490):
    """Whether the sampled and the greedy policy both reach the target."""
    if len(curve) < 5 or np.mean([mean for _, mean in curve[-5:]]) < target:
        return False
    batch = cartpole.play(act_greedily, params, jax.random.PRNGKey(0), 100)
    return batch.returns.mean() >= target

# %% [markdown]
# Now the training. One run could be luck, so there are five, which differ in nothing but the seed.
# (If a run takes minutes instead of seconds, look at your `compute_returns`: does it add up the same
# rewards again and again?)

# %% tags=["training"]
def collect_cartpole(params, random_key):
    return cartpole.play(act, params, random_key, N_EPISODES)


size = cartpole.OBSERVATION_SIZE
runs = [
    train(policy, size, 5e-3, collect_cartpole, MAX_STEPS, seed, is_balanced)
    for seed in SEEDS
]

# %% [markdown]
# ### Does it hold in Gymnasium's own CartPole-v1?
#
# The agents were trained in a copy of the environment. What counts is the original: 100 new episodes for
# each agent, once sampled and once greedy. `play` gives every environment exactly one episode, so short
# episodes do not count more often than long ones. The random policy is the baseline.

# %% tags=["training"]
act_batch = jax.jit(jax.vmap(act, (None, 0, 0)))
greedy_batch = jax.jit(
    lambda params, observations: policy.apply(params, observations).argmax(axis=-1)
)


def sampled(params, seed):
    """For `play`: observations (N, D) to actions (N,), drawn from the policy."""
    keys = hk.PRNGSequence(seed)
    return lambda seen: act_batch(params, jax.random.split(next(keys), len(seen)), seen)


def greedy(params):
    """For `play`: observations (N, D) to the likeliest actions (N,)."""
    return lambda seen: greedy_batch(params, seen)

# %% tags=["training"]
environments = make_environments("CartPole-v1", 100)
threshold = gym.spec("CartPole-v1").reward_threshold
at_random = uniformly_random(cartpole.N_ACTIONS, seed=0)
random_returns = play(environments, at_random, seed=10_000).returns
results = []
for seed, (params, _) in zip(SEEDS, runs):
    by_chance = play(environments, sampled(params, seed), seed=20_000 + 1_000 * seed)
    likeliest = play(environments, greedy(params), seed=30_000 + 1_000 * seed)
    results.append((by_chance, likeliest))

# %% tags=["training"]
def cell(returns):
    return f"{returns.mean():.1f} ± {returns.std(ddof=1) / len(returns) ** 0.5:.1f}"


lines = [
    "| seed | sampled policy | greedy policy | terminated, sampled | training steps |",
    "|---|---|---|---|---|",
]
for seed, (by_chance, likeliest), (_, curve) in zip(SEEDS, results, runs):
    lines.append(f"| {seed} | {cell(by_chance.returns)} | {cell(likeliest.returns)} "
                 f"| {by_chance.terminated.sum()} of 100 | {int(curve[-1, 0]):,} |")
lines.append(f"| random policy | {cell(random_returns)} | | | |")
display(Markdown("\n".join(lines)))
both = sum(min(a.returns.mean(), b.returns.mean()) >= threshold for a, b in results)
print(
    f"Both policies reach the threshold of {threshold:.0f} "
    f"on {both} of {len(results)} seeds."
)

# %% [markdown]
# Mean return of 100 episodes, plus or minus its standard error. An episode of the sampled policy that is
# not terminated was truncated at step 500, with the pole still standing.

# %% tags=["training"] mystnb={"image": {"alt": "Mean return of the batches of 32 episodes against environment steps on CartPole-v1, five thin lines for the seeds, their mean and a band from the worst to the best. All rise from the level of the random policy, near 20, to above the reward threshold of 475, after some hundred thousand steps."}}
figure, axis = plt.subplots()
plot_learning_curves(
    axis, [curve.T for _, curve in runs], "REINFORCE", threshold, random_returns.mean()
)

# %% [markdown]
# Each run stops when it has passed both tests, so the lines end at different steps; mean and band end with
# the shortest. How far apart the seeds are half-way is the point of showing them all.
#
# And this is the agent of seed 0. It acts as it was trained, by sampling.

# %% tags=["training"]
environment = gym.make("CartPole-v1", render_mode="rgb_array")
pictures = video.record(environment, sampled(runs[0][0], seed=0), seed=7)
video.show(
    pictures,
    "The trained agent of seed 0 in CartPole-v1: "
    "the cart moves to and fro in short pushes and keeps the pole upright.",
)

# %% [markdown]
# ## Back to earth: LunarLander-v3
#
# A lander comes down to a pad between two flags. It sees eight numbers (position, velocity, angle, angular
# velocity, and whether each leg touches the ground) and has four actions: nothing, left engine, main
# engine, right engine. Coming down to the pad upright earns some 100 to 140 points on the way, coming to rest
# 100 more; a crash costs 100, and the engines cost a little at every step. An episode that ends with a landing, a crash or
# by leaving the scene is terminated; after 1,000 steps it is truncated. The task counts as solved at a mean
# return of 200.
#
# Your four functions need no change: another environment, a wider network, a smaller learning rate. This is
# the challenge part. Three runs of 400,000 steps take some minutes; interrupt them when you have seen
# enough.

# %% tags=["training"]
lander_policy = make_policy(n_actions=4, hidden=[64, 64])
lander_act = jax.jit(jax.vmap(make_act(lander_policy), (None, 0, 0)))
landers = make_environments("LunarLander-v3", N_EPISODES)


def collect_lander(params, random_key):
    """One episode in each environment;
    the first is reset with a seed drawn from the key."""
    keys = hk.PRNGSequence(random_key)
    seed = int(jax.random.randint(next(keys), (), 0, 2**30))
    return play(
        landers,
        lambda seen: lander_act(params, jax.random.split(next(keys), N_EPISODES), seen),
        seed,
    )

# %% tags=["training"]
lander_steps = 10_000 if QUICK else 400_000
lander_runs = [
    train(lander_policy, 8, 3e-3, collect_lander, lander_steps, seed)
    for seed in range(1 if QUICK else 3)
]
lander_random = play(landers, uniformly_random(4, seed=0), seed=0).returns.mean()

# %% tags=["training"] mystnb={"image": {"alt": "Mean return of the batches against environment steps on LunarLander-v3, three thin lines for the seeds with their mean and a band. They rise from the level of the random policy, below minus 100, and stay below the reward threshold of 200."}}
lander_threshold = gym.spec("LunarLander-v3").reward_threshold
figure, axis = plt.subplots()
plot_learning_curves(
    axis, [curve.T for _, curve in lander_runs], "REINFORCE",
    lander_threshold, lander_random,
)

# %% [markdown]
# The lines are batches of the sampled policy while it learns. Here are the finished agents, each in 32 new
# episodes:

# %% tags=["training"]
print(f"random policy: mean return {lander_random:.0f}; solved at {lander_threshold}")
for seed, (params, _) in enumerate(lander_runs):
    final = collect_lander(params, jax.random.PRNGKey(100 + seed))
    print(f"seed {seed}: mean return {final.returns.mean():.0f},",
          f"{(final.truncated & ~final.terminated).sum()} of {N_EPISODES} episodes "
          "stopped by the clock")

# %% [markdown]
# That is progress, and not a solution. Plain REINFORCE learns from whole episodes whose returns depend on
# hundreds of actions at once: its gradient is right on average, and very noisy. Episodes that the clock had to
# stop show a second weakness: the lander hovers, or stands on the pad with its engines running. It has learned not
# to crash, but coming to rest pays 100 points only at the very end, and with $\gamma = 0.99$ a reward 300
# steps ahead counts 5 percent.
#
# Two ideas deal with the noise, and each has a later chapter: *actor-critic* methods learn a value function, to
# judge an action by what it changed rather than by all that followed, and *GRPO* compares episodes that
# begin in the same state, and uses each batch for several careful updates.
#
# **Your turn.** What can you reach with these four functions? Things to try: a discount of 0.999, for which
# the landing far ahead counts more; more episodes in a batch; another learning rate. Change one thing at a
# time, and use several seeds before you believe an improvement.

# %% tags=["training"]
environment = gym.make("LunarLander-v3", render_mode="rgb_array")
keys = hk.PRNGSequence(0)
pictures = video.record(
    environment,
    lambda seen: lander_act(lander_runs[0][0], jax.random.split(next(keys), 1), seen),
    seed=3, every=3,
)
video.show(
    pictures,
    "The agent of seed 0 in LunarLander-v3 after 400,000 steps of plain REINFORCE.",
)

# %% [markdown]
# ## Hand in
#
# Restart the kernel, run all cells up to the training section once more, and check that every property
# above holds. Then save the notebook and submit the `.ipynb` file; the training need not run for the
# grading. Next: the chapter
# [REINFORCE in practice]({{repository}}/blob/main/chapters/reinforce_in_practice.md), on what goes wrong
# when the data are not on-policy, and how to tell luck from learning.
