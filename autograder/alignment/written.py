"""Finds the answers in words: those that a person grades, in a submitted notebook."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.alignment.notebook import Cell, read
from autograder.master import Master, grade_id

_MAX_CHARACTERS = 20_000


def written_answers(content: bytes, master: Master) -> dict[str, str | None]:
    """What was written for each of the master's written questions, None where its place is gone.

    content: a notebook that `alignment.align` accepts. An answer is the cell of its id and the text
    below it, or, where a notebook has lost its ids, the text below the question's prompt. What
    students were given is left out.
    """
    if not master.written:
        return {}
    cells = read(content).cells
    given = {_squeezed(cell.source) for cell in master.notebook.cells}
    given |= {_squeezed(question.visible_test) for question in master.questions}
    prompts = _prompts(master)
    return {
        question.name: _answer(question.name, question.stub, prompts[question.name], cells, given)
        for question in master.written
    }


def _prompts(master: Master) -> dict[str, str]:
    """The text above each written question, by the question's name."""
    cells = master.notebook.cells
    names = {question.name for question in master.written}
    return {
        grade_id(cell): above.source
        for above, cell in zip(cells, cells[1:], strict=False)
        if grade_id(cell) in names
    }


def _answer(name: str, stub: str, prompt: str, cells: Sequence[Cell], given: set[str]) -> str | None:
    parts: list[str] = []
    found = inside = False
    for cell in cells:
        starts = _heading(prompt) == _heading(cell.source)
        if name in (cell.grade_id, cell.id) or starts:
            found = inside = True
            parts.append(_without(cell.source, prompt) if starts else cell.source)
        elif cell.kind == "code" or _squeezed(cell.source) in given:
            inside = False
        elif inside:
            parts.append(cell.source)
    return _cut(_without("\n\n".join(parts), stub).strip()) if found else None


def _heading(text: str) -> str:
    return text.strip().partition("\n")[0].strip()


def _without(text: str, given: str) -> str:
    """`text` without the lines that students were given."""
    lines = {line.strip() for line in given.splitlines()} - {""}
    return "\n".join(line for line in text.splitlines() if line.strip() not in lines)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}\n\n(cut here)"


def _squeezed(text: str) -> str:
    return " ".join(text.split())
