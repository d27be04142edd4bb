"""A class graded from the command line: rows, resumption, the gradebook, clear errors."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import psutil
import pytest
from nbgrader.api import Gradebook

from autograder import grading, master, verdicts
from autograder.class_folder import InUse
from autograder.intake import IntakeError, Person, Submission
from autograder.master import Master
from autograder.merging import Changes, UnclearIdentity, merged
from autograder.release import assignment_notebook
from autograder.results import Results
from autograder.submission_store import SubmissionStore
from policy_gradients import checks
from tests.notebooks import PAIR, as_bytes, code, submission

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


def test_a_verdict_of_another_engine_is_not_reused(course, monkeypatch):
    grade(course)
    before = stored(course)
    monkeypatch.setattr(grading, "engine_version", lambda: "another")
    grade(course)
    assert before.items() < stored(course).items()
    assert len(stored(course)) == 2 * len(before)


def test_the_engine_is_all_that_judges_and_nothing_that_shows():
    code = {str(path.relative_to(path.parents[1])) for path in verdicts._code(Path(verdicts.__file__).parent)}
    for name in ("xla_cache.py", "nbgrader_config.py", "judging.py"):
        assert f"autograder/{name}" in code
    assert {"alignment/steps.py", "worker/cells.py"} <= code
    assert not any(name.startswith(("samples/", "results/", "intake/")) for name in code)
    library = Path(checks.__file__).parent
    assert {path.name for path in library.glob("*.py")} <= {path.name for path in verdicts._code(library)}
    assert {"numpy", "torch", "jax", "ipython", "rapidfuzz"} <= set(verdicts._packages())
    assert not {"pytest", "ruff"} & set(verdicts._packages())


@pytest.mark.parametrize("place", ["_config.yml", "constraints.txt"])
def test_what_fills_a_master_is_part_of_a_verdicts_key(tmp_path, monkeypatch, place):
    with_setup = Master("pair", PAIR.source + "\n# {{repository}} {{colab_runtime}}\n")
    before = with_setup.filled
    for name, path in (("BOOK_CONFIG", master.BOOK_CONFIG), ("COLAB_PINS", master.COLAB_PINS)):
        text = path.read_text()
        if path.name == place:
            text = text.replace("https://github.com/", "https://github.com/another-").replace(
                "Colab's runtime of ", "Colab's runtime of another "
            )
            assert text != path.read_text()
        (tmp_path / path.name).write_text(text)
        monkeypatch.setattr(master, name, tmp_path / path.name)
    after = Master("pair", with_setup.source).filled
    assert after.sha256 != before.sha256
    assert Master("pair", with_setup.source).sha256 == with_setup.sha256  # which solutions carry
    assert after.filled.source == after.source


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


def command(course, *arguments, first="pass", path=None):
    """The command line `autograder grade` on the class, after the statement `first`."""
    script = (
        "import os, sys; from pathlib import Path; from autograder import gradebook, grading, master; "
        f"master.FOLDER = Path({str(Path(__file__).parent / 'masters')!r}); {first}; "
        "from autograder.cli import main; main(sys.argv[1:])"
    )
    paths = [str(path or course / "class"), "--out", str(course / "out")]
    return [sys.executable, "-c", script, "grade", "pair", *paths, *arguments]


@contextlib.contextmanager
def killed(course, *arguments, first="pass"):
    """The command as a process that is killed at the end, and all that it had started is gone soon after."""
    process = psutil.Popen(command(course, *arguments, first=first), stderr=subprocess.DEVNULL)
    try:
        yield process
        started = process.children(recursive=True)
    finally:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(started, timeout=60)
    assert not alive, "processes outlive the run that started them"


def stored(course):
    """The verdicts there are, all of them whole, with the time at which each was written."""
    paths = list((course / "out" / "pair" / "verdicts").glob("*.json"))
    for path in paths:
        verdicts.Judged.model_validate_json(path.read_bytes())
    return {path: path.stat().st_mtime_ns for path in paths}


def wait_for_verdicts(course, number, process):
    deadline = time.monotonic() + 120
    while len(stored(course)) < number:
        assert process.poll() is None and time.monotonic() < deadline, "no verdicts"
        time.sleep(0.02)


def assert_resumes(course, before, expected):
    """The next run judges nothing that has a verdict, and leaves nothing half written."""
    assert rows(grade(course)) == expected
    assert before.items() <= stored(course).items()
    assert len(stored(course)) == len(expected) - 1  # ed handed in nothing that could be judged
    left = {path.name for path in (course / "out" / "pair").rglob(".*")}
    assert left == {".lock"}


def test_a_run_killed_again_and_again_loses_nothing_and_repeats_nothing(course):
    for number in range(6):
        (course / "class" / f"more{number}.ipynb").write_bytes(as_bytes(RIGHT))
    (course / "class" / "ada.ipynb").write_bytes(as_bytes(ENDLESS))
    random, before = Random(3), {}
    for number in (1, 3, 6):
        with killed(course, "--jobs", "2", "--timeout", "4") as process:
            wait_for_verdicts(course, number, process)
            time.sleep(random.uniform(0, 0.2))
        assert before.items() <= stored(course).items()
        before = stored(course)
    assert not (course / "out" / "pair" / "grades.json").exists()
    more = {f"more{number}": ("graded", 5) for number in range(6)}
    assert_resumes(course, before, EXPECTED | more | {"ada": ("graded", 3)})


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("gradebook.record = die", 4),
        ("grading.write_grades = die", 4),
        ("os.replace = lambda *a: rename(*a) if len(os.listdir(Path(a[1]).parent)) < 3 else die()", 2),
    ],
    ids=["before the gradebook", "before grades.json", "before a verdict has its name"],
)
def test_a_run_killed_between_two_steps_resumes(course, place, kept):
    die = f"rename, die = os.replace, lambda *_: os.kill(os.getpid(), {int(signal.SIGKILL)}); {place}"
    arguments = ("--jobs", "2", "--timeout", "4")
    ended = subprocess.run(command(course, *arguments, first=die), stderr=subprocess.DEVNULL)
    assert ended.returncode == -signal.SIGKILL
    assert not (course / "out" / "pair" / "grades.json").exists()
    before = stored(course)
    assert len(before) == kept
    assert_resumes(course, before, EXPECTED)


def test_two_runs_at_once_into_one_folder_are_refused(course):
    (course / "class" / "zoe.ipynb").write_bytes(as_bytes(ENDLESS))
    with killed(course, "--jobs", "1", "--timeout", "600") as process:
        wait_for_verdicts(course, 3, process)
        with pytest.raises(InUse, match="Another run"):
            grade(course)


def test_reseeding_judges_all_anew_and_only_when_the_arguments_are_good(course):
    first = grade(course)
    seed = course / "out" / "pair" / "secret_seed"
    old, before = seed.read_text(), stored(course)
    with pytest.raises(IntakeError):
        grading.grade_class("pair", course / "absent", out=course / "out", reseed=True)
    assert seed.read_text() == old
    assert grade(course, reseed=True) == first
    assert seed.read_text() != old
    assert len(stored(course)) == 2 * len(before)


def test_results_of_several_machines_merge_and_nothing_is_judged_again(course):
    seed = 11
    for machine, students in (("one", ["ada.ipynb", "dora.ipynb"]), ("two", ["ben.ipynb", "cy"])):
        (course / machine).mkdir()
        for name in students:
            source = course / "class" / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, course / machine / name)
        out = course / f"{machine}.out"
        verdicts.secret_seed(out / "pair" / "secret_seed", seed)
        grading.grade_class("pair", course / machine, out=out, jobs=1, seconds=4)
    machines = [course / "one.out", course / "two.out"]
    merged = grade(course, merge=machines, scheduler=None)
    assert rows(merged) == EXPECTED
    contents = {path.read_bytes() for out in machines for path in (out / "pair" / "verdicts").iterdir()}
    assert {path.read_bytes() for path in stored(course)} == contents
    grading.grade_class("pair", course / "class", out=course / "alone", jobs=1, seconds=4)
    alone = course / "alone" / "pair" / "grades.json"
    assert alone.read_bytes() == (course / "out" / "pair" / "grades.json").read_bytes()


def test_results_with_another_seed_are_not_merged(course):
    grade(course)
    verdicts.secret_seed(course / "other" / "pair" / "secret_seed")
    before = stored(course)
    with pytest.raises(grading.CannotGrade, match="different secret seeds"):
        grade(course, merge=[course / "other"])
    with pytest.raises(grading.CannotGrade, match="cannot be read"):
        grade(course, merge=[course / "nowhere"])
    with pytest.raises(grading.CannotGrade, match="leave out --merge"):
        grade(course, merge=[course / "other"], reseed=True)
    assert stored(course) == before


def test_a_damaged_seed_is_explained(course):
    verdicts.write_atomically(course / "out" / "pair" / "secret_seed", "")
    with pytest.raises(grading.CannotGrade, match="does not hold a number"):
        grade(course)


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


def hand_in(course, folder, **notebooks):
    """A folder of its own with these notebooks."""
    for name, content in notebooks.items():
        (course / folder).mkdir(exist_ok=True)
        (course / folder / f"{name}.ipynb").write_bytes(content)
    return course / folder


def grade_also(course, path, **options):
    """What a later run says and gives."""
    said = []
    grades = grading.grade_class("pair", path, out=course / "out", jobs=2, say=said.append, **options)
    return grades, said


@pytest.fixture
def graded(course):
    grade(course)
    return course


def test_a_late_hand_in_joins_the_class_and_everybody_else_stays(graded):
    before = stored(graded)
    shutil.rmtree(graded / "class")  # nothing is read from there again
    late = hand_in(graded, "late", zoe=as_bytes(RIGHT), ben=as_bytes(RIGHT), ada=as_bytes(RIGHT))
    grades, said = grade_also(graded, late)
    assert rows(grades) == EXPECTED | {"ben": ("graded", 5), "zoe": ("graded", 5)}
    assert said == ["new: 1 (zoe)", "changed: 1 (ben)", "kept: 4 (ada, cy, dora, ed)"]
    assert before.items() <= stored(graded).items() and len(stored(graded)) == len(before) + 2
    assert grades.submissions[2].faults == ("file 'Copy of pair (1).ipynb' was taken for 'pair.ipynb'",)
    results = Results.read("pair", graded / "out")
    assert [student.name for student in results.students()] == ["ada", "ben", "cy", "dora", "ed", "zoe"]
    with Gradebook(f"sqlite:///{graded / 'out' / 'gradebook.db'}") as gradebook:
        assert len(gradebook.assignment_submissions("pair")) == 6


def test_only_these_makes_a_class_of_what_is_handed_in_now(graded):
    grades, said = grade_also(graded, hand_in(graded, "late", zoe=as_bytes(RIGHT)), only_these=True)
    assert rows(grades) == {"zoe": ("graded", 5)}
    assert said == ["new: 1 (zoe)", "left out: 5 (ada, ben, cy, dora, ed)"]
    assert rows(grade_also(graded, None)[0]) == {"zoe": ("graded", 5)}


def test_what_cannot_be_read_takes_the_place_of_nothing_that_can(graded):
    late = hand_in(graded, "late", dora=b"{broken too")
    (late / "ada").mkdir()
    grades, said = grade_also(graded, late)
    assert rows(grades) == EXPECTED
    (note,) = grades.submissions[0].notices
    assert note.startswith("what was handed in later cannot be read") and f"ada: {note}" == said[0]
    assert "changed: 1 (dora)" in said
    grades, _ = grade_also(graded, late, student="ada")
    assert rows(grades)["ada"] == ("unreadable", 0)  # asked for by name


def test_kept_submissions_are_judged_again_when_what_they_are_measured_by_has_changed(graded, monkeypatch):
    before = stored(graded)
    late = hand_in(graded, "late", zoe=as_bytes(RIGHT))
    monkeypatch.setattr(grading, "engine_version", lambda: "another")
    grades, _ = grade_also(graded, late)
    assert rows(grades) == EXPECTED | {"zoe": ("graded", 5)}
    assert len(stored(graded)) == 2 * len(before) + 1
    _, said = grade_also(graded, None, seconds=5)
    assert said[0].startswith("The limits are 5 s and 4096 MiB now, after 4 s")
    assert len(stored(graded)) == 3 * len(before) + 2
    grade_also(graded, None)  # the limits stay
    assert len(stored(graded)) == 3 * len(before) + 2


def test_one_student_is_judged_again_without_the_others(graded):
    before = stored(graded)
    assert rows(grade_also(graded, None, student="ben")[0]) == EXPECTED
    changed = {path for path, when in stored(graded).items() if before[path] != when}
    assert [verdicts.Judged.model_validate_json(path.read_bytes()).verdict.student for path in changed] == [
        "ben"
    ]
    late = hand_in(graded, "late", ben=as_bytes(RIGHT), ada=as_bytes(WRONG))
    assert rows(grade_also(graded, late, student="ben")[0]) == EXPECTED | {"ben": ("graded", 5)}


@pytest.mark.parametrize(
    ("folder", "student", "words"),
    [(None, "benn", "Did you mean ben"), ("late", "ada", "no 'ada'"), (None, "x", "as in the table")],
)
def test_a_student_who_is_not_there_is_refused(graded, folder, student, words):
    path = folder and hand_in(graded, folder, zoe=as_bytes(RIGHT))
    with pytest.raises(UnclearIdentity, match=words):
        grade_also(graded, path, student=student)


def test_somebody_under_another_name_is_not_taken_for_a_new_student(graded):
    late = graded / "late" / "Ada_4711_assignsubmission_file_"
    late.mkdir(parents=True)
    (late / "pair.ipynb").write_bytes(as_bytes(WRONG))
    before = (graded / "out" / "pair" / "grades.json").read_bytes()
    with pytest.raises(UnclearIdentity, match="'Ada.*' and 'ada'.*--only-these"):
        grade_also(graded, graded / "late")
    assert (graded / "out" / "pair" / "grades.json").read_bytes() == before
    grades, _ = grade_also(graded, graded / "late", only_these=True)
    assert len(rows(grades)) == 1


def test_an_older_hand_in_does_not_take_the_place_of_a_newer_one(tmp_path):
    def handed_in(content, when):
        return Submission("ada_7", content, person=Person("moodle", "7", "ada", handed_in=when))

    store, changes = SubmissionStore(tmp_path), Changes()
    monday, friday = handed_in(b"monday", "2024-05-06 10:00:00"), handed_in(b"friday", "2024-05-10 10:00:00")
    for first, second, counts in ((monday, friday, b"friday"), (friday, monday, b"friday")):
        store.put(first)
        assert [item.content for item in merged([second], store, changes, as_it_is=False)] == [counts]
    assert [note.split(":")[0] for note in changes.notes] == ["ada_7"]
    assert [item.content for item in merged([monday], store, changes, as_it_is=True)] == [b"monday"]


def test_results_without_the_notebooks_ask_for_the_whole_class(graded):
    shutil.rmtree(graded / "out" / "pair" / "submissions")
    with pytest.raises(grading.CannotGrade, match="older version"):
        grade_also(graded, hand_in(graded, "late", zoe=as_bytes(RIGHT)))
    with pytest.raises(grading.CannotGrade, match="PATH"):
        grade_also(graded, None)
    assert rows(grade(graded)) == EXPECTED


def test_a_damaged_grades_json_is_explained(graded):
    (graded / "out" / "pair" / "grades.json").write_text("{")
    with pytest.raises(grading.CannotGrade, match="is damaged. Remove it"):
        grade(graded)


def test_a_class_of_another_assignment_is_refused_once(course):
    stranger = as_bytes(assignment_notebook(Master.read("countdown")))
    (course / "class" / "ada.ipynb").write_bytes(stranger)
    assert rows(grade(course))["ada"] == ("unreadable", 0)  # one of many, and the others are of ours
    late = hand_in(course, "late", zoe=stranger, yve=stranger)
    with pytest.raises(grading.WrongAssignment, match="look like countdown"):
        grading.grade_class("pair", late, out=course / "other")
    assert not (course / "other").exists()
    done = subprocess.run(command(course, path=late), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "") and len(done.stderr.splitlines()) == 1


def test_an_error_of_the_graders_own_is_nobodys_zero(graded, tmp_path, monkeypatch):
    masters = tmp_path / "masters"
    shutil.copytree(master.FOLDER, masters)
    source = (masters / "pair.py").read_text()
    (masters / "pair.py").write_text(
        source.replace("close(running_sum([1, 2], start=10.0)", "close(no_such_name")
    )
    first = f"master.FOLDER = Path({str(masters)!r})"
    done = subprocess.run(command(graded, "--jobs", "1", first=first), capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "The grader itself failed on 3 (ada, ben, cy)" in done.stderr and "Traceback" not in done.stderr
    row = json.loads((graded / "out" / "pair" / "grades.json").read_text())["submissions"][0]
    assert (row["status"], row["total"]) == ("crashed", None)
    assert {question["status"] for question in row["questions"]} == {"error"}
    assert "cannot be read" not in json.dumps(row) and "no_such_name" not in json.dumps(row)
    log = graded / "out" / "pair" / "grader.log"
    assert "NameError: name 'no_such_name' is not defined" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    with Gradebook(f"sqlite:///{graded / 'out' / 'gradebook.db'}") as gradebook:
        found = gradebook.find_grade("test_double", "pair", "pair", "ada")
        assert (found.auto_score, found.needs_manual_grade) == (None, True)
    assert rows(grade(graded)) == EXPECTED


def test_marks_by_people_stand_in_grades_json_with_the_total(graded):
    path = graded / "out" / "pair" / "grades.json"
    row = json.loads(path.read_text())["submissions"][1]
    assert (row["score"], row["manual"], row["total"]) == (4, {}, 4)
    with Gradebook(f"sqlite:///{graded / 'out' / 'gradebook.db'}") as gradebook:
        found = gradebook.find_grade("test_double", "pair", "pair", "ben")
        found.manual_score, found.extra_credit = 1.5, 0.25
        gradebook.db.commit()
    Results.read("pair", graded / "out")
    row = json.loads(path.read_text())["submissions"][1]
    assert (row["score"], row["manual"], row["total"]) == (4, {"double": 1.75}, 4.75)
    assert grade(graded).submissions[1].total == 4.75


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
