"""What `autograder grade` left in its folder, with the marks that people gave in formgrader."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder import gradebook
from autograder.class_folder import alone_in
from autograder.gradebook import Mark
from autograder.intake import Person, people
from autograder.results import roster
from autograder.results.late import Lateness, LatePolicy
from autograder.results.matching import Known, Matches, match, with_reasons
from autograder.results.roster import Enrolled, Roster
from autograder.settings import GradebookAddress
from autograder.verdicts import (
    Grades,
    Judged,
    QuestionVerdict,
    SubmissionVerdict,
    VerdictStore,
    WrittenAnswer,
    write_grades,
)

_WORDS = {
    "passed": "right",
    "partial": "partly right",
    "failed": "not right yet",
    "error": "stopped with an error",
    "timeout": "did not end in time",
    "missing": "not written yet",
    "by hand": "graded by a person",
    "waiting": "to be graded by a person",
}


class MissingResults(ValueError):
    """There are no results to read; the message says which command makes them."""


@dataclasses.dataclass(frozen=True)
class Question:
    """One question of one student: the verdict, or the mark that a person gave, and what was handed in.

    status: as in `grades.json`, or "by hand" (a person gave the points), or "waiting" (for a person to give
    them); waiting: a person has yet to look at it, whatever the status; written: answered in words, not
    in code; seconds: how long it took to judge; automatic: the points by the tests, None for words.
    """

    name: str
    points: float
    max_points: float
    status: str
    message: str = ""
    comment: str = ""
    answer: str = ""
    output: str = ""
    waiting: bool = False
    written: bool = False
    seconds: float = 0.0
    automatic: float | None = None

    @property
    def result(self) -> str:
        """The status in words."""
        later = ", but a person will look at this" if self.waiting and self.status != "waiting" else ""
        return _WORDS[self.status] + later

    @property
    def remarks(self) -> str:
        """What the tests said, as far as it counts: not where a person gave the points."""
        return "" if self.status == "by hand" else self.message

    @property
    def overruled(self) -> str:
        """What the tests said where a person gave the points, though not all of them."""
        return self.message if self.status == "by hand" and self.points < self.max_points else ""

    @property
    def earned(self) -> str:
        """The points as text, which there are none of until a person has given them."""
        return "–" if self.status == "waiting" else f"{self.points:g}"


@dataclasses.dataclass(frozen=True)
class Student:
    """One row of the class.

    repairs: those of the faults that were damage; late: how late, and what it costs; person: who this is in
    the LMS; enrolled: who this is in the roster.
    """

    name: str
    status: str
    questions: tuple[Question, ...]
    faults: tuple[str, ...]
    repairs: tuple[str, ...] = ()
    late: Lateness = Lateness()
    person: Person = Person()
    enrolled: Enrolled = Enrolled()

    @property
    def points(self) -> float:
        """The points of all questions, before the late policy."""
        return round(sum(question.points for question in self.questions), 2)

    @property
    def penalty(self) -> float:
        """The points that being late costs."""
        return round(max(self.points, 0.0) * self.late.percent_off / 100, 2)

    @property
    def total(self) -> float:
        """What counts."""
        return round(self.points - self.penalty, 2)

    @property
    def late_note(self) -> str:
        """A sentence for the student, empty for those in time."""
        if not self.late.remark:
            return ""
        times = f" ({self.late.when})" if self.late.when else ""
        if not self.late.percent_off:
            return f"It was handed in {self.late.remark}{times}."
        how = self.late.remark.partition(":")[0]
        off = (
            f"{self.late.percent_off:g} % of {self.points:g} points are taken off, which is {self.penalty:g}"
        )
        return f"It was handed in {how}{times}: {off}."

    @property
    def waiting(self) -> bool:
        """Whether a person has yet to look at one of the questions."""
        return any(question.waiting for question in self.questions)

    @property
    def has_grade(self) -> bool:
        """Whether the points say something: a person gave some, or tests judged the notebook."""
        statuses = {question.status for question in self.questions}
        return "by hand" in statuses or (self.status == "graded" and statuses != {"waiting"})


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the roster; mean: of the points of those who were graded."""

    name: str
    size: int
    handed_in: int
    graded: int
    mean: float


@dataclasses.dataclass(frozen=True)
class Results:
    """The results of one class in `folder` (DIR/NAME), the marks in its gradebook, and its late policy.

    db_url: the gradebook, empty where there is none; roster: of the course, without anybody where there is
    none.
    """

    folder: Path
    grades: Grades
    marks: Mapping[str, Mapping[str, Mark]]
    policy: LatePolicy = LatePolicy()
    db_url: str = ""
    roster: Roster = Roster()

    @classmethod
    def read(cls, assignment: str, out: Path, db_url: str | None = None) -> Results:
        """What `autograder grade ASSIGNMENT PATH --out OUT` left.

        db_url: the gradebook, by default the one that `grade` used. The marks in it are brought up to date
        in grades.json. Raises MissingResults, InvalidLatePolicy, InvalidRoster, UnusableSettings or InUse.
        """
        with _held(out, assignment):
            return cls._read_held(assignment, out, db_url)

    @classmethod
    def _read_held(cls, assignment: str, out: Path, db_url: str | None) -> Results:
        path = out / assignment / "grades.json"
        try:
            before = Grades.model_validate_json(path.read_bytes())
        except ValueError:
            raise MissingResults(_advice(path, assignment, out, "is damaged")) from None
        url, marks = _marks(GradebookAddress.of(out, db_url), assignment)
        grades = gradebook.with_marks(before, marks)
        if grades != before:
            write_grades(path, grades)
        policy = LatePolicy.read(path.parent)
        policy.check_names(row.student for row in grades.submissions)
        results = cls(path.parent, grades, marks, policy, url, Roster.read(out))
        try:
            _ = results.people, results._keys
        except ValueError as error:
            raise MissingResults(str(error)) from None
        return results

    @classmethod
    def with_penalties_recorded(cls, assignment: str, out: Path, db_url: str | None = None) -> Results:
        """The same, after what being late costs was written to the gradebook, for nbgrader's own exporter.

        Reading and writing are one step that no other command can come between. Raises InUse and
        NoGradebook too.
        """
        with _held(out, assignment):
            results = cls._read_held(assignment, out, db_url)
            if results.db_url:
                penalties = {student.name: student.penalty for student in results.summaries()}
                gradebook.record_penalties(results.db_url, assignment, penalties)
        return results

    @property
    def assignment(self) -> str:
        return self.grades.assignment

    @cached_property
    def people(self) -> dict[str, Person]:
        """Who the students are in the LMS that the class was downloaded from, by student id."""
        return people.read_people(self.folder / people.FILE_NAME)

    @cached_property
    def questions(self) -> dict[str, float]:
        """Names and greatest points of all questions: those of the verdicts, then those a person grades."""
        rows = self.grades.submissions
        found = {question.name: question.max_points for row in rows for question in row.questions}
        found |= {question.name: question.max_points for row in rows for question in row.written}
        for marks in self.marks.values():
            found.update({name: mark.max_points for name, mark in marks.items() if name not in found})
        return found

    @property
    def max_score(self) -> float:
        return sum(self.questions.values())

    def students(self) -> Iterator[Student]:
        """The class in the order of `grades.json`."""
        store = VerdictStore(self.folder / "verdicts")
        for row in self.grades.submissions:
            judged = store.load(self._keys.get(row.student, "")) or Judged(verdict=row)
            yield self._student(row, judged)

    def summaries(self) -> Iterator[Student]:
        """The same without what was handed in and printed, which takes no time to read."""
        for row in self.grades.submissions:
            yield self._student(row, Judged(verdict=row))

    @cached_property
    def _enrolled(self) -> Matches:
        """The place of every student in the roster."""
        rows = self.grades.submissions
        known = {row.student: Known.across_assignments(row.student, self._person(row)) for row in rows}
        return match(known, self.roster.known)

    @property
    def absent(self) -> list[Enrolled]:
        """Those in the roster of whom no hand-in is known."""
        present = {*self._enrolled.rows.values()}
        return [person for place, person in enumerate(self.roster.people) if place not in present]

    @property
    def sections(self) -> list[Section]:
        """How the sections of the roster did, by name; none where it names none."""
        found = []
        students = list(self.summaries())
        for name in sorted({person.section for person in self.roster.people} - {""}):
            size = sum(person.section == name for person in self.roster.people)
            present = [student for student in students if student.enrolled.section == name]
            totals = [student.total for student in present if student.has_grade]
            mean = sum(totals) / len(totals) if totals else 0.0
            found.append(Section(name, size, len(present), len(totals), mean))
        return found

    @property
    def not_in_roster(self) -> Mapping[str, str]:
        """The students who are not in the roster, or not for certain, and why; nobody where there is none."""
        return self._enrolled.reasons if self.roster.people else {}

    def notes(self) -> list[str]:
        """What an instructor has to know about the roster and the late policy, a line each."""
        unknown = with_reasons(self.not_in_roster)
        listed = [f"not in {roster.FILE}, or not for certain: {', '.join(unknown)}"] if unknown else []
        return [*self.roster.notes, *listed, *self._late_notes()]

    def _late_notes(self) -> list[str]:
        """What the late policy could not decide."""
        rows = self.grades.submissions
        undecided: dict[str, list[str]] = {}
        for row in rows:
            person = self._person(row)
            known = {"marked": row.late, "handed_in": person.handed_in, "marks": person.lms == "canvas"}
            if reason := self.policy.undecided(row.student, **known):
                undecided.setdefault(reason, []).append(row.student)
        return self.policy.notes(undecided, [row.student for row in rows])

    @cached_property
    def _keys(self) -> dict[str, Any]:
        """Under which key each student's verdict is stored. Raises ValueError."""
        path = self.folder / "judged.json"
        try:
            return json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise ValueError(f"{path} is damaged. Run `autograder grade` again, which writes it.") from None

    def _student(self, row: SubmissionVerdict, judged: Judged) -> Student:
        marks = self.marks.get(row.student, {})
        verdicts = {question.name: question for question in (*row.questions, *row.written)}
        questions = tuple(
            _question(name, most, verdicts.get(name), marks.get(name), judged)
            for name, most in self.questions.items()
        )
        person = self._person(row)
        late = self.policy.judge(row.student, marked=row.late, handed_in=person.handed_in)
        place = self._enrolled.rows.get(row.student)
        enrolled = Enrolled() if place is None else self.roster.people[place]
        return Student(row.student, row.status, questions, row.faults, row.repairs, late, person, enrolled)

    def _person(self, row: SubmissionVerdict) -> Person:
        return self.people.get(row.student, Person(name=row.student))


def _question(
    name: str,
    most: float,
    verdict: QuestionVerdict | WrittenAnswer | None,
    mark: Mark | None,
    judged: Judged,
) -> Question:
    answer = judged.answers.get(name, "")
    if isinstance(verdict, QuestionVerdict):
        question = Question(
            name,
            verdict.points,
            most,
            verdict.status,
            message=verdict.message,
            answer=answer,
            output=judged.outputs.get(name, ""),
            waiting=verdict.needs_review,
            seconds=judged.seconds.get(name, 0.0),
            automatic=verdict.points,
        )
    else:
        waiting = mark.waiting if mark else bool(verdict and verdict.digest)
        status = "waiting" if waiting else "missing"
        question = Question(name, 0.0, most, status, answer=answer, waiting=waiting, written=True)
    return _with_mark(question, mark) if mark else question


def _with_mark(question: Question, mark: Mark) -> Question:
    if mark.score is not None:
        question = dataclasses.replace(question, status="by hand")
    points = mark.counted(question.points)
    return dataclasses.replace(question, points=points, waiting=mark.waiting, comment=mark.comment)


@contextlib.contextmanager
def _held(out: Path, assignment: str) -> Iterator[None]:
    """Hold the class's folder, if it has results. Raises MissingResults or InUse."""
    path = out / assignment / "grades.json"
    if not path.is_file():
        raise MissingResults(_advice(path, assignment, out, "does not exist"))
    with alone_in(path.parent):
        yield


def _marks(address: GradebookAddress, assignment: str) -> tuple[str, dict[str, dict[str, Mark]]]:
    """The gradebook and the marks in it; none where the results folder never had one of its own."""
    if address.url == gradebook.default_url(address.out) and not (address.out / gradebook.FILE).exists():
        return "", {}
    try:
        return address.url, gradebook.marks(address.url, assignment)
    except gradebook.NoGradebook as error:
        raise MissingResults(str(error)) from None


def _advice(path: Path, assignment: str, out: Path, problem: str) -> str:
    return f"{path} {problem}. Run `autograder grade {assignment} PATH --out {out}` first."
