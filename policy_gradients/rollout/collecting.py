"""Stepping N environments with one actor, fragment after fragment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from policy_gradients.rollout import nested
from policy_gradients.rollout.actor import Actor
from policy_gradients.rollout.fragment import Fragment, Inputs


def make(factory: Callable[[], gym.Env], n: int) -> list[gym.Env]:
    """n environments, or none at all where one cannot be made."""
    environments: list[gym.Env] = []
    try:
        for _ in range(n):
            environments.append(factory())
    except BaseException:
        close(environments)
        raise
    return environments


def close(environments: Sequence[gym.Env]) -> None:
    for environment in environments:
        environment.close()


def start(environments: Sequence[gym.Env], seed: int | None) -> Inputs:
    """Reset all environments, number i with seed + i, and return the first inputs, (N, ...)."""
    n = len(environments)
    seeds = [None if seed is None else seed + i for i in range(n)]
    pairs = zip(environments, seeds, strict=True)
    observations = [environment.reset(seed=number)[0] for environment, number in pairs]
    action = environments[0].action_space.sample()
    return Inputs(
        observation=nested.stack(observations),
        action=nested.map(np.zeros_like, nested.stack([action] * n)),
        reward=np.zeros(n, np.float32),
        first=np.ones(n, bool),
    )


class Collector:
    """N environments and an actor, in the middle of whatever they are doing.

    environments : N of them; the collector does not close them
    actor : on `device`, where its samples are drawn too
    seed : environment i is first reset with seed + i, and actions are drawn from `seed`; None: unpredictable
    sticky : an environment whose episode has ended stands still until the fragment is full. Otherwise it is
        reset at once
    """

    def __init__(
        self,
        environments: Sequence[gym.Env],
        actor: Actor,
        seed: int | None,
        sticky: bool = False,
        device: torch.device | None = None,
    ) -> None:
        self.environments, self.actor, self.sticky = environments, actor, sticky
        self.generator = torch.Generator(device or "cpu")
        if seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(seed)
        self.inputs = start(environments, seed)
        self.state = actor.initial_state(len(environments))
        self.ended = np.zeros(len(environments), bool)

    def example(self) -> tuple[Inputs, dict[str, Any], Any]:
        """Inputs, outputs and state for `fragment.allocate`. Steps no environment and draws no number."""
        state = nested.map(nested.as_array, self.state)
        aside = torch.Generator(self.generator.device)
        actions, _, outputs = self.actor.step(self.inputs, self.state, aside)
        try:
            nested.map(lambda *_: None, self.inputs.action, actions)
        except ValueError as error:
            space = self.environments[0].action_space
            raise ValueError(f"The actor's actions are not built like those of {space}. {error}") from None
        return self.inputs, outputs, state

    def collect(self, fragment: Fragment) -> None:
        """Take T steps and overwrite `fragment`, whose leaves are NumPy arrays. Its version is left alone."""
        if self.sticky:
            self._reset_those_that_ended()
        nested.write(fragment.inputs, 0, self.inputs)
        nested.map(_overwrite, fragment.state, self.state)
        fragment.next_values[:] = 0
        n_steps = len(fragment.mask)
        for t in range(n_steps):
            self._step(fragment, t)
        self.inputs = nested.map(lambda leaf: leaf[n_steps].copy(), fragment.inputs)
        self._fill_what_follows(fragment)

    def _step(self, fragment: Fragment, t: int) -> None:
        """Take step t: read row t of the inputs, write row t + 1 of them and row t of everything else."""
        seen = nested.map(lambda leaf: leaf[t], fragment.inputs)
        actions, self.state, outputs = self.actor.step(seen, self.state, self.generator)
        nested.write(fragment.outputs, t, outputs)
        nested.write(fragment.inputs.action, t + 1, actions)
        fragment.mask[t] = ~self.ended
        fragment.inputs.first[t + 1] = False
        if not self._step_environments(fragment, t, nested.unstack(actions, len(self.environments))):
            return
        self._value_final_observations(fragment, t)
        ended = fragment.terminated[t] | fragment.truncated[t]
        if self.sticky:
            self.ended |= ended
        else:
            fragment.inputs.first[t + 1] = ended
            self.state = self.actor.reset(self.state, ended)

    def _step_environments(self, fragment: Fragment, t: int, actions: list[Any]) -> bool:
        """Step those whose episode goes on; whether any has ended it now."""
        observed = fragment.inputs.observation
        following = nested.map(lambda leaf: leaf[t + 1], observed)
        # One plain array is by far the most common tree, and this loop runs for every environment and step.
        put = following.__setitem__ if isinstance(following, np.ndarray) else partial(nested.write, following)
        n, standing = len(self.environments), self.ended.tolist()
        rewards, terminated, truncated = [0.0] * n, [False] * n, [False] * n
        for i, environment in enumerate(self.environments):
            if standing[i]:
                put(i, nested.map(lambda leaf, i=i: leaf[t, i], observed))
                continue
            observation, rewards[i], terminated[i], truncated[i], _ = environment.step(actions[i])
            if terminated[i] or truncated[i]:
                nested.write(fragment.next_observations, (t, i), observation)
                observation = observation if self.sticky else environment.reset()[0]
            put(i, observation)
        fragment.inputs.reward[t + 1] = rewards
        fragment.terminated[t], fragment.truncated[t] = terminated, truncated
        return any(terminated) or any(truncated)

    def _value_final_observations(self, fragment: Fragment, t: int) -> None:
        """Where step t was truncated, the value of what it led to, which no later step will tell."""
        cut = fragment.truncated[t] & ~fragment.terminated[t]
        if "value" not in fragment.outputs or not cut.any():
            return

        def final(following: np.ndarray, led_to: np.ndarray) -> np.ndarray:
            return np.where(_beside(cut, led_to[t]), led_to[t], following[t + 1])

        inputs = Inputs(
            nested.map(final, fragment.inputs.observation, fragment.next_observations),
            nested.map(lambda leaf: leaf[t + 1], fragment.inputs.action),
            fragment.inputs.reward[t + 1],
            np.zeros_like(cut),
        )
        fragment.next_values[t, cut] = self.actor.value(inputs, self.state)[cut]

    def _fill_what_follows(self, fragment: Fragment) -> None:
        """next_observations and next_values of all steps that ended nothing."""
        unended = ~(fragment.terminated | fragment.truncated)

        def fill(led_to: np.ndarray, observed: np.ndarray) -> None:
            np.copyto(led_to, observed[1:], where=_beside(unended, led_to))

        nested.map(fill, fragment.next_observations, fragment.inputs.observation)
        if "value" not in fragment.outputs:
            return
        last = self.actor.value(self.inputs, self.state)
        following = np.concatenate([fragment.outputs["value"][1:], last[None]])
        np.copyto(fragment.next_values, following, where=unended & fragment.mask)

    def _reset_those_that_ended(self) -> None:
        if not self.ended.any():
            return
        for i in np.flatnonzero(self.ended):
            nested.write(self.inputs.observation, i, self.environments[i].reset()[0])
        self.inputs.first[:] = self.ended
        self.state = self.actor.reset(self.state, self.ended)
        self.ended[:] = False


def _overwrite(array: np.ndarray, leaf: Any) -> None:
    array[...] = nested.as_array(leaf)


def _beside(flags: np.ndarray, array: np.ndarray) -> np.ndarray:
    """`flags` with as many axes as `array`."""
    return flags.reshape(flags.shape + (1,) * (array.ndim - flags.ndim))
