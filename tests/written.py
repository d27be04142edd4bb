"""Results folders as `autograder grade` leaves them, written without grading."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.intake import Person
from autograder.intake.people import FILE_NAME, write_people
from autograder.results import Results
from autograder.verdicts import (
    Grades,
    Judged,
    QuestionVerdict,
    SubmissionVerdict,
    VerdictStore,
    write_atomically,
    write_grades,
)


def judged(
    student: str,
    points: tuple[float, float] = (1.5, 2),
    *,
    status: str = "graded",
    message: str = "",
    faults: tuple[str, ...] = (),
    notices: tuple[str, ...] = (),
    answers: dict[str, str] | None = None,
    output: str = "",
    late: bool = False,
    review: str = "",
    seconds: dict[str, float] | None = None,
) -> Judged:
    """One student of the assignment `pair`, with these points for its two questions.

    review: the question that a person has to look at.
    """
    most = {"running_sum": 3, "double": 2}
    questions = tuple(
        QuestionVerdict(
            name=name,
            points=earned,
            max_points=most[name],
            status="passed" if earned == most[name] else "partial" if earned else "failed",
            message=message if earned < most[name] else "",
            needs_review=name == review,
        )
        for name, earned in zip(most, points, strict=True)
    )
    row = SubmissionVerdict(
        student=student,
        score=sum(points),
        status=status,
        questions=questions,
        faults=notices + faults,
        notices=notices,
        late=late,
    )
    return Judged(verdict=row, answers=answers or {}, outputs={"running_sum": output}, seconds=seconds or {})


def write_results(
    out: Path,
    students: list[Judged],
    people: dict[str, Person] | None = None,
    *,
    assignment: str = "pair",
) -> Results:
    """The folder OUT/ASSIGNMENT of a class; people: who they are in the LMS, by student id."""
    write_people(out / assignment / FILE_NAME, people or {})
    store = VerdictStore(out / assignment / "verdicts")
    for index, student in enumerate(students):
        store.save(str(index), student)
    keys = {student.verdict.student: str(index) for index, student in enumerate(students)}
    write_atomically(out / assignment / "judged.json", json.dumps(keys))
    rows = tuple(student.verdict for student in students)
    write_grades(
        out / assignment / "grades.json",
        Grades(assignment=assignment, max_score=5, sandbox="bwrap", submissions=rows),
    )
    return Results.read(assignment, out)
