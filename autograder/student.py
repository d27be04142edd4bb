"""The student's notebook as a running process, as the tests see it: functions, objects, expressions."""

from __future__ import annotations

import builtins
import collections
import dataclasses
import functools
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any

from autograder import protocol, sandbox
from autograder.worker.limits import MOST_LEFT
from policy_gradients.checks import Observer, RemoteFailure, RemoteObject

_START_SECONDS = 60.0
_MAX_OUTPUT = 5_000
_MAX_WORDS = 500
_CROWDED = f"It left more than {MOST_LEFT} processes and threads running."
_ENDED = "It ended the notebook's process, or took too much memory or too many processes."


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a submission may use.

    seconds: for one cell or one call; a whole notebook may use ten times that.
    memory_mib: memory of all its processes together.
    sandbox: a kind of sandbox that `autograder.sandbox.resolve` gave.
    """

    seconds: float
    memory_mib: int
    sandbox: str


METHOD = object()  # sent instead of an attribute that is a method or a function


class MissingAttribute(RemoteFailure, AttributeError):
    """An object of the student's has no such attribute: `hasattr` and `getattr` take it as they should."""


class Wordless(RemoteFailure):
    """A failure without what the student's process said about it."""

    def __init__(self, failure: RemoteFailure) -> None:
        known = hasattr(builtins, failure.exception_name)
        super().__init__(failure.kind, "", failure.exception_name if known else "an exception")


def without_words(failure: RemoteFailure) -> RemoteFailure:
    return Wordless(failure) if failure.kind in ("error", "forbidden") else failure


class Student:
    """The student's notebook as a running process that survives what its cells do.

    When a cell or call never ends or kills the process, a new worker repeats the cells
    that ran before, so that the other questions can be judged.
    """

    observe: Observer | None = None  # what the checks tell, see `remote_student`

    def __init__(
        self, limits: Limits, start: Callable[[], sandbox.Worker], data: Mapping[str, bytes] | None = None
    ) -> None:
        """data: files that each worker finds in the folder `data` of its working folder."""
        self._limits = limits
        self._data = dict(data or {})
        self._seconds = 10 * limits.seconds
        self._start_worker = start
        self._deadline = time.monotonic() + self._seconds
        self._history: list[tuple[str, int]] = []
        self._process: sandbox.Worker | None = None
        self.outputs: dict[str, str] = {}
        self.seconds: collections.Counter[str] = collections.Counter()
        self.crowded: dict[int, RemoteFailure] = {}  # by number the cells that left too many processes
        self.life = 0  # how many processes there have been: objects do not outlive theirs
        self.lost = False  # a cell or call of the present question ended the worker
        self.guarded = False  # the process has seen hidden inputs: nothing that it says may be shown
        self.withheld = False  # something was printed, and not kept

    def run_and_keep(
        self, source: str, answers: tuple[str, ...] = (), number: int = 0
    ) -> RemoteFailure | None:
        """Run a cell as a notebook would: its failure is returned, what it did before stays.

        What it prints is kept for the questions it answers. A cell that ended the worker is never run again.
        Tracebacks call it by its number.
        """
        failed = self._run(source, number)
        count = self._process.count() if self._process else 1
        if not count:
            failed = self._lose("crash", _ENDED)
        elif count > MOST_LEFT and number:
            self.crowded[number] = RemoteFailure("crash", _CROWDED)
            failed = failed if answers else self._lose("crash", _CROWDED)
        if failed is None or failed.kind == "error":
            self._history.append((source, number))
            for name in answers:
                self._keep_output(name)
        return without_words(failed) if failed and self.guarded else failed

    def end_crowd(self) -> None:
        """End what is left running, if it is too much, and do not run the cells again that left it.

        For after a question: a cell that answers one stays until then.
        """
        if self._process and not 0 < self._process.count() <= MOST_LEFT:
            self.close()
        self._history = [item for item in self._history if item[1] not in self.crowded]

    def _run(self, source: str, number: int) -> RemoteFailure | None:
        try:
            self._request(["run", source, number])
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

    def value(self, name: str) -> Any:
        """The value of the student's variable `name`. Raises RemoteFailure."""
        return self._request(["value", name])

    def attribute(self, owner: StudentObject | str, name: str) -> Any:
        """What an attribute of an object, or of the class of this name, holds. Raises RemoteFailure.

        METHOD stands for an attribute that can be called.
        """
        match self._request(["attribute", owner, name]):
            case [True, _]:
                return METHOD
            case [False, value]:
                return value
        raise self._lose("forbidden", "It returned something that is not plain data.")

    def set_attribute(self, owner: StudentObject, name: str, value: Any) -> None:
        """Give an attribute of an object that the worker keeps a value. Raises RemoteFailure."""
        self._request(["set", owner, name, value])

    def evaluate(self, expression: str, values: dict[str, Any]) -> Any:
        """Evaluate the author's `expression` among the student's names. Raises RemoteFailure."""
        return self._request(["evaluate", expression, values])

    def undefined(self, names: frozenset[str]) -> frozenset[str]:
        """Those of `names` that the notebook has not defined so far; all where its process cannot say."""
        try:
            reply = self._request(["undefined", sorted(names)])
        except RemoteFailure:  # it had ended after the last cell: the next request goes to a new one
            self.lost = False
            return names
        return frozenset(name for name in names if isinstance(reply, list) and name in reply)

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
        if self._data:
            self._send(["data", self._data])
            self._await(_START_SECONDS)
        for source, number in self._history:
            self._send(["run", source, number])
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
            raise self._lose("crash", _ENDED) from None
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
                kind = MissingAttribute if name == "AttributeError" else RemoteFailure
                raise kind("error", text[:_MAX_WORDS], known)
            case ["missing", str()]:
                raise RemoteFailure("error", "", "NotImplementedError")
            case ["forbidden", str(text)]:
                raise RemoteFailure("forbidden", text[:_MAX_WORDS])
        raise self._lose("forbidden", "It returned something that is not plain data.")

    def _remaining(self) -> float:
        return max(0.01, min(self._limits.seconds, self._deadline - time.monotonic()))

    def _lose(self, kind: str, text: str) -> RemoteFailure:
        self.close()
        self.lost = True
        return RemoteFailure(kind, text)


class StudentObject(protocol.Handle, RemoteObject):
    """An object of the student's own class in a test cell, which acts there as the object itself would.

    Calls, methods, attributes, properties, `len`, `[]`, iteration, `str` and `bool` ask the worker. There is
    no arithmetic and no comparison: their results would be whatever the student's class says they are.
    """

    def __init__(self, student: Student, number: int) -> None:
        super().__init__(number)
        self._student = student
        self._life = student.life

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._ask("__call__", *arguments, **keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._living.attribute(self, name)
        return functools.partial(self._ask, name) if found is METHOD else found

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or name == "handle_number":
            super().__setattr__(name, value)
        else:
            self._living.set_attribute(self, name, value)

    def __len__(self) -> int:
        return self._ask("__len__")

    def __getitem__(self, key: Any) -> Any:
        return self._ask("__getitem__", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._ask("__setitem__", key, value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._living.evaluate("[*items]", {"items": self}))

    def __str__(self) -> str:
        return self._ask("__str__")

    def __bool__(self) -> bool:
        return bool(self._living.evaluate("not not item", {"item": self}))

    def _ask(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        return self._living.call_method(self, method, arguments, keywords)

    @property
    def _living(self) -> Student:
        if self._life != self._student.life:
            raise RemoteFailure("lost", "The object was lost when the notebook's process ended.")
        return self._student


class RemoteFunction:
    """A graded function or class in a test cell: calls go to the student's worker."""

    def __init__(self, student: Student, name: str) -> None:
        self._student = student
        self._name = name

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._student.call(self._name, arguments, keywords)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._student.attribute(self._name, name)
        return RemoteFunction(self._student, f"{self._name}.{name}") if found is METHOD else found


class Names(dict):
    """The names that a test cell finds: those `given`, and the graded ones, which live in the worker.

    A graded variable is read where it lives whenever the test cell reads it, so it is never out of date.
    """

    def __init__(
        self, given: dict[str, Any], student: Student, graded: Iterable[str], values: Container[str]
    ) -> None:
        super().__init__(given)
        self._student = student
        self._values = {name for name in graded if name in values}
        self.update({name: RemoteFunction(student, name) for name in graded if name not in values})

    def __missing__(self, name: str) -> Any:
        if name in self._values:
            return self._student.value(name)
        raise KeyError(name)
