"""Many environments stepped side by side until each has played one episode; the done ones are left alone.

Shapes: T steps of the longest episode, N environments.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import traceback
import weakref
from collections.abc import Callable, Iterator, Sequence
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

    observations : (T, N, ...) row t is what the policy saw at its choice of actions[t]; where padded, the final one
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
    advance = _stepper(envs)
    row = _Row(envs, _reset(envs, seeds))
    rows, live = [], np.arange(envs.num_envs)
    while live.size:
        actions = _as_actions(policy(row.observations.copy()), envs)
        seen = row.start()
        advance(actions, live.tolist(), row)
        mask = np.zeros(envs.num_envs, np.float32)
        mask[live] = 1
        live = live[~(row.terminated | row.truncated)[live]]
        if len(rows) + 1 == max_steps:
            row.truncated[live] = True
            live = live[:0]
        rows.append((seen, actions, row.rewards, row.terminated, row.truncated, mask))
    return PaddedEpisodes(*map(np.stack, zip(*rows, strict=True)), row.observations, tuple(row.infos))


class _Row:
    """What one step of all environments gives: written by a stepper, for the live ones only."""

    def __init__(self, envs: VectorEnv, observations: np.ndarray) -> None:
        self.observations = np.array(observations, envs.single_observation_space.dtype)
        self.infos: list[dict[str, Any]] = [{}] * envs.num_envs

    def start(self) -> np.ndarray:
        """Get ready for a step; the observations before it."""
        before, n = self.observations.copy(), len(self.observations)
        self.rewards = np.zeros(n, np.float32)
        self.terminated, self.truncated = np.zeros(n, bool), np.zeros(n, bool)
        return before

    def put(
        self, i: int, observation: Any, reward: float, terminated: bool, truncated: bool, info: dict
    ) -> None:
        self.observations[i], self.rewards[i] = observation, reward
        self.terminated[i], self.truncated[i], self.infos[i] = terminated, truncated, info


Stepper = Callable[[Sequence[Any], list[int], _Row], None]


def _stepper(envs: VectorEnv) -> Stepper:
    """How to step some of the environments of a vector and not the others: (actions, live, row to fill)."""
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
    return way(envs)


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


def _one_by_one(actions: np.ndarray) -> Sequence[Any]:
    # Environments take a Python integer faster than NumPy's
    return actions.tolist() if actions.ndim == 1 else actions


def _step_here(envs: SyncVectorEnv) -> Stepper:
    step = [env.step for env in envs.envs]

    def advance(actions: np.ndarray, live: list[int], row: _Row) -> None:
        actions = _one_by_one(actions)
        for i in live:
            row.put(i, *step[i](actions[i]))

    return advance


def _step_gymnasium_workers(envs: AsyncVectorEnv) -> Stepper:
    """Gymnasium's own step would step every environment, so this talks to its workers as that does."""

    def advance(actions: np.ndarray, live: list[int], row: _Row) -> None:
        for i in live:
            envs.parent_pipes[i].send(("step", actions[i]))
        answers = {i: envs.parent_pipes[i].recv() for i in live}
        if not all(fine for _, fine in answers.values()):
            index, kind, value, trace = envs.error_queue.get()
            envs.close(terminate=True)
            raise WorkerError(f"Environment {index} raised {kind.__name__}: {value}\n\n{trace}")
        for i, ((observation, *rest), _) in answers.items():
            row.put(i, envs.observations[i] if envs.shared_memory else observation, *rest)

    return advance


def _step_workers(envs: ProcessVectorEnv) -> Stepper:
    def advance(actions: np.ndarray, live: list[int], row: _Row) -> None:
        for answer in envs.step_some(_one_by_one(actions), live):
            row.put(*answer)

    return advance


class WorkerError(RuntimeError):
    """A process that steps environments raised an error, whose traceback this shows, or was killed."""


class ProcessVectorEnv(VectorEnv):
    """Environments in processes of their own, one or several in each, any of which can be stepped alone.

    No environment is reset unasked (autoreset is disabled). `close`, an error, Ctrl-C while waiting for
    an answer, and the end of the program all end the processes. They share no memory, so none stays behind.

    env_fns : functions that make the environments, in the process where they are to live
    n_workers : how many processes share them; None gives each its own, which suits environments that are
        slow or bear no other beside them

    Raises WorkerError, then and later, when a worker raises or dies; the other workers are ended first.
    """

    def __init__(self, env_fns: Sequence[Callable[[], gym.Env]], n_workers: int | None = None) -> None:
        self.num_envs = len(env_fns)
        n_workers = self.num_envs if n_workers is None else n_workers
        if not 1 <= n_workers <= self.num_envs:
            raise ValueError(
                f"{self.num_envs} environments need 1 to {self.num_envs} workers, not {n_workers}."
            )
        shares = np.array_split(np.arange(self.num_envs), n_workers)
        self._home = [k for k, share in enumerate(shares) for _ in share]
        self._ended = np.ones(self.num_envs, bool)
        self._workers: list[_Worker] = []
        self._finalizer = weakref.finalize(self, _end_all, self._workers)
        with self._ended_if_it_fails():
            for share in shares:
                self._workers.append(_Worker({int(i): env_fns[i] for i in share}))
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
        mask = np.asarray(options.pop("reset_mask", np.ones(self.num_envs, bool)))
        if seed is None or isinstance(seed, int):
            seed = [None if seed is None else seed + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"There are {self.num_envs} environments and {len(seed)} seeds; each needs one.")
        infos: dict[str, Any] = {}
        chosen = {i: {"seed": seed[i], "options": options or None} for i in np.flatnonzero(mask).tolist()}
        for i, (observation, info) in self._ask("reset", chosen):
            self._observations[i], self._ended[i] = observation, False
            infos = self._add_info(infos, info, i)
        return self._observations.copy(), infos

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step of every environment, as Gymnasium's vectors."""
        rewards, infos = np.zeros(self.num_envs), {}
        terminated, truncated = np.zeros(self.num_envs, bool), np.zeros(self.num_envs, bool)
        for i, *step, info in self.step_some(actions, range(self.num_envs)):
            self._observations[i], rewards[i], terminated[i], truncated[i] = step
            infos = self._add_info(infos, info, i)
        return self._observations.copy(), rewards, terminated, truncated, infos

    def step_some(
        self, actions: Sequence[Any], live: Sequence[int]
    ) -> Iterator[tuple[int, np.ndarray, float, bool, bool, dict[str, Any]]]:
        """One step of the environments numbered in `live`, by `actions[i]`; the others are left alone.

        Yields i, observation, reward, terminated, truncated, info. Raises ValueError where an episode is over.
        """
        if over := [i for i in live if self._ended[i]]:
            raise ValueError(
                f"The episodes of environments {over} are over, or never began: reset them first."
            )
        for i, answer in self._ask("step", {i: actions[i] for i in live}):
            self._ended[i] = answer[2] or answer[3]
            yield i, *answer

    def close_extras(self, **kwargs: Any) -> None:
        """End the processes."""
        self._finalizer()

    def _ask(self, command: str, arguments: dict[int, Any]) -> list[tuple[int, Any]]:
        """Send every worker `command` with the arguments of its environments; their answers."""
        if self.closed:
            raise ClosedEnvironmentError("These environments are closed; make new ones.")
        asked: dict[int, dict[int, Any]] = {}
        for i, argument in arguments.items():
            asked.setdefault(self._home[i], {})[i] = argument
        with self._ended_if_it_fails():
            for k, share in asked.items():
                self._workers[k].send((command, share))
            return [answer for k in asked for answer in self._workers[k].receive().items()]

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

    def __init__(self, env_fns: dict[int, Callable[[], gym.Env]]) -> None:
        self._numbers = ", ".join(map(str, env_fns))
        self._pipe, theirs = _CONTEXT.Pipe()
        functions = CloudpickleWrapper(env_fns)
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
            'that memory ran out. In a script, what starts processes belongs under `if __name__ == "__main__":`.'
        )

    def end(self) -> None:
        """Let it close its environments; stop it where it does not, or is in the middle of something."""
        self._pipe.close()
        self._process.join(timeout=1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


def _end_all(workers: list[_Worker]) -> None:
    while workers:
        workers.pop().end()


def _work(env_fns: CloudpickleWrapper, pipe: Connection) -> None:
    """What runs in the process: answers until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; ours decides what follows
    envs: dict[int, gym.Env] = {}
    try:
        envs.update((i, env_fn()) for i, env_fn in env_fns.fn.items())
        first = next(iter(envs.values()))
        pipe.send((True, (first.observation_space, first.action_space, first.metadata, first.render_mode)))
        while True:
            command, arguments = pipe.recv()
            act = {
                "reset": lambda env, given: env.reset(**given),
                "step": lambda env, given: env.step(given),
            }[command]
            pipe.send((True, {i: act(envs[i], argument) for i, argument in arguments.items()}))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody waits for an answer any more
    except BaseException:
        with contextlib.suppress(OSError):
            pipe.send((False, traceback.format_exc()))
    finally:
        for env in envs.values():
            env.close()
