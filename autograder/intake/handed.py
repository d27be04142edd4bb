"""What a class handed in, with its owners; words that all layouts share."""

from __future__ import annotations

import dataclasses
import re

from autograder.intake.files import Entry
from autograder.intake.people import Person, Upload


@dataclasses.dataclass(frozen=True)
class Owner:
    """A student as the download names them.

    key: one for each person, taken from nothing but what identifies them; name: not cleaned, the start of
    the student's id; lms, number: the system, and its number for them; tag: what tells namesakes apart, the
    end of the id; full_name: where it is another; maybe: other numbers that they may have.
    """

    key: tuple[str, ...]
    name: str
    lms: str = ""
    number: str = ""
    tag: str = ""
    email: str = ""
    login: str = ""
    full_name: str = ""
    maybe: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Handed:
    """An entry with its owner.

    attempt: label of what was handed in together; file: the name the student gave, if any;
    newness: sorts by time; series, version: files of one series are versions of each other;
    upload: the way back into the LMS for a file, if there is one; handed_in: when, if the download says so.
    """

    owner: Owner
    entry: Entry
    attempt: str
    file: str
    newness: str
    series: str = ""
    version: int = 0
    late: bool = False
    note: str = ""
    upload: Upload | None = None
    handed_in: str = ""

    @property
    def person(self) -> Person:
        """Who this is in the LMS."""
        owner = self.owner
        known = (owner.lms, owner.number, owner.full_name or owner.name, owner.email, owner.login)
        return Person(*known, self.handed_in, self.upload, owner.maybe)


@dataclasses.dataclass(frozen=True)
class Claims:
    """What a layout recognises, and what an instructor should know about it.

    ignored: entries that the system itself puts beside the hand-ins, and that are nobody's.
    """

    handed: list[Handed]
    ignored: list[Entry] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)


def is_notebook(name: str) -> bool:
    """By its name; browsers put .txt or .json behind .ipynb."""
    return name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))


def stem(name: str) -> str:
    """A file's name without its ending, and without .ipynb before that."""
    head, dot, ending = name.rpartition(".")
    bare = head if dot and len(ending) <= 5 else name
    return bare[: -len(".ipynb")] if bare.lower().endswith(".ipynb") else bare


def naming(assignment: str) -> re.Pattern[str]:
    """Finds the assignment's name, such as "Reinforce-CartPole" for reinforce_cartpole."""
    words = r"[\W_]*".join(map(re.escape, assignment.split("_")))
    return re.compile(rf"(?<![^\W\d_]){words}(?![^\W\d_])", re.IGNORECASE)
