"""Many environments stepped side by side until each has played one episode; the done ones are left alone.

Shapes: T steps of the longest episode, N environments.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
import sys
import time
import traceback
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, pairwise
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.error import ClosedEnvironmentError
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import CloudpickleWrapper, batch_space

__all__ = ["PaddedEpisodes", "ProcessVectorEnv", "WorkerError", "group_seeds", "run_episodes"]

# A forked copy of a process in which torch or JAX have threads can hang, and holds all its memory
_CONTEXT = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")


class PaddedEpisodes(NamedTuple):
    """N episodes side by side, each padded to the T steps of the longest. All arrays are NumPy's.

    observations : (T, N, ...) row t is what the policy saw when it chose actions[t], or the final one
    actions : (T, N) integers, or (T, N, D) floats; where padded, what the policy said and nobody did
    rewards : (T, N) float32, 0 where padded
    terminated : (T, N) bool, true at the step at which the task itself ended the episode
    truncated : (T, N) bool, true at the step at which a time limit cut it off; both may hold
    mask : (T, N) float32, 1 for a step that was taken (the one that ends the episode included), else 0
    final_observations : (N, ...) what the last step of each episode led to
    final_infos : the N `info` dictionaries of these last steps
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    mask: np.ndarray
    final_observations: np.ndarray
    final_infos: tuple[dict[str, Any], ...]

    @property
    def lengths(self) -> np.ndarray:
        """(N,) int64, the number of steps of each episode."""
        return self.mask.sum(axis=0).astype(np.int64)

    @property
    def returns(self) -> np.ndarray:
        """(N,) float32, the undiscounted return of each episode."""
        return self.rewards.sum(axis=0)


def group_seeds(seeds: Sequence[int], n_generations: int) -> list[int]:
    """Each seed `n_generations` times in a row: GRPO's flat index env * n_generations + generation.

    Environments of equal seed start in the same state and draw the same random numbers; what tells
    their episodes apart is the actions.
    """
    if n_generations < 1:
        raise ValueError(f"A group holds at least one episode, not n_generations={n_generations}.")
    return [int(seed) for seed in seeds for _ in range(n_generations)]


def run_episodes(
    envs: VectorEnv,
    policy: Callable[[np.ndarray], Any],
    *,
    seeds: int | Sequence[int] | None,
    max_steps: int | None = None,
) -> PaddedEpisodes:
    """One complete episode in each of N environments, stepped together; one that is done is left alone.

    envs : from `make_envs`, or Gymnasium's SyncVectorEnv or AsyncVectorEnv with autoreset disabled
    policy : maps the observations (N, ...) of all environments to N actions. What it says for one that is
        done is ignored.
    seeds : environment i is reset with seeds[i], or with seeds + i for a number, or continues its own random
        numbers for None
    max_steps : a time limit in steps: episodes that last so long are truncated there

    Every environment plays one episode, so that short episodes do not count more often than long ones.
    Raises TypeError for other vectors and for observations that are not one array, ValueError for a
    vector that resets itself or for as many seeds as there are not environments, and WorkerError when
    a process of a ProcessVectorEnv fails.
    """
    if max_steps is not None and max_steps < 1:
        raise ValueError(f"An episode has at least one step, not max_steps={max_steps}.")
    step_some, n = _stepper(envs), envs.num_envs
    observations = np.array(_reset(envs, seeds), envs.single_observation_space.dtype)
    infos: list[dict[str, Any]] = [{}] * n
    rows, live = [], np.arange(n)
    while live.size:
        seen = observations.copy()
        actions = _as_actions(policy(seen.copy()), envs)
        rewards, mask = np.zeros(n, np.float32), np.zeros(n, np.float32)
        terminated, truncated = np.zeros(n, bool), np.zeros(n, bool)
        columns = step_some(actions[live], live)
        observations[live], rewards[live], terminated[live], truncated[live] = columns[:4]
        for i, info in zip(live, columns[4], strict=True):
            infos[i] = info
        mask[live] = 1
        live = live[~(terminated | truncated)[live]]
        if len(rows) + 1 == max_steps:
            truncated[live] = True
            live = live[:0]
        rows.append((seen, actions, rewards, terminated, truncated, mask))
    return PaddedEpisodes(*map(np.stack, zip(*rows, strict=True)), observations, tuple(infos))


# Observations, rewards, terminated, truncated, infos: each a sequence with an entry for each environment
Columns = tuple[Sequence[Any], Sequence[float], Sequence[bool], Sequence[bool], Sequence[dict[str, Any]]]


def _stepper(envs: VectorEnv) -> Callable[[np.ndarray, np.ndarray], Columns]:
    """How to step some environments of a vector only: (their actions, their numbers) -> columns."""
    ways = {
        SyncVectorEnv: _step_here,
        AsyncVectorEnv: _step_gymnasium_workers,
        ProcessVectorEnv: _step_workers,
    }
    way = next((ways[kind] for kind in ways if isinstance(envs, kind)), None)
    if way is None:
        raise TypeError(
            f"{type(envs).__name__} cannot step some of its environments and leave the others alone. Make "
            "the vector with make_envs, and put wrappers around the single environments."
        )
    if envs.single_observation_space.shape is None:
        raise TypeError(f"Observations must be one array, not {envs.single_observation_space}.")
    if envs.metadata["autoreset_mode"] != AutoresetMode.DISABLED:
        raise ValueError(
            "These environments reset themselves when an episode ends. Make them with make_envs, or with "
            "autoreset_mode=gymnasium.vector.AutoresetMode.DISABLED."
        )
    return partial(way, envs)


def _reset(envs: VectorEnv, seeds: int | Sequence[int] | None) -> np.ndarray:
    if seeds is None:
        return envs.reset()[0]
    seeds = np.asarray(seeds)
    seeds = seeds + np.arange(envs.num_envs) if seeds.ndim == 0 else seeds
    if len(seeds) != envs.num_envs:
        raise ValueError(f"There are {envs.num_envs} environments and {len(seeds)} seeds; each needs one.")
    return envs.reset(seed=seeds.tolist())[0]


def _as_actions(actions: Any, envs: VectorEnv) -> np.ndarray:
    actions = np.array(actions, envs.single_action_space.dtype)
    if actions.shape != envs.action_space.shape:
        raise ValueError(
            f"The policy's actions have the shape {actions.shape}; {envs.num_envs} environments need "
            f"{envs.action_space.shape}."
        )
    return actions


def _step_here(envs: SyncVectorEnv, actions: np.ndarray, live: np.ndarray) -> Columns:
    return _columns(envs.envs[i].step(action) for i, action in zip(live, _plain(actions), strict=True))


def _plain(actions: np.ndarray) -> Sequence[Any]:
    # Environments take a Python integer faster than NumPy's
    return actions.tolist() if actions.ndim == 1 else actions


def _columns(steps: Iterable[tuple[Any, float, bool, bool, dict[str, Any]]]) -> Columns:
    return tuple(zip(*steps, strict=True))


def _step_gymnasium_workers(envs: AsyncVectorEnv, actions: np.ndarray, live: np.ndarray) -> Columns:
    """Gymnasium's own step would step every environment, so this talks to its workers as that does."""
    for i, action in zip(live, actions, strict=True):
        envs.parent_pipes[i].send(("step", action))
    answers = [envs.parent_pipes[i].recv() for i in live]
    if not all(fine for _, fine in answers):
        index, kind, value, trace = envs.error_queue.get()
        envs.close(terminate=True)
        raise WorkerError(f"Environment {index} raised {kind.__name__}: {value}\n\n{trace}")
    observations, *rest = _columns(answer for answer, _ in answers)
    return envs.observations[live] if envs.shared_memory else observations, *rest


def _step_workers(envs: ProcessVectorEnv, actions: np.ndarray, live: np.ndarray) -> Columns:
    return envs.step_some(actions, live)


class WorkerError(RuntimeError):
    """A process that steps environments raised an error, whose traceback this shows, or was killed."""


class ProcessVectorEnv(VectorEnv):
    """Environments in processes of their own, one or several in each, any of which can be stepped alone.

    No environment is reset unasked (autoreset is disabled). `close`, an error, Ctrl-C while waiting for
    an answer, and the end of the program all end the processes. They share no memory, so none stays behind.

    env_fns : functions that make the environments, in the process where they are to live
    n_workers : how many processes share them; None gives each its own, which suits environments that are
        slow or bear no other beside them
    preload : modules that the environments need. For the first vector of a program they are loaded once
        for all processes, in Python's fork server, which ends with the program.

    Raises WorkerError, then and later, when a worker raises or dies; the other workers are ended first.
    """

    def __init__(
        self,
        env_fns: Sequence[Callable[[], gym.Env]],
        n_workers: int | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        self.num_envs = len(env_fns)
        n_workers = self.num_envs if n_workers is None else n_workers
        if not 1 <= n_workers <= self.num_envs:
            raise ValueError(
                f"{self.num_envs} environments need 1 to {self.num_envs} workers, not {n_workers}."
            )
        # The numbers of the first environments of each worker, and of what would be the next worker's
        self._first = np.array([len(share) for share in np.array_split(np.arange(self.num_envs), n_workers)])
        self._first = np.concatenate([[0], self._first.cumsum()])
        self._ended = np.ones(self.num_envs, bool)
        self._workers: list[_Worker] = []
        self._finalizer = weakref.finalize(self, _end_all, self._workers)
        _CONTEXT.set_forkserver_preload([__name__, *preload])
        with self._ended_if_it_fails():
            for begin, end in pairwise(self._first):
                self._workers.append(_Worker(env_fns[begin:end], range(begin, end)))
            spaces = [worker.receive() for worker in self._workers]
        self.single_observation_space, self.single_action_space, metadata, self.render_mode = spaces[0]
        self.metadata = {**metadata, "autoreset_mode": AutoresetMode.DISABLED}
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._observations = np.zeros(self.observation_space.shape, self.observation_space.dtype)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """As Gymnasium's vectors: a seed for each environment, or the first of consecutive ones.

        options["reset_mask"], (N,) bool, resets some only; the rows of the others show what they did before.
        """
        options = dict(options or {})
        chosen = np.flatnonzero(options.pop("reset_mask", np.ones(self.num_envs, bool)))
        if chosen.size == 0:
            raise ValueError("The reset_mask chooses no environment.")
        if seed is None or isinstance(seed, int):
            seed = [None if seed is None else seed + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"There are {self.num_envs} environments and {len(seed)} seeds; each needs one.")
        given = [{"seed": seed[i], "options": options or None} for i in chosen]
        self._observations[chosen], infos = self._ask("reset", given, chosen)
        self._ended[chosen] = False
        return self._observations.copy(), self._gathered(infos, chosen)

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step of every environment, as Gymnasium's vectors."""
        everyone = np.arange(self.num_envs)
        *columns, infos = self.step_some(np.asarray(actions), everyone)
        return *columns, self._gathered(infos, everyone)

    def step_some(self, actions: np.ndarray, live: np.ndarray) -> Columns:
        """One step of the environments numbered in `live`, in ascending order, by their actions.

        Observations, rewards, terminated, truncated and infos of these. The others are left alone. Raises
        ValueError where the episode is over.
        """
        if self._ended[live].any():
            over = [i for i in map(int, live) if self._ended[i]]
            raise ValueError(
                f"The episodes of environments {over} are over or never began: reset them first."
            )
        columns = self._ask("step", _plain(actions), live)
        self._observations[live] = columns[0]
        self._ended[live] = columns[2] | columns[3]
        return columns

    def _gathered(self, infos: Sequence[dict[str, Any]], numbers: np.ndarray) -> dict[str, Any]:
        gathered: dict[str, Any] = {}
        for i, info in zip(numbers, infos, strict=True):
            gathered = self._add_info(gathered, info, int(i))
        return gathered

    def close_extras(self, **kwargs: Any) -> None:
        """End the processes."""
        self._finalizer()

    def _ask(self, command: str, arguments: Sequence[Any], numbers: np.ndarray) -> tuple[Any, ...]:
        """Have the environments `numbers`, ascending, do `command` with an argument each; the columns."""
        if self.closed:
            raise ClosedEnvironmentError("These environments are closed; make new ones.")
        bounds, asked = np.searchsorted(numbers, self._first), []
        with self._ended_if_it_fails():
            for k, worker in enumerate(self._workers):
                share = slice(bounds[k], bounds[k + 1])
                if share.start < share.stop:
                    worker.send((command, (numbers[share] - self._first[k]).tolist(), arguments[share]))
                    asked.append(worker)
            answers = [worker.receive() for worker in asked]
        *columns, infos = zip(*answers, strict=True)
        return *map(np.concatenate, columns), list(chain.from_iterable(infos))

    @contextlib.contextmanager
    def _ended_if_it_fails(self) -> Iterator[None]:
        # Also for Ctrl-C: an answer that was not waited for would be taken for that of the next question
        try:
            yield
        except BaseException:
            self.close()
            raise


class _Worker:
    """A process with environments, seen from outside."""

    def __init__(self, env_fns: Sequence[Callable[[], gym.Env]], numbers: range) -> None:
        self._numbers = ", ".join(map(str, numbers))
        self._pipe, theirs = _CONTEXT.Pipe()
        functions = CloudpickleWrapper(list(env_fns))
        self._process = _CONTEXT.Process(target=_work, args=(functions, theirs), daemon=True)
        self._process.start()
        theirs.close()  # so that the death of the process is seen as the end of the pipe

    def send(self, question: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # `receive` says what became of the process
            self._pipe.send(question)

    def receive(self) -> Any:
        try:
            fine, answer = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            raise WorkerError(self._last_words()) from None
        if not fine:
            raise WorkerError(f"The process of environments {self._numbers} raised an error.\n\n{answer}")
        return answer

    def _last_words(self) -> str:
        self._process.join(timeout=5)
        code = self._process.exitcode
        how = f"was killed by signal {-code}" if code and code < 0 else f"ended with exit code {code}"
        return (
            f"The process of environments {self._numbers} {how} and gave no answer. Signal 9 often means "
            'that memory ran out. In a script, start processes under `if __name__ == "__main__":` only.'
        )

    def dismiss(self) -> None:
        """Have it close its environments and end."""
        self._pipe.close()

    def end(self, deadline: float) -> None:
        """Wait until it has ended; kill it if that takes longer than to `deadline` (time.monotonic)."""
        try:
            self._process.join(max(0, deadline - time.monotonic()))
        finally:
            self._process.kill()
            self._process.join()
            self._process.close()


def _end_all(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.dismiss()
    deadline = time.monotonic() + 2
    while workers:
        workers.pop().end(deadline)


def _work(env_fns: CloudpickleWrapper, pipe: Connection) -> None:
    """What runs in the process: answers until the other end of the pipe is closed, or something fails."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; ours decides what follows
    envs: list[gym.Env] = []
    try:
        fine, answer = _attempt(_make, envs, env_fns.fn)
        pipe.send_bytes(answer)
        while fine:
            fine, answer = _attempt(_do, envs, *pipe.recv())
            pipe.send_bytes(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody waits for an answer any more
    finally:
        for env in envs:
            env.close()


def _attempt(function: Callable[..., Any], *arguments: Any) -> tuple[bool, bytes]:
    """Whether it went well, and that with the value or the traceback, packed."""
    try:
        return True, pickle.dumps((True, function(*arguments)))
    except BaseException:
        return False, pickle.dumps((False, traceback.format_exc()))


def _make(envs: list[gym.Env], env_fns: Sequence[Callable[[], gym.Env]]) -> tuple[Any, ...]:
    envs.extend(env_fn() for env_fn in env_fns)
    return envs[0].observation_space, envs[0].action_space, envs[0].metadata, envs[0].render_mode


def _do(
    envs: list[gym.Env], command: str, numbers: Sequence[int], arguments: Sequence[Any]
) -> tuple[Any, ...]:
    todo = zip(numbers, arguments, strict=True)
    if command == "reset":
        answers = [envs[i].reset(**argument) for i, argument in todo]
    else:
        answers = [envs[i].step(argument) for i, argument in todo]
    *columns, infos = zip(*answers, strict=True)
    return *map(np.array, columns), infos
