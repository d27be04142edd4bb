"""Feedback for students: one HTML page and one Markdown file each, from the verdicts."""

from __future__ import annotations

import collections
import hashlib
import re
import unicodedata
from pathlib import Path

from autograder import pages
from autograder.results import Results, Student
from autograder.verdicts import write_atomically

_SITUATIONS = {
    "graded": "",
    "unreadable": "Your notebook could not be read, so there are no points to show. The reason is below. "
    "Download the notebook again, see that it opens, and ask your instructor how to hand it in.",
    "crashed": "The grader could not finish with your notebook. Your instructor has to look at it; "
    "there is nothing you need to do.",
}
_UNSAFE = re.compile(r"[^\w-]+")


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
