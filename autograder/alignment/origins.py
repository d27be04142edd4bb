"""Where the names come from that an answer uses: the cells that define them, be they run or not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from autograder.alignment.answers import Answers, Piece
from autograder.alignment.matching import Given, Match
from autograder.master import TRAINING_TAG, Question

ANY_NAME = "*"  # of a cell such as `from helpers import *`
_LONGEST_LINE = 60


@dataclasses.dataclass(frozen=True)
class Origin:
    """A cell of the student's that would define a name.

    name: or ANY_NAME; number: of the cell, see Run; line: its first one; unrun: why it defines nothing in the
    notebook, as the end of a sentence about it, empty where it is run as Python of the notebook.
    """

    name: str
    number: int
    line: str
    unrun: str = ""


@dataclasses.dataclass(frozen=True)
class Needs:
    """What the answer to a question needs.

    names: those that it asks for, and what its answer uses, directly or not, from other cells;
    origins: the cells that would define them, from top to bottom.
    """

    names: frozenset[str] = frozenset()
    origins: tuple[Origin, ...] = ()


def counted(question: Question, answers: Answers) -> list[int]:
    """The pieces that answer a question."""
    return sorted({index for name in question.answers for index in answers.counted[name]})


def uses(question: Question, answers: Answers) -> set[str]:
    """The names that the answer to a question uses, directly or not."""
    return set().union(*(piece.code.uses for piece in _behind(question, answers)))


def _behind(question: Question, answers: Answers) -> list[Piece]:
    """The pieces that answer a question, and those that define what these use, directly or not."""
    used: set[str] = set()
    found: list[Piece] = []
    waiting = [piece for index in counted(question, answers) if (piece := answers.pieces[index]) is not None]
    while waiting:
        found.append(waiting.pop())
        new = found[-1].code.uses - used
        used |= new
        waiting += [piece for needed in new for piece in answers.binding.get(needed, ())]
    return found


def needs(question: Question, answers: Answers, matches: list[Match], from_master: Given) -> Needs:
    """What the answer to a question needs."""
    used = (piece.code.uses - piece.code.binds for piece in _behind(question, answers))
    names = frozenset(question.answers).union(*used) - from_master.binds
    pieces = {piece.number: piece for piece in answers.pieces if piece is not None}
    found = [
        origin
        for number, match in enumerate(matches, 1)
        for origin in (
            _of_piece(names - _stubs(pieces[number], answers), pieces[number])
            if number in pieces
            else _of_unrun(names, number, match, from_master)
        )
    ]
    return Needs(names, tuple(found))


def _stubs(piece: Piece, answers: Answers) -> set[str]:
    """The graded names to which a piece gives a stub only."""
    return {
        name for name in answers.homes if not piece.definitions(name, "written", "blocked", "value", "broken")
    }


def _of_piece(names: frozenset[str], piece: Piece) -> Iterator[Origin]:
    line = _first_line(piece.code.source)
    for name in sorted(names & piece.code.binds):
        yield Origin(name, piece.number, line)
    for name in sorted(names & piece.code.beneath):
        why = f"is not run as Python of the notebook, as it begins with `{piece.code.magic[:_LONGEST_LINE]}`"
        yield Origin(name, piece.number, line, why)
    if piece.code.binds_unseen:
        yield Origin(ANY_NAME, piece.number, line)


def _of_unrun(names: frozenset[str], number: int, match: Match, from_master: Given) -> Iterator[Origin]:
    if match.cell.kind != "code":
        why = "is a cell of text, so it is not run"
    elif match.role == TRAINING_TAG:
        why = "belongs to the training section, which is not run"
    elif match.role in from_master.tests:
        why = "is a test: what it defines is not there for your own cells"
    else:
        return
    for name in sorted(names & match.code.binds):
        yield Origin(name, number, _first_line(match.cell.source), why)


def _first_line(source: str) -> str:
    line = source.strip().partition("\n")[0].strip()
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
