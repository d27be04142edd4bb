"""What `grade` was told and later commands need to know, kept in the results folder.

OUT/settings.json has the address of the gradebook, which all classes in OUT share, without its password;
OUT/NAME/settings.json has the limits that the class was judged under.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from autograder import gradebook
from autograder.verdicts import Verdict, write_atomically

FILE = "settings.json"
DEFAULT_SECONDS = 20.0
DEFAULT_MEMORY_MIB = 4096
_SECRETS = ("password", "sslpassword")


class UnusableSettings(ValueError):
    """An option contradicts what the results were made with, or that cannot be read; the message says what
    to do."""


class ClassSettings(Verdict):
    """The limits of one class: seconds for a cell or a call, and memory for a worker."""

    seconds: float = DEFAULT_SECONDS
    memory_mib: int = DEFAULT_MEMORY_MIB

    @classmethod
    def read(cls, folder: Path) -> ClassSettings:
        """Those of the class in `folder` (OUT/NAME), or the defaults. Raises UnusableSettings."""
        return _read(folder / FILE, cls) or cls()

    def changed(self, seconds: float | None, memory_mib: int | None) -> ClassSettings:
        """With the limits that are given."""
        given = {"seconds": seconds, "memory_mib": memory_mib}
        return ClassSettings(**vars(self) | {key: value for key, value in given.items() if value is not None})

    def write(self, folder: Path) -> None:
        write_atomically(folder / FILE, self.model_dump_json(indent=1) + "\n")


class _OutSettings(Verdict):
    """db: the address of the gradebook, empty for the file in OUT."""

    db: str = ""


_Settings = TypeVar("_Settings", bound=Verdict)


def _read(path: Path, kind: type[_Settings]) -> _Settings | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        raise UnusableSettings(
            f"{path} cannot be read. Put it back from a backup, or remove it and give the options --db, "
            "--timeout and --memory again."
        ) from None


@dataclasses.dataclass(frozen=True)
class GradebookAddress:
    """Where the gradebook of the results in `out` is; url: to open it, with the password if it was given."""

    out: Path
    url: str

    @classmethod
    def of(cls, out: Path, given: str | None) -> GradebookAddress:
        """given: the option --db, None where it was left out: then the gradebook of the last run is meant.

        Raises UnusableSettings where another gradebook has the marks that people gave so far.
        """
        own = gradebook.default_url(out)
        kept = _read(out / FILE, _OutSettings)
        if kept is None and (out / gradebook.FILE).exists():
            kept = _OutSettings()
        used = None if kept is None else kept.db or own
        if given is None:
            return cls(out, used or own)
        if used is not None and _without_password(given) != _without_password(used):
            raise UnusableSettings(
                f"The results in {out} are in the gradebook {used}, with the marks that people gave. Leave "
                "out --db, or grade into another folder (--out) with the other gradebook."
            )
        return cls(out, given)

    def remember(self) -> None:
        """Keep the address for later commands."""
        url, own = _without_password(self.url), _without_password(gradebook.default_url(self.out))
        kept = _OutSettings(db="" if url == own else url)
        write_atomically(self.out / FILE, kept.model_dump_json(indent=1) + "\n")


def _without_password(url: str) -> str:
    try:
        address = make_url(url)
    except ArgumentError:
        raise UnusableSettings(
            "--db is not the address of a database; such an address reads, for example, "
            "postgresql://USER@HOST/DATABASE."
        ) from None
    if address.get_backend_name() == "sqlite" and address.database:
        address = address.set(database=str(Path(address.database).resolve()))
    address = address.difference_update_query(_SECRETS)
    open_to_all = (address.host, address.port, address.database, address.query)
    return URL.create(address.drivername, address.username, None, *open_to_all).render_as_string()
