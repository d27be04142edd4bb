"""Tags, metadata, cell types and files that are no notebooks."""

import json

from tests.hostile import DOUBLE, RIGHT, SOLVED, SUM, UNREADABLE, WRONG, Hostile, own_cells
from tests.notebooks import as_bytes, cell, code, submission

UNSOLVED = {SUM: ("failed", 0), DOUBLE: ("passed", 2)}


def edited(name, tries, change, verdict=UNSOLVED, answer=WRONG, **options):
    """A notebook whose `running_sum` is wrong, after `change` was made to it."""
    notebook = submission(running_sum=answer)
    change(notebook)
    return Hostile(name, tries, as_bytes(notebook), verdict, **({"anywhere": True} | options))


def _tag(notebook, name, *tags):
    cell(notebook, name)["metadata"]["tags"] = list(tags)


def _nbgrader(notebook, name, **fields):
    cell(notebook, name)["metadata"].setdefault("nbgrader", {}).update(fields)


def _swap(notebook):
    one, other = cell(notebook, "test_running_sum"), cell(notebook, "test_double")
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]
    one["id"], other["id"] = other["id"], one["id"]


def _swap_answers(notebook):
    one, other = cell(notebook, SUM), cell(notebook, DOUBLE)
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]
    one["id"], other["id"] = other["id"], one["id"]


def _forge_outputs(notebook):
    for item in notebook["cells"]:
        if item["cell_type"] == "code":
            item["outputs"] = [
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "3.0"},
                    "metadata": {},
                    "execution_count": 1,
                }
            ]


def _replace_test(notebook):
    cell(notebook, "test_running_sum")["source"] = "3.0"


def _remove(notebook, *names):
    notebook["cells"] = [item for item in notebook["cells"] if item.get("id") not in names]


def _patched_setup(notebook):
    cell(notebook, "imports")["source"] += "\nChecks.score = lambda self: 3.0\nclose = lambda *a: None"


def _no_metadata(notebook):
    for item in notebook["cells"]:
        item.pop("id", None)
        item["metadata"] = {}


def _odd_fields(notebook):
    notebook["metadata"] = "text"
    notebook["nbformat"], notebook["nbformat_minor"] = "four", -1
    for item, odd in zip(
        notebook["cells"],
        [None, 7, "text", [], {"nbgrader": []}, {"nbgrader": {"grade_id": {}}}, {"tags": 5}],
        strict=False,
    ):
        item["metadata"] = odd
        item["outputs"] = "none"
        item["execution_count"] = []
    notebook["cells"] += [
        None,
        7,
        [],
        "cell",
        {},
        {"cell_type": []},
        {"cell_type": "code"},
        {"cell_type": "code", "source": [1, None]},
    ]


def raw(name, tries, content, **options):
    return Hostile(name, tries, content, UNREADABLE, "unreadable", **options)


ENTRIES = [
    edited(
        "test tagged training",
        "A tag that would take the test out of grading.",
        lambda n: _tag(n, "test_running_sum", "training"),
    ),
    edited(
        "answer tagged training",
        "A wrong answer that nobody shall run.",
        lambda n: _tag(n, SUM, "training", "skip-execution", "remove_cell"),
    ),
    edited("test replaced by its points", "A test cell that says 3.0.", _replace_test),
    edited("tests deleted", "No test, no mistake.", lambda n: _remove(n, "test_running_sum", "test_double")),
    edited("setup cell patched", "The locked setup cell with a patch of the checks.", _patched_setup),
    edited(
        "points in the metadata",
        "A thousand points for the question.",
        lambda n: _nbgrader(n, "test_running_sum", points=1000, locked=False, grade=True),
    ),
    edited(
        "answer that grades itself",
        "An answer cell with a test's flags.",
        lambda n: _nbgrader(n, SUM, grade=True, points=3, solution=False, locked=True),
    ),
    edited(
        "manual grading",
        "A flag that asks for a person's mark.",
        lambda n: _nbgrader(n, "test_running_sum", solution=True, task=True),
    ),
    edited("tests exchanged", "Two tests that carry each other's metadata.", _swap),
    edited("forged outputs", "Outputs that show all points.", _forge_outputs),
    edited(
        "another answer's id",
        "Two tests, and one answer that claims the other's name.",
        lambda n: _nbgrader(n, "test_running_sum", grade_id="test_double"),
    ),
    edited(
        "hidden tests of its own",
        "A cell with the markers of hidden tests.",
        lambda n: n["cells"].insert(
            3, code("### BEGIN HIDDEN TESTS\ncheck.hide()\n### END HIDDEN TESTS\n3.0")
        ),
    ),
    edited(
        "second test",
        "A test cell of the student's own, with the id of the real one.",
        lambda n: n["cells"].append(
            {
                **code("3.0"),
                "metadata": {"nbgrader": {"grade_id": "test_running_sum", "grade": True, "points": 3}},
            }
        ),
    ),
    edited(
        "kernel of another language",
        "Metadata that asks for a shell.",
        lambda n: n["metadata"].update(
            kernelspec={"name": "bash", "language": "bash"}, language_info={"name": "bash"}
        ),
    ),
    edited("odd fields", "Numbers, nothing and lists where the format wants other things.", _odd_fields),
    edited(
        "answers exchanged",
        "Two right answers that carry each other's metadata.",
        _swap_answers,
        SOLVED,
        RIGHT,
    ),
    edited("no metadata", "All ids and metadata stripped.", _no_metadata, SOLVED, RIGHT),
    edited(
        "answer twice, wrong last",
        "Two answers, of which the last counts.",
        lambda n: n["cells"].insert(
            3, {**code(WRONG), "metadata": {"nbgrader": {"grade_id": SUM, "solution": True}}}
        ),
        UNSOLVED,
        RIGHT,
    ),
    edited(
        "attachments and raw cells",
        "Cells that are no code, with attachments that are no files.",
        lambda n: n["cells"].extend(
            [
                {"cell_type": "raw", "source": "3.0", "metadata": {}},
                {
                    "cell_type": "markdown",
                    "source": "x",
                    "metadata": {},
                    "attachments": {"../../x": {"image/png": "!"}},
                },
            ]
        ),
    ),
    edited(
        "large outputs",
        "Ten megabytes of output in the notebook.",
        lambda n: cell(n, SUM).update(
            outputs=[{"output_type": "stream", "name": "stdout", "text": "x" * 10**7}]
        ),
    ),
    raw("empty file", "Nothing.", b""),
    raw("not JSON", "A file that is no JSON.", b"\x7fELF\x02\x01\x01" + bytes(1000)),
    raw(
        "a pickle",
        "A pickle in place of a notebook.",
        b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
    ),
    raw("a zip", "A zip in place of a notebook.", b"PK\x05\x06" + bytes(18)),
    raw("half a notebook", "A file cut in the middle.", as_bytes(submission())[:1000]),
    Hostile(
        "another encoding", "UTF-16.", json.dumps(submission(running_sum=WRONG)).encode("utf-16"), UNSOLVED
    ),
    Hostile(
        "bytes that are no text",
        "Invalid UTF-8 in an answer.",
        as_bytes(submission(running_sum=WRONG + "# text")).replace(b"# text", b"# \xff\xfe"),
        UNSOLVED,
    ),
    raw("deep JSON", "A hundred thousand brackets.", b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    raw(
        "a number of many digits", "A number longer than Python reads.", b'{"cells": ' + b"9" * 100_000 + b"}"
    ),
    raw("no cells", "A notebook without cells.", b'{"cells": [], "nbformat": 4}'),
    raw(
        "another notebook",
        "A notebook of another course.",
        json.dumps({"cells": [code("print(1)")], "nbformat": 4}).encode(),
    ),
    Hostile(
        "two lists of cells",
        "The key that holds the cells, twice: tests first, then none.",
        as_bytes(submission(running_sum=WRONG))[:-1] + b', "cells": []}',
        UNREADABLE,
        "unreadable",
    ),
    Hostile(
        "byte-order mark and surrogates",
        "Text that cannot be written down.",
        b"\xef\xbb\xbf" + json.dumps(submission(running_sum=WRONG + "# \ud800 \u202e \x00")).encode(),
        {SUM: ("failed|error", 0), DOUBLE: ("passed", 2)},
    ),
    own_cells(
        "thousand copies of the setup",
        "Cells that are almost the setup cell.",
        *[
            f"import numpy as np\n\nfrom policy_gradients.checks import Checks, close  # {n}"
            for n in range(1000)
        ],
        seconds=20,
    ),
]
