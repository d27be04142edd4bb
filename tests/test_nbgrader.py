"""Plain nbgrader works on the masters: it releases, validates and grades them, with the engine's points."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import release
from autograder.master import Master, is_training, names
from autograder.samples import generate
from autograder.samples.students import CLASSES, WORDS

CONFIG = Path(release.__file__).with_name("nbgrader_config.py")
# Right in another style, wrong, half done, not compiling, saved by Colab, a test cell deleted. That these
# have the same points under the engine is what test_samples.py asserts: both are held against one table.
HONEST = ("dara", "fatima", "kofi", "mateo", "rosa", "tara")


@pytest.fixture(scope="module", params=names())
def course(request, tmp_path_factory):
    """A course folder of its own with one assignment, as generate_assignment leaves it."""
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    shutil.copy(CONFIG, folder)
    source = folder / "source" / name / f"{name}.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(release.source_notebook(Master.read(name)), source)
    nbgrader(folder, "generate_assignment", name)
    return folder, Master.read(name)


def nbgrader(folder: Path, *arguments: str) -> str:
    """Run nbgrader in a course folder, and return what it printed."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader calls alembic by name
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": tools}, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_generate_assignment_makes_the_released_notebook(course):
    folder, master = course
    generated = nbformat.read(folder / "release" / master.name / f"{master.name}.ipynb", as_version=4)
    assert generated == release.assignment_notebook(master)


def test_validate_passes_the_solved_notebook_and_fails_the_blank_one(course):
    folder, master = course
    notebook = f"{master.name}/{master.name}.ipynb"
    assert "Success! Your notebook passes all the tests." in nbgrader(
        folder, "validate", f"source/{notebook}"
    )
    blank = nbgrader(folder, "validate", f"release/{notebook}")
    unanswered = len(master.questions) + len(master.written)
    assert f"VALIDATION FAILED ON {unanswered} CELL(S)" in " ".join(blank.split())


def test_autograde_gives_honest_students_the_points_of_the_engine(course):
    folder, master = course
    students = {student.name: student for student in CLASSES[master.name] if student.name in HONEST}
    assert len(students) == len(HONEST) and all(student.honest for student in students.values())
    released = nbformat.writes(release.assignment_notebook(master))
    for student in students.values():
        path = folder / "submitted" / student.name / master.name / f"{master.name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(generate.submission(student, master, released))
    nbgrader(folder, "autograde", master.name)

    points = {name: autograded_points(folder, master, name) for name in students}
    assert points == {
        name: student.points(master)
        | {question.name: None if name in WORDS[master.name] else 0.0 for question in master.written}
        for name, student in students.items()
    }
    assert_training_was_skipped(
        folder / "grades" / "autograded" / "dara" / master.name / f"{master.name}.ipynb"
    )


def autograded_points(folder: Path, master: Master, student: str) -> dict[str, float]:
    with Gradebook(f"sqlite:///{folder / 'grades' / 'gradebook.db'}") as gradebook:
        notebook = gradebook.find_submission_notebook(master.name, master.name, student)
        return {grade.cell.name.removeprefix("test_"): grade.auto_score for grade in notebook.grades}


def assert_training_was_skipped(path: Path) -> None:
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    training = [cell for cell in cells if is_training(cell)]
    assert training and all(cell.execution_count is None and not cell.outputs for cell in training)
    assert all(cell.execution_count for cell in cells if not is_training(cell))
