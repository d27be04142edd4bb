"""The worker process: it fills the slots that it is given, in turn, until it is told to stop."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

import cloudpickle
import gymnasium as gym
import torch

from policy_gradients.rollout import collecting
from policy_gradients.rollout.actor import Actor
from policy_gradients.rollout.shared import SharedArray, Slot, rebuild


class Task(NamedTuple):
    """What a worker needs to know. It is pickled by cloudpickle, which knows a notebook's functions too."""

    factory: Callable[[], gym.Env]
    actor: Actor
    n_envs: int
    seed: int | None
    sticky: bool
    close: bool
    device: torch.device
    structure: Slot | None = None  # a slot with None for each leaf

    def packed(self) -> bytes:
        return cloudpickle.dumps(self)


def work(connection: Connection, packed: bytes, memory: Sequence[Sequence[SharedArray]]) -> None:
    """Run a worker: receive the numbers of slots, fill them, and send the numbers back.

    None, or the end of the learner's process, ends it. If it fails it sends its traceback, as a text.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the learner, which then stops the workers
    try:
        torch.set_num_threads(1)  # the processes are the parallelism
        _fill_slots(connection, cloudpickle.loads(packed), memory)
    except BaseException as error:
        _tell(connection, (f"{type(error).__name__}: {error}", traceback.format_exc()))
        raise SystemExit(1) from None


def _fill_slots(connection: Connection, task: Task, memory: Sequence[Sequence[SharedArray]]) -> None:
    slots = [rebuild(task.structure, arrays) for arrays in memory]
    actor = task.actor.to(task.device)
    environments = collecting.make(task.factory, task.n_envs)
    try:
        collector = collecting.Collector(environments, actor, task.seed, task.sticky, task.device)
        while (number := _next_number(connection)) is not None:
            slots[number].take_weights(actor)
            collector.collect(slots[number].fragment)
            _tell(connection, number)
    finally:
        if task.close:
            collecting.close(environments)


def _next_number(connection: Connection) -> int | None:
    """The number of the slot to fill, or None when there is nothing more to do."""
    parent = multiprocessing.parent_process()
    if connection not in wait([connection, parent.sentinel]):
        return None
    try:
        return connection.recv()
    except EOFError:
        return None


def _tell(connection: Connection, message: Any) -> None:
    with contextlib.suppress(OSError):  # where nobody is left to listen, the next wait says so
        connection.send(message)
