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
# **Time**: 1 to 2 hours for the four functions, some minutes of training.
#
# **How it works**: fill in each function where it says `NotImplementedError`, then run the cell below
# it. That cell lists the properties your function has to have, and says which of them hold. The
# grader checks these and some more, on other inputs. Every property earns its share of the points, so
# a function that is right except for one case still counts.

# %% [markdown]
# ## Setup
#
# In Colab the next cell installs what is missing; elsewhere it does nothing.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import sys

if "google.colab" in sys.modules:
    %pip install -q "policy-gradients[jax,box2d] @ git+{{repository}}"

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
import haiku as hk
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from policy_gradients.checks import Checks, close, numbers

# %% [markdown]
# JAX in three sentences, enough for this notebook. `jnp` is NumPy, with functions that can be
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

    Examples (p, G -> result): 0.5, 1 -> -0.693;  0.5, -2 -> 1.386;  0.8, 100 -> -22.314;  1, 7 -> 0
    """
    ### BEGIN SOLUTION
    return episode_return * jnp.log(action_prob)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_compute_weighted_log_prob", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
check = Checks("compute_weighted_log_prob", points=2)

with check("p = 0.8 with a return of 100", hint="It should be 100 log 0.8, with the natural logarithm."):
    close(compute_weighted_log_prob(0.8, 100.0), -22.314355)
with check("a negative return makes the result positive", hint="Is the sign of the return kept?"):
    close(compute_weighted_log_prob(0.5, -2.0), 1.386294)
with check("JAX can differentiate it", hint="jax.grad follows jnp.log, but not math.log, np.log or float(...)."):
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
    """The discounted rewards-to-go of one episode: G_t = r_t + gamma r_{t+1} + gamma^2 r_{t+2} + ...

    rewards : the T rewards of an episode, a list, tuple or array; it is not changed. T may be 0.
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

with check("gamma = 1 adds up the rewards from t on", hint="Each entry holds its own reward and all later ones, none of the earlier."):
    close(compute_returns([1, 2, 3, 4], gamma=1), [10, 9, 7, 4])
with check("gamma = 0 leaves the rewards as they are", hint="With gamma = 0 only the step's own reward is left."):
    close(compute_returns([1, 2, 3, 4], gamma=0), [1, 2, 3, 4])
with check("the default discount is 0.99", hint="A reward k steps later counts gamma to the power of k."):
    close(compute_returns([1, 2, 3, 4]), [9.801496, 8.8904, 6.96, 4.0])
with check("an episode of one step, and one of none", hint="An empty episode has an empty sequence of returns."):
    close(compute_returns([5.0]), [5.0])
    close(compute_returns([]), [])

### BEGIN HIDDEN TESTS
check.hide()
import numpy as np


def expected(rewards, gamma):
    following, backwards = 0.0, []
    for reward in np.asarray(rewards, dtype=np.float64)[::-1]:
        following = reward + gamma * following
        backwards.append(following)
    return backwards[::-1]


rng = check.rng()
rewards = (rng.integers(-15, 16, size=(3, 9)) / 4 + 0.125).tolist()  # never 0, exact in float32
whole = rng.integers(1, 9, size=9)

with check("random rewards, several discounts", weight=3, hint="Is each reward discounted by its distance from t, and not from the start or the end?"):
    for episode, gamma in zip(rewards, [0.9, 0.5, 0.25]):
        close(compute_returns(episode, gamma), expected(episode, gamma), atol=1e-4)
with check("gamma = 1 on other rewards", hint="Without a discount the sums must be exact."):
    close(compute_returns(rewards[0], 1.0), expected(rewards[0], 1.0), atol=1e-4)
with check("gamma = 0 on other rewards", hint="Is a discount of zero treated like any other number? Do you divide by a power of it?"):
    close(compute_returns(rewards[1], gamma=0.0), rewards[1])
with check("the default discount on other rewards", hint="The default of gamma is 0.99, and no other value may be fixed in the function."):
    close(compute_returns(rewards[2]), expected(rewards[2], 0.99), atol=1e-4)
with check("one reward at the end of the episode", hint="Does a late reward reach the first steps, and do steps without reward count?"):
    close(compute_returns([0, 0, 0, 0, 0, 0, 0, 0, 1], 0.5), [2.0 ** (t - 8) for t in range(9)])
with check("integer rewards give fractional returns", hint="An array of integers cannot hold fractions: which dtype has your result?"):
    close(compute_returns(whole, 0.7), expected(whole, 0.7), atol=1e-4)
    close(compute_returns(whole.tolist(), 0.7), expected(whole, 0.7), atol=1e-4)
with check("rewards in a tuple", hint="Do you use something that only lists have?"):
    close(compute_returns(tuple(rewards[0]), 0.9), expected(rewards[0], 0.9), atol=1e-4)
with check("rewards in NumPy and JAX arrays, float32 and float64", hint="Do you use something that only lists have, such as `if rewards:` or `rewards.pop()`?"):
    for dtype in [np.float32, np.float64]:
        close(compute_returns(np.array(rewards[1], dtype), 0.9), expected(rewards[1], 0.9), atol=1e-4)
    close(check.evaluate("compute_returns(jnp.asarray(r), 0.9)", r=rewards[1]), expected(rewards[1], 0.9), atol=1e-4)
with check("the argument is not changed", hint="Work on a new sequence: the caller still needs the rewards."):
    close(check.evaluate("[compute_returns(r, 0.5), r][1]", r=list(rewards[0])), rewards[0])
    close(check.evaluate("[compute_returns(r, 0.5), r][1]", r=np.array(rewards[0])), rewards[0])
with check("one call does not remember another", hint="Is a list shared between calls, for example as a default argument?"):
    close(compute_returns([1.0, 2.0], 0.5), [2.0, 2.0])
    close(compute_returns([1.0, 2.0], 0.5), [2.0, 2.0])
with check("an episode of 2,000 steps", weight=2, hint="Is it fast enough for long episodes, without recursion, and without dividing by a power of gamma?"):
    episode = (rng.integers(-8, 9, size=2000) / 4).tolist()
    close(compute_returns(episode), expected(episode, 0.99), atol=1e-3)
    close(compute_returns(episode, 0.5), expected(episode, 0.5), atol=1e-3)
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
    logits : (A,) floats, one per action; P(action = a) = exp(logits[a]) / sum of exp(logits)

    Returns the action, a single integer in 0..A-1.

    Example: for logits (0, log 3, 0, 0) about half of many draws, with a key each, are 1,
    and 0, 2 and 3 come up in a sixth of them each.
    """
    ### BEGIN SOLUTION
    return jax.random.categorical(random_key, logits)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_sample_action", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import jax
import jax.numpy as jnp
import numpy as np

check = Checks("sample_action", points=2)
keys = jax.random.split(jax.random.PRNGKey(0), 300)

with check("it returns one integer", hint="A single integer such as 1: no float, no one-hot vector, no list.", weight=0.5):
    action = sample_action(keys[0], jnp.array([1.0, 2.0]))
    assert np.asarray(action).shape == () and np.asarray(action).dtype.kind in "iu", "That is not an integer."
with check("the same key gives the same action", hint="Does all randomness come from `random_key`?", weight=0.5):
    first, second = [[int(sample_action(key, jnp.zeros(2))) for key in keys[:40]] for _ in range(2)]
    assert first == second, "It returned different actions for the same key."
with check("log-odds of 2: action 1 in 88 % of the draws", hint="Are these logits, and not probabilities? Are they scaled?"):
    actions = [int(sample_action(key, jnp.array([-1.0, 1.0]))) for key in keys]
    close(np.mean(actions), 0.88, rtol=0, atol=0.1, what="Over 300 keys the mean of the actions was")

### BEGIN HIDDEN TESTS
check.hide()
from scipy.stats import binom

rng = check.rng()


def random_keys(n):
    return rng.integers(2**32, size=(n, 2), dtype=np.uint32)


def draw(logits, keys):
    """One action per key, as the function returns them."""
    one_by_one = "[sample_action(key, z) for z in [jnp.asarray(logits)] for key in jnp.asarray(keys)]"
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
    assert actions.ndim == 1 and np.isin(actions, np.arange(len(logits))).all()
    counts = np.bincount(actions.astype(int), minlength=len(logits))
    p = np.exp(logits) / np.exp(logits).sum()
    tail = np.minimum(binom.cdf(counts, len(actions), p), binom.sf(counts - 1, len(actions), p))
    assert (tail > 0.5e-6 / len(logits)).all()


with check("two actions come up as often as they should", weight=3, hint="Draw from softmax(logits) itself: not the likeliest action, not uniformly, no extra scale or softmax."):
    assert_drawn_from(rng.permutation([0.0, 2.5]))
with check("four actions come up as often as they should", weight=3, hint="Does it work for more than two actions, numbered from 0, and for negative logits?"):
    assert_drawn_from(rng.permutation([-2.0, -0.5, 1.0, 2.0]))
with check("seven actions come up as often as they should", weight=2, hint="Can every action come up, the first and the last as well, and no other number?"):
    assert_drawn_from(rng.permutation([-1.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0]))
with check("a constant added to all logits changes nothing", hint="Only differences of logits matter: is there a normalisation other than the softmax?"):
    assert_drawn_from(rng.permutation([4.0, 6.0, 5.0, 5.0]))
with check("an action that is far ahead is taken nearly always", hint="Is there extra exploration, or a limit on the logits?"):
    assert_drawn_from(rng.permutation([0.0, 0.0, 14.0, 0.0]))
with check("consecutive seeds give different actions", hint="Is the key used as it is, all of it?"):
    keys = np.stack([np.zeros(64, np.uint32), np.arange(64, dtype=np.uint32)], axis=1)  # PRNGKey(0), ..., PRNGKey(63)
    assert len(set(numbers(draw([0.0, 0.0], keys)))) == 2
with check("the same key gives the same action, again and again", hint="Does all randomness come from `random_key`?"):
    keys = random_keys(60)
    close(draw(np.zeros(4), keys), draw(np.zeros(4), keys))
with check("a single integer for any number of actions", hint="A single integer: no float, no array of length one."):
    for n_actions in [1, 2, 5]:
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
    """The loss whose gradient is minus the policy gradient's term of one step: -G log pi(a | s).

    action : integer scalar a in 0..A-1
    logits : (A,) floats, of which the softmax gives the policy's probabilities
    returns : scalar, the return or another weight of this step

    Returns a scalar, usable under jax.grad (with respect to `logits`), jax.vmap and jax.jit.

    Example: action 1, logits (1, 2), returns 10 -> 3.133, and the gradient with respect to
    the logits is (2.689, -2.689): a step downhill makes action 1 more likely.
    """
    ### BEGIN SOLUTION
    action_prob = jax.nn.softmax(logits)[action]
    return -compute_weighted_log_prob(action_prob, returns)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test_policy_gradient_loss", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
import jax.numpy as jnp

check = Checks("policy_gradient_loss", points=3)

with check("its value for action 1, logits (1, 2) and a return of 10", hint="Minus the return times the log of the action's softmax probability. Is the sign right?"):
    close(policy_gradient_loss(1, jnp.array([1.0, 2.0]), 10.0), 3.132617)
with check("its value with four actions", hint="Is the probability of the action taken the one that counts, for any number of actions?"):
    close(policy_gradient_loss(3, jnp.zeros(4), 1.0), 1.386294)
with check("its gradient with respect to the logits", hint="Does everything between the logits and the loss stay in JAX?"):
    close(check.evaluate("jax.grad(policy_gradient_loss, argnums=1)(1, jnp.array([1.0, 2.0]), 10.0)"), [2.689414, -2.689414])
with check("it works on a batch by jax.vmap", hint="Use only jnp functions, no int(...), float(...) or `if` on the arguments."):
    batch = check.evaluate("jax.vmap(policy_gradient_loss)(jnp.array([0, 1]), jnp.zeros((2, 2)), jnp.array([1.0, -1.0]))")
    close(batch, [0.693147, -0.693147])

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
with check("its gradient, with two and with four actions", weight=3, hint="It should be -returns * (onehot(action) - softmax(logits)). Is something kept out of the gradient?"):
    for batch in [steps(2), steps(4)]:
        rows = [check.evaluate(GRAD + "(a, jnp.asarray(z), g)", a=int(a), z=z, g=float(g)) for a, z, g in zip(*batch)]
        close(rows, gradients(*batch), atol=1e-4)
with check("a batch by jax.vmap", weight=2, hint="Under vmap the arguments are those of one step: one action, one row of logits, one return."):
    a, z, g = batch = steps(4)
    close(check.evaluate("jax.vmap(policy_gradient_loss)(jnp.asarray(a), jnp.asarray(z), jnp.asarray(g))", a=a, z=z, g=g), losses(*batch), atol=1e-4)
with check("compiled by jax.jit", hint="Under jit the action is not known beforehand: no int(...), no `if`."):
    close(check.evaluate("jax.jit(policy_gradient_loss)(a, jnp.asarray(z), g)", a=int(a[0]), z=z[0], g=float(g[0])), losses(*batch)[0], atol=1e-4)
with check("gradients of a batch, compiled", hint="Does it stay in JAX from the logits to the loss?"):
    close(check.evaluate(f"jax.jit(jax.vmap({GRAD}))(jnp.asarray(a), jnp.asarray(z), jnp.asarray(g))", a=a, z=z, g=g), gradients(*batch), atol=1e-4)
### END HIDDEN TESTS
check.score()
