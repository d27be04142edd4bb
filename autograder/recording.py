"""Judging with a record for the instructor: what the hidden tests asked, what came back, why they failed.

A `RecordedStudent` takes the place of a `Student` where one submission is judged again to be explained.
What it notes holds inputs and expected values of hidden tests: it is never shown to students, and no
verdict is made from it.
"""

from __future__ import annotations

import ast
import collections
import contextlib
import dataclasses
import reprlib
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from autograder import pages, protocol, sandbox
from autograder.judging import TEST_CELL
from autograder.master import Master
from autograder.student import METHOD, Limits, RemoteFunction, Student, StudentObject
from policy_gradients.checks import NotClose, Property, RemoteFailure, RemoteObject

_MOST_ITEMS = 12  # of a list, of those that are shown
_MOST_NUMBERS = 24  # of an array
_MOST_CHARACTERS = 600
_MOST_OF_ALL = 100_000  # characters, however much is asked for
_MOST_NAMES = 8
_MOST_LINES = 6  # of one statement
_CALLS = 3  # of the last calls, where it is not clear which one the test judged
_DEFAULTS = {
    "array": ("float64", "int64", "bool"),
    "jnp.array": ("float32", "int32", "bool"),
    "tensor": ("float32", "int64", "bool"),
}
_EDGE = {1: 3, 2: 2}  # how many numbers at either end of each dimension
_KINDS = {"numpy": "array", "jax": "jnp.array", "torch": "tensor"}

_Site = tuple[tuple[CodeType, int], ...]


@dataclasses.dataclass(frozen=True)
class Call:
    """What a test asked of the student's code, as text, and what came of it.

    verb: "returned", "raised", or "stopped" for a call that brought no answer; traceback: the lines of
    the notebook through which an exception came.
    """

    asked: str
    verb: str
    result: str
    traceback: str = ""
    site: _Site = ()


@dataclasses.dataclass(frozen=True)
class Failure:
    """A property that did not hold; `item` is None where the test cell stopped outside of all properties.

    calls: those that it judged, the last ones where that is not clear; earlier: how many came before
    them. expected, difference: of the comparison that failed, empty where the test has none. reason: what
    the test's own assertion or exception says. lines: of the test cell, outermost first, with their
    numbers in it; values: of the names in the last of them.
    """

    item: Property | None
    calls: tuple[Call, ...]
    earlier: int
    expected: str
    difference: str
    reason: str
    lines: tuple[tuple[int, str], ...]
    values: dict[str, str]


@dataclasses.dataclass(frozen=True)
class FailedCell:
    """A cell of the notebook that did not run to its end; number: as in `Run`."""

    number: int
    answers: tuple[str, ...]
    failure: RemoteFailure
    traceback: str


class RecordedStudent(Student):
    """A student's notebook that notes what the tests ask of it, and why a property does not hold.

    full: values are noted as they are, and all calls of a property, instead of the beginning.
    """

    def __init__(
        self, limits: Limits, start: Callable[[], sandbox.Worker], master: Master, full: bool = False
    ) -> None:
        super().__init__(limits, start, master.data)
        self.failures: dict[str, list[Failure]] = {}
        self.weights: collections.Counter[str] = collections.Counter()
        self.failed_cells: list[FailedCell] = []
        self.observe = self._observe
        self._tests = {question.name: question.test for question in master.questions}
        self._shown = _Shown(full)
        self._show = self._shown.text
        self._full = full
        self._calls: list[Call] = []
        self._traceback = ""
        self._deaf = False

    def run_and_keep(
        self, source: str, answers: tuple[str, ...] = (), number: int = 0
    ) -> RemoteFailure | None:
        self._traceback = ""
        failure = super().run_and_keep(source, answers, number)
        if failure and self.observe:
            self.failed_cells.append(FailedCell(number, answers, failure, self._traceback))
        return failure

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        asked = f"{name}({self._arguments(arguments, keywords)})"
        return self._noted(asked, super().call, name, arguments, keywords)

    def call_method(
        self, owner: StudentObject, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        method = "" if name == "__call__" else f".{name}"
        asked = f"{self._show(owner)}{method}({self._arguments(arguments, keywords)})"
        return self._noted(asked, super().call_method, owner, name, arguments, keywords)

    def value(self, name: str) -> Any:
        return self._noted(name, super().value, name)

    def attribute(self, owner: StudentObject | str, name: str) -> Any:
        owners = owner if isinstance(owner, str) else self._show(owner)
        return self._noted(f"{owners}.{name}", super().attribute, owner, name)

    def set_attribute(self, owner: StudentObject, name: str, value: Any) -> None:
        asked = f"{self._show(owner)}.{name} = {self._show(value)}"
        self._noted(asked, super().set_attribute, owner, name, value)

    def evaluate(self, expression: str, values: dict[str, Any]) -> Any:
        given = [f"{name} = {self._show(value)}" for name, value in values.items()]
        asked = "\n".join([expression.strip(), *(f"  where {line}" for line in given)])
        return self._noted(asked, super().evaluate, expression, values)

    def start_over(self) -> None:
        """What follows is the rehearsal for the words of the feedback: no part of the record."""
        super().start_over()
        self.observe = None

    def _arguments(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> str:
        named = [f"{name}={self._show(value)}" for name, value in keywords.items()]
        return ", ".join([*map(self._show, arguments), *named])

    def _noted(self, asked: str, request: Callable[..., Any], *arguments: Any) -> Any:
        self._traceback = ""
        try:
            value = request(*arguments)
        except RemoteFailure as failure:
            verb = "raised" if failure.kind == "error" else "stopped"
            self._note(Call(asked, verb, _told(failure), self._traceback, _site()))
            raise
        if value is not METHOD:  # which the test is about to call
            self._note(Call(asked, "returned", self._show(value), site=_site()))
        return value

    def _note(self, call: Call) -> None:
        if self.observe and not self._deaf:
            self._calls.append(call)

    def _request(self, message: list[Any]) -> Any:
        if self._deaf:
            raise RemoteFailure("lost", "Nothing is asked while the expected value is formed.")
        return super()._request(message)

    def _exchange(self, message: list[Any]) -> Any:
        return super()._exchange(["traced", *message])

    def _understand(self, reply: Any) -> Any:
        match reply:
            case ["error", _, _, str(lines)] | ["missing", _, str(lines)]:
                self._traceback = pages.plain(lines) if "\n" in lines.strip() else ""  # what it says is known
                reply = reply[:-1]
        return super()._understand(reply)

    def _observe(self, question: str, item: Property | None, error: Exception | None) -> None:
        calls, self._calls = self._calls, []
        self.weights[question] += item.weight if item else 0
        if error is None:
            return
        frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if _is_test(frame)]
        lines = [_statement(self._tests[question], line) for _, line in frames]
        frame, statement = (frames[-1][0], lines[-1]) if frames else (None, None)
        judged = calls if self._full else _judged(calls, statement)
        expected, difference = self._comparison(error, frame, statement)
        failure = Failure(
            item,
            tuple(judged),
            len(calls) - len(judged),
            expected,
            difference,
            "" if isinstance(error, RemoteFailure | NotClose) else _reason(error),
            tuple((line.node.lineno, line.text) for line in lines if line),
            {} if isinstance(error, NotClose) or frame is None else self._values(frame, statement),
        )
        self.failures.setdefault(question, []).append(failure)

    def _comparison(
        self, error: Exception, frame: FrameType | None, statement: _Statement | None
    ) -> tuple[str, str]:
        if isinstance(error, NotClose):
            return self._shown.text(error.wanted, bare=True), _difference(error)
        if isinstance(error, RemoteFailure | AssertionError) and frame and statement:
            with self._asking_nothing(frame), contextlib.suppress(Exception):
                return self._show(statement.wanted(frame)), ""
        return "", ""

    @contextlib.contextmanager
    def _asking_nothing(self, frame: FrameType) -> Iterator[None]:
        """Within this block the student is not asked and no random number is used up."""
        generators = [
            value
            for value in (frame.f_globals | frame.f_locals).values()
            if isinstance(value, np.random.Generator)
        ]
        states = [generator.bit_generator.state for generator in generators]
        self._deaf = True
        try:
            yield
        finally:
            self._deaf = False
            for generator, state in zip(generators, states, strict=True):
                generator.bit_generator.state = state

    def _values(self, frame: FrameType, statement: _Statement | None) -> dict[str, str]:
        if statement is None:
            return {}
        there = frame.f_globals | frame.f_locals
        named = {name: there[name] for name in statement.names if name in there}
        shown = {name: value for name, value in named.items() if _is_value(value)}
        return {name: self._show(shown[name]) for name in list(shown)[:_MOST_NAMES]}


@dataclasses.dataclass(frozen=True)
class _Statement:
    """A statement of a test cell."""

    node: ast.stmt
    text: str

    @property
    def names(self) -> list[str]:
        """The names that it reads, in order."""
        part = self.node.test if isinstance(self.node, ast.If | ast.While) else self.node
        if isinstance(part, ast.For):
            part = part.iter
        return list(dict.fromkeys(item.id for item in ast.walk(part) if isinstance(item, ast.Name)))

    def wanted(self, frame: FrameType) -> Any:
        """The second argument of the one `close(...)` that this statement is. Raises whatever goes wrong."""
        match self.node:
            case ast.Expr(ast.Call(ast.Name("close"), [_, second, *_])):
                code = compile(ast.Expression(second), TEST_CELL, "eval")
                return eval(code, frame.f_globals | frame.f_locals)  # the author wrote the expression
        raise LookupError("no comparison")


def _statement(source: str, line: int) -> _Statement | None:
    """The innermost statement of a test cell on this line."""
    found = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno
    ]
    if not found:
        return None
    node = max(found, key=lambda item: (item.lineno, -item.end_lineno))
    last = line if hasattr(node, "body") else node.end_lineno
    lines = source.splitlines()[node.lineno - 1 : last]
    text = textwrap.dedent("\n".join(lines[:_MOST_LINES]))
    return _Statement(node, text if len(lines) <= _MOST_LINES else f"{text}\n...")


def _is_test(frame: FrameType) -> bool:
    return frame.f_code.co_filename == TEST_CELL


def _site() -> _Site:
    """Where the test cell stands that is being run, from the innermost frame outwards."""
    frame, found = sys._getframe(1), []
    while frame:
        if _is_test(frame):
            found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(found)


def _judged(calls: list[Call], statement: _Statement | None) -> list[Call]:
    """The calls of the statement that failed, of its last turn where it stands in a loop."""
    judged: list[Call] = []
    for call in reversed(calls):
        if not _lies_in(call.site, statement) or call.site in [other.site for other in judged]:
            break
        judged.append(call)
    return judged[::-1] or calls[-_CALLS:]


def _lies_in(site: _Site, statement: _Statement | None) -> bool:
    if statement is None:
        return False
    first, last = statement.node.lineno, statement.node.end_lineno
    return any(first <= _line(code, place) <= last for code, place in site)


def _line(code: CodeType, place: int) -> int:
    return list(code.co_positions())[place // 2][0] or 0


def _is_value(value: Any) -> bool:
    return isinstance(value, RemoteObject) or not (callable(value) or isinstance(value, ModuleType))


def _reason(error: Exception) -> str:
    text = pages.line(str(error))
    if isinstance(error, AssertionError):
        return text or "what the test asserts does not hold"
    return f"{type(error).__name__}: {text}"


def _told(failure: RemoteFailure) -> str:
    name, text = failure.exception_name, pages.line(str(failure))
    return f"{name}: {text}" if name and text else name or text


def _difference(error: NotClose) -> str:
    got, wanted = error.got, error.wanted
    if error.near is None:
        return f"the shape is {got.shape} instead of {wanted.shape}"
    wrong = np.argwhere(~error.near)
    if got.ndim == 0:
        return ""
    first = tuple(wrong[0])
    place = ", ".join(map(str, first))
    many = f"{len(wrong):,} of {got.size:,} numbers differ" if got.size > 1 else "it differs"
    return f"{many}, first at [{place}]: {_number(got[first])} instead of {_number(wanted[first])}"


class _Shown(reprlib.Repr):
    """Values as text: the beginning of long ones, unless they are asked for in full."""

    def __init__(self, full: bool) -> None:
        super().__init__()
        self._full = full
        self._most = _MOST_OF_ALL if full else _MOST_ITEMS
        self.maxlevel = 20 if full else 5
        self.maxstring = self.maxother = self.maxlong = _MOST_OF_ALL if full else 200
        self.maxdict = self._most

    def text(self, value: Any, *, bare: bool = False) -> str:
        """`value` on one line, without anything that a terminal obeys; bare: an array as its numbers only."""
        try:
            shown = self._numbers(value) if bare else self.repr(value)
        except Exception as error:
            shown = f"(a {type(value).__name__} that cannot be shown: {type(error).__name__})"
        most = _MOST_OF_ALL if self._full else _MOST_CHARACTERS
        line = " ".join(pages.plain(shown, 2 * most).split())
        return line if len(line) <= most else f"{line[:most]} …"

    def repr1(self, value: Any, level: int) -> str:
        if isinstance(value, protocol.Handle):
            return f"object_{value.handle_number}"  # of a class of the student's, which stays in the worker
        if isinstance(value, RemoteFunction):
            return "a function of the student's"
        if isinstance(value, float | np.generic):
            return _number(value, self._full)
        if isinstance(value, np.ndarray) or hasattr(value, "detach") or hasattr(value, "__array__"):
            return self._array(value)
        if isinstance(value, list | tuple) and level > 0:
            return self._items(value, level)
        return super().repr1(value, level)

    def _items(self, value: list | tuple, level: int) -> str:
        left, right = "[]" if isinstance(value, list) else "()"
        shown = [self.repr1(item, level - 1) for item in value[: self._most]]
        if len(value) > self._most:
            shown = [*shown[:-2], "...", self.repr1(value[-1], level - 1)]
            right += f" of {len(value):,} items"
        elif len(value) == 1 and isinstance(value, tuple):
            right = ",)"
        return f"{left}{', '.join(shown)}{right}"

    def _array(self, value: Any) -> str:
        kind = "tensor" if hasattr(value, "detach") else "array"
        if type(value).__module__.startswith("jax"):
            kind = "jnp.array"
        kind = _KINDS[value.origin] if isinstance(value, protocol.Array) else kind
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        dtype = "" if array.dtype.name in _DEFAULTS[kind] else f", {array.dtype.name}"
        return f"{kind}({self._numbers(array)}{dtype})"

    def _numbers(self, array: np.ndarray) -> str:
        if array.ndim == 0:
            return _number(array[()], self._full)
        shown = np.array2string(
            array,
            separator=", ",
            threshold=sys.maxsize if self._full else _MOST_NUMBERS,
            edgeitems=_EDGE.get(array.ndim, 1),
            floatmode="unique" if self._full else "maxprec",
            precision=6,
        )
        return shown if self._full or array.size <= _MOST_NUMBERS else f"{shown}, shape {array.shape}"


def _number(value: Any, full: bool = False) -> str:
    if full or not isinstance(value, float | np.floating):
        return str(value)
    text = f"{value:.7g}"
    return text if any(mark in text for mark in ".en") else f"{text}.0"
