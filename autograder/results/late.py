"""The late policy of an assignment: what handing in late costs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FILE = "late_policy.toml"
_EXAMPLE = 'Such a file reads, for example:\n  percent = 20\n  late = ["ben"]\n  excused = ["ada"]'


class InvalidLatePolicy(ValueError):
    """The late policy cannot be followed; the message says what is wrong and how the file should look."""


class LatePolicy(BaseModel):
    """What the instructor wrote into DIR/NAME/late_policy.toml; without that file being late costs nothing.

    percent: of the points, taken off who is late; late: students who are late though the download
    does not say so; excused: students whom it costs nothing. Students are called as in `grades.json`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    percent: float = Field(0.0, ge=0, le=100)
    late: list[str] = []
    excused: list[str] = []

    @model_validator(mode="after")
    def _nobody_is_both(self) -> LatePolicy:
        both = sorted({*self.late} & {*self.excused})
        if both:
            raise ValueError(f"{', '.join(both)}: named as late and as excused")
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
        """Raise InvalidLatePolicy where the policy names somebody who is not in the class."""
        unknown = sorted({*self.late, *self.excused} - {*students})
        if unknown:
            raise InvalidLatePolicy(
                f"{FILE} names {', '.join(map(repr, unknown))}, who handed in nothing. Write students as the "
                "table of the class and grades.json do, or take them out."
            )

    def remark(self, student: str, marked: bool) -> str:
        """What is to be said about being late, empty for who is not; marked: the download says so."""
        if not marked and student not in self.late:
            return ""
        if student in self.excused:
            return "late, which is excused"
        return f"late: {self.percent:g} % off" if self.percent else "late"

    def percent_off(self, student: str, marked: bool) -> float:
        """How many percent of the points being late costs the student."""
        return self.percent if self.remark(student, marked) and student not in self.excused else 0.0


def _sentence(problem: dict) -> str:
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]
