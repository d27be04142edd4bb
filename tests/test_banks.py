"""Every right answer of a bank gets full points from its test cell, every wrong one loses points.

The test cells run here as in a notebook: the names in them are the answer's own objects. The
tests of the grading engine run the same banks with the answers in a sandbox.
"""

import ast
import functools
import os
import sys
import types

import pytest

from autograder import master
from policy_gradients.checks import Score
from tests.banks import FOLDER, Answer, answers

os.environ.setdefault("JAX_PLATFORMS", "cpu")

MASTERS = {name: master.Master.read(name) for name in master.names()}
POINTS = {(name, question.name): question.points for name in MASTERS for question in MASTERS[name].questions}
CASES = [
    pytest.param(name, question, answer, id=f"{name}-{question}-{answer.kind}: {answer.name}")
    for name, question in POINTS
    if (FOLDER / name / f"{question}.py").exists()  # that none is missing is a test of its own
    for answer in answers(name, question)
]


@functools.cache
def imported(assignment: str) -> dict:
    """The notebook's names after its import cell."""
    names = {"__name__": "__main__"}
    exec(sources(assignment)["imports"], names)
    return names


@functools.cache
def sources(assignment: str) -> dict[str, str]:
    """The source of every cell of the master that has a grade_id."""
    cells = MASTERS[assignment].notebook.cells
    return {master.grade_id(cell): cell.source for cell in cells if master.grade_id(cell)}


SCORES: dict[tuple[str, str, Answer], Score] = {}  # the engine's tests ask for the same scores again


def grade(assignment: str, question: str, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> Score:
    """The score of `answer` in the place of the solution to `question`, in a notebook."""
    key = assignment, question, answer
    if key not in SCORES:
        SCORES[key] = run_notebook(assignment, question, answer, monkeypatch)
    return SCORES[key]


def run_notebook(assignment: str, question: str, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> Score:
    """Run a notebook's cells up to the test cell of `question`, `answer` in the place of the solution."""
    notebook = types.ModuleType("__main__")
    vars(notebook).update(imported(assignment))
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    for other in MASTERS[assignment].questions:
        source = answer.source if other.name == question else sources(assignment)[other.name]
        exec(compile(source, other.name, "exec"), vars(notebook))
    *body, last = ast.parse(sources(assignment)[f"test_{question}"]).body
    exec(compile(ast.Module(body, []), "test cell", "exec"), vars(notebook))
    return eval(compile(ast.Expression(last.value), "test cell", "eval"), vars(notebook))


@pytest.mark.parametrize(("assignment", "question", "answer"), CASES)
def test_right_answers_get_full_points_and_wrong_ones_lose_some(assignment, question, answer, monkeypatch):
    score = grade(assignment, question, answer, monkeypatch)
    worth = POINTS[assignment, question]
    failed = [f"{item.name} ({item.kind})" for item in score.properties if not item.passed]
    if answer.kind == "right":
        assert score == worth, f"rejected by: {failed}"
    else:
        assert score < worth, "no property noticed"


@pytest.mark.parametrize(("assignment", "question"), POINTS)
def test_every_graded_function_has_a_bank_of_some_size(assignment, question):
    kinds = [answer.kind for answer in answers(assignment, question)]
    assert kinds.count("right") >= 5 and kinds.count("wrong") >= 12


NOTHING = [
    "None",
    "()",
    "[]",
    "{}",
    "0",
    "1",
    "1.0",
    "True",
    "'up'",
    "float('nan')",
    "arguments[0]",
    "arguments[-1]",
]
NOTHING += ["(1, 1)", "[[]]", "[[1], [1, 2]]", "[None] * 3", "10**400", "object()", "lambda *_: 1", "b'text'"]
NOTHING += [
    f"__import__('numpy').{array}"
    for array in ("zeros(())", "zeros(0)", "zeros(4)", "ones(4) / 4", "array(None)")
]
NOTHING += [f"__import__('numpy').{array}" for array in ("zeros((4, 4, 4))", "full((4, 4, 4), float('nan'))")]


@pytest.mark.parametrize("value", NOTHING)
@pytest.mark.parametrize(("assignment", "question"), POINTS)
def test_a_constant_or_an_argument_is_worth_little(assignment, question, value, monkeypatch):
    """What holds for nearly any answer, as that arguments are left alone, must not add up."""
    source = f"def {question}(*arguments, **keywords):\n    return {value}\n"
    score = run_notebook(assignment, question, Answer("wrong", value, source), monkeypatch)
    assert score <= 0.36 * POINTS[assignment, question]
