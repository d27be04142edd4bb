"""Verdicts: what is known about one submission, and the `grades.json` of a class."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import sys
import tempfile
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

import policy_gradients
from autograder.class_folder import private_folder

QuestionStatus = Literal["passed", "partial", "failed", "error", "timeout", "missing"]
SubmissionStatus = Literal["graded", "unreadable", "crashed"]


_AUTOGRADER = Path(__file__).parent
_NOT_JUDGING = ("intake", "results", "samples")  # who handed in, what is shown, and invented classes
_EXTRAS_NOT_JUDGING = ("all", "benchmarks", "book", "notebook", "postgresql", "test")


class Verdict(BaseModel):
    """Base of all verdicts: immutable, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class QuestionVerdict(Verdict):
    """Points and message for one graded function; the message is safe to show to the student.

    needs_review: the student's intent is not clear, so a person has to look at it.
    """

    name: str
    points: float
    max_points: float
    status: QuestionStatus
    message: str = ""
    needs_review: bool = False


class WrittenAnswer(Verdict):
    """An answer in words, which a person grades; digest: of the text, empty where nothing was written."""

    name: str
    max_points: float
    digest: str


class SubmissionVerdict(Verdict):
    """One row of the class.

    score: the automatic points; faults: all that is to be said about what was handed in, among it the
    notices, which tell of no damage; late: it was handed in after the time; written: what a person grades;
    manual: the points that count where a person gave some, by question; total: the points that count,
    before anything is taken off for being late, None where nothing is known. The last two are those of
    the gradebook when grades.json was written.
    """

    student: str
    score: float
    status: SubmissionStatus
    questions: tuple[QuestionVerdict, ...]
    faults: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    late: bool = False
    written: tuple[WrittenAnswer, ...] = ()
    manual: dict[str, float] = {}
    total: float | None = None

    @property
    def repairs(self) -> tuple[str, ...]:
        """What was damaged."""
        return tuple(fault for fault in self.faults if fault not in self.notices)


class Judged(Verdict):
    """A verdict with what feedback and the report show beside it.

    By question: the student's code or words, what it printed, and how many seconds it took to judge.
    cells: the student's cells that were run, in order, each as the question it answers or "", and its code;
    trouble: why the grader itself failed, which is for its log and for no student.
    """

    verdict: SubmissionVerdict
    answers: dict[str, str] = {}
    outputs: dict[str, str] = {}
    seconds: dict[str, float] = {}
    cells: tuple[tuple[str, str], ...] = ()
    trouble: str = ""


class Grades(Verdict):
    """The content of `grades.json`; students in alphabetical order, nothing depends on timing."""

    assignment: str
    max_score: float
    sandbox: Literal["bwrap", "landlock", "container", "none"]
    submissions: tuple[SubmissionVerdict, ...]


@cache
def engine_version() -> str:
    """Hex digest of the code that verdicts depend on; another engine never reuses a verdict.

    That is the autograder, but for what no verdict depends on, all of policy_gradients, since a notebook may
    import any of it, Python, and the packages that these and the assignments need.
    """
    digest = hashlib.sha256(sys.version.encode())
    for root in (_AUTOGRADER, Path(policy_gradients.__file__).parent):
        for path in _code(root):
            content = path.read_bytes()
            digest.update(f"\0{root.name}/{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    for package in _packages():
        with contextlib.suppress(metadata.PackageNotFoundError):
            digest.update(f"\0{package} {metadata.version(package)}".encode())
    return digest.hexdigest()


def _code(root: Path) -> list[Path]:
    """The modules of a package and of its packages, but for those that do not judge."""
    packages = [file.parent for file in root.glob("*/__init__.py") if file.parent.name not in _NOT_JUDGING]
    return sorted([*root.glob("*.py"), *(path for package in packages for path in package.rglob("*.py"))])


def _packages() -> list[str]:
    """Names of the packages that may have a say in a verdict, as the project's metadata lists them."""
    needed = set()
    for requirement in metadata.requires("policy-gradients") or ():
        extra = re.search(r"extra == .(\w+)", requirement)
        if extra is None or extra[1] not in _EXTRAS_NOT_JUDGING:
            needed.add(re.match(r"[\w.-]+", requirement)[0].lower())
    return sorted(needed)


class VerdictStore:
    """Finished verdicts in a folder, one file each, so that a second run grades only what changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def load(self, key: str) -> Judged | None:
        """The verdict stored under `key`, or None if there is none that can be read."""
        try:
            return Judged.model_validate_json(self._path(key).read_bytes())
        except (OSError, ValueError):
            return None

    def save(self, key: str, judged: Judged) -> None:
        write_atomically(self._path(key), judged.model_dump_json(indent=1))


def verdict_key(student: str, content: bytes, *parts: str) -> str:
    """The digest a verdict is stored under: submission, master, seed, engine, limits."""
    digest = hashlib.sha256(content)
    for part in (student, *parts):
        digest.update(b"\0" + part.encode())
    return digest.hexdigest()


def secret_seed(path: Path, known: int | None = None, *, anew: bool = False) -> int:
    """The seed of the hidden tests' inputs, made once and kept in `path` for its owner only.

    known: the seed to keep there if there is none, instead of drawing one; anew: draw another.
    """
    if anew or not path.exists():
        write_atomically(path, str(secrets.randbits(64) if known is None else known))
    return int(path.read_text())


def write_grades(path: Path, grades: Grades) -> None:
    """Write `grades.json` in the order and form scripts rely on."""
    write_atomically(path, json.dumps(grades.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write beside and rename, so that nobody ever reads half a file; for its owner only (mode 0600)."""
    private_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
