"""Why a student lost points, as the instructor reads it, in the real sandbox; and who never reads it."""

import dataclasses
import json
import shutil
import unicodedata
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from autograder import gradebook, grading, master, sandbox
from autograder.cli import main
from autograder.intake import people
from autograder.judging import judge_submission
from autograder.master import Master
from autograder.release import assignment_notebook
from autograder.results import explain
from autograder.results.graded import Results
from autograder.samples.generate import submission as sample
from autograder.samples.students import CLASSES
from autograder.student import Limits
from autograder.verdicts import Grades, SubmissionVerdict
from tests.hostile import floods, messages
from tests.notebooks import PAIR, STUB, as_bytes, code, submission

SEED = 20_240_607
EVERY_KIND = ("gridworld", "parallel_reinforce", "reinforce_cartpole")  # NumPy, PyTorch with objects, JAX


@pytest.fixture(scope="module")
def limits():
    return Limits(4.0, 4096, sandbox.resolve("auto"))


def examined(content, limits, source=PAIR, **options):
    return explain.examine(content, source, SEED, limits, **options)


def text_of(content, limits, question=None, update=None, **options):
    """The explanation of a class of one, whose row in grades.json is changed by `update`."""
    verdict = judge_submission("ada", content, PAIR, SEED, limits).verdict
    return told(examined(content, limits, **options), verdict.model_copy(update=update or {}), question)


def told(examination, verdict, question=None):
    """The text of an explanation."""
    grades = Grades(assignment="pair", max_score=5, sandbox="bwrap", submissions=(verdict,))
    results = Results(Path("no such folder"), grades, {})
    student = explain.find_student(results, verdict.student)
    questions = explain.find_questions(student, question)
    sections = explain.explain(results, student, questions, PAIR, examination)
    return "\n".join(line for section in sections for line in ("", section.title, *section.lines))


@pytest.mark.parametrize("name", EVERY_KIND)
def test_every_property_that_a_sample_student_fails_has_an_input_and_a_reason(name, limits):
    source = Master.read(name)
    released = nbformat.writes(assignment_notebook(source))
    told = 0
    for student in CLASSES[name]:
        if not student.expected or student.mishap:
            continue
        found = examined(sample(student, source, released), limits, source)
        for question, points in student.points(source).items():
            assert found.verdicts[question].points == pytest.approx(points), (student.name, question)
            assert found.verdicts[question].status == student.statuses(source)[question]
            failures = found.student.failures.get(question, [])
            assert bool(failures) == (points < found.verdicts[question].max_points), (student.name, question)
            for failure in failures:
                told += 1
                where = (student.name, question, failure)
                assert failure.calls and failure.lines, where
                stopped = failure.calls[-1].verb != "returned"
                assert stopped or failure.expected or failure.reason, where
                assert failure.expected or failure.values or stopped, where
    assert told > 50


def test_a_wrong_value_is_shown_beside_the_input_the_expected_one_and_the_cell(limits):
    notebook = submission(running_sum="def running_sum(values, start=0.0):\n    return np.cumsum(values)")
    text = text_of(as_bytes(notebook), limits)
    assert "ada, running_sum: 2 of 3 points (partly right)" in text
    assert 'Not yet: "a start" (1.00 points)' in text
    assert "feedback  Is start added?" in text
    assert "call      running_sum([1, 2], start=10.0)" in text
    assert "returned  array([1, 3])" in text
    assert "expected  [11., 13.]" in text
    assert "2 of 2 numbers differ, first at [0]: 1.0 instead of 11.0" in text
    assert "close(running_sum([1, 2], start=10.0), [11, 13])" in text
    assert "   2      return np.cumsum(values)" in text
    assert "double" not in text  # nothing was lost there


def test_an_exception_comes_with_the_lines_of_the_notebook_and_what_was_expected(limits):
    notebook = submission(
        running_sum="def running_sum(values, start=0.0):\n    return start + helper(values)"
    )
    notebook["cells"].insert(2, code("def helper(values):\n    return values[17] if len(values) > 2 else 0"))
    text = text_of(as_bytes(notebook), limits, "running_sum")
    assert "raised    IndexError: list index out of range" in text
    assert 'File "<cell 4>", line 2, in running_sum' in text
    assert 'File "<cell 3>", line 2, in helper' in text
    assert "return values[17] if len(values) > 2 else 0" in text
    assert "expected  [1, 3, 6]" in text
    assert "site-packages" not in text  # lines of the notebook only


def test_a_cell_that_failed_is_named_with_its_error(limits):
    notebook = submission(
        running_sum="import numpy as np\n1 / 0\ndef running_sum(values):\n    return values"
    )
    notebook["cells"].insert(1, code("open('/nowhere/measured.csv')"))
    text = text_of(as_bytes(notebook), limits)
    assert "stopped   cell 2 of the notebook: FileNotFoundError" in text
    assert "stopped   cell 4 of the notebook: ZeroDivisionError: division by zero" in text
    assert 'File "<cell 4>", line 2' in text


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("while True: pass", "stopped   It did not end within 4 seconds."),
        ("import os; os._exit(0)", "stopped   It ended the notebook's process, or took too much memory"),
        (STUB, "raised    NotImplementedError"),
        ("return None", "because   It returned None: is the return statement missing?"),
        ("return open", "stopped   It returned a "),
    ],
)
def test_other_ends_are_told_with_their_input(body, shown, limits):
    notebook = submission(double=f"def double(x):\n    {body}")
    text = text_of(as_bytes(notebook), limits, "double")
    assert "call      double(2)" in text
    assert shown in text
    assert "expected  4" in text


def test_a_test_that_stops_outside_of_its_properties_says_where(limits):
    source = _with_hidden_test(HIDDEN.replace("rng = check.rng()", "rng = check.rng()\nfirst = double(0)"))
    notebook = submission(double="def double(x):\n    return 2 / x * x * x")
    found = examined(as_bytes(notebook), limits, source).student.failures["double"]
    assert found[-1].item is None and found[-1].lines[-1][1] == "first = double(0)"
    assert found[-1].calls[-1].result == "ZeroDivisionError: division by zero"


def test_properties_that_stop_at_the_same_error_are_told_once(limits):
    notebook = submission(running_sum="def running_sum(values, start=0.0):\n    return step(values)")
    text = text_of(as_bytes(notebook), limits)
    assert text.count("raised    NameError: name 'step' is not defined") == 1
    assert 'and       "a start" (1.00 points)' in text


def test_variables_and_objects_are_shown_as_they_were_read(limits):
    source = Master("values", (Path(__file__).parent / "masters" / "values.py").read_text())
    notebook = json.loads(nbformat.writes(assignment_notebook(source)))
    for item in notebook["cells"]:
        answers = {"choice": "choice = 'a'", "measured": "measured = {'mean': 2, 'spread': 5}"}
        item["source"] = answers.get(item["id"], item["source"])
    found = examined(as_bytes(notebook), limits, source).student.failures
    (choice,) = found["choice"]
    assert [(call.asked, call.result) for call in choice.calls] == [("choice", "'a'")]
    assert choice.lines[-1][1] == 'assert choice == "b"'
    (mean,) = found["measured"]
    assert mean.calls[0].result == "{'mean': 2, 'spread': 5}" and mean.expected == "3.0"


def test_a_question_that_nothing_answers_says_so(limits):
    notebook = submission()
    notebook["cells"] = [item for item in notebook["cells"] if item["id"] != "double"]
    text = text_of(as_bytes(notebook), limits)
    assert "no cell of the notebook answers it" in text


def test_a_question_without_a_loss_can_be_asked_for(limits):
    text = text_of(as_bytes(submission()), limits, "double")
    assert "ada, double: 2 of 2 points (right)" in text and "Not yet" not in text


def test_long_values_are_shortened_unless_asked_for(limits):
    notebook = as_bytes(submission(running_sum="def running_sum(values, start=0.0):\n    return values"))
    short = text_of(notebook, limits)
    full = text_of(notebook, limits, full=True)
    assert max(map(len, short.splitlines())) < 700
    assert len(full) > len(short)


def test_a_verdict_that_differs_from_grades_json_is_pointed_out(limits):
    content = as_bytes(submission(double="def double(x):\n    return x"))
    assert "judged again" not in text_of(content, limits)
    judged = judge_submission("ada", content, PAIR, SEED, limits)
    lucky = tuple(item.model_copy(update={"points": 1.5}) for item in judged.verdict.questions)
    text = text_of(content, limits, update={"questions": lucky})
    assert "judged again it has 1 points (partial), in grades.json 1.5" in text


def test_nothing_that_a_terminal_obeys_is_shown(limits):
    evil = "\\x1b]0;owned\\x07\\x1b[2J\\u202e\\r"
    body = f"raise ValueError('{evil}')"
    notebook = submission(
        double=f"# \x1b[2J\nprint('{evil}')\ndef double(x):\n    {body}",
        running_sum=f"def running_sum(values, start=0.0):\n    return ['{evil}']",
    )
    text = text_of(as_bytes(notebook), limits)
    assert "ValueError" in text
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set(text)


def test_a_record_changes_neither_the_verdict_nor_what_students_read(limits):
    """Random inputs and the words of the feedback are the same, whether or not somebody takes notes."""
    source = Master.read("gridworld")
    released = nbformat.writes(assignment_notebook(source))
    students = {item.name: item for item in CLASSES["gridworld"]}
    for name in ("emil", "jun", "quentin"):
        content = sample(students[name], source, released)
        plain = judge_submission(name, content, source, SEED, limits).verdict
        assert plain.questions == tuple(examined(content, limits, source).verdicts.values())


HIDDEN = """
check = Checks("double", points=2)
with check("visible"):
    close(double(2), 4)
### BEGIN HIDDEN TESTS
check.hide()
rng = check.rng()
with check("raises", hint="A hint."):
    close(double(rng.normal()), 2 * rng.normal())
with check("the numbers drawn after it"):
    drawn = rng.integers(1000)
    assert double(4321) == drawn, f"drawn {drawn}"
### END HIDDEN TESTS
check.score()
"""


def _with_hidden_test(source):
    """The master PAIR with another test of `double`."""
    start = PAIR.source.index('check = Checks("double"')
    end = PAIR.source.index("check.score()", start) + len("check.score()")
    return dataclasses.replace(PAIR, source=PAIR.source[:start] + source.strip() + PAIR.source[end:])


def test_forming_the_expected_value_uses_up_no_random_number(limits):
    source = _with_hidden_test(HIDDEN)
    content = as_bytes(submission(double="def double(x):\n    if x != 4321: raise ValueError\n    return 5"))
    found = examined(content, limits, source)
    raised, drawn = found.student.failures["double"][1:]
    assert raised.expected
    number = int(drawn.values["drawn"])
    rng = _rng_of_double()
    rng.normal()
    assert number == rng.integers(1000)


def _rng_of_double():
    from policy_gradients.checks import Checks, remote_student

    with remote_student(lambda *_: None, SEED):
        return Checks("double", 2).rng()


def test_hidden_inputs_and_expected_values_reach_nothing_that_is_kept(limits):
    """With a record being taken, what is graded holds neither an input nor a value of a hidden test."""
    notebook = submission(
        double="def double(x):\n    raise ValueError(f'seen {x}')",
        running_sum="def running_sum(values, start=0.0):\n    print(values)\n    return list(values)",
    )
    found = examined(as_bytes(notebook), limits)
    noted = [failure for failures in found.student.failures.values() for failure in failures]
    hidden = [item for item in noted if item.item.name in ("a start", "random values")]
    values = {failure.expected for failure in hidden} | {call.asked for item in hidden for call in item.calls}
    assert len(values) == 4
    kept = json.dumps([verdict.model_dump() for verdict in found.verdicts.values()])
    kept += json.dumps(found.student.outputs)
    for value in values:
        assert value not in kept
    for part in ("start=10", "11", "13", "seen 1.0"):
        assert part not in kept, kept


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class that was graded by the command, in the folder it gave."""
    folder = tmp_path_factory.mktemp("graded")
    masters = folder / "masters"
    masters.mkdir()
    (masters / "pair.py").write_text(PAIR.source)
    students = folder / "class"
    students.mkdir()
    (students / "ada.ipynb").write_bytes(as_bytes(submission()))
    (students / "ben.ipynb").write_bytes(as_bytes(submission(double="def double(x):\n    return x + 1")))
    (students / "zed.ipynb").write_bytes(b"{broken")
    (students / "slow.ipynb").write_bytes(as_bytes(submission(double="def double(x):\n    while True: pass")))
    luck = "import random\ndef double(x):\n    return 2 * x if random.random() < 0.5 else 0"
    (students / "lucky.ipynb").write_bytes(as_bytes(submission(double=luck)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(master, "FOLDER", masters)
        grading.grade_class("pair", students, out=folder / "grades", jobs=2, seconds=2.5)
        shutil.rmtree(students)  # nobody needs what was handed in a second time
        yield folder / "grades"


def command(*words, out):
    return CliRunner().invoke(main, ["explain", "pair", *words, "--out", str(out)])


def test_the_command_needs_no_notebook_and_changes_nothing(graded):
    before = {path: path.read_bytes() for path in graded.rglob("*") if path.is_file()}
    done = command("ben", out=graded)
    assert done.exit_code == 0, done.output
    assert "ben, double: 1 of 2 points (partly right)" in done.output
    assert "call      double(2)\n  returned  3\n  expected  4" in done.output
    assert "changed" not in done.output
    assert "\x1b" not in done.output
    assert {path: path.read_bytes() for path in graded.rglob("*") if path.is_file()} == before


def test_the_limits_are_those_of_the_class(graded):
    done = command("slow", out=graded)
    assert done.exit_code == 0 and "It did not end within 2.5 seconds." in done.output


def test_who_lost_nothing_is_said_to_have_all_points(graded):
    done = command("ada", out=graded)
    assert done.exit_code == 0 and "ada, pair: 5 of 5 points" in done.output
    assert "Not yet" not in done.output


def test_a_notebook_that_cannot_be_read_has_its_reason(graded):
    done = command("zed", out=graded)
    assert done.exit_code == 0, done.output
    assert "zed, pair: 0 of 5 points (unreadable)" in done.output and "JSON" in done.output
    assert "not written yet" not in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["benn"], "Nobody in pair is called 'benn'. Did you mean ben?"),
        (["BEN"], "Did you mean ben?"),
        (["nobody"], "`autograder export pair --format csv` lists everybody."),
        (["ben", "dubble"], "There is no question 'dubble'. There are: running_sum, double."),
    ],
)
def test_unknown_names_are_answered_with_those_there_are(words, said, graded):
    done = command(*words, out=graded)
    assert done.exit_code == 2 and said in done.output


def test_a_student_is_found_by_what_the_lms_says(graded):
    file = graded / "pair" / people.FILE_NAME
    known = people.read_people(file)
    ada = people.Person(lms="canvas", number="103", name="Ada Lovelace", email="ada@x.org", login="al")
    people.write_people(file, known | {"ada": ada})
    for name in ("103", "Ada Lovelace", "ada@x.org", "al"):
        assert "ada, pair: 5 of 5 points" in command(name, out=graded).output, name
    assert "Did you mean ada?" in command("lovelace", out=graded).output
    people.write_people(file, known)


def test_a_mark_that_a_person_gave_is_named_beside_the_automatic_points(graded):
    url = gradebook.default_url(graded)
    with Gradebook(url) as book:
        grade = book.find_grade("test_double", "pair", "pair", "ben")
        grade.manual_score = 1.5
        comment = book.find_comment("double", "pair", "pair", "ben")
        comment.manual_comment = "Close."
        book.db.commit()
    done = command("ben", out=graded)
    assert "ben, double: 1.5 of 2 points (graded by a person)" in done.output
    assert "by hand   a person gave these points, in place of 1" in done.output
    assert "comment   Close." in done.output
    assert "expected  4" in done.output


def test_an_answer_that_depends_on_chance_is_said_to_differ(graded):
    outputs = {command("lucky", "double", out=graded).output for _ in range(12)}
    assert any("changed   judged again it has" in output for output in outputs)


def test_a_mistake_of_the_test_is_said_to_be_one(graded, monkeypatch):
    wrong = _with_hidden_test(HIDDEN.replace("close(double(2), 4)", "close(double(2), fuor)"))
    (master.FOLDER / "pair.py").write_text(wrong.source)
    done = command("ben", out=graded)
    (master.FOLDER / "pair.py").write_text(PAIR.source)
    assert done.exit_code == 1
    assert "name 'fuor' is not defined" in done.output and "mistake in the assignment" in done.output


# What a worker's replies can do, and what a terminal would obey; the rest of the bank is the engine's.
HOSTILE = [entry for entry in (*messages.ENTRIES, *floods.ENTRIES) if entry.status == "graded"]


@pytest.mark.parametrize("entry", HOSTILE, ids=[entry.name for entry in HOSTILE])
def test_a_hostile_submission_is_explained_with_the_verdict_it_must_get(entry):
    found = examined(entry.notebook, Limits(entry.seconds, 4096, sandbox.resolve("auto")))
    for name, verdict in found.verdicts.items():
        status, points = entry.verdict[name]
        assert verdict.status in status.split("|")
        assert verdict.points == points or ("|" in status and verdict.points < points)
    questions = tuple(found.verdicts.values())
    score = sum(question.points for question in questions)
    text = told(found, SubmissionVerdict(student="m", score=score, status="graded", questions=questions))
    assert len(text) < 100_000
    assert not [
        letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Cs") and letter != "\n"
    ]
