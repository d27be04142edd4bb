"""The roster of a course: who is enrolled, in which section."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from autograder.results.matching import Known, letters, name_spellings
from autograder.results.sheets import Sheet, SheetError

FILE = "roster.csv"
_TITLES = {
    "id": "id number studentid studentnumber matriculationnumber matrikelnummer sid sisuserid login username "
    "netid sisloginid loginid userid",
    "name": "name student fullname studentname",
    "last": "lastname surname familyname",
    "first": "firstname givenname forename",
    "section": "section sections group groups class tutorial",
    "email": "email emailaddress mail",
}
_EXAMPLE = "Its first line names the columns, of which these are read: id, name, section, email."


class InvalidRoster(ValueError):
    """The roster cannot be read; the message says what is wrong and how the file should look."""


@dataclasses.dataclass(frozen=True)
class Enrolled:
    """One person of the course; what the roster does not say is empty. ids: also logins."""

    ids: tuple[str, ...] = ()
    name: str = ""
    section: str = ""
    email: str = ""

    @property
    def id(self) -> str:
        return self.ids[0] if self.ids else ""

    @property
    def called(self) -> str:
        """How a person is listed: by name, else by what there is."""
        return self.name or self.id or self.email

    @property
    def known(self) -> Known:
        return Known.of(ids=[*self.ids, self.email], names=name_spellings(self.name))


@dataclasses.dataclass(frozen=True)
class Roster:
    """Everybody in DIR/roster.csv, in its order; nobody where there is no such file."""

    people: tuple[Enrolled, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, out: Path) -> Roster:
        """The roster in `out`, with comma, semicolon or tab. Raises InvalidRoster."""
        path = out / FILE
        if not path.exists():
            return cls()
        try:
            sheet = Sheet.read(path)
        except SheetError as error:
            raise InvalidRoster(str(error)) from None
        people = _people(sheet, path)
        used: dict[str, str] = {}
        for person in people:
            for key in person.known.ids:
                if key in used:
                    raise InvalidRoster(f"{path}: {used[key]} and {person.called} have the same {key!r}.")
                used[key] = person.called
        return cls(people, sheet.notes)

    @cached_property
    def known(self) -> Mapping[int, Known]:
        return {place: person.known for place, person in enumerate(self.people)}


def _people(sheet: Sheet, path: Path) -> tuple[Enrolled, ...]:
    titles = [letters(title) for title in sheet.header]
    places = {
        name: [place for place, title in enumerate(titles) if title in known.split()]
        for name, known in _TITLES.items()
    }
    if not (places["id"] or places["name"] or places["last"] or places["email"]):
        raise InvalidRoster(f"{path} has no column for an id, a name or an e-mail address. {_EXAMPLE}")

    def cells(row: int, name: str) -> list[str]:
        return [text for place in places[name] if (text := sheet.value(row, place).strip())]

    def person(row: int) -> Enrolled:
        split = " ".join([*cells(row, "first"), *cells(row, "last")])
        name = next(iter(cells(row, "name")), split)
        section, email = (next(iter(cells(row, field)), "") for field in ("section", "email"))
        return Enrolled(tuple(dict.fromkeys(cells(row, "id"))), name, section, email)

    found = (person(row) for row in range(1, len(sheet)))
    return tuple(person for person in found if person.called)
