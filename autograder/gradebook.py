"""The one writer of nbgrader's gradebook, so that formgrader and exporters keep working."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import sys
import warnings
from collections.abc import Iterator

from nbgrader.api import Gradebook
from nbgrader.preprocessors import ComputeChecksums, SaveCells
from sqlalchemy.exc import SAWarning

from autograder.master import Master
from autograder.verdicts import Grades, SubmissionVerdict


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
