"""Alignment: what a student did to the notebook's structure is repaired and told."""

import contextlib
import copy
import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import sandbox
from autograder.alignment import Judge, Run, Unreadable, align
from autograder.judging import judge_submission
from autograder.master import Master
from autograder.release import assignment_notebook
from autograder.student import Limits
from tests.notebooks import PAIR, STUB, as_bytes, cell, code, submission

DOUBLE = "def double(x):\n    return 2 * x"
WRONG = "def double(x):\n    return 3 * x"
STUBBED = f"def double(x):\n    {STUB}"
WHOLE = ["import numpy as np", "run running_sum", "judge running_sum", "run double", "judge double"]


def steps(notebook):
    """The aligned notebook as short words, and its faults."""
    aligned = align(as_bytes(notebook), PAIR)
    words = []
    for step in aligned.steps:
        match step:
            case Run(source, ()):
                words.append(source.strip().splitlines()[0])
            case Run(_, names):
                words.append(f"run {' and '.join(names)}")
            case Judge(question):
                words.append(f"judge {question.name}")
    return words, list(aligned.faults)


def holds(notebook):
    """Which answers are right where they are judged, found by carrying out the steps here."""
    names, right = {}, {}
    for step in align(as_bytes(notebook), PAIR).steps:
        if isinstance(step, Run):
            with contextlib.suppress(Exception):
                exec(step.source, names)
            continue
        right[step.question.name] = is_right(step.question.name, names)
    return right


def is_right(name, names):
    with contextlib.suppress(Exception):
        if name == "double":
            return names["double"](21) == 42
        return list(names["running_sum"]([1, 2], start=10.0)) == [11, 13]
    return False


RIGHT = {"running_sum": True, "double": True}


def test_a_test_cell_that_the_instructor_changed_after_release_is_no_repair():
    earlier = Master("pair", PAIR.source.replace("twice two is four", "two and two"))
    released = json.loads(json.dumps(assignment_notebook(earlier)))
    aligned = align(as_bytes(released), PAIR)
    told = [fault for fault in aligned.faults if "earlier release" in fault]
    assert told and set(told) <= set(aligned.notices)
    assert not any("edited" in fault for fault in aligned.faults)
    test = next(cell for cell in released["cells"] if cell["id"] == "test_double")
    test["source"] += "\nprint('edited')"
    assert "cell 'test_double' was edited: restored" in set(align(as_bytes(released), PAIR).faults) - set(
        align(as_bytes(released), PAIR).notices
    )


@pytest.mark.parametrize("points", ["many", 10**400, None, [1], float("nan")])
def test_a_forged_checksum_is_the_students_word_and_harms_nobody(points):
    notebook = submission()
    test = cell(notebook, "test_double")
    test["source"] = "pass"
    test["metadata"]["nbgrader"] |= {"points": points, "checksum": "0" * 32}
    assert "cell 'test_double' was edited: restored" in faults(notebook)


def faults(notebook):
    return list(align(as_bytes(notebook), PAIR).faults)


def reviews(notebook):
    return set(align(as_bytes(notebook), PAIR).reviews)


def text(source, **metadata):
    return {"cell_type": "markdown", "source": source, "metadata": metadata}


def insert(notebook, source, *, above=None, below=None):
    """A cell of the student's own at this place."""
    place = notebook["cells"].index(cell(notebook, above or below))
    item = source if isinstance(source, dict) else code(source)
    notebook["cells"].insert(place + (below is not None), item)
    return notebook


def remove(notebook, *names):
    for name in names:
        notebook["cells"].remove(cell(notebook, name))
    return notebook


def test_an_honest_notebook_needs_no_repair_and_is_not_trained():
    assert steps(submission()) == (WHOLE, [])
    assert holds(submission()) == RIGHT


# What editors do.


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
    notebook["metadata"] |= {"colab": {"provenance": []}, "widgets": {"application/x": {}}}


def without_outputs(notebook):
    for item in notebook["cells"]:
        item.pop("outputs", None)
        item.pop("execution_count", None)


def with_windows_lines(notebook):
    for item in notebook["cells"]:
        item["source"] = item["source"].replace("\n", "\r\n") + "  \r\n"


@pytest.mark.parametrize("change", [saved_by_colab, without_outputs, with_windows_lines])
def test_what_editors_do_to_a_notebook_changes_nothing(change):
    notebook = submission()
    change(notebook)
    assert steps(notebook) == (WHOLE, [])


def without_metadata(notebook):
    for item in notebook["cells"]:
        item.pop("id", None)
        item["metadata"] = {}


def with_broken_metadata(notebook):
    for item in notebook["cells"]:
        item.pop("id")
        item["metadata"] = ["no", "dict"]


def with_other_ids(notebook):
    for index, item in enumerate(notebook["cells"]):
        item["id"] = f"new-{index}"
        item["metadata"] = {}


@pytest.mark.parametrize("change", [without_metadata, with_broken_metadata, with_other_ids])
def test_a_notebook_without_grade_ids_is_recognised_by_what_it_holds(change):
    notebook = submission()
    change(notebook)
    assert steps(notebook) == (
        WHOLE,
        ["the grade ids of the cells were lost: they were recognised by what they hold"],
    )


def test_the_cell_id_tells_where_the_grade_id_was_lost():
    notebook = submission()
    cell(notebook, "test_double")["metadata"] = {}
    cell(notebook, "test_double")["source"] = "1 + 1"
    words, told = steps(notebook)
    assert words == WHOLE
    assert "cell 'test_double' was edited: restored" in told


def test_a_notebook_of_format_3_is_read():
    cells = [
        {"input" if key == "source" else key: value for key, value in item.items()}
        for item in submission()["cells"]
    ]
    words, told = steps({"nbformat": 3, "worksheets": [{"cells": cells}]})
    assert words == WHOLE
    assert told == ["the notebook was saved in the old format 3: read all the same"]


# Test and setup cells.


@pytest.mark.parametrize("name", ["test_double", "imports"])
def test_a_deleted_cell_of_the_master_is_restored(name):
    assert steps(remove(submission(), name)) == (WHOLE, [f"cell '{name}' was deleted: restored"])


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("test_double", "2.0"),
        ("test_double", "while True: pass"),
        ("imports", "np = None"),
        ("imports", "impart x"),
    ],
)
def test_an_edited_cell_of_the_master_is_restored(name, source):
    notebook = submission()
    cell(notebook, name)["source"] = source
    assert steps(notebook) == (WHOLE, [f"cell '{name}' was edited: restored"])


def test_a_cell_of_the_master_with_another_layout_is_not_edited():
    notebook = submission()
    imports = cell(notebook, "imports")
    imports["source"] = imports["source"].replace("\n\n", "\n\n\n# what we need\n")
    assert steps(notebook) == (WHOLE, [])


@pytest.mark.parametrize("name", ["test_double", "imports"])
def test_a_cell_of_the_master_turned_into_text_is_restored(name):
    notebook = submission()
    cell(notebook, name)["cell_type"] = "markdown"
    assert steps(notebook) == (WHOLE, [f"cell '{name}' was turned into text: restored"])


@pytest.mark.parametrize("name", ["test_double", "imports"])
def test_a_copied_cell_of_the_master_is_used_once(name):
    notebook = submission()
    notebook["cells"].append(dict(cell(notebook, name)))
    assert steps(notebook) == (WHOLE, [f"cell '{name}' occurs 2 times: used once"])


def test_what_a_student_adds_to_the_imports_is_there_for_the_answers():
    notebook = submission(double="def double(x):\n    return x * math.sqrt(4)")
    imports = cell(notebook, "imports")
    imports["source"] = imports["source"].replace("import numpy as np", "import math, numpy as np\nnp = list")
    words, told = steps(notebook)
    assert words == [WHOLE[0], "import math", *WHOLE[1:]]
    assert holds(notebook) == RIGHT
    assert told == [
        "cell 'imports' was edited: restored",
        "what was added to cell 'imports' runs as a cell of your own",
    ]


def test_magics_in_the_imports_are_kept():
    notebook = submission()
    cell(notebook, "imports")["source"] += "\n%matplotlib inline"
    assert steps(notebook)[0] == [WHOLE[0], "%matplotlib inline", *WHOLE[1:]]


def test_imports_below_the_answers_run_first():
    notebook = submission()
    imports = cell(notebook, "imports")
    remove(notebook, "imports")["cells"].append(imports)
    assert steps(notebook) == (WHOLE, ["cell 'imports' stands below answers: run first"])


# Answers: retyped, joined, split, moved, copied, elsewhere.


@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("layout", ["{}", "```python\n{}\n```"])
@pytest.mark.parametrize("change", [lambda notebook: None, without_metadata])
def test_an_answer_turned_into_text_runs(kind, layout, change):
    notebook = submission()
    answer = cell(notebook, "double")
    answer["cell_type"], answer["source"] = kind, layout.format(answer["source"])
    change(notebook)
    assert steps(notebook)[0] == WHOLE
    assert "the answer to 'double' was found in a cell of text: run as code" in faults(notebook)


def test_an_older_answer_kept_as_text_does_not_run():
    notebook = insert(submission(), text(WRONG), below="double")
    assert steps(notebook) == (WHOLE, [])


def test_prose_in_an_answer_cell_is_looked_at():
    notebook = submission()
    cell(notebook, "double").update(cell_type="markdown", source="It gives back two times x.")
    assert reviews(notebook) == {"double"}


@pytest.mark.parametrize("kept", ["double", "test_double"])
@pytest.mark.parametrize("change", [lambda notebook: None, without_metadata])
def test_an_answer_joined_with_its_test_is_taken_apart(kept, change):
    notebook = submission()
    whole = cell(notebook, "double")["source"] + "\n\n" + cell(notebook, "test_double")["source"]
    cell(notebook, kept)["source"] = whole
    remove(notebook, ({"double", "test_double"} - {kept}).pop())
    change(notebook)
    assert steps(notebook)[0] == WHOLE
    assert not any(
        "check" in step.source.splitlines()[-1]
        for step in align(as_bytes(notebook), PAIR).steps[1:]
        if isinstance(step, Run)
    )
    assert holds(notebook) == RIGHT


def test_an_answer_typed_into_the_test_cell_counts_and_the_test_does_not():
    notebook = remove(submission(), "double")
    cell(notebook, "test_double")["source"] = f"check = None\n{DOUBLE}\nprint(double(3))\n5.0"
    assert holds(notebook) == RIGHT
    assert set(faults(notebook)) >= {
        "cell 'test_double' was edited: restored",
        "the answer to 'double' was found in cell 'test_double': taken from there",
    }


@pytest.mark.parametrize("kept", ["running_sum", "double", "imports"])
def test_answers_joined_with_one_another_or_with_the_imports_count(kept):
    notebook = submission()
    names = ["imports", "running_sum", "double"]
    cell(notebook, kept)["source"] = "\n\n".join(cell(notebook, name)["source"] for name in names)
    remove(notebook, *(name for name in names if name != kept))
    assert holds(notebook) == RIGHT
    assert any("was found in cell" in fault for fault in faults(notebook))


def test_grade_ids_that_were_swapped_do_not_matter():
    notebook = submission()
    one, other = cell(notebook, "running_sum"), cell(notebook, "double")
    one["source"], other["source"] = other["source"], one["source"]
    assert holds(notebook) == RIGHT
    assert "the answer to 'double' was found in cell 'running_sum': taken from there" in faults(notebook)


@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_an_answer_joined_with_prose_counts(kind):
    notebook = submission()
    prose = next(item for item in notebook["cells"] if item["source"] == "The second question.")
    prose["source"] += "\n\n" + cell(notebook, "double")["source"]
    prose["cell_type"] = kind
    assert holds(remove(notebook, "double")) == RIGHT


def test_an_answer_among_words_of_the_students_own_is_looked_at():
    notebook = insert(submission(double=STUBBED), text(f"I think it is\n\n{DOUBLE}"), below="double")
    assert reviews(notebook) == {"double"}


@pytest.mark.parametrize("line", [1, 2, 3])
@pytest.mark.parametrize("metadata", ["kept", "copied"])
def test_a_function_split_over_two_cells_is_put_together(line, metadata):
    notebook = submission()
    answer = cell(notebook, "double")
    answer["source"] = 'def double(x):\n    """Twice x."""\n    y = 2\n    return y * x'
    lines = answer["source"].split("\n")
    answer["source"] = "\n".join(lines[:line])
    rest = copy.deepcopy(answer) if metadata == "copied" else code("")
    rest["source"] = "\n".join(lines[line:])
    insert(notebook, rest, below="double")
    assert holds(notebook) == RIGHT
    assert "'double' was split over several cells: put together" in faults(notebook)


def test_an_indented_cell_of_its_own_is_not_joined():
    notebook = insert(submission(), "    print(double(2))", below="double")
    assert steps(notebook) == ([*WHOLE[:4], "print(double(2))", WHOLE[4]], [])


@pytest.mark.parametrize("where", ["above", "below", "below its test", "at the end"])
def test_a_helper_is_found_wherever_it_stands(where):
    notebook = submission(double="def double(x):\n    return helper(x)")
    helper = code("def helper(x):\n    return FACTOR * x")
    if where == "at the end":
        notebook["cells"].append(helper)
    else:
        insert(
            notebook, helper, **{where.split()[0]: "test_double" if where == "below its test" else "double"}
        )
    notebook["cells"].append(code("FACTOR = 2"))
    assert holds(notebook) == RIGHT
    assert "'double' or what it uses is defined below its test: judged there" in faults(notebook)


@pytest.mark.parametrize("place", [0, 4, 99])
def test_a_moved_answer_counts(place):
    notebook = submission()
    answer = cell(notebook, "double")
    remove(notebook, "double")["cells"].insert(place, answer)
    assert holds(notebook) == RIGHT
    assert reviews(notebook) == set()


def test_questions_in_another_order_that_use_each_other_are_judged_when_both_are_there():
    notebook = submission(
        running_sum="def running_sum(v, start=0.0):\n    return double((start + np.cumsum(v)) / 2)"
    )
    assert holds(notebook) == RIGHT


@pytest.mark.parametrize("place", ["above", "below"])
@pytest.mark.parametrize("origin", ["copy", "own"])
def test_a_stub_never_replaces_an_answer(place, origin):
    notebook = submission(double=STUBBED)
    answer = copy.deepcopy(cell(notebook, "double")) if origin == "copy" else code("")
    answer["source"] = DOUBLE
    insert(notebook, answer, **{place: "double"})
    assert holds(notebook) == RIGHT
    assert reviews(notebook) == set()
    told = (
        "occurs 2 times: the one with an answer counts" if origin == "copy" else "found in a cell of your own"
    )
    assert any(told in fault for fault in faults(notebook))


@pytest.mark.parametrize(
    "source", [f"{DOUBLE}\n\n{STUBBED}", f"{STUBBED}\n\n{DOUBLE}", f"{DOUBLE}\ndef double(x): ..."]
)
def test_a_stub_in_the_same_cell_does_not_count_either(source):
    assert holds(submission(double=source)) == RIGHT


def test_an_answer_below_the_training_counts_when_there_is_only_a_stub_above():
    notebook = submission(double=STUBBED)
    notebook["cells"].append(code(DOUBLE))
    assert holds(notebook) == RIGHT


def test_a_copy_of_an_answer_changes_nothing():
    notebook = submission()
    notebook["cells"].append(dict(cell(notebook, "running_sum")))
    words, told = steps(notebook)
    assert words == WHOLE
    assert told == ["cell 'running_sum' occurs 2 times: used once"]
    assert reviews(notebook) == set()


@pytest.mark.parametrize(("first", "last"), [(DOUBLE, WRONG), (WRONG, DOUBLE)])
def test_of_two_answers_the_last_counts_and_a_person_looks(first, last):
    notebook = insert(submission(double=first), last, below="test_double")
    assert holds(notebook)["double"] is (last == DOUBLE)
    assert reviews(notebook) == {"double"}
    assert "'double' has 2 different answers: the last one counts" in faults(notebook)


def test_experiments_in_the_training_section_do_not_replace_an_answer():
    notebook = submission()
    notebook["cells"].append(code(WRONG))
    assert holds(notebook) == RIGHT
    assert reviews(notebook) == {"double"}


def test_training_cells_between_the_questions_do_not_begin_the_training_section():
    above, below = PAIR.source.split("# %% [markdown]\n# The second question.")
    script = '# %% tags=["training"]\nprint("a script that trains before the second question")\n\n'
    master = Master("pair", f"{above}{script}# %% [markdown]\n# The second question.{below}")
    notebook = json.loads(json.dumps(master.notebook))
    insert(notebook, WRONG, below="test_double")
    aligned = align(as_bytes(notebook), master)
    assert set(aligned.reviews) == {"double"}
    assert "'double' has 2 different answers: the last one counts" in aligned.faults


@pytest.mark.parametrize(
    "source",
    [
        "double = lambda x: 2 * x",
        "import operator\nimport functools\ndouble = functools.partial(operator.mul, 2)",
        "if True:\n    def double(x):\n        return 2 * x\nelse:\n    double = None",
        "try:\n    from nowhere import double\nexcept ImportError:\n    def double(x):\n        return x + x",
        "import functools\n@functools.cache\ndef double(x):\n    return 2 * x",
        "class Twice:\n    def __call__(self, x):\n        return 2 * x\ndouble = Twice()",
        "def twice(x):\n    return 2 * x\ndouble = twice",
    ],
)
@pytest.mark.parametrize("origin", ["in its cell", "in an own cell below the stub", "without metadata"])
def test_answers_are_recognised_in_whatever_form_they_define_the_function(source, origin):
    if origin == "in an own cell below the stub":
        notebook = insert(submission(double=STUBBED), source, below="double")
    else:
        notebook = submission(double=source)
    if origin == "without metadata":
        without_metadata(notebook)
    assert holds(notebook) == RIGHT
    assert reviews(notebook) == set()


@pytest.mark.parametrize(
    "source", ["double = double(3)", "double = 3", "x = double(3)", "for double in []: pass"]
)
def test_a_result_called_like_its_function_is_no_answer(source):
    notebook = submission()
    notebook["cells"].append(code(source))
    assert steps(notebook)[0] == WHOLE
    assert reviews(notebook) == set()


@pytest.mark.parametrize(
    "source",
    [
        "def Double(x):\n    return 2 * x",
        "def twice(x):\n    return 2 * x",
        "class Solution:\n    def double(self, x):\n        return 2 * x",
        "    return 2 * x",
        "2 * x",
        f"def double(x):\n    {STUB}\n    return 2 * x",
        "exec('def double(x): return 2 * x')",
    ],
)
def test_where_the_intent_is_not_clear_a_person_looks(source):
    notebook = submission(double=source)
    assert reviews(notebook) == {"double"}
    assert align(as_bytes(notebook), PAIR).reviews["double"] in faults(notebook)


def test_a_differently_spelt_answer_in_an_own_cell_is_looked_at():
    assert reviews(
        insert(submission(double=STUBBED), "def double_(x):\n    return 2 * x", above="double")
    ) == {"double"}


def test_code_below_a_stub_is_looked_at():
    assert reviews(insert(submission(double=STUBBED), "2 * 21", below="double")) == {"double"}


def test_what_was_never_written_needs_nobody():
    notebook = submission(double=STUBBED, running_sum=f"def running_sum(values, start=0.0):\n    {STUB}")
    assert steps(notebook) == (WHOLE, [])
    assert reviews(notebook) == set()


def test_a_deleted_answer_is_told_and_still_judged():
    words, told = steps(remove(submission(), "double"))
    assert sorted(words) == sorted(word for word in WHOLE if word != "run double")
    assert told == ["cell 'double' is missing: the question counts as not answered"]


def test_an_answer_that_is_not_python_is_still_the_answer():
    notebook = submission(double="def double(x)\n    return 2 * x")
    assert steps(notebook) == (WHOLE, [])


def test_of_a_broken_and_a_right_answer_the_right_one_counts():
    notebook = insert(submission(), "def double(x)\n    return 2 * x", below="double")
    assert holds(notebook) == RIGHT


# Own cells and training cells.


def test_cells_of_the_students_own_run_where_they_stand():
    assert steps(insert(submission(), "helper = 2", above="double"))[0] == [
        *WHOLE[:3],
        "helper = 2",
        *WHOLE[3:],
    ]


def test_what_stands_below_the_last_question_is_not_run():
    notebook = submission()
    notebook["cells"].append(code("train_for_hours()"))
    assert steps(notebook) == (WHOLE, [])


@pytest.mark.parametrize("change", ["moved", "edited", "untagged", "pasted"])
def test_training_cells_are_not_run_wherever_they_stand(change):
    notebook = submission()
    training = notebook["cells"].pop()
    if change in ("edited", "pasted"):
        training["source"] = training["source"].replace("trains", "trains at all")
    if change in ("untagged", "pasted"):
        training["metadata"] = {}
    if change == "pasted":
        training.pop("id")
    notebook["cells"].insert(1, training)
    assert steps(notebook) == (WHOLE, [])


def test_an_answer_joined_with_a_training_cell_counts():
    notebook = submission(double=f'raise RuntimeError("no grader trains")\n{DOUBLE}')
    assert holds(notebook) == RIGHT


def test_an_answer_that_needs_the_training_section_is_looked_at():
    notebook = submission(double="def double(x):\n    return FACTOR * x")
    longer = Master("pair", PAIR.source + '\n# %% tags=["training"]\nFACTOR = 2\n')
    aligned = align(as_bytes(notebook), longer)
    assert aligned.reviews == {
        "double": "'double' uses 'FACTOR', which only the training section sets, and that is not run"
    }


def test_a_helper_that_carries_the_training_tag_runs():
    helper = code("factor = 2") | {"metadata": {"tags": ["training"]}}
    assert "factor = 2" in steps(insert(submission(), helper, above="double"))[0]


# What cannot be read.


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\0" * 1000, "empty"),
        (b"{broken}", "not valid JSON"),
        (b'{"cells": [1,]}', "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"cells": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (as_bytes(submission())[:500], "ends in the middle"),
        (b"[1, 2]", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b"NaN", "no list of cells"),
        (b'{"cells": []}', "No cell of the assignment"),
        (as_bytes({"cells": [code("print('another notebook')")]}), "No cell of the assignment"),
        (as_bytes({"cells": [cell(submission(), "imports")]}), "No cell of the assignment"),
        (as_bytes({"cells": [code("")] * 10_001}), "10,001 cells"),
        (as_bytes({"cells": [code("x" * 99_000)] * 11}), "more than 1,048,576 characters"),
        (b'{"cells": [' + b"[]," * 2_000_000 + b"0]}", "lists"),
        (gzip.compress(as_bytes(submission())), "compressed"),
        (b"PK\x03\x04...", "archive"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html>\n<html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS"),
        (b"https://colab.research.google.com/drive/1", "only a link"),
        (b'{\n<<<<<<< HEAD\n "cells": []\n=======', "Git merge"),
        (b"# %%\nimport numpy as np\n", "Python code"),
    ],
)
def test_what_is_no_notebook_of_this_assignment_is_unreadable_with_a_reason(content, reason):
    with pytest.raises(Unreadable, match=reason):
        align(content, PAIR)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_the_encoding_is_no_obstacle(encoding):
    content = json.dumps(submission(), ensure_ascii=False).encode(encoding)
    assert align(content, PAIR) == align(as_bytes(submission()), PAIR)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda content: content.replace(b"Twice x", b"Verdoppelt f\xfcr x"), "not UTF-8"),
        (lambda content: content + b"\n\0\0\0", ""),
        (lambda content: content + content, "what follows the end"),
        (lambda content: content.replace(b'"metadata":', b'"score": NaN, "metadata":', 1), ""),
        (lambda content: content.replace(b'"metadata":', b'"metadata": {}, "metadata":', 1), ""),
    ],
)
def test_small_damage_to_the_file_is_repaired(change, fault):
    aligned = align(change(as_bytes(submission())), PAIR)
    assert len(aligned.steps) == len(WHOLE)
    assert len(aligned.faults) == bool(fault)
    assert fault in "".join(aligned.faults)


def test_half_a_surrogate_pair_does_not_stop_the_grader():
    assert "x = '?'" in steps(insert(submission(), "x = '\ud800'", above="double"))[0]


def test_a_cell_that_is_far_too_long_is_left_out():
    words, told = steps(insert(submission(), "x = 1\n" * 200_000, above="double"))
    assert (words, told) == (WHOLE, ["a code cell of 1,200,000 characters was left out: it is too long"])


@pytest.mark.parametrize(
    "source", ["(" * 10_000, "-" * 99_000 + "1", "a" + ".b" * 49_000, "x\0y", "if 1:\n" * 5000]
)
def test_code_that_no_parser_likes_is_an_own_cell_like_any_other(source):
    notebook = insert(submission(), source, above="double")
    assert len(steps(notebook)[0]) == len(WHOLE) + 1


def test_many_cells_that_are_nearly_the_masters_are_aligned():
    notebook = submission()
    test = cell(notebook, "test_double")["source"].replace("Checks", "Check")
    notebook["cells"] += [code(f"{test}\n{index}") for index in range(2_000)]
    assert "cell 'test_double' occurs 2001 times: used once" in faults(notebook)


def test_thousands_of_answers_take_no_time_to_speak_of_and_give_few_lines():
    notebook = submission()
    notebook["cells"] += [code(f"def double(x):\n    return helper_{index}(x)") for index in range(2_000)]
    assert reviews(notebook) == {"double"}
    assert len(faults(notebook)) <= 3


# Points.


def judged(notebook):
    limits = Limits(4, 4096, sandbox.resolve("auto"))
    verdict = judge_submission("ada", as_bytes(notebook), PAIR, 1, limits).verdict
    return {
        question.name: (question.status, question.points, question.needs_review)
        for question in verdict.questions
    }


FULL = {"running_sum": ("passed", 3, False), "double": ("passed", 2, False)}


def test_a_notebook_with_much_that_went_wrong_gets_its_points():
    """Split, retyped, joined, answered above a stub, an import added, a test deleted, no metadata."""
    notebook = submission(double=STUBBED)
    cell(notebook, "imports")["source"] += "\nimport math"
    answer = cell(remove(notebook, "test_double"), "running_sum")
    lines = ["def running_sum(values, start=0.0):", '    """Sums."""', "    return start + np.cumsum(values)"]
    answer["source"] = "\n".join(lines[:2])
    insert(notebook, "\n".join(lines[2:]), below="running_sum")
    notebook["cells"].append(text("def double(x):\n    return math.sqrt(4) * x"))
    without_metadata(notebook)
    assert judged(notebook) == FULL


def test_a_question_that_a_person_must_look_at_is_marked_in_the_verdict():
    notebook = insert(submission(), WRONG, below="double")
    assert judged(notebook) == FULL | {"double": ("partial", 1, True)}
    notebook = submission(double=DOUBLE.replace("double", "Double"))
    assert judged(notebook)["double"] == ("error", 0, True)


def test_an_endless_test_cell_of_the_students_own_costs_nothing():
    notebook = submission()
    cell(notebook, "test_double")["source"] += "\nwhile True:\n    pass"
    assert judged(notebook) == FULL


def test_words_in_a_code_cell_are_read_and_not_run():
    master = Master("pair", PAIR.source + WRITTEN)
    notebook = submission()
    notebook["cells"].append(code("while True: pass") | {"metadata": {"nbgrader": {"grade_id": "why"}}})
    judged_ = judge_submission("ada", as_bytes(notebook), master, 1, Limits(4, 4096, "none"))
    assert judged_.verdict.score == 5
    assert judged_.verdict.faults == ("cell 'why' was turned into code: read as text",)
    assert judged_.answers["why"] == "while True: pass"


WRITTEN = """
# %% [markdown]
# Why?

# %% [markdown] nbgrader={"grade": true, "grade_id": "why", "points": 3, "solution": true}
# ### BEGIN SOLUTION
# Two is even.
# ### END SOLUTION
"""


# Anything at once.


def retyped(cells, index, kind):
    cells[index] = {**cells[index], "cell_type": kind}


def moved(cells, index, place):
    cells.insert(place % len(cells), cells.pop(index))


def copied(cells, index, place):
    cells.insert(place % len(cells), copy.deepcopy(cells[index]))


def split(cells, index, place):
    lines = cells[index]["source"].split("\n")
    place %= len(lines)
    second = copy.deepcopy(cells[index]) if place % 2 else code("")
    second["source"] = "\n".join(lines[place:])
    cells[index]["source"] = "\n".join(lines[:place])
    cells.insert(index + 1, second)


def joined(cells, index, place):
    if index + 1 < len(cells) and cells[index]["cell_type"] == cells[index + 1]["cell_type"] == "code":
        source = cells[index]["source"] + "\n\n" + cells[index + 1]["source"]
        cells[index + place % 2]["source"] = source
        del cells[index + 1 - place % 2]


def stub_inserted(cells, index, place):
    stub = code(STUBBED) | ({"metadata": {"nbgrader": {"grade_id": "double"}}} if place % 2 else {})
    cells.insert(index, stub)


def deleted(cells, index, place):
    if "check" in cells[index]["source"].lower() and "def " not in cells[index]["source"]:
        del cells[index]


MISHAPS = {
    "no metadata": lambda cells, index, place: cells[index].update(metadata={}),
    "no id": lambda cells, index, place: cells[index].pop("id", None),
    "other id": lambda cells, index, place: cells[index].update(id=f"new-{place}"),
    "markdown": lambda cells, index, place: retyped(cells, index, "markdown"),
    "raw": lambda cells, index, place: retyped(cells, index, "raw"),
    "code": lambda cells, index, place: retyped(cells, index, "code"),
    "moved": moved,
    "copied": copied,
    "split": split,
    "joined": joined,
    "stub": stub_inserted,
    "deleted": deleted,
    "own cell": lambda cells, index, place: cells.insert(index, code(f"note_{place} = {place}")),
    "colab": lambda cells, index, place: cells[index]["metadata"].update(id=f"c{place}", outputId="0"),
}


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(MISHAPS)), st.integers(0, 50), st.integers(0, 50)),
        min_size=1,
        max_size=6,
    )
)
def test_no_harmless_mishap_costs_points_in_silence(mishaps):
    notebook = submission()
    for name, index, place in mishaps:
        MISHAPS[name](notebook["cells"], index % len(notebook["cells"]), place)
    right, looked_at = holds(notebook), reviews(notebook)
    assert all(right[name] or name in looked_at for name in RIGHT), (right, faults(notebook))
