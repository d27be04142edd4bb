"""The late policy of an assignment: who is late, and what it costs."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

FILE = "late_policy.toml"
_EXAMPLE = (
    "Such a file reads, for example:\n"
    "  due = 2024-05-01T23:59:00\n"
    "  percent_per_day = 10\n"
    "  at_most = 50\n"
    '  excused = ["ada"]\n'
    "  extensions = {ben = 2024-05-03}"
)
_MINUTE, _DAY = 60, 24 * 60 * 60


class InvalidLatePolicy(ValueError):
    """The late policy cannot be followed; the message says what is wrong and how the file should look."""


def _end_of_day(value: object) -> object:
    """A day without a time lasts until it ends."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return datetime.datetime.combine(value, datetime.time(23, 59, 59))
    return value


_Time = Annotated[datetime.datetime, BeforeValidator(_end_of_day)]


@dataclasses.dataclass(frozen=True)
class Lateness:
    """How late a student is, and what it costs.

    remark: in a few words, empty for those in time; percent_off: of the points; when: the time of the
    hand-in that this was decided by, with the time that counted as due; empty where a mark decided.
    """

    remark: str = ""
    percent_off: float = 0.0
    when: str = ""


class LatePolicy(BaseModel):
    """What the instructor wrote into DIR/NAME/late_policy.toml; without that file being late costs nothing.

    percent: of the points, taken off for being late at all; percent_per_day: for each day that has begun
    since `due`; at_most: what both may cost together; due: without a zone, on the clock of the system that
    wrote the download; grace_minutes: a hand-in within them is not late; late: students who are late though
    the download does not say so; excused: students whom it costs nothing; extensions: other due times, by
    student; handed_in: times of hand-ins that the download does not hold. Students are called as in
    `grades.json`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    percent: float = Field(0.0, ge=0, le=100)
    percent_per_day: float = Field(0.0, ge=0, le=100)
    at_most: float = Field(100.0, ge=0, le=100)
    due: _Time | None = None
    grace_minutes: float = Field(0.0, ge=0, allow_inf_nan=False)
    late: list[str] = []
    excused: list[str] = []
    extensions: dict[str, _Time] = {}
    handed_in: dict[str, _Time] = {}

    @model_validator(mode="after")
    def _rules_fit_together(self) -> LatePolicy:
        both = sorted({*self.late} & {*self.excused})
        if both:
            raise ValueError(f"{', '.join(both)}: named as late and as excused")
        if self.percent_per_day and not (self.due or self.extensions):
            raise ValueError("percent_per_day needs `due`")
        return self

    @classmethod
    def read(cls, folder: Path) -> LatePolicy:
        """The policy in `folder` (DIR/NAME). Raises InvalidLatePolicy."""
        path = folder / FILE
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            problems = "; ".join(_sentence(problem) for problem in error.errors())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            problems = str(error)
        raise InvalidLatePolicy(f"{path} cannot be followed: {problems}. {_EXAMPLE}")

    def check_names(self, students: Iterable[str]) -> None:
        """Raise InvalidLatePolicy where the policy names somebody who is not in the class.

        Those with an extension may still hand in.
        """
        unknown = sorted({*self.late, *self.excused, *self.handed_in} - {*students})
        if unknown:
            raise InvalidLatePolicy(
                f"{FILE} names {', '.join(map(repr, unknown))}, who handed in nothing. Write students as the "
                "table of the class and grades.json do, or take them out."
            )

    def judge(self, student: str, *, marked: bool, handed_in: str) -> Lateness:
        """Whether a student is late; a known time decides where there is a due time, else the mark.

        marked: the download says that it was late; handed_in: when, as the download writes it, if it does.
        """
        due, time = self.extensions.get(student, self.due), self._time(student, handed_in)
        seconds = _seconds_after(time, due) if due and time else None
        in_time = seconds is not None and seconds <= self.grace_minutes * _MINUTE
        without_time = seconds is None and (not marked or student in self.extensions)
        if student not in self.late and (in_time or without_time):
            return Lateness()
        days = max(math.ceil(seconds / _DAY), 0) if seconds is not None else 0
        when = f"{_shown(time)}, due {_shown(due)}" if due and time else ""
        how = f"late by {days} day{'s' * (days > 1)}" if days else "late"
        if student in self.excused:
            return Lateness(f"{how}, which is excused", when=when)
        off = min(self.percent + self.percent_per_day * days, self.at_most)
        return Lateness(f"{how}: {off:g} % off" if off else how, off, when)

    def undecided(self, student: str, *, marked: bool, handed_in: str, marks: bool) -> str:
        """What could not be decided for want of a time, empty where nothing is missing.

        marks: the system marks whatever is late.
        """
        due = self.extensions.get(student, self.due)
        if due is None or self._time(student, handed_in) or student in self.excused:
            return ""
        if marked and student in self.extensions:
            return "marked as late, and have an extension"
        if marked or student in self.late:
            return "late by an unknown number of days" if self.percent_per_day else ""
        return "" if marks else "not marked as late"

    def notes(self, undecided: dict[str, list[str]], students: Collection[str]) -> list[str]:
        """Lines for the instructor; undecided: students by what could not be decided."""
        found = [
            f"{FILE}: nothing is taken off by the due time, because the time of the hand-in is not known, "
            f"for those {reason}: {_names(names)}. Their times can be written there, as in "
            f"handed_in = {{{_key(names[0])} = 2024-05-02T10:00:00}}"
            for reason, names in undecided.items()
        ]
        waiting = sorted({*self.extensions} - {*students})
        if waiting:
            found.append(f"{FILE}: extensions of students who have handed in nothing: {_names(waiting)}")
        return found

    def _time(self, student: str, handed_in: str) -> datetime.datetime | None:
        if student in self.handed_in:
            return self.handed_in[student]
        try:
            return datetime.datetime.fromisoformat(handed_in)
        except ValueError:
            return None


def _seconds_after(time: datetime.datetime, due: datetime.datetime) -> float:
    """A time without a zone is on the same clock as the other one, of which the zone is then ignored."""
    if (time.tzinfo is None) != (due.tzinfo is None):
        time, due = time.replace(tzinfo=None), due.replace(tzinfo=None)
    return (time - due).total_seconds()


def _shown(time: datetime.datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def _key(student: str) -> str:
    """A student's id as TOML wants it."""
    return json.dumps(student, ensure_ascii=False)


def _names(students: list[str]) -> str:
    return ", ".join(students[:5]) + (f" and {len(students) - 5} more" if len(students) > 5 else "")


def _sentence(problem: dict) -> str:
    place = ".".join(map(str, problem["loc"]))
    message = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
