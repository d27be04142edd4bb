"""Rollouts: however they end, an error says why, and neither processes nor shared memory are left behind."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from policy_gradients.rollout import WorkerError, multi, pool, single
from tests.rollout_examples import Corridor, Walker

COLLECTORS = {
    "single": lambda factory: single.rollout(factory, Walker(), 4, 2),
    "multi": lambda factory: multi.rollout(factory, Walker(), 4, n_actors=2, n_per_actor=2),
}
each_collector = pytest.mark.parametrize("collector", COLLECTORS.values(), ids=COLLECTORS)
PATIENCE = 60  # seconds; only a failing test waits so long


def workers():
    return multiprocessing.active_children()


def in_worker():
    return multiprocessing.parent_process() is not None


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    assert workers() == []


def shared_memory(process):
    """The mappings of a process that other processes can share, by their number in the file system."""
    return {
        line.split()[4] for line in Path(f"/proc/{process}/maps").read_text().splitlines() if "pym-" in line
    }


class FailsLater(Corridor):
    def step(self, action):
        if in_worker() and self.episode == 2:
            raise ArithmeticError("the corridor has caved in")
        return super().step(action)


@each_collector
def test_an_error_in_a_worker_is_raised_with_the_workers_traceback(collector):
    fragments = collector(FailsLater)
    with pytest.raises(WorkerError) as caught:
        for _ in fragments:
            pass
    text = str(caught.value)
    assert "rollout worker" in text and "raised ArithmeticError: the corridor has caved in" in text
    assert "Its traceback:" in text and "in step" in text and "test_rollout_processes.py" in text
    assert workers() == []
    assert list(fragments) == []


def fails_in_a_worker():
    if in_worker():
        raise FileNotFoundError("no corridor here")
    return Corridor()


@each_collector
def test_an_environment_that_cannot_be_made_in_the_worker_is_an_error(collector):
    with collector(fails_in_a_worker) as fragments:
        with pytest.raises(WorkerError, match="FileNotFoundError: no corridor here"):
            next(fragments)
        assert workers() == []


class Dies(Corridor):
    def step(self, action):
        if in_worker() and self.episode == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(action)


@each_collector
def test_a_worker_that_is_killed_is_an_error(collector):
    with pytest.raises(WorkerError, match=r"rollout worker \d \(process \d+\) was killed by SIGKILL.*memory"):
        for _ in collector(Dies):
            pass


class Leaves(Corridor):
    def step(self, action):
        if in_worker() and self.episode == 2:
            os._exit(7)
        return super().step(action)


def test_a_worker_that_exits_is_an_error():
    with pytest.raises(WorkerError, match="ended by itself, with exit code 7"):
        for _ in COLLECTORS["single"](Leaves):
            pass


@each_collector
def test_a_worker_that_is_killed_between_two_requests_is_an_error(collector):
    fragments = collector(Corridor)
    next(fragments)
    victim = workers()[0]
    victim.kill()
    victim.join()
    with pytest.raises(WorkerError, match="was killed by SIGKILL"):
        for _ in range(10):  # those that were full already may still come
            next(fragments)


@each_collector
def test_an_exception_in_the_training_loop_ends_the_workers(collector):
    with pytest.raises(ZeroDivisionError), collector(Corridor) as fragments:
        next(fragments)
        assert workers()
        raise ZeroDivisionError


@each_collector
def test_closing_twice_and_asking_again(collector):
    fragments = collector(Corridor)
    next(fragments)
    fragments.close()
    assert workers() == []
    fragments.close()
    assert list(fragments) == []


@each_collector
def test_shared_memory_is_freed(collector):
    """Python keeps what is freed to use it again: with each further iterator there is no more of it."""
    used = []
    for _ in range(4):
        with collector(Corridor) as fragments:
            next(fragments)
        gc.collect()
        used.append(shared_memory("self"))
    assert used[0] and used[1:] == used[:1] * 3


@each_collector
def test_a_forgotten_iterator_closes_itself(collector):
    fragments = collector(Corridor)
    next(fragments)
    del fragments
    gc.collect()
    assert workers() == []


def test_workers_that_started_are_ended_when_the_next_one_cannot_start():
    class Once:
        """Something that can be pickled only once, as the first worker's task."""

        def __init__(self):
            self.times = 0

        def __call__(self):
            return Corridor()

        def __reduce__(self):
            self.times += 1
            if self.times > 1:
                raise MemoryError("no second one")
            return Corridor, ()

    with pytest.raises(MemoryError, match="no second one"):
        COLLECTORS["multi"](Once())
    assert workers() == []


class Hangs(Corridor):
    def step(self, action):
        if in_worker() and self.episode == 2:
            time.sleep(10 * PATIENCE)
        return super().step(action)


def test_a_worker_that_hangs_is_killed(monkeypatch):
    monkeypatch.setattr(pool, "_SECONDS_TO_STOP", 0.5)
    with COLLECTORS["multi"](Hangs) as fragments:
        next(fragments)
    assert workers() == []


def test_workers_close_their_environments(tmp_path):
    class Tells(Corridor):
        def close(self):
            if in_worker():
                (tmp_path / f"{self.name}").touch()

    with multi.rollout(Tells, Walker(), 4, n_actors=2, n_per_actor=2, seed=5) as fragments:
        next(fragments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["5", "6", "7", "8"]


def test_a_fork_of_the_learner_leaves_its_workers_alone():
    with COLLECTORS["multi"](Corridor) as fragments:
        next(fragments)
        child = os.fork()
        if child == 0:
            fragments.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        next(fragments)
        assert len(workers()) == 2


SCRIPT = """
import multiprocessing, os, sys, time
from policy_gradients.rollout import multi, single
from tests.rollout_examples import Corridor, Walker

if __name__ == "__main__":
    options = dict(start_method="{method}")
    iterators = [
        single.rollout(Corridor, Walker(), 50, 2, **options),
        multi.rollout(Corridor, Walker(), 50, n_actors=2, n_per_actor=2, **options),
    ]
    for fragments in iterators:
        next(fragments)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    {then}
"""
ENDLESS = "while True: next(iterators[0]), next(iterators[1])"
ASLEEP = "time.sleep(600)"


@pytest.fixture
def learner(tmp_path):
    started = []

    def start(then, method="fork"):
        path = tmp_path / "learner.py"
        path.write_text(SCRIPT.format(then=then, method=method))
        process = subprocess.Popen(
            [sys.executable, path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            start_new_session=True,
        )
        started.append(process)
        children = [psutil.Process(int(pid)) for pid in process.stdout.readline().split()]
        assert len(children) == 3
        return process, children

    yield start
    for process in started:
        process.kill()
        process.communicate()


def assert_all_gone(children):
    _, alive = psutil.wait_procs(children, timeout=PATIENCE)
    assert alive == []


@pytest.mark.parametrize(("then", "method"), [(ENDLESS, "fork"), (ASLEEP, "fork"), (ENDLESS, "spawn")])
def test_ctrl_c_ends_everything(learner, then, method):
    """As a terminal sends it: to the learner and to the workers at once."""
    process, children = learner(then, method)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert errors.count("Traceback") == 1 and errors.rstrip().endswith("KeyboardInterrupt")
    assert_all_gone(children)


@pytest.mark.parametrize("then", [ENDLESS, ASLEEP], ids=["collecting", "asleep"])
def test_a_learner_that_is_killed_takes_its_workers_along(learner, then):
    process, children = learner(then)
    process.kill()
    process.wait()
    assert_all_gone(children)


@pytest.mark.parametrize("then", ["pass", "raise SystemExit(3)"], ids=["end", "exit"])
def test_the_end_of_the_program_is_an_end_without_a_word(learner, then):
    process, children = learner(then)
    _, errors = process.communicate(timeout=PATIENCE)
    assert errors == ""
    assert_all_gone(children)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/shm is where Linux keeps shared memory")
def test_shared_memory_has_no_name_that_could_be_left_behind():
    with COLLECTORS["multi"](Corridor) as fragments:
        next(fragments)
        assert shared_memory("self")
        assert not [path for path in Path("/dev/shm").iterdir() if f"pym-{os.getpid()}-" in path.name]
