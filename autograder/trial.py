"""The trial of a master before its release: its solution and its blank notebook, judged by the engine.

The solution must get all points, under two seeds of the random inputs, and the blank notebook none. So a
mistake in a hidden test shows before students see the assignment, and not when their notebooks are graded.
"""

from __future__ import annotations

import builtins
import hashlib
import symtable
from collections.abc import Callable, Iterator

import nbformat
import platformdirs

from autograder import sandbox
from autograder.judging import PROVIDED, Tried, WrongTest, try_out
from autograder.master import InvalidMaster, Master, Question
from autograder.release import assignment_notebook, solved_submission
from autograder.student import Limits
from autograder.verdicts import engine_version, write_atomically

PASSED = platformdirs.user_cache_path("policy-gradients") / "trials"
_SEEDS = (0, 1)  # 0 is that of students' notebooks
_SECONDS, _MEMORY_MIB = 20.0, 4096  # as `autograder grade` has them


def judge(master: Master, say: Callable[[str], None] = lambda _: None) -> None:
    """Raise InvalidMaster, with cell and reason, unless the solution gets all points and the blank none.

    A master that passed is not judged again by the same engine. say: gets what its author should know.
    """
    passed = PASSED / hashlib.sha256(f"{master.filled.sha256} {engine_version()}".encode()).hexdigest()
    if passed.exists():
        return
    try:
        kind = sandbox.resolve("auto")
    except sandbox.NoSandbox:
        kind = "none"
        say(f"No means of isolation works here, so the solution of {master.name!r} is judged without one.")
    problems = list(_problems(master, Limits(_SECONDS, _MEMORY_MIB, kind)))
    if problems:
        raise InvalidMaster(f"The master {master.name!r} cannot be released.\n  " + "\n  ".join(problems))
    write_atomically(passed, "")


def _problems(master: Master, limits: Limits) -> Iterator[str]:
    """What is wrong: the first kind of mistake only, as the others may follow from it."""
    unknown = list(_unknown_names(master))
    if unknown:
        yield from unknown
        return
    solved = nbformat.writes(solved_submission(master)).encode()
    blank = nbformat.writes(assignment_notebook(master)).encode()
    try:
        first, second = (try_out(solved, master, seed, limits) for seed in _SEEDS)
        lost = [_lost(tried) for tried in first]
        yield from filter(None, lost)
        for tried, before in zip(second, lost, strict=True):
            if not before and (now := _lost(tried)):
                yield f"{now} It depends on the random inputs: under another seed all properties hold."
        for tried in try_out(blank, master, _SEEDS[0], limits):
            yield from _given_away(tried)
    except WrongTest as error:
        yield str(error)


def _unknown_names(master: Master) -> Iterator[str]:
    for question in master.questions:
        known = {*dir(builtins), *PROVIDED, *master.graded_names, "__name__"}
        if unknown := sorted(_free_names(question.test) - known):
            yield (
                f"{_place(question)} uses {', '.join(map(repr, unknown))}, which the grader's process does "
                "not have. A test cell imports and defines what it uses; correct the name or add the import."
            )


def _free_names(source: str) -> set[str]:
    """The global names that a test cell reads and does not set."""
    top = symtable.symtable(source, "<test cell>", "exec")
    used, bound, tables = set(), set(), [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (table is top or symbol.is_global()):
                used.add(symbol.get_name())
            if table is top and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
                bound.add(symbol.get_name())
    return used - bound


def _lost(tried: Tried) -> str:
    """Why the solution does not get all points for a question; empty if it does."""
    if tried.failure:
        said = f"{tried.failure.exception_name}: {tried.failure}".removeprefix(": ")
        return f"{_place(tried.question)}: the solution stops. {said}"
    if not tried.properties:
        return f"{_place(tried.question)} checks nothing: write each property as a `with check(...)` block."
    failing = [f"{item.name!r} ({item.message.rstrip('.')})" for item in tried.properties if not item.passed]
    return f"{_place(tried.question)}: the solution fails {'; '.join(failing)}." if failing else ""


def _given_away(tried: Tried) -> Iterator[str]:
    for item in tried.properties:
        if item.passed:
            yield (
                f"{_place(tried.question)}: {item.name!r} holds for the blank notebook, so its points come "
                "for nothing. Let it call what students write."
            )


def _place(question: Question) -> str:
    return f"Cell 'test_{question.name}'"
