"""Which of the student's code answers which question, and where a person has to look."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from functools import cached_property

from rapidfuzz import fuzz

from autograder.alignment.definitions import DEFINITIONS, Code, Definition
from autograder.alignment.matching import Given, Match

_WRITTEN = ("written", "blocked")
_LONGEST_JOINED = 20_000  # characters: of a function that was split over several cells
_SPELT_ALIKE = 85  # per cent: then another name may be meant for the question's


@dataclasses.dataclass(frozen=True)
class Piece:
    """Code of the student's own.

    place: its cell's index in the submitted notebook, -1 for what was added to setup cells, which runs first;
    number: of its cell, counted from 1; home: the role of its cell; retyped: the cell is text;
    late: an own cell of the training section.
    """

    place: int
    number: int
    home: str
    code: Code
    retyped: bool = False
    late: bool = False

    def definitions(self, name: str, *states: str) -> list[Definition]:
        """Its definitions of `name` in one of these states."""
        return [item for item in self.code.definitions if item.name == name and item.state in states]


@dataclasses.dataclass(frozen=True)
class Answers:
    """pieces: the code that may run, in order; None where nothing is left.

    counted: by graded name the indices of the pieces that define it; of these the last counts.
    written: the graded names for which there is more than a stub; places: of the pieces, see Piece;
    reviews: by graded name; homes: see Given.
    """

    pieces: tuple[Piece | None, ...]
    counted: dict[str, tuple[int, ...]]
    written: frozenset[str]
    places: tuple[int, ...]
    faults: tuple[str, ...]
    reviews: dict[str, str]
    homes: dict[str, str]

    @cached_property
    def binding(self) -> dict[str, list[Piece]]:
        """By name the pieces that set it."""
        found: dict[str, list[Piece]] = {}
        for piece in filter(None, self.pieces):
            for name in piece.code.binds:
                found.setdefault(name, []).append(piece)
        return found

    def answered_by(self, index: int) -> tuple[str, ...]:
        """The graded names that a piece defines, or that its cell is meant to define."""
        names = tuple(name for name, indices in self.counted.items() if index in indices)
        piece = self.pieces[index]
        is_helper = not any(item.name in self.counted for item in piece.code.definitions)
        return names or tuple(name for name in self.counted if is_helper and piece.home == self.homes[name])


def find_answers(matches: list[Match], given: Given) -> Answers:
    """The student's code of a notebook, without stubs that an answer replaces."""
    faults: list[str] = []
    pieces = _joined(_pieces(matches, given), given, faults)
    counted = {name: _best(name, pieces, given) for name in given.homes}
    doubts = {name: _doubt(name, counted[name], pieces, matches, given) for name in counted}
    for name in counted:
        faults += _faults(name, given.homes[name], counted[name], pieces, matches)
    used = {index for indices in counted.values() for index in indices}
    written = frozenset(name for name, indices in counted.items() if not _is_open(name, indices, pieces))
    left = (
        None if piece.retyped and index not in used else _without_stubs(piece, written)
        for index, piece in enumerate(pieces)
    )
    places = tuple(piece.place for piece in pieces)
    reviews = {name: doubt for name, doubt in doubts.items() if doubt}
    return Answers(tuple(left), counted, written, places, tuple(faults), reviews, given.homes)


def _pieces(matches: list[Match], given: Given) -> Iterator[Piece]:
    """What is the student's own, in the order in which it is to run."""
    added = [
        Piece(-1, number, match.role, own)
        for number, match in enumerate(matches, 1)
        if match.role in given.setup and (own := _own(match, given))
    ]
    yield from added
    trained = False
    for place, match in enumerate(matches):
        trained |= given.begins_training(match)
        if match.role not in given.setup and (own := _own(match, given)):
            yield Piece(
                place, place + 1, match.role, own, match.cell.kind != "code", trained and not match.role
            )


def _own(match: Match, given: Given) -> Code | None:
    """The student's part of a cell; of text only what is an answer."""
    own = given.own_part(match) if match.cell.source.strip() else None
    if own is None or not own.acts:
        return None
    if match.cell.kind == "code":
        return own
    written = {item.name for item in own.definitions if item.state in (*_WRITTEN, "value")}
    return own if written & given.homes.keys() else None


def _joined(pieces: Iterator[Piece], given: Given, faults: list[str]) -> list[Piece]:
    """The pieces, with functions put together that were split over several cells."""
    result: list[Piece] = []
    for piece in pieces:
        whole = _whole(result[-1], piece) if result else None
        names = sorted(given.defined(whole)) if whole else []
        if not names:
            result.append(piece)
            continue
        home = result[-1].home or piece.home
        result[-1] = dataclasses.replace(result[-1], code=whole, home=home)
        faults.append(f"'{names[-1]}' was split over several cells: put together")
    return result


def _whole(first: Piece, second: Piece) -> Code | None:
    """Two cells as one, where only together they are Python."""
    if second.code.source.lstrip("\n")[:1] not in (" ", "\t") or first.retyped or second.retyped:
        return None
    if not first.code.is_open_ended or (first.code.is_complete and second.code.is_complete):
        return None
    if first.home and second.home and first.home != second.home:
        return None
    if len(first.code.source) > _LONGEST_JOINED:
        return None
    whole = Code(f"{first.code.source}\n{second.code.source}", first.code.values)
    return whole if whole.is_complete else None


def _best(name: str, pieces: list[Piece], given: Given) -> tuple[int, ...]:
    """The indices of the pieces that define the graded `name`: those of the best kind there is."""
    home = given.homes[name]
    kinds = (
        # A variable may be used again elsewhere, for something else.
        lambda piece: name in given.values and piece.home == home and piece.definitions(name, *_WRITTEN),
        lambda piece: not piece.late and not piece.retyped and piece.definitions(name, *_WRITTEN),
        lambda piece: not piece.retyped and piece.definitions(name, *_WRITTEN),
        lambda piece: not piece.retyped and piece.definitions(name, "value"),
        lambda piece: not piece.retyped and piece.definitions(name, "broken"),
        lambda piece: piece.definitions(name, *_WRITTEN, "value"),
        lambda piece: piece.definitions(name, "stub"),
        lambda piece: piece.home == home,
    )
    for is_kind in kinds:
        if found := tuple(index for index, piece in enumerate(pieces) if is_kind(piece)):
            return found[:1] if _are_copies(name, [pieces[index] for index in found]) else found
    return ()


def _are_copies(name: str, pieces: list[Piece]) -> bool:
    """Whether they all say the same."""
    return len({item.tree for piece in pieces for item in piece.code.definitions if item.name == name}) == 1


def _is_open(name: str, indices: tuple[int, ...], pieces: list[Piece]) -> bool:
    """Whether the question has no answer: nothing defines it, or only stubs do."""
    return not any(pieces[index].definitions(name, *_WRITTEN, "value", "broken") for index in indices)


def _without_stubs(piece: Piece, answered: frozenset[str]) -> Piece | None:
    stubs = [item.node for item in piece.code.definitions if item.state == "stub" and item.name in answered]
    removed = {node: "" for node in stubs if node in piece.code.statements}
    if not removed:
        return piece
    code = piece.code.replaced(removed)
    return dataclasses.replace(piece, code=code) if code.statements else None


def _doubt(
    name: str, indices: tuple[int, ...], pieces: list[Piece], matches: list[Match], given: Given
) -> str:
    """Why a person has to look at the answer called `name`; empty if nobody has."""
    if _is_open(name, indices, pieces):
        return _perhaps(name, pieces, matches, given) or _fragment(name, pieces, matches, given)
    answers = [piece for piece in pieces if not piece.retyped and piece.definitions(name, *_WRITTEN)]
    versions = {piece.definitions(name, *_WRITTEN)[-1].tree for piece in answers}
    if len(versions) > 1:
        where = "" if answers[-1] is pieces[indices[-1]] else "above the training section "
        return f"'{name}' has {len(versions)} different answers: the last one {where}counts"
    if any(_is_blocked(name, pieces[index]) for index in indices):
        return f"'{name}' has code below `raise NotImplementedError`, which stops before it"
    return _fragment(name, pieces, matches, given) if pieces[indices[-1]].definitions(name, "broken") else ""


def _is_blocked(name: str, piece: Piece) -> bool:
    """Whether its definition of `name` has a left-over `raise NotImplementedError` in it or above it."""
    above = piece.code.first_raise
    return any(
        item.state == "blocked" or (above and item.node and above < item.node.lineno)
        for item in piece.definitions(name, *_WRITTEN, "value")
    )


def _perhaps(name: str, pieces: list[Piece], matches: list[Match], given: Given) -> str:
    """What may be the answer to a question that has none; empty if there is nothing."""
    for piece in pieces:
        if name in piece.code.beneath:
            return f"'{name}' stands below `{piece.code.magic[:80]}`, so the notebook does not define it"
        if name in piece.code.inner:
            return f"'{name}' is defined only inside of another function or a class"
        for item in piece.code.definitions:
            if isinstance(item.node, DEFINITIONS) and _is_meant(item, name, piece, given):
                return f"'{name}' is not defined, but '{item.name[:80]}' is: is that the answer?"
    home = given.homes[name]
    for match in matches:
        meant = match.role == home or any(item.name == name for item in match.code.definitions)
        if meant and match.cell.kind != "code" and match.cell.source.strip():
            return f"'{name}' may be answered in a cell of text, which is not code"
    at_home = [piece for piece in pieces if piece.home == home and not given.is_blank(home, piece.code)]
    if any(not piece.definitions(name, "stub") for piece in at_home):
        return f"cell '{home}' holds code, but it does not define '{name}'"
    return _beside(name, pieces, matches)


def _fragment(name: str, pieces: list[Piece], matches: list[Match], given: Given) -> str:
    """Whether a part of an answer may stand in a cell of its own, where it is not Python."""
    places = (given.homes[name], f"test_{name}")
    codes = [piece.code for piece in pieces if not piece.home]
    codes += [
        match.code
        for match in matches
        if match.role in places or (match.cell.kind != "code" and match.code.tree)
    ]
    if any(not code.is_complete and all(item.name != name for item in code.definitions) for code in codes):
        return f"'{name}' is not complete, but there is a cell that may be a part of it"
    return ""


def _is_meant(item: Definition, name: str, piece: Piece, given: Given) -> bool:
    """Whether another function may be the answer to question `name`."""
    if item.name in given.homes or item.name in given.defined_in_training or item.state == "stub":
        return False
    spelt = [text.replace("_", "").lower() for text in (item.name, name)]
    return fuzz.ratio(*spelt) >= _SPELT_ALIKE or (
        piece.home == given.homes[name] and not piece.definitions(name, "stub")
    )


def _beside(name: str, pieces: list[Piece], matches: list[Match]) -> str:
    """Whether own code stands between the stub and its test."""
    stubs = [piece.place for piece in pieces if piece.definitions(name, "stub")]
    tests = [place for place, match in enumerate(matches) if match.role == f"test_{name}"]
    if not stubs or not tests:
        return ""
    own = [piece for piece in pieces if not piece.home and stubs[0] < piece.place < tests[-1]]
    own = [
        piece
        for piece in own
        if any(not isinstance(node, ast.Import | ast.ImportFrom) for node in piece.code.statements)
    ]
    return f"'{name}' is not written, but code of your own stands below it" if own else ""


def _faults(
    name: str, home: str, indices: tuple[int, ...], pieces: list[Piece], matches: list[Match]
) -> Iterator[str]:
    named = [match for match in matches if match.role == home and match.cell.source.strip()]
    if not indices and not named:
        yield f"cell '{home}' is missing: the question counts as not answered"
        return
    if len(named) > 1:
        yield f"cell '{home}' occurs {len(named)} times: {_of_several(name, indices, pieces)}"
    if _is_open(name, indices, pieces):
        return
    for index in indices:
        yield from _origin(name, home, pieces[index], bool(named))


def _of_several(name: str, indices: tuple[int, ...], pieces: list[Piece]) -> str:
    if len(indices) > 1:
        return "all run, the last definition counts"
    written = [
        piece
        for piece in pieces
        if any(item.name == name and item.state != "stub" for item in piece.code.definitions)
    ]
    return "the one with an answer counts" if len(written) == 1 else "used once"


def _origin(name: str, home: str, piece: Piece, is_named: bool) -> Iterator[str]:
    """Where an answer was found, if not in the cell that is meant for it."""
    if piece.retyped:
        yield f"the answer to '{name}' was found in a cell of text: run as code"
    elif piece.home and piece.home != home:
        yield f"the answer to '{name}' was found in cell '{piece.home}': taken from there"
    elif not piece.home and is_named:
        yield f"the answer to '{name}' was found in a cell of your own: taken from there"
