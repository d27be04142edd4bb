"""Whose files they are, as the instructor says it in a CSV file."""

from __future__ import annotations

import csv
import fnmatch
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from autograder.intake.files import Entry, IntakeError
from autograder.intake.handed import Claims, Handed, Owner

_COLUMNS = ("path", "student")


class PeopleFile:
    """Rows of paths and students; a path is a file, a folder, or a pattern, as seen from PATH."""

    def __init__(self, rows: Sequence[tuple[str, str]], source: Path) -> None:
        self._rows = rows
        self._source = source

    @classmethod
    def read(cls, path: Path) -> PeopleFile:
        """The mapping in a CSV file with the columns path and student. Raises IntakeError."""
        try:
            text = path.read_text(encoding="utf-8-sig")
            reader = csv.DictReader(
                text.splitlines(), delimiter=max(",;\t", key=text.partition("\n")[0].count)
            )
            if not set(_COLUMNS) <= set(reader.fieldnames or ()):
                raise IntakeError(f"{path} needs a first line with the columns path and student.")
            rows = [(row["path"] or "", (row["student"] or "").strip()) for row in reader]
        except OSError as error:
            raise IntakeError(f"{path} cannot be read ({error.strerror}).") from None
        except (UnicodeDecodeError, csv.Error):
            raise IntakeError(f"{path} is not a CSV file in UTF-8.") from None
        for number, (place, student) in enumerate(rows, 2):
            if not place.strip("/ ") or not student:
                raise IntakeError(f"{path}, line {number}: a path and a student are needed.")
        return cls([(_normal(place.strip().strip("/")), student) for place, student in rows], path)

    def claims(self, entries: Sequence[Entry]) -> Claims:
        """What the rows name, by the longest path that fits; the rest is nobody's. Raises IntakeError."""
        claimed = Claims([])
        unused = [place for place, _ in self._rows if not any(_fits(entry, place) for entry in entries)]
        if unused:
            raise IntakeError(
                f"{self._source} names '{unused[0]}', which is not there. Paths are written with / and as "
                "seen from the folder or zip that is graded."
            )
        for entry in entries:
            fitting = [row for row in self._rows if _fits(entry, row[0])]
            if fitting:
                place, student = max(fitting, key=lambda row: len(row[0]))
                owner = Owner(("people", student), student)
                claimed.handed.append(Handed(owner, entry, place, entry.parts[-1], entry.date))
        return claimed


def _fits(entry: Entry, place: str) -> bool:
    path = _normal("/".join(entry.parts))
    return path == place or path.startswith(f"{place}/") or fnmatch.fnmatchcase(path, place)


def _normal(path: str) -> str:
    return unicodedata.normalize("NFC", path)
