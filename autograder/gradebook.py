"""The one writer of nbgrader's gradebook, so that formgrader and exporters keep working; and its marks."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.preprocessors import ComputeChecksums, SaveCells
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from autograder.master import Master
from autograder.verdicts import Grades, SubmissionVerdict


class NoGradebook(ValueError):
    """There is no gradebook at the address given."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """What a person did with one question in formgrader.

    score: the manual score, which wins over the automatic one; waiting: a person has yet to look at it.
    """

    max_points: float
    score: float | None = None
    extra_credit: float = 0.0
    waiting: bool = False
    comment: str = ""


def record(db_url: str, master: Master, grades: Grades) -> None:
    """Write the points of a class to the gradebook at `db_url`.

    Cells and points come from the master, as `nbgrader generate_assignment` would write
    them. Manual scores are kept; a grade whose automatic score changed below a manual
    score is marked for review, as nbgrader does.
    """
    _save_cells(db_url, master)
    with _open(db_url) as gradebook:
        for submission in grades.submissions:
            gradebook.update_or_create_student(submission.student)
            gradebook.update_or_create_submission(master.name, submission.student)
            _save_scores(gradebook, master.name, submission)
        gradebook.db.commit()


@contextlib.contextmanager
def _open(db_url: str) -> Iterator[Gradebook]:
    # nbgrader runs `alembic` by name when it makes a database: let it find the one installed beside it.
    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    logging.getLogger("traitlets").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader 0.9.6 was written for an older SQLAlchemy
        with Gradebook(db_url) as gradebook:
            yield gradebook


def _save_cells(db_url: str, master: Master) -> None:
    with _open(db_url) as gradebook:
        gradebook.update_or_create_assignment(master.name)
    notebook = copy.deepcopy(master.notebook)
    resources = {"nbgrader": {"notebook": master.name, "assignment": master.name, "db_url": db_url}}
    notebook, resources = ComputeChecksums().preprocess(notebook, resources)
    SaveCells().preprocess(notebook, resources)


def _save_scores(gradebook: Gradebook, assignment: str, submission: SubmissionVerdict) -> None:
    for question in submission.questions:
        grade = gradebook.find_grade(f"test_{question.name}", assignment, assignment, submission.student)
        if grade.auto_score == question.points:
            continue
        grade.auto_score = question.points
        grade.needs_manual_grade = grade.manual_score is not None
    for question in submission.questions:
        comment = gradebook.find_comment(question.name, assignment, assignment, submission.student)
        comment.auto_comment = question.message or None


def default_url(out: Path) -> str:
    """The gradebook in the results folder `out`."""
    return f"sqlite:///{(out / 'gradebook.db').resolve()}"


def marks(db_url: str, assignment: str) -> dict[str, dict[str, Mark]]:
    """What people did in formgrader, by student and question. Raises NoGradebook; changes nothing."""
    try:
        _require_file(db_url)
        with _open(db_url) as gradebook:
            return _marks(gradebook, assignment)
    except SQLAlchemyError as error:
        raise NoGradebook(f"The gradebook {db_url} cannot be read ({type(error).__name__}).") from None


def _marks(gradebook: Gradebook, assignment: str) -> dict[str, dict[str, Mark]]:
    written = _rows(gradebook, assignment, Comment, BaseCell, Comment.manual_comment)
    comments = {(student, cell): text or "" for student, cell, text in written}
    columns = (Grade.manual_score, Grade.extra_credit, Grade.needs_manual_grade)
    found: dict[str, dict[str, Mark]] = {}
    for kind in (GradeCell, TaskCell):
        rows = _rows(gradebook, assignment, Grade, kind, kind.max_score, *columns)
        for student, cell, most, score, extra, waiting in rows:
            question = cell.removeprefix("test_")
            mark = Mark(most, score, extra or 0.0, waiting, comments.get((student, question), ""))
            found.setdefault(student, {})[question] = mark
    return found


def _require_file(db_url: str) -> None:
    """Opening a SQLite file that does not exist would make one."""
    url = make_url(db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise NoGradebook(f"There is no gradebook at {db_url}.")


def _rows(gradebook: Gradebook, assignment: str, of: Any, cell: Any, *columns: Any) -> list[Any]:
    """Student, cell name and `columns` of every grade or comment (`of`) on cells of this kind."""
    query = gradebook.db.query(Student.id, cell.name, *columns).select_from(of)
    return (
        query.join(cell, of.cell_id == cell.id)
        .join(SubmittedNotebook, of.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Student, SubmittedAssignment.student_id == Student.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .filter(Assignment.name == assignment)
        .all()
    )
