"""Who is who: the people of a download, matched with the rows of a sheet or a roster."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from autograder import pages
from autograder.intake import Person

# Systems whose numbers belong to a person, and not to a hand-in or to one assignment.
_LASTING = ("canvas", "brightspace")
NOBODY = "nobody there has this name, login or e-mail address"


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known about one person, on either side of a match.

    numbers: of the same system on both sides; whoever has one is matched by it or not at all. lasting:
    systems with the number that they have for the person in all assignments, of which nobody has two; ids:
    logins, e-mail addresses and other numbers, as `folded`; names: as `name_key`.
    """

    numbers: frozenset[str] = frozenset()
    lasting: frozenset[tuple[str, str]] = frozenset()
    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, numbers: Iterable[str] = (), ids: Iterable[str] = (), names: Iterable[str] = ()) -> Known:
        """From texts as they stand in a sheet; empty ones are left out."""
        return cls(
            numbers=frozenset(filter(None, (number.strip() for number in numbers))),
            ids=frozenset(filter(None, map(folded, ids))),
            names=frozenset(filter(None, map(name_key, names))),
        )

    @classmethod
    def from_person(cls, student: str, person: Person, system: str) -> Known:
        """A student of a graded class; the number counts where the download came from `system`."""
        numbers = (person.number, *person.maybe) if person.number and person.lms == system else ()
        # A folder kept by hand may be called like its student or like the student's login.
        by_hand = () if person.lms else (student, person.name)
        ids = (person.login, person.email, *by_hand)
        return cls.of(numbers=numbers, ids=ids, names=(person.name, *by_hand))

    @classmethod
    def across_assignments(cls, student: str, person: Person) -> Known:
        """A student of a graded class, as a roster or another assignment may know them."""
        known = cls.from_person(student, person, "")
        if person.lms not in _LASTING or person.maybe:
            return known
        lasting = frozenset({(person.lms, person.number)})
        names = known.names | cls.of(names=name_spellings(person.name)).names
        return dataclasses.replace(
            known, lasting=lasting, ids=known.ids | {folded(person.number)}, names=names
        )

    def with_known(self, other: Known) -> Known:
        """What both know together about one person."""
        fields = (field.name for field in dataclasses.fields(self))
        return Known(**{name: getattr(self, name) | getattr(other, name) for name in fields})

    def is_another_than(self, other: Known) -> bool:
        """Whether a system has different numbers for the two."""
        mine, theirs = dict(self.lasting), dict(other.lasting)
        return any(mine[system] != theirs[system] for system in mine.keys() & theirs.keys())

    def may_be_called(self, other: Known) -> bool:
        """Whether the names of both fit, one with a group before it or not; unknown names do."""
        pairs = [(mine, theirs) for mine in self.names for theirs in other.names]
        return not pairs or any(mine in theirs or theirs in mine for mine, theirs in pairs)


@dataclasses.dataclass(frozen=True)
class Matches:
    """The row of every student who has one of their own, and for the others the reason why not."""

    rows: dict[str, int]
    reasons: dict[str, str]


def with_reasons(reasons: Mapping[str, str]) -> list[str]:
    """Students for the terminal, with each reason once behind all whom it concerns."""
    grouped: dict[str, list[str]] = {}
    for student, reason in reasons.items():
        grouped.setdefault(pages.line(reason), []).append(pages.line(student))
    return [f"{', '.join(students)} ({reason})" for reason, students in grouped.items()]


def match(students: Mapping[str, Known], rows: Mapping[int, Known]) -> Matches:
    """Match by number, else by login or e-mail address, else by the exact name, and never by a guess.

    A student has a row only if the evidence names one row, and no other student's evidence names it too.
    """
    index = _Index(rows)
    found: dict[str, int] = {}
    reasons: dict[str, str] = {}
    for student, known in students.items():
        row = index.row(known)
        if isinstance(row, str):
            reasons[student] = row
        else:
            found[student] = row
    claims = Counter(found.values())
    for student, row in list(found.items()):
        if claims[row] > 1:
            del found[student]
            reasons[student] = "others fit the same row"
    return Matches(found, reasons)


class _Index:
    """The rows by what they are known for."""

    def __init__(self, rows: Mapping[int, Known]) -> None:
        self._known = rows
        self._rows: dict[tuple[str, object], set[int]] = {}
        for row, known in rows.items():
            for field in ("numbers", "lasting", "ids", "names"):
                for key in getattr(known, field):
                    self._rows.setdefault((field, key), set()).add(row)

    def row(self, known: Known) -> int | str:
        """The row of this person, or the reason why there is none."""
        numbers, ids, names = (self._find(known, field) for field in ("numbers", "ids", "names"))
        if known.numbers:
            return _by_number(known.numbers, numbers, names)
        ids |= self._find(known, "lasting")
        ids, names = (
            {row for row in rows if not known.is_another_than(self._known[row])} for rows in (ids, names)
        )
        if not ids | names:
            return NOBODY
        evidence = (ids if names & ids else ids | names) if ids else names
        return next(iter(evidence)) if len(evidence) == 1 else "several rows fit"

    def _find(self, known: Known, field: str) -> set[int]:
        return set().union(*(self._rows.get((field, key), ()) for key in getattr(known, field)))


def _by_number(numbers: frozenset[str], rows: set[int], named: set[int]) -> int | str:
    shown = " or ".join(sorted(numbers, key=lambda number: (len(number), number)))
    if not rows:
        return f"number {shown} is not there"
    candidates = rows & named if len(rows) > 1 else rows
    if len(candidates) != 1:
        return f"the number may be {shown}, and several of them are there"
    if named and not candidates & named:
        return f"number {shown} is there under another name, and the name under another number"
    return next(iter(candidates))


def folded(text: str) -> str:
    """A login or e-mail address in which case, kind of white space and composition of letters are equal."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def name_key(name: str) -> str:
    """A name in which case, punctuation, white space and composition of letters do not matter.

    Systems drop dots and apostrophes on the way: O'Brien, Jr. and OBrien Jr are the same.
    """
    letters = (" " if character in "_," else character for character in folded(name))
    return " ".join("".join(c for c in letters if c == " " or unicodedata.category(c)[0] in "LMN").split())


def letters(title: str) -> str:
    """A title of which only letters and digits matter."""
    return re.sub(r"[\W_]+", "", title).casefold()


def name_spellings(name: str) -> Iterator[str]:
    """A "Last, First" as it stands, as "First Last", and as Canvas writes it in names of files."""
    name = unicodedata.normalize("NFC", name)
    last, _, first = name.partition(",")
    yield from (name, f"{first.strip()} {last.strip()}")
    yield from (re.sub(r"\W", "", name), re.sub(r"\W", "", name, flags=re.ASCII))
