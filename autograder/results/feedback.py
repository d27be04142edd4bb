"""Feedback for students: one HTML page and one Markdown file each, and zips of them for the LMS."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import os
import re
import unicodedata
import zipfile
from pathlib import Path

from autograder import pages
from autograder.results.graded import Results, Student
from autograder.verdicts import write_atomically

_SITUATIONS = {
    "graded": "",
    "unreadable": "Your notebook could not be read, so there are no points to show. The reason is below. "
    "Download the notebook again, see that it opens, and ask your instructor how to hand it in.",
    "crashed": "The grader could not finish with your notebook. Your instructor has to look at it; "
    "there is nothing you need to do.",
}
_UNSAFE = re.compile(r"[^\w-]+")
_NOT_IN_ZIPS = re.compile(r"[\x00-\x1f/\\:*?\"<>|]+")
_THE_SAME_DAY = (1980, 1, 1, 0, 0, 0)  # equal pages make equal zips
_UPLOADS = {
    "canvas": "In Canvas, open Grades and the menu of the assignment's column, and choose Re-Upload "
    "Submissions; it is there after Download Submissions.",
    "moodle": "In Moodle, open the assignment's submissions, and choose Upload multiple feedback files in a "
    "zip; the assignment needs the feedback type Feedback files.",
}


@dataclasses.dataclass(frozen=True)
class Zipped:
    """A zip of pages; advice: where to upload it; students: whose pages are in it; missing: whose are not."""

    path: Path
    students: tuple[str, ...]
    missing: tuple[str, ...] = ()
    advice: str = ""

    def remarks(self) -> list[str]:
        """What an instructor has to know, a line each."""
        names = ", ".join(map(pages.line, self.missing))
        return [
            *filter(
                None, [self.advice, names and f"not in it, for want of an upload of theirs there: {names}"]
            )
        ]


def write_feedback(results: Results) -> list[Path]:
    """Write DIR/NAME/feedback/STUDENT.html and STUDENT.md for everybody, and return the paths."""
    folder = results.folder / "feedback"
    names = file_names([row.student for row in results.grades.submissions])
    paths = []
    for student in results.students():
        for suffix in ("html", "md"):
            paths.append(folder / f"{names[student.name]}.{suffix}")
            write_atomically(paths[-1], _page(f"feedback.{suffix}", results, student))
    return paths


def write_zips(results: Results) -> list[Zipped]:
    """Zip the pages that `write_feedback` wrote: all of them, and as Canvas or Moodle wants them uploaded.

    DIR/NAME/feedback.zip holds everybody's pages; feedback_canvas.zip and feedback_moodle.zip are written
    for classes that were downloaded there, with names from which the LMS knows the student.
    """
    names = file_names([row.student for row in results.grades.submissions])
    folder = results.folder / "feedback"
    every = {
        f"{name}.{suffix}": folder / f"{name}.{suffix}"
        for name in names.values()
        for suffix in ("html", "md")
    }
    zips = [Zipped(results.folder / "feedback.zip", tuple(names))]
    _write_zip(zips[0].path, every)
    for lms, advice in _UPLOADS.items():
        path = results.folder / f"feedback_{lms}.zip"
        uploads = _upload_names(results, lms)
        if not uploads:
            path.unlink(missing_ok=True)
            continue
        _write_zip(path, {uploads[student]: folder / f"{names[student]}.html" for student in uploads})
        missing = tuple(student for student in names if student not in uploads)
        zips.append(Zipped(path, tuple(uploads), missing, advice))
    return zips


def _upload_names(results: Results, lms: str) -> dict[str, str]:
    """What each student's page is called for this LMS; without those whom it could not tell apart."""
    found = {
        student: f"{_NOT_IN_ZIPS.sub('_', person.upload.prefix)}{results.assignment}_feedback.html"
        for student, person in results.people.items()
        if person.upload and person.upload.lms == lms
    }
    counts = collections.Counter(found.values())
    return {student: name for student, name in found.items() if counts[name] == 1}


def _write_zip(path: Path, files: dict[str, Path]) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.touch(mode=0o600)
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _THE_SAME_DAY)
            member.external_attr = 0o644 << 16
            archive.writestr(member, files[name].read_bytes(), zipfile.ZIP_DEFLATED)
    os.replace(beside, path)


def _page(template: str, results: Results, student: Student) -> str:
    return pages.render(
        template,
        assignment=results.assignment,
        max_score=results.max_score,
        student=student,
        situation=_SITUATIONS[student.status],
        faults_title="About your notebook" if student.status == "graded" else "What happened",
    )


def file_names(students: list[str]) -> dict[str, str]:
    """A file name for each student: letters, digits, - and _ only, each its own on every file system."""
    shown = {student: _file_name(student) for student in students}
    counts = collections.Counter(name.casefold() for name in shown.values())
    return {
        student: name if counts[name.casefold()] == 1 else f"{name}-{_digest(student)}"
        for student, name in shown.items()
    }


def _file_name(student: str) -> str:
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", student)).strip("_")
    return name[:50] or "student"


def _digest(student: str) -> str:
    return hashlib.sha256(student.encode(errors="surrogatepass")).hexdigest()[:8]
