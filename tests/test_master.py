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
    assert '@ git+https://github.com/me/course"' in cells[1].source


def test_the_digest_is_that_of_the_source():
    assert Master("tiny", TINY).sha256 != Master("tiny", TINY + "\n").sha256
    assert Master("tiny", TINY).sha256 == Master("other", TINY).sha256


def test_an_unknown_assignment_names_those_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr(masters, "FOLDER", tmp_path)
    (tmp_path / "tiny.py").write_text(TINY)
    with pytest.raises(UnknownAssignment, match="no assignment 'tinny'. There are: tiny."):
        Master.read("tinny")


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
    "a test without an answer": (DOUBLE_CELL, "", "follows an answer cell called NAME"),
    "a test with another name": ('"test_double"', '"check_double"', "a test cell is called test_NAME"),
    "an answer without a test": (
        '"grade_id": "imports", "locked": true, "schema_version": 3, "solution": false',
        '"grade_id": "imports", "locked": false, "schema_version": 3, "solution": true',
        "no test cell 'test_imports'",
    ),
    "a training cell without its tag": ('# %% tags=["training"]\ntotal', "# %%\ntotal", 'tags=["training"]'),
    "a tagged test cell": (
        '# %% nbgrader={"grade": true',
        '# %% tags=["training"] nbgrader={"grade": true',
        "cannot carry the tag 'training'",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), BREACHES.values(), ids=BREACHES)
def test_a_breach_is_refused_with_a_message(old, new, message):
    assert old in TINY
    with pytest.raises(InvalidMaster) as refused:
        Master("tiny", TINY.replace(old, new)).check()
    assert message in str(refused.value)


def test_a_master_without_tests_is_refused():
    with pytest.raises(InvalidMaster, match="nothing to grade"):
        Master("tiny", TINY[: TINY.index("# %% nbgrader")]).check()
