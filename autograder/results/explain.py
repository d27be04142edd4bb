"""For the instructor: why a student lost points. One submission is judged again, with a record."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
from collections.abc import Iterator, Mapping

from autograder import pages, sandbox
from autograder.alignment import Aligned, Run, align
from autograder.intake import Person
from autograder.judging import judge_questions, worker_starter
from autograder.master import Master
from autograder.recording import Call, FailedCell, Failure, RecordedStudent
from autograder.results.graded import Question, Results, Student
from autograder.settings import ClassSettings
from autograder.student import Limits
from autograder.submission_store import SubmissionStore
from autograder.verdicts import QuestionVerdict, SubmissionVerdict

_LABEL = 10  # characters, with the space after it
_IN_FULL = "--full shows them"
_MOST_SIMILAR = 8
_MOST_PRINTED = 1_000  # characters


class Unexplained(ValueError):
    """There is nobody and nothing of this name; the message says what there is."""


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of an explanation; what a student wrote is in it as harmless text."""

    title: str
    lines: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Examination:
    """A submission that was judged again: verdicts by question, and what `RecordedStudent` noted."""

    aligned: Aligned
    verdicts: dict[str, QuestionVerdict]
    student: RecordedStudent


def explanation(
    results: Results, name: str, question: str | None, *, full: bool = False
) -> Iterator[Section]:
    """Why the student `name` has no more points for a question (default: for all that lost points).

    What was handed in is judged again with the class's seed, limits and sandbox; nothing is written. full:
    values and calls are not shortened. Raises Unexplained, DamagedStore, UnknownAssignment, InvalidMaster,
    UnusableSettings, NoSandbox, or WrongTest where a test cell itself is wrong.
    """
    student = find_student(results, name)
    questions = find_questions(student, question)
    master = Master.read(results.assignment)
    examination = None
    if student.status == "unreadable":
        questions = [item for item in questions if item.status == "by hand"]
    else:
        kept = ClassSettings.read(results.folder)
        limits = Limits(kept.seconds, kept.memory_mib, sandbox.resolve(results.grades.sandbox))
        examination = examine(_handed_in(results, student), master, _seed(results), limits, full=full)
    yield from explain(results, student, questions, master, examination)


def _handed_in(results: Results, student: Student) -> bytes:
    store = SubmissionStore(results.folder)
    if not store.has_notebook(student.name):
        raise Unexplained(
            f"What {student.name!r} handed in is not kept in {results.folder}. Run "
            f"`autograder grade {results.assignment} PATH` with it, and ask again."
        )
    return store.load(student.name).content


def _seed(results: Results) -> int:
    path = results.folder / "secret_seed"
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        raise Unexplained(
            f"{path} cannot be read, so the inputs of the hidden tests are not known. Put it back from a "
            f"backup, or run `autograder grade {results.assignment} PATH` again."
        ) from None


def find_student(results: Results, name: str) -> Student:
    """The student called `name`: by id, or by what the LMS says, which is a number, name, login or address.

    Raises Unexplained with the names that are like it.
    """
    people = {row.student: results.people.get(row.student, Person()) for row in results.grades.submissions}
    known = [student for student, person in people.items() if name in _names(person)]
    wanted = name if name in people else known[0] if len(known) == 1 else None
    if wanted is not None:
        return next(student for student in results.students() if student.name == wanted)
    everybody = f"`autograder export {results.assignment} --format csv` lists everybody."
    raise Unexplained(
        f"Nobody in {results.assignment} is called {name!r}. {_similar(name, people, known) or everybody}"
    )


def _names(person: Person) -> set[str]:
    return {person.number, person.name, person.login, person.email} - {""}


def find_questions(student: Student, name: str | None) -> list[Question]:
    """The question called `name`, or all that lost points. Raises Unexplained."""
    questions = {question.name: question for question in student.questions}
    if name is None:
        lost = (item for item in questions.values() if item.points < item.max_points)
        return [item for item in lost if item.status != "waiting"]
    if name in questions:
        return [questions[name]]
    raise Unexplained(f"There is no question {name!r}. There are: {', '.join(questions)}.")


def _similar(name: str, people: Mapping[str, Person], known: list[str]) -> str:
    """Whom an instructor may have meant; known: several who share the name."""
    folded = {
        text.casefold(): student for student, person in people.items() for text in {student, *_names(person)}
    }
    wanted = name.casefold()
    found = known + [student for text, student in folded.items() if wanted in text]
    found += [folded[text] for text in difflib.get_close_matches(wanted, folded, 5, 0.6)]
    similar = list(dict.fromkeys(found))[:_MOST_SIMILAR]
    return f"Did you mean {' or '.join(map(pages.line, similar))}?" if similar else ""


def examine(content: bytes, master: Master, seed: int, limits: Limits, *, full: bool = False) -> Examination:
    """Judge a submission as `judge_submission` does, and note why its properties fail.

    full: note values and calls without shortening. Raises Unreadable, and whatever a wrong test raises.
    """
    aligned = align(content, master)
    student = RecordedStudent(limits, worker_starter(master, limits), master, full)
    with contextlib.closing(student):
        verdicts = judge_questions(aligned, student, master, seed)
    return Examination(aligned, {verdict.name: verdict for verdict in verdicts}, student)


def explain(
    results: Results,
    student: Student,
    questions: list[Question],
    master: Master,
    examination: Examination | None,
) -> list[Section]:
    """Why these questions of a student have the points that they have.

    examination: of the submission, None where there is nothing that could be judged.
    """
    row = next(row for row in results.grades.submissions if row.student == student.name)
    sections = [Section(_head(results, student), tuple(_about_the_notebook(row, examination)))]
    for question in questions:
        verdict = next((item for item in row.questions if item.name == question.name), None)
        sections += _question(student, question, verdict, master, examination)
    return sections


def _head(results: Results, student: Student) -> str:
    status = "" if student.status == "graded" else f" ({student.status})"
    name = pages.line(student.name)
    return f"{name}, {results.assignment}: {student.points:g} of {results.max_score:g} points{status}"


def _about_the_notebook(row: SubmissionVerdict, examination: Examination | None) -> Iterator[str]:
    for fault in row.faults:
        yield from _labelled("notebook", pages.line(fault))
    for cell in examination.student.failed_cells if examination else ():
        if not cell.answers:
            yield from _failed_cell(cell)


def _failed_cell(cell: FailedCell) -> Iterator[str]:
    text = pages.line(str(cell.failure))
    what = f"{cell.failure.exception_name}: {text}" if cell.failure.exception_name else text
    yield from _labelled("stopped", f"{_cell(cell.number)}: {what}")
    yield from _labelled("", cell.traceback)


def _cell(number: int) -> str:
    return f"cell {number} of the notebook" if number else "a setup cell"


def _question(
    student: Student,
    question: Question,
    verdict: QuestionVerdict | None,
    master: Master,
    examination: Examination | None,
) -> Iterator[Section]:
    points = f"{question.earned} of {question.max_points:g} points"
    title = f"{pages.line(student.name)}, {question.name}: {points} ({question.result})"
    lines = list(_points(question, verdict))
    if verdict is None or examination is None:
        yield Section(title, (*lines, *_labelled("answer", question.answer)))
        return
    lines += _compared(verdict, examination.verdicts[question.name])
    lines += _whereabouts(question.name, examination)
    yield Section(title, tuple(lines))
    for group in _grouped(examination.student.failures.get(question.name, [])):
        yield _failure(group, question, master, examination.student)
    yield from _answers(question.name, examination.aligned)


def _points(question: Question, verdict: QuestionVerdict | None) -> Iterator[str]:
    if verdict is not None and question.status == "by hand":
        yield from _labelled("by hand", f"a person gave these points, in place of {verdict.points:g}")
    if question.waiting:
        yield from _labelled("waiting", "a person has yet to look at it, in formgrader")
    if question.comment:
        yield from _labelled("comment", pages.plain(question.comment))


def _compared(before: QuestionVerdict, now: QuestionVerdict) -> Iterator[str]:
    if (before.points, before.status) == (now.points, now.status):
        return
    yield from _labelled(
        "changed",
        f"judged again it has {now.points:g} points ({now.status}), in grades.json {before.points:g} "
        f"({before.status}): either the answer depends on chance or time, or the assignment, the grader or "
        "its limits have changed since the class was graded",
    )


def _whereabouts(name: str, examination: Examination) -> Iterator[str]:
    runs = [step for step in examination.aligned.steps if isinstance(step, Run) and name in step.answers]
    if not runs:
        yield from _labelled("answer", "no cell of the notebook answers it")
    for run in runs:
        yield from _labelled("answer", _cell(run.number))
    for cell in examination.student.failed_cells:
        if name in cell.answers:
            yield from _failed_cell(cell)
    yield from _labelled("printed", pages.plain(examination.student.outputs.get(name, ""), _MOST_PRINTED))


def _grouped(failures: list[Failure]) -> list[list[Failure]]:
    """The properties that failed, those together whose last calls brought the same error or none."""
    groups: dict[object, list[Failure]] = {}
    for place, failure in enumerate(failures):
        last = failure.calls[-1] if failure.calls else None
        alike = last and last.verb != "returned" and (last.verb, last.result, last.traceback)
        groups.setdefault(alike or place, []).append(failure)
    return list(groups.values())


def _failure(group: list[Failure], question: Question, master: Master, student: RecordedStudent) -> Section:
    failure = group[0]
    lines = []
    for other in group[1:]:
        lines += _labelled("and", _share(other, question, student))
    if failure.item:
        lines += _labelled("feedback", failure.item.message)
    if failure.earlier:
        lines += _labelled("", f"(calls before this one: {failure.earlier}; {_IN_FULL})")
    for call in failure.calls:
        lines += _call(call)
    if failure.expected:
        lines += _labelled("expected", failure.expected)
    lines += _labelled("", failure.difference)
    lines += _labelled("because", failure.reason)
    for number, text in failure.lines:
        lines += _labelled("test", f"{_place(question.name, number, master)}:\n{text}")
    for name, value in failure.values.items():
        lines += _labelled("", f"{name} = {value}")
    return Section(f"Not yet: {_share(failure, question, student)}", tuple(lines))


def _share(failure: Failure, question: Question, student: RecordedStudent) -> str:
    """The property, and the points that it would bring."""
    if failure.item is None:
        return f"the test cell stopped outside of its properties (all {question.max_points:g} points)"
    share = question.max_points * failure.item.weight / student.weights[question.name]
    return f'"{failure.item.name}" ({share:.2f} points)'


def _call(call: Call) -> Iterator[str]:
    yield from _labelled("call", call.asked)
    yield from _labelled(call.verb, call.result)
    yield from _labelled("", call.traceback)


def _place(question: str, number: int, master: Master) -> str:
    """A line of a test cell, as the place in the master where it stands."""
    test = next(item.test for item in master.questions if item.name == question)
    above, found, _ = master.source.partition(test)
    if not found:
        return f"line {number} of test_{question}"
    return f"autograder/masters/{master.name}.py, line {above.count(chr(10)) + number}"


def _answers(name: str, aligned: Aligned) -> Iterator[Section]:
    for step in aligned.steps:
        if isinstance(step, Run) and name in step.answers:
            lines = pages.plain(step.source).splitlines()
            numbered = (f"{number:4}  {line}" for number, line in enumerate(lines, 1))
            yield Section(f"{_cell(step.number).capitalize()}:", tuple(numbered))


def _labelled(label: str, text: str) -> Iterator[str]:
    """`text` with a label before its first line; nothing where it is empty."""
    for line in text.splitlines():
        yield f"  {label:{_LABEL}}{line}".rstrip()
        label = ""
