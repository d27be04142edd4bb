"""Collecting in the learner's own process."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator

import gymnasium as gym
import numpy as np
import torch

from policy_gradients.rollout import collecting
from policy_gradients.rollout.actor import Actor
from policy_gradients.rollout.fragment import Fragment, allocate, collate, require_pinning_possible
from policy_gradients.rollout.iterator import as_rollout

__all__ = ["rollout"]


@as_rollout
def rollout(
    factory: Callable[[], gym.Env],
    actor: Actor,
    n_steps: int,
    n_envs: int,
    *,
    seed: int | None = None,
    sticky: bool = False,
    pinned: bool = False,
    close: bool = True,
    device: torch.device | str = "cpu",
) -> Generator[Fragment | None]:
    """Fragments of n_steps steps from n_envs environments, collected when they are asked for, without end.

    factory : makes one environment
    actor : is asked itself, so each fragment is collected with its weights of that moment; it must be on
        `device`, to which the fragments go as well
    seed : environment i is first reset with seed + i, and actions are drawn from seed; None: unpredictable
    sticky : an environment whose episode has ended stands still until the end of the fragment (see
        `Fragment.mask`), so that no memory is cleared within one, as fast recurrent networks need it
    pinned : fragments pass through page-locked memory on their way to a CUDA device
    close : close the environments at the end

    Each fragment is the caller's to keep. Close the iterator, or use it in a `with` block.
    """
    device = torch.device(device)
    require_pinning_possible(pinned)
    environments = collecting.make(factory, n_envs)
    try:
        collector = collecting.Collector(environments, actor, seed, sticky, device)
        fragment = allocate(*collector.example(), n_steps, n_envs, np.zeros)
        yield None
        for version in itertools.count():
            fragment.version[:] = version
            collector.collect(fragment)
            yield collate([fragment], device, pinned)
    finally:
        if close:
            collecting.close(environments)
