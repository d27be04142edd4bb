"""Who handed in, as the download names them: the way back from a student's id to a person in the LMS."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from autograder.verdicts import write_atomically

FILE_NAME = "people.json"


@dataclasses.dataclass(frozen=True)
class Upload:
    """How the LMS (canvas or moodle) tells whose a feedback file is: by how its name begins."""

    lms: str
    prefix: str


@dataclasses.dataclass(frozen=True)
class Person:
    """One person, with what the download says about them; unknown fields are empty.

    lms: the system, such as moodle, canvas or gradescope; number: the identity that it gives, which is
    Moodle's participant number of this assignment, Canvas' user id, or Gradescope's submission id;
    name: as the download writes it; handed_in: "2024-05-01 11:59:00", when the download says so;
    upload: the way back into the LMS for a file; maybe: other numbers that this person may have where
    the download does not settle it.
    """

    lms: str = ""
    number: str = ""
    name: str = ""
    email: str = ""
    login: str = ""
    handed_in: str = ""
    upload: Upload | None = None
    maybe: tuple[str, ...] = ()

    @property
    def lasting(self) -> tuple[str, str] | None:
        """System and number, where that is the person's; Gradescope's is that of one submission."""
        return (self.lms, self.number) if self.number and self.lms != "gradescope" else None


_PEOPLE = TypeAdapter(dict[str, Person])


def write_people(path: Path, people: Mapping[str, Person]) -> None:
    """Write the people of a class, by student id."""
    in_order = {student: people[student] for student in sorted(people)}
    write_atomically(path, _PEOPLE.dump_json(in_order, indent=1).decode() + "\n")


def read_people(path: Path) -> dict[str, Person]:
    """The people of a class, by student id; nobody where the file does not exist.

    Raises ValueError where it is damaged.
    """
    try:
        return _PEOPLE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError:
        raise ValueError(f"{path} is damaged. Run `autograder grade` again, which writes it.") from None
