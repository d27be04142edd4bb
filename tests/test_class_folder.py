"""The folder of a class: what counted is kept there, and only its owner reads it."""

import contextlib
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from autograder import class_folder, grading, master
from autograder.intake import Person, Submission
from autograder.results import Results, feedback, report
from autograder.results.export import write_export
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
