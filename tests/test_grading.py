"""A class graded from the command line: rows, resumption, the gradebook, clear errors."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder import grading, master, verdicts
from tests.notebooks import as_bytes, code, submission

RIGHT = submission()
WRONG = submission(double="def double(x):\n    return 0")
ENDLESS = submission(double="def double(x):\n    while True: pass")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder with a class of five, graded with the tests' own masters."""
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    folder = tmp_path / "class"
    (folder / "cy").mkdir(parents=True)
    (folder / "cy" / "Copy of pair (1).ipynb").write_bytes(as_bytes(RIGHT))
    (folder / "ada.ipynb").write_bytes(as_bytes(RIGHT))
    (folder / "ben.ipynb").write_bytes(as_bytes(WRONG))
    (folder / "dora.ipynb").write_bytes(b"{broken")
    (folder / "ed").mkdir()
    return tmp_path


def grade(course, **options):
    return grading.grade_class("pair", course / "class", out=course / "out", jobs=2, seconds=4, **options)


def rows(grades):
    return {row.student: (row.status, row.score) for row in grades.submissions}


EXPECTED = {
    "ada": ("graded", 5),
    "ben": ("graded", 4),  # of two properties of `double` one holds
    "cy": ("graded", 5),
    "dora": ("unreadable", 0),
    "ed": ("unreadable", 0),
}


def test_every_student_has_a_row_in_grades_json_and_in_the_gradebook(course):
    grades = grade(course)
    assert rows(grades) == EXPECTED
    written = json.loads((course / "out" / "pair" / "grades.json").read_text())
    assert written["max_score"] == 5
    assert {row["student"]: (row["status"], row["score"]) for row in written["submissions"]} == EXPECTED
    assert written["submissions"][2]["faults"] == ["file 'Copy of pair (1).ipynb' was taken for 'pair.ipynb'"]
    with Gradebook(f"sqlite:///{course / 'out' / 'gradebook.db'}") as gradebook:
        scores = {item.student.id: item.score for item in gradebook.assignment_submissions("pair")}
    assert scores == {student: score for student, (_, score) in EXPECTED.items()}


def test_two_runs_from_nothing_give_the_same_bytes_whatever_the_number_of_jobs(course):
    first = grading.grade_class("pair", course / "class", out=course / "one", jobs=1)
    second = grading.grade_class("pair", course / "class", out=course / "two", jobs=3)
    assert first == second
    paths = [course / name / "pair" / "grades.json" for name in ("one", "two")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_second_run_judges_only_what_changed(course):
    grade(course)
    store = course / "out" / "pair" / "verdicts"
    before = {path: path.stat().st_mtime_ns for path in store.iterdir()}
    (course / "class" / "ben.ipynb").write_bytes(as_bytes(RIGHT))
    assert rows(grade(course))["ben"] == ("graded", 5)
    after = {path: path.stat().st_mtime_ns for path in store.iterdir()}
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1


def test_a_verdict_of_another_engine_is_not_reused_nor_made(course, monkeypatch):
    grade(course)
    monkeypatch.setattr(grading, "engine_version", lambda: "another")
    found = {row.student: row for row in grade(course).submissions}
    assert [found[name].status for name in ("ada", "ben", "cy")] == ["crashed"] * 3
    assert "another version of the autograder" in found["ada"].faults[0]


def test_a_manual_score_survives_a_regrade_and_asks_for_review_when_the_automatic_one_changes(course):
    grade(course)
    url = f"sqlite:///{course / 'out' / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        found = gradebook.find_grade("test_double", "pair", "pair", "ben")
        found.manual_score, found.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    (course / "class" / "ben.ipynb").write_bytes(as_bytes(RIGHT))
    grade(course)
    with Gradebook(url) as gradebook:
        found = gradebook.find_grade("test_double", "pair", "pair", "ben")
        assert (found.auto_score, found.manual_score, found.needs_manual_grade) == (2, 1.5, True)


def test_the_secret_seed_is_made_once_and_only_its_owner_reads_it(course):
    path = course / "out" / "pair" / "secret_seed"
    first = verdicts.secret_seed(path)
    assert verdicts.secret_seed(path) == first
    assert path.stat().st_mode & 0o077 == 0


def command(course, *arguments):
    script = (
        "import sys; from pathlib import Path; from autograder import master; "
        f"master.FOLDER = Path({str(Path(__file__).parent / 'masters')!r}); "
        "from autograder.cli import main; main(sys.argv[1:])"
    )
    return [
        sys.executable,
        "-c",
        script,
        "grade",
        "pair",
        str(course / "class"),
        "--out",
        str(course / "out"),
        *arguments,
    ]


def test_a_killed_run_leaves_no_half_file_and_the_next_one_resumes(course):
    (course / "class" / "zoe.ipynb").write_bytes(as_bytes(ENDLESS))
    process = subprocess.Popen(
        command(course, "--jobs", "1", "--timeout", "30"), start_new_session=True, stderr=subprocess.DEVNULL
    )
    store = course / "out" / "pair" / "verdicts"
    deadline = time.monotonic() + 60
    while len(list(store.glob("*.json"))) < 3:  # ada, ben and cy; zoe's call never ends
        assert time.monotonic() < deadline, "no verdicts within a minute"
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (course / "out" / "pair" / "grades.json").exists()
    finished = {path: path.read_bytes() for path in store.glob("*.json")}
    (course / "class" / "zoe.ipynb").write_bytes(as_bytes(RIGHT))
    grades = grading.grade_class("pair", course / "class", out=course / "out", jobs=1, seconds=30)
    assert rows(grades) == EXPECTED | {"zoe": ("graded", 5)}
    assert {path: path.read_bytes() for path in finished} == finished


def test_the_command_prints_the_class_and_ends_with_zero_whatever_the_marks(course):
    done = subprocess.run(
        command(course, "--jobs", "2"), capture_output=True, text=True, env=os.environ | {"COLUMNS": "120"}
    )
    assert done.returncode == 0, done.stderr
    for word in ("running_", "double", "ada", "ben", "dora", "unreadable", "total"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grade", "nope", "."], ["no assignment 'nope'", "reinforce_cartpole"]),
        (["grade", "gridworld", "/nonexistent"], ["neither a folder nor a notebook", "/nonexistent"]),
        (["grade", "gridworld", "EMPTY"], ["nobody to grade"]),
    ],
)
def test_bad_arguments_are_explained_without_a_traceback(tmp_path, arguments, words):
    arguments = [str(tmp_path) if argument == "EMPTY" else argument for argument in arguments]
    done = subprocess.run(
        [sys.executable, "-m", "autograder.cli", *arguments, "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_isolation_nothing_is_graded_unless_asked_for(course, monkeypatch):
    from autograder import sandbox

    monkeypatch.setenv("PATH", "/nonexistent")
    sandbox._problem.cache_clear()
    with pytest.raises(sandbox.NoSandbox, match="--sandbox none"):
        grade(course, sandbox_kind="bwrap")
    sandbox._problem.cache_clear()
    assert not (course / "out").exists()


def test_running_without_isolation_is_stamped_into_the_grades(course):
    (course / "class" / "ada.ipynb").write_bytes(
        as_bytes(submission() | {"cells": [*RIGHT["cells"], code("1")]})
    )
    assert grade(course, sandbox_kind="none").sandbox == "none"
