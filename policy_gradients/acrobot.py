"""Acrobot-v1 in JAX: two links and one motor, in the joint between them, that has to swing the end up.

The dynamics are those of Gymnasium's Acrobot-v1 (Sutton, 1996; equations of Sutton and Barto's book, one
fourth-order Runge-Kutta step of 0.2 s), in float32 instead of float64. Masses and lengths are 1, so
they do not appear. Made for `policy_gradients.on_device`, whose protocol `Environment` it follows.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

__all__ = ["MAX_STEPS", "N_ACTIONS", "OBSERVATION_SIZE", "observe", "start", "step"]

MAX_STEPS = 500  # Acrobot-v1 truncates here
N_ACTIONS = 3
OBSERVATION_SIZE = 6

_GRAVITY, _TIME_STEP = 9.8, 0.2
_MAX_SPINS = 4 * jnp.pi, 9 * jnp.pi


def start(random_key: jax.Array, shape: tuple[int, ...] = ()) -> jax.Array:
    """(4, *shape) first states: two angles and their velocities, each uniform in [-0.1, 0.1).

    The first angle is 0 where the upper link hangs, the second where the links are in line.
    """
    return jax.random.uniform(random_key, (4, *shape), minval=-0.1, maxval=0.1)


def observe(state: jax.Array) -> jax.Array:
    """(6, ...) cosine and sine of the first angle, of the second, and both angular velocities."""
    first, second, *spins = state
    return jnp.stack([jnp.cos(first), jnp.sin(first), jnp.cos(second), jnp.sin(second), *spins])


def step(state: jax.Array, action: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """One step of 0.2 s: (next state (4, ...), reward, terminated).

    state : (4, ...); action : 0, 1 or 2, a torque of -1, 0 or 1. Terminated when the end of the lower link is
    more than one link above the fixed joint. The reward is -1, and 0 for the step that terminates.
    """
    torque = action - 1.0
    half = _TIME_STEP / 2
    slope_1 = _derivative(state, torque)
    slope_2 = _derivative(state + half * slope_1, torque)
    slope_3 = _derivative(state + half * slope_2, torque)
    slope_4 = _derivative(state + _TIME_STEP * slope_3, torque)
    first, second, *spins = state + _TIME_STEP / 6 * (slope_1 + 2 * slope_2 + 2 * slope_3 + slope_4)
    spins = [jnp.clip(spin, -limit, limit) for spin, limit in zip(spins, _MAX_SPINS, strict=True)]
    terminated = -jnp.cos(first) - jnp.cos(first + second) > 1
    return jnp.stack([_wrapped(first), _wrapped(second), *spins]), terminated - 1.0, terminated


def _derivative(state: jax.Array, torque: jax.Array) -> jax.Array:
    """(4, ...) velocities and accelerations of the two angles."""
    first, second, spin_1, spin_2 = state
    sine, cosine = jnp.sin(second), jnp.cos(second)
    inertia, coupling = 3.5 + cosine, 1.25 + cosine / 2
    lower = _GRAVITY / 2 * jnp.sin(first + second)
    upper = 1.5 * _GRAVITY * jnp.sin(first) + lower - (spin_2 / 2 + spin_1) * spin_2 * sine
    push = torque + coupling / inertia * upper - spin_1**2 * sine / 2 - lower
    acceleration_2 = push / (1.25 - coupling**2 / inertia)
    acceleration_1 = -(coupling * acceleration_2 + upper) / inertia
    return jnp.stack([spin_1, spin_2, acceleration_1, acceleration_2])


def _wrapped(angle: jax.Array) -> jax.Array:
    """The same angle between -pi and pi."""
    return jnp.remainder(angle + jnp.pi, 2 * jnp.pi) - jnp.pi
