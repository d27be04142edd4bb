"""The submissions that count, kept in the folder of the class, so that they can be judged again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter

from autograder.intake import Submission
from autograder.intake.people import FILE_NAME, Person, read_people, write_people
from autograder.verdicts import Verdict, write_atomically

_INDEX = "index.json"


class DamagedStore(ValueError):
    """What was kept cannot be read; the message says what to do."""


class _Entry(Verdict):
    """One student; notebook: the file that counts, empty where there is none that can be read."""

    notebook: str = ""
    problem: str = ""
    faults: tuple[str, ...] = ()
    late: bool = False


_ENTRIES = TypeAdapter(dict[str, _Entry])


class SubmissionStore:
    """What counts of everybody who has ever handed in: OUT/NAME/submissions/, and people.json beside it.

    A notebook is a file that is called by its digest, and index.json says whose it is. Notebooks are
    written at once, the index and the people by `save`: until then they are those of the last run.
    """

    def __init__(self, folder: Path) -> None:
        """folder: OUT/NAME. Raises DamagedStore."""
        self._folder = folder / "submissions"
        self._people_file = folder / FILE_NAME
        try:
            self._entries = self._read()
            self._people = read_people(self._people_file)
        except ValueError:
            raise DamagedStore(
                f"{self._folder / _INDEX} or {self._people_file} cannot be read. Put them back from a "
                "backup; or remove both, and grade the submissions of the whole class again."
            ) from None

    def _read(self) -> dict[str, _Entry]:
        try:
            return _ENTRIES.validate_json((self._folder / _INDEX).read_bytes())
        except FileNotFoundError:
            return {}

    def __contains__(self, student: str) -> bool:
        return student in self._entries

    def __iter__(self) -> Iterator[str]:
        """The students in alphabetical order."""
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def person(self, student: str) -> Person:
        """Who the student is in the LMS."""
        return self._people.get(student, Person())

    def has_notebook(self, student: str) -> bool:
        """Whether there is something to judge."""
        return student in self and bool(self._entries[student].notebook)

    def load(self, student: str) -> Submission:
        """The submission of a student that counts. Raises KeyError if there is none, and DamagedStore."""
        entry = self._entries[student]
        try:
            content = (self._folder / entry.notebook).read_bytes() if entry.notebook else b""
        except OSError as error:
            raise DamagedStore(
                f"{self._folder / entry.notebook} cannot be read ({error.strerror}). Put it back from a "
                f"backup, or grade what {student!r} handed in again."
            ) from None
        return Submission(
            student, content, entry.problem, entry.faults, entry.late, person=self.person(student)
        )

    def differs(self, item: Submission) -> bool:
        """Whether a submission is another than the one that is kept of its student."""
        return self._entries[item.student].notebook != _file_name(item.content)

    def put(self, item: Submission) -> None:
        """Keep a submission, which replaces an earlier one."""
        name = _file_name(item.content)
        if name and not (self._folder / name).exists():
            write_atomically(self._folder / name, item.content)
        self._entries[item.student] = _Entry(
            notebook=name, problem=item.problem, faults=item.faults, late=item.late
        )
        self._people[item.student] = item.person

    def keep_only(self, students: set[str]) -> None:
        """Forget everybody else."""
        for student in set(self._entries) - students:
            del self._entries[student]

    def save(self) -> None:
        """Write the index and the people, and remove the notebooks that no longer count."""
        entries = {student: self._entries[student] for student in self}
        write_atomically(self._folder / _INDEX, _ENTRIES.dump_json(entries, indent=1).decode() + "\n")
        write_people(self._people_file, {student: self.person(student) for student in self})
        counting = {entry.notebook for entry in entries.values()}
        for path in self._folder.glob("*.ipynb"):
            if path.name not in counting:
                path.unlink()


def _file_name(content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.ipynb" if content else ""
