"""Answers in words: found in what notebooks become on their way, and shown to whoever grades them."""

import nbformat
import pytest

from autograder import autograded, judging, master
from autograder.alignment.written import written_answers
from autograder.master import Master
from autograder.verdicts import Judged, QuestionVerdict, SubmissionVerdict
from tests.notebooks import as_bytes, cell, code
from tests.test_formgrader import essay
from tests.test_gradebook import ESSAY

TEXT = "Because two\n\nis even."
STUB = "*Your answer here.*"


def markdown(source, **fields):
    return {"cell_type": "markdown", "metadata": {}, "source": source, **fields}


def found(notebook):
    return written_answers(as_bytes(notebook), ESSAY)["why"]


def without_ids(notebook):
    for item in notebook["cells"]:
        item["metadata"] = {}
        item.pop("id", None)
    return notebook


def in_a_cell_below(notebook):
    place = notebook["cells"].index(cell(notebook, "why"))
    cell(notebook, "why")["source"] = STUB
    notebook["cells"].insert(place + 1, markdown(TEXT))
    return notebook


def below_the_stub(notebook):
    cell(notebook, "why")["source"] = f"{STUB}\n\n{TEXT}"
    return notebook


def in_the_prompts_cell(notebook):
    cell(notebook, "prompt")["source"] += f"\n\n{TEXT}"
    cell(notebook, "why")["source"] = STUB
    return notebook


def as_code(notebook):
    cell(notebook, "why")["cell_type"] = "code"
    return notebook


def as_lines(notebook):
    cell(notebook, "why")["source"] = TEXT.splitlines(keepends=True)
    return notebook


def moved_to_the_top(notebook):
    notebook["cells"].insert(0, notebook["cells"].pop(notebook["cells"].index(cell(notebook, "why"))))
    notebook["cells"].insert(1, code("x = 1"))
    return notebook


def twice_one_untouched(notebook):
    place = notebook["cells"].index(cell(notebook, "why"))
    notebook["cells"].insert(place, {**cell(notebook, "why"), "source": STUB})
    return notebook


WAYS = [
    lambda notebook: notebook,
    without_ids,
    in_a_cell_below,
    below_the_stub,
    in_the_prompts_cell,
    as_code,
    as_lines,
    moved_to_the_top,
    twice_one_untouched,
    lambda notebook: without_ids(in_a_cell_below(notebook)),
]


@pytest.mark.parametrize("change", WAYS, ids=lambda change: change.__name__)
def test_an_answer_is_found(change):
    assert found(change(essay(TEXT))) == TEXT


@pytest.mark.parametrize("text", [STUB, "", "  \n\n", f"{STUB}\n"])
def test_what_is_given_is_no_answer(text):
    assert found(essay(text)) == ""
    assert found(without_ids(essay(text))) == ""


def test_code_and_text_of_other_places_are_no_answer():
    notebook = essay(STUB)
    notebook["cells"] += [code("x = 1"), markdown("About the code.")]
    notebook["cells"].insert(0, markdown("My notebook."))
    assert found(notebook) == ""


def test_a_place_that_is_gone_is_said_and_a_long_text_is_cut():
    notebook = essay(TEXT)
    notebook["cells"] = [item for item in notebook["cells"] if item.get("id") not in ("why", "prompt")]
    assert found(notebook) is None
    assert 19_000 < len(found(essay("a " * 50_000))) < 20_100


def graded(status="graded", cells=(), answers=None, message=""):
    questions = tuple(
        QuestionVerdict(name=name, points=1, max_points=most, status="partial", message=message)
        for name, most in (("running_sum", 3), ("double", 2))
    )
    row = SubmissionVerdict(
        student="ada", score=2, status=status, questions=questions, faults=("<b>a</b> *fault*",)
    )
    return Judged(verdict=row, cells=cells, answers=answers or {}, outputs={"double": "\x1b[31mred\x1b[0m"})


def test_the_graded_notebook_has_every_cell_with_points_and_what_the_student_ran():
    cells = (
        ("", ESSAY.notebook.cells[1].source),
        ("", "a = 1"),
        ("double", "old = 1"),
        ("double", "new = 2"),
    )
    made = autograded.notebook(
        ESSAY, graded(cells=cells, answers={"why": TEXT}, message="Not yet: x.\nNor y.")
    )
    notebook = nbformat.from_dict(made)
    nbformat.validate(notebook)
    by_id = {item.id: item for item in notebook.cells}
    assert {"running_sum", "test_running_sum", "double", "test_double", "why"} <= set(by_id)
    assert by_id["double"].source == "new = 2" and by_id["double"].outputs[0].text == "red"
    assert by_id["why"].source == TEXT
    assert by_id["test_double"].outputs[0].text == "1 of 2 points: partial\n- Not yet: x.\n- Nor y."
    assert [item.source for item in notebook.cells].count("a = 1") == 1
    assert [item.source for item in notebook.cells].count("old = 1") == 1
    assert [item.source for item in notebook.cells].count(ESSAY.notebook.cells[1].source) == 1
    assert r"\<b\>a\</b\> \*fault\*" in notebook.cells[0].source
    for item in notebook.cells:
        if item.id in ("double", "test_double", "why"):
            expected = {**cell(ESSAY.notebook, item.id).metadata.nbgrader}
            assert {key: item.metadata.nbgrader[key] for key in expected} == expected


@pytest.mark.parametrize("name", [*master.names()])
def test_no_line_of_a_hidden_test_is_in_a_graded_notebook(name):
    assignment = Master.read(name)
    judged = judging.unreadable("ada", assignment, "It is empty.")
    cells = autograded.notebook(assignment, judged)["cells"]
    shown = {line.strip() for item in cells for line in item["source"].splitlines()}
    hidden = set()
    for question in assignment.questions:
        lines = {line.strip() for line in question.test.splitlines()}
        hidden |= lines - {line.strip() for line in question.visible_test.splitlines()}
    given = {line.strip() for item in assignment.notebook.cells for line in _given(item, assignment)}
    assert len(hidden - given) > 20 and not hidden - given & shown


def _given(item, assignment):
    tests = {f"test_{question.name}": question.visible_test for question in assignment.questions}
    return tests.get(item["id"], item.source).splitlines()
