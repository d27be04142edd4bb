"""The one writer of nbgrader's gradebook, so that formgrader and exporters keep working; and its marks."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
    new_uuid,
)
from nbgrader.preprocessors import ComputeChecksums
from nbgrader.utils import is_grade, is_locked, is_solution
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from sqlalchemy.orm import Session

from autograder import class_folder
from autograder.master import Master, grade_id
from autograder.pages import plain
from autograder.verdicts import Grades, SubmissionVerdict

FILE = "gradebook.db"
_NOTHING_WRITTEN = "No response."  # nbgrader's words


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

    @property
    def given(self) -> bool:
        """Whether a person gave points."""
        return self.score is not None or bool(self.extra_credit)

    def counted(self, automatic: float) -> float:
        """The points that count for the question."""
        return round((automatic if self.score is None else self.score) + self.extra_credit, 2)


def record(db_url: str, master: Master, grades: Grades, before: Grades | None = None) -> None:
    """Write the points of a class to the gradebook at `db_url`, all of it or nothing.

    Cells and points come from the master, as `nbgrader generate_assignment` would write
    them. Manual scores are kept; a person is asked to look again where the automatic score below one
    has changed, and where the words that one was given for are no longer those of `before`, the
    class as it was recorded last. Raises NoGradebook.
    """
    try:
        with _open(db_url) as gradebook, gradebook.db.begin():
            cells = _save_cells(gradebook.db, master)
            notebooks = _save_submissions(
                gradebook.db, master.name, [row.student for row in grades.submissions]
            )
            _save_grades(gradebook.db, cells, notebooks, grades, _digests(before))
    except SQLAlchemyError as error:
        raise NoGradebook(
            f"Nothing was written to the gradebook {_shown(db_url)} ({_reason(error)}). The verdicts are "
            "kept: put it right and run the command again."
        ) from error


def prepare(db_url: str) -> None:
    """Make the gradebook if there is none: its troubles show before a class is graded. Raises NoGradebook."""
    try:
        _keep_private(db_url)
        with _open(db_url):
            pass
    except (SQLAlchemyError, OSError) as error:
        raise NoGradebook(
            f"The gradebook {_shown(db_url)} cannot be opened ({_reason(error)}). "
            f"{_advice(db_url)} Nothing was graded."
        ) from error


def _keep_private(db_url: str) -> None:
    """Make a SQLite gradebook a file for its owner only: it holds the hidden tests."""
    url = make_url(db_url)
    if url.get_backend_name() == "sqlite" and url.database:
        path = Path(url.database)
        path.touch(mode=0o600)
        class_folder.close(path)


@contextlib.contextmanager
def _open(db_url: str) -> Iterator[Gradebook]:
    # nbgrader runs `alembic` by name when it makes a database: let it find the one installed beside it.
    tools = os.path.dirname(sys.executable)
    found = os.environ.get("PATH", os.defpath)
    if not found.startswith(tools + os.pathsep):
        os.environ["PATH"] = tools + os.pathsep + found
    logging.getLogger("traitlets").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader 0.9.6 was written for an older SQLAlchemy
        try:
            gradebook = Gradebook(db_url)
        except ModuleNotFoundError as error:
            raise NoGradebook(
                f"The gradebook {_shown(db_url)} needs the Python package {error.name!r}; for PostgreSQL: "
                "pip install 'policy-gradients[postgresql]'"
            ) from None
        with gradebook:
            gradebook.db.rollback()  # what nbgrader read on opening is no part of what follows
            yield gradebook


def _reason(error: Exception) -> str:
    """What the database says, in a line."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split()).rstrip(".")[:300] or type(error).__name__


def _advice(db_url: str) -> str:
    try:
        url = make_url(db_url)
    except SQLAlchemyError:
        return "Correct --db."
    if url.get_backend_name() == "sqlite":
        return "See that there is room and that you may write there; a damaged file comes from a backup."
    if url.password is None:
        return (
            "Start the database; if it asks for a password, which is not kept, give it again with --db, in "
            "PGPASSWORD or in ~/.pgpass."
        )
    return "Correct --db, or start the database."


def _shown(db_url: str) -> str:
    """The address without its password."""
    try:
        return make_url(db_url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "at this address"


class _Cells(NamedTuple):
    """The ids of a notebook's cells in the gradebook.

    graded: of those with points, by name; answers: of those with comments, by question.
    """

    notebook: str
    graded: dict[str, str]
    answers: dict[str, str]


def _save_cells(db: Session, master: Master) -> _Cells:
    """The assignment, its notebook and its cells, as nbgrader's SaveCells would have them."""
    assignment = db.scalar(select(Assignment).filter_by(name=master.name)) or Assignment(master.name)
    db.add(assignment)
    db.flush()
    found = db.scalar(select(Notebook).filter_by(name=master.name, assignment_id=assignment.id))
    notebook = found or Notebook(name=master.name, assignment=assignment)
    notebook.kernelspec = json.dumps(master.notebook.metadata.get("kernelspec", {}))
    source, _ = ComputeChecksums().preprocess(copy.deepcopy(master.notebook), {})
    named = {grade_id(cell): cell for cell in source.cells if grade_id(cell)}
    db.add(notebook)
    db.flush()
    _remove_cells(db, notebook, named)
    known = {(type(cell), cell.name): cell for cell in [*notebook._base_cells, *notebook.source_cells]}

    def saved(kind: type, name: str, **values: Any) -> str:
        cell = known.get((kind, name)) or kind(name=name, notebook=notebook)
        for key, value in values.items():
            setattr(cell, key, value)
        db.add(cell)
        db.flush()
        return cell.id

    cells = _Cells(notebook.id, {}, {})
    for name, cell in named.items():
        if is_grade(cell):
            points = float(cell.metadata.nbgrader.points)
            cells.graded[name] = saved(GradeCell, name, max_score=points, cell_type=cell.cell_type)
        if is_solution(cell):
            cells.answers[name] = saved(SolutionCell, name)
        if is_grade(cell) or is_solution(cell) or is_locked(cell):
            checksum = cell.metadata.nbgrader.checksum
            values = {"locked": is_locked(cell), "source": cell.source, "checksum": checksum}
            saved(SourceCell, name, cell_type=cell.cell_type, **values)
    cells.answers.update({question.name: cells.answers[question.cell] for question in master.questions})
    return cells


def _remove_cells(db: Session, notebook: Notebook, named: Mapping[str, NotebookNode]) -> None:
    """Take out the cells that the master no longer has, with their automatic points."""
    for cell in notebook._base_cells:
        role = is_grade if isinstance(cell, GradeCell) else is_solution
        if cell.name in named and role(named[cell.name]) or isinstance(cell, TaskCell):
            continue
        by_hand = or_(Grade.manual_score.is_not(None), Grade.extra_credit.is_not(None))
        marked = select(Grade.id).filter(Grade.cell_id == cell.id, by_hand)
        told = select(Comment.id).filter(Comment.cell_id == cell.id, Comment.manual_comment.is_not(None))
        if db.scalar(marked.limit(1)) or db.scalar(told.limit(1)):
            raise NoGradebook(
                f"The gradebook holds marks that people gave for {cell.name!r}, which is no longer in the "
                "assignment. They stay: put the question back, or take another gradebook (--out or --db)."
            )
        for of in (Grade, Comment):
            db.execute(delete(of).filter(of.cell_id == cell.id))
        db.delete(cell)
    for cell in notebook.source_cells:
        if cell.name not in named:
            db.delete(cell)
    db.flush()
    db.expire(notebook)


def _save_submissions(db: Session, assignment: str, students: list[str]) -> dict[str, str]:
    """A submission of everybody, and the id of its notebook by student."""
    master = db.scalars(select(Notebook).join(Assignment).filter(Assignment.name == assignment)).one()
    known = set(db.scalars(select(Student.id)))
    _insert(db, Student, [{"id": student} for student in students if student not in known])
    ours = select(SubmittedAssignment.student_id, SubmittedAssignment.id)
    ours = ours.filter(SubmittedAssignment.assignment_id == master.assignment_id)
    submitted = dict(db.execute(ours).all())
    new = {student: new_uuid() for student in students if student not in submitted}
    rows = [{"id": key, "student_id": who, "assignment_id": master.assignment_id} for who, key in new.items()]
    _insert(db, SubmittedAssignment, rows)
    submitted |= new
    theirs = select(SubmittedNotebook.assignment_id, SubmittedNotebook.id)
    notebooks = dict(db.execute(theirs.filter(SubmittedNotebook.notebook_id == master.id)).all())
    missing = [submitted[student] for student in students if submitted[student] not in notebooks]
    rows = [{"id": new_uuid(), "assignment_id": key, "notebook_id": master.id} for key in missing]
    _insert(db, SubmittedNotebook, rows)
    notebooks |= {row["assignment_id"]: row["id"] for row in rows}
    return {student: notebooks[submitted[student]] for student in students}


class _Score(NamedTuple):
    """What is to be recorded for one cell; ask: a person has to look at it even if nothing changed."""

    points: float | None
    comment: str | None
    review: bool
    ask: bool = False


def _scores(row: SubmissionVerdict, cells: _Cells, before: Mapping[str, str]) -> Iterator[tuple[str, _Score]]:
    """The scores of one student, by the name of the answer cell."""
    if row.status == "crashed":  # nothing is known, of words neither
        yield from ((question.name, _Score(None, None, True)) for question in row.questions)
        return
    for question in row.questions:
        comment = plain(question.message) or None
        yield question.name, _Score(question.points, comment, question.needs_review)
    written = {answer.name: answer for answer in row.written}
    for name in sorted(cells.graded.keys() & cells.answers.keys()):
        answer = written.get(name)
        if answer and answer.digest:
            yield name, _Score(None, None, True, ask=before.get(name, answer.digest) != answer.digest)
        else:
            yield name, _Score(0.0, _NOTHING_WRITTEN, False, ask=bool(before.get(name)))


def _digests(before: Grades | None) -> dict[str, dict[str, str]]:
    rows = before.submissions if before else ()
    return {row.student: {answer.name: answer.digest for answer in row.written} for row in rows}


def _save_grades(
    db: Session,
    cells: _Cells,
    notebooks: Mapping[str, str],
    grades: Grades,
    before: Mapping[str, Mapping[str, str]],
) -> None:
    old_grades = _existing(db, Grade, cells, Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade)
    old_comments = _existing(db, Comment, cells, Comment.auto_comment)
    new: dict[type, list[dict[str, Any]]] = {Grade: [], Comment: []}
    changed: dict[type, list[dict[str, Any]]] = {Grade: [], Comment: []}
    for row in grades.submissions:
        notebook = notebooks[row.student]
        scores = dict(_scores(row, cells, before.get(row.student, {})))
        comments = _comments(scores, cells)
        for name, score in scores.items():
            graded, answer = cells.graded.get(f"test_{name}") or cells.graded[name], cells.answers[name]
            old = old_grades.get((notebook, graded))
            values = _grade(score, old, old_comments.get((notebook, answer)), comments[answer])
            _put(new[Grade], changed[Grade], old, notebook, graded, values)
        for answer, text in comments.items():
            old = old_comments.get((notebook, answer))
            _put(new[Comment], changed[Comment], old, notebook, answer, {"auto_comment": text})
    for of in (Grade, Comment):
        _insert(db, of, new[of])
        if changed[of]:
            db.execute(update(of), changed[of])


def _comments(scores: Mapping[str, _Score], cells: _Cells) -> dict[str, str | None]:
    """The comment on each answer cell; where several questions share one, the comments on all of them."""
    sharing: dict[str, list[str]] = {}
    for name in scores:
        sharing.setdefault(cells.answers[name], []).append(name)
    return {
        answer: "\n".join(f"{name}: {scores[name].comment}" for name in names if scores[name].comment) or None
        if len(names) > 1
        else scores[names[0]].comment
        for answer, names in sharing.items()
    }


def _grade(score: _Score, old: Any, comment: Any, text: str | None) -> dict[str, Any]:
    """The grade's new values, with `text` as the new comment.

    A person who has resolved a question is asked again only when it changed.
    """
    if old is None:
        return {"auto_score": score.points, "needs_manual_grade": score.review}
    rescored = old.auto_score != score.points
    told = comment is not None and comment.auto_comment != text
    waiting = old.needs_manual_grade
    if rescored or told:
        waiting = score.review
    if old.manual_score is not None and (rescored or score.ask):
        waiting = True
    return {"auto_score": score.points, "needs_manual_grade": waiting}


def _existing(db: Session, of: type, cells: _Cells, *columns: Any) -> dict[tuple[str, str], Any]:
    """The rows of grades or comments (`of`) by notebook and cell."""
    query = select(of.id, of.notebook_id, of.cell_id, *columns)
    query = query.join(SubmittedNotebook, of.notebook_id == SubmittedNotebook.id)
    rows = db.execute(query.filter(SubmittedNotebook.notebook_id == cells.notebook))
    return {(row.notebook_id, row.cell_id): row for row in rows}


def _put(new: list, changed: list, old: Any, notebook: str, cell: str, values: dict[str, Any]) -> None:
    if old is None:
        new.append({"id": new_uuid(), "notebook_id": notebook, "cell_id": cell, **values})
    elif any(getattr(old, key) != value for key, value in values.items()):
        changed.append({"id": old.id, **values})


def _insert(db: Session, of: type, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.execute(insert(of.__table__), rows)  # not the class: it would group the rows by what is None


def record_penalties(db_url: str, assignment: str, penalties: Mapping[str, float]) -> None:
    """Write how many points being late costs each student; nbgrader's exporter takes them off.

    Raises NoGradebook.
    """
    penalty = SubmittedNotebook.late_submission_penalty
    query = select(SubmittedNotebook.id, penalty, SubmittedAssignment.student_id)
    query = query.join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
    query = query.join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    try:
        _require_file(db_url)
        with _open(db_url) as gradebook, gradebook.db.begin():
            rows = gradebook.db.execute(query.filter(Assignment.name == assignment))
            new = {key: (old or 0.0, penalties.get(student, 0.0)) for key, old, student in rows}
            changed = [{"id": key, penalty.key: to} for key, (old, to) in new.items() if old != to]
            if changed:
                gradebook.db.execute(update(SubmittedNotebook), changed)
    except SQLAlchemyError as error:
        raise NoGradebook(f"The gradebook {_shown(db_url)} cannot be written ({_reason(error)}).") from None


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
        raise NoGradebook(
            f"The gradebook {_shown(db_url)} cannot be read ({_reason(error)}). {_advice(db_url)}"
        ) from None


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


def with_marks(grades: Grades, marks: Mapping[str, Mapping[str, Mark]]) -> Grades:
    """The class with the points that people gave, and with the totals that come of them."""
    rows = tuple(_with_marks(row, marks.get(row.student, {})) for row in grades.submissions)
    return grades.model_copy(update={"submissions": rows})


def _with_marks(row: SubmissionVerdict, marks: Mapping[str, Mark]) -> SubmissionVerdict:
    automatic = {question.name: question.points for question in row.questions}
    manual = {
        name: mark.counted(automatic.get(name, 0.0)) for name, mark in sorted(marks.items()) if mark.given
    }
    total = round(sum((automatic | manual).values()), 2)
    nothing_known = row.status == "crashed" and not manual
    return row.model_copy(update={"manual": manual, "total": None if nothing_known else total})


def _require_file(db_url: str) -> None:
    """Opening a SQLite file that does not exist would make one."""
    url = make_url(db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise NoGradebook(f"There is no gradebook at {_shown(db_url)}.")


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
