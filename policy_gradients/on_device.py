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
    """An environment in JAX, such as the modules `policy_gradients.cartpole` and `policy_gradients.acrobot`.

    The components of a state come first: (S,) is one environment, (S, N) are N side by side.
    """

    MAX_STEPS: int
    N_ACTIONS: int
    OBSERVATION_SIZE: int

    def start(self, random_key: jax.Array, shape: tuple[int, ...] = ()) -> jax.Array:
        """(S, *shape) first states"""

    def observe(self, state: jax.Array) -> jax.Array:
        """(D, ...) what the policy sees of the states"""

    def step(self, state: jax.Array, action: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """(next state (S, ...), reward, terminated)"""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to train.

    n_episodes : per update, and per look at the greedy policy
    hidden : units in each of two layers
    target : mean return at which training ends, for the sampled and the greedy policy
    check_every : updates whose batches count for the sampled policy, and between two looks at the greedy one
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
    steps : (max_updates,) environment steps up to and including each batch, 0 after the last
    n_updates : gradient steps taken
    solved : whether the target was reached
    """

    params: Any
    curve: jax.Array
    steps: jax.Array
    n_updates: jax.Array
    solved: jax.Array


def initial_params(
    environment: Environment, hidden: int, random_key: jax.Array
) -> list[tuple[jax.Array, jax.Array]]:
    """Weights and biases of a network D -> hidden -> hidden -> A, whose policy is uniform."""
    size, n_actions = environment.OBSERVATION_SIZE, environment.N_ACTIONS
    # Drawn in one call: every call for random numbers is a page of code to compile.
    noise = jax.random.normal(random_key, (size + hidden, hidden))
    return [
        (noise[:size] / size**0.5, jnp.zeros(hidden)),
        (noise[size:] / hidden**0.5, jnp.zeros(hidden)),
        (jnp.zeros((hidden, n_actions)), jnp.zeros(n_actions)),
    ]


def logits(params: list[tuple[jax.Array, jax.Array]], observations: jax.Array) -> jax.Array:
    """(..., D) to (..., A)"""
    return jnp.moveaxis(_scores(params, jnp.moveaxis(observations, -1, 0)), 0, -1)


def _scores(params: list[tuple[jax.Array, jax.Array]], observations: jax.Array) -> jax.Array:
    """(D, ...) to (A, ...): components first, as states are, so that neighbours in memory are alike."""
    *hidden, last = params
    for layer in hidden:
        observations = jnp.tanh(_affine(layer, observations))
    return _affine(last, observations)


def _affine(layer: tuple[jax.Array, jax.Array], x: jax.Array) -> jax.Array:
    weights, biases = layer
    return jnp.tensordot(weights, x, axes=(0, 0)) + biases.reshape(-1, *[1] * (x.ndim - 1))


@partial(jax.jit, static_argnames=("environment", "n_episodes"))
def rollout(
    environment: Environment,
    params: Any,
    random_key: jax.Array,
    n_episodes: int,
    greedy: bool | jax.Array = False,
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
        observations = environment.observe(states)
        draws = jax.random.uniform(jax.random.fold_in(random_key, t), (n_episodes,))
        actions = _choose(_scores(params, observations), draws, greedy)
        following, rewards, terminated = environment.step(states, actions)
        record = Batch(observations.T, actions, rewards * live, live.astype(jnp.float32))
        batch = jax.tree.map(lambda rows, row: rows.at[t].set(row), batch, record)
        return t + 1, jnp.where(live, following, states), live & ~terminated, batch

    carry = jnp.int32(0), environment.start(start_key, (n_episodes,)), jnp.ones(n_episodes, bool), empty
    return jax.lax.while_loop(unfinished, advance, carry)[-1]


def _choose(scores: jax.Array, draws: jax.Array, greedy: bool | jax.Array) -> jax.Array:
    """(N,) actions for scores (A, N): how many of the cumulative probabilities a uniform number reaches."""
    reached = draws >= jnp.cumsum(jax.nn.softmax(scores, axis=0), axis=0)[:-1]
    return jnp.where(greedy, scores.argmax(axis=0), reached.sum(axis=0)).astype(jnp.int32)


def _weights(batch: Batch) -> jax.Array:
    """(T, N) sums of the rewards from t on, minus their mean over running episodes, scaled to size 1."""
    _, following = jax.lax.scan(
        lambda total, row: (total + row,) * 2, jnp.zeros_like(batch.rewards[0]), batch.rewards, reverse=True
    )
    running = jnp.maximum(batch.mask.sum(axis=1, keepdims=True), 1)
    differences = (following - (following * batch.mask).sum(axis=1, keepdims=True) / running) * batch.mask
    return differences / (jnp.sqrt((differences**2).sum() / batch.mask.sum()) + 1e-8)


def _loss(params: Any, batch: Batch, weights: jax.Array) -> jax.Array:
    log_probs = jax.nn.log_softmax(logits(params, batch.observations))
    # Not take_along_axis, whose derivative writes number by number.
    taken = (log_probs * jax.nn.one_hot(batch.actions, log_probs.shape[-1])).sum(axis=-1)
    return -(weights * taken).sum() / batch.mask.shape[1]


@partial(jax.jit, static_argnames=("environment", "settings"))
def train(environment: Environment, settings: Settings, random_key: jax.Array) -> Trained:
    """REINFORCE from initial parameters to the target, or to `max_updates`: all of it one compiled function.

    When `check_every` batches of the sampled policy have a mean return of `target`, the next batch is greedy
    and not learned from; training ends if its mean return is `target` as well.
    jax.vmap(train, (None, None, 0)) trains one agent per key.
    """
    # Flattened, the optimiser is a few operations on one vector, and not on each array of parameters.
    optimiser = optax.flatten(optax.adam(settings.learning_rate))
    init_key, random_key = jax.random.split(random_key)
    params = initial_params(environment, settings.hidden, init_key)

    def unfinished(carry):
        trained = carry[-1]
        return ~trained.solved & (trained.n_updates < settings.max_updates)

    def advance(carry):
        random_key, testing, state, (params, curve, steps, i, _) = carry
        random_key, key = jax.random.split(random_key)
        # One rollout for both purposes: with one for each there would be twice as much to compile.
        batch = rollout(environment, params, key, settings.n_episodes, greedy=testing)
        mean = batch.rewards.sum() / settings.n_episodes
        changes, new_state = optimiser.update(jax.grad(_loss)(params, batch, _weights(batch)), state)
        learned = (
            new_state,
            optax.apply_updates(params, changes),
            curve.at[i].set(mean),
            steps.at[i].set(steps.max() + batch.mask.sum().astype(jnp.int32)),
            i + 1,
        )
        state, params, curve, steps, i = jax.tree.map(
            lambda old, new: jnp.where(testing, old, new), (state, params, curve, steps, i), learned
        )
        first = jnp.maximum(i - settings.check_every, 0)
        recent = jax.lax.dynamic_slice(curve, (first,), (settings.check_every,)).mean()
        due = ~testing & (i % settings.check_every == 0) & (recent >= settings.target)
        solved = testing & (mean >= settings.target)
        return random_key, due, state, Trained(params, curve, steps, i, solved)

    nothing = Trained(
        params,
        jnp.full(settings.max_updates, jnp.nan),
        jnp.zeros(settings.max_updates, jnp.int32),
        jnp.int32(0),
        jnp.zeros((), bool),
    )
    carry = random_key, jnp.zeros((), bool), optimiser.init(params), nothing
    return jax.lax.while_loop(unfinished, advance, carry)[-1]
