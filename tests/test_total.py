"""The course total: who is the same person in two assignments, weights, and what is missing."""

import csv
import io
import subprocess
import sys

import pytest

from autograder.intake import Person
from autograder.results.total import Course, InvalidCourse, graded_assignments, write_total
from tests.written import judged, write_results


def total(tmp_path, classes, *, roster="", course="", **options):
    """Rows of total.csv; classes: for each assignment its people, who have 3.5 of 5 points each."""
    tmp_path.mkdir(exist_ok=True)
    if roster:
        (tmp_path / "roster.csv").write_text(roster)
    if course:
        (tmp_path / "course.toml").write_text(course)
    results = [
        write_results(tmp_path, [judged(name) for name in people], people, assignment=assignment)
        for assignment, people in classes.items()
    ]
    written = write_total(results, tmp_path, Course.read(tmp_path), **options)
    return [*csv.DictReader(io.StringIO(written.path.read_text()))], written


def test_weights_scale_the_points(tmp_path):
    classes = {"one": {"ada": Person(name="ada")}, "two": {"ada": Person(name="ada")}}
    (row,), written = total(tmp_path, classes)
    assert (row["one"], row["two"], row["total"], row["out_of"]) == ("3.5", "3.5", "7", "10")
    (row,), _ = total(tmp_path, classes, course="[weights]\none = 10\ntwo = 30\nthree = 5\n")
    assert (row["one"], row["total"], row["out_of"]) == ("3.5", "28", "40")
    assert written.notes == ()
    course = Course.read(tmp_path)
    assert graded_assignments(tmp_path, course) == ["one", "two"]
    assert "three" in write_total([write_results(tmp_path, [], assignment="one")], tmp_path, course).notes[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Person("canvas", "11", "lovelaceada"), Person("canvas", "11", "adalovelace")),  # renamed since
        (Person("moodle", "5", "Ada Ex", "ada@x.example"), Person("moodle", "77", "A. Ex", "Ada@x.example")),
        (Person("sakai", login="ada01"), Person("blackboard", login="ada01", name="Ada Ex")),
        (Person("moodle", "5", "Ada O'Ex"), Person("canvas", "11", "Ada OEx")),
        (Person(name="ada"), Person(name="ada")),
    ],
)
def test_one_person_has_one_row(tmp_path, first, second):
    (row,), written = total(tmp_path, {"one": {"x": first}, "two": {"y": second}})
    assert (row["total"], row["missing"]) == ("7", "")
    assert not any("not joined" in note for note in written.notes)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Person("canvas", "11", "doejo"), Person("canvas", "12", "doejo")),  # namesakes
        (Person("moodle", "5", "Ada Ex"), Person("moodle", "5", "Ben Ex")),  # numbers of one assignment
        (Person("gradescope", "5", "Ada Ex"), Person("gradescope", "5", "Ben Ex")),
    ],
)
def test_two_people_have_two_rows_and_no_total(tmp_path, first, second):
    rows, _ = total(tmp_path, {"one": {"x": first}, "two": {"y": second}})
    assert [(row["one"], row["two"], row["total"]) for row in rows] == [("3.5", "", ""), ("", "3.5", "")]
    assert [row["missing"] for row in rows] == ["two: not handed in", "one: not handed in"]


def test_namesakes_are_not_joined_and_named(tmp_path):
    people = {"Jo Doe_1": Person("moodle", "1", "Jo Doe"), "Jo Doe_2": Person("moodle", "2", "Jo Doe")}
    later = {"Jo Doe_8": Person("moodle", "8", "Jo Doe")}
    rows, written = total(tmp_path, {"one": people, "two": later}, zeros=True)
    assert len(rows) == 3 and {row["total"] for row in rows} == {""}  # a zero might be somebody else's
    assert "Jo Doe_8 in two (several rows fit)" in written.notes[0]
    assert "no zeros were filled in" in written.notes[1]


def test_a_join_by_name_alone_is_said(tmp_path):
    classes = {"one": {"x": Person("moodle", "1", "Jo Doe")}, "two": {"y": Person("moodle", "8", "Jo Doe")}}
    (row,), written = total(tmp_path, classes)
    assert row["total"] == "7" and "joined by their names alone" in written.notes[0]
    roster = "id,name,section,email\nj1,Jo Doe,A,jo@x.example\n"
    (row,), written = total(tmp_path, classes, roster=roster)
    assert (row["id"], row["section"], row["email"]) == ("j1", "A", "jo@x.example")
    assert written.notes == ()


def test_the_roster_has_a_row_for_everybody_and_zeros_only_when_asked_for(tmp_path):
    roster = "id,name\na,Ada\nb,Ben\nc,Cy\n"
    classes = {"one": {"a": Person(name="a"), "b": Person(name="b")}, "two": {"b": Person(name="b")}}
    rows, written = total(tmp_path, classes, roster=roster)
    assert [row["name"] for row in rows] == ["Ada", "Ben", "Cy"] and written.people == 3
    assert [row["total"] for row in rows] == ["", "7", ""]
    rows, _ = total(tmp_path, classes, roster=roster, zeros=True)
    assert [row["total"] for row in rows] == ["3.5", "7", "0"]
    classes["two"]["zoe"] = Person(name="zoe")
    rows, written = total(tmp_path, classes, roster=roster, zeros=True)
    assert [row["total"] for row in rows] == ["", "7", "", ""]
    assert "zoe in two" in written.notes[0]


def test_who_was_not_graded_has_no_total(tmp_path):
    crashed = write_results(tmp_path, [judged("ada", (0, 0), status="crashed")])
    written = write_total([crashed], tmp_path, Course(), zeros=True)
    (row,) = csv.DictReader(io.StringIO(written.path.read_text()))
    assert (row["pair"], row["total"], row["missing"]) == ("", "", "pair: not graded")


def test_names_cannot_become_formulas(tmp_path):
    total(tmp_path, {"one": {"x": Person("sakai", "", "=1+1", "@e", "-l")}})
    text = (tmp_path / "total.csv").read_text()
    assert all(f"'{name}" in text for name in ("=1+1", "@e", "-l"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[weights]\none = -1", "weights.one: Input should be greater than or equal to 0"),
        ("[weights]\none = '1'", "weights.one: Input should be a valid number"),
        ("[weight]\none = 1", "weight: Extra inputs are not permitted"),
        ("weights = 3", "weights: Input should be a valid dictionary"),
        ("[weights", "course.toml cannot be used"),
        ("[weights]\ntwo = 1", "no weight for 'one'"),
    ],
)
def test_weights_that_cannot_be_used_are_refused_with_an_example(tmp_path, text, words):
    with pytest.raises(InvalidCourse, match=words) as refused:
        total(tmp_path, {"one": {"ada": Person()}}, course=text)
    assert "gridworld = 10" in str(refused.value)


def test_the_command_writes_it(tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "autograder.cli", "total", "--out", str(tmp_path), *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    done = run()
    assert done.returncode == 2 and "holds no results" in done.stderr
    total(tmp_path, {"one": {"ada": Person(name="ada")}, "two": {"ben": Person(name="ben")}})
    done = run()
    assert done.returncode == 0 and "with 2 people and one, two" in done.stdout, done.stderr
    done = run("three")
    assert done.returncode == 2 and "autograder grade three" in done.stderr
    (tmp_path / "course.toml").write_text("[weights]\none = -1")
    done = run()
    assert done.returncode == 2 and "course.toml" in done.stderr and "Traceback" not in done.stderr
