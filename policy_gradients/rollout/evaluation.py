"""Complete episodes of an actor, of which only the rewards are kept."""

from __future__ import annotations

from collections.abc import Sequence

import gymnasium as gym
import numpy as np
import torch

from policy_gradients.rollout import nested
from policy_gradients.rollout.actor import Actor
from policy_gradients.rollout.collecting import start


def evaluate(
    environments: Sequence[gym.Env],
    actor: Actor,
    *,
    seed: int | None = None,
    n_steps: int | None = None,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """(T, N) float32 rewards of one episode in each of N environments; 0 after an episode's end.

    Their sum over the first axis is the undiscounted return. T is the length of the longest episode, or
    n_steps if that is less. After `actor.eval()` actions are the most probable ones, after `actor.train()`
    samples. Environment i is reset with seed + i, and actions are drawn from seed. Nothing is closed.
    """
    generator = torch.Generator(device)
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    inputs, state = start(environments, seed), actor.initial_state(len(environments))
    live, rows = np.ones(len(environments), bool), []
    while live.any() and (n_steps is None or len(rows) < n_steps):
        actions, state, _ = actor.step(inputs, state, generator)
        rewards, first = np.zeros_like(inputs.reward), np.zeros_like(inputs.first)
        inputs = inputs._replace(action=actions, reward=rewards, first=first)
        choices = nested.unstack(actions, len(environments))
        for i in np.flatnonzero(live):
            observation, rewards[i], terminated, truncated, _ = environments[i].step(choices[i])
            nested.write(inputs.observation, i, observation)
            live[i] = not (terminated or truncated)
        rows.append(rewards)
    return np.array(rows, np.float32).reshape(-1, len(environments))
