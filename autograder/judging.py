"""Judging one submission: the student's cells run in a worker, the hidden tests run here.

In the namespace of a test cell each graded name is a `RemoteFunction`: a call sends its
arguments to the worker as plain data and gets plain data back. The comparison, NumPy and
the assertions are the grader's own, out of the student's reach.
"""

from __future__ import annotations

import ast
import builtins
import collections
import contextlib
import dataclasses
import functools
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder import protocol, sandbox, xla_cache
from autograder.alignment import Aligned, Judge, Run, Unreadable, align, written_answers
from autograder.master import Master, Question, Written
from autograder.verdicts import Judged, QuestionVerdict, SubmissionVerdict, WrittenAnswer
from policy_gradients import checks
from policy_gradients.checks import Checks, Property, RemoteFailure, RemoteObject, Score, remote_student

_START_SECONDS = 60.0
_COMPILE_SECONDS = 300.0
_NOT_WRITTEN = "Not written yet."
_MAX_OUTPUT = 5_000
_MAX_WORDS = 500


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


class _Wordless(RemoteFailure):
    """A failure without what the student's process said about it."""

    def __init__(self, failure: RemoteFailure) -> None:
        known = hasattr(builtins, failure.exception_name)
        super().__init__(failure.kind, "", failure.exception_name if known else "an exception")


def _without_words(failure: RemoteFailure) -> RemoteFailure:
    return _Wordless(failure) if failure.kind in ("error", "forbidden") else failure


class Student:
    """The student's notebook as a running process that survives what its cells do.

    When a cell or call never ends or kills the process, a new worker repeats the cells
    that ran before, so that the other questions can be judged.
    """

    def __init__(self, limits: Limits, start: Callable[[], sandbox.Worker]) -> None:
        self._limits = limits
        self._seconds = 10 * limits.seconds
        self._start_worker = start
        self._deadline = time.monotonic() + self._seconds
        self._history: list[str] = []
        self._process: sandbox.Worker | None = None
        self.outputs: dict[str, str] = {}
        self.seconds: collections.Counter[str] = collections.Counter()
        self.life = 0  # how many processes there have been: objects do not outlive theirs
        self.lost = False  # a cell or call of the present question ended the worker
        self.guarded = False  # the process has seen hidden inputs: nothing that it says may be shown
        self.withheld = False  # something was printed, and not kept

    def run_and_keep(self, source: str, answers: tuple[str, ...] = ()) -> RemoteFailure | None:
        """Run a cell as a notebook would: its failure is returned, what it did before stays.

        What it prints is kept for the questions it answers. A cell that ended the worker is never run again.
        """
        failed = self._run(source)
        if failed is None or failed.kind in ("error", "missing"):
            self._history.append(source)
            for name in answers:
                self._keep_output(name)
        return _without_words(failed) if failed and self.guarded else failed

    def _run(self, source: str) -> RemoteFailure | None:
        try:
            self._request(["run", source])
        except RemoteFailure as failure:
            return failure
        return None

    def _keep_output(self, name: str) -> None:
        try:
            printed = self._request(["output"])
        except RemoteFailure:  # what the cell left running may have ended the worker
            return
        if not isinstance(printed, str):
            return
        if self.guarded:
            self.withheld |= bool(printed)
        else:
            self.outputs[name] = (self.outputs.get(name, "") + printed)[:_MAX_OUTPUT]

    def start_over(self) -> None:
        """Forget all that was run: the next request goes to a new process."""
        self.close()
        self._history.clear()
        self.outputs.clear()
        self.guarded = False

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Call the student's function `name` with plain data. Raises RemoteFailure."""
        return self._request(["call", name, list(arguments), keywords])

    def call_method(
        self, owner: StudentObject, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        """Call a method of an object that the worker keeps. Raises RemoteFailure."""
        return self._request(["method", owner, name, list(arguments), keywords])

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
        if time.monotonic() > self._deadline:
            raise RemoteFailure("timeout", f"The notebook did not end within {self._seconds:g} seconds.")
        if self._process is None:
            self._start()
        return self._exchange(message)

    def _start(self) -> None:
        self.life += 1
        self._process = self._start_worker()
        self._await(_START_SECONDS)
        for source in self._history:
            self._send(["run", source])
            self._await(self._remaining())

    def _exchange(self, message: list[Any]) -> Any:
        self._send(message)
        return self._understand(self._await(self._remaining()))

    def _send(self, message: list[Any]) -> None:
        try:
            protocol.send(self._process.channel, message, self._remaining())
        except TimeoutError:
            raise self._lose("timeout", f"It did not end within {self._limits.seconds:g} seconds.") from None
        except OSError:
            raise self._lose("crash", "The notebook's process had ended.") from None

    def _await(self, seconds: float) -> list[Any]:
        try:
            held = functools.partial(StudentObject, self)
            reply = protocol.receive(self._process.channel, seconds, held=held)
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
                known = name[:100] if name.isidentifier() else "an exception"
                raise RemoteFailure("error", text[:_MAX_WORDS], known)
            case ["missing" | "forbidden" as kind, str(text)]:
                raise RemoteFailure(kind, text[:_MAX_WORDS])
        raise self._lose("forbidden", "It returned something that is not plain data.")

    def _remaining(self) -> float:
        return max(0.01, min(self._limits.seconds, self._deadline - time.monotonic()))

    def _lose(self, kind: str, text: str) -> RemoteFailure:
        self.close()
        self.lost = True
        return RemoteFailure(kind, text)


class StudentObject(protocol.Handle, RemoteObject):
    """An object of the student's own class in a test cell: calling it or a method of it asks the worker."""

    def __init__(self, student: Student, number: int) -> None:
        super().__init__(number)
        self._student = student
        self._life = student.life

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._ask("__call__", *arguments, **keywords)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return functools.partial(self._ask, name)

    def _ask(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        if self._life != self._student.life:
            raise RemoteFailure("lost", "The object was lost when the notebook's process ended.")
        return self._student.call_method(self, method, arguments, keywords)


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
    words = written_answers(content, master)
    with contextlib.closing(Student(limits, worker_starter(master, limits))) as student:
        questions = judge_questions(aligned, student, master, seed)
    verdict = SubmissionVerdict(
        student=name,
        score=round(sum(question.points for question in questions), 2),
        status="graded",
        questions=tuple(_looked_at(question, aligned) for question in questions),
        faults=aligned.faults + tuple(_places_gone(words)),
        written=tuple(_written(question, words[question.name] or "") for question in master.written),
    )
    return Judged(
        verdict=verdict,
        answers=_answers(aligned) | {question: text for question, text in words.items() if text},
        outputs=student.outputs,
        seconds={question: round(used, 3) for question, used in student.seconds.items()},
        cells=tuple(("".join(run.answers[:1]), run.source) for run in aligned.steps if isinstance(run, Run)),
    )


def worker_starter(master: Master, limits: Limits) -> Callable[[], sandbox.Worker]:
    """What starts a worker for notebooks of `master`, with the programs that JAX would compile for it."""
    fill = functools.partial(_compile_right_answers, master, limits)
    # Without isolation a notebook could write programs that the next one would run.
    programs = None if limits.sandbox == "none" else xla_cache.programs_of(master, fill)
    return functools.partial(
        sandbox.start_worker, limits.sandbox, limits.memory_mib, master.modules, programs
    )


def _compile_right_answers(master: Master, limits: Limits, folder: Path) -> str:
    """Judge the solution and the sample class's right answers in a sandbox that may write into `folder`."""
    from autograder.samples.generate import right_answers  # slow to import, and rarely needed

    limits = dataclasses.replace(limits, seconds=_COMPILE_SECONDS)
    template = sandbox.Template(
        limits.sandbox, limits.memory_mib, master.modules, programs=folder, record=True
    )
    sources = [master.source]
    with contextlib.closing(template):
        for content in right_answers(master):
            aligned = align(content, master)
            sources += _answers(aligned).values()
            with contextlib.closing(Student(limits, template.start)) as student:
                judge_questions(aligned, student, master, seed=0)
    return "\n".join(sources)


def unreadable(name: str, master: Master, reason: str) -> Judged:
    """The row of a submission that cannot be read, with the reason as a fault."""
    questions = [
        _verdict(question, 0.0, "missing", "The notebook cannot be read.") for question in master.questions
    ]
    verdict = SubmissionVerdict(
        student=name, score=0.0, status="unreadable", questions=tuple(questions), faults=(reason,)
    )
    return Judged(verdict=verdict)


def _looked_at(verdict: QuestionVerdict, aligned: Aligned) -> QuestionVerdict:
    """The verdict, marked for a person where the student's intent is not clear."""
    return verdict.model_copy(update={"needs_review": True}) if verdict.name in aligned.reviews else verdict


def _places_gone(words: dict[str, str | None]) -> list[str]:
    return [
        f"cell '{name}' is missing: the question counts as not answered"
        for name, text in words.items()
        if text is None
    ]


def _written(question: Written, text: str) -> WrittenAnswer:
    digest = hashlib.sha256(text.encode()).hexdigest() if text else ""
    return WrittenAnswer(name=question.name, max_points=question.points, digest=digest)


def _answers(aligned: Aligned) -> dict[str, str]:
    """The student's code by question; where there are several cells, all of them in order."""
    runs = [step for step in aligned.steps if isinstance(step, Run)]
    names = {name for run in runs for name in run.answers}
    return {name: "\n\n".join(run.source for run in runs if name in run.answers) for name in sorted(names)}


@dataclasses.dataclass(frozen=True)
class _Sitting:
    """What became of a question: its score, or why it has none, and what went wrong in the answer's cell."""

    question: Question
    score: Score | RemoteFailure
    trouble: RemoteFailure | None

    @property
    def properties(self) -> tuple[Property, ...]:
        return () if isinstance(self.score, RemoteFailure) else self.score.properties

    @property
    def withheld(self) -> bool:
        """Whether something that the student's process said was left out."""
        wordless = isinstance(self.score, _Wordless) or isinstance(self.trouble, _Wordless)
        return wordless or any(item.withheld for item in self.properties)


def judge_questions(aligned: Aligned, student: Student, master: Master, seed: int) -> list[QuestionVerdict]:
    """Run the cells of an aligned notebook in order and judge the questions where they stand.

    Once a process has seen hidden inputs, whatever it prints or says could carry them to the student.
    So the words for the feedback on later questions come from a second process, which runs the same
    cells and sees the visible tests only; it is not needed where there is nothing to say.
    """
    sittings = _sit(aligned.steps, student, master, seed)
    if student.withheld or any(sitting.withheld for sitting in sittings.values()):
        student.start_over()
        rehearsed = _sit(_as_students_see_them(aligned.steps), student, master, seed=0)
        sittings = {name: _with_words(sitting, rehearsed[name]) for name, sitting in sittings.items()}
    answered = {name for step in aligned.steps if isinstance(step, Run) for name in step.answers}
    verdicts = [_verdict_on(sittings[item.name]) for item in master.questions if item.name in sittings]
    return [verdict if verdict.name in answered else _unanswered(verdict) for verdict in verdicts]


def _unanswered(verdict: QuestionVerdict) -> QuestionVerdict:
    """Where no cell answers a question, that its name is unknown is no error of the student's."""
    if verdict.status != "error":
        return verdict
    return verdict.model_copy(update={"status": "missing", "message": _NOT_WRITTEN})


def _as_students_see_them(steps: tuple[Run | Judge, ...]) -> tuple[Run | Judge, ...]:
    return tuple(step if isinstance(step, Run) else Judge(_visible(step.question)) for step in steps)


def _visible(question: Question) -> Question:
    return dataclasses.replace(question, test=question.visible_test)


def _with_words(sitting: _Sitting, rehearsed: _Sitting) -> _Sitting:
    """The same result, told in the words of the rehearsal where those of the examination were withheld."""
    words = {(item.name, item.kind): item.message for item in rehearsed.properties}
    score = sitting.score
    if isinstance(score, Score):
        told = [
            dataclasses.replace(item, message=words.get((item.name, item.kind), item.message))
            if item.withheld
            else item
            for item in score.properties
        ]
        score = Score(float(score), tuple(told))
    else:
        score = _worded(score, rehearsed.score)
    return _Sitting(sitting.question, score, _worded(sitting.trouble, rehearsed.trouble))


def _worded(failure: RemoteFailure | None, rehearsed: object) -> RemoteFailure | None:
    same = isinstance(rehearsed, RemoteFailure) and failure is not None and rehearsed.kind == failure.kind
    return rehearsed if isinstance(failure, _Wordless) and same else failure


def _sit(steps: tuple[Run | Judge, ...], student: Student, master: Master, seed: int) -> dict[str, _Sitting]:
    """Run the cells, and hold the tests where they stand."""
    names = [question.name for question in master.questions]
    troubles: dict[str, RemoteFailure] = {}
    sittings: dict[str, _Sitting] = {}
    for step in steps:
        student.lost = False
        started = time.monotonic()
        match step:
            case Run(source, answers):
                failure = student.run_and_keep(source, answers)
                troubles.update({name: failure for name in answers if failure})
                concerned = answers
            case Judge(question):
                score = _judge(question, names, student, seed)
                sittings[question.name] = _Sitting(question, score, troubles.get(question.name))
                student.guarded |= question.test != question.visible_test
                concerned = (question.name,)
        for name in concerned:
            student.seconds[name] += time.monotonic() - started
    return sittings


def _judge(question: Question, names: list[str], student: Student, seed: int) -> Score | RemoteFailure:
    """Run the question's test cell with its hidden tests in this process."""
    namespace: dict[str, Any] = {"__name__": "hidden_tests", "Checks": Checks, "close": checks.close}
    namespace["numbers"] = checks.numbers
    namespace.update({name: RemoteFunction(student, name) for name in names})
    try:
        with remote_student(student.evaluate, seed, student.guarded):
            return _execute(question.test, namespace)
    except RemoteFailure as failure:
        # It may come from the hidden tests, so what it says must not be shown.
        return failure if question.test == question.visible_test else _without_words(failure)


def _verdict_on(sitting: _Sitting) -> QuestionVerdict:
    if isinstance(sitting.score, RemoteFailure):
        return _without_score(sitting.question, sitting.score, sitting.trouble)
    return _from_score(sitting.question, sitting.score, sitting.trouble)


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
        name = failure.exception_name
        return f"{name}: {failure}" if str(failure) else f"It raised {name}."
    if failure.kind == "missing":
        return _NOT_WRITTEN
    return str(failure) or "It returned something that is not plain data."


def _verdict(question: Question, points: float, status: str, message: str) -> QuestionVerdict:
    return QuestionVerdict(
        name=question.name, points=points, max_points=question.points, status=status, message=message
    )
