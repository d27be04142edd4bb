"""Judging one submission: the student's cells run in a worker, the hidden tests run here.

In the namespace of a test cell each graded name is a `RemoteFunction`: a call sends its
arguments to the worker as plain data and gets plain data back. The comparison, NumPy and
the assertions are the grader's own, out of the student's reach.
"""

from __future__ import annotations

import ast
import collections
import contextlib
import dataclasses
import time
from typing import Any

from autograder import protocol, sandbox
from autograder.alignment import Aligned, Judge, Run, Unreadable, align
from autograder.master import Master, Question
from autograder.verdicts import Judged, QuestionVerdict, SubmissionVerdict
from policy_gradients import checks
from policy_gradients.checks import Checks, Property, RemoteFailure, Score, remote_student

_START_SECONDS = 60.0
_NOT_WRITTEN = "Not written yet."


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a submission may use.

    seconds: for one cell or one call; a whole notebook may use ten times that.
    memory_mib: address space of the worker.
    sandbox: "bwrap" or "none", see `autograder.sandbox`.
    """

    seconds: float
    memory_mib: int
    sandbox: str


class Student:
    """The student's notebook as a running process that survives what its cells do.

    When a cell or call never ends or kills the process, a new worker repeats the cells
    that ran before, so that the other questions can be judged.
    """

    def __init__(self, limits: Limits, modules: tuple[str, ...]) -> None:
        self._limits = limits
        self._modules = modules
        self._deadline = time.monotonic() + 10 * limits.seconds
        self._history: list[str] = []
        self._process: sandbox.Worker | None = None
        self.outputs: dict[str, str] = {}
        self.seconds: collections.Counter[str] = collections.Counter()
        self.lost = False  # a cell or call of the present question ended the worker

    def run_and_keep(self, source: str, answers: tuple[str, ...] = ()) -> RemoteFailure | None:
        """Run a cell as a notebook would: its failure is returned, what it did before stays.

        What it prints is kept for the questions it answers. A cell that ended the worker is never run again.
        """
        failed = None
        try:
            self._request(["run", source])
        except RemoteFailure as failure:
            if failure.kind not in ("error", "missing"):
                return failure
            failed = failure
        self._history.append(source)
        for name in answers:
            with contextlib.suppress(RemoteFailure):  # what the cell left running may have ended the worker
                self.outputs[name] = self.outputs.get(name, "") + str(self._request(["output"]))
        return failed

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Call the student's function `name` with plain data. Raises RemoteFailure."""
        return self._request(["call", name, list(arguments), keywords])

    def evaluate(self, expression: str, values: dict[str, Any]) -> Any:
        """Evaluate the author's `expression` among the student's names. Raises RemoteFailure."""
        return self._request(["evaluate", expression, values])

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _request(self, message: list[Any]) -> Any:
        if self.lost:
            raise RemoteFailure("lost", "An earlier call of this question ended the notebook's process.")
        if self._process is None:
            self._start()
        return self._exchange(message)

    def _start(self) -> None:
        self._process = sandbox.start_worker(self._limits.sandbox, self._limits.memory_mib, self._modules)
        self._await(_START_SECONDS)
        for source in self._history:
            self._send(["run", source])
            self._await(self._remaining())

    def _exchange(self, message: list[Any]) -> Any:
        self._send(message)
        return self._understand(self._await(self._remaining()))

    def _send(self, message: list[Any]) -> None:
        try:
            protocol.send(self._process.channel, message)
        except OSError:
            raise self._lose("crash", "The notebook's process had ended.") from None

    def _await(self, seconds: float) -> list[Any]:
        try:
            reply = protocol.receive(self._process.channel, seconds)
        except TimeoutError:
            raise self._lose("timeout", f"It did not end within {self._limits.seconds:g} seconds.") from None
        except (EOFError, OSError):
            raise self._lose("crash", "It ended the notebook's process.") from None
        except protocol.MalformedMessage as error:
            raise self._lose(
                "forbidden", f"It returned something that is not plain data ({error})."
            ) from None
        return reply

    def _understand(self, reply: Any) -> Any:
        match reply:
            case ["ok", value]:
                return value
            case ["error", str(name), str(text)]:
                raise RemoteFailure("error", text, name if name.isidentifier() else "an exception")
            case ["missing" | "forbidden" as kind, str(text)]:
                raise RemoteFailure(kind, text)
        raise self._lose("forbidden", "It returned something that is not plain data.")

    def _remaining(self) -> float:
        return max(0.01, min(self._limits.seconds, self._deadline - time.monotonic()))

    def _lose(self, kind: str, text: str) -> RemoteFailure:
        self.close()
        self.lost = True
        return RemoteFailure(kind, text)


class RemoteFunction:
    """A graded name in a test cell: calls go to the student's worker."""

    def __init__(self, student: Student, name: str) -> None:
        self._student = student
        self._name = name

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._student.call(self._name, arguments, keywords)


def judge_submission(name: str, content: bytes, master: Master, seed: int, limits: Limits) -> Judged:
    """The verdict on the notebook in `content`; a pure function of its arguments.

    Never raises for what a submission holds or does: it gets its row.
    """
    try:
        aligned = align(content, master)
    except Unreadable as error:
        return unreadable(name, master, str(error))
    with contextlib.closing(Student(limits, master.modules)) as student:
        questions = judge_questions(aligned, student, master, seed)
    verdict = SubmissionVerdict(
        student=name,
        score=round(sum(question.points for question in questions), 2),
        status="graded",
        questions=tuple(questions),
        faults=aligned.faults,
    )
    seconds = {question: round(used, 3) for question, used in student.seconds.items()}
    return Judged(verdict=verdict, answers=_answers(aligned), outputs=student.outputs, seconds=seconds)


def unreadable(name: str, master: Master, reason: str) -> Judged:
    """The row of a submission that cannot be read, with the reason as a fault."""
    questions = [
        _verdict(question, 0.0, "missing", "The notebook cannot be read.") for question in master.questions
    ]
    verdict = SubmissionVerdict(
        student=name, score=0.0, status="unreadable", questions=tuple(questions), faults=(reason,)
    )
    return Judged(verdict=verdict)


def _answers(aligned: Aligned) -> dict[str, str]:
    """The student's code by question; where there are several cells, all of them in order."""
    runs = [step for step in aligned.steps if isinstance(step, Run)]
    names = {name for run in runs for name in run.answers}
    return {name: "\n\n".join(run.source for run in runs if name in run.answers) for name in sorted(names)}


def judge_questions(aligned: Aligned, student: Student, master: Master, seed: int) -> list[QuestionVerdict]:
    """Run the cells of an aligned notebook in order and judge the questions where they stand."""
    names = [question.name for question in master.questions]
    troubles: dict[str, RemoteFailure] = {}
    verdicts: list[QuestionVerdict] = []
    for step in aligned.steps:
        student.lost = False
        started = time.monotonic()
        match step:
            case Run(source, answers):
                failure = student.run_and_keep(source, answers)
                troubles.update({name: failure for name in answers if failure})
                concerned = answers
            case Judge(question):
                verdicts.append(_judge(question, names, student, seed, troubles.get(question.name)))
                concerned = (question.name,)
        for name in concerned:
            student.seconds[name] += time.monotonic() - started
    return sorted(verdicts, key=lambda verdict: names.index(verdict.name))


def _judge(
    question: Question, names: list[str], student: Student, seed: int, trouble: RemoteFailure | None
) -> QuestionVerdict:
    """Run the question's test cell with its hidden tests in this process."""
    namespace: dict[str, Any] = {"__name__": "hidden_tests", "Checks": Checks, "close": checks.close}
    namespace["numbers"] = checks.numbers
    namespace.update({name: RemoteFunction(student, name) for name in names})
    try:
        with remote_student(student.evaluate, seed):
            score = _execute(question.test, namespace)
    except RemoteFailure as failure:
        return _without_score(question, failure, trouble)
    return _from_score(question, score, trouble)


def _execute(source: str, namespace: dict[str, Any]) -> Score:
    """Run a test cell and return the value of its last line, as a notebook shows it."""
    tree = ast.parse(source)
    last = tree.body.pop()
    if not isinstance(last, ast.Expr):
        raise TypeError("The last line of a test cell must be check.score().")
    exec(compile(tree, "<test cell>", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "<test cell>", "eval"), namespace)


def _from_score(question: Question, score: Score, trouble: RemoteFailure | None) -> QuestionVerdict:
    failed = [item for item in score.properties if not item.passed]
    if not failed:
        return _verdict(question, question.points, "passed", "")
    if score == 0 and trouble is not None:
        return _without_score(question, trouble, None)
    status = "partial" if score > 0 else _status_without_points(failed)
    if status == "missing":
        return _verdict(question, 0.0, status, _NOT_WRITTEN)
    lines = [f"Its cell did not run to the end: {_told(trouble)}"] if trouble else []
    lines += [f"Not yet: {item.name}. {item.message}".rstrip() for item in failed if item.kind != "lost"]
    return _verdict(question, float(score), status, "\n".join(lines))


def _status_without_points(failed: list[Property]) -> str:
    kinds = {item.kind for item in failed}
    if "timeout" in kinds:
        return "timeout"
    if kinds == {"missing"}:
        return "missing"
    return "error" if kinds <= {"error", "crash", "lost", "forbidden"} else "failed"


def _without_score(
    question: Question, failure: RemoteFailure, trouble: RemoteFailure | None
) -> QuestionVerdict:
    status = {"missing": "missing", "timeout": "timeout"}.get(failure.kind, "error")
    return _verdict(question, 0.0, status, _told(trouble or failure))


def _told(failure: RemoteFailure) -> str:
    if failure.kind == "error":
        return f"{failure.exception_name}: {failure}"
    if failure.kind == "missing":
        return _NOT_WRITTEN
    return str(failure)


def _verdict(question: Question, points: float, status: str, message: str) -> QuestionVerdict:
    return QuestionVerdict(
        name=question.name, points=points, max_points=question.points, status=status, message=message
    )
