"""A part of the banks through the engine: answers in the sandbox, hidden tests in the grader's process.

An answer must get the same points as in a notebook, where tests/test_banks.py runs all of them. The sandbox
can only change how values travel, so all right answers go through it, each in a style of its own, and of
the wrong ones every fourth.
"""

import contextlib

import pytest

from autograder import sandbox
from autograder.alignment import Aligned, Judge, Run
from autograder.alignment.origins import Needs
from autograder.judging import judge_questions, worker_starter
from autograder.master import Master
from autograder.student import Limits, Student
from tests.test_banks import CASES, grade

WRONG = [case for case in CASES if case.values[2].kind == "wrong"]
PART = [case for case in CASES if case.values[2].kind == "right"] + WRONG[::4]
SEED = 0  # what random inputs follow where no grader sets a seed: in a notebook
LIMITS = Limits(seconds=30, memory_mib=4096, sandbox=sandbox.resolve("auto"))


def in_sandbox(assignment, question, answer):
    """The verdict on one question of the solved notebook with `answer` in the solution's place."""
    master = Master.read(assignment)
    cells = {cell["id"]: cell.source for cell in master.notebook.cells}
    steps = [
        Run(answer.source if name == question else cells[name], (name,))
        for name in ("imports", *(item.name for item in master.questions))
    ]
    (judged,) = [item for item in master.questions if item.name == question]
    with contextlib.closing(Student(LIMITS, worker_starter(master, LIMITS))) as student:
        aligned = Aligned((*steps, Judge(judged)), (), needs={question: Needs()})
        (verdict,) = judge_questions(aligned, student, master, SEED)
    return verdict


@pytest.mark.parametrize(("assignment", "question", "answer"), sorted(PART, key=CASES.index))
def test_an_answer_gets_the_same_points_as_in_a_notebook(assignment, question, answer, monkeypatch):
    verdict = in_sandbox(assignment, question, answer)
    assert verdict.points == grade(assignment, question, answer, monkeypatch), verdict.message
    assert (verdict.status == "passed") == (answer.kind == "right"), verdict.message
