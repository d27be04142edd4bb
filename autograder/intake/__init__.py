"""What a class hands in, as one notebook per student: folders, notebooks, downloads of an LMS.

`files` reads folders and zips within bounds, `layouts` says whose file is whose, `choice` which
notebook counts, `students` what the students are called.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from autograder.intake.choice import Assignment, choose
from autograder.intake.files import MAX_BYTES, IntakeError, opened
from autograder.intake.layouts import Handed, assigned
from autograder.intake.students import student_ids

__all__ = ["MAX_BYTES", "IntakeError", "Submission", "collect"]

_MAX_CLASS = 4 * 2**30


@dataclasses.dataclass(frozen=True)
class Submission:
    """One student's hand-in: the notebook's bytes, or a reason why there is none.

    student: unique in the class and safe as a file name; faults: lines for the student;
    lms_id: Canvas' user id, Moodle's participant id or Gradescope's submission id, if any.
    """

    student: str
    content: bytes = b""
    problem: str = ""
    faults: tuple[str, ...] = ()
    lms_id: str = ""


def collect(path: Path, assignment: str) -> list[Submission]:
    """The submissions in `path`, sorted by student; everybody who handed in anything has one.

    path: a folder with one sub-folder or one .ipynb per student, a single notebook, whose
    student is the file's name, or a bulk download of Canvas, Moodle or Gradescope, as a zip
    or unpacked. Nothing is unpacked to disk. What cannot be read is a Submission with a
    `problem`. Raises IntakeError when there is nothing to grade.
    """
    with opened(path) as entries:
        people: dict[tuple[str, ...], list[Handed]] = {}
        for handed in assigned(entries, assignment, zipped=path.is_file()):
            people.setdefault(handed.owner.key, []).append(handed)
        if not people:
            raise IntakeError(
                f"{path} holds no sub-folder and no .ipynb file, and it is no download of Canvas, Moodle or "
                "Gradescope, so there is nobody to grade."
            )
        ids = student_ids(handed[0].owner for handed in people.values())
        students = {ids[key]: people[key] for key in sorted(people, key=ids.get)}
        return _submissions(students, Assignment(assignment))


def _submissions(students: dict[str, list[Handed]], assignment: Assignment) -> list[Submission]:
    submissions, used = [], 0
    for student, handed in students.items():
        chosen = choose(handed, assignment)
        used += len(chosen.content)
        if used > _MAX_CLASS:
            used -= len(chosen.content)
            reason = "The class is too large for one run: grade it in two parts."
            chosen = dataclasses.replace(chosen, content=b"", problem=reason)
        submissions.append(Submission(student, **vars(chosen)))
    return submissions
