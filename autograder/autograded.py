"""Writes the graded notebook of a student, as nbgrader's formgrader shows it.

Formgrader shows a notebook with the rights of the instructor who looks at it. So it is made from
the master's cells; what a student wrote comes as code, as plain text, or as Markdown in which
nothing has an effect: no HTML, no links, no pictures. Hidden tests are left out.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from autograder import pages, release
from autograder.class_folder import AUTOGRADED
from autograder.master import Master, grade_id, is_answer, is_test, is_training, is_written
from autograder.verdicts import Judged, QuestionVerdict, write_atomically

_MODEL = "<details><summary>Model answer and points (click to open)</summary>\n\n{model}\n\n</details>"
_MAX_SOURCE = 100_000
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=[(:\[])")
_TEX_WITH_EFFECT = re.compile(
    r"\\+(?=(?:href|url|style|class|cssId|require|bbox|data|unicode|includegraphics|mmlToken)\b)"
)


def folder(out: Path) -> Path:
    """Where formgrader finds the graded notebooks of the results in `out`."""
    return out / AUTOGRADED


def write(out: Path, master: Master, judged: Judged) -> None:
    """Write OUT/autograded/STUDENT/NAME/NAME.ipynb; `judged.verdict` is the row of `grades.json`."""
    path = folder(out) / judged.verdict.student / master.name / f"{master.name}.ipynb"
    text = json.dumps(notebook(master, judged), indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text)


def notebook(master: Master, judged: Judged) -> dict[str, Any]:
    """The graded notebook: the master's cells up to the training, with what the student wrote."""
    metadata, cells = _template(dataclasses.replace(master))
    answers, own = _by_question(master, judged)
    verdicts = {question.name: question for question in judged.verdict.questions}
    written = {question.name: question for question in master.written}
    shown = [
        _markdown(pages.render("autograded.md", row=judged.verdict, max_score=master.max_score)),
        *own[""],
    ]
    for cell in cells:
        name = cell["id"].removeprefix("test_")
        if cell["id"] in verdicts:
            *earlier, last = answers[name] or ["# There is no such cell in this notebook."]
            shown += [_code(source) for source in earlier]
            shown.append({**cell, "source": _text(last), "outputs": _printed(judged.outputs.get(name, ""))})
            shown += own[name]
        elif name in verdicts:
            shown.append({**cell, "outputs": _printed(_result(verdicts[name]))})
        elif name in written:
            shown.append(_markdown(_MODEL.format(model=written[name].model)))
            shown.append({**cell, "source": harmless(judged.answers.get(name, "")) or written[name].stub})
        else:
            shown.append(cell)
    shown = [{**cell, "id": cell.get("id") or f"own-{place}"} for place, cell in enumerate(shown)]
    return {"cells": shown, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def harmless(text: str) -> str:
    """A student's Markdown, in which neither HTML nor a link, a picture or a TeX command does anything."""
    # TeX first: what is taken away lets its neighbours meet, and `<` and `style` make a tag
    shown = _TEX_WITH_EFFECT.sub("", pages.plain(text, _MAX_SOURCE))
    return _LINK.sub("] ", _TAG.sub("< ", shown))


@lru_cache(maxsize=4)
def _template(master: Master) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    """The notebook's metadata, and its cells up to the last one that is graded."""
    from nbgrader.preprocessors import ComputeChecksums

    source, _ = ComputeChecksums().preprocess(release.source_notebook(master), {})
    last = max(place for place, cell in enumerate(source.cells) if is_test(cell) or is_written(cell))
    visible = {f"test_{question.name}": question.visible_test for question in master.questions}
    cells = [cell for cell in source.cells[: last + 1] if not is_training(cell)]
    for cell in cells:
        cell.source = "" if is_answer(cell) or is_written(cell) else visible.get(grade_id(cell), cell.source)
    plain = json.loads(json.dumps({"metadata": source.metadata, "cells": cells}))
    return plain["metadata"], tuple(plain["cells"])


def _by_question(
    master: Master, judged: Judged
) -> tuple[dict[str, list[str]], dict[str, list[dict[str, Any]]]]:
    """The student's code by answer cell, and the student's own cells by the answer cell that they follow."""
    given = {cell.source for cell in master.notebook.cells}
    answers, own, place = defaultdict(list), defaultdict(list), ""
    homes = {question.name: question.cell for question in master.questions}
    for question, source in judged.cells:
        if question:
            place = homes.get(question, question)
            answers[place].append(source)
        elif source not in given:
            own[place].append(_code(source))
    return answers, own


def _result(question: QuestionVerdict) -> str:
    first = f"{question.points:g} of {question.max_points:g} points: {question.status}"
    return "\n".join([first, *(f"- {line}" for line in question.message.splitlines() if line.strip())])


def _code(source: str) -> dict[str, Any]:
    return {
        "cell_type": "code", "metadata": {}, "source": _text(source), "outputs": [], "execution_count": None
    }  # fmt: skip


def _markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _text(source: str) -> str:
    return pages.plain(source, _MAX_SOURCE)


def _printed(text: str) -> list[dict[str, Any]]:
    shown = pages.plain(text)
    return [{"output_type": "stream", "name": "stdout", "text": shown}] if shown.strip() else []
