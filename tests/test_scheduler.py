"""A class graded on a dask.distributed cluster: a scheduler and workers that are processes of their own."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder import dispatch, grading, master, sandbox, verdicts
from autograder.dispatch import NoCluster
from autograder.student import Limits
from tests.notebooks import PAIR, as_bytes, code, submission

ROOT = Path(__file__).parents[1]
KILLER = (
    "def double(x):\n    import os, signal\n"
    "    os.kill(os.getppid(), signal.SIGKILL)\n    os.kill(-1, signal.SIGKILL)\n    os._exit(1)"
)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A class of twelve: right, wrong, slow and murderous notebooks, and the seed for every run."""
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    (tmp_path / "class").mkdir()
    for number in range(12):
        answers = {"double": f"def double(x):\n    return {number % 3} * x"} if number % 4 else {}
        notebook = submission(**({"double": KILLER} if number == 5 else answers))
        if number % 2:
            notebook["cells"].insert(1, code("import time; time.sleep(0.3)"))
        (tmp_path / "class" / f"student{number:02}.ipynb").write_bytes(as_bytes(notebook))
    return tmp_path


def grade(course, name, **options):
    """The class graded into the folder `name`, with the seed that all folders have."""
    verdicts.secret_seed(course / name / "pair" / "secret_seed", 5)
    return grading.grade_class("pair", course / "class", out=course / name, seconds=4, **options)


def written(course, name):
    return (course / name / "pair" / "grades.json").read_bytes()


@contextlib.contextmanager
def process(folder, *arguments, **environment):
    running = subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@contextlib.contextmanager
def scheduler(folder):
    """The process and the address of a scheduler."""
    file = folder / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", ":0")
    with process(folder, "scheduler", *options, "--scheduler-file", str(file)) as running:
        deadline = time.monotonic() + 120
        while not file.exists() or not file.read_text().endswith("}"):
            assert running.poll() is None and time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        yield running, json.loads(file.read_text())["address"]


def worker(address, folder, **environment):
    """A worker without the nanny that would start it again when it is killed."""
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder))
    return process(folder, "worker", address, *options, **environment)


def test_a_worker_killed_midway_changes_nothing_and_students_cannot_touch_the_workers(course, monkeypatch):
    local = grade(course, "local", jobs=2)
    with scheduler(course) as (_, address), worker(address, course) as one, worker(address, course) as two:
        save, saved = verdicts.VerdictStore.save, []

        def save_and_kill(store, key, judged):
            save(store, key, judged)
            saved.append(judged.verdict.student)
            if len(saved) == 4:
                one.kill()

        wait_for_workers(address, 2)
        monkeypatch.setattr(verdicts.VerdictStore, "save", save_and_kill)
        spread = grade(course, "cluster", scheduler=address)
        assert one.wait(60) != 0
        assert two.poll() is None
    assert len(saved) == len(set(saved)) == 12
    assert spread == local
    assert {row.status for row in spread.submissions} == {"graded"}
    assert {row.student: row.score for row in spread.submissions}["student05"] == 3
    assert written(course, "cluster") == written(course, "local")


def wait_for_workers(address, number):
    from dask.distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(number, timeout=120)


def test_a_lost_scheduler_ends_the_run_and_the_next_one_resumes(course, monkeypatch):
    with scheduler(course) as (running, address), worker(address, course):
        save, saved = verdicts.VerdictStore.save, []

        def save_and_kill(store, key, judged):
            save(store, key, judged)
            saved.append(store._path(key))
            if len(saved) == 3:
                running.kill()

        monkeypatch.setattr(verdicts.VerdictStore, "save", save_and_kill)
        with pytest.raises(NoCluster, match="run the command again"):
            grade(course, "out", scheduler=address)
    monkeypatch.undo()
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    before = {path: path.stat().st_mtime_ns for path in saved}
    assert not (course / "out" / "pair" / "grades.json").exists()
    assert len(grade(course, "out", jobs=2).submissions) == 12
    assert {path: path.stat().st_mtime_ns for path in saved} == before


def test_without_isolation_on_the_workers_nothing_is_graded(course):
    options = {"out": course / "out", "sandbox_kind": "bwrap"}
    with (
        scheduler(course) as (_, address),
        worker(address, course, PATH="/nonexistent"),
        pytest.raises(sandbox.NoSandbox),
    ):
        grading.grade_class("pair", course / "class", scheduler=address, **options)
    assert not (course / "out").exists()


def test_a_worker_that_joins_later_checks_its_own_isolation(monkeypatch):
    job = dispatch.Job("ada", b"", PAIR, 0, Limits(4, 4096, "bwrap"), verdicts.engine_version())
    monkeypatch.setenv("PATH", "/nonexistent")
    sandbox._problem.cache_clear()
    judged = dispatch.judge_elsewhere(job)
    sandbox._problem.cache_clear()
    assert judged.verdict.status == "crashed"
    assert "cannot isolate student code" in judged.verdict.faults[0]


def test_a_worker_with_another_engine_judges_nothing(course):
    for name in ("autograder", "policy_gradients"):
        shutil.copytree(
            ROOT / name, course / "old" / name, ignore=shutil.ignore_patterns("grades", "*.ipynb")
        )
    with (course / "old" / "autograder" / "protocol.py").open("a") as file:
        file.write("# older\n")
    with scheduler(course) as (_, address), worker(address, course, PYTHONPATH=str(course / "old")):
        rows = grade(course, "out", scheduler=address).submissions
    assert {row.status for row in rows} == {"crashed"}
    assert all("another version of the autograder" in row.faults[0] for row in rows)


@pytest.mark.parametrize("address", ["nonsense", "foo://here:1", "tcp://127.0.0.1:1"])
def test_a_scheduler_that_is_not_there_is_a_clear_error(course, monkeypatch, address):
    monkeypatch.setattr(dispatch, "_CONNECT_SECONDS", 1.0)
    assert_no_scheduler(course, address)


def test_a_port_of_another_program_is_no_scheduler(course, monkeypatch):
    monkeypatch.setattr(dispatch, "_CONNECT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert_no_scheduler(course, f"tcp://127.0.0.1:{silent.getsockname()[1]}")


def assert_no_scheduler(course, address):
    with pytest.raises(NoCluster, match="(?s)cannot be reached .*`dask scheduler`"):
        grading.grade_class("pair", course / "class", out=course / "out", scheduler=address)
    assert not (course / "out").exists()
