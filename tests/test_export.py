"""Exports: the sheets of Canvas and Moodle come back with the points, and unchanged in all else."""

import csv
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import gradebook, grading, master
from autograder.results import Results
from autograder.results.export import write_export
from autograder.results.sheets import Sheet, SheetError
from autograder.verdicts import Grades
from tests.notebooks import PAIR, as_bytes, submission
from tests.written import judged, write_results

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Pair (77),Other (78),Pair Current Score\r\n"
    '"    Points Possible",,,,,5,20,(read only)\r\n'
    '"Lovelace, Ada",11,,ada,"a ""b"", 1",,7,"=1+1"\r\n'
    '"Müller, Ben",12,,ben,x,"1.0",,\r\n'
    '"Doe, Jo",13,,jo1,x,,,\r\n'
    '"Doe, Jo",14,,jo2,x,3,,\r\n'
    '"Student, Test",99,,,x,,,\r\n'
)
MOODLE = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    'Participant 11,"Ada Lovelace",ada@example.org,"Submitted for grading",,5.00,Yes,"Monday, 1 June",-,\n'
    'Participant 12,"Ben Müller",ben@example.org,Submitted,,5.00,Yes,-,-,"old\ncomment"\n'
    'Participant 13,"Jo Doe",jo1@example.org,Submitted,,5.00,Yes,-,-,\n'
    'Participant 14,"Jo Doe",jo2@example.org,Submitted,,5.00,Yes,-,-,\n'
)


def export(tmp_path, kind, text, students, **options):
    results = write_results(tmp_path / "out", [judged(*student) for student in students])
    sheet = tmp_path / "downloaded.csv"
    sheet.write_bytes(text.encode())
    exported = write_export(results, kind, sheet, **options)
    assert sheet.read_bytes() == text.encode()
    return exported, exported.path.read_bytes().decode()


def test_canvas_sheet_differs_in_the_filled_cells_only(tmp_path):
    exported, text = export(tmp_path, "canvas", CANVAS, [("ada",), ("Ben Müller", (3, 2)), ("Jo Doe_13",)])
    expected = CANVAS.replace('"a ""b"", 1",,7', '"a ""b"", 1",3.5,7')
    expected = expected.replace('ben,x,"1.0"', 'ben,x,"5"').replace("jo1,x,,", "jo1,x,3.5,")
    assert text == expected
    assert (exported.filled, exported.unmatched) == (3, ())
    assert exported.remarks() == ["filled the column 'Pair (77)'"]


@pytest.mark.parametrize(
    "student",
    ["ada", "ADA", "Ada Lovelace", "Lovelace, Ada", "lovelaceada", "someone_11", "LovelaceAda_11"],
)
def test_a_student_is_found_in_canvas_by_number_login_or_name(tmp_path, student):
    _, text = export(tmp_path, "canvas", CANVAS, [(student,)])
    assert Sheet(text).value(2, 5) == "3.5"


@pytest.mark.parametrize(
    "students",
    [
        ["Jo Doe"],  # two of them
        ["doejo"],
        ["Ad Lovelace"],
        ["ada_110"],
        ["ada_1"],
        ["11"],
        ["ada", "Ada Lovelace"],  # both would be the same row
        ["_11", "ada"],
    ],
)
def test_nobody_is_guessed(tmp_path, students):
    exported, text = export(tmp_path, "canvas", CANVAS, [(student,) for student in students])
    assert text == CANVAS
    assert exported.unmatched == tuple(students)
    assert any(students[0] in remark for remark in exported.remarks())


def test_a_login_that_looks_like_the_number_of_somebody_else_is_not_decided(tmp_path):
    sheet = CANVAS.replace(",jo1,", ",jo_12,")
    exported, text = export(tmp_path, "canvas", sheet, [("jo_12",)])
    assert (exported.unmatched, text) == (("jo_12",), sheet)


def test_who_was_not_graded_gets_no_silent_zero(tmp_path):
    results = write_results(tmp_path, [judged("ada", (0, 0), status="unreadable"), judged("ben", (0, 0))])
    (tmp_path / "sheet.csv").write_text(CANVAS, newline="")
    exported = write_export(results, "canvas", tmp_path / "sheet.csv")
    sheet = Sheet.read(exported.path)
    assert (sheet.value(2, 5), sheet.value(3, 5)) == ("", "0")
    assert exported.ungraded == ("ada",)


def test_canvas_column_can_be_named_and_is_never_guessed(tmp_path):
    sheet = CANVAS.replace("Pair (77)", "Week 3: sums (77)")
    with pytest.raises(SheetError, match=r"Week 3: sums \(77\).*Other \(78\).*--column TITLE"):
        export(tmp_path, "canvas", sheet, [("ada",)])
    with pytest.raises(SheetError, match="2 columns"):
        export(tmp_path, "canvas", CANVAS.replace("Other (78)", "pair (78)"), [("ada",)])
    _, text = export(tmp_path, "canvas", sheet, [("ada",)], column="Week 3: sums")
    assert Sheet(text).value(2, 5) == "3.5"


def test_another_greatest_number_of_points_is_said(tmp_path):
    sheet = CANVAS.replace("(read only)", "").replace(",5,20,", ",100,20,")
    exported, _ = export(tmp_path, "canvas", sheet, [("ada",)])
    assert "Points Possible is 100, but pair has 5 points" in exported.notes[1]


def test_moodle_worksheet_gets_grade_and_comment_and_nothing_else(tmp_path):
    students = [("Ada Lovelace",), ("ben müller", (3, 2)), ("Jo Doe_14",), ("Jo Doe",)]
    exported, text = export(tmp_path, "moodle", MOODLE, students)
    assert exported.unmatched == ("Jo Doe",)
    before, after = ([*csv.reader(io.StringIO(sheet))] for sheet in (MOODLE, text))
    assert [row[4] for row in after] == ["Grade", "3.5", "5", "", "3.5"]
    assert "running_sum</strong>: 1.5 of 3, partly right." in after[1][9]
    assert [row[:4] + row[5:9] for row in before] == [row[:4] + row[5:9] for row in after]
    assert after[3] == before[3]


def test_comments_for_moodle_carry_no_markup_of_a_student(tmp_path):
    hostile = judged("Ada Lovelace", message="It raised <script>alert(1)</script>\n\x1b[31m=cmd")
    results = write_results(tmp_path, [hostile])
    (tmp_path / "sheet.csv").write_text(MOODLE, newline="")
    text = write_export(results, "moodle", tmp_path / "sheet.csv").path.read_text()
    assert "&lt;script&gt;" in text
    assert "<script" not in text and "\x1b" not in text


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("canvas", b"", "no column 'Student'.*Export Entire Gradebook"),
        ("canvas", MOODLE.encode(), "no column 'Student'"),
        ("moodle", CANVAS.encode(), "no column 'Identifier'.*grading worksheet"),
        ("canvas", b"PK\x03\x04\xff\xfe", "not a CSV file in UTF-8"),
        ("moodle", None, "cannot be read.*grading worksheet"),
    ],
)
def test_a_wrong_sheet_is_refused_with_the_way_to_the_right_one(tmp_path, kind, content, words):
    results = write_results(tmp_path, [judged("ada")])
    sheet = tmp_path / "sheet.csv"
    if content is not None:
        sheet.write_bytes(content)
    with pytest.raises(SheetError, match=f"(?s){words}"):
        write_export(results, kind, sheet)
    assert not (tmp_path / "pair" / f"{kind}.csv").exists()


def test_the_command_asks_for_the_sheet(tmp_path):
    write_results(tmp_path, [judged("ada")])
    command = [sys.executable, "-m", "autograder.cli", "export", "pair", "--out", str(tmp_path)]
    done = subprocess.run([*command, "--format", "canvas"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Export Entire Gradebook" in done.stderr and "Traceback" not in done.stderr
    done = subprocess.run([*command, "--format", "csv"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pair" / "grades.csv").exists()


def test_plain_csv_has_everybody_and_no_formula(tmp_path):
    names = ["ada", '=HYPERLINK("http://evil.example")', "+1", "-1", "@x", "\t=1", "new\nline, \x22q"]
    late = judged("zoe", (0, 0), status="unreadable", late=True)
    results = write_results(tmp_path, [*map(judged, names), late])
    exported = write_export(results, "csv")
    rows = [*csv.reader(io.StringIO(exported.path.read_bytes().decode()))]
    assert rows[0] == ["student", "running_sum", "double", "total", "status", "late", "late_penalty"]
    assert rows[1] == ["ada", "1.5", "2", "3.5", "graded", "", "0"]
    assert rows[-1] == ["zoe", "0", "0", "0", "unreadable", "late", "0"]
    assert [row[0] for row in rows[2:7]] == ["'" + name for name in names[1:6]]
    assert rows[7][0] == names[6]
    assert not [cell for row in rows for cell in row if cell.lstrip()[:1] in ("=", "+", "-", "@") and cell]


def test_manual_points_win(tmp_path):
    from nbgrader.api import Gradebook

    results = write_results(tmp_path, [judged("ada"), judged("ben", (0, 0), status="crashed")])
    gradebook.record(gradebook.default_url(tmp_path), PAIR, results.grades)
    with Gradebook(gradebook.default_url(tmp_path)) as book:
        for student, score in (("ada", 3), ("ben", 1)):
            book.find_grade("test_running_sum", "pair", "pair", student).manual_score = score
        book.find_grade("test_double", "pair", "pair", "ada").extra_credit = 0.5
        book.find_grade("test_double", "pair", "pair", "ada").needs_manual_grade = True
        book.db.commit()
    exported = write_export(Results.read("pair", tmp_path), "csv")
    rows = [*csv.reader(io.StringIO(exported.path.read_text()))]
    assert rows[1] == ["ada", "3", "2.5", "5.5", "graded", "", "0"]
    assert rows[2] == ["ben", "1", "0", "1", "crashed", "", "0"]
    assert (exported.waiting, exported.ungraded) == (("ada",), ())


def test_a_question_that_only_people_grade_is_a_column_too(tmp_path):
    from nbgrader.api import Gradebook

    results = write_results(tmp_path, [judged("ada")])
    only_first = results.grades.submissions[0].model_copy(
        update={"questions": results.grades.submissions[0].questions[:1]}
    )
    gradebook.record(gradebook.default_url(tmp_path), PAIR, results.grades)
    grades = Grades(assignment="pair", max_score=3, sandbox="bwrap", submissions=(only_first,))
    (tmp_path / "pair" / "grades.json").write_text(grades.model_dump_json())
    with Gradebook(gradebook.default_url(tmp_path)) as book:
        book.find_grade("test_double", "pair", "pair", "ada").needs_manual_grade = True
        book.db.commit()
    read = Results.read("pair", tmp_path)
    assert read.questions == {"running_sum": 3, "double": 2}
    assert next(read.students()).questions[1].status == "waiting"


@given(st.text(alphabet=',;\t"\r\n\ufeffaä= ', max_size=60))
def test_any_text_comes_back_as_it_was(text):
    assert Sheet(text).text() == text


@given(st.lists(st.lists(st.text(alphabet=',"\r\nab ', max_size=5), min_size=2, max_size=4), min_size=1))
def test_cells_are_those_that_pythons_csv_writes(rows):
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    sheet = Sheet("Student,ID\r\n" + file.getvalue())
    for row, cells in enumerate(rows, start=1):
        assert [sheet.value(row, column) for column in range(len(cells))] == cells
    sheet.set(1, 0, 'x,"\n')
    assert [*csv.reader(io.StringIO(sheet.text(), newline=""))][1] == ['x,"\n', *rows[0][1:]]


def test_from_the_zip_of_canvas_to_its_gradebook(tmp_path, monkeypatch):
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        archive.writestr("lovelaceada_LATE_11_501_pair.ipynb", as_bytes(submission()))
        archive.writestr("müllerben_12_502_pair-1.ipynb", as_bytes(submission()))
        for number, double in ((13, "def double(x): return 2 * x"), (14, "def double(x): return 0")):
            notebook = as_bytes(submission(double=double))
            archive.writestr(f"doejo_{number}_50{number}_pair.ipynb", notebook)
    grading.grade_class("pair", tmp_path / "submissions.zip", out=tmp_path / "out", jobs=1)
    results = Results.read("pair", tmp_path / "out")
    assert [student.lateness for student in results.students()] == ["", "", "late", ""]
    (tmp_path / "sheet.csv").write_bytes(CANVAS.encode())
    sheet = Sheet.read(write_export(results, "canvas", tmp_path / "sheet.csv").path)
    assert [sheet.value(row, 5) for row in range(2, 7)] == ["5", "5", "5", "4", ""]
