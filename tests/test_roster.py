"""The roster: whom it knows, who has not handed in, and that nobody is guessed."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from autograder import master
from autograder.intake import Person
from autograder.results import Results
from autograder.results.export import write_export
from autograder.results.report import write_report
from autograder.results.roster import InvalidRoster, Roster
from autograder.results.table import class_table, roster_lines
from tests.written import judged, write_results

ROSTER = (
    "id,name,section,email\n"
    '11,"Lovelace, Ada",A,ada@example.org\n'
    "12,Ben Müller,A,ben@example.org\n"
    "13,Jo Doe,B,jo1@example.org\n"
    "14,Jo Doe,B,jo2@example.org\n"
)


def a_class(tmp_path, people, roster=ROSTER, **verdict):
    """Students with 3.5 of 5 points each, as this roster and people.json know them."""
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
    return write_results(tmp_path, [judged(student, **verdict) for student in people], people)


def enrolled(results):
    return {student.name: student.enrolled.id for student in results.students()}


@pytest.mark.parametrize(
    ("person", "found"),
    [
        (Person("canvas", "13", "doejo"), "13"),
        (Person("canvas", "99", "lovelaceada"), "11"),  # the roster's numbers need not be those of Canvas
        (Person("moodle", "13", "Ada Lovelace"), "11"),  # a participant's number belongs to an assignment
        (Person("gradescope", "13", "Jo Doe", email="JO2@example.org"), "14"),
        (Person("sakai", login="12", name="Müller, Ben"), "12"),
        (Person("moodle", "7", "Jo Doe"), ""),  # two of them
        (Person("sakai", login="12", name="Ada Lovelace"), ""),  # the login says one thing, the name another
        (Person("moodle", "7", "Ad Lovelace"), ""),
        (Person(name="Ada Lovelace"), "11"),
        (Person(name="14"), "14"),
    ],
)
def test_a_student_is_found_by_number_login_address_or_exact_name(tmp_path, person, found):
    results = a_class(tmp_path, {"x": person})
    assert enrolled(results) == {"x": found}
    assert len(results.absent) == (3 if found else 4)
    assert list(results.not_in_roster) == ([] if found else ["x"])
    assert any("x (" in note for note in results.notes()) == (not found)


@pytest.mark.parametrize(
    "header",
    [
        "id,name,section,email",
        "Student ID;Full Name;Group;E-Mail",
        "SIS Login ID\tStudent\tSections\tEmail address",
        "\ufeffMatrikelnummer,Name,Class,mail",
    ],
)
def test_titles_and_separators_are_tolerated(tmp_path, header):
    separator = next(mark for mark in ";\t," if mark in header)
    (tmp_path / "roster.csv").write_text(f"{header}\n{separator.join(['11', 'Ada', 'A', 'a@b.c'])}\n\n")
    (ada,) = Roster.read(tmp_path).people
    assert (ada.id, ada.name, ada.section, ada.email) == ("11", "Ada", "A", "a@b.c")


def test_first_and_last_names_may_stand_apart(tmp_path):
    (tmp_path / "roster.csv").write_text("Last name,First name,Login\nLovelace,Ada,al1\n")
    (ada,) = Roster.read(tmp_path).people
    assert (ada.name, ada.id) == ("Ada Lovelace", "al1")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"section,room\nA,1\n", "no column for an id, a name or an e-mail address"),
        (b"id,name\n11,Ada\n11,Ben\n", "Ada and Ben have the same '11'"),
        (b"PK\x03\x04\x00", "not a CSV file"),
        (b"", "no column"),
    ],
)
def test_a_roster_that_cannot_be_read_is_refused(tmp_path, content, words):
    (tmp_path / "roster.csv").write_bytes(content)
    with pytest.raises(InvalidRoster, match=words):
        Roster.read(tmp_path)
    write_results_without_roster = [judged("ada")]
    (tmp_path / "roster.csv").unlink()
    write_results(tmp_path, write_results_without_roster)
    (tmp_path / "roster.csv").write_bytes(content)
    command = [sys.executable, "-m", "autograder.cli", "export", "pair", "--out", str(tmp_path)]
    done = subprocess.run([*command, "--format", "csv"], capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def half_a_class(tmp_path):
    people = {"Ada Lovelace": Person(name="Ada Lovelace"), "Jo_13": Person("canvas", "13", "doejo")}
    return a_class(tmp_path, people)


def test_the_table_has_sections_and_names_those_who_have_not_handed_in(tmp_path):
    results = half_a_class(tmp_path)
    console = Console(file=io.StringIO(), width=80)
    console.print(class_table(results, console))
    rows = {line.split()[0]: line.split() for line in console.file.getvalue().splitlines() if line.strip()}
    assert rows["Jo_13"] == ["Jo_13", "B", "1.5", "2", "3.5"]
    assert roster_lines(results) == [
        "section A: 1 of 2 handed in, 3.50 points on average",
        "section B: 1 of 2 handed in, 3.50 points on average",
        "not handed in: 2 (Ben Müller, Jo Doe)",
    ]
    assert roster_lines(write_results(tmp_path / "other", [judged("ada")])) == []


def test_the_report_has_them_too(tmp_path, monkeypatch):
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    text = write_report(half_a_class(tmp_path)).read_text()
    assert "2 have not handed in:\nBen Müller, Jo Doe." in text
    assert '<td>A</td><td class="number">2</td><td class="number">1</td>' in text
    hostile = a_class(tmp_path / "hostile", {"x": Person()}, "id,name,section\n1,<script>,<b>\n")
    assert "<script>" not in write_report(hostile).read_text()


def rows_of(path):
    return [*csv.DictReader(io.StringIO(path.read_text()))]


def test_the_plain_file_has_everybody_and_zeros_only_when_asked_for(tmp_path):
    results = half_a_class(tmp_path)
    rows = rows_of(write_export(results, "csv").path)
    assert [row["status"] for row in rows] == ["graded", "graded", "not handed in", "not handed in"]
    assert [row["id"] for row in rows] == ["11", "13", "12", "14"]
    assert [row["total"] for row in rows] == ["3.5", "3.5", "", ""]
    assert [row["section"] for row in rows] == ["A", "B", "A", "B"]
    rows = rows_of(write_export(results, "csv", zeros=True).path)
    assert [(row["double"], row["total"]) for row in rows[2:]] == [("0", "0")] * 2


def test_no_zero_is_given_while_it_may_be_somebody_elses(tmp_path):
    results = a_class(tmp_path, {"x": Person("moodle", "7", "Jo Doe")})
    exported = write_export(results, "csv", zeros=True)
    assert {row["total"] for row in rows_of(exported.path)} == {"3.5", ""}
    assert any("no zeros were filled in" in note for note in exported.notes)
    (tmp_path / "roster.csv").unlink()
    exported = write_export(Results.read("pair", tmp_path), "csv", zeros=True)
    assert any("known from a roster.csv only" in note for note in exported.notes)


def test_a_roster_cannot_become_a_formula(tmp_path):
    results = a_class(tmp_path, {}, "id,name,section,email\n=1+1,@x,+A,-m\n")
    text = write_export(results, "csv").path.read_text()
    assert "'=1+1" in text and "'@x" in text and "'+A" in text and "'-m" in text
