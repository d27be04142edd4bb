"""CartPole-v1 in JAX: a whole batch of episodes in one compiled call.

The dynamics are those of Gymnasium's CartPole-v1 (Barto, Sutton and Anderson, 1983, with Florian's
corrected equations and Euler steps), in float32 instead of float64. Gymnasium has a functional
version as well; it needs Flax, which nothing else here does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from policy_gradients.episodes import Episodes

__all__ = ["MAX_STEPS", "N_ACTIONS", "OBSERVATION_SIZE", "observe", "play", "start", "step"]

MAX_STEPS = 500  # CartPole-v1 truncates here
N_ACTIONS = 2
OBSERVATION_SIZE = 4

_GRAVITY, _FORCE, _TIME_STEP = 9.8, 10.0, 0.02
_POLE_MASS, _TOTAL_MASS, _HALF_LENGTH = 0.1, 1.1, 0.5
_POSITION_LIMIT, _ANGLE_LIMIT = 2.4, 12 * 2 * jnp.pi / 360


def start(random_key: jax.Array, shape: tuple[int, ...] = ()) -> jax.Array:
    """(4, *shape) first states: position, velocity, angle and its velocity, uniform in [-0.05, 0.05)."""
    return jax.random.uniform(random_key, (4, *shape), minval=-0.05, maxval=0.05)


def observe(state: jax.Array) -> jax.Array:
    """The state itself: all of it is observed."""
    return state


def step(state: jax.Array, action: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """One step of 0.02 s: (next state (4, ...), reward, terminated).

    state : (4, ...), also the observation; action : 0 pushes to the left, 1 to the right. The reward is 1
    for every step, also for the one that terminates the episode. Knows no time limit: see `play`.
    """
    x, velocity, angle, spin = state
    force = jnp.where(action == 1, _FORCE, -_FORCE)
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    push = (force + _POLE_MASS * _HALF_LENGTH * spin**2 * sine) / _TOTAL_MASS
    spin_up = (_GRAVITY * sine - cosine * push) / (
        _HALF_LENGTH * (4 / 3 - _POLE_MASS * cosine**2 / _TOTAL_MASS)
    )
    acceleration = push - _POLE_MASS * _HALF_LENGTH * spin_up * cosine / _TOTAL_MASS
    change = jnp.stack([velocity, acceleration, spin, spin_up])
    following = state + _TIME_STEP * change
    terminated = (jnp.abs(following[0]) > _POSITION_LIMIT) | (jnp.abs(following[2]) > _ANGLE_LIMIT)
    return following, jnp.float32(1), terminated


@partial(jax.jit, static_argnames=("act", "n_episodes"))
def play(
    act: Callable[[Any, jax.Array, jax.Array], jax.Array], params: Any, random_key: jax.Array, n_episodes: int
) -> Episodes:
    """`n_episodes` complete episodes of at most 500 steps, as `Episodes` of JAX arrays.

    act(params, random_key, observation) gives the action for one observation (4,). It is compiled:
    it must stay in JAX. As in Gymnasium, an episode that reaches step 500 is truncated, and terminated
    as well if it fails in that very step.
    """
    start_key, random_key = jax.random.split(random_key)

    def advance(carry, key):
        states, live = carry
        actions = jax.vmap(act, (None, 0, 0))(params, jax.random.split(key, n_episodes), states)
        following, rewards, ended = jax.vmap(step)(states, actions)
        record = states, actions, jnp.where(live, rewards, 0.0), live, live & ended
        return (jnp.where(live[:, None], following, states), live & ~ended), record

    states = jax.vmap(start)(jax.random.split(start_key, n_episodes))
    carry = states, jnp.ones(n_episodes, bool)
    _, records = jax.lax.scan(advance, carry, jax.random.split(random_key, MAX_STEPS))
    observations, actions, rewards, live, ended = records
    return Episodes(observations, actions, rewards, live.astype(jnp.float32), ended.any(axis=0), live[-1])
