"""Which notebook of a student counts, and what is to be said about it."""

from __future__ import annotations

import dataclasses
import re
from functools import cached_property

from autograder.intake.files import Entry, Refused, shown
from autograder.intake.handed import Handed, is_notebook, stem
from autograder.intake.people import Person
from autograder.master import Master, grade_id

_MAX_FILES = 5_000
_MAX_NOTEBOOKS = 50
_MAX_BYTES = 256 * 2**20
_DISGUISES = (".json", ".txt")
_GRADE_ID = re.compile(rb'"grade_id"\s*:\s*"(\w{1,200})"')
_DEFINITION = re.compile(rb"\b(?:def|class)\s+(\w{1,200})")
_STUB = b"raise NotImplementedError"


class Assignment:
    """What tells a notebook of this assignment from another, read from the master when needed."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _master(self) -> Master:
        return Master.read(self.name)

    @cached_property
    def _grade_ids(self) -> set[bytes]:
        return {grade_id(cell).encode() for cell in self._master.notebook.cells if grade_id(cell)}

    @property
    def size(self) -> int:
        """How many cells have a name."""
        return len(self._grade_ids)

    def likeness(self, content: bytes) -> tuple[int, int]:
        """(cells of the assignment, minus the number of stubs left): the greater, the better.

        A graded function counts by its cell's grade id or by its definition, for pasted code
        has no metadata. The bytes are searched, not parsed, so a hostile file costs nothing.
        """
        answered = {name.encode() for name in self._master.graded_names}
        named = set(_GRADE_ID.findall(content)) & self._grade_ids
        defined = set(_DEFINITION.findall(content)) & answered
        return len(named | defined), -content.count(_STUB)

    def is_ours(self, entry: Entry) -> bool:
        """Whether a notebook can be read and has cells of the assignment."""
        try:
            return self.likeness(entry.read())[0] > 0
        except Refused:
            return False


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A notebook that could be read, with its likeness to the assignment's."""

    handed: Handed
    content: bytes
    cells: int = 0
    stubs: int = 0  # negative


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The bytes that count, or why there are none; `faults` are lines for the student."""

    content: bytes = b""
    problem: str = ""
    faults: tuple[str, ...] = ()
    late: bool = False
    person: Person = Person()


def choose(handed: list[Handed], assignment: Assignment) -> Chosen:
    """The notebook that counts among all that one student handed in.

    The newest attempt that holds a notebook of the assignment; within it the notebook with
    most of the assignment's cells, then fewest stubs, then by name, then the newest.
    """
    files = [item for item in handed if not item.entry.is_folder]
    if len(files) > _MAX_FILES:
        return _none(handed, f"More than {_MAX_FILES} files were handed in.")
    candidates, refused = _read(_notebooks(files), assignment)
    if not candidates:
        return _none(handed, " ".join(refused) or _nothing(handed))
    newest = max(candidates, key=_newest_of_assignment).handed.attempt
    attempt = [item for item in candidates if item.handed.attempt == newest]
    best = max(_latest_versions(attempt), key=lambda item: _fitness(item, assignment.name))
    faults = [*_name_fault(best.handed, assignment.name), *_number_fault(attempt, best.handed)]
    faults += _attempt_faults(handed, best.handed)
    faults += [f"not read: {reason}" for reason in refused]
    faults += filter(None, [best.handed.note])
    return Chosen(
        best.content,
        faults=tuple(faults),
        late=best.handed.late,
        person=best.handed.person,
    )


def _none(handed: list[Handed], problem: str) -> Chosen:
    faults = [_late(item) for item in handed if item.late] + [item.note for item in handed if item.note]
    return Chosen(
        problem=problem,
        faults=tuple(dict.fromkeys(faults)),
        late=any(item.late for item in handed),
        person=handed[-1].person,
    )


def _notebooks(files: list[Handed]) -> list[Handed]:
    """By name, else by disguise; newest first."""
    found = [item for item in files if is_notebook(_name(item))]
    if not found:
        plain = [item for item in files if _name(item).lower().endswith(_DISGUISES) or "." not in _name(item)]
        found = [item for item in plain[:_MAX_NOTEBOOKS] if _disguised(item)]
    return sorted(found, key=lambda item: (item.version, item.newness, item.entry.parts), reverse=True)


def _name(item: Handed) -> str:
    return item.file or item.entry.parts[-1]


def _disguised(item: Handed) -> bool:
    try:
        content = item.entry.read()
    except Refused:
        return False
    return content[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"cells"' in content


def _read(notebooks: list[Handed], assignment: Assignment) -> tuple[list[Candidate], list[str]]:
    candidates, refused, used = [], [], 0
    for item in notebooks[:_MAX_NOTEBOOKS]:
        try:
            if used + item.entry.size > _MAX_BYTES:
                raise Refused(
                    f"'{shown(_name(item))}' is too much: {_MAX_BYTES // 2**20} MiB are read per student."
                )
            content = item.entry.read()
        except Refused as reason:
            refused.append(str(reason))
            continue
        used += len(content)
        likeness = assignment.likeness(content) if len(notebooks) > 1 else (0, 0)
        candidates.append(Candidate(item, content, *likeness))
    if len(notebooks) > _MAX_NOTEBOOKS:
        refused.append(f"{len(notebooks)} notebooks are too many: the newest {_MAX_NOTEBOOKS} are read.")
    return candidates, list(dict.fromkeys(refused))


def _latest_versions(attempt: list[Candidate]) -> list[Candidate]:
    """The last of every series; what is in no series stays."""
    series: dict[str, list[Candidate]] = {}
    for item in attempt:
        series.setdefault(item.handed.series, []).append(item)
    alone = series.pop("", [])
    return alone + [max(versions, key=_newest_of_assignment) for versions in series.values()]


def _newest_of_assignment(item: Candidate) -> tuple[object, ...]:
    return item.cells > 0, item.handed.version, item.handed.newness, item.handed.entry.parts


def _fitness(item: Candidate, name: str) -> tuple[object, ...]:
    own = (item.handed.series or stem(_name(item.handed))).lower()
    named = (own == name.lower(), name.lower() in own)
    return item.cells, item.stubs, *named, item.handed.newness, item.handed.entry.parts


def _name_fault(chosen: Handed, name: str) -> list[str]:
    if not chosen.file or (chosen.series or stem(chosen.file)) == name:
        return []
    return [f"file '{shown(chosen.file)}' was taken for '{name}.ipynb'"]


def _number_fault(attempt: list[Candidate], chosen: Handed) -> list[str]:
    versions = sum(item.handed.series == chosen.series for item in attempt) if chosen.series else 1
    others = len(attempt) - versions
    name = shown(_name(chosen))
    faults = [f"{versions} attempts were handed in: the newest, '{name}', counts"] if versions > 1 else []
    return faults + ([f"{others + 1} notebooks were handed in: '{name}' was graded"] if others else [])


def _attempt_faults(handed: list[Handed], chosen: Handed) -> list[str]:
    attempts = sorted({item.attempt for item in handed})
    faults = [_late(chosen)] if chosen.late else []
    if len(attempts) > 1:
        faults.append(
            f"{len(attempts)} attempts were handed in: the newest that can be read, "
            f"'{shown(chosen.attempt)}', counts"
        )
    return faults


def _late(item: Handed) -> str:
    return f"'{shown(_name(item))}' was handed in late"


def _nothing(handed: list[Handed]) -> str:
    problems = [item.entry.problem for item in handed if item.entry.problem]
    files = [shown(_name(item)) for item in handed if not item.entry.is_folder]
    if problems:
        return problems[0]
    if not files:
        return "The folder holds no notebook (.ipynb)."
    if any(file.lower().endswith((".zip", ".7z", ".rar", ".tar", ".gz", ".tgz")) for file in files):
        return f"An archive was handed in, which is not opened: {files[0]}. Hand in the notebook itself."
    listed = ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
    return f"No notebook (.ipynb) was handed in, but: {listed}."
