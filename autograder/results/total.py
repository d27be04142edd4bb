"""The total of a course: the points of several assignments, weighted, one row for each person."""

from __future__ import annotations

import csv
import dataclasses
import io
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autograder import pages
from autograder.results import roster
from autograder.results.export import defused, points_text
from autograder.results.graded import Results, Student
from autograder.results.matching import NOBODY, Known, match, with_reasons
from autograder.results.roster import Enrolled
from autograder.verdicts import write_atomically

FILE = "course.toml"
_EXAMPLE = "Such a file reads, for example:\n  [weights]\n  gridworld = 10\n  reinforce_cartpole = 20"


class InvalidCourse(ValueError):
    """The weights cannot be used; the message says what is wrong and how the file should look."""


class Course(BaseModel):
    """What the instructor wrote into DIR/course.toml.

    weights: the greatest number of points that each assignment gives in the total.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {}

    @classmethod
    def read(cls, out: Path) -> Course:
        """The course in `out`; without the file all points count alike. Raises InvalidCourse."""
        path = out / FILE
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            problems = str(error)
        raise InvalidCourse(f"{path} cannot be used: {problems}. {_EXAMPLE}")


@dataclasses.dataclass
class Participant:
    """One person of the course, with what is known about them, and their part in each assignment."""

    known: Known
    enrolled: Enrolled = Enrolled()
    parts: dict[str, Student] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Totals:
    """What was written; notes: who could not be joined, and what else to know."""

    path: Path
    people: int
    notes: tuple[str, ...]


def graded_assignments(out: Path, course: Course) -> list[str]:
    """The assignments with results in `out`: those with a weight in their order, or all where none has."""
    found = sorted(path.parent.name for path in out.glob("*/grades.json"))
    return [name for name in course.weights if name in found] if course.weights else found


def write_total(classes: Sequence[Results], out: Path, course: Course, *, zeros: bool = False) -> Totals:
    """Write OUT/total.csv for these classes, at least one, which share a roster.

    zeros: 0 points for whoever handed in nothing; otherwise they have no total. Raises InvalidCourse.
    """
    weights = {results.assignment: _weight(results, course) for results in classes}
    participants, doubtful, notes = _joined(classes)
    if zeros and doubtful:
        zeros = False
        notes.append("no zeros were filled in: who is in two rows may have handed in all of it")
    waiting = sorted({*course.weights} - {*weights})
    if waiting:
        notes.append(f"not in the total: {', '.join(waiting)}, for which {FILE} has a weight")
    path = out / "total.csv"
    write_atomically(path, _table(participants, classes, weights, zeros))
    return Totals(path, len(participants), tuple(notes))


def _weight(results: Results, course: Course) -> float:
    if not course.weights:
        return results.max_score
    if results.assignment not in course.weights:
        raise InvalidCourse(f"{FILE} has no weight for {results.assignment!r}. {_EXAMPLE}")
    return course.weights[results.assignment]


def _joined(classes: Sequence[Results]) -> tuple[list[Participant], Mapping[str, str], list[str]]:
    """Everybody in the roster, then everybody else; who could not be joined for certain; and notes."""
    enrolled = classes[0].roster.people
    participants = [Participant(person.known, person) for person in enrolled]
    doubtful: dict[str, str] = {}
    by_name: list[str] = []
    for results in classes:
        students = {student.name: student for student in results.summaries()}
        known = {name: Known.across_assignments(name, student.person) for name, student in students.items()}
        found = match(known, {place: person.known for place, person in enumerate(participants)})
        for name, place in found.rows.items():
            person = participants[place]
            if person.parts and not (known[name].ids & person.known.ids):
                by_name.append(name)
            person.parts[results.assignment] = students[name]
            person.known = person.known.with_known(known[name])
        for name, reason in found.reasons.items():
            participants.append(Participant(known[name], parts={results.assignment: students[name]}))
            if enrolled or reason != NOBODY:
                doubtful[f"{name} in {results.assignment}"] = reason
    notes = list(classes[0].roster.notes)
    if doubtful:
        notes.append(f"not joined for certain, so in a row of their own: {', '.join(with_reasons(doubtful))}")
    if by_name and not enrolled:
        names = ", ".join(map(pages.line, dict.fromkeys(by_name)))
        notes.append(f"joined by their names alone, which a {roster.FILE} would make certain: {names}")
    return participants, doubtful, notes


def _table(
    participants: Sequence[Participant], classes: Sequence[Results], weights: Mapping[str, float], zeros: bool
) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    about = ["id", "name", "section", "email", "login"]
    writer.writerow([*about, *map(defused, weights), "total", "out_of", "missing", "waiting"])
    for person in participants:
        points = [_points(person.parts.get(results.assignment), zeros) for results in classes]
        known = [value is not None for value in points]
        scaled = [
            value / results.max_score * weights[results.assignment]
            for value, results in zip(points, classes, strict=True)
            if value is not None and results.max_score
        ]
        missing = [
            _missing(person, name) for name, is_known in zip(weights, known, strict=True) if not is_known
        ]
        row = [*map(defused, _about(person))]
        row += [points_text(value or 0.0, value is not None) for value in points]
        row += [points_text(round(sum(scaled), 2), all(known)), points_text(sum(weights.values()), True)]
        waiting = [name for name, student in person.parts.items() if student.waiting]
        writer.writerow([*row, "; ".join(missing), "; ".join(waiting)])
    return file.getvalue()


def _points(student: Student | None, zeros: bool) -> float | None:
    """What counts of one assignment, None where nothing is known."""
    if student is None:
        return 0.0 if zeros else None
    return student.total if student.has_grade else None


def _missing(person: Participant, assignment: str) -> str:
    return f"{assignment}: {'not graded' if assignment in person.parts else 'not handed in'}"


def _about(person: Participant) -> list[str]:
    """Who this is: as in the roster, else as the first download that says so."""
    downloads = [student.person for student in person.parts.values()]
    students = [student.name for student in person.parts.values()]

    def first(*values: str) -> str:
        return next(filter(None, values), "")

    numbers = [number for _, number in sorted(person.known.lasting)]
    return [
        first(person.enrolled.id, *numbers),
        first(person.enrolled.name, *(download.name for download in downloads), *students),
        person.enrolled.section,
        first(person.enrolled.email, *(download.email for download in downloads)),
        first(*(download.login for download in downloads)),
    ]
