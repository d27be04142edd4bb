"""The three notebooks of a master: what they hold, what they never hold, and when they are stale."""

import json
from pathlib import Path

import nbformat
import pytest

from autograder import master as masters
from autograder import release
from autograder.master import InvalidMaster, Master, is_answer, is_test
from tests.test_master import TINY

COURSE = masters.names()


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A folder with the tiny master in the place of the course's masters."""
    folder = tmp_path / "masters"
    folder.mkdir()
    (folder / "tiny.py").write_text(TINY)
    monkeypatch.setattr(masters, "FOLDER", folder)
    return folder / "tiny.py"


@pytest.fixture
def no_execution(monkeypatch):
    def refuse(*_):
        pytest.fail("the solution was executed")

    monkeypatch.setattr(release, "_executed", refuse)


def lines_by_region(notebook) -> dict[str, set[str]]:
    """The master's lines by region, stripped; a line that is given anywhere is no secret elsewhere."""
    regions = {"given": set(), "SOLUTION": set(), "HIDDEN TESTS": set()}
    for cell in notebook.cells:
        region = "given"
        for line in map(str.strip, cell.source.splitlines()):
            if line.startswith("### BEGIN "):
                region = line.removeprefix("### BEGIN ")
            elif line.startswith("### END "):
                region = "given"
            else:
                regions[region].add(line)
    return {name: lines if name == "given" else lines - regions["given"] for name, lines in regions.items()}


def all_lines(notebook) -> set[str]:
    return {line.strip() for cell in notebook.cells for line in cell.source.splitlines()}


@pytest.mark.parametrize("name", COURSE)
def test_committed_notebooks_are_what_the_masters_give(name):
    assert release.drift(name) == []


@pytest.mark.parametrize("name", COURSE)
def test_no_hidden_test_and_no_solution_reaches_students(name):
    master = Master.read(name)
    lines = lines_by_region(master.notebook)
    hidden, solutions = lines["HIDDEN TESTS"], lines["SOLUTION"]
    assert len(hidden) > 20 and len(solutions) >= len(master.questions)

    student = nbformat.read(release.assignment_path(name), as_version=4)
    solved = nbformat.read(release.solution_path(name), as_version=4)
    assert all_lines(student) & (hidden | solutions) == set()
    assert all_lines(solved) & hidden == set()
    assert solutions <= all_lines(solved)
    assert not any(
        "HIDDEN TESTS" in line or "SOLUTION" in line for line in all_lines(student) | all_lines(solved)
    )


@pytest.mark.parametrize("name", COURSE)
def test_the_students_notebook_is_whole_and_blank(name):
    student = nbformat.read(release.assignment_path(name), as_version=4)
    nbformat.validate(student)
    assert (student.nbformat, student.nbformat_minor) == (4, 5)
    assert [cell.id for cell in student.cells] == [cell.id for cell in Master.read(name).notebook.cells]
    code = [cell for cell in student.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert all("raise NotImplementedError(" in cell.source for cell in code if is_answer(cell))
    assert all(cell.source.endswith("check.score()") for cell in code if is_test(cell))
    assert "{{" not in "".join(cell.source for cell in student.cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("name", COURSE)
def test_the_solved_notebook_shows_its_training_without_noise(name):
    solved = nbformat.read(release.solution_path(name), as_version=4)
    outputs = [output for cell in solved.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any(output.output_type == "error" or output.get("name") == "stderr" for output in outputs)
    shown = json.dumps([output for output in outputs], default=str)
    assert str(release.ROOT) not in shown and str(Path.home()) + "/" not in shown
    assert "ipykernel_" not in shown and "it/s]" not in shown and "widget-view" not in shown


def test_release_writes_three_notebooks_and_nothing_twice(tiny, tmp_path, monkeypatch):
    written = release.write("tiny", tmp_path)
    assert written == [
        tmp_path / "assignments/tiny/tiny.ipynb",
        tmp_path / "autograder/source/tiny/tiny.ipynb",
        tmp_path / "solutions/tiny.ipynb",
    ]
    solved = nbformat.read(tmp_path / "solutions/tiny.ipynb", as_version=4)
    assert (
        solved.cells[3].source
        == 'def double(x):\n    """Twice x: double(2) == 4."""\n    twice = 2 * x\n    return twice'
    )
    assert [output.text for output in solved.cells[6].outputs] == ["6 . <object object at 0x...>\n"]
    assert solved.cells[7].outputs[0].data["text/plain"] == "6"
    assert solved.metadata.policy_gradients.master_sha256 == Master.read("tiny").sha256
    assert release.drift("tiny", tmp_path) == []
    monkeypatch.setattr(release, "_executed", lambda *_: pytest.fail("executed although nothing changed"))
    before = {path: path.stat().st_mtime_ns for path in written}
    assert release.write("tiny", tmp_path) == []
    assert {path: path.stat().st_mtime_ns for path in written} == before


ROLE = (
    '{"grade": true, "grade_id": "why", "points": 1, "schema_version": 3, "solution": true, "locked": false}'
)
WRITTEN = f"""
# %% [markdown] nbgrader={ROLE}
# **Why is it twice?**
#
# ### BEGIN SOLUTION
# Because x + x = 2 x.
# ### END SOLUTION

"""


def test_a_written_answer_is_blank_for_students_and_solved_in_the_solutions(tiny):
    place = TINY.index("# %% [markdown]\n# ## Training")
    master = Master("tiny", TINY[:place] + WRITTEN.lstrip() + TINY[place:])
    master.check()
    (student,) = [cell for cell in release.assignment_notebook(master).cells if cell.id == "why"]
    (solved,) = [cell for cell in release.solution_notebook(master).cells if cell.id == "why"]
    assert student.source == "**Why is it twice?**\n\n*Your answer here.*"
    assert solved.source == "**Why is it twice?**\n\nBecause x + x = 2 x."
    assert [question.name for question in master.questions] == ["double"]


def test_bytes_do_not_depend_on_the_run(tiny, tmp_path):
    release.write("tiny", tmp_path / "one")
    release.write("tiny", tmp_path / "two")
    for path in (tmp_path / "one").rglob("*.ipynb"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


@pytest.fixture
def released(tiny, tmp_path):
    """The tiny assignment, released, with invented outputs in the place of executed ones."""
    root = tmp_path / "course"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "_executed", _invent_outputs)
        release.write("tiny", root)
    return root


def _invent_outputs(notebook, *_):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for place, cell in enumerate(code, start=1):
        cell.execution_count = place
        cell.outputs = [nbformat.v4.new_output("stream", text=f"output {place}\n")]
    return notebook


@pytest.mark.parametrize(
    "change",
    [
        ("double(1234), 2468", "double(4321), 8642"),
        ("# ## Training", "# ## The training"),
        ("{{setup()}}", '{{setup("box2d")}}'),
    ],
    ids=["hidden test", "prose", "setup cell"],
)
def test_outputs_are_kept_while_the_code_is_the_same(tiny, released, no_execution, change):
    tiny.write_text(TINY.replace(*change))
    assert any("solutions/tiny.ipynb" in message for message in release.drift("tiny", released))
    release.write("tiny", released)
    assert release.drift("tiny", released) == []
    solved = nbformat.read(released / "solutions/tiny.ipynb", as_version=4)
    assert solved.cells[-1].outputs[0].text == "output 6\n"
    assert solved.metadata.policy_gradients.master_sha256 == Master.read("tiny").sha256


def test_another_repository_needs_no_training(tiny, released, no_execution, tmp_path, monkeypatch):
    monkeypatch.setattr(masters, "BOOK_CONFIG", tmp_path / "_config.yml")
    masters.BOOK_CONFIG.write_text("repository: {url: 'https://github.com/me/fork', branch: main}")
    assert len(release.drift("tiny", released)) == 3
    release.write("tiny", released)
    assert "me/fork" in (released / "solutions/tiny.ipynb").read_text()


def test_changed_code_is_executed_again(tiny, released):
    tiny.write_text(TINY.replace("2 * x", "x + x"))
    release.write("tiny", released)
    solved = nbformat.read(released / "solutions/tiny.ipynb", as_version=4)
    assert solved.cells[-1].outputs[0].data["text/plain"] == "6"


DRIFTS = {
    "hidden test edited": (
        lambda root, tiny: tiny.write_text(TINY.replace("1234", "99")),
        ["autograder/source/tiny/tiny.ipynb", "solutions/tiny.ipynb"],
    ),
    "visible test edited": (
        lambda root, tiny: tiny.write_text(TINY.replace("double(2), 4", "double(3), 6")),
        ["assignments/tiny/tiny.ipynb", "autograder/source/tiny/tiny.ipynb", "solutions/tiny.ipynb"],
    ),
    "student notebook edited": (
        lambda root, tiny: _edit(root / "assignments/tiny/tiny.ipynb", "A tiny", "A small"),
        ["assignments/tiny/tiny.ipynb"],
    ),
    "student notebook gone": (
        lambda root, tiny: (root / "assignments/tiny/tiny.ipynb").unlink(),
        ["assignments/tiny/tiny.ipynb is missing"],
    ),
    "solution edited": (
        lambda root, tiny: _edit(root / "solutions/tiny.ipynb", "2 * x", "3 * x"),
        ["solutions/tiny.ipynb"],
    ),
    "solution without outputs": (
        lambda root, tiny: _edit(
            root / "solutions/tiny.ipynb", '"execution_count": 3', '"execution_count": null'
        ),
        ["solutions/tiny.ipynb"],
    ),
    "solution broken": (
        lambda root, tiny: (root / "solutions/tiny.ipynb").write_text("{"),
        ["solutions/tiny.ipynb"],
    ),
    "solution gone": (
        lambda root, tiny: (root / "solutions/tiny.ipynb").unlink(),
        ["solutions/tiny.ipynb is missing"],
    ),
    "nbgrader source gone": (lambda root, tiny: (root / "autograder/source/tiny/tiny.ipynb").unlink(), []),
}


def _edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(("change", "messages"), DRIFTS.values(), ids=DRIFTS)
def test_drift_is_named_and_says_what_to_run(tiny, released, no_execution, change, messages):
    change(released, tiny)
    found = release.drift("tiny", released)
    assert [text.startswith(message) for text, message in zip(found, messages, strict=True)] == [True] * len(
        messages
    )
    assert all("run `autograder release tiny`" in text for text in found)


def test_a_broken_master_is_refused_before_anything_is_written(tiny, tmp_path):
    tiny.write_text(TINY.replace("    ### END SOLUTION\n", ""))
    with pytest.raises(InvalidMaster, match="not closed"):
        release.write("tiny", tmp_path / "course")
    with pytest.raises(InvalidMaster, match="not closed"):
        release.drift("tiny", tmp_path / "course")
    assert not (tmp_path / "course").exists()


def test_a_failing_solution_leaves_the_old_notebooks(tiny, released):
    before = {path: path.read_bytes() for path in released.rglob("*.ipynb")}
    tiny.write_text(TINY.replace("twice = 2 * x", "twice = undefined"))
    with pytest.raises(Exception, match="undefined"):
        release.write("tiny", released)
    assert {path: path.read_bytes() for path in released.rglob("*") if path.is_file()} == before
