"""Writes the sample class: what `students.py` tells, as notebooks made from the released one."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from pathlib import Path

import nbformat

from autograder.master import Master
from autograder.release import assignment_notebook, solved_submission
from autograder.samples.student import Student
from autograder.samples.students import CLASSES, WORDS

FOLDER = Path(__file__).parent
_REGION = re.compile(r"^ *### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION\n?", re.MULTILINE | re.DOTALL)


def write(name: str, folder: Path = FOLDER) -> Path | None:
    """Write FOLDER/NAME/STUDENT/... for every sample student of assignment `name`, and return FOLDER/NAME.

    None where no class has been invented for the assignment.
    """
    if name not in CLASSES:
        return None
    target, beside = folder / name, folder / f".{name}.new"
    shutil.rmtree(beside, ignore_errors=True)
    master = Master.read(name)
    released = nbformat.writes(assignment_notebook(master))
    for student in CLASSES[name]:
        path = beside / student.name / student.file_name.format(name=name)
        path.parent.mkdir(parents=True)
        path.write_bytes(submission(student, master, released))
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)
    return target


def right_answers(master: Master) -> list[bytes]:
    """The solution as handed in, and what those sample students hand in who have all points."""
    released = nbformat.writes(assignment_notebook(master))
    able = [item for item in CLASSES.get(master.name, ()) if item.bodies and not item.expected]
    others = [submission(student, master, released) for student in able if student.mishap is None]
    return [nbformat.writes(solved_submission(master)).encode(), *others]


def submission(student: Student, master: Master, released: str) -> bytes:
    """The file that `student` hands in; `released` is the student's notebook as text."""
    notebook = json.loads(released)
    sources = {cell.id: cell.source for cell in master.notebook.cells}
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    for question in master.questions:
        solved = sources[question.name]
        body = student.bodies.get(question.name, _REGION.search(solved)[1])
        if body is not None:
            cells[question.name]["source"] = _with_body(solved, body).splitlines(keepends=True)
    for question in master.written:
        if words := WORDS[master.name].get(student.name):
            cells[question.name]["source"] = words.splitlines(keepends=True)
    result = student.mishap(notebook) if student.mishap else notebook
    return result if isinstance(result, bytes) else json.dumps(result, indent=1).encode()


def _with_body(solved: str, body: str) -> str:
    """The answer cell with `body` in the place of the solution."""
    lines = textwrap.indent(textwrap.dedent(body).strip("\n") + "\n", "    ")
    return _REGION.sub(lambda _: lines, solved).rstrip("\n")
