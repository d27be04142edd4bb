"""Whose notebook it is, in every known layout, as a zip and unpacked; and no guess where it is not known."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder import grading, intake, master
from autograder.intake import IntakeError
from tests.notebooks import as_bytes, code, submission

NOTEBOOK = as_bytes(submission())
FOREIGN = as_bytes(submission() | {"cells": [code("print('another course')")]})

fuzzed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def masters(monkeypatch):
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")


def zipped(folder, contents):
    path = folder / "class.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def unpacked(folder, contents):
    for name, content in contents.items():
        path = folder / "class" / name
        if name.endswith("/"):
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "class"


def contents(names):
    return {name: NOTEBOOK if name.endswith(".ipynb") else b"" for name in names}


def students(path, **options):
    return [item.student for item in intake.collect(path, "pair", **options)]


both = pytest.mark.parametrize("pack", [zipped, unpacked])

READ = {
    # kept by hand
    "a folder each": (["ada/pair.ipynb", "ben/pair.ipynb"], ["ada", "ben"]),
    "a file each": (["ada.ipynb", "ben.ipynb", "list.csv"], ["ada", "ben"]),
    "in a folder with a note": (
        ["hw1/ada/pair.ipynb", "hw1/ben/pair.ipynb", "hw1/cid/pair.ipynb", "hw1/notes.txt", "hw1/sheet.pdf"],
        ["ada", "ben", "cid"],
    ),
    "in folders in folders": (
        ["outer/inner/most/ada/pair.ipynb", "outer/inner/most/ben/pair.ipynb", "outer/README.md"],
        ["ada", "ben"],
    ),
    "name_assignment": (["x/ada_pair.ipynb", "x/ben_pair.ipynb", "x/cid-Pair.ipynb"], ["ada", "ben", "cid"]),
    "assignment_name": (["x/pair_ada.ipynb", "x/Pair - ben.ipynb", "x/pair.ipynb"], ["ada", "ben"]),
    "sections": (
        ["Section A/ada/pair.ipynb", "Section A/ben/pair.ipynb", "Section B/cid/pair.ipynb"],
        ["ada", "ben", "cid"],
    ),
    "sections in a folder": (
        ["hw1/Lab 1/ada/pair.ipynb", "hw1/Lab 2/ben/pair.ipynb", "hw1/Lab 2/list.csv"],
        ["ada", "ben"],
    ),
    "sections with names of their own": (
        ["red/ada/pair.ipynb", "red/ben/pair.ipynb", "blue/cid/pair.ipynb", "blue/dan/pair.ipynb"],
        ["ada", "ben", "cid", "dan"],
    ),
    "sections of files": (
        ["Tutorium 1/ada.ipynb", "Tutorium 1/ben.ipynb", "Tutorium 2/cid.ipynb"],
        ["ada", "ben", "cid"],
    ),
    "parts of a person's own": (
        ["ada/mine/pair.ipynb", "ben/my thoughts/pair.ipynb", "cid/pair.ipynb", "cid/notes.ipynb"],
        ["ada", "ben", "cid"],
    ),
    "the same parts in every folder": (
        ["ada/foo/x.ipynb", "ada/bar/pair.ipynb", "ben/foo/x.ipynb", "ben/bar/pair.ipynb"],
        ["ada", "ben"],
    ),
    "attempts": (
        ["ada/attempt 1/pair.ipynb", "ada/attempt 2/pair.ipynb", "ben/pair.ipynb", "late/ben/pair.ipynb"],
        ["ada", "ben"],
    ),
    "groups": (["Group 1/pair.ipynb", "Group 2/pair.ipynb", "Group 2/plots.ipynb"], ["Group 1", "Group 2"]),
    "with images beside": (["ada.ipynb", "images/plot.png", "late/cid.ipynb"], ["ada", "cid"]),
    "with the instructor's own": (
        ["ada/pair.ipynb", "ben/pair.ipynb", "solution/x.ipynb", "Starter code/x.ipynb", "pair/x.ipynb"],
        ["ada", "ben"],
    ),
    "beside students, called like folders": (
        ["ada/pair.ipynb", "drive/pair.ipynb", "content_folder/pair.ipynb"],
        ["ada", "content_folder", "drive"],
    ),
    "sections of a file each": (["Section A/ada.ipynb", "Section B/ben.ipynb"], ["ada", "ben"]),
    "sections by letters": (["A/ada/x.ipynb", "A/ben/x.ipynb", "B/cid/x.ipynb"], ["ada", "ben", "cid"]),
    "Moodle, and one by mail": (
        ["Ada_11_assignsubmission_file/x.ipynb", "Ben_12_assignsubmission_file/x.ipynb", "late/zoe/x.ipynb"],
        ["Ada_11", "Ben_12", "zoe"],
    ),
    "blind numbers": (["student_1.ipynb", "student_2.ipynb"], ["student_1", "student_2"]),
    "as nbgrader keeps it": (["submitted/ada/pair/x.ipynb", "submitted/ben/pair/x.ipynb"], ["ada", "ben"]),
    "students' numbers": (["20240001/pair.ipynb", "20241231/pair.ipynb"], ["20240001", "20241231"]),
    "names that are words": (["Sun Mi_pair.ipynb", "Winter_pair.ipynb"], ["Sun Mi", "Winter"]),
    "files by letters": (["class/a.ipynb", "class/b.ipynb"], ["a", "b"]),
    # systems
    "Canvas, zipped again": (
        ["x/submissions/exada_101_2001_pair.ipynb", "x/submissions/oxben_LATE_104_2004_pair.ipynb"],
        ["exada_101", "oxben_104"],
    ),
    "Canvas, a name that ends in a number": (
        ["team_7_103_2003_pair.ipynb", "exada_101_2001_pair.ipynb"],
        ["exada_101", "team_7_103"],
    ),
    "Canvas, a file that begins with numbers": (
        ["roepat_103_2003_1_pair.ipynb", "exada_101_2001_pair.ipynb", "oxben_102_2002_2_3_pair.ipynb"],
        ["exada_101", "oxben_102", "roepat_103"],
    ),
    "Canvas, with the instructor's own": (
        ["exada_101_2001_pair.ipynb", "oxben_104_2004_pair.ipynb", "solution.ipynb"],
        ["exada_101", "oxben_104"],
    ),
    "Moodle, in groups": (
        ["Group A-Ada_4711_assignsubmission_file_/pair.ipynb", "B/Ben_4712_assignsubmission_file_pair.ipynb"],
        ["Ben_4712", "Group A-Ada_4711"],
    ),
    "Moodle, blind": (["Participant_4711_assignsubmission_file_/pair.ipynb"], ["Participant_4711"]),
    "Blackboard": (
        [
            "Pair_ada01_attempt_2024-05-01-11-59-00_pair.ipynb",
            "Pair_ben02_attempt_2024-05-01-10-00-00_pair.ipynb",
            "Pair_ben02_attempt_2024-05-02-10-00-00_pair.ipynb",
            "Pair_ben02_attempt_2024-05-02-10-00-00.txt",
        ],
        ["ada01", "ben02"],
    ),
    "Brightspace": (
        [
            "397001-2550001 - Ada Example - Sep 24, 2024 926 PM/pair.ipynb",
            "397002-2550001 - Ben Ox - Sep 24, 2024 1126 AM/pair.ipynb",
            "397002-2550001 - Ben Ox - Sep 25, 2024 126 AM/pair.ipynb",
            "index.html",
        ],
        ["Ada Example_397001", "Ben Ox_397002"],
    ),
    "Brightspace, flat": (
        [
            "x/397001-2550001 - Ada Example - Sep 24, 2024 926 PM - pair.ipynb",
            "x/397002-2550001 - Ben Ox- 14 September 2024 1155 AM - pair.ipynb",
            "x/index.html",
        ],
        ["Ada Example_397001", "Ben Ox_397002"],
    ),
    "Brightspace, in another language": (
        [
            "7-9 - Ada-Maria Ex-Love - 24-09-2024 2126/pair.ipynb",
            "8-9 - Ben Ox - 24 sept. 2024 2126/pair.ipynb",
            "8-9 - Ben Ox - 25 sept. 2024 2126/pair.ipynb",
        ],
        ["Ada-Maria Ex-Love_7", "Ben Ox_8"],
    ),
    "Sakai": (
        [
            "Pair/grades.csv",
            "Pair/Ex, Ada(ada01)/timestamp.txt",
            "Pair/Ex, Ada(ada01)/Submission attachment(s)/pair.ipynb",
            "Pair/Ox, Ben(ben02)/Submission attachment(s)/pair.ipynb",
            "Pair/Ox, Ben(ben02)/Feedback Attachment(s)/marked.ipynb",
        ],
        ["Ex, Ada_ada01", "Ox, Ben_ben02"],
    ),
    "Sakai, flat": (
        [
            "Pair/Ex, Ada(ada01)_Submission attachment(s)_pair.ipynb",
            "Pair/Ox, Ben(ben02)_Submission attachment(s)_pair.ipynb",
        ],
        ["Ex, Ada_ada01", "Ox, Ben_ben02"],
    ),
    "ILIAS": (
        ["Uebung/Abgaben/Ex_Ada_ada01_4711/pair.ipynb", "Uebung/Abgaben/Team 3/Ox_Ben_ben02_4712/pair.ipynb"],
        ["Ex_Ada_ada01_4711", "Ox_Ben_ben02_4712"],
    ),
    "Microsoft Teams": (
        [
            "Student Work/Submitted files/Ada Ex/Pair/Version 1/pair.ipynb",
            "Student Work/Working files/Ada Ex/Pair/pair.ipynb",
            "Student Work/Submitted files/Ben Ox/Pair/Version 1/pair.ipynb",
            "Student Work/Working files/Cy Im/Pair/pair.ipynb",
        ],
        ["Ada Ex", "Ben Ox", "Cy Im"],
    ),
    "Microsoft Teams, without versions": (
        [
            "Submitted files/Ada Ex/Pair/pair.ipynb",
            "Working files/Ada Ex/Pair/pair.ipynb",
            "Submitted files/Ben Ox/Pair/pair.ipynb",
        ],
        ["Ada Ex", "Ben Ox"],
    ),
    "Microsoft Teams, in Japanese": (
        [f"提出済みのファイル/{name}/課題/バージョン 1/x.ipynb" for name in ("山田 太郎", "佐藤 花子")],
        ["佐藤 花子", "山田 太郎"],
    ),
    "GitHub Classroom": (
        ["h-submissions/h-ada-x/pair.ipynb", "h-submissions/h-ben/pair.ipynb"],
        ["ada-x", "ben"],
    ),
    "GitHub, cloned one by one": (["pair-ada01/pair.ipynb", "pair-ben02/pair.ipynb"], ["ada01", "ben02"]),
    "Google Classroom": (
        ["Takeout/Drive/RL/Ada Ex - pair.ipynb", "Takeout/Drive/RL/Ben Ox - Copy of pair.ipynb"],
        ["Ada Ex", "Ben Ox"],
    ),
    "Google Classroom, a title of its own": (
        ["RL/Ada Ex - Homework 1.ipynb", "RL/Ben Ox - Homework 1.ipynb", "RL/Ben Ox - Homework 1 (1).ipynb"],
        ["Ada Ex", "Ben Ox"],
    ),
}  # fmt: skip


@both
@pytest.mark.parametrize("layout", READ)
def test_every_known_layout_has_a_row_for_each_student(tmp_path, pack, layout):
    names, expected = READ[layout]
    path = pack(tmp_path, contents(names))
    assert students(path) == expected
    assert all(item.content == NOTEBOOK for item in intake.collect(path, "pair"))


REFUSED = {
    "notebooks that name nobody": ["pair/pair.ipynb", "pair/pair (1).ipynb", "pair/Copy of pair.ipynb"],
    "at the top": ["pair.ipynb", "pair (1).ipynb"],
    "folders that may be sections": ["red/ada.ipynb", "red/ben.ipynb", "blue/cid.ipynb", "blue/dan.ipynb"],
    "sections of one": ["red/ada/x.ipynb", "red/ben/x.ipynb", "blue/cid/x.ipynb", "green/dan/x.ipynb"],
    "one name in two sections": ["Lab 1/ada/pair.ipynb", "Lab 2/ada/pair.ipynb", "Lab 2/ben/pair.ipynb"],
    "a number that is no user's": ["hw_2026_1_ada.ipynb", "hw_2026_2_ben.ipynb", "hw_2026_3_cid.ipynb"],
    "one number, two names": [
        "Ada Ex_4711_assignsubmission_file/pair.ipynb",
        "Ben Ox_4711_assignsubmission_file/pair.ipynb",
    ],
}  # fmt: skip


@both
@pytest.mark.parametrize("layout", REFUSED)
def test_where_people_may_be_mixed_up_nobody_is_graded_and_the_options_are_named(tmp_path, pack, layout):
    path = pack(tmp_path, contents(REFUSED[layout]))
    with pytest.raises(IntakeError, match="--people FILE|--layout files") as refused:
        students(path)
    assert len(str(refused.value)) < 400
    rows = [f"{name},student {number}" for number, name in enumerate(REFUSED[layout])]
    mapping = tmp_path / "people.csv"
    mapping.write_text("\n".join(["path,student", *rows]))
    assert students(path, people=mapping) == [f"student {number}" for number in range(len(rows))]


@pytest.mark.parametrize(
    ("names", "layout", "expected"),
    [
        (REFUSED["folders that may be sections"], "sections", ["ada", "ben", "cid", "dan"]),
        (REFUSED["folders that may be sections"], "files", ["ada", "ben", "cid", "dan"]),
        (REFUSED["folders that may be sections"], "folders", ["blue", "red"]),
        (REFUSED["sections of one"], "sections", ["ada", "ben", "cid", "dan"]),
        (REFUSED["sections of one"], "folders", ["blue", "green", "red"]),
        (REFUSED["notebooks that name nobody"], "folders", ["pair"]),
        (REFUSED["a number that is no user's"], "files", ["hw_2026_1_ada", "hw_2026_2_ben", "hw_2026_3_cid"]),
        (REFUSED["a number that is no user's"], "canvas", ["hw_2026"]),
    ],
)
def test_the_instructor_can_say_the_layout(tmp_path, names, layout, expected):
    path = zipped(tmp_path, contents(names))
    assert students(path, layout=layout) == expected


def test_a_zip_in_a_zip_is_to_be_unpacked(tmp_path):
    with pytest.raises(IntakeError, match=r"It holds 'submissions.zip': unpack that"):
        students(zipped(tmp_path, {"submissions.zip": b"PK"}))


def test_names_that_may_be_one_persons_are_named(tmp_path):
    found = intake.collect(zipped(tmp_path, contents(["ada.ipynb", "ada (1).ipynb", "ben.ipynb"])), "pair")
    assert len(found) == 3
    assert found.notes == ("perhaps one student: 'ada' and 'ada (1)'",)
    names = ["ada/one.ipynb", "ada/two.ipynb", "ben/pair.ipynb", "cid/pair.ipynb"]
    (note,) = intake.collect(zipped(tmp_path, contents(names)), "pair").notes
    assert "'ada' was taken for one student" in note and "'one.ipynb' and 'two.ipynb'" in note


def test_what_is_nobodys_is_named(tmp_path):
    names = ["ada/pair.ipynb", "ben/pair.ipynb", "list.csv", "solution.ipynb"]
    found = intake.collect(zipped(tmp_path, contents(names)), "pair")
    assert found.notes == ("nobody's, so not graded: 'solution.ipynb', 'list.csv'",)
    names = ["exada_101_2001_pair.ipynb", "oxben_102_2002_pair.ipynb", "zoe.ipynb"]
    found = intake.collect(zipped(tmp_path, contents(names)), "pair")
    assert found.notes == (
        "not named as Canvas does it, so known by the names of their files or folders: 'zoe'",
    )


def test_a_name_that_canvas_wrote_for_one_of_two_users_is_in_doubt(tmp_path):
    (found,) = submissions = intake.collect(
        zipped(tmp_path, contents(["team_7_103_2003_pair.ipynb"])), "pair"
    )
    assert (found.person.number, found.person.maybe) == ("103", ())
    (found,) = submissions = intake.collect(
        zipped(tmp_path, contents(["team_7_103_2003_104_x.ipynb"])), "pair"
    )
    assert found.person.number in ("7", "103") and found.person.maybe
    assert "may be user" in submissions.notes[0]


def test_a_student_cannot_hand_in_for_another_by_the_names_of_files(tmp_path):
    names = ["ada/ben_103_2003_pair.ipynb", "ben/pair.ipynb", "cid/pair.ipynb"]
    assert students(zipped(tmp_path, contents(names))) == ["ada", "ben", "cid"]
    names = ["ada/Ben - pair.ipynb", "ben/Ada - pair.ipynb"]
    assert students(zipped(tmp_path, contents(names))) == ["ada", "ben"]
    names = [
        "Ada_11_assignsubmission_file/Ben_12_assignsubmission_file/pair.ipynb",
        "Ben_12_assignsubmission_file/Version 1/pair.ipynb",
        "Cy_13_assignsubmission_file/x/Ex, Ada(ada01)/Submission attachment(s)/pair.ipynb",
    ]
    assert students(zipped(tmp_path, contents(names))) == ["Ada_11", "Ben_12", "Cy_13"]


def newest(tmp_path, old, new, others=()):
    path = zipped(tmp_path, {old: FOREIGN, new: NOTEBOOK, **contents(others)})
    before = next(iter(intake.collect(path, "pair")))
    assert before.content == NOTEBOOK
    stale = as_bytes(submission(double="def double(x):\n    return 3 * x"))
    path = zipped(tmp_path, {old: stale, new: NOTEBOOK, **contents(others)})
    (found, *_) = intake.collect(path, "pair")
    assert found.content == NOTEBOOK
    return found


def test_of_several_attempts_the_newest_counts_and_the_download_says_when(tmp_path):
    found = newest(
        tmp_path,
        "Pair_ada_attempt_2024-05-09-10-00-00_pair.ipynb",
        "Pair_ada_attempt_2024-05-10-09-00-00_a.ipynb",
    )
    assert found.person.handed_in == "2024-05-10 09:00:00"
    assert (found.person.lms, found.person.login) == ("blackboard", "ada")
    found = newest(
        tmp_path,
        "7-9 - Ada Ex - Sep 9, 2024 926 PM/pair.ipynb",
        "7-9 - Ada Ex - Sep 10, 2024 1226 AM/pair.ipynb",
    )
    assert found.person.handed_in == "2024-09-10 00:26:00"
    assert (found.person.lms, found.person.number, found.person.name) == ("brightspace", "7", "Ada Ex")
    version = "Submitted files/Ada Ex/Pair/Version {}/pair.ipynb"
    newest(tmp_path, version.format(9), version.format(10), [version.format(1).replace("Ada Ex", "Ben")])
    newest(tmp_path, "ada/attempt 9/pair.ipynb", "ada/attempt 10/a.ipynb", ["ben/pair.ipynb"])
    newest(tmp_path, "attempt 9/ada/pair.ipynb", "attempt 10/ada/a.ipynb", ["attempt 9/ben/pair.ipynb"])


def test_blackboard_names_the_person_in_the_text_beside_an_attempt(tmp_path):
    about = b"Name: Ada Ex (a_x)\nAssignment: Grid_World\nDate Submitted: Wednesday, May 1, 2024\n"
    files = {
        "Grid_World_a_x_attempt_2024-05-01-11-59-00.txt": about,
        "Grid_World_a_x_attempt_2024-05-01-11-59-00_pair.ipynb": NOTEBOOK,
        "Grid_World_b_y_attempt_2024-05-01-11-59-00_pair.ipynb": NOTEBOOK,
        "Grid_World_b_y_attempt_2024-05-01-11-59-00_x.txt": b"Name: Ada Ex (a_x)\n",
    }
    found = {item.student: item.person.name for item in intake.collect(zipped(tmp_path, files), "pair")}
    assert found == {"a_x": "Ada Ex", "b_y": "b_y"}


def test_two_logins_that_end_alike_are_not_taken_for_one(tmp_path):
    start = "Grid_{}_attempt_2024-05-01-11-59-00_pair.ipynb"
    with pytest.raises(IntakeError, match="--people FILE"):
        students(zipped(tmp_path, contents([start.format("a_x"), start.format("b_x")])))


def test_sakai_and_ilias_say_who_and_when(tmp_path):
    files = {
        "Pair/Ex, Ada(ada01)/timestamp.txt": b"2024-05-01T11:59:00Z",
        "Pair/Ex, Ada(ada01)/Submission attachment(s)/pair.ipynb": NOTEBOOK,
    }
    (found,) = intake.collect(zipped(tmp_path, files), "pair")
    person = found.person
    assert (person.lms, person.login, person.name) == ("sakai", "ada01", "Ex, Ada")
    assert person.handed_in == "2024-05-01 11:59:00"
    names = ["Abgaben/Ex_Ada_ada01_4711/Verspaetete Abgabe - pair.ipynb"]
    (found,) = intake.collect(zipped(tmp_path, contents(names)), "pair")
    assert (found.person.number, found.person.login, found.late) == ("4711", "ada01", True)


def test_studip_lists_the_authors(tmp_path):
    listing = (
        "Name;Größe;Vorname;Nachname;Downloads;Datum;Pfad\n"
        "loesung.ipynb;1;Ada;Ex;0;01.05.2024 10:00;HA 1/loesung.ipynb\n"
        "loesung (1).ipynb;2;Ben;Ox;0;01.05.2024 10:00;HA 1/loesung (1).ipynb\n"
    )
    files = contents(["HA 1/loesung.ipynb", "HA 1/loesung (1).ipynb"])
    assert students(zipped(tmp_path, {"archive_filelist.csv": listing.encode(), **files})) == [
        "Ada Ex",
        "Ben Ox",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "columns path and student"),
        ("name,path\n", "columns path and student"),
        ("path,student\nada,\n", "line 2"),
        ("path,student\nnobody/x.ipynb,Ada\n", "'nobody/x.ipynb', which is not there"),
    ],
)
def test_a_mapping_that_cannot_be_followed_is_refused(tmp_path, text, reason):
    path = zipped(tmp_path, contents(["a/1.ipynb"]))
    (tmp_path / "people.csv").write_text(text)
    with pytest.raises(IntakeError, match=reason):
        students(path, people=tmp_path / "people.csv")
    with pytest.raises(IntakeError, match="cannot be read"):
        students(path, people=tmp_path / "absent.csv")


def test_a_student_keeps_the_id_when_the_name_changes_but_not_the_number(tmp_path):
    place = "{}_4711_assignsubmission_file/pair.ipynb"
    (first,) = intake.collect(zipped(tmp_path, contents([place.format("Ada Ex")])), "pair")
    names = [place.format("Group A-Ada Ox"), "Ada Ex_4712_assignsubmission_file/pair.ipynb"]
    later = intake.collect(zipped(tmp_path, contents(names)), "pair", known={first.student: first.person})
    assert {item.student: item.person.name for item in later} == {
        "Ada Ex_4711": "Group A-Ada Ox",
        "Ada Ex_4712": "Ada Ex",
    }


def test_so_the_second_day_has_no_second_row(tmp_path):
    place = "{}_4711_assignsubmission_file/pair.ipynb"
    for name in ("Ada Ex", "Group A-Ada Ox"):
        path = zipped(tmp_path, contents([place.format(name)]))
        grades = grading.grade_class("pair", path, out=tmp_path / "out", jobs=1)
        assert [row.student for row in grades.submissions] == ["Ada Ex_4711"]


def test_a_mapping_names_files_folders_and_patterns_and_the_longest_counts(tmp_path):
    path = zipped(tmp_path, contents(["a/x/1.ipynb", "a/y/2.ipynb", "b/3.ipynb", "c/4.ipynb"]))
    (tmp_path / "people.csv").write_text("student;path\nAda;a\nBen;a/y/2.ipynb\nCy;*/3*\n")
    found = intake.collect(path, "pair", people=tmp_path / "people.csv")
    assert [item.student for item in found] == ["Ada", "Ben", "Cy"]
    assert found.notes == ("nobody's, so not graded: 'c/4.ipynb'",)


# Any names

letters = st.sampled_from("adeZ .,'-_07éØ李김אح\u200f~&+#")
people = st.text(letters, min_size=1, max_size=12).map(lambda name: f"{name.strip(' .-_')}Q")
classes = st.dictionaries(st.integers(1_000_000, 9_999_999), people, min_size=2, max_size=6)

PATTERNS = {
    "moodle": "{name}_{number}_assignsubmission_file_/{file}",
    "moodle flat": "{name}_{number}_assignsubmission_file_{file}",
    "brightspace": "{number}-77 - {name} - Sep 24, 2024 926 PM/{file}",
    "ilias": "E/Abgaben/{name}_login_{number}/{file}",
    "sakai": "E/{name}, X({number})/Submission attachment(s)/{file}",
    "canvas": "{name}_{number}_8{number}_{file}",
    "folders": "{name}{number}/{file}",
    "files": "{name}{number}.ipynb",
}


@fuzzed
@given(classes, st.sampled_from(sorted(PATTERNS)), st.sampled_from(["pair.ipynb", "my work.ipynb"]))
@example({1000001: "team_7Q", 1000002: "Ex, Ada~Q"}, "canvas", "pair.ipynb")
@example({1000001: "Li Wei", 1000002: "Li Wei"}, "moodle", "pair.ipynb")
def test_every_notebook_ends_in_the_row_of_its_owner_whatever_the_names(tmp_path, members, system, file):
    notebooks = {}
    for number, name in members.items():
        clean = "".join(filter(str.isalnum, name)) if system == "canvas" else name
        place = PATTERNS[system].format(name=clean, number=number, file=file)
        notebooks[place] = as_bytes(submission(double=f"def double(x):\n    return {number}"))
    found = list(intake.collect(zipped(tmp_path, notebooks), "pair"))
    assert len(found) == len(members)
    for item in found:
        assert any(str(number) in item.student for number in members if str(number).encode() in item.content)


# The command


def grade(*arguments):
    command = [sys.executable, "-m", "autograder.cli", "grade", "gridworld", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_command_has_both_options_and_stops_where_people_may_be_mixed_up(tmp_path):
    path = zipped(tmp_path, contents(["gridworld/gridworld.ipynb", "gridworld/gridworld (1).ipynb"]))
    done = grade(path, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "2 notebooks do not say whose they are" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
    done = grade(path, "--out", tmp_path / "out", "--layout", "foldres")
    assert done.returncode == 2
    assert f"Choose one of {', '.join(intake.LAYOUTS)}." in done.stderr
    listed = grade("--help").stdout
    assert all(name in listed for name in intake.LAYOUTS)
    (tmp_path / "people.csv").write_text("path,student\n*(1)*,ada\n")
    done = grade(path, "--out", tmp_path / "out", "--people", tmp_path / "people.csv", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    assert "nobody's, so not graded: 'gridworld/gridworld.ipynb'" in done.stderr
    assert "ada" in done.stdout
