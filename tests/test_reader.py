"""Any file that looks like a notebook is read, or refused with a reason, and no hidden test comes out."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.alignment import Judge, Run, align
from autograder.alignment.notebook import Unreadable
from tests.notebooks import PAIR, submission

SOURCES = [cell.source for cell in PAIR.notebook.cells] + [
    "%%bash\nexit",
    "def double(x",
    "\ud800",
    "\0",
    "\r\n",
]
NAMES = ["running_sum", "test_running_sum", "double", "test_double", "imports", "pair-000", "training"]
HIDDEN = (
    "a start",
    "Is start added?",
    "random values",
    "the argument stays as it is",
    "check.rng",
    "[double(x), x]",
)
TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(SOURCES + NAMES)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
NBGRADER = st.fixed_dictionaries(
    {}, optional={name: VALUES for name in ("grade_id", "grade", "solution", "locked", "points", "task")}
)
METADATA = st.fixed_dictionaries(
    {}, optional={"nbgrader": NBGRADER | VALUES, "tags": VALUES, "id": VALUES, "colab": VALUES}
)
CELLS = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | VALUES,
        "source": TEXTS | st.lists(TEXTS) | VALUES,
    },
    optional={"metadata": METADATA | VALUES, "id": VALUES, "outputs": VALUES, "attachments": VALUES},
)
NOTEBOOKS = st.fixed_dictionaries(
    {"cells": st.lists(CELLS | VALUES, max_size=6) | VALUES},
    optional={"nbformat": VALUES, "nbformat_minor": VALUES, "metadata": VALUES, "worksheets": VALUES},
)


def checked(content: bytes) -> None:
    try:
        aligned = align(content, PAIR)
    except Unreadable as error:
        assert str(error)
        return
    judged = [step.question.name for step in aligned.steps if isinstance(step, Judge)]
    assert sorted(judged) == ["double", "running_sum"]
    told = "\n".join([*aligned.faults, *(step.source for step in aligned.steps if isinstance(step, Run))])
    told.encode()
    given_away = [text for text in HIDDEN if text in told and text.encode() not in content]
    assert not given_away


@settings(max_examples=300, deadline=None)
@given(NOTEBOOKS)
def test_any_document_is_read_or_refused(document):
    checked(json.dumps(document).encode())


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), CELLS | VALUES), max_size=4),
    st.binary(max_size=3),
    st.integers(0, 5000),
)
def test_a_notebook_of_the_assignment_with_anything_in_it_is_read_or_refused(strange, noise, place):
    notebook = submission()
    for position, item in strange:
        notebook["cells"].insert(position, item)
    content = json.dumps(notebook).encode()
    checked(content)
    checked(content[:place] + noise + content[place:])
