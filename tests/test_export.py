"""Exports: the sheets of Canvas and Moodle come back with the points, and unchanged in all else."""

import csv
import dataclasses
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import gradebook, grading, master
from autograder.gradebook import Mark
from autograder.intake import Person
from autograder.results import Results
from autograder.results.export import write_export
from autograder.results.sheets import Sheet, SheetError
from autograder.verdicts import Grades, WrittenAnswer
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


def from_canvas(number, name="", *maybe):
    return Person("canvas", number, name, maybe=maybe)


def from_moodle(number, name=""):
    return Person("moodle", number, name)


def export(tmp_path, kind, text, students, people=None, *, encoding="utf-8", **options):
    results = write_results(tmp_path / "out", [judged(*student) for student in students], people)
    sheet = tmp_path / "downloaded.csv"
    sheet.write_bytes(text.encode(encoding))
    exported = write_export(results, kind, sheet, **options)
    assert sheet.read_bytes() == text.encode(encoding)
    return exported, exported.path.read_bytes().decode(encoding)


def test_canvas_sheet_differs_in_the_filled_cells_only(tmp_path):
    people = {"doejo_13": from_canvas("13", "doejo")}
    students = [("ada",), ("Ben Müller", (3, 2)), ("doejo_13",)]
    exported, text = export(tmp_path, "canvas", CANVAS, students, people)
    expected = CANVAS.replace('"a ""b"", 1",,7', '"a ""b"", 1",3.5,7')
    expected = expected.replace('ben,x,"1.0"', 'ben,x,"5"').replace("jo1,x,,", "jo1,x,3.5,")
    assert text == expected
    assert (exported.filled, exported.unmatched) == (3, {})
    assert exported.remarks() == [
        "filled the column 'Pair (77)'",
        "rows left empty, because nobody in the class matches them: 1",
    ]


@pytest.mark.parametrize("student", ["ada", "ADA", "Ada Lovelace", "Lovelace, Ada", "lovelaceada"])
def test_a_student_of_a_folder_is_found_in_canvas_by_login_or_name(tmp_path, student):
    _, text = export(tmp_path, "canvas", CANVAS, [(student,)])
    assert Sheet(text).value(2, 5) == "3.5"


@pytest.mark.parametrize("name", ["", "lovelaceada", "team_7", "a name that has changed"])
def test_a_student_from_canvas_is_found_by_number(tmp_path, name):
    exported, text = export(tmp_path, "canvas", CANVAS, [("x_11",)], {"x_11": from_canvas("11", name)})
    assert Sheet(text).value(2, 5) == "3.5"
    assert exported.renamed == (("x_11",) if name in ("team_7", "a name that has changed") else ())


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (from_canvas("110", "lovelaceada"), "number 110 is not there"),
        (from_canvas("anonymous", "anon"), "number anonymous is not there"),
        (from_canvas("12", "lovelaceada"), "number 12 is there under another name"),
        (from_canvas("11", "team", "13"), "the number may be 11 or 13"),
        (from_canvas("7", "team", "8"), "number 7 or 8 is not there"),
        (Person("gradescope", "11", "Jo Doe"), "several rows fit"),  # the number is Gradescope's
        (Person("teams", login="jo1", name="Ada Lovelace"), "several rows fit"),
    ],
)
def test_a_number_is_never_overruled_by_a_name(tmp_path, person, reason):
    exported, text = export(tmp_path, "canvas", CANVAS, [("x",)], {"x": person})
    assert text == CANVAS
    assert reason in exported.unmatched["x"]
    assert any(f"x ({reason}" in remark for remark in exported.remarks())


@pytest.mark.parametrize(
    "person",
    [
        from_canvas("7", "team", "11"),
        from_canvas("13", "lovelaceada", "11"),
        Person("gradescope", "13", "Ada Lovelace", email="ADA"),
    ],
)
def test_the_sheet_settles_a_number_that_the_download_leaves_open(tmp_path, person):
    _, text = export(tmp_path, "canvas", CANVAS, [("x",)], {"x": person})
    assert Sheet(text).value(2, 5) == "3.5"


@pytest.mark.parametrize(
    "students",
    [
        ["Jo Doe"],  # two of them
        ["doejo"],
        ["Ad Lovelace"],
        ["ada_110"],
        ["someone_11"],  # a folder kept by hand: this may be the eleventh team
        ["11"],
        ["ada", "Ada Lovelace"],  # both would be the same row
        ["_11", "ada", "lovelaceada"],
    ],
)
def test_nobody_is_guessed(tmp_path, students):
    exported, text = export(tmp_path, "canvas", CANVAS, [(student,) for student in students])
    assert text == CANVAS
    assert set(exported.unmatched) == set(students)
    assert any(students[0] in remark for remark in exported.remarks())


@pytest.mark.parametrize("cell", ["EX", "N/A", "Excused", "B+", "complete", "4 (late)"])
def test_cells_with_a_meaning_of_their_own_stay_and_are_listed(tmp_path, cell):
    sheet = CANVAS.replace('ben,x,"1.0"', f"ben,x,{cell}")
    exported, text = export(tmp_path, "canvas", sheet, [("ada",), ("ben",)])
    assert text == sheet.replace('"a ""b"", 1",,7', '"a ""b"", 1",3.5,7')
    assert (exported.filled, exported.kept) == (1, {"ben": cell})
    assert f"left as they are in the sheet: ben ({cell})" in exported.remarks()


def test_everybody_of_a_large_class_is_listed(tmp_path):
    names = [f"somebody whom nobody knows {number}" for number in range(150)]
    exported, _ = export(tmp_path, "canvas", CANVAS, [(name,) for name in names])
    remark = exported.remarks()[-1]
    assert all(f"{name}, " in remark for name in names[:-1]) and remark.count("(nobody there") == 1


def test_a_read_only_column_is_refused(tmp_path):
    with pytest.raises(SheetError, match=r"does not take points for the column 'Pair \(77\)'"):
        export(tmp_path, "canvas", CANVAS.replace('Possible",,,,,5', 'Possible",,,,,(read only)'), [("ada",)])


@pytest.mark.parametrize(
    "header",
    ["LastName,FirstName", '"Last Name","First Name"', "FirstName,LastName", '"Last Name, First Name"'],
)
def test_names_in_one_column_or_in_two_are_the_same(tmp_path, header):
    cells = {"Last": ["Lovelace,Ada", "O'Brien,Pat"], "Firs": ["Ada,Lovelace", "Pat,O'Brien"]}
    ada, pat = cells[header.strip('"')[:4]]
    if header.count('"') == 2:
        ada, pat = f'"{ada}"', f'"{pat}"'
    empty = "," * (header.count('"') != 2)
    sheet = f"{header},ID,SIS Login ID,Section,Pair (77)\n    Points Possible{empty},,,,5\n"
    sheet += f"{ada},11,a,x,\n{pat},12,b,x,\n"
    exported, text = export(tmp_path, "canvas", sheet, [("Ada Lovelace",), ("OBrien, Pat",)])
    assert text == sheet.replace("a,x,", "a,x,3.5").replace("b,x,", "b,x,3.5")
    assert exported.unmatched == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_separators_and_decimal_marks_stay_those_of_the_sheet(tmp_path, encoding, separator):
    rows = [
        ["Student", "ID", "Pair (77)", "Other (78)"],
        ["    Points Possible", "", '"5,00"', '"20,00"'],
        ['"Müller, Ben"', "12", "", ""],
    ]
    sheet = "\r\n".join(separator.join(row) for row in rows)
    exported, text = export(tmp_path, "canvas", sheet, [("Ben Müller",)], encoding=encoding)
    points = '"3,5"' if separator == "," else "3,5"
    assert text == sheet.replace(f"12{separator}", f"12{separator}{points}")
    assert ("Windows-1252" in " ".join(exported.notes)) == (encoding == "cp1252")
    assert "Points Possible is" not in " ".join(exported.notes)


@pytest.mark.parametrize(
    ("sheet", "mark"),
    [
        ("a;b\nx;2", ","),
        ("a,b\nx,2", "."),
        ("a;b\nx;2.5", "."),
        ('a,b\n"1,000",2', "."),
        ('a,b\n"1,25",', ","),
    ],
)
def test_the_decimal_mark_is_that_of_the_numbers_else_that_of_the_separator(sheet, mark):
    assert Sheet(sheet).decimal_mark([1]) == mark


def test_zeros_are_filled_in_only_when_asked_for_and_nobody_is_in_doubt(tmp_path):
    sheet = CANVAS.replace("jo1,x,,", "jo1,x,EX,")
    crashed = judged("Ben Müller", (0, 0), status="crashed")
    results = write_results(tmp_path, [judged("ada"), crashed])
    (tmp_path / "sheet.csv").write_bytes(sheet.replace('ben,x,"1.0"', "ben,x,").encode())
    exported = write_export(results, "canvas", tmp_path / "sheet.csv", zeros=True)
    filled = Sheet.read(exported.path)
    assert [filled.value(row, 5) for row in range(2, 7)] == ["3.5", "", "EX", "3", "0"]
    assert "rows filled with 0, because nothing was handed in: 1" in exported.remarks()
    exported, text = export(tmp_path, "canvas", CANVAS, [("ada",), ("somebody",)], zeros=True)
    assert Sheet(text).value(6, 5) == ""
    assert any("no zeros were filled in" in note for note in exported.notes)


def test_who_was_not_graded_gets_no_silent_zero(tmp_path):
    results = write_results(tmp_path, [judged("ada", (0, 0), status="unreadable"), judged("ben", (0, 0))])
    (tmp_path / "sheet.csv").write_text(CANVAS, newline="")
    exported = write_export(results, "canvas", tmp_path / "sheet.csv")
    sheet = Sheet.read(exported.path)
    assert (sheet.value(2, 5), sheet.value(3, 5)) == ("", "0")
    assert exported.ungraded == ("ada",)


def test_an_assignment_in_words_that_nobody_has_read_has_no_points(tmp_path):
    words = judged("ada").verdict.model_copy(
        update={"questions": (), "written": (WrittenAnswer(name="why", max_points=2, digest="0"),)}
    )
    results = write_results(tmp_path, [judged("ada").model_copy(update={"verdict": words})])
    row = write_export(results, "csv").path.read_text().splitlines()[1]
    assert row.startswith("ada,,,graded,")
    marks = {"ada": {"why": Mark(2, score=0.0)}}
    row = write_export(dataclasses.replace(results, marks=marks), "csv").path.read_text().splitlines()[1]
    assert row.startswith("ada,0,0,graded,")


@pytest.mark.parametrize("name", ["people.json", "judged.json", "grades.json"])
def test_damaged_results_are_one_sentence(tmp_path, name):
    write_results(tmp_path, [judged("ada")])
    (tmp_path / "pair" / name).write_text("{")
    command = [sys.executable, "-m", "autograder.cli", "export", "pair", "--out", str(tmp_path)]
    done = subprocess.run([*command, "--format", "csv"], capture_output=True, text=True)
    assert done.returncode == 2
    assert name in done.stderr and "autograder grade" in done.stderr and "Traceback" not in done.stderr


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
    students = [("Ada Lovelace_11",), ("ben müller", (3, 2)), ("Jo Doe_14",), ("Jo Doe",)]
    people = {
        "Ada Lovelace_11": from_moodle("11", "Ada Lovelace"),
        "Jo Doe_14": from_moodle("14", "Group 3-Jo Doe"),
    }
    exported, text = export(tmp_path, "moodle", MOODLE, students, people)
    assert exported.unmatched == {"Jo Doe": "several rows fit"}
    before, after = ([*csv.reader(io.StringIO(sheet))] for sheet in (MOODLE, text))
    assert [row[4] for row in after] == ["Grade", "3.5", "5", "", "3.5"]
    assert "running_sum</strong>: 1.5 of 3, partly right." in after[1][9]
    assert [row[:4] + row[5:9] for row in before] == [row[:4] + row[5:9] for row in after]
    assert after[3] == before[3]


@pytest.mark.parametrize(
    ("person", "name"),
    [
        (from_moodle("4711", "OBrien Pat"), "Pat O'Brien"),
        (from_moodle("4711", "Group A-Pat Roe"), "Pat Roe, Jr."),
        (from_moodle("4711", "Participant"), ""),
        (from_moodle("4711", "Pat Roe"), "Jo Doe"),  # renamed since
    ],
)
def test_a_student_from_moodle_is_found_by_the_participants_number(tmp_path, person, name):
    sheet = MOODLE.replace("Participant 11", "Participant 4711").replace("Ada Lovelace", name)
    _, text = export(tmp_path, "moodle", sheet, [("x",)], {"x": person})
    assert Sheet(text).value(1, 4) == "3.5"


def test_locked_grades_stay(tmp_path):
    people = {"x": from_moodle("11"), "y": from_moodle("12")}
    sheet = MOODLE.replace("5.00,Yes", "5.00,No", 1)
    exported, text = export(tmp_path, "moodle", sheet, [("x",), ("y",)], people)
    assert Sheet(text).value(1, 4) == "" and Sheet(text).value(2, 4) == "3.5"
    assert exported.kept == {"x": "its grade is locked in Moodle"}


@pytest.mark.parametrize(
    ("header", "word", "yes", "no"),
    [
        ("ID,Vollständiger Name,Status,Bewertung,Bestwertung,Bewertung kann geändert werden,"
         "Feedback als Kommentar", "Teilnehmer/in", "Ja", "Nein"),
        ("Identifiant,Nom complet,Statut,Note,Note maximale,La note peut être modifiée,"
         "Feedback par commentaires", "Participant", "Oui", "Non"),
        ("Identificador,Nombre completo,Estado,Calificación,Calificación máxima,"
         "La calificación puede ser cambiada,Comentarios de retroalimentación", "Participante", "Sí", "No"),
    ],
)  # fmt: skip
def test_worksheets_in_other_languages_are_filled(tmp_path, header, word, yes, no):
    sheet = f'\ufeff{header}\n{word} 11,Ada,x,,"5,00",{yes},\n{word} 12,Ben,x,,"5,00",{no},\n'
    people = {"x": from_moodle("11"), "y": from_moodle("12")}
    exported, text = export(tmp_path, "moodle", sheet, [("x",), ("y",)], people)
    filled = Sheet(text)
    assert (filled.value(1, 3), filled.value(2, 3)) == ("3,5", "")
    assert "running_sum" in filled.value(1, 6) and list(exported.kept) == ["y"]
    assert exported.notes == ()


def test_a_worksheet_in_an_unknown_language_needs_the_columns_name(tmp_path):
    sheet = MOODLE.replace(",Grade,", ",Karakter,").replace("Identifier", "Kennimark")
    people = {"x": from_moodle("11")}
    with pytest.raises(SheetError, match="no column 'Grade'; there are: .*'Karakter'.*--column TITLE"):
        export(tmp_path, "moodle", sheet, [("x",)], people)
    _, text = export(tmp_path, "moodle", sheet, [("x",)], people, column="Karakter")
    assert Sheet(text).value(1, 4) == "3.5"


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
        ("canvas", b"PK\x03\x04\xff\xfe", "not a CSV file"),
        ("canvas", "Student,ID".encode("utf-16-le"), "not a CSV file"),
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


@pytest.mark.parametrize("encoding", ["iso-8859-1", "cp1252:strict"])
def test_names_that_a_terminal_cannot_print_stop_no_command(tmp_path, encoding):
    write_results(tmp_path, [judged("王小明", (0, 0), status="crashed")])
    command = [sys.executable, "-m", "autograder.cli", "export", "pair", "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*command, "--format", "csv"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert r"not graded, so without points: \u738b\u5c0f\u660e" in done.stderr
    assert "王小明" in (tmp_path / "pair" / "grades.csv").read_text(encoding="utf-8")


def test_plain_csv_has_everybody_and_no_formula(tmp_path):
    names = ["ada", '=HYPERLINK("http://evil.example")', "+1", "-1", "@x", "\t=1", "new\nline, \x22q"]
    late = judged("zoe", (0, 0), status="unreadable", late=True)
    people = {"ada": Person("canvas", "11", "lovelaceada", "a@b.example", "=ada()")}
    results = write_results(tmp_path, [*map(judged, names), late], people)
    exported = write_export(results, "csv")
    rows = [*csv.reader(io.StringIO(exported.path.read_bytes().decode()))]
    assert rows[0][:7] == ["student", "running_sum", "double", "total", "status", "late", "late_penalty"]
    assert rows[1][:7] == ["ada", "1.5", "2", "3.5", "graded", "", "0"]
    about = {field: rows[1][rows[0].index(field)] for field in ("number", "name", "login", "email")}
    assert about == {"number": "11", "name": "lovelaceada", "login": "'=ada()", "email": "a@b.example"}
    assert rows[-1][:7] == ["zoe", "", "", "", "unreadable", "late", ""]  # never a silent zero
    assert [row[0] for row in rows[2:7]] == ["'" + name.strip() for name in names[1:6]]
    assert rows[7][0] == 'new line, "q'  # a cell is one line
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
    assert rows[1][:7] == ["ada", "3", "2.5", "5.5", "graded", "", "0"]
    assert rows[2][:7] == ["ben", "1", "0", "1", "crashed", "", "0"]
    # The grader failed on ben, so a person has to look at the other question too.
    assert (exported.waiting, exported.ungraded) == (("ada", "ben"), ())


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
    assert [student.late.remark for student in results.students()] == ["", "", "late", ""]
    (tmp_path / "sheet.csv").write_bytes(CANVAS.encode())
    sheet = Sheet.read(write_export(results, "canvas", tmp_path / "sheet.csv").path)
    assert [sheet.value(row, 5) for row in range(2, 7)] == ["5", "5", "5", "4", ""]
