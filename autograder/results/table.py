"""A class as a table for the terminal: students as rows, questions as columns."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from autograder import pages
from autograder.results.graded import Question, Results, Student

_COLOURS = {"passed": "green", "partial": "yellow", "by hand": "cyan", "waiting": "yellow"}
_ZERO_BY_STATUS = ("error", "timeout", "missing")
_NO_POINTS = "-"
_NARROW_NAME, _NARROW_REMARKS, _WIDE_REMARKS, _NARROW_HEADING = 16, 14, 30, 6
_LONGEST_SECTION = 12
_NUMBER = re.compile(r"_\w{1,12}$")  # what tells namesakes apart, at the end of a student's id


@dataclasses.dataclass(frozen=True)
class _Column:
    """Points of the class: a heading of several lines, and a cell for each student."""

    heading: tuple[str, ...]
    cells: tuple[Text, ...]

    @property
    def width(self) -> int:
        return max(self.narrow, *map(cell_len, self.heading))

    @property
    def narrow(self) -> int:
        """The width with an abbreviated heading; points are never cut."""
        words = max(map(cell_len, self.heading[:-1]), default=0)
        return max(cell_len(self.heading[-1]), min(words, _NARROW_HEADING), *(c.cell_len for c in self.cells))


def class_table(results: Results, console: Console) -> Group:
    """The points of every student per question, with the total and the remarks.

    Where the console is too narrow, names are cut, remarks wrapped and headings abbreviated, and then the
    questions are spread over several tables; points are always whole.
    """
    students = list(results.summaries())
    answers = [[student.questions[place] for student in students] for place in range(len(results.questions))]
    shown = [column for column in answers if _is_shown(column)]
    graded = [student.has_grade for student in students]
    questions = [_question_column(column, graded) for column in shown]
    if any(student.enrolled.section for student in students):
        questions.insert(0, _section_column(students))
    most = sum(column[0].max_points for column in shown)
    totals = tuple(Text(f"{s.total:g}" if s.has_grade else _NO_POINTS, "bold") for s in students)
    layout = _Layout(console, students, _Column(("total", f"of {most:g}"), totals))
    tables = [layout.table(part, last) for part, last in layout.parts(questions)]
    tables[0].title, tables[0].title_justify = f"{results.assignment}: points by question", "left"
    overruled = any("(" in cell.plain for column in questions for cell in column.cells)
    legend = ["In brackets: the points by the tests, where a person gave others."] if overruled else []
    return Group(*tables, *legend)


def _is_shown(answers: Sequence[Question]) -> bool:
    """Answers in words are shown once a person has given points for one."""
    return any(not answer.written or answer.status == "by hand" for answer in answers)


def _question_column(answers: Sequence[Question], graded: Sequence[bool]) -> _Column:
    words = re.findall(r"[^_]+_*|_+", pages.line(answers[0].name))
    cells = tuple(
        _points(answer) if known else Text(_NO_POINTS) for answer, known in zip(answers, graded, strict=True)
    )
    return _Column((*words, f"of {answers[0].max_points:g}"), cells)


def _section_column(students: Sequence[Student]) -> _Column:
    sections = [pages.line(student.enrolled.section) for student in students]
    cut = [
        text if len(text) <= _LONGEST_SECTION else f"{text[: _LONGEST_SECTION - 3]}..." for text in sections
    ]
    return _Column(("section",), tuple(map(Text, cut)))


def _points(question: Question) -> Text:
    if question.status == "waiting":
        text = _NO_POINTS
    elif question.status in _ZERO_BY_STATUS and not question.points:
        text = question.status
    else:
        text = f"{question.points:g}"
    if question.automatic is not None and question.points != question.automatic:
        text += f" ({question.automatic:g})"
    return Text(text + "?" * question.waiting, _COLOURS.get(question.status, "red"))


def roster_lines(results: Results) -> list[str]:
    """What the roster adds to the table: how the sections did, and who has not handed in."""
    lines = []
    for section in results.sections:
        mean = f", {section.mean:.2f} points on average" if section.graded else ""
        lines.append(
            f"section {pages.line(section.name)}: {section.handed_in} of {section.size} handed in{mean}"
        )
    if results.absent:
        names = ", ".join(pages.line(person.called) for person in results.absent)
        lines.append(f"not handed in: {len(results.absent)} ({names})")
    return lines


class _Layout:
    """How the columns are laid out in a console."""

    def __init__(self, console: Console, students: Sequence[Student], total: _Column) -> None:
        self._width = console.width
        self._ellipsis = "…" if printable("…", console.encoding) == "…" else "..."
        self._names = [printable(pages.line(student.name), console.encoding) for student in students]
        self._remarks = [_remarks(student) for student in students]
        self._total = total
        self._longest = [
            max(map(cell_len, texts)) for texts in (["student", *self._names], ["remarks", *self._remarks])
        ]

    def parts(self, questions: Sequence[_Column]) -> list[tuple[list[_Column], bool]]:
        """The questions of each table, and whether it is the last one, which has totals and remarks."""
        if self._fits(questions, narrow=True, last=True):
            return [([*questions], True)]
        parts: list[list[_Column]] = [[]]
        for question in questions:
            if parts[-1] and not self._fits([*parts[-1], question], narrow=True, last=False):
                parts.append([])
            parts[-1].append(question)
        if not self._fits(parts[-1], narrow=True, last=True):
            parts.append([])
        return [(part, part is parts[-1]) for part in parts]

    def table(self, questions: Sequence[_Column], last: bool) -> Table:
        narrow = not self._fits(questions, narrow=False, last=last)
        widths = [column.narrow if narrow else column.width for column in questions]
        columns = [*questions, self._total] if last else questions
        widths += [self._total.width] * last
        name, remarks = self._flexible(sum(widths), len(columns), last)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("student", no_wrap=True, width=name)
        for column, width in zip(columns, widths, strict=True):
            heading = Text("\n".join(self._cut(word, width) for word in column.heading))
            table.add_column(heading, justify="right", no_wrap=True, width=width)
        if last:
            table.add_column("remarks", width=remarks)
        for row, student in enumerate(self._names):
            cells = [Text(self._cut_name(student, name)), *(column.cells[row] for column in columns)]
            table.add_row(*cells, *([Text(self._remarks[row])] if last else []))
        return table

    def _fits(self, questions: Sequence[_Column], *, narrow: bool, last: bool) -> bool:
        points = sum(column.narrow if narrow else column.width for column in questions)
        needed = min(self._longest[0], _NARROW_NAME)
        if last:
            needed += min(self._longest[1], _NARROW_REMARKS) + self._total.width
        return needed + points <= self._room(len(questions) + last, last)

    def _room(self, points: int, last: bool) -> int:
        """What is left for the text of all columns, of which these many hold points."""
        columns = points + 1 + last
        return self._width - 2 * columns - 1  # each has a space and a line beside it

    def _flexible(self, taken: int, points: int, last: bool) -> tuple[int, int]:
        """The widths of names and of remarks, which are cut and wrapped where both do not fit."""
        room = self._room(points, last) - taken
        wanted = min(self._longest[1], _WIDE_REMARKS) if last else 0
        name = min(self._longest[0], max(room - wanted, _NARROW_NAME))
        return max(name, 1), max(min(self._longest[1], room - name), 1)

    def _cut(self, text: str, width: int) -> str:
        if cell_len(text) <= width:
            return text
        return set_cell_size(text, width - len(self._ellipsis)).rstrip() + self._ellipsis

    def _cut_name(self, name: str, width: int) -> str:
        """A name in its place, with the number at its end."""
        number = _NUMBER.search(name)
        if cell_len(name) <= width or not number or width < 2 * len(number[0]):
            return self._cut(name, width)
        return self._cut(name[: number.start()] + " " * width, width - len(number[0])) + number[0]


def printable(text: str, encoding: str | None) -> str:
    """`text` as a stream of this encoding can print it: what it has not is escaped."""
    try:
        return text.encode(encoding or "ascii", "backslashreplace").decode(encoding or "ascii")
    except LookupError:
        return ascii(text)[1:-1]


def _remarks(student: Student) -> str:
    reviews = sum(question.waiting and not question.written for question in student.questions)
    repairs = len(student.repairs) if student.status == "graded" else 0
    remarks = [
        student.status if student.status != "graded" else "",
        student.late.remark,
        f"{reviews} to look at" if reviews else "",
        f"{repairs} repair{'s' * (repairs > 1)}" if repairs else "",
    ]
    return ", ".join(filter(None, remarks))
