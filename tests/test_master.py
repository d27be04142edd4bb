"""Masters are read as questions, and what would break releasing or grading is refused."""

from pathlib import Path

import pytest

from autograder import master as masters
from autograder.master import InvalidMaster, Master, UnknownAssignment

TINY = (Path(__file__).parent / "masters" / "tiny.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", masters.names())
def test_the_masters_of_the_course_keep_the_rules(name):
    Master.read(name).check()


def test_a_master_gives_its_questions():
    tiny = Master("tiny", TINY)
    tiny.check()
    (question,) = tiny.questions
    assert (question.name, question.points, tiny.max_score) == ("double", 2, 2)
    assert "1234" in question.test
    assert "1234" not in question.visible_test
    assert question.visible_test.endswith("check.score()")


def test_cells_have_lasting_ids():
    ids = [cell.id for cell in Master("tiny", TINY).notebook.cells]
    assert ids == [
        "tiny-000",
        "setup",
        "imports",
        "double",
        "test_double",
        "tiny-005",
        "tiny-006",
        "tiny-007",
    ]


def test_addresses_come_from_the_books_configuration(tmp_path, monkeypatch):
    monkeypatch.setattr(masters, "BOOK_CONFIG", tmp_path / "_config.yml")
    masters.BOOK_CONFIG.write_text("repository: {url: 'https://github.com/me/course/', branch: dev}")
    cells = Master("tiny", TINY).notebook.cells
    assert (
        "(https://colab.research.google.com/github/me/course/blob/dev/assignments/tiny/tiny.ipynb)"
        in cells[0].source
    )
    assert " https://github.com/me/course course " in cells[1].source


def test_the_digest_is_that_of_the_source():
    assert Master("tiny", TINY).sha256 != Master("tiny", TINY + "\n").sha256
    assert Master("tiny", TINY).sha256 == Master("other", TINY).sha256


def test_an_unknown_assignment_names_those_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr(masters, "FOLDER", tmp_path)
    (tmp_path / "tiny.py").write_text(TINY)
    with pytest.raises(UnknownAssignment, match="no assignment 'tinny'. There are: tiny."):
        Master.read("tinny")


@pytest.mark.parametrize("name", ["123 (abc)", "a+b", "x[1]", "größe", "9_lives", "a" * 51])
def test_a_name_that_notebooks_cannot_have_is_refused_and_stands_in_nobodys_way(name, tmp_path, monkeypatch):
    monkeypatch.setattr(masters, "FOLDER", tmp_path)
    (tmp_path / "tiny.py").write_text(TINY)
    (tmp_path / f"{name}.py").write_text(TINY)
    (tmp_path / ".#tiny.py").write_text("left by an editor")
    assert masters.names() == ["tiny"] and masters.misnamed() == [name]
    assert Master.read("tiny").questions
    with pytest.raises(UnknownAssignment, match="holds only letters, digits and underscores. Rename"):
        Master.read(name)


def test_a_master_in_another_encoding_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(masters, "FOLDER", tmp_path)
    (tmp_path / "tiny.py").write_bytes("# größer".encode("cp1252"))
    with pytest.raises(InvalidMaster, match="not UTF-8"):
        Master.read("tiny")


DOUBLE_CELL = TINY[
    TINY.index("# %% nbgrader", TINY.index('"imports"')) : TINY.index(
        "# %% nbgrader", TINY.index("def double")
    )
]

BREACHES = {
    "solution left open": ("    ### END SOLUTION\n", "", "not closed; add ### END SOLUTION"),
    "hidden tests left open": ("### END HIDDEN TESTS\n", "", "not closed; add ### END HIDDEN TESTS"),
    "solution closed twice": (
        "    ### END SOLUTION\n",
        "    ### END SOLUTION\n" * 2,
        "'### BEGIN SOLUTION' is expected",
    ),
    "marker with a typing error": (
        "### BEGIN HIDDEN",
        "# BEGIN HIDDEN",
        "stands where '### BEGIN HIDDEN TESTS' is expected",
    ),
    "indented hidden tests": (
        "### BEGIN HIDDEN TESTS\ncheck.hide()\n",
        "if True:\n    ### BEGIN HIDDEN TESTS\n    check.hide()\n",
        "must not be indented",
    ),
    "no solution markers": (
        "### BEGIN SOLUTION\n    twice = 2 * x\n    return twice\n    ### END SOLUTION",
        "return 2 * x",
        "put the solution between",
    ),
    "solution outside an answer cell": (
        "total\n",
        "### BEGIN SOLUTION\ntotal\n### END SOLUTION\n",
        "belong into an answer cell",
    ),
    "hidden tests outside a test cell": (
        "total\n",
        "### BEGIN HIDDEN TESTS\ntotal\n### END HIDDEN TESTS\n",
        "belong into a test cell",
    ),
    "hidden tests that show their inputs": ("check.hide()\n", "", "begin with check.hide()"),
    "duplicate grade_id": ('"imports"', '"setup"', "'setup' occurs 2 times"),
    "no points": ('"points": 2, ', "", "give it points"),
    "zero points": ('"points": 2', '"points": 0', "give it points"),
    "points that differ": ("points=2)", "points=3)", "Checks('double', points=2); found ('double', 3)"),
    "another question's checks": ('Checks("double"', 'Checks("triple"', "found ('triple', 2)"),
    "a test cell that does not compile": ("check = Checks", "check == = Checks", "found a syntax error"),
    "a test without an answer": (DOUBLE_CELL, "", "NAME is an answer cell or what an answer cell defines"),
    "a test with another name": ('"test_double"', '"check_double"', "a test cell is called test_NAME"),
    "an answer without a test": (
        '"grade_id": "imports", "locked": true, "schema_version": 3, "solution": false',
        '"grade_id": "imports", "locked": false, "schema_version": 3, "solution": true',
        "no test cell 'test_imports'",
    ),
    "an answer that no test uses": (
        "def double(x):",
        "def twice(x):",
        "test cell uses nothing",
    ),
    "a solution that does not compile": ("twice = 2 * x", "twice = 2 x", "the solution has a syntax error"),
    "a function that nothing tests": (
        "def double(x):",
        "def triple(x):\n    ### BEGIN SOLUTION\n    return 3 * x\n    ### END SOLUTION\n\ndef double(x):",
        "asks for 'triple', which no test cell of it uses",
    ),
    "a test without points": (
        "### END HIDDEN TESTS\ncheck.score()",
        "### END HIDDEN TESTS",
        "last line",
    ),
    "a name that no cell can have": (
        '"imports"',
        '"the imports"',
        "'the imports' has to be changed",
    ),
    "metadata that are not JSON": (
        '"grade_id": "imports"',
        '"grade_id": imports',
        "Line 17: the metadata of nbgrader",
    ),
    "a package that Colab cannot install": (
        "setup()",
        'setup("boxd")',
        "'boxd' is not in colab/constraints.txt",
    ),
    "a grade_id that is a number": ('"grade_id": "double"', '"grade_id": 3', "no test cell 'test_3'"),
    "a placeholder with a typing error": ("{{colab}}", "{{colob}}", "{{colob}} is no placeholder"),
    "a setup line with a typing error": ("{{setup()}}", "{{setup}}", "{{setup}} is no placeholder"),
    "points in a heading that differ": (
        "# # A tiny assignment\n",
        "# ## Exercise 1 (3 points)\n",
        "says 3 points, the metadata 2",
    ),
    "points in the title that differ": (
        "# # A tiny assignment\n",
        "# # A tiny assignment, 5 points\n",
        "it says 5 points, the cells have 2",
    ),
    "points in the text that differ": (
        "# [Open",
        "# *Difficulty 2 of 5, 10 minutes, 4 points*\n# [Open",
        "says 4 points, the",
    ),
    "points in words that differ": (
        "# [Open",
        "# This exercise is worth three points.\n# [Open",
        "says 3 points, the",
    ),
    "points for each that differ": (
        "# [Open",
        "# Each function is worth 3 points.\n# [Open",
        "Cell 'test_double' has 2 points; the text says that each has 3.",
    ),
    "a training cell without its tag": ('# %% tags=["training"]\ntotal', "# %%\ntotal", 'tags=["training"]'),
    "a tagged test cell": (
        '# %% nbgrader={"grade": true',
        '# %% tags=["training"] nbgrader={"grade": true',
        "cannot carry the tag 'training'",
    ),
}


WRITTEN = """
# %% [markdown] nbgrader={"grade": true, "grade_id": "why", "locked": false, "points": 3, \
"schema_version": 3, "solution": true, "task": false}
# In a sentence:
#
# ### BEGIN SOLUTION
# Because two is even.
# ### END SOLUTION
"""
WITH_WRITTEN = TINY.replace(
    "# %% [markdown]\n# ## Training", WRITTEN.lstrip() + "\n# %% [markdown]\n# ## Training"
)
BREACHES_OF_WRITTEN = {
    "a code cell": ("# %% [markdown] nbgrader", "# %% nbgrader", "a person grades is a [markdown] cell"),
    "locked": (
        '"grade_id": "why", "locked": false',
        '"grade_id": "why", "locked": true',
        'it needs "locked": false',
    ),
    "called like a test": ('"why"', '"test_why"', "names with test_ are those of test cells"),
    "called like a function": ('"why"', '"double"', "'double' occurs 2 times"),
    "tagged": (
        '[markdown] nbgrader={"grade"',
        '[markdown] tags=["training"] nbgrader={"grade"',
        "cannot carry",
    ),
    "no model answer": ("# ### BEGIN SOLUTION\n", "", "put a model answer between"),
    "no points": ('"points": 3, ', "", "give it points"),
    "points in words": ('"points": 3', '"points": "three"', "give it points"),
}


def test_written_questions_come_on_top_of_the_automatic_points():
    tiny = Master("tiny", WITH_WRITTEN)
    tiny.check()
    (written,) = tiny.written
    assert (written.name, written.points) == ("why", 3)
    assert written.stub == "In a sentence:\n\n*Your answer here.*"
    assert written.model == "Because two is even."
    assert [question.name for question in tiny.questions] == ["double"]
    assert tiny.max_score == 2


@pytest.mark.parametrize(("old", "new", "message"), BREACHES_OF_WRITTEN.values(), ids=BREACHES_OF_WRITTEN)
def test_a_breach_in_a_written_question_is_refused(old, new, message):
    assert old in WRITTEN
    with pytest.raises(InvalidMaster) as refused:
        Master("tiny", WITH_WRITTEN.replace(WRITTEN.lstrip(), WRITTEN.replace(old, new).lstrip())).check()
    assert message in str(refused.value)


@pytest.mark.parametrize("name", ["gridworld", "reinforce_cartpole"])
def test_a_written_question_stands_before_the_training_below_its_prompt(name):
    cells = Master.read(name).notebook.cells
    (place,) = [index for index, cell in enumerate(cells) if masters.is_written(cell)]
    assert cells[place - 1].cell_type == "markdown" and "own words" in cells[place - 1].source
    assert place < min(index for index, cell in enumerate(cells) if masters.is_training(cell))


@pytest.mark.parametrize(("old", "new", "message"), BREACHES.values(), ids=BREACHES)
def test_a_breach_is_refused_with_a_message(old, new, message):
    assert old in TINY
    with pytest.raises(InvalidMaster) as refused:
        Master("tiny", TINY.replace(old, new)).check()
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "## Exercise 1 (2 points)",
        "*5 minutes, 2 points*",
        "**Two points**",
        "This exercise is worth two points.",
        "Each function is worth 2 points.",
        "Coming to rest brings 100 points. It is drawn with 5 points.",
        "## Two reference points\n# *half a point*",
        "## Part 1, 2 points\n# ## Part 2, 3 points",
    ],
)
def test_points_in_the_text_that_are_right_or_not_clear_stand(text):
    Master("tiny", TINY.replace("# [Open", f"# {text}\n#\n# [Open")).check()


def test_a_master_without_tests_is_refused():
    with pytest.raises(InvalidMaster, match="nothing to grade"):
        Master("tiny", TINY[: TINY.index("# %% nbgrader")]).check()
