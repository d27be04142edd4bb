"""Collecting in one worker process, while the learner uses the fragment before."""

from __future__ import annotations

from collections.abc import Callable, Generator

import gymnasium as gym
import torch

from policy_gradients.rollout.actor import Actor
from policy_gradients.rollout.fragment import Fragment
from policy_gradients.rollout.iterator import as_rollout
from policy_gradients.rollout.multi import batches
from policy_gradients.rollout.worker import Task

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
    start_method: str | None = None,
    device: torch.device | str = "cpu",
) -> Generator[Fragment | None]:
    """Fragments as `same.rollout` gives them, but collected in a worker process and double-buffered.

    While the learner uses one fragment, the worker fills the other buffer. Asking for a fragment frees the
    buffer of the one before, and it is with the learner's weights of this moment that the worker's copy of
    the actor fills it next. So each fragment but the first is one request old: `Fragment.version`.
    With a seed and weights that do not change, the fragments equal those of `same.rollout`.

    device : where the worker's actor computes, and where fragments go
    start_method, and the errors of the worker : as for `multi.rollout`; the rest as for `same.rollout`
    """
    device = torch.device(device)
    task = Task(factory, actor, n_envs, seed, sticky, close, device)
    return batches(task, n_steps, 1, 2, 1, start_method, device, pinned)
