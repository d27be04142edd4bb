"""The sample class, graded by the engine: everybody has a row, and the row is the one written down."""

import json
from functools import cache
from pathlib import Path

import nbformat
import pytest

from autograder import grading, release
from autograder import master as masters
from autograder.master import Master, names
from autograder.samples import generate
from autograder.samples.students import CLASSES, WORDS

STUDENTS = [(name, student) for name in CLASSES for student in CLASSES[name]]
IDS = [f"{name}-{student.name}" for name, student in STUDENTS]
SECONDS = 10  # for one cell or call; what ends at all ends sooner


def grade(name, samples, out):
    """Grade the class from nothing, with the seed that a course would have drawn."""
    (out / name).mkdir(parents=True)
    (out / name / "secret_seed").write_text("20")
    grading.grade_class(name, samples / name, out=out, jobs=2, seconds=SECONDS)
    return (out / name / "grades.json").read_bytes()


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    for name in CLASSES:
        generate.write(name, folder)
    return folder


@pytest.fixture(scope="module")
def graded(samples, tmp_path_factory):
    """Gives the content of an assignment's grades.json; each class is graded when it is first asked for."""
    return cache(lambda name: grade(name, samples, tmp_path_factory.mktemp("grades")))


def test_every_assignment_has_a_class():
    assert sorted(CLASSES) == names()
    assert all(
        len({student.name for student in CLASSES[name]}) == len(CLASSES[name]) >= 16 for name in CLASSES
    )


@pytest.mark.parametrize("name", CLASSES)
def test_every_student_has_one_row(graded, name):
    found = [row["student"] for row in json.loads(graded(name))["submissions"]]
    assert found == [student.name for student in CLASSES[name]]


@pytest.mark.parametrize(("name", "student"), STUDENTS, ids=IDS)
def test_the_row_is_the_one_written_down(graded, name, student):
    (row,) = [row for row in json.loads(graded(name))["submissions"] if row["student"] == student.name]
    master = Master.read(name)
    assert {question["name"]: question["points"] for question in row["questions"]} == student.points(master)
    assert {question["name"]: question["status"] for question in row["questions"]} == student.statuses(master)
    assert row["score"] == pytest.approx(sum(student.points(master).values()))
    assert row["status"] == student.status
    if student.fault:
        assert any(student.fault in fault for fault in row["faults"])
    else:
        assert row["faults"] == []


@pytest.mark.parametrize("name", CLASSES)
def test_words_are_kept_for_a_person(graded, name):
    rows = json.loads(graded(name))["submissions"]
    answered = {row["student"] for row in rows if any(answer["digest"] for answer in row["written"])}
    assert answered == set(WORDS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_grading_twice_gives_the_same_bytes(graded, samples, name, tmp_path):
    assert grade(name, samples, tmp_path) == graded(name)


@pytest.mark.parametrize("name", CLASSES)
def test_a_wrong_answer_is_never_worth_as_much_as_a_right_one(name):
    points = {question.name: question.points for question in Master.read(name).questions}
    for student in CLASSES[name]:
        assert all(
            0 < value < points[q] for q, value in student.expected.items() if not isinstance(value, str)
        )


@pytest.mark.parametrize("name", CLASSES)
def test_samples_are_made_from_the_released_notebook(samples, name):
    released = nbformat.read(release.assignment_path(name), as_version=4)
    lena = nbformat.read(samples / name / "lena" / f"{name}.ipynb", as_version=4)
    assert lena == released
    ben = nbformat.read(samples / name / "ben" / f"{name}.ipynb", as_version=4)
    changed = {
        cell.id for cell, old in zip(ben.cells, released.cells, strict=True) if cell.source != old.source
    }
    master = Master.read(name)
    assert changed == {question.name for question in (*master.questions, *master.written)}


def test_writing_again_removes_who_is_gone(tmp_path):
    (tmp_path / "gridworld" / "gone").mkdir(parents=True)
    generate.write("gridworld", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gridworld"]
    assert sorted(path.name for path in (tmp_path / "gridworld").iterdir()) == [
        s.name for s in CLASSES["gridworld"]
    ]


def test_a_new_master_needs_no_class(tmp_path, monkeypatch):
    monkeypatch.setattr(masters, "FOLDER", Path(__file__).parent / "masters")
    assert generate.write("tiny", tmp_path) is None and not any(tmp_path.iterdir())
    (right,) = generate.right_answers(Master.read("tiny"))
    assert b"return twice" in right and b"NotImplementedError" not in right
