"""What a class hands in, as one notebook per student: folders, notebooks, downloads of an LMS.

`files` reads folders and zips within bounds, `layouts` says whose file is whose, `choice` which
notebook counts, `students` what the students are called, `people` who they are in the LMS.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from autograder.intake.choice import Assignment, choose
from autograder.intake.files import MAX_BYTES, Entry, IntakeError, opened
from autograder.intake.layouts import Handed, assigned
from autograder.intake.people import Person
from autograder.intake.students import student_ids

__all__ = ["MAX_BYTES", "IntakeError", "Person", "Submission", "Submissions", "collect"]


@dataclasses.dataclass(frozen=True)
class Submission:
    """One student's hand-in: the notebook's bytes, or a reason why there is none.

    student: unique in the class and safe as a file name; faults: lines for the student;
    late: the download says that it was handed in after the time; person: who the student is there.
    """

    student: str
    content: bytes = b""
    problem: str = ""
    faults: tuple[str, ...] = ()
    late: bool = False
    person: Person = Person()


class Submissions:
    """The submissions of a class in the order of the students.

    Each is read when its turn comes and not kept, so that a class of any size takes no more
    memory than one student; what is read is what the files hold at that moment.
    """

    def __init__(self, path: Path, assignment: str) -> None:
        """Raises IntakeError when there is nothing to grade."""
        self._path = path
        self._assignment = Assignment(assignment)
        with opened(path) as entries:
            self._size = len(self._students(entries))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Submission]:
        with opened(self._path) as entries:
            for student, handed in self._students(entries).items():
                yield Submission(student, **vars(choose(handed, self._assignment)))

    def _students(self, entries: list[Entry]) -> dict[str, list[Handed]]:
        people: dict[tuple[str, ...], list[Handed]] = {}
        for handed in assigned(entries, self._assignment.name, zipped=self._path.is_file()):
            people.setdefault(handed.owner.key, []).append(handed)
        if not people:
            raise IntakeError(
                f"{self._path} holds no sub-folder and no .ipynb file, and it is no download of Canvas, "
                "Moodle or Gradescope, so there is nobody to grade."
            )
        ids = student_ids(handed[0].owner for handed in people.values())
        return {ids[key]: people[key] for key in sorted(people, key=ids.get)}


def collect(path: Path, assignment: str) -> Submissions:
    """The submissions in `path`, sorted by student; everybody who handed in anything has one.

    path: a folder with one sub-folder or one .ipynb per student, a single notebook, whose
    student is the file's name, or a bulk download of Canvas, Moodle or Gradescope, as a zip
    or unpacked. Nothing is unpacked to disk. What cannot be read is a Submission with a
    `problem`. Raises IntakeError when there is nothing to grade.
    """
    return Submissions(path, assignment)
