"""Bytes handed in as a notebook, aligned with the master: every question judged once, or Unreadable."""

from __future__ import annotations

import json

import atheris

with atheris.instrument_imports(include=["autograder"]):
    from autograder import protocol
    from autograder.alignment import Judge, Run, align
    from autograder.alignment.notebook import Unreadable

from tests.fuzz import fuzz
from tests.notebooks import PAIR, as_bytes, code, submission

RAW, BUILT = b"r", b"b"  # the first byte: the rest is the file, or says how to build one
KEYS = ["cells", "cell_type", "source", "metadata", "nbgrader", "grade_id", "id", "tags", "outputs"]
KEYS += [
    "nbformat",
    "nbformat_minor",
    "worksheets",
    "input",
    "language",
    "colab",
    "solution",
    "grade",
    "points",
]
TEXTS = ["code", "markdown", "raw", "running_sum", "test_running_sum", "double", "test_double", "imports", ""]
TEXTS += [
    "training",
    "def double(x):\n    return 2 * x",
    "check = Checks('double')",
    "\ud800",
    "\x00",
    "%%bash\n",
]
TEXTS += [cell.source for cell in PAIR.notebook.cells]
QUESTIONS = sorted(question.name for question in PAIR.questions)


def target(data: bytes) -> None:
    content = _built(data[1:]) if data[:1] == BUILT else data[1:]
    try:
        aligned = align(content, PAIR)
    except Unreadable as error:
        str(error).encode()
        return
    judged = sorted(step.question.name for step in aligned.steps if isinstance(step, Judge))
    if judged != QUESTIONS:
        raise RuntimeError(f"judged: {judged}")
    protocol.encode([step.source for step in aligned.steps if isinstance(step, Run)])  # as it will be sent
    "\n".join(aligned.faults).encode()  # a line that cannot be written down stops the class


def _built(data: bytes) -> bytes:
    provider = atheris.FuzzedDataProvider(data)
    cells = [_cell(provider) for _ in range(provider.ConsumeIntInRange(0, 8))]
    document = {**_dictionary(provider, 2), "cells": cells}
    return json.dumps(document, ensure_ascii=provider.ConsumeBool()).encode(errors="surrogatepass")


def _cell(provider: atheris.FuzzedDataProvider) -> dict[str, object]:
    """Mostly like a cell, with any of its fields replaced by anything."""
    metadata = {"nbgrader": {"grade_id": _value(provider, 0)}}
    cell = {"cell_type": "code", "source": _value(provider, 1), "metadata": metadata}
    return cell | _dictionary(provider, 4)


def _value(provider: atheris.FuzzedDataProvider, depth: int) -> object:
    kind = provider.ConsumeIntInRange(0, 6 if depth else 4)
    if kind == 0:
        return None
    if kind == 1:
        return provider.ConsumeInt(4)
    if kind in (2, 3):
        return TEXTS[provider.ConsumeIntInRange(0, len(TEXTS) - 1)]
    if kind == 4:
        return provider.ConsumeUnicode(20)
    if kind == 5:
        return [_value(provider, depth - 1) for _ in range(provider.ConsumeIntInRange(0, 4))]
    return _dictionary(provider, depth - 1)


def _dictionary(provider: atheris.FuzzedDataProvider, depth: int) -> dict[str, object]:
    keys = [
        KEYS[provider.ConsumeIntInRange(0, len(KEYS) - 1)] for _ in range(provider.ConsumeIntInRange(0, 6))
    ]
    return {key: _value(provider, depth) for key in keys}


def _seeds() -> list[bytes]:
    notebook = submission()
    bare = {**notebook, "cells": [code(cell["source"]) for cell in notebook["cells"]]}
    old = {"nbformat": 3, "worksheets": [{"cells": [{**code(""), "input": "def double(x): return 2 * x"}]}]}
    files = [as_bytes(item) for item in (notebook, bare, old)]
    files += [b"", b"{}", b'{"cells": []}', files[0][:500], b"\xef\xbb\xbf" + files[0]]
    return [RAW + content for content in files] + [
        BUILT + bytes(range(step, 256)) for step in range(0, 200, 40)
    ]


if __name__ == "__main__":
    fuzz(target, _seeds())
