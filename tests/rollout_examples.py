"""An environment and actors for the tests of rollouts, whose every number is known beforehand."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from policy_gradients.rollout import Actor


class Place(NamedTuple):
    row: np.ndarray
    column: int


class Corridor(gym.Env):
    """Episodes are over after 3, 4 and 5 steps, in turn; those of 4 steps are truncated, others terminated.

    An observation tells environment, episode and step, as a tree; the reward of a step is its action plus a
    tenth of the number of the step. So no two steps of one environment look the same.
    """

    lengths = (3, 4, 5)
    action_space = spaces.Dict({"move": spaces.Discrete(7), "push": spaces.Box(-9, 9, (2,), np.float32)})
    observation_space = spaces.Discrete(1)  # what is observed is a tree, and nobody asks the space

    def __init__(self):
        self.name, self.episode, self.closed = -1, -1, False

    def reset(self, *, seed=None, options=None):
        self.name = seed if seed is not None else self.name
        self.episode += 1
        self.step_number = 0
        return self.observe(), {}

    def step(self, action):
        assert isinstance(action["move"], int) and action["push"].shape == (2,)
        self.step_number += 1
        over = self.step_number == self.lengths[self.episode % 3]
        reward = action["move"] + self.step_number / 10
        return self.observe(), reward, over and self.episode % 3 != 1, over and self.episode % 3 == 1, {}

    def observe(self):
        place = Place(np.array([self.name, self.episode], np.float32), self.step_number)
        return {"place": place, "seen": (self.step_number % 2 == 0, [np.float64(self.episode)])}

    def close(self):
        assert not self.closed
        self.closed = True


class Walker(Actor):
    """Counts the steps of an episode in its memory; what it does and says follows from count and column."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def initial_state(self, n):
        return {"count": torch.zeros(1, n, 1)}

    def forward(self, inputs, state):
        rows = []
        count = state["count"]
        for column, first in zip(inputs.observation["place"].column, inputs.first, strict=True):
            count = torch.where(first[None, :, None], 0.0, count) + 1
            rows.append((count[0, :, 0], column))
        count_so_far, column = (torch.stack(parts) for parts in zip(*rows, strict=True))
        value = 100 * count_so_far + column + self.weight
        said = self.weight.expand(value.shape)
        return {"value": value, "nested": [count_so_far, (said,)]}, {"count": count}

    def act(self, outputs, generator):
        count = outputs["nested"][0]
        return {"move": count.long() % 7, "push": torch.stack([count, -count], dim=-1)}


class Cart(Actor):
    """A categorical policy and a value for CartPole, with a GRU between them and the observation."""

    def __init__(self):
        super().__init__()
        self.memory = nn.GRU(4 + 2 + 1, 8)
        self.policy, self.critic = nn.Linear(8, 2), nn.Linear(8, 1)

    def initial_state(self, n):
        return torch.zeros(1, n, 8)

    def forward(self, inputs, state):
        before = nn.functional.one_hot(inputs.action, 2)
        going_on = ~inputs.first.unsqueeze(-1)
        features = torch.cat(
            [inputs.observation, before * going_on, inputs.reward.unsqueeze(-1) * going_on], dim=-1
        )
        rows = []
        for row, first in zip(features, inputs.first, strict=True):
            hidden, state = self.memory(row[None], self.reset(state, first))
            rows.append(hidden)
        hidden = torch.cat(rows)
        return {"logits": self.policy(hidden), "value": self.critic(hidden).squeeze(-1)}, state


def cartpole():
    return gym.make("CartPole-v1", max_episode_steps=30)
