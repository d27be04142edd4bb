"""From the bytes that were handed in to the cells of a notebook, whatever editors and uploads did to them."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from nbformat import from_dict

_MOST_BYTES = 64 * 2**20
_MOST_CELLS = 10_000
_LONGEST_CODE = 100_000  # characters of one cell
_LONGEST_TEXT = 20_000  # characters of one cell; what is longer holds pictures
_MOST_CHARACTERS = 2**20  # of all cells together
_MOST_CONTAINERS = (
    2_000_000  # lists and dictionaries in the file: each takes far more memory than its two bytes
)

_JUPYTER = "Open it in Jupyter or Colab, save it, and hand in the notebook (.ipynb)."
_COLAB = "In Colab: File > Download > Download .ipynb."
_OTHER_BYTES = (
    (b"\x1f\x8b", "The file is compressed (gzip). Hand in the notebook itself (.ipynb)."),
    (b"PK\x03\x04", "The file is an archive or an office document. Hand in the notebook itself (.ipynb)."),
    (b"%PDF", "The file is a PDF. Hand in the notebook that it was printed from (.ipynb)."),
    (b"\x89PNG", "The file is a picture. Hand in the notebook itself (.ipynb)."),
    (b"\xff\xd8\xff", "The file is a picture. Hand in the notebook itself (.ipynb)."),
)
_OTHER_TEXTS = (
    (
        r"^<<<<<<< ",
        f"The file holds marks of an unfinished Git merge (<<<<<<<), so it is not valid JSON. {_JUPYTER}",
    ),
    (
        r"\Aversion https://git-lfs",
        "The file is a pointer of Git LFS, without the notebook's content. Hand in the notebook (.ipynb).",
    ),
    (r"\A<", f"The file is a web page (HTML or XML), not the notebook. {_COLAB}"),
    (r"\A(?:https?://|\[InternetShortcut\])", f"The file holds only a link, not the notebook. {_COLAB}"),
    (
        r"\A(?:#|\"\"\"|%|!|(?:from|import|def|class) )",
        f"The file is Python code, not a notebook. {_COLAB}",
    ),
)


class Unreadable(ValueError):
    """What was handed in is not a notebook of the assignment; the message says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell as it was handed in; what it lacks is empty.

    kind: "code", "markdown" or "raw"; grade_id: nbgrader's name of it; id: nbformat's, or else
    Colab's; training: whether it carries the tag "training"; nbgrader: its metadata of nbgrader.
    """

    source: str
    kind: str
    grade_id: str = ""
    id: str = ""
    training: bool = False
    nbgrader: dict[str, Any] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    @property
    def as_released(self) -> bool:
        """Whether nothing has changed since it was released, going by the checksum that it carries."""
        from nbgrader.utils import compute_checksum  # slow to import, and rarely needed

        plain = {key: value for key, value in self.nbgrader.items() if isinstance(value, (str, int, float))}
        plain["grade_id"] = self.grade_id
        cell = from_dict({"cell_type": self.kind, "source": self.source, "metadata": {"nbgrader": plain}})
        try:
            return compute_checksum(cell) == plain.get("checksum")
        except (ArithmeticError, KeyError, TypeError, ValueError):  # what it carries is the student's word
            return False


@dataclasses.dataclass(frozen=True)
class Notebook:
    """The cells in order; faults: what had to be repaired to read them."""

    cells: tuple[Cell, ...]
    faults: tuple[str, ...] = ()


def read(content: bytes) -> Notebook:
    """The notebook in `content`, of any format from 3 to 4.5. Raises Unreadable."""
    faults: list[str] = []
    text = _decoded(content, faults)
    document = _parsed(text, faults)
    cells = [_cell(item) for item in _raw_cells(document, faults) if isinstance(item, dict)]
    if len(cells) > _MOST_CELLS:
        raise Unreadable(f"The notebook has {len(cells):,} cells; at most {_MOST_CELLS:,} are read.")
    cells = [_shortened(cell, faults) for cell in cells]
    if sum(len(cell.source) for cell in cells) > _MOST_CHARACTERS:
        raise Unreadable(
            f"The notebook's cells have more than {_MOST_CHARACTERS:,} characters. "
            "Remove what does not belong to the assignment, and hand it in again."
        )
    return Notebook(tuple(cells), tuple(faults))


def _shortened(cell: Cell, faults: list[str]) -> Cell:
    if cell.kind != "code":
        return dataclasses.replace(cell, source=cell.source[:_LONGEST_TEXT])
    if len(cell.source) <= _LONGEST_CODE:
        return cell
    faults.append(f"a code cell of {len(cell.source):,} characters was left out: it is too long")
    return dataclasses.replace(cell, source="")


def _decoded(content: bytes, faults: list[str]) -> str:
    if not content.strip(b"\0 \t\r\n"):
        raise Unreadable("The file is empty.")
    if len(content) > _MOST_BYTES:
        raise Unreadable(
            f"The file has {len(content) / 2**20:.0f} MiB; at most {_MOST_BYTES // 2**20} are read. "
            "Clear the notebook's outputs, save it, and hand it in again."
        )
    for beginning, reason in _OTHER_BYTES:
        if content.startswith(beginning):
            raise Unreadable(reason)
    try:
        return content.decode(json.detect_encoding(content)).lstrip("\ufeff")
    except UnicodeDecodeError:
        faults.append("the file is not UTF-8: read as Windows text")
        return content.decode("cp1252", errors="replace")


def _parsed(text: str, faults: list[str]) -> Any:
    text = text.strip("\0 \t\r\n")
    if text.count("[") + text.count("{") > _MOST_CONTAINERS:
        raise Unreadable(
            f"The file holds more than {_MOST_CONTAINERS:,} lists. Clear the notebook's outputs and save it."
        )
    try:
        document, end = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(_why_not_json(text, error)) from None
    if text[end:].strip():
        faults.append("what follows the end of the notebook in the file was left out")
    return document


def _why_not_json(text: str, error: Exception) -> str:
    for pattern, reason in _OTHER_TEXTS:
        if re.search(pattern, text, re.MULTILINE):
            return reason
    if not isinstance(error, json.JSONDecodeError):
        error = "nested too deeply, or a number too long"  # Python's own texts would not help
    elif error.pos >= len(text) or (text[:1] == "{" and text[-1:] != "}"):
        return (
            "The file ends in the middle (it is not valid JSON): the upload was cut off, or the notebook "
            f"was not saved completely. {_JUPYTER}"
        )
    return f"The file is not a notebook: it is not valid JSON ({error}). {_JUPYTER}"


def _raw_cells(document: Any, faults: list[str]) -> list[Any]:
    if not isinstance(document, dict):
        raise Unreadable(f"The file is not a notebook: it has no list of cells. {_JUPYTER}")
    if isinstance(document.get("cells"), list):
        return document["cells"]
    sheets = document.get("worksheets")
    if isinstance(sheets, list):
        faults.append("the notebook was saved in the old format 3: read all the same")
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        return [cell for cells in lists if isinstance(cells, list) for cell in cells]
    raise Unreadable(f"The file is not a notebook: it has no list of cells. {_JUPYTER}")


def _cell(item: dict[str, Any]) -> Cell:
    metadata = _dictionary(item.get("metadata"))
    tags, nbgrader = metadata.get("tags"), _dictionary(metadata.get("nbgrader"))
    return Cell(
        source=_source(item),
        kind=_kind(item),
        grade_id=_text(nbgrader.get("grade_id")),
        id=_text(item.get("id")) or _text(metadata.get("id")),
        training=isinstance(tags, list) and "training" in tags,
        nbgrader=nbgrader,
    )


def _kind(item: dict[str, Any]) -> str:
    kind = item.get("cell_type")
    if kind in ("code", "raw"):
        return kind
    return "code" if kind is None and ("outputs" in item or "input" in item) else "markdown"


def _source(item: dict[str, Any]) -> str:
    source = item.get("source", item.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    text = _text(source).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode(errors="replace").decode()  # half a surrogate pair is no text


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
