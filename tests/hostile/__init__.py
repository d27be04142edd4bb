"""Hostile and broken submissions, each with the verdict it must get; `tests/test_hostile.py` tries them all.

One module for each kind, each with a list ENTRIES. All are made from `tests/masters/pair.py`, whose first
question, `running_sum`, is worth 3 points for values that nobody can guess, and whose second, `double`, 2.
"""

from __future__ import annotations

import dataclasses
import textwrap

from tests.notebooks import as_bytes, code, submission

SUM, DOUBLE = "running_sum", "double"
SOLVED = {SUM: ("passed", 3), DOUBLE: ("passed", 2)}
UNREADABLE = {SUM: ("missing", 0), DOUBLE: ("missing", 0)}
RIGHT = "def running_sum(values, start=0.0):\n    return start + np.cumsum(values)\n"
WRONG = "def running_sum(values, start=0.0):\n    return [0.0 for _ in values]\n"
MARK = "/tmp/hostile-submission-was-here"  # no submission may make this file appear on the grader's side


@dataclasses.dataclass(frozen=True)
class Hostile:
    """A submission: what it tries, and what must come of it.

    verdict: (status, points) of each question, with | between statuses that timing decides, and then the
    most points; says, hides: what must and must not be in the feedback; anywhere: it must fail without
    isolation, too; seconds: the time limit of a cell or call.
    """

    name: str
    tries: str
    notebook: bytes
    verdict: dict[str, tuple[str, float]]
    status: str = "graded"
    says: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    anywhere: bool = False
    seconds: float = 8.0


def cheat(name, tries, source, status="failed", points=0, double=("passed", 2), **options) -> Hostile:
    """An answer to `running_sum`; `double` is solved, and must get its points all the same."""
    notebook = as_bytes(submission(running_sum=textwrap.dedent(source).lstrip("\n")))
    return Hostile(name, tries, notebook, {SUM: (status, points), DOUBLE: double}, **options)


def returning(name, tries, expression, status="failed", points=0, **options) -> Hostile:
    """An answer to `running_sum` that returns `expression`."""
    source = f"def running_sum(values, start=0.0):\n    return {expression}"
    return cheat(name, tries, source, status, points, anywhere=True, **options)


def own_cells(name, tries, *sources, verdict=SOLVED, answers=None, **options) -> Hostile:
    """Cells of the student's own before the first answer; `answers` as in `submission`."""
    notebook = submission(**(answers or {}))
    notebook["cells"][1:1] = [code(textwrap.dedent(source).lstrip("\n")) for source in sources]
    return Hostile(name, tries, as_bytes(notebook), verdict, **options)


def tells(name, tries, expression, says=(), hides=(), before="", **options) -> Hostile:
    """A `running_sum` that shows, in the exception of a visible check, what a student's code gets to see."""
    lines = [textwrap.dedent(before).strip(), "def running_sum(values, start=0.0):"]
    lines.append(f"    raise ValueError(repr({expression}))")
    return cheat(name, tries, "\n".join(lines), "error", says=says, hides=hides, **options)
