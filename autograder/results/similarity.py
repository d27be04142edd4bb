"""How alike the answers of a class are, after removing what everybody was given."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Name, String, Token, Whitespace
from rapidfuzz import process
from rapidfuzz.distance import Indel

from autograder.master import Master, is_answer
from autograder.release import assignment_notebook
from autograder.results.graded import Student

LEAST_TOKENS = 30  # shorter answers are alike by chance
_LONGEST_CODE = 20_000  # characters of one answer
_DROPPED = (Comment, String.Doc, Token.Text, Whitespace)
_Line = tuple[tuple[object, str], ...]


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two students; similarity: between 0 and 1; tokens: of the shorter code of the two.

    questions: those for which both wrote code of their own.
    """

    first: str
    second: str
    similarity: float
    tokens: int
    questions: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The most alike pairs among `compared` students; typical: the median over all pairs.

    from_solution: how many answers are those of the course's own solution.
    """

    pairs: tuple[Pair, ...]
    compared: int
    typical: float
    from_solution: int


def compare(students: list[Student], master: Master, most: int = 10) -> Comparison:
    """Compare all students with one another, and keep the `most` pairs that are most alike.

    Of each answer, docstrings, comments and the lines of the released notebook are removed, names
    are replaced by one and the same token, and answers equal to the course's solution are left out.
    The similarity of two students is twice the length of the longest common subsequence of their
    tokens over the sum of both lengths.
    """
    given = _given_lines(master)
    solutions = _solutions(master, given)
    answers = {student.name: _answers(student, given) for student in students}
    own = {
        student: {name: code for name, code in codes.items() if code != solutions.get(name)}
        for student, codes in answers.items()
    }
    from_solution = sum(map(len, answers.values())) - sum(map(len, own.values()))
    long = {name: codes for name, codes in own.items() if sum(map(len, codes.values())) >= LEAST_TOKENS}
    pairs, typical = _most_alike(long, most)
    return Comparison(pairs, len(long), typical, from_solution)


def _answers(student: Student, given: frozenset[_Line]) -> dict[str, list[str]]:
    """The tokens of all answers that have any."""
    code = [question for question in student.questions if not question.written]
    codes = {question.name: tokens(question.answer, given) for question in code}
    return {name: code for name, code in codes.items() if code}


def tokens(code: str, given: frozenset[_Line] = frozenset()) -> list[str]:
    """The tokens of `code` but for the lines in `given`, with all names but library attributes alike."""
    lines = (line for line in _lines(code) if line not in given)
    return [token for line in lines for token in _anonymous(line)]


def _lines(code: str) -> Iterator[_Line]:
    """Lines of tokens, without space, comments and docstrings; never raises, whatever the code."""
    line = []
    for kind, text in PythonLexer(stripnl=False).get_tokens(code[:_LONGEST_CODE]):
        if "\n" in text and line and (kind in Token.Text or kind in Whitespace):
            yield tuple(line)
            line = []
        if not any(kind in dropped for dropped in _DROPPED):
            line.append((kind, text))
    if line:
        yield tuple(line)


def _anonymous(line: _Line) -> Iterator[str]:
    before = ""
    for kind, text in line:
        is_own = kind in Name and kind not in Name.Builtin and before != "."
        shown = text.replace("'", '"') if kind in String else text
        yield "name" if is_own else shown
        before = text


def _given_lines(master: Master) -> frozenset[_Line]:
    cells = [cell.source for cell in assignment_notebook(master).cells if is_answer(cell)]
    return frozenset(line for source in cells for line in _lines(source))


def _solutions(master: Master, given: frozenset[_Line]) -> dict[str, list[str]]:
    cells = [cell for cell in master.notebook.cells if is_answer(cell)]
    return {cell["id"]: tokens(cell.source, given) for cell in cells}


def _most_alike(own: dict[str, dict[str, list[str]]], most: int) -> tuple[tuple[Pair, ...], float]:
    """The pairs in falling order of similarity, and the median of all."""
    if len(own) < 2:
        return (), 0.0
    names = list(own)
    codes = [list(itertools.chain(*answers.values())) for answers in own.values()]
    table = process.cdist(codes, codes, scorer=Indel.normalized_similarity, dtype=np.float32)
    rows, columns = np.triu_indices(len(names), k=1)
    values = table[rows, columns]
    best = np.argsort(-values, kind="stable")[:most]
    pairs = []
    for row, column, value in zip(rows[best], columns[best], values[best], strict=True):
        first, second = names[row], names[column]
        both = tuple(name for name in own[first] if name in own[second])
        pairs.append(Pair(first, second, float(value), min(len(codes[row]), len(codes[column])), both))
    return tuple(pairs), float(np.median(values))
