"""Data files beside a master: released, kept in step, and found by notebooks and tests wherever these run."""

import shutil
from pathlib import Path

import nbformat
import pytest

from autograder import master as masters
from autograder import release, sandbox
from autograder.judging import judge_submission
from autograder.master import InvalidMaster, Master
from autograder.student import Limits
from tests.test_nbgrader import CONFIG, autograded_points, nbgrader

ROWS = "def last_mean(path, number):\n    rows = [line.split(',') for line in open(path)][1:]\n"
RIGHT = f"{ROWS}    return sum(float(row[1]) for row in rows[-number:]) / number"
WRONG = f"{ROWS}    return float(rows[-1][1])"
OVERWRITTEN = f"open('data/rewards.csv', 'w').write('mine')\n{RIGHT}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of masters of its own, with the one that has data."""
    folder = tmp_path / "masters"
    shutil.copytree(Path(__file__).parent / "masters" / "survey", folder / "survey")
    shutil.copy(Path(__file__).parent / "masters" / "survey.py", folder)
    monkeypatch.setattr(masters, "FOLDER", folder)
    return folder


def handed_in(master, source):
    notebook = release.assignment_notebook(master)
    next(cell for cell in notebook.cells if cell.id == "last_mean").source = source
    return notebook


@pytest.mark.parametrize("kind", sandbox.KINDS[1:])
def test_notebook_and_tests_find_the_files_in_every_sandbox(kind, folder):
    try:
        sandbox.resolve(kind)
    except sandbox.NoSandbox as error:
        pytest.skip(f"this machine has no sandbox {kind!r}: {error}")
    master = Master.read("survey")
    points = {}
    for answer in (RIGHT, WRONG, RIGHT):
        content = nbformat.writes(handed_in(master, answer)).encode()
        judged = judge_submission("ada", content, master, 3, Limits(10.0, 4096, kind))
        points[answer] = judged.verdict.score
    assert points == {RIGHT: 2, WRONG: 0}


def test_a_student_cannot_change_them(folder):
    master = Master.read("survey")
    content = nbformat.writes(handed_in(master, OVERWRITTEN)).encode()
    limits = Limits(10.0, 4096, sandbox.resolve("auto"))
    (question,) = judge_submission("ada", content, master, 3, limits).verdict.questions
    assert question.status == "error" and "PermissionError" in question.message


def test_nbgrader_finds_them_too(folder, tmp_path):
    course = tmp_path / "course" / "autograder"
    release.write("survey", course.parent)
    shutil.copy(CONFIG, course)
    nbgrader(course, "generate_assignment", "survey")
    for student, answer in (("right", RIGHT), ("wrong", WRONG)):
        path = course / "submitted" / student / "survey" / "survey.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(handed_in(Master.read("survey"), answer), path)
    nbgrader(course, "autograde", "survey")
    points = [autograded_points(course, Master.read("survey"), name) for name in ("right", "wrong")]
    assert points == [{"last_mean": 2}, {"last_mean": 0}]


def test_they_are_released_and_kept_in_step(folder, tmp_path, monkeypatch):
    root = tmp_path / "course"
    written = release.write("survey", root)
    released = root / "assignments" / "survey" / "data" / "rewards.csv"
    assert released in written and release.write("survey", root) == [] == release.drift("survey", root)
    assert released.read_bytes() == (folder / "survey" / "data" / "rewards.csv").read_bytes()
    before = Master.read("survey").sha256

    (folder / "survey" / "data" / "rewards.csv").rename(folder / "survey" / "data" / "more.csv")
    source = folder / "survey.py"
    source.write_text(source.read_text().replace("rewards.csv", "more.csv"))
    assert any(
        line.startswith("assignments/survey/data does not hold") for line in release.drift("survey", root)
    )
    release.write("survey", root)
    assert [path.name for path in released.parent.iterdir()] == ["more.csv"]
    assert release.drift("survey", root) == []
    assert Master.read("survey").sha256 != before


def test_other_data_are_another_master_and_are_solved_again(folder, tmp_path, monkeypatch):
    before = Master.read("survey")
    data = folder / "survey" / "data" / "rewards.csv"
    data.write_text(data.read_text() + "40,7\n")
    after = Master.read("survey")
    digests = [release.solution_notebook(item).metadata.policy_gradients for item in (before, after)]
    assert digests[0].master_sha256 != digests[1].master_sha256
    assert digests[0].code_sha256 != digests[1].code_sha256


def test_colab_fetches_them(folder):
    setup = release.assignment_notebook(Master.read("survey")).cells[1].source
    assert "&& cp -r course/assignments/survey/data ." in setup


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda data: (data / "größe.csv").write_text(""),
            "data/größe.csv cannot be released: the folder",
        ),
        (lambda data: (data / "more").mkdir(), "data/more cannot be released"),
        (
            lambda data: (data / "passwords").symlink_to("/etc/passwd"),
            "data/passwords cannot be released",
        ),
        (
            lambda data: (data / "big.bin").write_bytes(bytes(9 * 2**20)),
            "have 9.0 MiB; at most 8 are",
        ),
    ],
    ids=["name", "folder", "link", "size"],
)
def test_what_cannot_be_released_is_refused(folder, spoil, message):
    spoil(folder / "survey" / "data")
    with pytest.raises(InvalidMaster, match=message):
        Master.read("survey")


def test_data_that_colab_would_not_find_are_refused(folder):
    source = folder / "survey.py"
    source.write_text(source.read_text().replace('"setup"', '"preparation"'))
    with pytest.raises(InvalidMaster, match="data files, which Colab fetches in the cell 'setup'"):
        Master.read("survey").check()
