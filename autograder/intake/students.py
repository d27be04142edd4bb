"""Names for students: readable, safe as file names, and the same whoever else is in the class."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from autograder.intake.handed import Owner

_MAX_NAME, _MAX_TAG = 90, 24  # bytes; together within the 128 characters of nbgrader's column
_SEPARATORS = re.compile(r'[/\\:*?"<>|]+')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)  # Windows' devices


def clean(name: str, limit: int = _MAX_NAME) -> str:
    """`name` as text that can be a file's name and shows what it is, of at most `limit` bytes.

    Control and format characters (NUL, right-to-left marks) go, separators become "_", white
    space one space; there is no dot or hyphen at the ends.
    """
    spaced = "".join(" " if character.isspace() else character for character in name)
    visible = "".join(character for character in spaced if unicodedata.category(character)[0] != "C")
    text = _SEPARATORS.sub("_", unicodedata.normalize("NFC", visible))
    text = " ".join(text.split()).strip(" .-").encode()[:limit].decode(errors="ignore").strip(" .-")
    if not text:
        return "unnamed"
    return f"_{text}" if _RESERVED.fullmatch(text) else text


def student_id(owner: Owner) -> str:
    """The id of a student: a function of nothing but who it is, so that it stays whoever else hands in.

    It is the cleaned name, then `_` and what tells namesakes apart where the download has that. A name that
    cleaning changes is followed by a part of its digest, so that ids differ where names do.
    """
    name = unicodedata.normalize("NFC", owner.name)
    base, tag = clean(name), clean(owner.tag, _MAX_TAG) if owner.tag else ""
    told_apart = tag == owner.tag if owner.tag else base == name
    digest = hashlib.sha256("\0".join(owner.key).encode(errors="surrogatepass")).hexdigest()[:8]
    return "_".join(filter(None, (base, tag, "" if told_apart else digest)))


def alike(students: Iterable[str]) -> list[list[str]]:
    """Groups of ids that differ only in case."""
    groups: dict[str, list[str]] = {}
    for student in sorted(students):
        groups.setdefault(student.casefold(), []).append(student)
    return [group for group in groups.values() if len(group) > 1]
