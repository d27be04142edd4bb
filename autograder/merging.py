"""A class over several days: what is handed in now joins what was handed in before."""

from __future__ import annotations

import dataclasses
import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from autograder.intake import Person, Submission
from autograder.pages import line
from autograder.submission_store import SubmissionStore

_NAMES_SHOWN = 8
_NUMBER = re.compile(r"_\d+$")


class UnclearIdentity(ValueError):
    """Two students may be one person, or one is not there; the message says how to settle it."""


@dataclasses.dataclass
class Changes:
    """Who is new, whose notebook has changed or stays, who is left out; notes: on single hand-ins."""

    new: list[str] = dataclasses.field(default_factory=list)
    changed: list[str] = dataclasses.field(default_factory=list)
    kept: list[str] = dataclasses.field(default_factory=list)
    left_out: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def lines(self) -> list[str]:
        """What an instructor should know, a line each."""
        groups = {
            "new": self.new,
            "changed": self.changed,
            "kept": self.kept,
            "left out": self.left_out,
        }
        return [
            *self.notes,
            *(f"{what}: {listed(students)}" for what, students in groups.items() if students),
        ]


def listed(students: list[str]) -> str:
    """How many students there are, and who, where they are few."""
    few = len(students) <= _NAMES_SHOWN
    return f"{len(students)}" + (f" ({', '.join(map(line, students))})" if few else "")


def merged(
    handed_in: Iterable[Submission], kept: SubmissionStore, changes: Changes, *, as_it_is: bool
) -> Iterator[Submission]:
    """What counts of everybody whose submission is in `handed_in`, and then of everybody else in `kept`.

    What is handed in now takes the place of an earlier submission, unless that can be read and this
    cannot, or the download says that this is the older one; as_it_is: it always does. `kept` and
    `changes` are brought up to date on the way.
    """
    seen = set()
    for item in handed_in:
        seen.add(item.student)
        reason = "" if as_it_is else _why_the_earlier_counts(item, kept)
        if reason:
            changes.notes.append(f"{line(item.student)}: {reason}")
            earlier = kept.load(item.student)
            item = dataclasses.replace(earlier, faults=tuple(dict.fromkeys((*earlier.faults, reason))))
        if item.student not in kept:
            changes.new.append(item.student)
        elif kept.differs(item):
            changes.changed.append(item.student)
        else:
            changes.kept.append(item.student)
        kept.put(item)
        yield item
    for student in kept:
        if student not in seen:
            changes.kept.append(student)
            yield kept.load(student)


def _why_the_earlier_counts(item: Submission, kept: SubmissionStore) -> str:
    if not kept.has_notebook(item.student):
        return ""
    if item.problem:
        return f"what was handed in later cannot be read ({item.problem}): the earlier notebook counts"
    before = kept.person(item.student).handed_in
    if item.person.handed_in and item.person.handed_in < before:
        return f"what was handed in on {item.person.handed_in} is older: the notebook of {before} counts"
    return ""


def check_student(student: str, known: Iterable[str]) -> None:
    """Raise UnclearIdentity for a student who is not among those who are known."""
    names = list(known)
    if student not in names:
        raise UnclearIdentity(f"There is no {line(student)!r}. {_like(student, names)}")


def _like(student: str, known: list[str]) -> str:
    names = difflib.get_close_matches(student, known, n=3, cutoff=0.4)
    names = names or sorted(name for name in known if student.casefold() in name.casefold())[:3]
    if names:
        return f"Did you mean {' or '.join(map(line, names))}?"
    return "Students are called as in the table of the class."


def check_identities(handed_in: Mapping[str, Person], kept: SubmissionStore) -> None:
    """Raise UnclearIdentity where somebody new may be a student of the class under another name.

    That is so where both have the same name or login and not both a number of the same system, as when one
    came by mail and the other in a download. Who is handed in under both names is two people.
    """
    before: dict[str, list[str]] = {}
    for student in kept:
        if student not in handed_in:
            for name in _names(student, kept.person(student)):
                before.setdefault(name, []).append(student)
    pairs = {
        (student, other)
        for student, person in handed_in.items()
        if student not in kept
        for name in _names(student, person)
        for other in before.get(name, [])
        if not _told_apart(person, kept.person(other))
    }
    if pairs:
        names = [f"'{line(new)}' and '{line(old)}'" for new, old in sorted(pairs)]
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        raise UnclearIdentity(
            "Nothing was graded, because one person may be there under two names, now and before: "
            f"{'; '.join(names[:_NAMES_SHOWN])}{more}. If they are one, give what is handed in now the "
            "earlier name, by renaming it or with --people FILE; if they are two, give it a third name. If "
            "PATH holds the whole class, use --only-these."
        )


def _told_apart(one: Person, other: Person) -> bool:
    """By numbers that the same system keeps for a person; Gradescope numbers submissions."""
    same = one.lms == other.lms != "gradescope"
    return same and bool(one.number and other.number)


def _names(student: str, person: Person) -> set[str]:
    """Name and login alone: without number, accents, punctuation and case."""
    texts = (person.name or student, _NUMBER.sub("", student), person.login)
    letters = (unicodedata.normalize("NFKD", text) for text in texts)
    folded = {"".join(filter(str.isalnum, text)).casefold() for text in letters}
    return folded - {""}
