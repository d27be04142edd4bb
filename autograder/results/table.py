"""A class as a table: students as rows, questions as columns."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from autograder.verdicts import Grades, QuestionVerdict, SubmissionVerdict

_COLOURS = {"passed": "green", "partial": "yellow"}
_ZERO_BY_STATUS = ("error", "timeout", "missing")


def class_table(grades: Grades) -> Table:
    """The points of every student per question, with the total and what else is to be known."""
    title = f"{grades.assignment}: points by question"
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("student", no_wrap=True, vertical="bottom")
    for question in grades.submissions[0].questions:
        name = question.name.replace("_", "_\n")
        table.add_column(f"{name}\nof {question.max_points:g}", justify="right", no_wrap=True)
    table.add_column(f"total\nof {grades.max_score:g}", justify="right", style="bold", no_wrap=True)
    table.add_column("remarks", no_wrap=True)
    for row in grades.submissions:
        table.add_row(escape(row.student), *map(_cell, row.questions), f"{row.score:g}", _remarks(row))
    return table


def _cell(question: QuestionVerdict) -> str:
    text = question.status if question.status in _ZERO_BY_STATUS else f"{question.points:g}"
    return f"[{_COLOURS.get(question.status, 'red')}]{text}{'?' * question.needs_review}[/]"


def _remarks(row: SubmissionVerdict) -> str:
    reviews = sum(question.needs_review for question in row.questions)
    others = [fault for fault in row.faults if not fault.endswith("was handed in late")]
    repairs = len(others) if row.status == "graded" else 0
    remarks = [
        row.status if row.status != "graded" else "",
        "late" if row.late else "",
        f"{reviews} to look at" if reviews else "",
        f"{repairs} repair{'s' * (repairs > 1)}" if repairs else "",
    ]
    return ", ".join(filter(None, remarks))
