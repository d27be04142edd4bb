"""A report for the instructor: how a class did, question by question, as one HTML page with pictures."""

from __future__ import annotations

import ast
import base64
import dataclasses
import io
import re
from collections import Counter
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autograder import pages
from autograder.master import Master
from autograder.results import similarity
from autograder.results.graded import Question, Results, Student
from autograder.verdicts import write_atomically
from policy_gradients.plotting import use_course_style

_BINS = 10
_MOST_PROPERTIES = 6
_FEWEST_STUDENTS = 3  # for a correlation


@dataclasses.dataclass(frozen=True)
class Figures:
    """One question's points in the class, of those whose notebook was graded and who have points for it.

    statuses: how many students have each status; discrimination: correlation of the question's points
    with the points of all other questions, None where one of them does not vary; failed: the properties
    that fail most often, with how many students each; seconds: how long judging took, for each student
    for whom it is known; slowest: whose it took longest; written: answered in words.
    """

    name: str
    max_points: float
    points: tuple[float, ...]
    statuses: Counter[str]
    discrimination: float | None
    failed: tuple[tuple[str, int], ...]
    seconds: tuple[float, ...] = ()
    slowest: str = ""
    written: bool = False

    @property
    def mean(self) -> float:
        return float(np.mean(self.points))

    @property
    def median_seconds(self) -> float:
        return float(np.median(self.seconds))

    @property
    def full(self) -> int:
        return sum(point >= self.max_points for point in self.points)

    @property
    def none(self) -> int:
        return sum(point <= 0 for point in self.points)


@dataclasses.dataclass(frozen=True)
class Picture:
    """An image as a data URI, and the text that says the same."""

    uri: str
    alt: str


def write_report(results: Results) -> Path:
    """Write DIR/NAME/report.html and return its path."""
    master = Master.read(results.assignment)
    students = list(results.students())
    graded = [student for student in students if student.has_grade]
    questions = _questions(results, master, graded)
    page = pages.render(
        "report.html",
        assignment=results.assignment,
        max_score=results.max_score,
        students={student.name: student for student in students},
        graded=graded,
        total=_histogram("the whole assignment", [student.total for student in graded], results.max_score),
        questions=[
            (figures, _histogram(figures.name, figures.points, figures.max_points)) for figures in questions
        ],
        timed=[figures for figures in questions if figures.seconds],
        late=sum(bool(student.late.remark) for student in students),
        waiting=sum(student.waiting for student in graded),
        sections=results.sections,
        absent=results.absent,
        not_in_roster=results.not_in_roster,
        to_review=[student for student in students if _reviews(student)],
        comparison=similarity.compare(students, master),
        least_tokens=similarity.LEAST_TOKENS,
        sandbox=results.grades.sandbox,
    )
    path = results.folder / "report.html"
    write_atomically(path, page)
    return path


def _questions(results: Results, master: Master, graded: list[Student]) -> list[Figures]:
    names = {question.name: property_names(question.test) for question in master.questions}
    return [
        _figures(index, name, most, graded, names.get(name))
        for index, (name, most) in enumerate(results.questions.items())
        if graded
    ]


def _figures(
    index: int, name: str, most: float, graded: list[Student], properties: re.Pattern[str] | None
) -> Figures:
    answers = [student.questions[index] for student in graded]
    marked = [
        (student, answer) for student, answer in zip(graded, answers, strict=True) if _has_points(answer)
    ]
    points = np.array([answer.points for _, answer in marked])
    rest = np.array([student.points for student, _ in marked]) - points
    failed = Counter()
    for answer in answers:
        failed.update(failed_properties(answer.message, properties))
    times = {student.name: answer.seconds for student, answer in marked if answer.seconds}
    return Figures(
        name,
        most,
        tuple(points),
        Counter(answer.status for answer in answers),
        discrimination(points, rest),
        tuple(sorted(failed.items(), key=lambda item: (-item[1], item[0]))[:_MOST_PROPERTIES]),
        tuple(times.values()),
        max(times, key=times.get, default=""),
        written=answers[0].written,
    )


def _reviews(student: Student) -> bool:
    """Whether a person has to look at an answer in code; those in words are always theirs."""
    return any(question.waiting and not question.written for question in student.questions)


def _has_points(answer: Question) -> bool:
    return answer.status != "waiting"


def discrimination(points: np.ndarray, rest: np.ndarray) -> float | None:
    """Pearson's correlation of a question's points with the points of all other questions.

    None for fewer than three students, or where either is the same for all.
    """
    if len(points) < _FEWEST_STUDENTS or np.ptp(points) < 1e-9 or np.ptp(rest) < 1e-9:
        return None
    return float(np.corrcoef(points, rest)[0, 1])


def property_names(test: str) -> re.Pattern[str] | None:
    """A pattern for the names of the properties that a test cell checks, None if it checks none."""
    calls = (node for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Call) and node.args)
    names = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "check"]
    return re.compile("|".join(map(_name_pattern, names))) if names else None


def _name_pattern(name: ast.expr) -> str:
    """A name that is put together while the test runs may have any text at the places left open."""
    parts = name.values if isinstance(name, ast.JoinedStr) else [name]
    return "".join(re.escape(part.value) if isinstance(part, ast.Constant) else ".+?" for part in parts)


def failed_properties(message: str, properties: re.Pattern[str] | None) -> set[str]:
    """The author's names of the properties that the message says do not hold yet."""
    if properties is None:
        return set()
    line = re.compile(rf"Not yet: ({properties.pattern})\.(?: |$)")
    return {found[1] for text in message.splitlines() if (found := line.match(text))}


def _histogram(name: str, points: tuple[float, ...] | list[float], most: float) -> Picture | None:
    """How many students have how many points, in tenths of the greatest number of points."""
    if not len(points):
        return None
    counts, edges = np.histogram(np.clip(points, 0, most), bins=_BINS, range=(0, most))
    with matplotlib.rc_context({"svg.hashsalt": "report"}):
        use_course_style()
        figure = Figure(figsize=(5.6, 2.2), layout="constrained")
        axes = figure.subplots()
        axes.bar(edges[:-1], counts, width=np.diff(edges) * 0.92, align="edge")
        axes.set(xlabel="points", ylabel="students", xlim=(0, most))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    uri = "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()
    return Picture(uri, _alt(name, np.asarray(points), most))


def _alt(name: str, points: np.ndarray, most: float) -> str:
    quarters = np.percentile(points, [25, 50, 75])
    full, none = int(np.sum(points >= most)), int(np.sum(points <= 0))
    return (
        f"Histogram of the points for {name}, {len(points)} students: {full} have all {most:g}, {none} have "
        f"none; the quartiles are {', '.join(f'{quarter:g}' for quarter in quarters)}."
    )
