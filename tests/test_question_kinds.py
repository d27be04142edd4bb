"""Questions answered by a value, a class, or several functions of a cell: engine and nbgrader agree."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder import gradebook, grading, release, sandbox, trial
from autograder import master as masters
from autograder.judging import judge_submission
from autograder.master import Master
from autograder.student import Limits
from tests.test_nbgrader import CONFIG, autograded_points, nbgrader

FOLDER = Path(__file__).parent / "masters"
MASTERS = {name: Master(name, (FOLDER / f"{name}.py").read_text()) for name in ("values", "replay", "codec")}
BUFFER = next(cell.source for cell in MASTERS["replay"].notebook.cells if cell.id == "ReplayBuffer")
BUFFER = BUFFER.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION", "")

# What a student writes into which cells; the points and status of every question.
ANSWERS = {
    "values": {
        "right": (
            {
                "choice": "choice: str = 'b'",
                "measured": "import numpy as np\nrewards = np.array([1.0, 2, 6])\n"
                "measured = dict(mean=rewards.mean(), spread=np.ptp(rewards))",
                "step_size": "step_size = np.float32(1)",
            },
            {"choice": (1, "passed"), "measured": (2, "passed"), "step_size": (1, "passed")},
        ),
        "stub_left_below": (
            {
                "choice": "choice = 'b'\nraise NotImplementedError('This is waiting for your code.')",
                "step_size": "low, high = 0.5, 1.5\n"
                "while high - low > 1e-9:\n    step_size = (low + high) / 2\n"
                "    low, high = (step_size, high) if abs(1 - 2 * step_size) < 1 else (low, step_size)",
            },
            {"choice": (1, "passed"), "measured": (0, "missing"), "step_size": (1, "passed")},
        ),
        "wrong": (
            {
                "choice": "choice = 'c'",
                "measured": "measured = {'mean': 3, 'spread': None}",
                "step_size": "step_size = '1'",
            },
            {"choice": (0.25, "partial"), "measured": (0.67, "partial"), "step_size": (0, "failed")},
        ),
        "ellipsis": (
            {
                "choice": "choice = ...",
                "measured": "measured = {'mean': ..., 'spread': 5.0}",
                "step_size": "stepsize = 1",
            },
            {"choice": (0, "missing"), "measured": (0.67, "partial"), "step_size": (0, "error")},
        ),
        "broken": (
            {
                "choice": "choice = b",
                "measured": "measured = {'mean': 3, 'spread': 5}\n1 / 0",
                "step_size": "def step_size(): return 1",
            },
            {"choice": (0, "error"), "measured": (2, "passed"), "step_size": (0, "error")},
        ),
    },
    "replay": {
        "right": ({"ReplayBuffer": BUFFER}, {"ReplayBuffer": (4, "passed")}),
        "no_property": (
            {"ReplayBuffer": BUFFER.replace("    @property\n", "")},
            {"ReplayBuffer": (3, "partial")},
        ),
        "shared": (
            {
                "ReplayBuffer": BUFFER.replace("        self.items = []\n", "")
                .replace('kind = "ring"', 'kind = "ring"\n    items = []')
                .replace("self.items = [*self.items, item][-self.size :]", "self.items.append(item)")
            },
            {"ReplayBuffer": (1, "partial")},
        ),
        "no_len": (
            {"ReplayBuffer": BUFFER.replace("__len__", "length")},
            {"ReplayBuffer": (2, "partial")},
        ),
    },
    "codec": {
        "right": (
            {
                "encode": "import numpy as np\ndef encode(values): return np.diff(values, prepend=0)\n"
                "decode = np.cumsum",
                "statistics": "import statistics\nmean = statistics.mean\n"
                "variance = lambda values: statistics.pvariance(values)",
            },
            {"encode": (1, "passed"), "decode": (2, "passed"), "statistics": (2, "passed")},
        ),
        "half": (
            {
                "encode": "def encode(values):\n    raise NotImplementedError\n\ndef decode(differences):\n"
                "    return [sum(differences[:i]) for i in range(1, len(differences) + 1)]",
                "statistics": "def mean(values):\n    return sum(values) / len(values)",
            },
            {"encode": (0, "missing"), "decode": (1, "partial"), "statistics": (1, "partial")},
        ),
    },
}
CASES = [(name, student) for name, students in ANSWERS.items() for student in students]


def handed_in(master, cells):
    notebook = release.assignment_notebook(master)
    for cell in notebook.cells:
        cell.source = cells.get(cell.id, cell.source)
    return notebook


@pytest.fixture(scope="module")
def limits():
    return Limits(10.0, 4096, sandbox.resolve("auto"))


@pytest.mark.parametrize(("name", "student"), CASES)
def test_the_engine_gives_what_is_written_down(name, student, limits):
    cells, expected = ANSWERS[name][student]
    content = nbformat.writes(handed_in(MASTERS[name], cells)).encode()
    row = judge_submission(student, content, MASTERS[name], 3, limits).verdict
    assert {item.name: (item.points, item.status) for item in row.questions} == expected, row
    assert row.faults == () or student in ("ellipsis", "half"), row.faults


@pytest.mark.parametrize("name", MASTERS)
def test_the_solution_passes_and_the_blank_notebook_does_not(name, limits, tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "PASSED", tmp_path)
    MASTERS[name].check()
    trial.judge(MASTERS[name])
    blank = nbformat.writes(handed_in(MASTERS[name], {})).encode()
    row = judge_submission("lena", blank, MASTERS[name], 3, limits).verdict
    assert [(item.status, item.message, item.needs_review) for item in row.questions] == [
        ("missing", "Not written yet.", False)
    ] * len(MASTERS[name].questions)
    assert row.faults == ()


@pytest.mark.parametrize("name", MASTERS)
def test_nbgrader_gives_the_same_points(name, tmp_path):
    master = MASTERS[name]
    shutil.copy(CONFIG, tmp_path)
    source = tmp_path / "source" / name / f"{name}.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(release.source_notebook(master), source)
    nbgrader(tmp_path, "generate_assignment", name)
    for student, (cells, _) in ANSWERS[name].items():
        path = tmp_path / "submitted" / student / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(handed_in(master, cells), path)
    nbgrader(tmp_path, "autograde", name)
    for student, (_, expected) in ANSWERS[name].items():
        points = autograded_points(tmp_path, master, student)
        assert points == {question: points for question, (points, _) in expected.items()}, student


def test_the_gradebook_has_a_comment_for_all_that_share_a_cell(tmp_path, monkeypatch):
    monkeypatch.setattr(masters, "FOLDER", FOLDER)
    cells, expected = ANSWERS["codec"]["half"]
    nbformat.write(handed_in(MASTERS["codec"], cells), tmp_path / "half.ipynb")
    grading.grade_class("codec", tmp_path / "half.ipynb", out=tmp_path / "out", jobs=1)
    with Gradebook(gradebook.default_url(tmp_path / "out")) as book:
        notebook = book.find_submission_notebook("codec", "codec", "half")
        comments = {comment.name: comment.auto_comment for comment in notebook.comments}
        points = {grade.name.removeprefix("test_"): grade.auto_score for grade in notebook.grades}
    assert points == {question: points for question, (points, _) in expected.items()}
    assert comments["encode"].startswith("encode: Not written yet.\ndecode: Not yet: it takes back")
    assert comments["statistics"].startswith("Not yet: the variance.")
    path = tmp_path / "out" / "autograded" / "half" / "codec" / "codec.ipynb"
    shown = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    assert shown["encode"].source == cells["encode"]
    assert "1 of 2 points: partial" in shown["test_decode"].outputs[0].text
