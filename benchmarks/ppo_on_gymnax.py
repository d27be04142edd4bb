"""PPO in the way of PureJaxRL: gymnax's CartPole-v1 and the training in one compiled function.

A peer of `benchmarks.on_device`. Network, optimiser and settings are those that PureJaxRL (Lu et al., 2022)
publishes for CartPole-v1. Only the end is different: it is at the bar and not after a number of steps.
It is asked for the bar as stable-baselines3's PPO is: its last 40 episodes first, then 100 greedy ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnax
import jax
import jax.numpy as jnp
import optax

N_ENVS, N_STEPS, MAX_UPDATES = 4, 128, 976  # half a million environment steps
EPOCHS, MINIBATCHES = 4, 4
GAMMA, LAMBDA, CLIP, ENTROPY, VALUE = 0.99, 0.95, 0.2, 0.01, 0.5
LEARNING_RATE, MAX_NORM = 2.5e-4, 0.5
RECENT, TESTS = 10, 100  # episodes of each environment that are asked for the bar; greedy episodes
ENVIRONMENT, SETTINGS = gymnax.make("CartPole-v1")


class Row(NamedTuple):
    """One step of all environments, or all steps of a batch."""

    observations: Any
    actions: Any
    log_probs: Any
    values: Any
    rewards: Any
    ended: Any


def network(random_key: jax.Array, n_outputs: int, scale: float) -> list[tuple[jax.Array, jax.Array]]:
    sizes, scales = [4, 64, 64, n_outputs], [2**0.5, 2**0.5, scale]
    keys = jax.random.split(random_key, 3)
    return [
        (jax.nn.initializers.orthogonal(size)(key, (before, after)), jnp.zeros(after))
        for key, before, after, size in zip(keys, sizes[:-1], sizes[1:], scales, strict=True)
    ]


def apply(layers: list[tuple[jax.Array, jax.Array]], x: jax.Array) -> jax.Array:
    *hidden, (weights, biases) = layers
    for layer, offset in hidden:
        x = jnp.tanh(x @ layer + offset)
    return x @ weights + biases


def log_prob(scores: jax.Array, actions: jax.Array) -> jax.Array:
    return jnp.take_along_axis(jax.nn.log_softmax(scores), actions[..., None], axis=-1)[..., 0]


def loss(params: Any, rows: Row, advantages: jax.Array, targets: jax.Array) -> jax.Array:
    actor, critic = params
    scores, values = apply(actor, rows.observations), apply(critic, rows.observations)[..., 0]
    ratios = jnp.exp(log_prob(scores, rows.actions) - rows.log_probs)
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    gains = jnp.minimum(ratios * advantages, jnp.clip(ratios, 1 - CLIP, 1 + CLIP) * advantages)
    near = rows.values + jnp.clip(values - rows.values, -CLIP, CLIP)
    errors = jnp.maximum((values - targets) ** 2, (near - targets) ** 2)
    log_probs = jax.nn.log_softmax(scores)
    entropy = -(jnp.exp(log_probs) * log_probs).sum(axis=-1)
    return -gains.mean() + VALUE * errors.mean() / 2 - ENTROPY * entropy.mean()


def advantages_of(rows: Row, last_values: jax.Array) -> jax.Array:
    def back(carry, row):
        advantages, following = carry
        goes_on = 1.0 - row.ended
        advantages = (
            row.rewards + GAMMA * following * goes_on - row.values + GAMMA * LAMBDA * goes_on * advantages
        )
        return (advantages, row.values), advantages

    return jax.lax.scan(back, (jnp.zeros(N_ENVS), last_values), rows, reverse=True)[1]


def step(random_key: jax.Array, states: Any, actions: jax.Array) -> tuple[Any, Any, jax.Array, jax.Array]:
    keys = jax.random.split(random_key, len(actions))
    seen, states, rewards, terminated, truncated, _ = jax.vmap(ENVIRONMENT.step, (0, 0, 0, None))(
        keys, states, actions, SETTINGS
    )
    return seen, states, rewards, terminated | truncated


def greedy_return(actor: Any, random_key: jax.Array) -> jax.Array:
    """Mean return of TESTS episodes."""

    def advance(carry, key):
        seen, states, live = carry
        seen, states, rewards, ended = step(key, states, apply(actor, seen).argmax(axis=-1))
        return (seen, states, live & ~ended), rewards * live

    start_key, random_key = jax.random.split(random_key)
    first = jax.vmap(ENVIRONMENT.reset, (0, None))(jax.random.split(start_key, TESTS), SETTINGS)
    _, rewards = jax.lax.scan(advance, (*first, jnp.ones(TESTS, bool)), jax.random.split(random_key, 500))
    return rewards.sum() / TESTS


def train(random_key: jax.Array, bar: float) -> tuple[jax.Array, jax.Array]:
    """(whether the bar was reached, environment steps taken); to be compiled as a whole."""
    n_parts = EPOCHS * MINIBATCHES
    rate = optax.schedules.linear_schedule(LEARNING_RATE, 0.0, MAX_UPDATES * n_parts)
    optimiser = optax.chain(optax.clip_by_global_norm(MAX_NORM), optax.adam(rate, eps=1e-5))
    actor_key, critic_key, start_key, random_key = jax.random.split(random_key, 4)
    params = network(actor_key, 2, 0.01), network(critic_key, 1, 1.0)
    first = jax.vmap(ENVIRONMENT.reset, (0, None))(jax.random.split(start_key, N_ENVS), SETTINGS)
    played = jnp.zeros(N_ENVS), jnp.zeros((N_ENVS, RECENT))

    def unfinished(carry):
        _, _, _, _, i, reached = carry
        return ~reached & (i < MAX_UPDATES)

    def update(carry):
        params, state, (seen, states), played, i, _ = carry
        play_key, shuffle_key, test_key = jax.random.split(jax.random.fold_in(random_key, i), 3)

        def advance(carry, key):
            (seen, states), (sums, recent) = carry
            act_key, step_key = jax.random.split(key)
            scores, values = apply(params[0], seen), apply(params[1], seen)[..., 0]
            actions = jax.random.categorical(act_key, scores)
            following, states, rewards, ended = step(step_key, states, actions)
            sums = sums + rewards
            recent = jnp.where(ended[:, None], jnp.c_[recent[:, 1:], sums], recent)
            row = Row(seen, actions, log_prob(scores, actions), values, rewards, ended)
            return ((following, states), (jnp.where(ended, 0.0, sums), recent)), row

        carry, rows = jax.lax.scan(advance, ((seen, states), played), jax.random.split(play_key, N_STEPS))
        (seen, states), played = carry
        advantages = advantages_of(rows, apply(params[1], seen)[..., 0])
        parts = jax.tree.map(
            lambda leaf: leaf.reshape(N_ENVS * N_STEPS, *leaf.shape[2:]),
            (rows, advantages, advantages + rows.values),
        )

        def learn(carry, indices):
            params, state = carry
            part = jax.tree.map(lambda leaf: leaf[indices], parts)
            changes, state = optimiser.update(jax.grad(loss)(params, *part), state)
            return (optax.apply_updates(params, changes), state), None

        order = jax.vmap(lambda key: jax.random.permutation(key, N_ENVS * N_STEPS))(
            jax.random.split(shuffle_key, EPOCHS)
        )
        (params, state), _ = jax.lax.scan(learn, (params, state), order.reshape(n_parts, -1))
        reached = jax.lax.cond(
            played[1].mean() >= bar, lambda: greedy_return(params[0], test_key) >= bar, lambda: False
        )
        return params, state, (seen, states), played, i + 1, reached

    carry = params, optimiser.init(params), first, played, jnp.int32(0), jnp.zeros((), bool)
    *_, i, reached = jax.lax.while_loop(unfinished, update, carry)
    return reached, i * N_ENVS * N_STEPS
