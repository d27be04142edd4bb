"""Notebooks for the engine's tests, made from the master `tests/masters/pair.py`."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from autograder.master import Master

PAIR = Master("pair", (Path(__file__).parent / "masters" / "pair.py").read_text())
STUB = 'raise NotImplementedError("This is waiting for your code.")'


def submission(**answers: str) -> dict[str, Any]:
    """A submitted notebook as a plain dict: the master's answers, but for those given."""
    notebook = copy.deepcopy(PAIR.notebook)
    visible = {f"test_{question.name}": question.visible_test for question in PAIR.questions}
    for cell in notebook.cells:
        cell.source = answers.get(cell["id"], visible.get(cell["id"], cell.source))
    return json.loads(json.dumps(notebook))


def as_bytes(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook).encode()


def cell(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    """The cell of this id."""
    return next(item for item in notebook["cells"] if item["id"] == name)


def code(source: str) -> dict[str, Any]:
    """A cell of the student's own."""
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
