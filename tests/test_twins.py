"""The PyTorch solutions and twins of them, written independently in JAX, agree in value and gradient.

The solutions are read out of the masters. Shapes, here: T steps, N environments, A actions.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from jax.scipy import stats

from autograder.master import Master, grade_id

T, N, A = 40, 6, 5
AGREE = {"rtol": 1e-5, "atol": 1e-5}


@functools.cache
def solution(assignment):
    """The names of a solved notebook: its imports and graded functions."""
    master, names = Master.read(assignment), {"__name__": "solved"}
    wanted = {"imports", *(question.name for question in master.questions)}
    for cell in master.notebook.cells:
        if grade_id(cell) in wanted:
            exec(cell.source, names)
    return names


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def floats(rng, *shape):
    """Floats in quarters: sums of them are exact in float32."""
    return (rng.integers(-8, 9, size=shape) / 4).astype(np.float32)


def value_and_gradients(function, arrays):
    """A torch function's scalar and its gradients, as NumPy arrays; zeros where there is none."""
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    value = function(*leaves)
    found = torch.autograd.grad(value, leaves, allow_unused=True)
    return value.item(), [0 * x if g is None else g.numpy() for g, x in zip(found, arrays, strict=True)]


def assert_twins(torch_function, jax_function, *arrays):
    """Same scalar, same gradients with respect to every argument."""
    value, gradients = value_and_gradients(torch_function, arrays)
    every = tuple(range(len(arrays)))
    expected, expected_gradients = jax.value_and_grad(jax_function, argnums=every)(*map(jnp.asarray, arrays))
    np.testing.assert_allclose(value, expected, **AGREE)
    for found, wanted in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(found, wanted, **AGREE)


def scanned(step, start, *columns):
    """`step` from the last row to the first, as a compiled scan."""
    return jax.lax.scan(lambda carry, row: (step(carry, *row),) * 2, start, columns, reverse=True)[1]


def test_rewards_to_go(rng):
    rewards, gamma = floats(rng, T), 0.9
    twin = scanned(lambda after, reward: reward + gamma * after, jnp.float32(0), jnp.asarray(rewards))
    np.testing.assert_allclose(
        solution("reinforce_cartpole")["compute_returns"](rewards, gamma), twin, **AGREE
    )
    reward_to_go = solution("metadrive_policy_gradient")["reward_to_go"]
    np.testing.assert_allclose(reward_to_go(torch.tensor(rewards), gamma), twin, **AGREE)


def test_masked_rewards_to_go(rng):
    rewards, lengths = floats(rng, T, N), rng.integers(1, T + 1, size=N)
    mask = (np.arange(T)[:, None] < lengths).astype(np.float32)
    lags = jnp.arange(T)[None, :] - jnp.arange(T)[:, None]
    discounts = jnp.where(lags >= 0, 0.9 ** jnp.maximum(lags, 0), 0.0)
    masked = solution("parallel_reinforce")["masked_reward_to_go"]
    found = masked(torch.tensor(rewards), torch.tensor(mask), 0.9)
    np.testing.assert_allclose(found, mask * (discounts @ (mask * rewards)), **AGREE)


def ends(rng):
    """Flags (T, N) of both kinds, some steps with both."""
    return [rng.random((T, N)) < 0.15 for _ in range(2)]


def test_bootstrapped_returns(rng):
    rewards, next_values = floats(rng, T, N), floats(rng, T, N)
    terminated, truncated = ends(rng)

    def step(after, reward, value, failed, stopped):
        return reward + 0.9 * jnp.where(failed, 0.0, jnp.where(stopped, value, after))

    arrays = rewards, next_values, terminated, truncated
    found = solution("actor_critic")["bootstrapped_returns"](*map(torch.tensor, arrays), 0.9)
    twin = scanned(step, jnp.asarray(next_values[-1]), *map(jnp.asarray, arrays))
    np.testing.assert_allclose(found, twin, **AGREE)


@pytest.mark.parametrize("lam", [0.0, 0.95, 1.0])
def test_gae(rng, lam):
    rewards, values, next_values = (floats(rng, T, N) for _ in range(3))
    terminated, truncated = ends(rng)
    delta = rewards + 0.9 * np.where(terminated, 0, next_values) - values
    factor = 0.9 * lam * ~(terminated | truncated)
    twin = scanned(lambda after, d, f: d + f * after, jnp.zeros(N), jnp.asarray(delta), jnp.asarray(factor))
    arrays = rewards, values, next_values, terminated, truncated
    found = solution("actor_critic")["gae"](*map(torch.tensor, arrays), 0.9, lam)
    np.testing.assert_allclose(found, twin, **AGREE)


def test_categorical_log_probabilities(rng):
    logits, actions = rng.normal(size=(N, A)).astype(np.float32), rng.integers(A, size=N)
    weights = rng.normal(size=N).astype(np.float32)
    log_prob = solution("metadrive_policy_gradient")["categorical_log_prob"]
    assert_twins(
        lambda z: (torch.tensor(weights) * log_prob(z, torch.tensor(actions))).sum(),
        lambda z: -(weights * optax.softmax_cross_entropy_with_integer_labels(z, actions)).sum(),
        logits,
    )


def test_gaussian_log_probabilities(rng):
    mean, actions = (rng.normal(size=(N, 3)).astype(np.float32) for _ in range(2))
    log_std = rng.normal(scale=0.3, size=3).astype(np.float32)
    log_prob = solution("metadrive_policy_gradient")["gaussian_log_prob"]
    assert_twins(
        lambda m, s: log_prob(m, s, torch.tensor(actions)).sum(),
        lambda m, s: stats.norm.logpdf(actions, m, jnp.exp(s)).sum(),
        mean,
        log_std,
    )


def test_entropy(rng):
    logits = rng.normal(size=(T, N, A)).astype(np.float32)
    weights = rng.normal(size=(T, N)).astype(np.float32)

    def entropy(z):
        p = jax.nn.softmax(z)
        return jax.nn.logsumexp(z, axis=-1) - (p * z).sum(-1)

    of_policy = solution("actor_critic")["policy_entropy"]
    assert_twins(
        lambda z: (torch.tensor(weights) * of_policy(z)).sum(), lambda z: (weights * entropy(z)).sum(), logits
    )


def test_the_losses_of_reinforce(rng):
    """The JAX loss of one step under vmap, and the PyTorch loss of a batch."""
    logits, actions = rng.normal(size=(N, A)).astype(np.float32), rng.integers(A, size=N)
    weights = floats(rng, N)
    metadrive = solution("metadrive_policy_gradient")
    of_step = solution("reinforce_cartpole")["policy_gradient_loss"]

    def of_batch(z):
        log_probs = metadrive["categorical_log_prob"](z, torch.tensor(actions))
        return metadrive["policy_gradient_loss"](log_probs, torch.tensor(weights))

    assert_twins(of_batch, lambda z: jax.vmap(of_step)(actions, z, weights).mean(), logits)


def test_the_loss_of_padded_reinforce(rng):
    log_probs, returns = -np.abs(floats(rng, T, N)), floats(rng, T, N)
    mask = (np.arange(T)[:, None] < rng.integers(1, T + 1, size=N)).astype(np.float32)
    loss = solution("parallel_reinforce")["padded_policy_gradient_loss"]
    assert_twins(
        lambda lp: loss(lp, torch.tensor(returns), torch.tensor(mask)),
        lambda lp: -jnp.einsum("ti,ti,ti->", jnp.asarray(mask), jnp.asarray(returns), lp) / N,
        log_probs,
    )


def test_the_loss_of_the_actor_critic(rng):
    log_pi, log_mu = (-np.abs(floats(rng, T, N)) for _ in range(2))
    values, returns, entropy = (floats(rng, T, N) for _ in range(3))
    actor_critic, constant = solution("actor_critic"), jax.lax.stop_gradient

    def loss(lp, lm, v, g, h):
        return actor_critic["a2c_loss"](lp, v, g, h, actor_critic["importance_weights"](lp, lm))

    def twin(lp, lm, v, g, h):
        weight = constant(jnp.minimum(jnp.exp(lp - lm), 1) * (g - v))
        critic = optax.losses.squared_error(v, constant(g))
        return (-weight * lp + 0.25 * critic - 0.01 * h).mean()

    assert_twins(loss, twin, log_pi, log_mu, values, returns, entropy)


def test_the_losses_of_grpo(rng):
    rewards, old, reference = floats(rng, T, N), -np.abs(floats(rng, T, N)), -np.abs(floats(rng, T, N))
    new = (old + 0.3 * rng.normal(size=(T, N))).astype(np.float32)
    mask = (np.arange(T)[:, None] < rng.integers(1, T + 1, size=N)).astype(np.float32)
    grpo = solution("grpo")
    groups = jnp.sum(mask * rewards, axis=0).reshape(-1, 3)
    centred = groups - groups.mean(axis=1, keepdims=True)
    advantages = (centred / (groups.std(axis=1, keepdims=True) + 1e-6)).ravel()
    found = grpo["group_advantages"](torch.tensor(rewards), torch.tensor(mask), 3, normalize=True)
    np.testing.assert_allclose(found, advantages, **AGREE)

    def surrogate(lp):
        ratio = jnp.exp(lp - old)
        clipped = jnp.clip(ratio, 0.8, 1.2)
        return -(mask * jnp.minimum(ratio * advantages, clipped * advantages)).sum() / mask.sum()

    def divergence(lp):
        return (mask * (jnp.expm1(reference - lp) - (reference - lp))).sum() / mask.sum()

    before, base, live = torch.tensor(old), torch.tensor(reference), torch.tensor(mask)
    assert_twins(lambda lp: grpo["grpo_loss"](lp, before, found, live), surrogate, new)
    assert_twins(lambda lp: grpo["kl_to_reference"](lp, base, live), divergence, new)
