"""From a submitted notebook to what the grader does with it: cells to run, questions to judge.

Only the student's answers and own cells are taken from the student. Setup cells, test cells and
points come from the master; training cells are not run. The rules:

1. The master's setup cells run first, then the student's cells from top to bottom.
2. A cell answers the questions whose functions it defines, whatever its grade id says.
3. A stub never replaces an answer. Of several answers the last counts.
4. A question is judged at its test cell, or further down, where its answer or what that uses is defined.
5. What stands below the last judged question is not run: it cannot change anything.

Every repair is a fault, one line of text for the student. Where the intent is not clear, the question
is in `reviews` as well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from autograder.alignment.answers import Answers, find_answers
from autograder.alignment.matching import Given, Match, given
from autograder.alignment.notebook import Unreadable, read
from autograder.alignment.origins import Needs, counted, needs, uses
from autograder.master import Master, Question


@dataclasses.dataclass(frozen=True)
class Run:
    """A cell to run in the student's worker; `answers` are the questions it answers.

    number: of the cell in the submitted notebook, counted from 1 with cells of text; 0 for the master's.
    """

    source: str
    answers: tuple[str, ...] = ()
    number: int = 0


@dataclasses.dataclass(frozen=True)
class Judge:
    """The place in the notebook where a question is judged."""

    question: Question


@dataclasses.dataclass(frozen=True)
class Aligned:
    """What to run and to judge.

    faults: everything that is reported, including the notices, which concern no damage; reviews: by question
    why a person has to look; unwritten: the questions that have no answer, or only a stub; needs: by question
    what its answer uses, and where that comes from.
    """

    steps: tuple[Run | Judge, ...]
    faults: tuple[str, ...]
    notices: tuple[str, ...] = ()
    reviews: dict[str, str] = dataclasses.field(default_factory=dict)
    unwritten: frozenset[str] = frozenset()
    needs: dict[str, Needs] = dataclasses.field(default_factory=dict)


def align(content: bytes, master: Master) -> Aligned:
    """Match a submitted notebook with its master. Raises Unreadable."""
    notebook = read(content)
    from_master = given(master)
    matches = [from_master.match(cell) for cell in notebook.cells]
    answers = find_answers(matches, from_master)
    if not _belongs(matches, answers, from_master):
        raise Unreadable(
            f"No cell of the assignment {master.name} with an answer or test is in this notebook: "
            "was another one handed in?"
        )
    places = {question: _place(question, answers, matches, from_master) for question in master.questions}
    faults = [*notebook.faults, *_lost_ids(matches, from_master), *_locked_faults(matches, from_master)]
    faults += [*answers.faults, *_order_faults(places, answers, matches, from_master)]
    faults += _written_faults(matches, from_master)
    doubts = answers.reviews
    reviews = _untrained(places, answers, from_master) | {
        question.name: doubts[name] for question in places for name in question.answers if name in doubts
    }
    notices = [*_notices(matches, from_master), *reviews.values(), *doubts.values()]
    return Aligned(
        steps=_steps(places, answers, from_master),
        faults=tuple(dict.fromkeys([*faults, *notices])),
        notices=tuple(dict.fromkeys(notices)),
        reviews=reviews,
        unwritten=frozenset(from_master.homes) - answers.written,
        needs={item.name: needs(item, answers, matches, from_master) for item in places},
    )


def _belongs(matches: list[Match], answers: Answers, from_master: Given) -> bool:
    """Whether anything of the assignment is there besides the setup, which others share."""
    ours = {*from_master.homes.values(), *from_master.tests, *from_master.written}
    roles = {match.role for match in matches if match.cell.source.strip()}
    return bool(roles & ours or any(answers.counted.values()) or answers.reviews)


def _steps(places: dict[Question, int], answers: Answers, from_master: Given) -> tuple[Run | Judge, ...]:
    steps: list[Run | Judge] = [Run(source) for source in from_master.setup.values()]
    waiting = sorted(places, key=places.get)  # stable: in the master's order where the place is the same
    for index, piece in enumerate(answers.pieces):
        if piece is None:
            continue
        while waiting and places[waiting[0]] < piece.place:
            steps.append(Judge(waiting.pop(0)))
        if not waiting:
            break
        names = set(answers.answered_by(index))
        answered = tuple(question.name for question in places if names.intersection(question.answers))
        steps.append(Run(piece.code.source, answered, piece.number))
    return (*steps, *map(Judge, waiting))


def _place(question: Question, answers: Answers, matches: list[Match], from_master: Given) -> int:
    """The cell after which a question is judged; -1 if nothing answers or tests it."""
    last = max((answers.places[index] for index in counted(question, answers)), default=-1)
    tests = _tests(question.name, matches)
    place = next((test for test in tests if test >= last), last)
    return max(place, _reach(question, place, answers, from_master))


def _tests(name: str, matches: list[Match]) -> list[int]:
    return [
        place for place, match in enumerate(matches) if match.role == f"test_{name}" or name in match.tested
    ]


def _reach(question: Question, place: int, answers: Answers, from_master: Given) -> int:
    """Where all is defined that the answer to a question uses, directly or not."""
    lacking = _lacking(question, place, answers, from_master)
    for piece in filter(None, answers.pieces):
        if found := lacking & piece.code.binds:
            place, lacking = max(place, piece.place), lacking - found
    return place


def _lacking(question: Question, place: int, answers: Answers, from_master: Given) -> set[str]:
    """The names that the answer to a question uses, directly or not, and that are not set up to `place`."""
    there = (piece.code.binds for piece in answers.pieces if piece is not None and piece.place <= place)
    return uses(question, answers) - from_master.binds.union(*there)


def _untrained(places: dict[Question, int], answers: Answers, from_master: Given) -> dict[str, str]:
    """Questions whose answers use what only training cells set."""
    found = {
        question.name: _lacking(question, place, answers, from_master) & from_master.defined_in_training
        for question, place in places.items()
    }
    return {
        name: f"'{name}' uses '{min(names)}', which only the training section sets, and that is not run"
        for name, names in found.items()
        if names
    }


def _lost_ids(matches: list[Match], from_master: Given) -> Iterator[str]:
    """Cells that were recognised although nbgrader's name of them was lost."""
    named = {match.cell.grade_id for match in matches}
    found = {name for match in matches for name in from_master.recognised(match)}
    wanted = [*from_master.setup, *dict.fromkeys(from_master.homes.values()), *from_master.tests]
    lost = [name for name in wanted if name in found - named]
    if lost and not named & set(wanted):
        yield "the grade ids of the cells were lost: they were recognised by what they hold"
    elif lost:
        yield f"the grade id was lost, and the cell recognised by what it holds: {', '.join(map(repr, lost))}"


def _locked_faults(matches: list[Match], from_master: Given) -> Iterator[str]:
    """What happened to setup and test cells."""
    for name in (*from_master.setup, *from_master.tests):
        found = [
            match for match in matches if match.cell.source.strip() and name in from_master.locked(match)
        ]
        if not found:
            yield f"cell '{name}' was deleted: restored"
        edited = [match.cell for match in found if from_master.is_edited(match, name)]
        if any(not cell.as_released for cell in edited):
            yield f"cell '{name}' was edited: restored"
        if any(match.cell.kind != "code" for match in found):
            yield f"cell '{name}' was turned into text: restored"
        if len(found) > 1:
            yield f"cell '{name}' occurs {len(found)} times: used once"
        for other in sorted({match.role for match in found} - {name, ""}):
            yield f"cells '{other}' and '{name}' were joined: taken apart"
        if any(match.role == name and from_master.own_part(match) for match in found):
            yield f"what was added to cell '{name}' runs as a cell of your own"


def _notices(matches: list[Match], from_master: Given) -> Iterator[str]:
    """What the table reports although the student damaged nothing."""
    for name in (*from_master.setup, *from_master.tests):
        found = [match for match in matches if name in from_master.locked(match)]
        if any(from_master.is_edited(match, name) and match.cell.as_released for match in found):
            yield f"cell '{name}' is from an earlier release: the present one was used"


def _written_faults(matches: list[Match], from_master: Given) -> Iterator[str]:
    for match in matches:
        if match.role in from_master.written and match.cell.kind == "code":
            yield f"cell '{match.role}' was turned into code: read as text"


def _order_faults(
    places: dict[Question, int], answers: Answers, matches: list[Match], from_master: Given
) -> Iterator[str]:
    """Cells that stand elsewhere than they are needed."""
    first = min(
        (answers.places[index] for indices in answers.counted.values() for index in indices), default=0
    )
    for name in from_master.setup:
        if any(match.role == name for match in matches[first + 1 :]) and not any(
            match.role == name for match in matches[: first + 1]
        ):
            yield f"cell '{name}' stands below answers: run first"
    for question, place in places.items():
        tests = _tests(question.name, matches)
        if tests and place > tests[-1]:
            yield f"'{question.name}' or what it uses is defined below its test: judged there"
