"""Grading a class: `autograder grade` beside `nbgrader autograde`, and a class of 2,000 beside one of 200.

    python -m benchmarks.grading             (about 40 minutes on two cores)
    python -m benchmarks.grading --quick     (a few minutes, writes nothing)

A class has 40 notebooks, copies of those sample students of CartPole whom both graders give the same points.
Both are timed as whole commands, from their start to the last mark in the gradebook.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import click
import nbformat
from nbgrader.api import Gradebook

from autograder import release
from autograder.master import Master
from autograder.samples import generate
from autograder.samples.students import CLASSES
from benchmarks import record

ASSIGNMENT = "reinforce_cartpole"
CLASS, ROUNDS = 40, 3
STOPS_NBGRADER = ("umar", "vera")  # a duplicated cell is an error there, and no grade
MANY = "gridworld"  # cheap enough for 2,000 notebooks
SMALL, LARGE, LARGE_ROUNDS = 200, 2_000, 1
TOOLS = Path(sys.executable).parent


def honest(name: str) -> dict[str, bytes]:
    """The notebooks of the sample students whom both graders give the same points, by student."""
    master = Master.read(name)
    released = nbformat.writes(release.assignment_notebook(master))
    able = [item for item in CLASSES[name] if item.honest and item.name not in STOPS_NBGRADER]
    return {student.name: generate.submission(student, master, released) for student in able}


def write_class(folder: Path, name: str, count: int) -> dict[str, str]:
    """Write `count` copies as FOLDER/ID/NAME/NAME.ipynb, as nbgrader wants it; returns their originals."""
    notebooks = honest(name)
    copies = {}
    for number, student in enumerate(islice(cycle(notebooks), count)):
        copies[f"{student}{number:04d}"] = student
        path = folder / f"{student}{number:04d}" / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(notebooks[student])
    return copies


def run(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds that the command took, and the most MiB that its first process held."""
    # nbgrader calls alembic by name
    tools = os.environ | {"PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    with (folder / "log").open("wb") as log:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=tools, stdout=log, stderr=subprocess.STDOUT)
        memory = 0.0
        while process.poll() is None:
            memory = max(memory, peak_mib(process.pid))
            time.sleep(0.05)
        seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{(folder / 'log').read_text()[-3000:]}")
    return seconds, memory


def peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    try:
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    except OSError:
        return 0.0
    return int(lines.get("VmHWM", "0 kB").split()[0]) / 1024


def prepare_nbgrader(folder: Path, name: str) -> None:
    """nbgrader's course in `folder`, up to where submissions are graded."""
    shutil.copy(Path(release.__file__).with_name("nbgrader_config.py"), folder)
    source = folder / "source" / name / f"{name}.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(release.source_notebook(Master.read(name)), source)
    run([str(TOOLS / "nbgrader"), "generate_assignment", name], folder)


def grade_with_nbgrader(folder: Path, name: str, copies: dict[str, str]) -> float:
    """Seconds of `nbgrader autograde` for the class in FOLDER/submitted, from an empty gradebook."""
    for made in ("grades", "release", "source"):
        shutil.rmtree(folder / made, ignore_errors=True)
    prepare_nbgrader(folder, name)
    seconds, _ = run([str(TOOLS / "nbgrader"), "autograde", name], folder)
    require_expected_points(f"sqlite:///{folder / 'grades' / 'gradebook.db'}", name, copies)
    return seconds


def grade(folder: Path, name: str, copies: dict[str, str], jobs: int) -> tuple[float, float]:
    """Seconds of `autograder grade` for the same class, from nothing, and the parent's greatest memory."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [str(TOOLS / "autograder"), "grade", name, "submitted", "--out", str(out), "--jobs", str(jobs)]
    used = run(command, folder)
    require_expected_points(f"sqlite:///{out / 'gradebook.db'}", name, copies)
    return used


def require_expected_points(url: str, name: str, copies: dict[str, str]) -> None:
    """A benchmark of wrong grades would be worth nothing."""
    master = Master.read(name)
    expected = {student.name: sum(student.points(master).values()) for student in CLASSES[name]}
    with Gradebook(url) as gradebook:
        found = {row.student.id: row.score for row in gradebook.assignment_submissions(name)}
    wrong = [
        student for student, original in copies.items() if abs(found[student] - expected[original]) > 0.01
    ]
    if wrong:
        raise SystemExit(f"These grades are not the expected ones: {', '.join(wrong[:5])}.")


def beside_nbgrader(name: str, count: int, rounds: int) -> dict[str, object]:
    """Throughput relative to nbgrader's, with one and with two jobs."""
    seconds: dict[str, list[float]] = {"nbgrader": [], "one job": [], "two jobs": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        copies = write_class(folder / "submitted", name, count)
        grade(folder, name, copies, jobs=1)  # compiles what is kept for later runs
        for _ in range(rounds):
            seconds["nbgrader"].append(grade_with_nbgrader(folder, name, copies))
            seconds["one job"].append(grade(folder, name, copies, jobs=1)[0])
            seconds["two jobs"].append(grade(folder, name, copies, jobs=2)[0])
            print({peer: round(values[-1], 1) for peer, values in seconds.items()}, flush=True)
    return {
        "notebooks": count,
        "rounds": rounds,
        "one job over nbgrader": record.ratio(seconds["nbgrader"], seconds["one job"]),
        "two jobs over one": record.ratio(seconds["one job"], seconds["two jobs"]),
    }


def large_beside_small(small: int, large: int, rounds: int) -> dict[str, object]:
    """Cost of a notebook and memory of the parent in a large class, relative to a small one."""
    costs: dict[int, list[float]] = {small: [], large: []}
    memory: dict[int, list[float]] = {small: [], large: []}
    for _ in range(rounds):
        for count in (small, large):
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                copies = write_class(folder / "submitted", MANY, count)
                seconds, mib = grade(folder, MANY, copies, jobs=2)
            costs[count].append(seconds / count)
            memory[count].append(mib)
            print(f"{count} notebooks: {seconds / count:.3f} s each, {mib:.0f} MiB", flush=True)
    return {
        "small": small,
        "large": large,
        "rounds": rounds,
        "cost of a notebook": record.ratio(costs[large], costs[small]),
        "memory of the parent": record.ratio(memory[large], memory[small]),
    }


@click.command()
@click.option("--quick", is_flag=True, help="One round with few notebooks; writes nothing.")
def main(quick: bool) -> None:
    """Measure, and write benchmarks/results/grading.json."""
    if quick:
        print(beside_nbgrader("gridworld", 6, 1), large_beside_small(20, 100, 1), sep="\n")
        return
    content = {
        "beside nbgrader": beside_nbgrader(ASSIGNMENT, CLASS, ROUNDS),
        "large class": large_beside_small(SMALL, LARGE, LARGE_ROUNDS),
    }
    print(record.write("grading", content, ["nbgrader", "jax", "ipykernel"]))


if __name__ == "__main__":
    main()
