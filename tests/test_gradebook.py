"""The gradebook: one transaction, fast for large classes, and the same in SQLite and PostgreSQL."""

import contextlib
import glob
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbgrader.api import Comment, Grade, Gradebook, Student, SubmittedNotebook
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from autograder import cli, gradebook, master
from autograder.gradebook import NoGradebook
from autograder.master import Master
from autograder.verdicts import Grades, QuestionVerdict, SubmissionVerdict, WrittenAnswer
from tests.notebooks import PAIR, as_bytes, submission

WRITTEN = """
# %% [markdown]
# Say why.

# %% [markdown] nbgrader={"grade": true, "grade_id": "why", "locked": false, "points": 2, \
"schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Because.
# ### END SOLUTION
"""
TRAINING = '\n# %% tags=["training"]'
NUMBERS = itertools.count()
ESSAY = Master("pair", PAIR.source.replace(TRAINING, WRITTEN + TRAINING))


def row(student, sums=3.0, doubled=2.0, *, text=None, message="", needs_review=False, status="graded"):
    """One student of the assignment; text: the written answer, None where the question has no place."""
    questions = (
        QuestionVerdict(name="running_sum", points=sums, max_points=3, status="passed", message=message),
        QuestionVerdict(
            name="double", points=doubled, max_points=2, status="failed", needs_review=needs_review
        ),
    )
    written = () if text is None else (WrittenAnswer(name="why", max_points=2, digest=text),)
    score = sums + doubled
    return SubmissionVerdict(
        student=student, score=score, status=status, questions=questions, written=written
    )


def a_class(*rows):
    return Grades(assignment="pair", max_score=5, sandbox="bwrap", submissions=rows)


@pytest.fixture(scope="module")
def postgresql():
    """A PostgreSQL server of its own, reached through a socket: what follows a database's name."""
    found = shutil.which("initdb") or next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))), None)
    if not found:
        pytest.skip("PostgreSQL is not installed here (on Debian: apt-get install postgresql)")
    tools = Path(found).resolve().parent
    ordinary = {"user": "nobody", "extra_groups": []} if os.getuid() == 0 else {}  # it refuses to run as root
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        if ordinary:
            shutil.chown(folder, "nobody")
        environment = {**os.environ, "LC_ALL": "C", "HOME": folder}
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        data = ["-D", f"{folder}/data"]

        def tool(name, *arguments):
            command = [tools / name, *arguments]
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                **ordinary,
            )
            assert done.returncode == 0, done.stderr.decode()

        tool("initdb", *data, "-U", "grader", "-A", "trust", "-E", "UTF8")
        tool("pg_ctl", *data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"?host={folder}&user=grader"
        finally:
            tool("pg_ctl", *data, "-w", "-m", "immediate", "stop")


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def url(request, tmp_path):
    if request.param == "SQLite":
        yield f"sqlite:///{tmp_path / 'gradebook.db'}"
        return
    server, name = request.getfixturevalue("postgresql"), f"course_{next(NUMBERS)}"
    maintenance = create_engine(f"postgresql:///postgres{server}", isolation_level="AUTOCOMMIT")
    with contextlib.closing(maintenance.connect()) as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    maintenance.dispose()
    yield f"postgresql:///{name}{server}"


def found(url, of, *columns):
    with gradebook._open(url) as opened:
        return sorted(map(tuple, gradebook._rows(opened, "pair", of, gradebook.BaseCell, *columns)))


def scores(url):
    """Student, cell, automatic score, and whether a person is asked to look."""
    return found(url, Grade, Grade.auto_score, Grade.needs_manual_grade)


def mark(url, student, cell, score, comment=None):
    """What formgrader writes when somebody types points and a comment."""
    with Gradebook(url) as opened:
        grade = opened.find_grade(cell, "pair", "pair", student)
        grade.manual_score, grade.needs_manual_grade = score, False
        if comment:
            opened.find_comment(cell.removeprefix("test_"), "pair", "pair", student).manual_comment = comment
        opened.db.commit()


def test_points_messages_and_what_waits_for_a_person(url):
    hostile = "Not yet: it\x00 has \ud800 no text."
    gradebook.record(
        url,
        ESSAY,
        a_class(
            row("ada", text="a digest"),
            row("ben", 1.5, 0, text="", message=hostile, needs_review=True),
            row("cy", 0, 0, status="unreadable"),
        ),
    )
    assert scores(url) == [
        ("ada", "test_double", 2, False),
        ("ada", "test_running_sum", 3, False),
        ("ada", "why", None, True),
        ("ben", "test_double", 0, True),
        ("ben", "test_running_sum", 1.5, False),
        ("ben", "why", 0, False),
        ("cy", "test_double", 0, False),
        ("cy", "test_running_sum", 0, False),
        ("cy", "why", 0, False),
    ]
    comments = {row[:2]: row[2] for row in found(url, Comment, Comment.auto_comment)}
    assert comments["ben", "running_sum"] == "Not yet: it\ufffd has \ufffd no text."
    assert comments["ada", "why"] is None and comments["ben", "why"] == "No response."
    with Gradebook(url) as opened:
        submission = opened.find_submission("pair", "ben")
        assert (submission.score, submission.max_score) == (1.5, 7)
        assert opened.find_notebook("pair", "pair").max_written_score == 2


def test_nbgrader_would_have_made_the_same_cells(url, tmp_path):
    from nbgrader.preprocessors import ComputeChecksums, SaveCells

    gradebook.record(url, ESSAY, a_class(row("ada", text="")))
    theirs = f"sqlite:///{tmp_path / 'theirs.db'}"
    with Gradebook(theirs) as opened:
        opened.add_assignment("pair")
    resources = {"nbgrader": {"notebook": "pair", "assignment": "pair", "db_url": theirs}}
    notebook, resources = ComputeChecksums().preprocess(ESSAY.notebook.copy(), resources)
    SaveCells().preprocess(notebook, resources)

    def cells(address):
        with Gradebook(address) as opened:
            notebook = opened.find_notebook("pair", "pair")
            kinds = [notebook.grade_cells, notebook.solution_cells, notebook.source_cells]
            dicts = [
                sorted((cell.to_dict() for cell in kind), key=lambda cell: cell["name"]) for kind in kinds
            ]
            return notebook.kernelspec, [{**cell, "id": ""} for kind in dicts for cell in kind]

    assert cells(url) == cells(theirs)


def test_marks_of_people_stay_and_are_asked_for_again_only_when_what_they_mark_has_changed(url):
    first = a_class(row("ada", text="one"), row("ben", text="one"), row("cy", 1, text="one"))
    gradebook.record(url, ESSAY, first)
    for student in ("ada", "ben"):
        mark(url, student, "why", 1.5, "Well put.")
    mark(url, "cy", "test_running_sum", 2.5)
    mark(url, "cy", "why", 0.5)
    gradebook.record(url, ESSAY, first, first)
    assert not any(waiting for *_, waiting in scores(url))

    second = a_class(row("ada", text="one"), row("ben", text="two"), row("cy", 2, text=""))
    gradebook.record(url, ESSAY, second, first)
    marks = gradebook.marks(url, "pair")
    assert {who: (marks[who]["why"].score, marks[who]["why"].waiting) for who in marks} == {
        "ada": (1.5, False),
        "ben": (1.5, True),
        "cy": (0.5, True),
    }
    assert (marks["cy"]["running_sum"].score, marks["cy"]["running_sum"].waiting) == (2.5, True)
    assert marks["ben"]["why"].comment == "Well put."


def test_what_a_person_has_resolved_is_not_opened_again_by_the_same_verdict(url):
    unclear = a_class(row("ada", 1.0, needs_review=True))
    gradebook.record(url, PAIR, unclear)
    assert scores(url)[0] == ("ada", "test_double", 2, True)
    with Gradebook(url) as opened:  # as formgrader's button "Resolve" does
        opened.find_grade("test_double", "pair", "pair", "ada").needs_manual_grade = False
        opened.db.commit()
    gradebook.record(url, PAIR, unclear)
    assert scores(url)[0] == ("ada", "test_double", 2, False)
    gradebook.record(url, PAIR, a_class(row("ada", 1.0, 1.0, needs_review=True)))
    assert scores(url)[0] == ("ada", "test_double", 1, True)


def test_a_question_may_come_later_and_go_again_but_not_with_marks_that_people_gave(url):
    gradebook.record(url, PAIR, a_class(row("ada")))
    gradebook.record(url, ESSAY, a_class(row("ada", text="one")))
    assert ("ada", "why", None, True) in scores(url)
    gradebook.record(url, PAIR, a_class(row("ada")))
    assert [cell for _, cell, *_ in scores(url)] == ["test_double", "test_running_sum"]

    gradebook.record(url, ESSAY, a_class(row("ada", text="one")))
    mark(url, "ada", "why", 2)
    before = scores(url)
    with pytest.raises(NoGradebook, match="marks that people gave for 'why'"):
        gradebook.record(url, PAIR, a_class(row("ada", 0, 0)))
    assert scores(url) == before


def everything(url):
    """What the database holds about the class."""
    with Gradebook(url) as opened:
        students = sorted(opened.db.query(Student.id).all())
        notebooks = opened.db.query(SubmittedNotebook.id).count()
    return students, notebooks, scores(url), found(url, Comment, Comment.auto_comment)


NEXT = [row(f"student {number}", 1, 1, text="new", message="New.") for number in range(30)]


def test_an_error_in_the_middle_leaves_the_old_state_whole(url):
    gradebook.record(url, ESSAY, a_class(row("ada", text="one")))
    before = everything(url)
    (question, _) = NEXT[0].questions
    unknown = NEXT[0].model_copy(update={"questions": (question.model_copy(update={"name": "unheard_of"}),)})
    with pytest.raises(KeyError, match="unheard_of"):
        gradebook.record(url, ESSAY, a_class(*NEXT[1:], row("ada", 0, 0, text=""), unknown))
    with pytest.raises(NoGradebook, match="Nothing was written"):
        gradebook.record(url, ESSAY, a_class(*NEXT, NEXT[0]))  # one student cannot be there twice
    assert everything(url) == before


@pytest.mark.parametrize("statement", [4, 8])  # the 8th writes the comments; the commit follows
def test_a_run_killed_in_the_middle_leaves_the_old_state_whole(url, statement):
    gradebook.record(url, ESSAY, a_class(row("ada", text="one")))
    before = everything(url)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, url, str(statement)], cwd=Path(__file__).parents[1]
    )
    assert killed.returncode == -signal.SIGKILL
    assert everything(url) == before
    gradebook.record(url, ESSAY, a_class(*NEXT))
    assert len(everything(url)[0]) == 31


KILLED = """
import os, signal, sys
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine
from tests.test_gradebook import ESSAY, NEXT, a_class
from autograder import cli, gradebook, master

def count(connection, cursor, statement, parameters, context, many):
    if statement.startswith(("INSERT", "UPDATE", "DELETE")):
        count.seen += 1
        if count.seen == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

count.seen = 0
event.listen(Engine, "after_cursor_execute", count)
gradebook.record(sys.argv[1], ESSAY, a_class(*NEXT))
"""


def test_a_large_class_takes_no_more_statements_than_a_small_one(tmp_path):
    def statements(students):
        seen = []
        url = f"sqlite:///{tmp_path / f'{students}.db'}"
        gradebook.record(url, ESSAY, a_class())

        def watch(connection, cursor, statement, *_):
            seen.append(statement)

        event.listen(Engine, "after_cursor_execute", watch)
        gradebook.record(url, ESSAY, a_class(*(row(f"s{number}", text="a") for number in range(students))))
        event.remove(Engine, "after_cursor_execute", watch)
        return len(seen)

    assert statements(2) == statements(300)


def test_a_database_that_cannot_be_reached_is_an_error_that_hides_the_password(tmp_path):
    url = f"postgresql://grader:secret-word@/course?host={tmp_path}"
    with pytest.raises(NoGradebook, match="Nothing was written") as refused:
        gradebook.record(url, PAIR, a_class(row("ada")))
    assert "secret-word" not in str(refused.value)
    with pytest.raises(NoGradebook) as refused:
        gradebook.marks(url, "pair")
    assert "secret-word" not in str(refused.value)


def test_a_database_out_of_reach_is_said_before_anything_is_graded(tmp_path, monkeypatch):
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada.ipynb").write_bytes(as_bytes(submission()))
    command = ["grade", "pair", tmp_path / "class", "--out", tmp_path / "out"]
    url = f"postgresql:///course?host={tmp_path}"
    done = CliRunner().invoke(cli.main, [*map(str, command), "--db", url])
    assert done.exit_code == 2
    assert "cannot be opened" in done.output and "Nothing was graded." in done.output
    assert not list((tmp_path / "out").rglob("*.json"))
