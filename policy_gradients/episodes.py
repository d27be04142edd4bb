"""Batches of complete episodes, and playing them in Gymnasium's environments.

Shapes: T steps (the longest an episode may be), N episodes, D numbers in an observation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

__all__ = ["Episodes", "make_environments", "play", "uniformly_random"]


class Episodes(NamedTuple):
    """N episodes side by side, each padded to T steps.

    observations : (T, N, D) floats; row t is what the policy saw when it chose actions[t]
    actions : (T, N) integers
    rewards : (T, N) floats, 0 where padded
    mask : (T, N) floats, 1 for a step that was taken (the one that ends the episode included), else 0
    terminated : (N,) bool, the task itself ended the episode
    truncated : (N,) bool, the time limit cut it off; an episode may be both
    """

    observations: Any
    actions: Any
    rewards: Any
    mask: Any
    terminated: Any
    truncated: Any

    @property
    def lengths(self) -> np.ndarray:
        """(N,) the number of steps of each episode."""
        return np.asarray(self.mask).sum(axis=0).astype(int)

    @property
    def returns(self) -> np.ndarray:
        """(N,) the undiscounted return of each episode."""
        return np.asarray(self.rewards).sum(axis=0)


def make_environments(name: str, n_episodes: int, **options: Any) -> list[gym.Env]:
    """`n_episodes` separate environments of Gymnasium's `name`, to be played side by side."""
    return [gym.make(name, **options) for _ in range(n_episodes)]


def play(
    environments: Sequence[gym.Env], act: Callable[[np.ndarray], Any], seed: int | None = None
) -> Episodes:
    """One complete episode in each environment.

    act : maps the (N, D) observations of all environments to N actions. What it says for an environment
        whose episode has ended is ignored: only the live ones are stepped.
    seed : environment i is reset with seed + i, or continues its own random numbers when None

    Every environment plays exactly one episode, so that short episodes do not count more often than
    long ones. Raises ValueError for environments without a time limit.
    """
    n, limit = len(environments), _time_limit(environments)
    first = [env.reset(seed=None if seed is None else seed + i)[0] for i, env in enumerate(environments)]
    current = np.array(first, dtype=np.float32)
    observations = np.zeros((limit, *current.shape), np.float32)
    actions, rewards = np.zeros((limit, n), np.int32), np.zeros((limit, n), np.float32)
    mask = np.zeros((limit, n), np.float32)
    terminated, truncated = np.zeros(n, bool), np.zeros(n, bool)
    for t in range(limit):
        live = np.flatnonzero(~(terminated | truncated))
        if live.size == 0:
            break
        observations[t] = current
        actions[t] = np.asarray(act(current))
        mask[t, live] = 1
        for i in live:
            step = environments[i].step(actions[t, i])
            current[i], rewards[t, i], terminated[i], truncated[i] = step[:4]
    return Episodes(observations, actions, rewards, mask, terminated, truncated)


def _time_limit(environments: Sequence[gym.Env]) -> int:
    limits = {env.spec.max_episode_steps if env.spec else None for env in environments}
    if len(limits) != 1 or None in limits:
        raise ValueError("The environments need one common time limit: make them all with gymnasium.make.")
    return limits.pop()


def uniformly_random(n_actions: int, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """A policy for `play` that takes every action with the same probability: the baseline to beat."""
    rng = np.random.default_rng(seed)
    return lambda observations: rng.integers(n_actions, size=len(observations))
