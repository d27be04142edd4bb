"""What a class hands in: a folder of students or a single notebook, read as bytes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

MAX_BYTES = 64 * 2**20


class IntakeError(ValueError):
    """The path given holds nothing that can be graded; the message says what is expected."""


@dataclasses.dataclass(frozen=True)
class Submission:
    """One student's hand-in: the notebook's bytes, or a reason why there is none."""

    student: str
    content: bytes = b""
    problem: str = ""
    faults: tuple[str, ...] = ()


def collect(path: Path, assignment: str) -> list[Submission]:
    """The submissions in `path`, sorted by student.

    path: a folder with one sub-folder or one .ipynb per student, or a single notebook,
    whose student is the file's name. Raises IntakeError when there is nothing to grade.
    """
    if path.is_file() and path.suffix == ".ipynb":
        return [_read(path.stem, path)]
    if not path.is_dir():
        raise IntakeError(
            f"{path} is neither a folder nor a notebook. Give a folder with one sub-folder or one .ipynb "
            "file per student, or a single notebook."
        )
    entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "__")))
    submissions = [
        _of_student(entry, assignment) for entry in entries if entry.is_dir() or entry.suffix == ".ipynb"
    ]
    if not submissions:
        raise IntakeError(f"{path} holds no sub-folder and no .ipynb file, so there is nobody to grade.")
    duplicates = {
        item.student
        for item in submissions
        if sum(item.student == other.student for other in submissions) > 1
    }
    if duplicates:
        raise IntakeError(
            f"{path} has both a folder and a file for: {', '.join(sorted(duplicates))}. Keep one of them."
        )
    return submissions


def _of_student(entry: Path, assignment: str) -> Submission:
    if entry.is_file():
        return _read(entry.stem, entry)
    notebooks = sorted(path for path in entry.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
    if not notebooks:
        return Submission(entry.name, problem="The folder holds no notebook (.ipynb).")
    exact = [path for path in notebooks if path.stem == assignment]
    alike = [path for path in notebooks if assignment in path.stem]
    chosen = (exact or alike or notebooks)[0]
    faults = []
    if chosen.stem != assignment:
        faults.append(f"file '{chosen.name}' was taken for '{assignment}.ipynb'")
    if len(notebooks) > 1:
        faults.append(f"{len(notebooks)} notebooks were handed in: '{chosen.name}' was graded")
    return _read(entry.name, chosen, tuple(faults))


def _read(student: str, path: Path, faults: tuple[str, ...] = ()) -> Submission:
    if path.is_symlink():
        return Submission(student, problem=f"'{path.name}' is a link, which is not followed.")
    if path.stat().st_size > MAX_BYTES:
        return Submission(student, problem=f"'{path.name}' is larger than {MAX_BYTES // 2**20} MiB.")
    try:
        return Submission(student, path.read_bytes(), faults=faults)
    except OSError as error:
        return Submission(student, problem=f"'{path.name}' cannot be read ({error.strerror}).")
