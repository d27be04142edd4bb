"""REINFORCE whose whole training, environment included, is one compiled JAX function.

Nothing leaves the device between the random key and the trained parameters: no step of an environment,
no batch, no test whether to stop. So `jax.vmap` over keys trains many seeds at once.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import optax

__all__ = ["Batch", "Environment", "Settings", "Trained", "initial_params", "logits", "rollout", "train"]


class Environment(Protocol):
    """An environment in JAX, such as the module `policy_gradients.cartpole`."""

    MAX_STEPS: int
    N_ACTIONS: int
    OBSERVATION_SIZE: int

    def start(self, random_key: jax.Array) -> jax.Array:
        """(D,) a first state, which is the observation as well."""

    def step(self, state: jax.Array, action: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """(next state (D,), reward, terminated)"""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to train.

    n_episodes : per update
    hidden : units in each of two layers
    target : mean return at which training ends, for the sampled and the greedy policy
    check_every : updates between two looks at the greedy policy
    """

    n_episodes: int = 64
    hidden: int = 32
    learning_rate: float = 5e-3
    max_updates: int = 300
    target: float = 490.0
    check_every: int = 5


class Batch(NamedTuple):
    """Complete episodes, padded to the environment's limit: (T, N, D), (T, N), (T, N), (T, N)."""

    observations: jax.Array
    actions: jax.Array
    rewards: jax.Array
    mask: jax.Array


class Trained(NamedTuple):
    """What training gives.

    curve : (max_updates,) mean return of each batch, NaN after the last
    n_updates, n_steps : gradient steps and environment steps taken
    solved : whether the target was reached
    """

    params: Any
    curve: jax.Array
    n_updates: jax.Array
    n_steps: jax.Array
    solved: jax.Array


def initial_params(
    environment: Environment, hidden: int, random_key: jax.Array
) -> list[tuple[jax.Array, jax.Array]]:
    """Weights and biases of a network D -> hidden -> hidden -> A, whose policy is uniform."""
    sizes = [environment.OBSERVATION_SIZE, hidden, hidden]
    keys = jax.random.split(random_key, 2)
    layers = [
        (jax.random.normal(key, (before, after)) / before**0.5, jnp.zeros(after))
        for key, before, after in zip(keys, sizes, sizes[1:], strict=False)
    ]
    return [*layers, (jnp.zeros((hidden, environment.N_ACTIONS)), jnp.zeros(environment.N_ACTIONS))]


def logits(params: list[tuple[jax.Array, jax.Array]], observations: jax.Array) -> jax.Array:
    """(..., D) to (..., A)"""
    *hidden, (weights, biases) = params
    for layer, offset in hidden:
        observations = jnp.tanh(observations @ layer + offset)
    return observations @ weights + biases


@partial(jax.jit, static_argnames=("environment", "n_episodes", "greedy"))
def rollout(
    environment: Environment, params: Any, random_key: jax.Array, n_episodes: int, greedy: bool = False
) -> Batch:
    """`n_episodes` complete episodes, side by side, until the last has ended.

    The loop ends with the longest episode, so early in training a batch costs a few dozen steps and not
    MAX_STEPS; what is not played has mask 0. greedy: the likeliest action instead of a sampled one.
    """
    start_key, random_key = jax.random.split(random_key)
    n_steps, size = environment.MAX_STEPS, environment.OBSERVATION_SIZE
    empty = Batch(
        jnp.zeros((n_steps, n_episodes, size)),
        jnp.zeros((n_steps, n_episodes), jnp.int32),
        jnp.zeros((n_steps, n_episodes)),
        jnp.zeros((n_steps, n_episodes)),
    )

    def unfinished(carry):
        t, _, live, _ = carry
        return (t < n_steps) & live.any()

    def advance(carry):
        t, states, live, batch = carry
        scores = logits(params, states)
        noise = 0.0 if greedy else jax.random.gumbel(jax.random.fold_in(random_key, t), scores.shape)
        actions = jnp.argmax(scores + noise, axis=-1).astype(jnp.int32)  # Gumbel's way to sample
        following, rewards, terminated = jax.vmap(environment.step)(states, actions)
        record = Batch(states, actions, rewards * live, live.astype(jnp.float32))
        batch = jax.tree.map(lambda rows, row: rows.at[t].set(row), batch, record)
        return t + 1, jnp.where(live[:, None], following, states), live & ~terminated, batch

    states = jax.vmap(environment.start)(jax.random.split(start_key, n_episodes))
    carry = jnp.int32(0), states, jnp.ones(n_episodes, bool), empty
    return jax.lax.while_loop(unfinished, advance, carry)[-1]


def _weights(batch: Batch) -> jax.Array:
    """(T, N) sums of the rewards from t on, minus their mean over running episodes, scaled to size 1."""
    following = jnp.cumsum(batch.rewards[::-1], axis=0)[::-1]
    running = jnp.maximum(batch.mask.sum(axis=1, keepdims=True), 1)
    differences = (following - (following * batch.mask).sum(axis=1, keepdims=True) / running) * batch.mask
    return differences / (jnp.sqrt((differences**2).sum() / batch.mask.sum()) + 1e-8)


def _loss(params: Any, batch: Batch, weights: jax.Array) -> jax.Array:
    log_probs = jax.nn.log_softmax(logits(params, batch.observations))
    taken = jnp.take_along_axis(log_probs, batch.actions[..., None], axis=-1)[..., 0]
    return -(weights * taken).sum() / batch.mask.shape[1]


@partial(jax.jit, static_argnames=("environment", "settings"))
def train(environment: Environment, settings: Settings, random_key: jax.Array) -> Trained:
    """REINFORCE from initial parameters to the target, or to `max_updates`: all of it one compiled function.

    It stops when the last `check_every` batches of the sampled policy and 100 episodes of the greedy one both
    have a mean return of `target`. jax.vmap(train, (None, None, 0)) trains one agent per key.
    """
    optimiser = optax.adam(settings.learning_rate)
    init_key, random_key = jax.random.split(random_key)
    params = initial_params(environment, settings.hidden, init_key)

    def unfinished(carry):
        _, trained = carry
        return ~trained.solved & (trained.n_updates < settings.max_updates)

    def update(carry):
        state, (params, curve, i, n_steps, _) = carry
        key, test_key = jax.random.split(jax.random.fold_in(random_key, i))
        batch = rollout(environment, params, key, settings.n_episodes)
        curve = curve.at[i].set(batch.rewards.sum() / settings.n_episodes)
        recent = jax.lax.dynamic_slice(
            curve, (jnp.maximum(i - settings.check_every + 1, 0),), (settings.check_every,)
        )
        due = ((i + 1) % settings.check_every == 0) & (recent.mean() >= settings.target)
        solved = jax.lax.cond(
            due, lambda: _greedy_return(environment, params, test_key) >= settings.target, lambda: False
        )
        changes, state = optimiser.update(jax.grad(_loss)(params, batch, _weights(batch)), state)
        new = optax.apply_updates(params, changes)
        params = jax.tree.map(lambda tested, updated: jnp.where(solved, tested, updated), params, new)
        return state, Trained(params, curve, i + 1, n_steps + batch.mask.sum().astype(jnp.int32), solved)

    nothing = Trained(
        params, jnp.full(settings.max_updates, jnp.nan), jnp.int32(0), jnp.int32(0), jnp.zeros((), bool)
    )
    return jax.lax.while_loop(unfinished, update, (optimiser.init(params), nothing))[1]


def _greedy_return(environment: Environment, params: Any, random_key: jax.Array) -> jax.Array:
    return rollout(environment, params, random_key, 100, greedy=True).rewards.sum() / 100
