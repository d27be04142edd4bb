"""The folder of a class: what counted is kept there, and only its owner reads it."""

import contextlib
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import class_folder, grading, master, verdicts
from autograder.gradebook import NoGradebook
from autograder.intake import Person, Submission
from autograder.results import Results, feedback, report
from autograder.results.export import write_export
from autograder.settings import ClassSettings, GradebookAddress, UnusableSettings
from autograder.submission_store import DamagedStore, SubmissionStore
from tests.notebooks import as_bytes, submission

RIGHT = as_bytes(submission())
WRONG = as_bytes(submission(double="def double(x):\n    return 0"))


@contextlib.contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def too_open(folder):
    """What others than the owner could read, of all that is in the folder."""
    paths = [folder, *folder.rglob("*")]
    return [str(path) for path in paths if stat.S_IMODE(path.lstat().st_mode) & 0o077]


@pytest.fixture
def hand_ins(tmp_path, monkeypatch):
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "ada.ipynb").write_bytes(RIGHT)
    (folder / "ben.ipynb").write_bytes(WRONG)
    (folder / "dora.ipynb").write_bytes(b"{broken")
    (folder / "ed").mkdir()
    return folder


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_results_are_for_their_owner_only(hand_ins, tmp_path, mask):
    out = tmp_path / "out"
    out.mkdir(mode=0o755)
    (out / "gradebook.db").touch(mode=0o644)
    with umask(mask):
        grading.grade_class("pair", hand_ins, out=out, jobs=1)
        results = Results.read("pair", out)
        feedback.write_feedback(results)
        feedback.write_zips(results)
        report.write_report(results)
        write_export(results, "csv")
    assert too_open(out) == []
    assert {"gradebook.db", "pair", "autograded"} <= {path.name for path in out.iterdir()}


def test_the_gradebooks_journal_is_as_private_as_the_gradebook(hand_ins, tmp_path):
    with umask(0o022):
        grading.grade_class("pair", hand_ins, out=tmp_path / "out", jobs=1)
        with contextlib.closing(sqlite3.connect(tmp_path / "out" / "gradebook.db")) as database:
            database.execute("UPDATE grade SET auto_score = 0")  # opens a journal
            assert (tmp_path / "out" / "gradebook.db-journal").exists()
            assert too_open(tmp_path / "out") == []
            database.rollback()


def test_a_folder_that_is_used_for_other_things_stays_as_open_as_it_was(hand_ins, tmp_path):
    out = tmp_path / "shared"
    out.mkdir(mode=0o755)
    out.chmod(0o755)
    (out / "thesis.tex").touch()
    grading.grade_class("pair", hand_ins, out=out, jobs=1)
    assert stat.S_IMODE(out.stat().st_mode) == 0o755
    for name in ("pair", "autograded", "gradebook.db"):
        assert too_open(out / name) == []


def test_what_counted_is_kept(hand_ins, tmp_path):
    grading.grade_class("pair", hand_ins, out=tmp_path / "out", jobs=1)
    kept = SubmissionStore(tmp_path / "out" / "pair")
    assert list(kept) == ["ada", "ben", "dora", "ed"]
    assert kept.load("ada").content == RIGHT
    assert kept.load("dora").content == b"{broken"
    assert kept.load("ed").problem == "The folder holds no notebook (.ipynb)."
    assert [kept.has_notebook(student) for student in ("ada", "ed", "zoe")] == [True, False, False]


def test_a_store_returns_what_was_put_and_forgets_what_no_longer_counts(tmp_path):
    ada = Submission("ada", RIGHT, faults=("late",), late=True, person=Person("moodle", "7", "Ada Ö"))
    store = SubmissionStore(tmp_path)
    store.put(ada)
    store.put(Submission("ben", WRONG))
    store.put(Submission("cy", WRONG))
    store.save()
    again = SubmissionStore(tmp_path)
    assert [again.load(student) for student in again][0] == ada
    assert not again.differs(ada) and again.differs(Submission("ada", WRONG))
    again.keep_only({"ada", "cy"})
    again.put(Submission("cy", b"other"))
    assert SubmissionStore(tmp_path).load("cy").content == WRONG  # until the class is saved
    again.save()
    assert list(SubmissionStore(tmp_path)) == ["ada", "cy"]
    assert len(list((tmp_path / "submissions").glob("*.ipynb"))) == 2


@pytest.mark.parametrize("name", ["submissions/index.json", "people.json"])
def test_a_damaged_store_is_explained(tmp_path, name):
    store = SubmissionStore(tmp_path)
    store.put(Submission("ada", RIGHT))
    store.save()
    (tmp_path / name).write_text("{")
    with pytest.raises(DamagedStore, match="from a backup"):
        SubmissionStore(tmp_path)


def test_two_commands_at_once_are_refused(tmp_path):
    refused = pytest.raises(class_folder.InUse, match="Another run")
    with class_folder.alone_in(tmp_path), refused, class_folder.alone_in(tmp_path):
        pass
    with class_folder.alone_in(tmp_path):
        pass


def grade(*arguments, **options):
    """The command line on a class."""
    command = [sys.executable, "-m", "autograder.cli", "grade", "gridworld", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def one_sentence(done):
    """What the command says when it refuses."""
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = [text for text in done.stderr.splitlines() if not text.startswith("Grading")]
    assert line.startswith("Error: ")
    return line


@pytest.mark.parametrize("below", ["", "x"])
def test_a_file_in_place_of_the_folder_is_one_sentence(hand_ins, below):
    file = hand_ins / "ada.ipynb"
    assert "name another one with --out" in one_sentence(grade(hand_ins, "--out", file / below))


def test_a_folder_that_may_not_be_written_is_one_sentence(hand_ins, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o755)  # pytest's own are for their owner only
    script = """
import os, sys
from pathlib import Path
from autograder import class_folder, cli
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
cli.main.commands["grade"].callback = lambda **_: class_folder.make_private(Path(sys.argv[1]), "pair")
cli.main(["grade", "pair", "."])
"""
    done = subprocess.run([sys.executable, "-c", script, closed / "x"], capture_output=True, text=True)
    assert f"{closed / 'x'}: Permission denied. The results need a folder" in one_sentence(done)


def test_a_write_that_fails_names_the_file_and_leaves_nothing(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            verdicts.write_atomically(tmp_path / "grades.json", "x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert caught.value.filename == str(tmp_path / "grades.json")
    assert not list(tmp_path.iterdir())


def test_a_damaged_gradebook_is_explained(hand_ins, tmp_path):
    (tmp_path / "gradebook.db").write_bytes(b"no database " * 100)
    with pytest.raises(NoGradebook, match="file is not a database.*backup"):
        grading.grade_class("pair", hand_ins, out=tmp_path, jobs=1)


def test_without_fcntl_the_command_line_asks_for_linux():
    script = "import sys; sys.modules['fcntl'] = None; import autograder.cli"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("The autograder needs Linux")
    assert len(done.stderr.splitlines()) == 1


def test_the_gradebook_is_remembered_and_another_one_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'other.db'}"
    GradebookAddress.of(tmp_path, url).remember()
    assert GradebookAddress.of(tmp_path, None).url == url
    with pytest.raises(UnusableSettings, match="Leave out --db"):
        GradebookAddress.of(tmp_path, f"sqlite:///{tmp_path}/gradebook.db")
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(UnusableSettings, match="from a backup"):
        GradebookAddress.of(tmp_path, None)


def test_results_of_an_older_version_have_the_gradebook_in_their_folder(tmp_path):
    (tmp_path / "gradebook.db").touch()
    with pytest.raises(UnusableSettings, match="Leave out --db"):
        GradebookAddress.of(tmp_path, "postgresql://host/course")


@pytest.mark.parametrize(
    "url", ["postgresql://eve:s3cret@host/course", "postgresql://eve@host/course?password=s3cret"]
)
def test_a_password_is_not_kept(tmp_path, url):
    GradebookAddress.of(tmp_path, url).remember()
    assert "s3cret" not in (tmp_path / "settings.json").read_text()
    assert GradebookAddress.of(tmp_path, None).url == "postgresql://eve@host/course"
    assert GradebookAddress.of(tmp_path, url).url == url
    with pytest.raises(UnusableSettings, match="postgresql://eve@host/course,"):
        GradebookAddress.of(tmp_path, "postgresql://eve:s3cret@host/another")


def test_limits_are_kept_as_they_were_given(tmp_path):
    ClassSettings().changed(4, None).write(tmp_path)
    assert ClassSettings.read(tmp_path) == ClassSettings(seconds=4, memory_mib=4096)
    assert ClassSettings.read(tmp_path).changed(None, 2048).seconds == 4.0
