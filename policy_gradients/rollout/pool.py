"""The worker processes as the learner's process sees them: start, hand out slots, receive them, stop."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import NamedTuple

import torch

from policy_gradients.parallel import WorkerError
from policy_gradients.rollout import nested
from policy_gradients.rollout.shared import Slot
from policy_gradients.rollout.worker import Task, work

_SECONDS_TO_STOP = 5.0


class Member(NamedTuple):
    process: BaseProcess
    connection: Connection
    waiting: list[int]  # the numbers of the slots that it has been given and has not sent back


class Pool:
    """Workers, none at first, and the slots that they fill.

    slots : their leaves are `SharedArray`; the attribute of this name has arrays instead
    """

    def __init__(self, task: Task, slots: Sequence[Slot]) -> None:
        self.slots = [nested.map(lambda shared: shared.array(), slot) for slot in slots]
        self._memory = [list(nested.leaves(slot)) for slot in slots]
        self._task = task._replace(structure=nested.map(lambda _: None, slots[0]))
        self._members: list[Member] = []
        self._owner = os.getpid()

    def start(self, n_workers: int, start_method: str | None) -> None:
        """Start the workers; worker w gets the seed of the task plus w * n_envs."""
        context = _context(start_method, self._task.device)
        with _interrupts_later():
            for number in range(n_workers):
                self._start_worker(context, number)

    def _start_worker(self, context: BaseContext, number: int) -> None:
        seed = None if self._task.seed is None else self._task.seed + number * self._task.n_envs
        ours, theirs = context.Pipe()
        process = context.Process(
            target=work,
            args=(theirs, self._task._replace(seed=seed).packed(), self._memory),
            name=f"rollout worker {number}",
            daemon=True,
        )
        with theirs:
            process.start()
        self._members.append(Member(process, ours, []))

    def submit(self, number: int) -> None:
        """Give slot `number` to the worker that has the fewest."""
        member = min(self._members, key=lambda member: len(member.waiting))
        member.waiting.append(number)
        with contextlib.suppress(OSError):  # where it is gone, `receive` tells why
            member.connection.send(number)

    def receive(self) -> list[int]:
        """Wait for slots to be filled, and return their numbers. Raises WorkerError if a worker failed."""
        sources = {member.connection: member for member in self._members}
        sources |= {member.process.sentinel: member for member in self._members}
        ready = {id(sources[source]): sources[source] for source in wait(list(sources))}
        return [self._take(member) for member in ready.values()]

    def _take(self, member: Member) -> int:
        """What a worker has to say: the number of a slot. Raises WorkerError if it has failed instead."""
        try:
            message = member.connection.recv() if member.connection.poll() else None
        except (EOFError, OSError):
            message = None
        if message is None:
            raise WorkerError(_last_words(member))
        if isinstance(message, int):
            member.waiting.remove(message)
            return message
        summary, traceback = message
        raise WorkerError(f"{_name(member)} raised {summary}\n\nIts traceback:\n{traceback}")

    def stop(self) -> None:
        """Ask the workers to stop, give them some seconds, then end those that are left."""
        if os.getpid() != self._owner:  # a fork of this process inherits the object, but not the workers
            return
        members, self._members = self._members, []
        for member in members:
            with contextlib.suppress(OSError):
                member.connection.send(None)
        deadline = time.monotonic() + _SECONDS_TO_STOP
        with _interrupts_later():
            for member in members:
                member.process.join(max(0.0, deadline - time.monotonic()))
                member.process.kill()
                member.process.join()
                member.process.close()
                member.connection.close()


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    """Ctrl-C waits, so that no process is forgotten, and none that is starting shows its own traceback."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context(start_method: str | None, device: torch.device) -> BaseContext:
    on_gpu = device.type != "cpu"
    if start_method == "fork" and on_gpu:
        raise ValueError(f"A forked process cannot use {device}: choose start_method='spawn'.")
    default = "fork" if sys.platform == "linux" and not on_gpu else "spawn"
    return multiprocessing.get_context(start_method or default)


def _last_words(member: Member) -> str:
    member.process.join()
    code = member.process.exitcode
    if code >= 0:
        return f"{_name(member)} ended by itself, with exit code {code}."
    name = signal.Signals(-code).name
    hint = " It may have used more memory than there is." if name == "SIGKILL" else ""
    return f"{_name(member)} was killed by {name}.{hint}"


def _name(member: Member) -> str:
    return f"{member.process.name} (process {member.process.pid})"
