"""What a class hands in, as one notebook per student: folders, notebooks, downloads of an LMS.

`files` reads folders and zips within bounds, `encodings` their names; `layouts` says whose file is whose, by
`systems`, `canvas`, `gradescope`, `by_name` or the instructor's own `mapping`; `choice` says which notebook
counts, `students` what the students are called, `people` who they are in the LMS.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from autograder.intake.choice import Assignment, choose
from autograder.intake.files import MAX_BYTES, Entry, IntakeError, opened, shown
from autograder.intake.handed import Handed
from autograder.intake.layouts import LAYOUTS, assigned
from autograder.intake.mapping import PeopleFile
from autograder.intake.people import Person
from autograder.intake.students import alike, student_id

__all__ = ["LAYOUTS", "MAX_BYTES", "IntakeError", "Person", "Submission", "Submissions", "collect"]


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

    notes: what an instructor should know about the download, a line each; people: who they are, by student.
    """

    def __init__(
        self, path: Path, assignment: str, layout: str, people: Path | None, known: Mapping[str, Person]
    ) -> None:
        """Raises IntakeError when there is nothing to grade, or when it is not certain whose it is."""
        self._path = path
        self._assignment = Assignment(assignment)
        self._layout = layout
        self._mapping = PeopleFile.read(people) if people else None
        self._known = {number: student for student, person in known.items() if (number := person.lasting)}
        with opened(path) as entries:
            students, self.notes = self._students(entries)
        self.people = {student: handed[0].person for student, handed in students.items()}

    def __len__(self) -> int:
        return len(self.people)

    def __iter__(self) -> Iterator[Submission]:
        with opened(self._path) as entries:
            for student, handed in self._students(entries)[0].items():
                yield Submission(student, **vars(choose(handed, self._assignment)))

    def _students(self, entries: list[Entry]) -> tuple[dict[str, list[Handed]], tuple[str, ...]]:
        assignment = self._assignment
        claims = assigned(
            entries, assignment.name, assignment.is_ours, layout=self._layout, mapping=self._mapping
        )
        people: dict[tuple[str, ...], list[Handed]] = {}
        for handed in claims.handed:
            people.setdefault(handed.owner.key, []).append(handed)
        if not people:
            raise IntakeError(
                f"{self._path} holds no sub-folder and no .ipynb file that names a student, and it is no "
                "download of a system that is known here, so there is nobody to grade." + _packed(entries)
            )
        students: dict[str, list[Handed]] = {}
        for handed in people.values():
            student = self._known.get(handed[0].person.lasting) or student_id(handed[0].owner)
            if student in students:
                raise IntakeError(
                    f"Two students would be called '{student}', by '{shown(handed[0].entry.parts[-1])}' and "
                    f"'{shown(students[student][0].entry.parts[-1])}'. Name them with --people FILE."
                )
            students[student] = handed
        return dict(sorted(students.items())), (*claims.notes, *self._doubts(entries, students))

    def _doubts(self, entries: list[Entry], students: Iterable[str]) -> Iterator[str]:
        for doubt in sorted({entry.doubt for entry in entries} - {""}):
            yield f"the names in {self._path.name} are in an encoding that had to be guessed, such as {doubt}"
        for group in alike(students):
            yield f"differ only in case, so perhaps one student: {', '.join(group)}"


def _packed(entries: list[Entry]) -> str:
    """What to do where the class is a zip in a zip."""
    names = [entry.parts[-1] for entry in entries if entry.parts[-1].lower().endswith(".zip")]
    return f" It holds '{shown(names[0])}': unpack that and give it." if names else ""


def collect(
    path: Path,
    assignment: str,
    *,
    layout: str = "",
    people: Path | None = None,
    known: Mapping[str, Person] = MappingProxyType({}),
) -> Submissions:
    """The submissions in `path`, sorted by student; everybody who handed in anything has one.

    path: a folder with one sub-folder or one .ipynb per student, in sections or not; a single notebook,
    whose student is the file's name; or a download of one of the systems in LAYOUTS, as a zip or
    unpacked. Nothing is unpacked to disk. What cannot be read is a Submission with a `problem`.
    layout: one of LAYOUTS, empty to find out; people: a CSV file with the columns path and student,
    which says whose each file is; known: the class so far, whose ids stay where the system's number is the
    same, whatever has become of the name. Raises IntakeError when there is nothing to grade, or when
    several people may be under one name or one under several.
    """
    return Submissions(path, assignment, layout, people, known)
