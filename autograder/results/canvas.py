"""The gradebook that Canvas exports: where its rows and columns stand, and what must stay."""

from __future__ import annotations

import re

from autograder import pages
from autograder.results.matching import Known, letters, name_spellings
from autograder.results.sheets import Layout, Sheet, SheetError, is_number

_TITLE = re.compile(r"(?P<title>.*) \(\d+\)", re.DOTALL)
_LOGINS = ("sisloginid", "sisuserid", "integrationid", "email")


def layout(sheet: Sheet, assignment: str, title: str | None) -> Layout:
    """The parts of a gradebook (instructure/canvas-lms, lib/gradebook_exporter.rb).

    title: of the assignment in Canvas, where it cannot be told from the name. Raises SheetError.
    """
    titles = {letters(text): column for column, text in reversed([*enumerate(sheet.header)])}
    names = _name_columns(titles)
    if "id" not in titles:
        raise SheetError("The sheet has no column 'ID'.")
    logins = [titles[login] for login in _LOGINS if login in titles]
    column = _assignment_column(sheet, assignment, title)
    people = {}
    most = set()
    for row in range(1, len(sheet)):
        number = sheet.value(row, titles["id"]).strip()
        if number.isdecimal():
            ids = (sheet.value(row, login) for login in logins)
            called = ", ".join(sheet.value(row, name).strip() for name in names)
            people[row] = Known.of(numbers=[number], ids=ids, names=name_spellings(called))
        elif sheet.value(row, names[0]).strip():  # "Points Possible", in the instructor's language
            most.add(sheet.value(row, column).strip())
    most -= {""}
    shown = pages.line(sheet.header[column])
    if any(not is_number(text) for text in most):
        words = ", ".join(map(pages.line, sorted(most)))
        raise SheetError(f"Canvas does not take points for the column '{shown}', which says {words}.")
    return Layout(
        "canvas", people, column, most=("Points Possible", most), notes=(f"filled the column '{shown}'",)
    )


def _name_columns(titles: dict[str, int]) -> list[int]:
    """The column with "Last, First", or the two of a gradebook whose names are split."""
    for single in ("student", "lastnamefirstname"):
        if single in titles:
            return [titles[single]]
    if "lastname" in titles and "firstname" in titles:
        return [titles["lastname"], titles["firstname"]]
    raise SheetError("The sheet has no column 'Student', and no columns 'LastName' and 'FirstName'.")


def _assignment_column(sheet: Sheet, assignment: str, title: str | None) -> int:
    """The column of this title, else the one whose title is the assignment's name, but for - and _."""
    titles = {
        column: found["title"]
        for column, text in enumerate(sheet.header)
        if (found := _TITLE.fullmatch(text.strip()))
    }
    if title is not None:
        chosen = [column for column, text in titles.items() if title in (text, sheet.header[column])]
    else:
        chosen = [column for column, text in titles.items() if letters(text) == letters(assignment)]
    if len(chosen) == 1:
        return chosen[0]
    shown = ", ".join(repr(sheet.header[column]) for column in titles) or "none"
    how = "has the title" if title is not None else "is called like"
    raise SheetError(
        f"{len(chosen)} columns of an assignment {how} {title or assignment!r}; there are: {shown}. "
        "Name the column with --column TITLE, or take another file."
    )
