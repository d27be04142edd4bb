"""Collecting in several worker processes, whose fragments are put together into batches."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Generator

import gymnasium as gym
import torch

from policy_gradients.rollout import collecting, nested
from policy_gradients.rollout.actor import Actor
from policy_gradients.rollout.fragment import Fragment, allocate, collate, require_pinning_possible
from policy_gradients.rollout.iterator import as_rollout
from policy_gradients.rollout.pool import Pool
from policy_gradients.rollout.shared import SharedArray, Slot, named_tensors
from policy_gradients.rollout.worker import Task

__all__ = ["rollout"]


@as_rollout
def rollout(
    factory: Callable[[], gym.Env],
    actor: Actor,
    n_steps: int,
    *,
    n_actors: int,
    n_per_actor: int,
    n_buffers: int | None = None,
    n_per_batch: int | None = None,
    seed: int | None = None,
    sticky: bool = False,
    pinned: bool = False,
    close: bool = True,
    start_method: str | None = None,
    device: torch.device | str = "cpu",
) -> Generator[Fragment | None]:
    """Batches of fragments from n_actors workers, each with an actor of its own and n_per_actor environments.

    A batch joins the first n_per_batch fragments that are ready (default: n_actors) along the second axis, so
    N = n_per_batch * n_per_actor. Which workers they are from depends on the workers' speed; with more than
    one, results are not reproducible to the bit.

    n_buffers : how many fragments there is room for; at least n_actors and n_per_batch. By default twice the
        greater of them, so that workers can be one batch ahead. More buffers mean less waiting and older
        weights: a buffer is filled with the weights of the moment when it was freed, by the request that
        follows the one that it served
    seed : environment i of worker w is first reset with seed + w * n_per_actor + i; None: unpredictable
    start_method : "fork", "spawn" or "forkserver". The default is "fork" on Linux, else "spawn"; actors on
        a CUDA device cannot be forked. Functions and classes of a notebook work with all of them
    device : where batches go. The workers compute on the CPU, each on one core

    The other arguments are those of `same.rollout`. A worker that fails ends the iteration with a
    `WorkerError` that shows its traceback. Close the iterator, or use it in a `with` block.
    """
    n_per_batch = n_per_batch or n_actors
    n_buffers = n_buffers or 2 * max(n_actors, n_per_batch)
    if n_buffers < max(n_actors, n_per_batch):
        raise ValueError(
            f"{n_buffers} buffers are too few: each of {n_actors} workers fills one, and the {n_per_batch} "
            "fragments of a batch are kept until it is complete."
        )
    task = Task(factory, actor, n_per_actor, seed, sticky, close, torch.device("cpu"))
    return batches(
        task, n_steps, n_actors, n_buffers, n_per_batch, start_method, torch.device(device), pinned
    )


def batches(
    task: Task,
    n_steps: int,
    n_workers: int,
    n_buffers: int,
    n_per_batch: int,
    start_method: str | None,
    device: torch.device,
    pinned: bool,
) -> Generator[Fragment | None]:
    """None when the workers have been started, and then batches of n_per_batch fragments."""
    require_pinning_possible(pinned)
    learner = task.actor
    task = task._replace(actor=copy.deepcopy(learner).to("cpu"))
    pool = Pool(task, shared_slots(task, n_steps, n_buffers))
    free, full = list(range(n_buffers)), []
    try:
        pool.start(n_workers, start_method)
        yield None
        for version in itertools.count():
            for number in free:
                pool.slots[number].put_weights(learner, version)
                pool.submit(number)
            while len(full) < n_per_batch:
                full += pool.receive()
            free, full = full[:n_per_batch], full[n_per_batch:]
            # They go back to the workers at the next request only, with what the learner has learned by then.
            yield collate([pool.slots[number].fragment for number in free], device, pinned)
    finally:
        pool.stop()


def shared_slots(task: Task, n_steps: int, n_buffers: int) -> list[Slot]:
    """Slots whose leaves are `SharedArray`. One environment is made here, to see which shapes they need."""
    environments = collecting.make(task.factory, 1)
    try:
        example = collecting.Collector(environments, task.actor, task.seed).example()
    finally:
        if task.close:
            collecting.close(environments)
    weights = {name: nested.as_array(tensor) for name, tensor in named_tensors(task.actor)}
    return [
        Slot(
            allocate(*example, n_steps, task.n_envs, SharedArray),
            nested.map(lambda array: SharedArray(array.shape, array.dtype), weights),
        )
        for _ in range(n_buffers)
    ]
