"""Masters: the hand-written text notebooks that every other notebook is derived from."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from functools import cached_property
from pathlib import Path

import jupytext
from nbformat import NotebookNode

FOLDER = Path(__file__).parent / "masters"
TRAINING_TAG = "training"
_HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n.*?^### END HIDDEN TESTS\n?", re.DOTALL | re.MULTILINE)


class UnknownAssignment(ValueError):
    """There is no master of this name; the message lists those there are."""


@dataclasses.dataclass(frozen=True)
class Question:
    """One graded function: its name, what it is worth, and its test cell with the hidden tests."""

    name: str
    points: float
    test: str

    @property
    def visible_test(self) -> str:
        """The test cell as students see it."""
        return _HIDDEN.sub("", self.test)


@dataclasses.dataclass(frozen=True)
class Master:
    """A master notebook, parsed from its Jupytext percent source."""

    name: str
    source: str

    @classmethod
    def read(cls, name: str) -> Master:
        """The master called `name`; UnknownAssignment if there is none."""
        path = FOLDER / f"{name}.py"
        if name not in names():
            raise UnknownAssignment(f"There is no assignment {name!r}. There are: {', '.join(names())}.")
        return cls(name, path.read_text(encoding="utf-8"))

    @cached_property
    def notebook(self) -> NotebookNode:
        """The notebook with solutions and hidden tests. Treat it as read-only: copy before changing."""
        notebook = jupytext.reads(self.source, fmt="py:percent")
        for index, cell in enumerate(notebook.cells):
            cell["id"] = grade_id(cell) or f"{self.name.replace('_', '-')}-{index:03d}"
        return notebook

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The graded functions in notebook order."""
        return tuple(
            Question(grade_id(cell).removeprefix("test_"), cell.metadata.nbgrader.points, cell.source)
            for cell in self.notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade")
        )

    @property
    def max_score(self) -> float:
        return sum(question.points for question in self.questions)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the master's source; derived notebooks carry it."""
        return hashlib.sha256(self.source.encode()).hexdigest()


def names() -> list[str]:
    """The names of all assignments, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.py"))


def grade_id(cell: NotebookNode) -> str:
    """nbgrader's name of a cell, or the empty string."""
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def is_training(cell: NotebookNode) -> bool:
    """Whether the cell belongs to the training section, which no grader runs."""
    return TRAINING_TAG in cell.metadata.get("tags", [])
