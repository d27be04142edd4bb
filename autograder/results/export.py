"""Grades for the learning management system: a plain CSV file, or the instructor's own sheet filled in."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from pathlib import Path

from autograder import pages
from autograder.results.graded import Results, Student
from autograder.results.sheets import Sheet, SheetError, folded, id_key, matched
from autograder.verdicts import write_atomically

_DOWNLOADS = {
    "canvas": "In Canvas, open Grades, choose Export, Export Entire Gradebook, and give that file, "
    "unchanged, as --sheet.",
    "moodle": "In Moodle (language: English), open the assignment's submissions, choose Download grading "
    "worksheet (its setting: Feedback types, Offline grading worksheet), and give that file, unchanged, as "
    "--sheet.",
}
_FORMULA = ("=", "+", "-", "@")
_CANVAS_TITLE = re.compile(r"(?P<title>.*) \(\d+\)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Exported:
    """What was written, and whom it leaves to the instructor.

    filled: how many students have their points in the file; unmatched: who has no row of their own in
    the sheet; ungraded: whose notebook could not be graded; waiting: whose points may still change.
    """

    path: Path
    filled: int
    unmatched: tuple[str, ...] = ()
    ungraded: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def remarks(self) -> list[str]:
        """What an instructor has to know, a line each."""
        lists = {
            "not in the sheet, or not for certain, so not filled in": self.unmatched,
            "not graded, so without points": self.ungraded,
            "waiting to be graded by a person in part": self.waiting,
        }
        listed = [f"{text}: {', '.join(map(pages.line, names))}" for text, names in lists.items() if names]
        return [*self.notes, *listed]


def write_export(
    results: Results, kind: str, sheet: Path | None = None, column: str | None = None
) -> Exported:
    """Write DIR/NAME/canvas.csv or moodle.csv, the sheet filled in, or grades.csv.

    kind: csv, canvas or moodle; sheet: the file downloaded there; column: Canvas' title of the
    assignment, where it cannot be told from the name. Raises SheetError.
    """
    path = results.folder / ("grades.csv" if kind == "csv" else f"{kind}.csv")
    students = tuple(results.students())
    if kind == "csv":
        write_atomically(path, _plain_csv(results, students))
        return _exported(path, students, {student.name for student in students})
    try:
        filled = _opened(sheet, path)
        fill = _fill_canvas if kind == "canvas" else _fill_moodle
        rows, notes = fill(filled, results, students, column)
    except SheetError as error:
        raise SheetError(f"{error} {_DOWNLOADS[kind]}") from None
    write_atomically(path, filled.text())
    return dataclasses.replace(_exported(path, students, set(rows)), notes=notes)


def _opened(sheet: Path | None, path: Path) -> Sheet:
    if sheet is None:
        raise SheetError("The grades go into a sheet that you download.")
    if sheet.resolve() == path.resolve():
        raise SheetError(f"{sheet} is the file that this command writes.")
    return Sheet.read(sheet)


def _exported(path: Path, students: tuple[Student, ...], listed: set[str]) -> Exported:
    return Exported(
        path,
        filled=sum(student.name in listed and student.has_grade for student in students),
        unmatched=tuple(student.name for student in students if student.name not in listed),
        ungraded=tuple(student.name for student in students if not student.has_grade),
        waiting=tuple(student.name for student in students if student.waiting),
    )


def _plain_csv(results: Results, students: tuple[Student, ...]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["student", *map(_defused, results.questions), "total", "status", "late", "late_penalty"])
    for student in students:
        points = [_number(question.points) for question in student.questions]
        late = [student.lateness, _number(student.penalty)]
        writer.writerow([_defused(student.name), *points, _number(student.total), student.status, *late])
    return file.getvalue()


def _defused(text: str) -> str:
    """Text that a spreadsheet shows as it is, where it would run it as a formula."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _number(value: float) -> str:
    return f"{value:.10g}"


def _fill_canvas(
    sheet: Sheet, results: Results, students: tuple[Student, ...], title: str | None
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Fill the assignment's column; the rows of the students found, and notes for the instructor."""
    name, number = _required(sheet, "Student"), _required(sheet, "ID")
    login = sheet.column("SIS Login ID")
    column = _canvas_column(sheet, results.assignment, title)
    people = [row for row in range(1, len(sheet)) if sheet.value(row, number).strip().isdecimal()]
    keys = {}
    for row in people:
        keys[row] = {id_key(sheet.value(row, number).strip()), *_canvas_names(sheet.value(row, name))}
        if login is not None and sheet.value(row, login):
            keys[row].add(folded(sheet.value(row, login)))
    rows = matched([student.name for student in students], keys)
    for student in students:
        if student.name in rows and student.has_grade:
            sheet.set(rows[student.name], column, _number(student.total))
    possible = [row for row in range(1, len(sheet)) if sheet.value(row, name).strip() == "Points Possible"]
    notes = _scale_notes("Points Possible", {sheet.value(row, column) for row in possible}, results)
    return rows, (f"filled the column '{pages.line(sheet.header[column])}'", *notes)


def _canvas_column(sheet: Sheet, assignment: str, title: str | None) -> int:
    """The column of this title, else the one whose title is the assignment's name, but for - and _."""
    titles = {
        column: found["title"]
        for column, text in enumerate(sheet.header)
        if (found := _CANVAS_TITLE.fullmatch(text))
    }
    if title is not None:
        chosen = [column for column, text in titles.items() if title in (text, sheet.header[column])]
    else:
        chosen = [column for column, text in titles.items() if _letters(text) == _letters(assignment)]
    if len(chosen) == 1:
        return chosen[0]
    shown = ", ".join(repr(sheet.header[column]) for column in titles) or "none"
    how = "has the title" if title is not None else "is called like"
    raise SheetError(
        f"{len(chosen)} columns of an assignment {how} {title or assignment!r}; there are: {shown}. "
        "Name the column with --column TITLE, or take another file."
    )


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _canvas_names(name: str) -> set[str]:
    """A "Last, First" as it stands, as "First Last", and as Canvas writes it in names of files."""
    last, _, first = name.partition(",")
    spoken = f"{first.strip()} {last.strip()}".strip()
    in_files = {re.sub(r"\W", "", name), re.sub(r"\W", "", name, flags=re.ASCII)}
    return {folded(text) for text in {name, spoken, *in_files} if text.strip()}


def _fill_moodle(
    sheet: Sheet, results: Results, students: tuple[Student, ...], title: str | None
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Fill Grade, and Feedback comments where there are any; rows and notes as for Canvas."""
    number, name, column = (_required(sheet, text) for text in ("Identifier", "Full name", "Grade"))
    comments, most = sheet.column("Feedback comments"), sheet.column("Maximum Grade")
    keys = {}
    for row in range(1, len(sheet)):
        if found := re.search(r"(\d+)$", sheet.value(row, number).strip()):
            keys[row] = {id_key(found[1])} | ({folded(sheet.value(row, name))} - {""})
    rows = matched([student.name for student in students], keys)
    for student in students:
        if student.name not in rows or not student.has_grade:
            continue
        sheet.set(rows[student.name], column, _number(student.total))
        if comments is not None:
            sheet.set(rows[student.name], comments, _comment(student))
    found = {sheet.value(row, most) for row in keys} if most is not None else set()
    return rows, _scale_notes("Maximum Grade", found, results)


def _comment(student: Student) -> str:
    """Feedback on one line of HTML, as Moodle takes it."""
    return " ".join(pages.render("comment.html", student=student).split())


def _required(sheet: Sheet, title: str) -> int:
    column = sheet.column(title)
    if column is None:
        raise SheetError(f"The sheet has no column '{title}'.")
    return column


def _scale_notes(title: str, found: set[str], results: Results) -> tuple[str, ...]:
    """A warning where the system and the assignment do not mean the same by a point."""
    other = sorted(value for value in found if not _equals(value, results.max_score))
    if not other:
        return ()
    most = _number(results.max_score)
    return (f"{title} is {', '.join(map(pages.line, other))}, but {results.assignment} has {most} points: "
            "the points were filled in as they are",)  # fmt: skip


def _equals(text: str, number: float) -> bool:
    try:
        return abs(float(text.replace(",", ".")) - number) < 1e-6
    except ValueError:
        return False
