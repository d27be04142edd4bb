"""Grades for the learning management system: a plain CSV file, or the instructor's own sheet filled in."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder import pages
from autograder.results import canvas, moodle, roster
from autograder.results.graded import Results, Student
from autograder.results.matching import Known, match, with_reasons
from autograder.results.roster import Enrolled
from autograder.results.sheets import Layout, Sheet, SheetError, is_number
from autograder.verdicts import write_atomically

_LAYOUTS = {"canvas": canvas.layout, "moodle": moodle.layout}
_DOWNLOADS = {
    "canvas": "In Canvas, open Grades, choose Export, Export Entire Gradebook, and give that file, "
    "unchanged, as --sheet.",
    "moodle": "In Moodle, open the assignment's submissions, choose Download grading worksheet (its "
    "setting: Feedback types, Offline grading worksheet), and give that file, unchanged, as --sheet.",
}
_FORMULA = ("=", "+", "-", "@")
_NO_ZEROS = "no zeros were filled in: some rows may be of the students who were not found"
_NO_MARK = ("", "-", "–")


@dataclasses.dataclass(frozen=True)
class Exported:
    """What was written, and whom it leaves to the instructor.

    filled: how many students have their points in the file; unmatched: who has no row of their own in
    the sheet, and why; kept: whose row was left as it is, and what it says; renamed: whose number was found
    under another name; ungraded: whose notebook could not be graded; waiting: whose points may still change;
    notes: lines for the instructor.
    """

    path: Path
    filled: int
    unmatched: Mapping[str, str] = dataclasses.field(default_factory=dict)
    kept: Mapping[str, str] = dataclasses.field(default_factory=dict)
    renamed: tuple[str, ...] = ()
    ungraded: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def remarks(self) -> list[str]:
        """What an instructor has to know, a line each."""
        lists = {
            "not in the sheet, or not for certain, so not filled in": with_reasons(self.unmatched),
            "left as they are in the sheet": with_reasons(self.kept),
            "filled in by number, though the sheet has another name": map(pages.line, self.renamed),
            "not graded, so without points": map(pages.line, self.ungraded),
            "waiting to be graded by a person in part": map(pages.line, self.waiting),
        }
        listed = [f"{text}: {names}" for text, found in lists.items() if (names := ", ".join(found))]
        return [*self.notes, *listed]


def write_export(
    results: Results, kind: str, sheet: Path | None = None, column: str | None = None, *, zeros: bool = False
) -> Exported:
    """Write DIR/NAME/canvas.csv or moodle.csv, the sheet filled in, or grades.csv.

    kind: csv, canvas or moodle; sheet: the file downloaded there; column: its title of the assignment,
    where it cannot be told; zeros: 0 points for those who handed in nothing, whose cells stay empty
    otherwise. Raises SheetError.
    """
    path = results.folder / ("grades.csv" if kind == "csv" else f"{kind}.csv")
    students = tuple(results.students())
    if kind == "csv":
        absent, notes = _absent(results, zeros)
        write_atomically(path, _plain_csv(results, students, absent))
        return dataclasses.replace(_exported(path, students, {s.name for s in students}), notes=notes)
    try:
        filled = _opened(sheet, path)
        layout = _LAYOUTS[kind](filled, results.assignment, column)
    except SheetError as error:
        raise SheetError(f"{error} {_DOWNLOADS[kind]}") from None
    exported = _fill(filled, layout, results, students, path, zeros)
    write_atomically(path, filled.content())
    return exported


def _opened(sheet: Path | None, path: Path) -> Sheet:
    if sheet is None:
        raise SheetError("The grades go into a sheet that you download.")
    if sheet.resolve() == path.resolve():
        raise SheetError(f"{sheet} is the file that this command writes.")
    return Sheet.read(sheet)


def _exported(path: Path, students: tuple[Student, ...], listed: Iterable[str]) -> Exported:
    names = {*listed}
    return Exported(
        path,
        filled=sum(student.name in names and student.has_grade for student in students),
        ungraded=tuple(student.name for student in students if not student.has_grade),
        waiting=tuple(student.name for student in students if student.waiting),
    )


def _absent(results: Results, zeros: bool) -> tuple[list[tuple[Enrolled, str]], tuple[str, ...]]:
    """Those who handed in nothing, with the points that their cells get, and notes for the instructor."""
    if not zeros:
        return [(person, "") for person in results.absent], ()
    if not results.roster.people:
        return [], (f"no zeros were filled in: who handed in nothing is known from a {roster.FILE} only",)
    if results.not_in_roster:
        return [(person, "") for person in results.absent], (_NO_ZEROS,)
    return [(person, "0") for person in results.absent], ()


def _plain_csv(results: Results, students: tuple[Student, ...], absent: list[tuple[Enrolled, str]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    questions = [defused(name) for name in results.questions]
    about = ["number", "name", "login", "email", "id", "section"]
    writer.writerow(["student", *questions, "total", "status", "late", "late_penalty", *about])
    for student in students:
        marked, person, enrolled = student.has_grade, student.person, student.enrolled
        points = [points_text(q.points, marked and q.status != "waiting") for q in student.questions]
        late = [student.late.remark, points_text(student.penalty, marked)]
        row = [defused(student.name), *points, points_text(student.total, marked), student.status, *late]
        row += map(defused, [person.number, person.name or enrolled.name, person.login])
        row += map(defused, [person.email or enrolled.email, enrolled.id, enrolled.section])
        writer.writerow(row)
    for enrolled, points in absent:
        row = ["", *[points] * (len(questions) + 1), "not handed in", "", "", "", defused(enrolled.name), ""]
        writer.writerow([*row, *map(defused, [enrolled.email, enrolled.id, enrolled.section])])
    return file.getvalue()


def points_text(value: float, known: bool) -> str:
    """Points as a cell holds them, nothing where none are known."""
    return f"{value:.10g}" if known else ""


def defused(text: str) -> str:
    """One line of text that a spreadsheet shows as it is, where it would run it as a formula."""
    shown = pages.line(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _fill(
    sheet: Sheet, layout: Layout, results: Results, students: tuple[Student, ...], path: Path, zeros: bool
) -> Exported:
    """Fill the column for points and the one for comments, but for cells that mean something else."""
    known = {s.name: Known.from_person(s.name, s.person, layout.system) for s in students}
    found = match(known, layout.people)
    mark = sheet.decimal_mark([layout.column])
    kept = {}
    for student in students:
        row = found.rows.get(student.name)
        if row is None or not student.has_grade:
            continue
        if reason := _reason_to_keep(sheet, layout, row):
            kept[student.name] = reason
            continue
        sheet.set(row, layout.column, points_text(student.total, True).replace(".", mark))
        if layout.comments is not None:
            sheet.set(row, layout.comments, _comment(student))
    others = [row for row in layout.people if row not in found.rows.values()]
    notes = (*layout.notes, *sheet.notes, *_scale_notes(layout, results))
    notes += _note_on_others(sheet, layout, others, zeros, certain=not found.reasons)
    notes += _note_on_penalties(layout.system, students)
    exported = _exported(path, students, found.rows.keys() - kept.keys())
    renamed = tuple(
        name for name, row in found.rows.items() if not known[name].may_be_called(layout.people[row])
    )
    return dataclasses.replace(exported, unmatched=found.reasons, kept=kept, renamed=renamed, notes=notes)


def _reason_to_keep(sheet: Sheet, layout: Layout, row: int) -> str:
    """Why the row has to stay as it is: excused, not assigned, locked; empty for those to be filled in."""
    if row in layout.locked:
        return layout.locked[row]
    cell = sheet.value(row, layout.column).strip()
    return "" if cell in _NO_MARK or is_number(cell) else cell


def _note_on_others(
    sheet: Sheet, layout: Layout, rows: list[int], zeros: bool, *, certain: bool
) -> tuple[str, ...]:
    """What becomes of the rows of those who handed in nothing, which `zeros` fills."""
    empty = [row for row in rows if sheet.value(row, layout.column).strip() in _NO_MARK]
    empty = [row for row in empty if row not in layout.locked]
    if not empty:
        return ()
    if not zeros:
        return (f"rows left empty, because nobody in the class matches them: {len(empty)}",)
    if not certain:
        return (_NO_ZEROS,)
    for row in empty:
        sheet.set(row, layout.column, "0")
    return (f"rows filled with 0, because nothing was handed in: {len(empty)}",)


def _note_on_penalties(system: str, students: tuple[Student, ...]) -> tuple[str, ...]:
    if not any(student.penalty for student in students):
        return ()
    name = system.capitalize()
    return (
        f"points for being late are already taken off: see that {name} does not take off its own as well",
    )


def _comment(student: Student) -> str:
    """Feedback on one line of HTML, as Moodle takes it."""
    return " ".join(pages.render("comment.html", student=student).split())


def _scale_notes(layout: Layout, results: Results) -> tuple[str, ...]:
    """A warning where the system and the assignment do not mean the same by a point."""
    title, found = layout.most
    other = sorted(value for value in found if not _equals(value, results.max_score))
    if not other:
        return ()
    most = points_text(results.max_score, True)
    return (f"{title} is {', '.join(map(pages.line, other))}, but {results.assignment} has {most} points: "
            "the points were filled in as they are",)  # fmt: skip


def _equals(text: str, number: float) -> bool:
    return is_number(text) and abs(float(text.replace(",", ".")) - number) < 1e-6
