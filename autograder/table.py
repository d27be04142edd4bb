"""A class as a table: students as rows, questions as columns."""

from __future__ import annotations

from rich.table import Table

from autograder.verdicts import Grades, QuestionVerdict, SubmissionVerdict

_COLOURS = {"passed": "green", "partial": "yellow"}


def class_table(grades: Grades) -> Table:
    """The points of every student per question, with the total and what else is to be known."""
    table = Table(title=f"{grades.assignment}: points by question", title_justify="left")
    table.add_column("student", no_wrap=True)
    questions = grades.submissions[0].questions
    for question in questions:
        table.add_column(f"{question.name}\n(of {question.max_points:g})", justify="right")
    table.add_column(f"total\n(of {grades.max_score:g})", justify="right", style="bold")
    table.add_column("remarks")
    for row in grades.submissions:
        table.add_row(row.student, *map(_cell, row.questions), f"{row.score:g}", _remarks(row))
    return table


def _cell(question: QuestionVerdict) -> str:
    colour = _COLOURS.get(question.status, "red")
    note = "" if question.status in ("passed", "partial", "failed") else f"{question.status} "
    return f"[{colour}]{note}{question.points:g}[/]"


def _remarks(row: SubmissionVerdict) -> str:
    if row.status != "graded":
        return row.status
    return "" if not row.faults else f"{len(row.faults)} repaired" if len(row.faults) > 1 else "1 repaired"
