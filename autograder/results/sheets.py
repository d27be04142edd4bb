"""CSV files of a learning management system, of which a few cells change and every other byte stays."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.results.matching import Known

_BYTE_ORDER_MARK = "\ufeff"
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_FALLBACK = "Windows-1252"  # what Excel saves as "CSV" in much of the world
_BINARY = re.compile("[\x00-\x08\x0e-\x1f]")
_QUOTED = re.compile('"[^"]*"')
# With three digits behind it, a mark may as well separate thousands.
_DECIMALS = re.compile(r"-?\d+([.,])(?:\d{1,2}|\d{4,})")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")


class SheetError(ValueError):
    """The file is not the one that is needed; the message says which, and where it is downloaded."""


class Sheet:
    """A CSV file as rows of cells; what is not set keeps its quotes, its line ends, its byte-order mark.

    encoding: of the file; separator: comma, semicolon or tab.
    """

    def __init__(self, text: str, encoding: str = "utf-8") -> None:
        body = text.removeprefix(_BYTE_ORDER_MARK)
        self._mark = text[: len(text) - len(body)]
        self.encoding = encoding
        first = _QUOTED.sub("", body.partition("\n")[0])
        self.separator = max(",;\t", key=first.count)
        self._rows = _cells(body, self.separator)
        self.header = [self.value(0, column) for column in range(len(self._rows[0]))]

    @classmethod
    def read(cls, path: Path) -> Sheet:
        """The sheet in `path`: UTF-8, UTF-16 with its byte-order mark, else Windows-1252.

        Raises SheetError.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SheetError(f"{path} cannot be read ({error.strerror}).") from None
        for encoding in (_UTF_16.get(content[:2], "utf-8"), _FALLBACK):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            # Any bytes are text in Windows-1252; in UTF-8 a student's words may hold control characters.
            if "\0" not in text and not (encoding == _FALLBACK and _BINARY.search(text)):
                return cls(text, encoding)
        raise SheetError(f"{path} is not a CSV file: save the sheet as CSV, in UTF-8.")

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed about the file and may be wrong."""
        if self.encoding != _FALLBACK:
            return ()
        return (f"the sheet is not in UTF-8 and was read as {_FALLBACK}: look at the names",)

    def decimal_mark(self, columns: Iterable[int]) -> str:
        """Of numbers in these columns, else in the whole sheet, else the one that fits its separator."""
        rows = range(1, len(self))
        for places in (list(columns), range(len(self.header))):
            cells = (self.value(row, column).strip() for row in rows for column in places)
            marks = {found[1] for cell in cells if (found := _DECIMALS.fullmatch(cell))}
            if len(marks) == 1:
                return marks.pop()
        return "," if self.separator == ";" else "."

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
        cells = self._rows[row]
        while column >= len(cells):  # spreadsheets drop empty cells at the end of a row
            raw, end = cells[-1]
            cells[-1:] = [(raw, self.separator), ("", end)]
        raw, end = cells[column]
        if raw.startswith('"') or any(character in value for character in f'{self.separator}"\r\n'):
            value = '"' + value.replace('"', '""') + '"'
        cells[column] = (value, end)

    def text(self) -> str:
        """The whole file."""
        return self._mark + "".join(raw + end for row in self._rows for raw, end in row)

    def content(self) -> bytes:
        """The whole file in its encoding; what the encoding has not is written as in HTML."""
        return self.text().encode(self.encoding, errors="xmlcharrefreplace")


def _cells(text: str, separator: str) -> list[list[tuple[str, str]]]:
    """Rows of cells: each as it stands in the text, and what ends it."""
    pattern = rf'("(?:[^"]|"")*"(?=[{separator}\r\n]|\Z)|[^{separator}\r\n]*)({separator}|\r\n|\r|\n|\Z)'
    rows: list[list[tuple[str, str]]] = [[]]
    for raw, end in re.findall(pattern, text):
        rows[-1].append((raw, end))
        if end != separator:
            rows.append([])
    return rows[:-1]


def is_number(text: str) -> bool:
    """Whether a cell holds points, with either decimal mark."""
    return _NUMBER.fullmatch(text.strip()) is not None


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where a system's sheet has what.

    people: the rows of people; column: for the points; most: the title of the greatest number of points,
    and what the sheet says of it; locked: why rows must stay as they are; comments: the column for
    feedback, if any; notes: what to tell the instructor.
    """

    system: str
    people: Mapping[int, Known]
    column: int
    most: tuple[str, set[str]]
    locked: Mapping[int, str] = dataclasses.field(default_factory=dict)
    comments: int | None = None
    notes: tuple[str, ...] = ()
