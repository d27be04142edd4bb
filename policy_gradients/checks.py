"""Property checks with partial credit, for visible checks and hidden tests alike.

A test cell of an assignment reads

    check = Checks("compute_returns", points=3)
    with check("gamma = 1 adds up the rewards from t on", hint="Is ... ?"):
        close(compute_returns([1, 2, 3, 4], gamma=1), [10, 9, 7, 4])
    check.score()

Every ``with`` block is one property. A property that does not hold costs its share
of the points and nothing else. The same cell runs in a notebook, where the graded
name is the student's own function, and in the grader's process, where it is a remote
handle to a function that lives in a sandbox: there, `remote_student` says so.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import contextvars
import dataclasses
import html
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Checks", "Property", "Score", "RemoteFailure", "close", "numbers", "remote_student"]

_MAX_DETAIL = 300
_RETURNED = "It returned"


class RemoteFailure(Exception):
    """Something went wrong in the student's worker, told as plain data.

    kind: "error" (the student's code raised), "timeout", "crash" (the worker died), "lost" (it had
    ended before) or "forbidden" (it returned something that is not plain data).
    """

    def __init__(self, kind: str, message: str, exception_name: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.exception_name = exception_name


class NotClose(AssertionError):
    """Two arrays differ: `got` from `wanted`; `near` says where they do not, None where the shapes differ."""

    def __init__(
        self, message: str, got: np.ndarray, wanted: np.ndarray, near: np.ndarray | None = None
    ) -> None:
        super().__init__(message)
        self.got, self.wanted, self.near = got, wanted, near


class RemoteObject:
    """An object of a student's own class that stays in the student's worker."""


@dataclasses.dataclass(frozen=True)
class Property:
    """One checked property: its name, whether it holds, and what to tell the student."""

    name: str
    passed: bool
    kind: str  # passed, failed, missing (NotImplementedError), or a RemoteFailure's kind
    message: str  # safe to show: never an input or an expected value of a hidden test
    weight: float
    withheld: bool = False  # the message would say more, had the student's process seen no hidden input


# Told of a question's name, a property that was checked (None: the test cell stopped outside of all) and
# the exception that kept it from holding.
Observer = Callable[[str, Property | None, Exception | None], None]


@dataclasses.dataclass(frozen=True)
class _Session:
    evaluate: Callable[[str, dict[str, Any]], Any]
    seed: int
    guarded: bool
    observe: Observer | None


_session: contextvars.ContextVar[_Session | None] = contextvars.ContextVar("session", default=None)


@contextlib.contextmanager
def remote_student(
    evaluate: Callable[[str, dict[str, Any]], Any],
    seed: int,
    guarded: bool = False,
    observe: Observer | None = None,
) -> Iterator[None]:
    """Within this block `Checks.evaluate` asks `evaluate`, and random inputs come from `seed`.

    guarded: the student's process has seen hidden inputs, so nothing that it says is shown; observe: is
    told of every property, for the instructor's eyes.
    """
    token = _session.set(_Session(evaluate, seed, guarded, observe))
    try:
        yield
    finally:
        _session.reset(token)


class Score(float):
    """Points as a number that shows itself as a list of properties in a notebook.

    Its plain-text form is the bare number, which is what nbgrader reads as partial credit.
    """

    properties: tuple[Property, ...]

    def __new__(cls, points: float, properties: tuple[Property, ...]) -> Score:
        self = super().__new__(cls, points)
        self.properties = properties
        return self

    def _repr_html_(self) -> str:
        rows = "".join(_property_row(item) for item in self.properties)
        held = sum(item.passed for item in self.properties)
        head = f"{held} of {len(self.properties)} properties hold"
        return f"<div><strong>{head}</strong><ul style='list-style:none;padding-left:0'>{rows}</ul></div>"


def _property_row(item: Property) -> str:
    mark = "&#10003; holds:" if item.passed else "&#10007; not yet:"
    note = f"<br><em>{html.escape(item.message)}</em>" if item.message else ""
    return f"<li style='margin:0.3em 0'>{mark} {html.escape(item.name)}{note}</li>"


class Checks:
    """The properties of one graded function.

    Parameters
    ----------
    question : the graded function's name
    points : what the question is worth; a property's share is its weight over all weights
    """

    def __init__(self, question: str, points: float) -> None:
        self.question = question
        self._points = points
        self._properties: list[Property] = []
        self._hidden = False
        self._guarded = (session := _session.get()) is not None and session.guarded

    def hide(self) -> None:
        """From here on only the author's words are shown, never values: hidden tests start so."""
        self._hidden = True

    @contextlib.contextmanager
    def __call__(self, name: str, hint: str = "", weight: float = 1.0) -> Iterator[None]:
        """One property, as a ``with`` block; `hint` names the likely mistake when it does not hold."""
        try:
            yield
        except Exception as error:
            kind, detail = self._outcome(error)
            message = " ".join(filter(None, [_sentence(detail), _hint(kind, hint)]))
            withheld = self._guarded and not self._hidden and kind in ("failed", "error", "forbidden")
            self._add(Property(name, False, kind, message, weight, withheld), error)
        else:
            self._add(Property(name, True, "passed", "", weight))

    def _outcome(self, error: Exception) -> tuple[str, str]:
        """The kind of failure that `error` is, and what the student may read about it."""
        if isinstance(error, RemoteFailure):
            return error.kind, self._remote_detail(error)
        if isinstance(error, NotImplementedError):
            return "missing", "not written yet"
        if isinstance(error, AssertionError):
            return "failed", "" if self._closed else str(error)
        if _session.get() and isinstance(error, NameError | ImportError):
            # not from the student's process, where exceptions arrive as RemoteFailure
            raise TypeError(f"The test cell of {self.question} is wrong: {error}") from error
        return "error", self._error_detail(type(error).__name__, str(error))

    def _add(self, item: Property, error: Exception | None = None) -> None:
        self._properties.append(item)
        session = _session.get()
        if session and session.observe:
            session.observe(self.question, item, error)

    @property
    def _closed(self) -> bool:
        return self._hidden or self._guarded

    def _remote_detail(self, failure: RemoteFailure) -> str:
        if failure.kind == "error":
            return self._error_detail(failure.exception_name, str(failure))
        if failure.kind == "forbidden" and self._closed:
            return "It returned something that is not plain data."  # a type's name could carry inputs out
        return str(failure)

    def _error_detail(self, name: str, text: str) -> str:
        if not self._closed:
            return f"It raised {name}: {text}" if text else f"It raised {name}."
        # The text of an exception, or a name made up for it, could carry hidden inputs out.
        return f"It raised {name}." if hasattr(builtins, name) else "It raised an exception."

    def evaluate(self, expression: str, **values: Any) -> Any:
        """Evaluate an expression where the student's functions live, and return plain data.

        For what needs the student's own libraries: ``check.evaluate("jax.grad(f)(x)", x=0.3)``.
        The student's global names and `values` are in scope.
        """
        session = _session.get()
        if session is not None:
            return session.evaluate(expression, values)
        import __main__

        return eval(expression, {**vars(__main__), **values})  # the author wrote the expression

    def rng(self) -> np.random.Generator:
        """Random numbers for inputs: the same for every student, secret while grading."""
        session = _session.get()
        seed = 0 if session is None else session.seed
        return np.random.default_rng([seed, zlib.crc32(self.question.encode())])

    def score(self) -> Score:
        """Points earned, rounded to cents; the last line of a test cell."""
        total = sum(item.weight for item in self._properties)
        held = sum(item.weight for item in self._properties if item.passed)
        points = round(self._points * held / total, 2) if total else 0.0
        return Score(points, tuple(self._properties))


def _hint(kind: str, hint: str) -> str:
    return hint if kind in ("failed", "error", "forbidden") else ""


def _sentence(text: str) -> str:
    if len(text) > _MAX_DETAIL:
        return text[: _MAX_DETAIL - 1] + "…"
    return text if not text or text.endswith((".", "?", ":")) else text + "."


def numbers(value: Any, what: str = _RETURNED) -> np.ndarray:
    """`value` as a float64 array, or an AssertionError that says what it is instead, beginning with `what`.

    Takes numbers and (nested) lists or tuples of numbers, NumPy, JAX and torch arrays.
    """
    if value is None:
        missing = "return statement" if what == _RETURNED else "value"
        raise AssertionError(f"{what} None: is the {missing} missing?")
    if isinstance(value, RemoteObject):
        raise AssertionError(f"{what} an object of your own class where numbers are expected.")
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, list | tuple | collections.deque) and not all(np.isscalar(item) for item in value):
        value = _stacked([numbers(item, what) for item in value], what)
    try:
        array = np.asarray(value)
    except Exception:
        array = np.asarray(None)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise AssertionError(f"{what} a {type(value).__name__} where numbers are expected.")
    return array.astype(np.float64)


def _stacked(items: list[np.ndarray], what: str) -> np.ndarray:
    if len({item.shape for item in items}) > 1:
        raise AssertionError(f"{what} a list whose items have different shapes.")
    return np.stack(items)


def close(actual: Any, expected: Any, rtol: float = 1e-4, atol: float = 1e-5, what: str = _RETURNED) -> None:
    """AssertionError unless shapes are equal and |actual - expected| <= atol + rtol |expected|.

    what: how the message begins; "It is" where `actual` is no result of a call.
    NaN is never close; an infinity is close to the same infinity only.
    """
    got, want = numbers(actual, what), numbers(expected)
    if got.shape != want.shape:
        text = f"{what} something of shape {got.shape}; the shape should be {want.shape}."
        raise NotClose(text, got, want)
    with np.errstate(invalid="ignore"):
        near = np.isfinite(want) & (np.abs(got - want) <= atol + rtol * np.abs(want))
    near |= got == want
    if not near.all():
        raise NotClose(f"{what} {_shown(got)}; expected {_shown(want)}.", got, want, near)


def _shown(array: np.ndarray) -> str:
    with np.printoptions(formatter={"float_kind": "{:.5g}".format}, threshold=8, edgeitems=3):
        return np.array2string(array, separator=", ").replace("\n", "")
