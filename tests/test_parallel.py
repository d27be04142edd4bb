"""Episodes played side by side, in one process and in several, and what becomes of the processes."""

import gc
import os
import signal
import subprocess
import sys
import time

import gymnasium as gym
import numpy as np
import psutil
import pytest
from gymnasium.error import ClosedEnvironmentError
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from policy_gradients.environments import make_envs
from policy_gradients.parallel import ProcessVectorEnv, WorkerError, group_seeds, run_episodes


class Strict(gym.Wrapper):
    """An environment that does not bear a step after its end."""

    over = True

    def reset(self, **arguments):
        self.over = False
        return super().reset(**arguments)

    def step(self, action):
        assert not self.over, "stepped although the episode was over"
        observation, reward, terminated, truncated, info = super().step(action)
        self.over = terminated or truncated
        return observation, reward, terminated, truncated, {**info, "angle": float(observation[2])}


class Failing(gym.Wrapper):
    """An environment that fails at its third step: by an error, by a signal, or by never ending it."""

    steps, failure = 0, "error"

    def step(self, action):
        self.steps += 1
        if self.steps == 3:
            {"error": self.stumble, "killed": self.die, "hanging": self.hang}[self.failure]()
        return super().step(action)

    def stumble(self):
        raise ZeroDivisionError("the wheels came off")

    def die(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def hang(self):
        print("hanging", flush=True)
        time.sleep(3600)


def lander():
    return Strict(gym.make("LunarLander-v3", max_episode_steps=90))


def pole():
    return Strict(gym.make("CartPole-v1", max_episode_steps=40))


def good_pole():
    return gym.make("CartPole-v1")


def bad_pole():
    return Failing(gym.make("CartPole-v1"))


def dying_pole():
    env = Failing(gym.make("CartPole-v1"))
    env.failure = "killed"
    return env


def no_pole():
    raise FileNotFoundError("no pole in the shed")


VECTORS = {
    "sync": lambda makers: SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED),
    "gymnasium async": lambda makers: AsyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED),
    "gymnasium async, no shared memory": lambda makers: AsyncVectorEnv(
        makers, autoreset_mode=AutoresetMode.DISABLED, shared_memory=False
    ),
    "a process each": ProcessVectorEnv,
    "two processes": lambda makers: ProcessVectorEnv(makers, n_workers=2),
}


def tilted(observations):
    """Deterministic, different for each environment, and never the same action for long."""
    return (np.abs(observations).sum(axis=1) * 1000).astype(int) % 2


def play_alone(maker, seed, policy, max_steps=None):
    """The reference: one environment in a plain loop."""
    env, rows = maker(), []
    observation, _ = env.reset(seed=seed)
    ended = False
    while not ended:
        action = int(policy(observation[None])[0])
        after, reward, terminated, truncated, info = env.step(action)
        truncated = truncated or (len(rows) + 1 == max_steps and not terminated)
        rows.append((observation, action, reward, terminated, truncated))
        observation, ended = after, terminated or truncated
    return [*map(np.array, zip(*rows, strict=True))], observation, info


@pytest.mark.parametrize("maker", [lander, pole])
@pytest.mark.parametrize("kind", VECTORS)
def test_episodes_are_those_of_a_plain_loop(kind, maker):
    seeds = [11, 5, 11, 8, 2]
    envs = VECTORS[kind]([maker] * 5)
    try:
        episodes = run_episodes(envs, tilted, seeds=seeds)
    finally:
        envs.close()
    assert len(set(episodes.lengths)) > 2
    assert len(episodes.mask) == max(episodes.lengths)
    for i, seed in enumerate(seeds):
        rows, final, info = play_alone(maker, seed, tilted)
        length = len(rows[0])
        assert episodes.lengths[i] == length
        assert episodes.mask[:, i].tolist() == [1] * length + [0] * (len(episodes.mask) - length)
        for name, expected in zip(episodes._fields, rows, strict=False):
            np.testing.assert_allclose(getattr(episodes, name)[:length, i], expected, rtol=1e-6, err_msg=name)
        for name in ("rewards", "terminated", "truncated"):
            assert not getattr(episodes, name)[length:, i].any(), name
        assert np.array_equal(episodes.final_observations[i], final)
        assert (episodes.observations[length:, i] == final).all()
        assert episodes.final_infos[i] == info
        assert episodes.returns[i] == pytest.approx(rows[2].sum(), rel=1e-5)


def test_terminated_and_truncated_are_kept_apart():
    envs = SyncVectorEnv([pole] * 6, autoreset_mode=AutoresetMode.DISABLED)
    falling = run_episodes(envs, lambda seen: np.ones(6), seeds=0)
    assert falling.terminated.any(axis=0).all() and not falling.truncated.any()
    standing = run_episodes(envs, lambda seen: seen @ [0.1, 0.5, 5.0, 1.0] > 0, seeds=0)
    assert standing.truncated[-1].all() and not standing.terminated.any()
    assert standing.mask.all() and len(standing.mask) == 40


def test_a_limit_truncates_what_has_not_terminated():
    maker = good_pole
    envs = SyncVectorEnv([maker] * 8, autoreset_mode=AutoresetMode.DISABLED)
    lengths = run_episodes(envs, lambda seen: np.ones(8), seeds=0).lengths
    limit = int(np.median(lengths))
    assert lengths.min() < limit < lengths.max() and limit in lengths
    episodes = run_episodes(envs, lambda seen: np.ones(8), seeds=0, max_steps=limit)
    assert np.array_equal(episodes.lengths, np.minimum(lengths, limit))
    assert np.array_equal(episodes.terminated.any(axis=0), lengths <= limit)
    assert np.array_equal(episodes.truncated.any(axis=0), lengths > limit)
    assert episodes.truncated[limit - 1, lengths > limit].all()
    assert len(run_episodes(envs, lambda seen: np.ones(8), seeds=0, max_steps=1).mask) == 1


def test_a_group_starts_as_one_and_actions_tell_it_apart():
    seeds = group_seeds([7, 4], 3)
    assert seeds == [7, 7, 7, 4, 4, 4]
    envs = make_envs("lunar-lander", 6)
    same = run_episodes(envs, lambda seen: np.zeros(6, int), seeds=seeds).observations
    for generation in (1, 2, 4, 5):
        assert np.array_equal(same[:, generation], same[:, generation // 3 * 3])
    assert not np.array_equal(same[0, 0], same[0, 3])
    own = run_episodes(envs, lambda seen: np.arange(6) % 3, seeds=seeds).observations
    assert np.array_equal(own[0, 0], own[0, 2]) and not np.array_equal(own[1, 0], own[1, 2])


@pytest.mark.parametrize("kind", ["sync", "two processes"])
def test_a_number_as_seed_counts_up_and_none_goes_on(kind):
    envs = VECTORS[kind]([pole] * 3)
    try:
        counted, listed = [run_episodes(envs, tilted, seeds=s).observations[0] for s in (5, [5, 6, 7])]
        onward, further = [run_episodes(envs, tilted, seeds=None).observations[0] for _ in range(2)]
    finally:
        envs.close()
    assert np.array_equal(counted, listed)
    assert not np.array_equal(counted, onward) and not np.array_equal(onward, further)


def test_the_policy_may_change_what_it_is_shown():
    envs = make_envs("cartpole", 2)

    def vandal(observations):
        observations[:] = np.nan
        return np.ones(2, int)

    episodes = run_episodes(envs, vandal, seeds=0)
    assert np.isfinite(episodes.observations).all() and np.isfinite(episodes.final_observations).all()


def test_what_cannot_be_played_is_refused_with_a_remedy():
    def anything(observations):
        return np.zeros(len(observations), int)

    with pytest.raises(ValueError, match="reset themselves.*make_envs"):
        run_episodes(SyncVectorEnv([pole] * 2), anything, seeds=0)
    envs = make_envs("cartpole", 2)
    with pytest.raises(TypeError, match="RecordEpisodeStatistics cannot.*around the single"):
        run_episodes(gym.wrappers.vector.RecordEpisodeStatistics(envs), anything, seeds=0)
    with pytest.raises(ValueError, match="2 environments and 3 seeds"):
        run_episodes(envs, anything, seeds=[1, 2, 3])
    with pytest.raises(ValueError, match=r"shape \(2, 1\).* need \(2,\)"):
        run_episodes(envs, lambda seen: np.zeros((2, 1)), seeds=0)
    with pytest.raises(ValueError, match="max_steps=0"):
        run_episodes(envs, anything, seeds=0, max_steps=0)
    with pytest.raises(ValueError, match="n_generations=0"):
        group_seeds([1], 0)
    blackjack = SyncVectorEnv([lambda: gym.make("Blackjack-v1")], autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(TypeError, match="one array, not Tuple"):
        run_episodes(blackjack, anything, seeds=0)


@pytest.fixture
def processes():
    """Three CartPoles in two processes, and the same in this one."""
    envs, here = [VECTORS[kind]([pole] * 3) for kind in ("two processes", "sync")]
    yield envs, here
    envs.close()


def same(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return all(same(one[key], other[key]) for key in one)
    return np.array_equal(one, other)


def test_in_processes_as_in_gymnasiums_own_vector(processes):
    envs, here = processes
    assert envs.single_observation_space == here.single_observation_space
    assert envs.observation_space == here.observation_space and envs.action_space == here.action_space
    assert all(map(same, envs.reset(seed=3), here.reset(seed=3)))
    ended = np.zeros(3, bool)
    while not ended.any():
        step, theirs = envs.step([1, 1, 0]), here.step([1, 1, 0])
        assert all(map(same, step, theirs))
        ended = step[2] | step[3]
    with pytest.raises(ValueError, match="over or never began: reset"):
        envs.step([1, 1, 0])
    again, theirs = [v.reset(seed=[8, 9, 10], options={"reset_mask": ended}) for v in (envs, here)]
    assert all(map(same, again, theirs))
    assert all(map(same, envs.step([0, 0, 0]), here.step([0, 0, 0])))


def test_an_episode_that_is_over_is_not_stepped_until_it_is_reset(processes):
    envs, _ = processes
    run_episodes(envs, lambda seen: seen @ [0.1, 0.5, 5.0, 1.0] > 0, seeds=0)  # to the time limit
    with pytest.raises(ValueError, match=r"\[0, 1, 2\] are over"):
        envs.step([0, 0, 0])
    envs.reset(options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(ValueError, match=r"\[1\] are over"):
        envs.step([0, 0, 0])
    assert len(envs.step_some(np.array([0, 0]), np.array([0, 2]))[0]) == 2


def test_before_a_reset_after_the_end_and_with_wrong_seeds_there_is_an_error(processes):
    envs, _ = processes
    with pytest.raises(ValueError, match="never began"):
        envs.step([0, 0, 0])
    with pytest.raises(ValueError, match="3 environments and 2 seeds"):
        envs.reset(seed=[1, 2])
    with pytest.raises(ValueError, match="chooses no environment"):
        envs.reset(options={"reset_mask": np.zeros(3, bool)})
    envs.reset(seed=0)  # still of use
    envs.close()
    envs.close()
    with pytest.raises(ClosedEnvironmentError, match="make new ones"):
        envs.reset()


def pids(envs):
    return [worker._process.pid for worker in envs._workers]


def gone(processes):
    """Whether none of these processes is left, or all are within ten seconds."""
    deadline = time.monotonic() + 10
    while any(map(psutil.pid_exists, processes)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(psutil.pid_exists, processes))


@pytest.mark.parametrize("kind", ["a process each", "gymnasium async"])
def test_an_error_in_a_worker_is_shown_with_its_traceback(kind):
    envs = VECTORS[kind]([good_pole, bad_pole, good_pole])
    workers = pids(envs) if kind == "a process each" else [process.pid for process in envs.processes]
    with pytest.raises(WorkerError) as caught:
        run_episodes(envs, tilted, seeds=0)
    assert "ZeroDivisionError: the wheels came off" in str(caught.value)
    assert "in stumble" in str(caught.value) and "nvironment" in str(caught.value)
    assert gone(workers) and envs.closed
    with pytest.raises(ClosedEnvironmentError):
        envs.reset()


@pytest.mark.parametrize("error", [EOFError, BrokenPipeError, SystemExit])
def test_an_error_that_looks_like_the_end_of_the_program_is_shown(error):
    def broken():
        raise error("not from the pipe")

    with pytest.raises(WorkerError, match="in broken(.|\n)*not from the pipe"):
        ProcessVectorEnv([broken])


def test_what_cannot_be_sent_is_an_error_with_traceback():
    def secretive():
        env = gym.make("CartPole-v1")
        return gym.wrappers.TransformReward(env, lambda reward: lambda: reward)

    envs = ProcessVectorEnv([secretive])
    envs.reset(seed=0)
    with pytest.raises(WorkerError, match="ickle"):
        envs.step([0])


def test_a_killed_worker_ends_it_with_the_signal_named():
    envs = ProcessVectorEnv([good_pole, good_pole, dying_pole], n_workers=2)
    workers = pids(envs)
    with pytest.raises(WorkerError, match="environments 2 was killed by signal 9.*memory"):
        run_episodes(envs, tilted, seeds=0)
    assert gone(workers) and envs.closed


def test_a_worker_killed_between_two_questions_is_noticed_at_the_second():
    envs = ProcessVectorEnv([good_pole] * 2)
    workers = pids(envs)
    envs.reset(seed=0)
    os.kill(workers[0], signal.SIGKILL)
    with pytest.raises(WorkerError, match="environments 0 was killed by signal 9"):
        envs.step([0, 0])
    assert gone(workers)


def test_an_environment_that_cannot_be_made_is_an_error_with_traceback():
    with pytest.raises(WorkerError, match="(?s)environments 1 raised.*in no_pole.*no pole in the shed"):
        ProcessVectorEnv([good_pole, no_pole])


def test_close_and_forgetting_leave_no_process():
    closed, forgotten = ProcessVectorEnv([good_pole] * 2), ProcessVectorEnv([good_pole] * 2)
    workers = pids(closed) + pids(forgotten)
    assert all(map(psutil.pid_exists, workers))
    closed.close()
    del forgotten
    gc.collect()
    assert gone(workers)


def test_an_error_of_the_policy_leaves_the_environments_usable():
    envs = ProcessVectorEnv([good_pole] * 2)
    with pytest.raises(ZeroDivisionError):
        run_episodes(envs, lambda seen: 1 // 0, seeds=0)
    assert len(run_episodes(envs, tilted, seeds=0).mask) > 1
    envs.close()


SCRIPT = """
import sys, time
from pathlib import Path
import gymnasium as gym
from policy_gradients.parallel import ProcessVectorEnv, run_episodes
from tests.test_parallel import Failing, good_pole

def slow():
    env = Failing(gym.make("CartPole-v1"))
    env.failure = "hanging"
    return env

def think(seen):
    print("waiting", flush=True)
    time.sleep(3600)

if __name__ == "__main__":
    envs = ProcessVectorEnv([good_pole, slow])
    print(*(worker._process.pid for worker in envs._workers), flush=True)
    maps = [Path(f"/proc/{pid}/maps").read_text() for pid in ("self", envs._workers[0]._process.pid)]
    assert not any("/dev/shm" in text for text in maps)
    if sys.argv[1] == "interrupted":
        try:
            run_episodes(envs, lambda seen: (seen[:, 2] > 0) * 1, seeds=0)
        except KeyboardInterrupt:
            print("interrupted", envs.closed)
    elif sys.argv[1] == "in the policy":
        try:
            run_episodes(envs, think, seeds=0)
        except KeyboardInterrupt:
            print("usable for", len(run_episodes(envs, lambda seen: [0, 0], seeds=0, max_steps=2).mask))
    elif sys.argv[1] == "waiting":
        print("waiting", flush=True)
        time.sleep(3600)
"""


@pytest.mark.parametrize(
    ("how", "number"),
    [
        ("interrupted", signal.SIGINT),
        ("in the policy", signal.SIGINT),
        ("waiting", signal.SIGINT),
        ("waiting", signal.SIGKILL),
        ("at its end", None),
    ],
)
def test_however_the_program_ends_no_process_is_left(tmp_path, how, number):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    program = subprocess.Popen([sys.executable, script, how], **pipes, env=env, start_new_session=True)
    family = [program.pid]
    try:
        workers = [int(pid) for pid in program.stdout.readline().split()]
        assert len(workers) == 2
        if number is not None:
            assert program.stdout.readline().strip() in ("hanging", "waiting")
            family += [child.pid for child in psutil.Process(program.pid).children(recursive=True)]
            assert set(workers) < set(family)
            # Ctrl-C in a terminal reaches the workers, too; a kill reaches one process
            (os.killpg if number == signal.SIGINT else os.kill)(program.pid, number)
        output, errors = program.communicate(timeout=60)
        said = {"interrupted": "interrupted True\n", "in the policy": "usable for 2\n"}
        assert output == said.get(how, "")
        assert errors.count("Traceback") == (1 if (how, number) == ("waiting", signal.SIGINT) else 0)
        assert gone([*workers, *family])
    finally:
        for pid in filter(psutil.pid_exists, family):
            os.kill(pid, signal.SIGKILL)
        program.wait()
