"""Names for students: readable, safe as file names, and unique in the class."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from autograder.intake.layouts import Owner

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


def student_ids(owners: Iterable[Owner]) -> dict[tuple[str, ...], str]:
    """The id of every owner, by key.

    It is the cleaned name, followed by `_` and the number by which the LMS knows the student if
    there are namesakes, or if the number is the same in every assignment. Ids differ in more
    than case, since they become file names.
    """
    people = {owner.key: owner for owner in owners}
    namesakes = Counter(clean(owner.name).casefold() for owner in people.values())
    ids: dict[tuple[str, ...], str] = {}
    taken: set[str] = set()
    for owner in sorted(people.values(), key=lambda owner: (clean(owner.name) != owner.name, owner.key)):
        base = clean(owner.name)
        candidates = _candidates(owner, base, alone=namesakes[base.casefold()] == 1)
        ids[owner.key] = next(name for name in candidates if name.casefold() not in taken)
        taken.add(ids[owner.key].casefold())
    return ids


def _candidates(owner: Owner, base: str, alone: bool) -> Iterable[str]:
    digest = hashlib.sha256("\0".join(owner.key).encode(errors="surrogatepass")).hexdigest()
    tags = [clean(owner.tag, _MAX_TAG)] if owner.tag else []
    bare = [base] if not owner.tag or (alone and not owner.lasting) else []
    numbered = (f"{base}_{digest[:8]}_{number}" for number in itertools.count(2))
    return itertools.chain(bare, (f"{base}_{tag}" for tag in [*tags, digest[:8]]), numbered)
