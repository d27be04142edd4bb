"""The sample class as a table: who hands in what, and the points it must get.

`bodies` holds what the student wrote into an answer cell, below the docstring: None for a cell left
as it was given; questions not named have the master's solution. `expected` holds what each question
must bring: points where only some of the properties hold, or a status (failed, error, timeout,
missing) that brings none. Questions not named in it bring all their points.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from autograder.master import Master
from autograder.samples import mishaps


@dataclasses.dataclass(frozen=True)
class Student:
    """One invented student; see the module's text for `bodies` and `expected`.

    mishap: what happens to the finished notebook; status: of the submission;
    fault: a text that one line of the row's faults must hold;
    honest: whether plain `nbgrader autograde` gives the same points.
    """

    name: str
    did: str
    bodies: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    expected: Mapping[str, float | str] = dataclasses.field(default_factory=dict)
    mishap: Callable[[mishaps.Notebook], Any] | None = None
    file_name: str = "{name}.ipynb"
    status: str = "graded"
    fault: str = ""
    honest: bool = True

    def points(self, master: Master) -> dict[str, float]:
        """What each question must bring, by the question's name."""
        full = {question.name: question.points for question in master.questions}
        partial = {name: 0.0 if isinstance(value, str) else value for name, value in self.expected.items()}
        return full | partial

    def statuses(self, master: Master) -> dict[str, str]:
        """The status that each question must have in `grades.json`."""
        words = {
            name: value if isinstance(value, str) else "partial" for name, value in self.expected.items()
        }
        return {question.name: words.get(question.name, "passed") for question in master.questions}
