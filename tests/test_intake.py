"""What classes hand in: downloads of Canvas, Moodle and Gradescope, folders, and hostile zips."""

import copy
import io
import json
import os
import stat
import struct
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder import grading, intake, master
from autograder.intake import IntakeError, choice, files, layouts, people, students
from autograder.intake.handed import Owner, is_notebook
from tests.notebooks import STUB, as_bytes, code, submission

NOTEBOOK = as_bytes(submission())
OTHER = as_bytes(submission(double="def double(x):\n    return x + x"))
FOREIGN = as_bytes(submission() | {"cells": [code("print('another course')")]})
EARLY, LATER = (2026, 3, 1, 10, 0, 0), (2026, 3, 2, 9, 30, 0)

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")  # of zipfile, when it writes one
fuzzed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def masters(monkeypatch):
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")


def member(name, date=EARLY, **fields):
    info = zipfile.ZipInfo(name, date)
    info.compress_type = zipfile.ZIP_DEFLATED
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def zipped(folder, members, name="class.zip"):
    """A zip of (name or ZipInfo, content) pairs."""
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for item, content in members:
            archive.writestr(member(item) if isinstance(item, str) else item, content)
    return path


def unpacked(folder, members):
    for name, content in members:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def collected(path):
    """The class by student; a student is listed once, and the list is sorted."""
    found = intake.collect(path, "pair")
    names = [item.student for item in found]
    assert names == sorted(set(names))
    return {item.student: item for item in found}


def one(path):
    (found,) = intake.collect(path, "pair")
    return found


both = pytest.mark.parametrize("pack", [zipped, unpacked])


# Canvas


@both
def test_canvas(tmp_path, pack):
    members = [
        ("lovelaceada_4711_90001_pair.ipynb", NOTEBOOK),
        ("nuñezjosé_LATE_4712_90002_Copy of pair.ipynb", OTHER),
        ("poecy_4713_90003_essay_2_3.pdf", b"%PDF"),
        ("roedee_4714_text.html", b"<p>done</p>"),
    ]
    found = collected(pack(tmp_path, members))
    assert {name: (item.content, item.person.number) for name, item in found.items()} == {
        "lovelaceada_4711": (NOTEBOOK, "4711"),
        "nuñezjosé_4712": (OTHER, "4712"),
        "poecy_4713": (b"", "4713"),
        "roedee_4714": (b"", "4714"),
    }
    assert found["lovelaceada_4711"].faults == ()
    assert found["nuñezjosé_4712"].faults == (
        "file 'Copy of pair.ipynb' was taken for 'pair.ipynb'",
        "'Copy of pair.ipynb' was handed in late",
    )
    assert found["poecy_4713"].problem == "No notebook (.ipynb) was handed in, but: essay_2_3.pdf."


def test_canvas_anonymous_and_resubmitted(tmp_path):
    members = [
        ("anon_Ab3dE_10_pair.ipynb", FOREIGN),
        ("anon_Ab3dE_12_pair-2.ipynb", NOTEBOOK),
        ("anon_Ab3dE_11_pair-10.ipynb", OTHER),
        ("LATE_anon_zZ9yX_14_pair-1.ipynb", NOTEBOOK),
    ]
    found = collected(zipped(tmp_path, members))
    assert found["anon_Ab3dE"].content == OTHER
    assert found["anon_Ab3dE"].faults == ("3 attempts were handed in: the newest, 'pair-10.ipynb', counts",)
    assert found["anon_zZ9yX"].faults == ("'pair-1.ipynb' was handed in late",)
    assert [item.person.number for item in found.values()] == ["Ab3dE", "zZ9yX"]


def test_the_newer_attachment_of_canvas_has_the_greater_number(tmp_path):
    members = [("bo_1_999_x.ipynb", NOTEBOOK), ("bo_1_1000_a.ipynb", OTHER), ("cy_2_998_x.ipynb", NOTEBOOK)]
    assert collected(zipped(tmp_path, members))["bo_1"].content == OTHER


def test_a_newer_file_of_another_course_is_no_new_attempt(tmp_path):
    members = [("bo_1_10_pair.ipynb", NOTEBOOK), ("bo_1_11_pair-1.ipynb", FOREIGN)]
    assert one(zipped(tmp_path, members)).content == NOTEBOOK


def test_files_that_only_look_like_canvas_are_told_apart_by_their_names(tmp_path):
    members = [("lab_2026_11_ada.ipynb", NOTEBOOK), ("lab_2026_11_ben.ipynb", OTHER)]
    assert list(collected(zipped(tmp_path, members))) == ["lab_2026_11_ada", "lab_2026_11_ben"]


# Moodle


@both
@pytest.mark.parametrize(
    "pattern",
    [
        "{}_{}_assignsubmission_file/{}",
        "{}_{}_assignsubmission_file_/{}",
        "{}_{}_assignsubmission_file_{}",
        "class/{}_{}_assignsubmission_file_/{}",
    ],
)
def test_moodle(tmp_path, pack, pattern):
    people = [("Ada Lovelace", 92), ("Jean-Luc O'Néill", 13), ("Li Wei", 14), ("Li Wei", 15)]
    members = [(pattern.format(*person, "pair.ipynb"), NOTEBOOK) for person in people]
    found = collected(pack(tmp_path, members))
    assert {name: item.person.number for name, item in found.items()} == {
        "Ada Lovelace_92": "92",
        "Jean-Luc O'Néill_13": "13",
        "Li Wei_14": "14",
        "Li Wei_15": "15",
    }
    assert all(item.content == NOTEBOOK and not item.faults for item in found.values())


def test_a_moodle_student_with_a_typed_text_and_a_file_has_one_row(tmp_path):
    members = [
        ("Participant_7_assignsubmission_onlinetext/onlinetext.html", b"<p>see file</p>"),
        ("Participant_7_assignsubmission_file/solution_final.ipynb", NOTEBOOK),
        ("Participant_8_assignsubmission_onlinetext/onlinetext.html", b"<p>sorry</p>"),
    ]
    found = collected(zipped(tmp_path, members))
    assert found["Participant_7"].faults == ("file 'solution_final.ipynb' was taken for 'pair.ipynb'",)
    assert "onlinetext.html" in found["Participant_8"].problem


# Gradescope

METADATA = b"""
submission_301:
  :submitters:
  - :name: Ada Lovelace
    :sid: '111'
    :email: ada@uni.example
  - :name: Ben Roe
    :sid: '222'
  :created_at: 2026-03-01 17:34:00.861687000 Z
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    output: |-
      Score: 2
submission_302:
  :submitters:
  - :email: cy@uni.example
  :created_at: 2026-03-01 18:00:00.000000000 Z
submission_303:
  :submitters:
  - :name: Ben Roe
    :sid: '222'
  :created_at: 2026-03-02 08:00:00.000000000 Z
submission_304:
  :submitters:
  - :name: Dee Poe
    :sid: '444'
"""


@both
@pytest.mark.parametrize("root", ["assignment_9_export/", ""])
def test_gradescope(tmp_path, pack, root):
    members = [
        (f"{root}submission_metadata.yml", METADATA),
        (f"{root}submission_301/pair.ipynb", NOTEBOOK),
        (f"{root}submission_302/attempt/pair.ipynb", NOTEBOOK),
        (f"{root}submission_303/pair.ipynb", OTHER),
        (f"{root}submission_305/pair.ipynb", NOTEBOOK),
    ]
    found = collected(pack(tmp_path, members))
    assert {name: item.content for name, item in found.items()} == {
        "Ada Lovelace_111": NOTEBOOK,
        "Ben Roe_222": OTHER,
        "Dee Poe_444": b"",
        "cy@uni.example": NOTEBOOK,
        "submission_305": NOTEBOOK,
    }
    assert (found["Ada Lovelace_111"].person.number, found["Ben Roe_222"].person.number) == ("301", "303")
    assert found["Ada Lovelace_111"].faults == ("handed in together with Ben Roe",)
    assert found["Ben Roe_222"].faults == (
        "2 attempts were handed in: the newest that can be read, 'submission_303', counts",
    )
    assert found["Dee Poe_444"].problem == "The download holds no 'submission_304'."


def test_a_name_that_is_no_text_is_kept_as_text(tmp_path):
    text = rb"""submission_301: {":submitters": [{":name": "A\ud800da", ":sid": "1"}]}"""
    members = [("submission_metadata.yml", text), ("submission_301/pair.ipynb", NOTEBOOK)]
    found = one(zipped(tmp_path, members))
    people.write_people(tmp_path / "people.json", {found.student: found.person})
    assert people.read_people(tmp_path / "people.json")[found.student].name == "A?da"


def test_gradescope_says_itself_when_a_submission_was_made(tmp_path):
    members = [("submission_metadata.yml", METADATA), ("submission_303/pair.ipynb", OTHER)]
    members += [(member("submission_301/pair.ipynb", LATER), NOTEBOOK)]
    assert collected(zipped(tmp_path, members))["Ben Roe_222"].content == OTHER


def test_metadata_in_a_students_own_folder_names_nobody(tmp_path):
    members = [("ada/submission_metadata.yml", b"pair.ipynb:\n  :submitters:\n  - :name: Ben\n")]
    members += [("ada/pair.ipynb", NOTEBOOK), ("ben/pair.ipynb", OTHER)]
    found = collected(zipped(tmp_path, members))
    assert {name: item.content for name, item in found.items()} == {"ada": NOTEBOOK, "ben": OTHER}


@pytest.mark.parametrize(
    "text",
    [b"[" * 500, b"{a: " * 9_000, b"\x00", b"- 1", b"a: *b", b"? [1]\n: 2", b"#" * (8 * 2**20 + 1)],
)
def test_metadata_that_cannot_be_read_costs_only_the_names(tmp_path, text):
    members = [("submission_metadata.yml", text), ("submission_1/pair.ipynb", NOTEBOOK)]
    found = one(zipped(tmp_path, members))
    assert (found.student, found.content, found.person.number) == ("submission_1", NOTEBOOK, "1")
    assert "submission_metadata.yml could not be read" in found.faults[0]


yaml_like = st.recursive(
    st.none() | st.text(max_size=5) | st.sampled_from([":name", ":submitters", ":sid", "submission_1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([":name", ":submitters", ":sid", "submission_1", "x"]), inner, max_size=3
        )
    ),
)


@fuzzed
@given(st.binary(max_size=80) | yaml_like.map(lambda value: json.dumps(value).encode()))
@example(b"!!timestamp x: !!bool y")
@example(b"submission_1: {':submitters': [[], {':name': [1]}, 3]}")
def test_no_metadata_stops_the_class(tmp_path, text):
    members = [("submission_metadata.yml", text), ("submission_1/pair.ipynb", NOTEBOOK)]
    assert any(item.content == NOTEBOOK for item in intake.collect(zipped(tmp_path, members), "pair"))


# Folders kept by hand


def test_a_zip_may_hold_the_folder_of_the_class(tmp_path):
    loose = [("class/ada.ipynb", NOTEBOOK), ("class/ben.ipynb", OTHER), ("class/points.csv", b"")]
    assert list(collected(zipped(tmp_path, loose))) == ["ada", "ben"]
    deep = [("class/ada/x.ipynb", NOTEBOOK), ("class/ben/y.ipynb", OTHER)]
    assert list(collected(zipped(tmp_path, deep))) == ["ada", "ben"]
    person = [("ada/pair.ipynb", NOTEBOOK), ("ada/notes.ipynb", FOREIGN)]
    assert list(collected(zipped(tmp_path, person))) == ["ada"]


def test_a_folder_and_a_file_of_one_student_are_two_attempts(tmp_path):
    unpacked(tmp_path, [("ada/pair.ipynb", NOTEBOOK), ("ada.ipynb", OTHER)])
    for newer, content in (("ada.ipynb", OTHER), ("ada/pair.ipynb", NOTEBOOK)):
        os.utime(tmp_path / "ada.ipynb", (1e9, 1e9))
        os.utime(tmp_path / "ada/pair.ipynb", (1e9, 1e9))
        os.utime(tmp_path / newer, (2e9, 2e9))
        found = one(tmp_path)
        assert found.content == content
        label = newer.partition("/")[0]
        assert found.faults == (f"2 attempts were handed in: the newest that can be read, '{label}', counts",)


def test_in_a_zip_the_members_date_tells_the_newest_attempt(tmp_path):
    members = [(member("ada/pair.ipynb", LATER), OTHER), (member("ada.ipynb", EARLY), NOTEBOOK)]
    assert one(zipped(tmp_path, members)).content == OTHER


def test_an_empty_folder_does_not_hide_the_file_of_the_same_name(tmp_path):
    unpacked(tmp_path, [("ada.ipynb", NOTEBOOK)])
    (tmp_path / "ada").mkdir()
    assert one(tmp_path).content == NOTEBOOK


def test_system_droppings_are_nobodys(tmp_path):
    members = [
        ("__MACOSX/ada/._pair.ipynb", b"\0"),
        (".DS_Store", b"\0"),
        ("ada/.ipynb_checkpoints/pair-checkpoint.ipynb", OTHER),
        ("ada/._pair.ipynb", b"\0"),
        ("ada/Thumbs.db", b"\0"),
        ("ada/pair.ipynb", NOTEBOOK),
        ("desktop.ini", b""),
        ("ben/", b""),
        (".git/config", b""),
    ]
    found = collected(zipped(tmp_path, members))
    assert found["ada"].content == NOTEBOOK
    assert found["ada"].faults == ()
    assert found["ben"].problem == "The folder holds no notebook (.ipynb)."
    assert len(found) == 2


def test_what_looks_like_a_hand_in_has_a_row(tmp_path):
    names = [
        "ada.zip",
        "ben.py",
        "cy.pdf",
        "dee.IPYNB",
        "ed.ipynb.txt",
        "fay/essay.docx",
        "gus/pair",
        "notes.txt",
    ]
    found = collected(unpacked(tmp_path, [(name, NOTEBOOK) for name in names]))
    assert {name: bool(item.content) for name, item in found.items()} == {
        "ada": False,
        "ben": False,
        "cy": False,
        "dee": True,
        "ed": True,
        "fay": False,
        "gus": True,
    }
    assert "Hand in the notebook itself" in found["ada"].problem


# Which of several notebooks


@pytest.mark.parametrize("name", ["Copy of pair.ipynb", "pair (1).ipynb", "solution_final.ipynb", "a.json"])
def test_a_notebook_is_recognised_by_its_content(tmp_path, name):
    members = [(f"ada/{name}", NOTEBOOK), ("ada/pairs.txt", b"{}")]
    if name.endswith(".ipynb"):
        members += [("ada/pair.ipynb", FOREIGN)]
    assert one(zipped(tmp_path, members)).content == NOTEBOOK


def test_then_the_name_counts_and_then_the_date(tmp_path):
    names = [(member("ada/pair.ipynb", EARLY), NOTEBOOK), (member("ada/x.ipynb", LATER), OTHER)]
    found = one(zipped(tmp_path, names))
    assert found.content == NOTEBOOK
    assert found.faults == ("2 notebooks were handed in: 'pair.ipynb' was graded",)
    dates = [(member("ada/y.ipynb", EARLY), NOTEBOOK), (member("ada/x.ipynb", LATER), OTHER)]
    found = collected(zipped(tmp_path, [*dates, ("ben.ipynb", NOTEBOOK)]))
    assert found["ada"].content == OTHER


def test_the_untouched_notebook_does_not_win_by_its_name(tmp_path):
    blank = as_bytes(submission(double=f"def double(x):\n    {STUB}"))
    members = [("ada/pair.ipynb", blank), ("ada/pair (1).ipynb", NOTEBOOK)]
    assert one(zipped(tmp_path, members)).content == NOTEBOOK


def test_pasted_code_without_metadata_is_recognised(tmp_path):
    pasted = copy.deepcopy(submission())
    for cell in pasted["cells"]:
        cell["metadata"] = {}
    members = [("ada/mine.ipynb", as_bytes(pasted)), ("ada/pair.ipynb", FOREIGN)]
    assert one(zipped(tmp_path, members)).content == as_bytes(pasted)


# Refusals


def with_flag(flag):
    """A stored member with `flag` set in both headers, which `zipfile` does not write."""

    def change(data):
        data[6:8] = struct.pack("<H", flag)
        place = data.rindex(b"PK\x01\x02")
        data[place + 8 : place + 10] = struct.pack("<H", flag)

    return change


def flipped(data):
    data[60] ^= 0xFF


LINK = member("bo/pair.ipynb", external_attr=(stat.S_IFLNK | 0o777) << 16)
PIPE = member("bo/pair.ipynb", external_attr=(stat.S_IFIFO | 0o644) << 16)
LZMA = member("bo/pair.ipynb", compress_type=zipfile.ZIP_LZMA)


@pytest.mark.parametrize(
    ("members", "change", "reason"),
    [
        ([(LINK, b"/etc/passwd")], None, "is a link"),
        ([(PIPE, b"")], None, "is not a plain file"),
        ([(LZMA, NOTEBOOK)], None, "method other than"),
        ([("bo/pair.ipynb", bytes(8 * 2**20))], None, "zip bomb"),
        ([("bo/pair.ipynb", NOTEBOOK)] * 2, None, "more than once"),
        ([("bo/../../pair.ipynb", NOTEBOOK)], None, "leads out of it"),
        ([("bo\\..\\pair.ipynb", NOTEBOOK)], None, "leads out of it"),
        ([("/bo/pair.ipynb", NOTEBOOK)], None, "absolute path"),
        ([("bo/work.zip", NOTEBOOK)], None, "which is not opened: work.zip"),
        ([("bo/pair.ipynb", NOTEBOOK)], with_flag(1), "is encrypted"),
        ([("bo/pair.ipynb", NOTEBOOK)], flipped, "is damaged"),
    ],
)
def test_what_is_refused_has_its_reason_in_its_own_row(tmp_path, members, change, reason):
    path = zipped(tmp_path, [*members, ("ada/pair.ipynb", NOTEBOOK)])
    if change:
        path = zipped(tmp_path, members)
        data = bytearray(path.read_bytes())
        change(data)
        path.write_bytes(data)
    found = collected(path)
    assert reason in found["bo"].problem
    assert not found["bo"].content
    assert change or found["ada"].content == NOTEBOOK


@pytest.mark.parametrize("name", ["../../evil.ipynb", "C:\\evil.ipynb", "..\\evil.ipynb"])
def test_a_path_out_of_the_zip_has_a_row_and_no_bytes(tmp_path, name):
    (refused,) = [item for item in intake.collect(zipped(tmp_path, [(name, NOTEBOOK)]), "pair")]
    assert refused.problem
    assert refused.student == "evil"


def test_a_refused_file_does_not_cost_the_good_one(tmp_path):
    found = one(zipped(tmp_path, [("ada/pair.ipynb", NOTEBOOK), ("ada/../x.ipynb", OTHER)]))
    assert found.content == NOTEBOOK
    assert found.faults == ("not read: 'x.ipynb' has a path in the zip that leads out of it.",)


def test_a_null_in_a_name_is_refused(tmp_path):
    path = zipped(tmp_path, [("ada.ipynb~.txt", NOTEBOOK)])
    path.write_bytes(path.read_bytes().replace(b"ada.ipynb~.txt", b"ada.ipynb\0.txt"))
    found = one(path)
    assert "NUL" in found.problem
    assert found.student.startswith("ada")


def test_a_member_that_lies_about_its_size_gives_no_more_than_it_says(tmp_path):
    path = zipped(tmp_path, [("ada.ipynb", NOTEBOOK * 50)])
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<I", len(NOTEBOOK) * 50), struct.pack("<I", 1000)))
    assert "damaged" in one(path).problem


def test_sizes_and_numbers_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 2**20)
    big = zipped(tmp_path, [("ada.ipynb", os.urandom(2**20 + 1)), ("ben.ipynb", NOTEBOOK)])
    assert "larger than 1 MiB" in collected(big)["ada"].problem
    assert "larger than 1 MiB" in one(unpacked(tmp_path / "f", [("a.ipynb", bytes(2**20 + 1))])).problem
    monkeypatch.setattr(choice, "_MAX_FILES", 3)
    many = [(f"ada/{number}.txt", b"") for number in range(4)] + [("ben.ipynb", NOTEBOOK)]
    found = collected(zipped(tmp_path, many))
    assert found["ada"].problem == "More than 3 files were handed in."
    assert found["ben"].content == NOTEBOOK
    monkeypatch.setattr(choice, "_MAX_BYTES", len(NOTEBOOK) + 10)
    two = [("ada/pair.ipynb", NOTEBOOK), ("ada/x.ipynb", NOTEBOOK)]
    assert "too much" in one(zipped(tmp_path, two)).faults[-1]


def test_links_and_pipes_in_a_folder_are_not_followed(tmp_path):
    folder = unpacked(tmp_path / "class", [("ada/data.csv", b"")])
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(NOTEBOOK)
    (folder / "ada" / "pair.ipynb").symlink_to(secret)
    (folder / "ben.ipynb").symlink_to(secret)
    (folder / "cy").symlink_to(tmp_path)
    (folder / "dee").mkdir()
    os.mkfifo(folder / "dee" / "pair.ipynb")
    found = collected(folder)
    assert [bool(item.content) for item in found.values()] == [False] * 4
    assert all("link" in found[name].problem for name in ("ada", "ben", "cy"))
    assert "not a plain file" in found["dee"].problem


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + bytes(17), b"no zip at all"])
def test_only_a_zip_that_cannot_be_read_at_all_is_an_error(tmp_path, content):
    path = tmp_path / "class.zip"
    path.write_bytes(content)
    with pytest.raises(IntakeError, match="cannot be read as a zip"):
        intake.collect(path, "pair")


def test_nobody_is_an_error_that_says_what_is_expected(tmp_path):
    with pytest.raises(IntakeError, match="nobody to grade"):
        intake.collect(zipped(tmp_path, [("notes.txt", b"")]), "pair")
    with pytest.raises(IntakeError, match="neither a folder nor a notebook nor a zip"):
        intake.collect(tmp_path / "absent", "pair")


# Names


def safe(name):
    return (
        name not in ("", ".", "..")
        and len(name.encode()) <= 128
        and not set(name) & set('/\\:*?"<>|')
        and not any(unicodedata.category(character)[0] == "C" for character in name)
        and name == name.strip(" .-")
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Zoë\t\nNg ", "Zoë Ng"),
        ("Zoe\u0308", "Zoë"),
        ("a/b\\c", "a_b_c"),
        ("\u202egnp.exe\x00", "gnp.exe"),
        ("-rf ..", "rf"),
        ("\x00\x01", "unnamed"),
        ("CON", "_CON"),
        ("李" * 200, "李" * 30),
    ],
)
def test_names_become_safe_and_stay_readable(name, expected):
    assert students.clean(name) == expected


def normal(name):
    return unicodedata.normalize("NFC", name)


owners = st.lists(
    st.builds(
        lambda name, number: Owner(("lms", number) if number else ("name", name), name, tag=number),
        st.text(max_size=6).map(normal)
        | st.sampled_from(["ada", "Ada", "ADA ", "a/b", "a_b", "\x00", "x" * 300]),
        st.sampled_from(["", "7", "8"]),
    ),
    max_size=12,
)


@fuzzed
@given(owners)
@example(
    [Owner(("name", name), name) for name in ("a/b", "a_b", "a:b", "a_b ", "Jr.", "Jr", "x" * 99, "x" * 98)]
)
def test_ids_are_safe_and_tell_people_apart(people):
    people = {owner.key: owner for owner in people}.values()
    ids = {owner.key: students.student_id(owner) for owner in people}
    assert all(map(safe, ids.values()))
    assert len(set(ids.values())) == len(ids)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("Li Wei_14_assignsubmission_file/pair.ipynb", "Li Wei_15_assignsubmission_file/pair.ipynb"),
        ("liwei_14_901_pair.ipynb", "liwei_15_902_pair.ipynb"),
        ("ada/pair.ipynb", "Ada/pair.ipynb"),
        ("Ada/pair.ipynb", "ada/pair.ipynb"),
        ("a_b/pair.ipynb", "a*b/pair.ipynb"),
        ("a*b/pair.ipynb", "a_b/pair.ipynb"),
    ],
)
def test_an_id_stays_when_somebody_alike_hands_in(tmp_path, first, later):
    alone = one(zipped(tmp_path, [(first, NOTEBOOK)])).student
    found = collected(zipped(tmp_path, [(first, NOTEBOOK), (later, OTHER)]))
    assert len(found) == 2
    assert found[alone].content == NOTEBOOK


def test_names_that_differ_only_in_case_are_named(tmp_path):
    submissions = intake.collect(
        zipped(tmp_path, [("ada/pair.ipynb", NOTEBOOK), ("Ada/pair.ipynb", OTHER)]), "pair"
    )
    assert submissions.notes == ("differ only in case, so perhaps one student: Ada, ada",)


def test_a_long_name_keeps_the_number_by_which_canvas_knows_the_student(tmp_path):
    members = [(f"{'ö' * 90}_4711_9_pair.ipynb", NOTEBOOK), (f"{'ö' * 90}_4712_8_pair.ipynb", OTHER)]
    assert [name[-6:] for name in collected(zipped(tmp_path, members))] == ["ö_4711", "ö_4712"]


def test_names_in_utf8_are_read_also_without_the_flag_that_says_so(tmp_path):
    path = zipped(tmp_path, [("Zoë Ng_3_assignsubmission_file/pair.ipynb", NOTEBOOK)])
    data = bytearray(path.read_bytes())
    with_flag(0)(data)
    path.write_bytes(data)
    assert one(path).student == "Zoë Ng_3"


# A whole class


def test_submissions_are_read_when_their_turn_comes_and_one_that_has_gone_costs_only_its_row(tmp_path):
    names = ["ada.ipynb", "ben.ipynb", "cy.ipynb"]
    submissions = intake.collect(unpacked(tmp_path, [(name, NOTEBOOK) for name in names]), "pair")
    assert len(submissions) == 3
    found = iter(submissions)
    assert next(found).content == NOTEBOOK
    (tmp_path / "ben.ipynb").unlink()
    (tmp_path / "cy.ipynb").write_bytes(OTHER)
    assert "cannot be read" in next(found).problem
    assert next(found).content == OTHER


def test_a_download_is_graded_with_a_row_for_everybody(tmp_path):
    members = [
        ("lovelaceada_4711_90001_pair.ipynb", NOTEBOOK),
        ("poecy_LATE_4713_90003_pair.ipynb", NOTEBOOK),
        ("roedee_4714_90004_essay.pdf", b"%PDF"),
        (member("../evil_4715_90005_pair.ipynb"), NOTEBOOK),
    ]
    grades = grading.grade_class("pair", zipped(tmp_path, members), out=tmp_path / "out", jobs=1)
    assert [row.student for row in grades.submissions if row.late] == ["poecy_4713"]
    everybody = people.read_people(tmp_path / "out" / "pair" / "people.json")
    assert {name: (person.lms, person.number) for name, person in everybody.items()} == {
        "evil_4715": ("canvas", "4715"),
        "lovelaceada_4711": ("canvas", "4711"),
        "poecy_4713": ("canvas", "4713"),
        "roedee_4714": ("canvas", "4714"),
    }
    assert everybody["poecy_4713"].upload == people.Upload("canvas", "poecy_LATE_4713_90003_")
    rows = {row.student: (row.status, row.score, row.faults) for row in grades.submissions}
    assert rows == {
        "evil_4715": (
            "unreadable",
            0,
            ("'evil_4715_90005_pair.ipynb' has a path in the zip that leads out of it.",),
        ),
        "lovelaceada_4711": ("graded", 5, ()),
        "poecy_4713": ("graded", 5, ("'pair.ipynb' was handed in late",)),
        "roedee_4714": ("unreadable", 0, ("No notebook (.ipynb) was handed in, but: essay.pdf.",)),
    }


# Any bytes, any names


@pytest.fixture
def nothing_is_written(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a zip was unpacked")

    for name in ("extract", "extractall", "_extract_member"):
        monkeypatch.setattr(zipfile.ZipFile, name, refuse)


names = st.text(max_size=30) | st.lists(
    st.sampled_from(
        [
            "..",
            "/",
            "\\",
            "C:",
            "ada",
            "_",
            "12",
            "LATE",
            "anon_",
            "-1",
            ".ipynb",
            "assignsubmission_file_",
            "\0",
        ]
    ),
    max_size=8,
).map("".join)


@fuzzed
@given(st.lists(names, max_size=6))
@example(["../../../evil.ipynb", "/evil.ipynb", "a/../../evil.ipynb"])
def test_no_name_in_a_zip_escapes_or_stops_the_class(tmp_path, nothing_is_written, members):
    before = sorted(tmp_path.parent.iterdir())
    path = zipped(tmp_path, [(name, NOTEBOOK) for name in dict.fromkeys([*members, "zoe.ipynb"])])
    try:
        found = list(intake.collect(path, "pair"))
    except IntakeError:
        return
    assert all(safe(item.student) for item in found)
    assert any(item.content == NOTEBOOK for item in found)
    with files.opened(path) as entries:
        assert not any(set(entry.parts) & {"", ".", ".."} or "/" in "".join(entry.parts) for entry in entries)
        claims = layouts.assigned(entries, "pair")
        owned = {handed.entry.parts for handed in claims.handed}
        lost = {entry.parts for entry in entries if is_notebook(entry.parts[-1])} - owned
        assert not lost or any("not graded" in note for note in claims.notes)
    assert sorted(tmp_path.parent.iterdir()) == before
    assert list(tmp_path.iterdir()) == [path]


def _sample():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada_1_2_pair.ipynb", NOTEBOOK[:400])
        archive.writestr("ben/pair.ipynb", b"{}")
    return buffer.getvalue()


SAMPLE = _sample()
edits = st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=6)


def changed(changes):
    data = bytearray(SAMPLE)
    for place, value in changes:
        data[place] = value
    return bytes(data)


@settings(fuzzed, max_examples=200)
@given(
    st.binary(max_size=200) | edits.map(changed) | st.integers(0, len(SAMPLE)).map(lambda end: SAMPLE[:end])
)
def test_no_bytes_as_a_zip_raise_anything_but_intake_error(tmp_path, content):
    path = tmp_path / "class.zip"
    path.write_bytes(content)
    try:
        found = list(intake.collect(path, "pair"))
    except IntakeError:
        return
    assert found
    assert all(safe(item.student) and (item.problem or item.content) for item in found)
