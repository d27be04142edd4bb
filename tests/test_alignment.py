"""Alignment: what a student did to the notebook's structure is repaired and told."""

import pytest

from autograder.alignment import Judge, Run, Unreadable, align
from tests.notebooks import PAIR, as_bytes, cell, code, submission


def steps(notebook):
    """The aligned notebook as short words, and its faults."""
    aligned = align(as_bytes(notebook), PAIR)
    words = []
    for step in aligned.steps:
        match step:
            case Run(source, (name,)):
                words.append(f"run {name}")
            case Run(source):
                words.append(source.splitlines()[0])
            case Judge(question):
                words.append(f"judge {question.name}")
    return words, list(aligned.faults)


WHOLE = ["import numpy as np", "run running_sum", "judge running_sum", "run double", "judge double"]


def test_an_honest_notebook_needs_no_repair_and_is_not_trained():
    assert steps(submission()) == (WHOLE, [])


def saved_by_colab(notebook):
    for item in notebook["cells"]:
        item.pop("id")
        item["metadata"] |= {
            "id": "aBcDeFgHiJkL",
            "outputId": "0-0",
            "executionInfo": {"user": {"displayName": "A"}},
        }
        item["source"] = item["source"].splitlines(keepends=True)
    badge = {"cell_type": "markdown", "metadata": {"id": "view-in-github"}, "source": ["<a>Open</a>"]}
    notebook["cells"].insert(0, badge)
    notebook["nbformat_minor"] = 0
    notebook["metadata"]["colab"] = {"provenance": []}


def without_metadata(notebook):
    for item in notebook["cells"]:
        item.pop("id")
        item["metadata"] = {}


def without_outputs(notebook):
    for item in notebook["cells"]:
        item.pop("outputs", None)
        item.pop("execution_count", None)


def with_broken_metadata(notebook):
    for item in notebook["cells"]:
        item["metadata"] = ["no", "dict"]


@pytest.mark.parametrize("change", [saved_by_colab, without_metadata, without_outputs, with_broken_metadata])
def test_what_editors_do_to_a_notebook_changes_nothing(change):
    notebook = submission()
    change(notebook)
    assert steps(notebook) == (WHOLE, [])


def test_a_deleted_test_cell_is_restored():
    notebook = submission()
    notebook["cells"].remove(cell(notebook, "test_double"))
    assert steps(notebook) == (WHOLE, ["cell 'test_double' was deleted: restored"])


def test_an_edited_test_cell_is_restored():
    notebook = submission()
    cell(notebook, "test_double")["source"] = "5.0"
    assert steps(notebook) == (WHOLE, ["cell 'test_double' was edited: restored"])


def test_an_edited_import_cell_runs_as_the_master_has_it():
    notebook = submission()
    cell(notebook, "imports")["source"] = "np = None"
    words, faults = steps(notebook)
    assert words == WHOLE
    assert faults == ["cell 'imports' was edited: restored"]


def test_of_a_copied_answer_both_run_and_the_question_is_judged_after_the_last():
    notebook = submission()
    notebook["cells"].append(dict(cell(notebook, "running_sum")))
    words, faults = steps(notebook)
    assert words == [
        "import numpy as np",
        "run running_sum",
        "run double",
        "judge double",
        "run running_sum",
        "judge running_sum",
    ]
    assert faults == ["cell 'running_sum' occurs 2 times: all run, the last definition counts"]


def test_a_copied_test_cell_is_used_once():
    notebook = submission()
    notebook["cells"].append(dict(cell(notebook, "test_double")))
    words, faults = steps(notebook)
    assert words == WHOLE
    assert faults == ["cell 'test_double' occurs 2 times: used once"]


def test_a_deleted_answer_is_told_and_still_judged():
    notebook = submission()
    notebook["cells"].remove(cell(notebook, "double"))
    words, faults = steps(notebook)
    assert words == [word for word in WHOLE if word != "run double"]
    assert faults == ["cell 'double' is missing: the question counts as not answered"]


def test_cells_of_the_students_own_run_where_they_stand():
    notebook = submission()
    place = notebook["cells"].index(cell(notebook, "double"))
    notebook["cells"].insert(place, code("helper = 2"))
    assert steps(notebook)[0] == [*WHOLE[:3], "helper = 2", *WHOLE[3:]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{broken", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[1, 2]", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"cells": []}', "No cell of the assignment"),
        (as_bytes({"cells": [code("print('another notebook')")]}), "No cell of the assignment"),
    ],
)
def test_what_is_no_notebook_of_this_assignment_is_unreadable_with_a_reason(content, reason):
    with pytest.raises(Unreadable, match=reason):
        align(content, PAIR)


def test_half_a_surrogate_pair_does_not_stop_the_grader():
    notebook = submission()
    notebook["cells"].insert(1, code("x = '\ud800'"))
    assert "x = '?'" in steps(notebook)[0]


def test_a_byte_order_mark_is_no_obstacle():
    assert align(b"\xef\xbb\xbf" + as_bytes(submission()), PAIR) == align(as_bytes(submission()), PAIR)
