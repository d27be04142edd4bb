"""CSV files of a learning management system, of which a few cells change and every other byte stays."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

_BYTE_ORDER_MARK = "\ufeff"


class SheetError(ValueError):
    """The file is not the one that is needed; the message says which, and where it is downloaded."""


class Sheet:
    """A CSV file as rows of cells; what is not set keeps its quotes, its line ends, its byte-order mark."""

    def __init__(self, text: str) -> None:
        body = text.removeprefix(_BYTE_ORDER_MARK)
        self._mark = text[: len(text) - len(body)]
        first = body.partition("\n")[0]
        self._separator = max(",;\t", key=first.count)
        self._rows = _cells(body, self._separator)
        self.header = [self.value(0, column) for column in range(len(self._rows[0]))]

    @classmethod
    def read(cls, path: Path) -> Sheet:
        """The sheet in `path`, UTF-8 as the systems write it. Raises SheetError."""
        try:
            return cls(path.read_bytes().decode("utf-8"))
        except OSError as error:
            raise SheetError(f"{path} cannot be read ({error.strerror}).") from None
        except UnicodeDecodeError:
            raise SheetError(f"{path} is not a CSV file in UTF-8.") from None

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, title: str) -> int | None:
        """The place of the column with this title, None if there is none."""
        titles = [cell.strip() for cell in self.header]
        return titles.index(title) if title in titles else None

    def value(self, row: int, column: int) -> str:
        """What a cell holds; cells beyond the end of a row are empty."""
        if column >= len(self._rows[row]):
            return ""
        raw = self._rows[row][column][0]
        quoted = len(raw) > 1 and raw[0] == raw[-1] == '"'
        return raw[1:-1].replace('""', '"') if quoted else raw

    def set(self, row: int, column: int, value: str) -> None:
        """Change one cell, which keeps its quotes and gets them where it needs them."""
        raw, end = self._rows[row][column]
        if raw.startswith('"') or any(character in value for character in f'{self._separator}"\r\n'):
            value = '"' + value.replace('"', '""') + '"'
        self._rows[row][column] = (value, end)

    def text(self) -> str:
        """The whole file."""
        return self._mark + "".join(raw + end for row in self._rows for raw, end in row)


def _cells(text: str, separator: str) -> list[list[tuple[str, str]]]:
    """Rows of cells: each as it stands in the text, and what ends it."""
    pattern = rf'("(?:[^"]|"")*"(?=[{separator}\r\n]|\Z)|[^{separator}\r\n]*)({separator}|\r\n|\r|\n|\Z)'
    rows: list[list[tuple[str, str]]] = [[]]
    for raw, end in re.findall(pattern, text):
        rows[-1].append((raw, end))
        if end != separator:
            rows.append([])
    return rows[:-1]


def matched(students: Iterable[str], rows: Mapping[int, set[str]]) -> dict[str, int]:
    """The row of every student who has exactly one, and shares it with nobody. The others are left out.

    rows: for each row what its student may be called: see `id_key` and `folded`.
    """
    called = defaultdict(set)
    for row, keys in rows.items():
        for key in keys:
            called[key].add(row)
    candidates = {student: set().union(*(called[key] for key in _keys(student))) for student in students}
    found = {student: rows.pop() for student, rows in candidates.items() if len(rows) == 1}
    claims = Counter(found.values())
    return {student: row for student, row in found.items() if claims[row] == 1}


def _keys(student: str) -> set[str]:
    number = re.search(r"_(\d+)$", student)
    return {folded(student)} | ({id_key(number[1])} if number else set())


def id_key(number: str) -> str:
    """How a student is called by the system's number, which ends a student's id as `_NUMBER`."""
    return f"\0{number}"


def folded(name: str) -> str:
    """A name or login in which case, kind of white space and composition of letters do not matter."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
