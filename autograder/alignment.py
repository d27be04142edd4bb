"""From a submitted notebook to what the grader does with it: cells to run, questions to judge.

Only the student's answers and own cells are taken from the student. Setup cells, test
cells and points come from the master; training cells are not run. Every repair is a fault,
one line of text for the student.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections import Counter
from typing import Any

from autograder.master import Master, Question, grade_id, is_training

_MAX_BYTES = 64 * 2**20
_LIKENESS = 0.8


class Unreadable(ValueError):
    """The submission is not a notebook of this assignment; the message says why."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A cell to run in the student's worker; `answers` are the graded functions it defines."""

    source: str
    answers: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Judge:
    """The place in the notebook where a question is judged."""

    question: Question


@dataclasses.dataclass(frozen=True)
class Aligned:
    steps: tuple[Run | Judge, ...]
    faults: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Cell:
    source: str
    role: str  # a grade id of the master, "training", or "" for a cell of the student's own


def align(content: bytes, master: Master) -> Aligned:
    """Match a submitted notebook with its master. Raises Unreadable."""
    submitted = _code_cells(content)
    cells = _assign_roles(submitted, master)
    if not any(cell.role for cell in cells):
        raise Unreadable(f"No cell of the assignment {master.name} is in this notebook.")
    return Aligned(_steps(cells, master), tuple(_faults(cells, master)))


def _code_cells(content: bytes) -> list[dict[str, Any]]:
    if not content.strip():
        raise Unreadable("The file is empty.")
    if len(content) > _MAX_BYTES:
        raise Unreadable(
            f"The file has {len(content) / 2**20:.0f} MiB; at most {_MAX_BYTES // 2**20} are read."
        )
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The file is not a notebook: it is not valid JSON ({error}).") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise Unreadable("The file is not a notebook of format 4: it has no list of cells.")
    cells = [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    return [{**cell, "source": _source(cell)} for cell in cells if _source(cell).strip()]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return ""
    return source.encode(errors="replace").decode()  # half a surrogate pair is no text


class _Matcher:
    """Finds a submitted cell's counterpart in the master: by grade id, by cell id, by likeness."""

    def __init__(self, master: Master) -> None:
        code = [cell for cell in master.notebook.cells if cell.cell_type == "code"]
        self._questions = {question.name for question in master.questions}
        self._by_id = {cell["id"]: _role(cell) for cell in code}
        self._tests = {f"test_{question.name}": question.visible_test for question in master.questions}
        self._given = {
            cell.source: _role(cell) for cell in code if _role(cell) not in self._questions | set(self._tests)
        }
        self._roles = set(self._by_id.values())

    def role(self, cell: dict[str, Any]) -> str:
        metadata = cell.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        nbgrader = metadata.get("nbgrader")
        named = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
        for role in (named, self._by_id.get(_text(cell.get("id")))):
            if isinstance(role, str) and role in self._roles:
                return role
        return self._by_likeness(cell["source"])

    def _by_likeness(self, source: str) -> str:
        tested = re.search(r"Checks\(\s*[\"'](\w+)[\"']", source)
        if tested and f"test_{tested[1]}" in self._tests:
            return f"test_{tested[1]}"
        defined = [
            name
            for name in re.findall(r"^(?:def|class)\s+(\w+)", source, re.MULTILINE)
            if name in self._questions
        ]
        if defined:
            return defined[0]
        for given, role in self._given.items():
            if role and _alike(source, given):
                return role
        return ""


def _role(cell: Any) -> str:
    return "training" if is_training(cell) else grade_id(cell)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _alike(one: str, other: str) -> bool:
    if one.strip() == other.strip():
        return True
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return (
        matcher.real_quick_ratio() > _LIKENESS
        and matcher.quick_ratio() > _LIKENESS
        and matcher.ratio() > _LIKENESS
    )


def _assign_roles(submitted: list[dict[str, Any]], master: Master) -> list[_Cell]:
    matcher = _Matcher(master)
    return [_Cell(cell["source"], matcher.role(cell)) for cell in submitted]


def _steps(cells: list[_Cell], master: Master) -> tuple[Run | Judge, ...]:
    questions = {question.name: question for question in master.questions}
    places = _judging_places(cells, questions)
    given = _given_sources(master)
    missing = [Run(source) for role, source in given.items() if role not in {cell.role for cell in cells}]
    steps: list[Run | Judge] = list(missing)
    for index, cell in enumerate(cells):
        if cell.role in questions:
            steps.append(Run(cell.source, (cell.role,)))
        elif cell.role in given:
            steps.append(Run(given[cell.role]))
        elif not cell.role:
            steps.append(Run(cell.source))
        steps += [Judge(questions[name]) for name, place in places.items() if place == index]
    steps += [Judge(questions[name]) for name, place in places.items() if place is None]
    return tuple(steps)


def _judging_places(cells: list[_Cell], questions: dict[str, Question]) -> dict[str, int | None]:
    """For each question the cell after which it is judged: the last that answers or tests it."""
    places: dict[str, int | None] = dict.fromkeys(questions)
    for index, cell in enumerate(cells):
        name = cell.role.removeprefix("test_")
        if name in questions:
            places[name] = index
    return places


def _given_sources(master: Master) -> dict[str, str]:
    """The locked cells that are no tests (setup, imports), by grade id."""
    return {
        grade_id(cell): cell.source
        for cell in master.notebook.cells
        if cell.cell_type == "code"
        and grade_id(cell)
        and cell.metadata.nbgrader.locked
        and not cell.metadata.nbgrader.grade
    }


def _faults(cells: list[_Cell], master: Master) -> list[str]:
    expected = {f"test_{question.name}": question.visible_test for question in master.questions}
    expected |= _given_sources(master)
    counts = Counter(cell.role for cell in cells)
    faults = []
    for role, source in expected.items():
        found = [cell.source for cell in cells if cell.role == role]
        if not found:
            faults.append(f"cell '{role}' was deleted: restored")
        elif any(item.strip() != source.strip() for item in found):
            faults.append(f"cell '{role}' was edited: restored")
        if len(found) > 1:
            faults.append(f"cell '{role}' occurs {len(found)} times: used once")
    for question in master.questions:
        if counts[question.name] == 0:
            faults.append(f"cell '{question.name}' is missing: the question counts as not answered")
        elif (count := counts[question.name]) > 1:
            faults.append(f"cell '{question.name}' occurs {count} times: all run, the last definition counts")
    return faults
