"""The late policy: what it takes off, that all outputs agree on it, and that a wrong one is refused."""

import csv
import io
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook

from autograder import class_folder, gradebook
from autograder.intake import Person
from autograder.results import Results, feedback
from autograder.results.export import write_export
from autograder.results.late import InvalidLatePolicy
from tests.notebooks import PAIR
from tests.written import judged, write_results


def with_policy(tmp_path, text, students):
    write_results(tmp_path, students)
    (tmp_path / "pair" / "late_policy.toml").write_text(text)
    return Results.read("pair", tmp_path)


def a_class():
    return [judged(name, late=name != "ada") for name in ("ada", "ben", "cy")]  # 3.5 points each


def test_a_percentage_is_taken_off_who_is_late_and_not_excused(tmp_path):
    results = with_policy(tmp_path, 'percent = 20\nexcused = ["cy"]', a_class())
    ada, ben, cy = results.students()
    assert (ada.late.remark, ada.penalty, ada.total) == ("", 0, 3.5)
    assert (ben.late.remark, ben.penalty, ben.total) == ("late: 20 % off", 0.7, 2.8)
    assert (cy.late.remark, cy.penalty, cy.total) == ("late, which is excused", 0, 3.5)
    assert ben.points == 3.5 and [question.points for question in ben.questions] == [1.5, 2]


DAYS = "due = 2024-05-01T12:00:00\npercent_per_day = 10\ngrace_minutes = 15\n"


def by_time(tmp_path, policy, handed_in, *, marked=False, lms="blackboard"):
    """The only student, who handed in at this time."""
    people = {"ada": Person(lms, handed_in=handed_in)}
    write_results(tmp_path, [judged("ada", (3, 2), late=marked)], people)
    (tmp_path / "pair" / "late_policy.toml").write_text(policy)
    results = Results.read("pair", tmp_path)
    return next(results.students()), results


@pytest.mark.parametrize(
    ("policy", "handed_in", "off"),
    [
        (DAYS, "2024-05-01 12:00:00", 0),
        (DAYS, "2024-05-01 12:15:00", 0),
        (DAYS, "2024-05-01 12:15:01", 10),  # a day begins with `due`, not with the end of the grace
        (DAYS, "2024-05-02 12:00:00", 10),
        (DAYS, "2024-05-02 12:00:01", 20),
        (DAYS, "2025-05-01 12:00:00", 100),
        (DAYS + "at_most = 25", "2024-05-09 12:00", 25),
        (DAYS + "percent = 5", "2024-05-02 11:00", 15),
        (DAYS + "extensions = {ada = 2024-05-03}", "2024-05-03 23:59:59", 0),
        (DAYS + "extensions = {ada = 2024-05-03}", "2024-05-04 00:30:00", 10),
        (DAYS + "extensions = {ben = 2024-05-03}", "2024-05-02 12:00:00", 10),
        (DAYS + 'excused = ["ada"]', "2024-05-09 12:00", 0),
        (DAYS + "handed_in = {ada = 2024-05-01T11:00:00}", "2024-05-09 12:00", 0),
        (DAYS + "handed_in = {ada = 2024-05-01T13:00:00}", "", 10),
        ("due = 2024-05-01\npercent = 20", "2024-05-01 23:59:00", 0),
        ("due = 2024-05-01\npercent = 20", "2024-05-02 00:00:00", 20),
        ("due = 2024-05-01T12:00:00+02:00\npercent = 20", "2024-05-01 11:59:00", 0),  # on the same clock
        ("due = 2024-05-01T12:00:00+02:00\npercent = 20", "2024-05-01 09:59:00+00:00", 0),
        ("due = 2024-05-01T12:00:00+02:00\npercent = 20", "2024-05-01 10:01:00+00:00", 20),
    ],
)
def test_days_after_the_due_time_cost_what_the_policy_says(tmp_path, policy, handed_in, off):
    ada, _ = by_time(tmp_path, policy, handed_in)
    assert (ada.late.percent_off, ada.total) == (off, 5 - 5 * off / 100)


def test_a_known_time_overrules_the_mark_of_the_download(tmp_path):
    ada, _ = by_time(tmp_path, DAYS, "2024-05-01 11:00:00", marked=True)
    assert (ada.late.remark, ada.total) == ("", 5)


def test_feedback_names_the_time_that_was_used(tmp_path):
    ada, results = by_time(tmp_path, DAYS, "2024-05-02 13:00:00")
    assert ada.late.remark == "late by 2 days: 20 % off"
    note = "late by 2 days (2024-05-02 13:00, due 2024-05-01 12:00): 20 % of 5 points are taken off"
    assert note in ada.late_note
    for path in feedback.write_feedback(results):
        assert note in path.read_text()


@pytest.mark.parametrize(
    ("policy", "lms", "marked", "off", "said"),
    [
        (DAYS, "moodle", False, 0, "not marked as late: ada"),
        (DAYS, "canvas", False, 0, ""),  # Canvas marks whatever is late
        (DAYS, "canvas", True, 0, "late by an unknown number of days: ada"),
        (DAYS + "percent = 5", "canvas", True, 5, "late by an unknown number of days: ada"),
        (DAYS + "extensions = {ada = 2024-05-03}", "canvas", True, 0, "and have an extension: ada"),
        ("due = 2024-05-01\npercent = 5", "canvas", True, 5, ""),
        ("percent = 5", "moodle", False, 0, ""),
        (DAYS + "handed_in = {ada = 2024-05-01T11:00:00}", "moodle", False, 0, ""),
        (DAYS + "extensions = {ben = 2024-05-03}", "canvas", False, 0, "handed in nothing: ben"),
    ],
)
def test_what_cannot_be_decided_without_a_time_is_said(tmp_path, policy, lms, marked, off, said):
    ada, results = by_time(tmp_path, policy, "", marked=marked, lms=lms)
    assert ada.late.percent_off == off
    assert len(results.notes()) == bool(said)
    assert said in "".join(results.notes())


def test_without_a_policy_being_late_costs_nothing(tmp_path):
    results = write_results(tmp_path, a_class())
    assert [(s.late.remark, s.total) for s in results.students()] == [("", 3.5), ("late", 3.5), ("late", 3.5)]


def test_who_is_late_can_be_named_where_the_download_does_not_say(tmp_path):
    results = with_policy(tmp_path, 'percent = 50\nlate = ["ada"]', a_class())
    assert [student.total for student in results.students()] == [1.75, 1.75, 1.75]


def test_penalties_are_rounded_to_cents_and_never_add_points(tmp_path):
    students = [judged("ada", (1, 0), late=True), judged("ben", (0, 0), late=True)]
    results = with_policy(tmp_path, "percent = 33.333", students)
    assert [(student.penalty, student.total) for student in results.students()] == [(0.33, 0.67), (0, 0)]


def test_feedback_and_exports_say_the_same(tmp_path):
    results = with_policy(tmp_path, "percent = 20", a_class())
    feedback.write_feedback(results)
    for suffix in ("html", "md"):
        page = (tmp_path / "pair" / "feedback" / f"ben.{suffix}").read_text()
        assert "20 % of 3.5 points are taken off, which is 0.7." in page
        assert "2.8" in page
        assert "handed in late" not in (tmp_path / "pair" / "feedback" / f"ada.{suffix}").read_text()
    rows = [*csv.reader(io.StringIO(write_export(results, "csv").path.read_text()))]
    assert rows[2][:7] == ["ben", "1.5", "2", "2.8", "graded", "late: 20 % off", "0.7"]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("Student,ID,Pair (77)\nPoints Possible,,5\nben,12,\n")
    assert "ben,12,2.8" in write_export(results, "canvas", sheet).path.read_text()
    sheet.write_text("Identifier,Full name,Grade,Feedback comments\nParticipant 12,ben,,\n")
    moodle = write_export(results, "moodle", sheet).path.read_text()
    assert "ben,2.8," in moodle and "20 % of 3.5 points are taken off" in moodle


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("percent = 120", "percent: Input should be less than or equal to 100"),
        ("percent = -1", "percent: Input should be greater than or equal to 0"),
        ("percent = nan", "percent"),
        ('percent = "20"', "percent: Input should be a valid number"),
        ("percents = 20", "percents: Extra inputs are not permitted"),
        ('excused = "ada"', "excused: Input should be a valid list"),
        ('late = ["ada"]\nexcused = ["ada"]', "ada: named as late and as excused"),
        ("percent == 20", "Invalid value"),
        ("percent_per_day = 10", "percent_per_day needs `due`"),
        ('due = "tomorrow"', "due: Input should be a valid datetime"),
        ("due = 12:00:00", "due: Input should be a valid datetime"),
        ("extensions = {ada = 3}", "extensions.ada: Input should be a valid datetime"),
        ("grace_minutes = inf", "grace_minutes"),
        ("handed_in = {zoe = 2024-05-01}", "names 'zoe', who handed in nothing"),
        ('excused = ["Ada"]', "names 'Ada', who handed in nothing"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused_with_an_example(tmp_path, text, words):
    with pytest.raises(InvalidLatePolicy, match=words) as refused:
        with_policy(tmp_path, text, a_class())
    assert "late_policy.toml" in str(refused.value)


def test_the_commands_say_what_is_wrong_with_it(tmp_path):
    with pytest.raises(InvalidLatePolicy):
        with_policy(tmp_path, "percent = 120", a_class())
    command = [sys.executable, "-m", "autograder.cli", "feedback", "pair", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "late_policy.toml cannot be followed" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "pair" / "feedback").exists()


def test_nbgraders_own_exporter_takes_the_same_off(tmp_path):
    from nbgrader.apps import NbGraderAPI
    from nbgrader.plugins import CsvExportPlugin
    from traitlets.config import Config

    grades = write_results(tmp_path, a_class()).grades
    url = gradebook.default_url(tmp_path)
    gradebook.record(url, PAIR, grades)

    def exported():
        Results.with_penalties_recorded("pair", tmp_path)
        config = Config()
        config.CourseDirectory.db_url = url
        plugin = CsvExportPlugin(to=str(tmp_path / "grades.csv"))
        with NbGraderAPI(config=config).gradebook as book:
            plugin.export(book)
        rows = csv.DictReader((tmp_path / "grades.csv").open())
        return {
            row["student_id"]: (row["raw_score"], row["late_submission_penalty"], row["score"])
            for row in rows
        }

    assert exported()["ben"] == ("3.5", "0.0", "3.5")
    (tmp_path / "pair" / "late_policy.toml").write_text('percent = 20\nexcused = ["cy"]')
    assert exported() == {
        "ada": ("3.5", "0.0", "3.5"),
        "ben": ("3.5", "0.7", "2.8"),
        "cy": ("3.5", "0.0", "3.5"),
    }
    with Gradebook(url) as book:
        book.find_grade("test_running_sum", "pair", "pair", "ben").manual_score = 3
        book.db.commit()
    assert exported()["ben"] == ("5.0", "1.0", "4.0")
    (tmp_path / "pair" / "late_policy.toml").unlink()
    assert exported()["ben"] == ("5.0", "0.0", "5.0")


def test_exporting_brings_the_gradebook_up_to_date(tmp_path):
    results = write_results(tmp_path, a_class())
    url = gradebook.default_url(tmp_path)
    gradebook.record(url, PAIR, results.grades)
    (tmp_path / "pair" / "late_policy.toml").write_text("percent = 20")
    command = [sys.executable, "-m", "autograder.cli", "export", "pair", "--out", str(tmp_path)]
    done = subprocess.run([*command, "--format", "csv"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with Gradebook(url) as book:
        assert book.find_submission("pair", "ben").late_submission_penalty == 0.7
        assert book.find_submission("pair", "ada").late_submission_penalty == 0


def test_penalties_are_written_by_one_command_at_a_time(tmp_path):
    write_results(tmp_path, a_class())
    command = [sys.executable, "-m", "autograder.cli", "export", "pair", "--out", str(tmp_path)]
    with class_folder.alone_in(tmp_path / "pair"):
        done = subprocess.run([*command, "--format", "csv"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Another run is writing to" in done.stderr and "Traceback" not in done.stderr
