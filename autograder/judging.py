"""Judging one submission: the student's cells run in a worker, the hidden tests run here.

In the namespace of a test cell each graded function is a `RemoteFunction`: a call sends its
arguments to the worker as plain data and gets plain data back; a graded variable is fetched as
plain data. The comparison, NumPy and the assertions are the grader's own, out of the student's reach.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import dataclasses
import functools
import hashlib
import importlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograder import sandbox, xla_cache
from autograder.alignment import ANY_NAME, Aligned, Judge, Needs, Run, Unreadable, align, written_answers
from autograder.master import Master, Question, Written
from autograder.student import Limits, Names, Student, Wordless, without_words
from autograder.verdicts import Judged, QuestionVerdict, SubmissionVerdict, WrittenAnswer
from autograder.worker.cells import write_data
from policy_gradients import checks
from policy_gradients.checks import Checks, Property, RemoteFailure, Score, remote_student

_COMPILE_SECONDS = 300.0
_NOT_WRITTEN = "Not written yet."
_MOST_CAUSES = 3
_NOT_PYTHON = ("SyntaxError", "IndentationError", "TabError")
_OF_NEWER_PYTHON = ("f-string", "expected '('")  # quotes within f-strings, and generic functions
# What a test cell finds beside the graded names; all else it imports or defines.
PROVIDED = {"Checks": Checks, "close": checks.close, "numbers": checks.numbers}
TEST_CELL = "<test cell>"  # what tracebacks call it


class WrongTest(Exception):
    """A test cell stopped by itself: an error of the master's author, never of a student's."""


def judge_submission(name: str, content: bytes, master: Master, seed: int, limits: Limits) -> Judged:
    """The verdict on the notebook in `content`; a pure function of its arguments.

    Never raises for what a submission holds or does: it gets its row.
    """
    try:
        aligned = align(content, master)
    except Unreadable as error:
        return unreadable(name, master, str(error))
    words = written_answers(content, master)
    starter = worker_starter(master, limits)
    with contextlib.closing(Student(limits, starter, master.data)) as student:
        questions = judge_questions(aligned, student, master, seed)
    crowds_ended = _crowds_ended(student)
    verdict = SubmissionVerdict(
        student=name,
        score=round(sum(question.points for question in questions), 2),
        status="graded",
        questions=tuple(_looked_at(question, aligned) for question in questions),
        faults=(*aligned.faults, *_places_gone(words), *crowds_ended),
        notices=aligned.notices + crowds_ended,
        written=tuple(_written(question, words[question.name] or "") for question in master.written),
    )
    return Judged(
        verdict=verdict,
        answers=_answers(aligned) | {question: text for question, text in words.items() if text},
        outputs=student.outputs,
        seconds={question: round(used, 3) for question, used in student.seconds.items()},
        cells=tuple(("".join(run.answers[:1]), run.source) for run in aligned.steps if isinstance(run, Run)),
    )


@dataclasses.dataclass(frozen=True)
class Tried:
    """A question as its author sees it: its properties, or the failure that kept them from being checked."""

    question: Question
    properties: tuple[Property, ...]
    failure: RemoteFailure | None


def try_out(content: bytes, master: Master, seed: int, limits: Limits) -> list[Tried]:
    """What the test cells say of a notebook, for the eyes of the master's author: nothing is withheld.

    Raises Unreadable, and WrongTest for a test cell that stops by itself.
    """
    aligned = align(content, master)
    steps = tuple(step if isinstance(step, Run) else Judge(step.question.opened) for step in aligned.steps)
    starter = worker_starter(master, limits)
    with contextlib.closing(Student(limits, starter, master.data)) as student:
        sittings = _sit(dataclasses.replace(aligned, steps=steps), student, master, seed)
    return [
        Tried(
            sitting.question,
            sitting.properties,
            sitting.trouble or (sitting.score if isinstance(sitting.score, RemoteFailure) else None),
        )
        for sitting in sittings.values()
    ]


def worker_starter(master: Master, limits: Limits) -> Callable[[], sandbox.Worker]:
    """What starts a worker for notebooks of `master`, with the programs that JAX would compile for it."""
    fill = functools.partial(_compile_right_answers, master, limits)
    # Without isolation a notebook could write programs that the next one would run.
    programs = None if limits.sandbox == "none" else xla_cache.programs_of(master, fill)
    of_worker = limits.sandbox, limits.memory_mib, master.modules, programs
    sandbox.warm_template(*of_worker)
    _import_what_tests_use(master)  # meanwhile
    return functools.partial(sandbox.start_worker, *of_worker)


@functools.lru_cache(maxsize=4)
def _import_what_tests_use(master: Master) -> None:
    for question in master.questions:
        for node in ast.walk(ast.parse(question.test)):
            names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
            for name in [node.module] if isinstance(node, ast.ImportFrom) else names:
                importlib.import_module(name)


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
            with contextlib.closing(Student(limits, template.start, master.data)) as student:
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


def _crowds_ended(student: Student) -> tuple[str, ...]:
    return tuple(
        f"cell {number} left too many processes running: they were ended, and it is not run again"
        for number in student.crowded
    )


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
    """What became of a question: its score, or why it has none, and what went wrong in the answer's cell.

    absent: what its answer needs and the notebook had not defined, None where the process may not be asked;
    stopped: by their numbers the cells that did not run to their end.
    """

    question: Question
    score: Score | RemoteFailure
    trouble: RemoteFailure | None
    absent: frozenset[str] | None
    stopped: Mapping[int, RemoteFailure]

    @property
    def properties(self) -> tuple[Property, ...]:
        return () if isinstance(self.score, RemoteFailure) else self.score.properties

    @property
    def has_lost_points(self) -> bool:
        return isinstance(self.score, RemoteFailure) or not all(item.passed for item in self.properties)

    @property
    def withheld(self) -> bool:
        """Whether something that the student's process said was left out."""
        wordless = isinstance(self.score, Wordless) or isinstance(self.trouble, Wordless)
        return wordless or any(item.withheld for item in self.properties)

    def is_suspect(self, needs: Needs) -> bool:
        """Whether points may be lost because of a cell that did not run, which is not known yet."""
        if self.absent is not None or not self.has_lost_points:
            return False
        return self.trouble is not None or any(
            origin.unrun or origin.number in self.stopped for origin in needs.origins
        )


def judge_questions(aligned: Aligned, student: Student, master: Master, seed: int) -> list[QuestionVerdict]:
    """Run the cells of an aligned notebook in order and judge the questions where they stand.

    Once a process has seen hidden inputs, whatever it prints or says could carry them to the student.
    So the words for the feedback on later questions come from a second process, which runs the same
    cells and sees visible tests only, of the questions where there is something to say.
    """
    sittings = _sit(aligned, student, master, seed)
    wordless = {name for name, sitting in sittings.items() if _wants_words(sitting, aligned)}
    if student.withheld or wordless:
        student.start_over()
        seen = dataclasses.replace(aligned, steps=_as_students_see_them(aligned.steps, wordless))
        ended = {
            number: failure
            for sitting in sittings.values()
            for number, failure in sitting.stopped.items()
            if failure.kind != "error"
        }
        rehearsed = _sit(seen, student, master, seed=0, ended=ended)
        sittings |= {name: _with_words(sittings[name], rehearsed[name]) for name in wordless}
    return [_verdict_on(sittings[item.name], aligned) for item in master.questions if item.name in sittings]


def _wants_words(sitting: _Sitting, aligned: Aligned) -> bool:
    """Whether a process that sees no hidden input has something to say about a question."""
    if sitting.is_suspect(aligned.needs[sitting.question.name]):
        return True
    is_stub = aligned.unwritten.issuperset(sitting.question.answers)
    kinds = {item.kind for item in sitting.properties}
    return sitting.withheld and not (is_stub and kinds <= {"error"})


def _as_students_see_them(steps: tuple[Run | Judge, ...], names: set[str]) -> tuple[Run | Judge, ...]:
    """The steps with the visible tests of the questions `names` only."""
    wanted = [step for step in steps if isinstance(step, Run) or step.question.name in names]
    return tuple(step if isinstance(step, Run) else Judge(_visible(step.question)) for step in wanted)


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
    return dataclasses.replace(
        rehearsed, question=sitting.question, score=score, trouble=_worded(sitting.trouble, rehearsed.trouble)
    )


def _worded(failure: RemoteFailure | None, rehearsed: object) -> RemoteFailure | None:
    same = isinstance(rehearsed, RemoteFailure) and failure is not None and rehearsed.kind == failure.kind
    return rehearsed if isinstance(failure, Wordless) and same else failure


def _sit(
    aligned: Aligned,
    student: Student,
    master: Master,
    seed: int,
    ended: Mapping[int, RemoteFailure] | None = None,
) -> dict[str, _Sitting]:
    """Run the cells, and hold the tests where they stand.

    ended: by their numbers the cells that ended a process before, and why; they are not run again.
    """
    troubles: dict[str, RemoteFailure] = {}
    stopped: dict[int, RemoteFailure] = {}
    sittings: dict[str, _Sitting] = {}
    for step in aligned.steps:
        student.lost = False
        started = time.monotonic()
        match step:
            case Run(source, answers, number):
                failure = (ended or {}).get(number) or student.run_and_keep(source, answers, number)
                if failure and number:
                    stopped[number] = failure
                troubles.update({name: failure for name in answers if failure})
                concerned = answers
            case Judge(question):
                absent = student.undefined(aligned.needs[question.name].names)
                known = None if student.guarded else absent
                score = _judge(question, master, student, seed)
                trouble = troubles.get(question.name)
                sittings[question.name] = _Sitting(question, score, trouble, known, dict(stopped))
                student.end_crowd()
                stopped |= student.crowded
                student.guarded |= question.test != question.visible_test
                concerned = (question.name,)
        for name in concerned:
            student.seconds[name] += time.monotonic() - started
    return sittings


def _judge(question: Question, master: Master, student: Student, seed: int) -> Score | RemoteFailure:
    """Run the question's test cell with its hidden tests in this process."""
    given = {"__name__": "hidden_tests", **PROVIDED}
    namespace = Names(given, student, master.graded_names, master.values)
    try:
        beside_data = contextlib.chdir(_folder_of(master)) if master.files else contextlib.nullcontext()
        with beside_data, remote_student(student.evaluate, seed, student.guarded, student.observe):
            return _execute(question.test, namespace)
    except RemoteFailure as failure:
        if student.observe:
            student.observe(question.name, None, failure)
        # It may come from the hidden tests, so what it says must not be shown.
        return failure if question.test == question.visible_test else without_words(failure)
    except Exception as error:
        cause = error.__cause__ or error
        raise WrongTest(
            f"Cell 'test_{question.name}' stops by itself with {type(cause).__name__}: {cause}"
        ) from error


def _verdict_on(sitting: _Sitting, aligned: Aligned) -> QuestionVerdict:
    """The verdict on a question, with the cells that its answer needs and that did not run."""
    verdict = _by_itself(sitting)
    if not sitting.has_lost_points:
        return verdict
    name, own = sitting.question.name, frozenset(sitting.question.answers)
    needs, absent = aligned.needs[name], sitting.absent or frozenset()
    unwritten = own <= aligned.unwritten and verdict.status == "error"
    causes = _causes(needs, absent if unwritten else absent - own, sitting.stopped)
    reasons = [*causes]
    if not causes and not verdict.points and name in aligned.reviews:
        reasons = [f"{aligned.reviews[name]}."]
    if unwritten and not reasons:
        return verdict.model_copy(update={"status": "missing", "message": _NOT_WRITTEN})
    others = sorted(needs.names & aligned.unwritten - own)
    reasons += [f"It uses `{other}`, which is not written yet." for other in others]
    lines = reasons if unwritten else [*reasons, verdict.message]
    needs_review = bool(causes) or _is_lost_with_its_cell(sitting)
    return verdict.model_copy(update={"message": "\n".join(lines), "needs_review": needs_review})


def _is_lost_with_its_cell(sitting: _Sitting) -> bool:
    """Whether the answer's own cell stopped before it defined the answer, for all that is known here."""
    is_absent = not (sitting.absent or frozenset()).isdisjoint(sitting.question.answers)
    if not is_absent or sitting.trouble is None:
        return False
    return sitting.trouble.exception_name not in _NOT_PYTHON or _is_newer_python(str(sitting.trouble))


def _is_newer_python(text: str) -> bool:
    """Whether a syntax error may be a form that this Python does not know yet, and Colab's does."""
    return sys.version_info < (3, 12) and any(words in text for words in _OF_NEWER_PYTHON)


def _causes(needs: Needs, absent: frozenset[str], stopped: Mapping[int, RemoteFailure]) -> list[str]:
    """Why the names `absent` are not there: the cells that would define them, and what became of each."""
    unknown = absent.difference(origin.name for origin in needs.origins)
    found: dict[tuple[str, str], list[str]] = {}
    for origin in needs.origins:
        failure = stopped.get(origin.number)
        what = origin.unrun or (_stopped(failure) if failure else "")
        names = unknown if origin.name == ANY_NAME else absent & {origin.name}
        if what and names:
            cell = f"your cell {origin.number} (`{origin.line}`)"
            found.setdefault((cell, what), []).extend(sorted(names))
    return [_cause(names, cell, what, unknown) for (cell, what), names in found.items()][:_MOST_CAUSES]


def _cause(names: list[str], cell: str, what: str, unknown: frozenset[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names[:_MOST_CAUSES])
    verb = "is" if len(names) == 1 else "are"
    if unknown.isdisjoint(names):
        return f"{listed} {verb} defined in {cell}, which {what}."
    return f"{listed} {verb} not defined, and {cell} {what}."


def _stopped(failure: RemoteFailure) -> str:
    """What became of a cell, as the end of a sentence about it."""
    text = str(failure).rstrip(".")
    if failure.kind == "error":
        return f"stopped with {failure.exception_name}" + (f": {text}" if text else "")
    return text.removeprefix("It ") if text.startswith("It ") else f"was not run: {text}"


def _by_itself(sitting: _Sitting) -> QuestionVerdict:
    if isinstance(sitting.score, RemoteFailure):
        return _without_score(sitting.question, sitting.score, sitting.trouble)
    return _from_score(sitting.question, sitting.score, sitting.trouble)


@functools.lru_cache(maxsize=4)
def _folder_of(master: Master) -> Path:
    """A folder, kept as long as this process, where a test cell finds the data files as a notebook does."""
    folder = Path(tempfile.mkdtemp(prefix="data-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_data(folder, master.data)
    return folder


def _execute(source: str, namespace: dict[str, Any]) -> Score:
    """Run a test cell and return the value of its last line, as a notebook shows it."""
    tree = ast.parse(source)
    last = tree.body.pop()
    if not isinstance(last, ast.Expr):
        raise TypeError("The last line of a test cell must be check.score().")
    exec(compile(tree, TEST_CELL, "exec"), namespace)
    return eval(compile(ast.Expression(last.value), TEST_CELL, "eval"), namespace)


def _from_score(question: Question, score: Score, trouble: RemoteFailure | None) -> QuestionVerdict:
    failed = [item for item in score.properties if not item.passed]
    if not failed:
        return _verdict(question, question.points, "passed", "")
    if score == 0 and trouble is not None:
        return _without_score(question, trouble, None)
    status = "partial" if score > 0 else _status_without_points(failed)
    lines = [f"Its cell did not run to the end: {_told(trouble)}"] if trouble else []
    lines += [f"Not yet: {item.name}. {item.message}".rstrip() for item in failed if item.kind != "lost"]
    return _verdict(question, float(score), status, "\n".join(lines))


def _status_without_points(failed: list[Property]) -> str:
    kinds = {item.kind for item in failed}
    if "timeout" in kinds:
        return "timeout"
    return "error" if kinds <= {"error", "crash", "lost", "forbidden"} else "failed"


def _without_score(
    question: Question, failure: RemoteFailure, trouble: RemoteFailure | None
) -> QuestionVerdict:
    status = "timeout" if failure.kind == "timeout" else "error"
    return _verdict(question, 0.0, status, _told(trouble or failure))


def _told(failure: RemoteFailure) -> str:
    if failure.kind == "error":
        name = failure.exception_name
        return f"{name}: {failure}" if str(failure) else f"It raised {name}."
    return str(failure) or "It returned something that is not plain data."


def _verdict(question: Question, points: float, status: str, message: str) -> QuestionVerdict:
    return QuestionVerdict(
        name=question.name, points=points, max_points=question.points, status=status, message=message
    )
