"""Hands the judging of submissions to processes on this machine, or to a dask.distributed cluster.

Only a few jobs are on their way at any time, so a class of any size takes little memory. A
process that judges runs no student code itself: that is in the sandbox that it starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import itertools
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Protocol

from rich.console import Console

from autograder import sandbox
from autograder.judging import judge_submission
from autograder.master import Master
from autograder.student import Limits
from autograder.verdicts import Judged, QuestionVerdict, SubmissionVerdict, engine_version

_ATTEMPTS = 3
_CONNECT_SECONDS = 10.0
_LARGE = "distributed.admin.large-graph-warning-threshold"  # notebooks may be larger than Dask likes to see
_one_at_a_time = threading.Lock()


class NoCluster(RuntimeError):
    """The cluster cannot be used, or was lost; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A submission to judge, with all that its verdict depends on; engine: see `engine_version`."""

    student: str
    content: bytes
    master: Master
    seed: int
    limits: Limits
    engine: str


class Crew(Protocol):
    """Processes that judge."""

    def resolve(self, kind: str) -> str:
        """The sandbox that the option `kind` means where the jobs run. Raises NoSandbox."""

    def judge(self, jobs: Iterable[Job]) -> Iterator[Judged]:
        """Verdicts in the order in which they are finished; jobs are taken as they can be worked on."""


@contextlib.contextmanager
def crew(processes: int | None, scheduler: str | None) -> Iterator[Crew]:
    """Local processes (default: one per core), or the cluster of a scheduler. Raises NoCluster."""
    if scheduler is None:
        yield Local(processes or os.cpu_count() or 1)
        return
    with contextlib.closing(Cluster(scheduler)) as cluster:
        yield cluster


def judge(job: Job) -> Judged:
    """The verdict on a submission; the grader's own trouble gives the status "crashed", with the reason."""
    for _ in range(_ATTEMPTS):
        try:
            return judge_submission(job.student, job.content, _kept(job.master), job.seed, job.limits)
        except Exception as error:
            last = error
    return _failed(job.student, job.master, last)


def judge_elsewhere(job: Job) -> Judged:
    """As `judge`, on a machine that may differ from the one that sent the job."""
    with _one_at_a_time:  # a Dask worker may have several threads, but there is one warm template
        problem = _unfit(job)
        return crashed(job.student, job.master, problem) if problem else judge(job)


def _unfit(job: Job) -> str:
    """Why this machine must not run the job: it would judge otherwise, or isolate less."""
    if job.engine != engine_version():
        return "a worker has another version of the autograder or of policy_gradients"
    try:
        found = sandbox.resolve(job.limits.sandbox)
    except sandbox.NoSandbox as error:
        return "a worker cannot isolate student code: " + str(error).partition("\n")[0]
    wanted = job.limits.sandbox
    return "" if found == wanted else f"a worker isolates student code by {found!r} instead of {wanted!r}"


@functools.lru_cache(maxsize=4)
def _kept(master: Master) -> Master:
    """An equal master that has been parsed already, if this process has seen one."""
    return master


def _failed(student: str, master: Master, error: BaseException) -> Judged:
    """The row after an error of the grader's own, whose text could tell what a hidden test asks."""
    return crashed(student, master, type(error).__name__, "".join(traceback.format_exception(error)))


def crashed(student: str, master: Master, reason: str, trouble: str = "") -> Judged:
    """The row of a submission that the grader could not judge; the next run tries again.

    trouble: for the instructor only, such as a traceback.
    """
    text = f"The grader could not judge this notebook ({reason}); an instructor has to look at it."
    questions = tuple(
        QuestionVerdict(
            name=question.name,
            points=0.0,
            max_points=question.points,
            status="error",
            message="The grader could not judge this; your answer is not the reason.",
            needs_review=True,
        )
        for question in master.questions
    )
    verdict = SubmissionVerdict(
        student=student, score=0.0, status="crashed", questions=questions, faults=(text,), notices=(text,)
    )
    return Judged(verdict=verdict, trouble=trouble or reason)


class Local:
    """Processes on this machine, started when there is something to do; they end with this one."""

    def __init__(self, processes: int) -> None:
        self._processes = processes

    def resolve(self, kind: str) -> str:
        return sandbox.resolve(kind)

    def judge(self, jobs: Iterable[Job]) -> Iterator[Judged]:
        waiting = ((job, 1) for job in jobs)
        idle: list[_Process] = []
        busy: dict[Connection, tuple[_Process, Job, int]] = {}
        try:
            while True:
                while len(busy) < self._processes and (turn := next(waiting, None)):
                    process = idle.pop() if idle else _Process()
                    process.connection.send(turn[0])
                    busy[process.connection] = (process, *turn)
                if not busy:
                    return
                for connection in wait(list(busy)):
                    process, job, attempt = busy.pop(connection)
                    try:
                        judged = connection.recv()
                    except (EOFError, OSError):  # it was killed, by whom or what ever
                        process.kill()
                        if attempt < _ATTEMPTS:
                            waiting = itertools.chain([(job, attempt + 1)], waiting)
                            continue
                        judged = crashed(job.student, job.master, "its process was killed")
                    else:
                        idle.append(process)
                    yield judged
        finally:
            for process, *_ in busy.values():
                process.kill()
            for process in idle:
                process.end()


class _Process:
    """A process that judges what is sent to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def end(self) -> None:
        """Let it end, and what it has started."""
        self.connection.close()
        self._process.join()

    def kill(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.join()


def _serve(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError):
        while True:
            connection.send(judge(connection.recv()))


def _end_with_parent() -> None:
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


async def _ask_identity(address: str) -> None:
    from dask.distributed import Security
    from distributed.core import rpc

    async with rpc(address, connection_args=Security().get_connection_args("client")) as scheduler:
        await scheduler.identity()


class Cluster:
    """A dask.distributed cluster, reached through its scheduler."""

    def __init__(self, address: str) -> None:
        import dask
        from dask.distributed import Client

        dask.config.set({_LARGE: "1GiB"})
        self._address = address
        try:
            asyncio.run(asyncio.wait_for(_ask_identity(address), _CONNECT_SECONDS))  # a client would hang
            self._client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            reason = str(error) or "there is no answer"
            raise NoCluster(
                f"The scheduler {address} cannot be reached ({reason}). Start one with `dask scheduler` and "
                "give the address that it prints, such as tcp://10.0.0.5:8786."
            ) from None

    def close(self) -> None:
        self._client.close()

    def resolve(self, kind: str) -> str:
        if not self._client.nthreads():
            Console(stderr=True).print(f"The scheduler {self._address} has no worker yet: waiting for one.")
        future = self._client.submit(sandbox.resolve, kind, pure=False)
        try:
            return future.result()
        except sandbox.NoSandbox:
            raise
        except Exception as error:
            raise NoCluster(
                f"A worker of {self._address} could not start ({type(error).__name__}: {error}). The "
                "scheduler and all workers need the same environment, with this project in it."
            ) from None

    def judge(self, jobs: Iterable[Job]) -> Iterator[Judged]:
        from dask.distributed import as_completed

        jobs, masters, finished = iter(jobs), {}, as_completed(loop=self._client.loop)
        while True:
            for job in itertools.islice(jobs, max(0, self._room() - len(masters))):
                future = self._client.submit(judge_elsewhere, job, pure=False)
                masters[future] = job.student, job.master
                finished.add(future)
            if not masters:
                return
            future = next(finished)
            yield self._result(future, *masters.pop(future))

    def _room(self) -> int:
        """How many jobs to have on their way: one waits for each that is worked on."""
        try:
            return 2 * max(1, sum(self._client.nthreads().values()))
        except OSError:
            raise self._lost() from None

    def _result(self, future, student: str, master: Master) -> Judged:
        if future.status in ("cancelled", "lost"):
            raise self._lost()
        error = future.exception()
        return future.result() if error is None else _failed(student, master, error)

    def _lost(self) -> NoCluster:
        return NoCluster(
            f"The scheduler {self._address} was lost. The verdicts so far are kept: run the command again."
        )
