"""The class as a table: what the command line prints."""

import dataclasses
import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from autograder.gradebook import Mark
from autograder.results.table import class_table, printable
from autograder.verdicts import Grades, QuestionVerdict, SubmissionVerdict, WrittenAnswer, write_grades
from tests.written import judged, write_results


def lines(results, width=120, encoding="utf-8"):
    """What is printed in a terminal of this width."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, width=width)
    console.print(class_table(results, console))
    file.seek(0)
    return file.read().splitlines()


def rows(printed):
    return {line.split()[0]: " ".join(line.split()) for line in printed if line.strip()}


def printed(students, tmp_path):
    return rows(lines(write_results(tmp_path, students)))


def test_remarks_say_what_is_to_be_known(tmp_path):
    rows = printed(
        [
            judged("ada", (3, 2)),
            judged("ben", late=True, review="double", notices=("late", "2 attempts"), faults=("a", "b")),
            judged("cy", faults=("a",)),
            judged("dora", (0, 0), status="unreadable", faults=("The file is empty.",), late=True),
        ],
        tmp_path,
    )
    assert rows["ada"] == "ada 3 2 5"
    assert rows["ben"] == "ben 1.5 2? 3.5 late, 1 to look at, 2 repairs"
    assert rows["cy"] == "cy 1.5 2 3.5 1 repair"
    assert rows["dora"] == "dora - - - unreadable, late"


def test_a_students_brackets_are_text(tmp_path):
    assert printed([judged("[red]ada[/]")], tmp_path)["[red]ada[/]"].endswith("1.5 2 3.5")


def test_what_a_person_gave_stands_beside_what_the_tests_gave(tmp_path):
    ada = judged("ada")
    words = (WrittenAnswer(name="why", max_points=2, digest="0"),)
    ada = ada.model_copy(update={"verdict": ada.verdict.model_copy(update={"written": words})})
    results = write_results(tmp_path, [ada, judged("ben")])
    assert rows(lines(results))["ada"] == "ada 1.5 2 3.5"  # no word about words before anybody read them
    marks = {
        "ada": {"running_sum": Mark(3, score=3.0), "why": Mark(2, score=1.5)},
        "ben": {"double": Mark(2, extra_credit=0.5)},
    }
    shown = lines(dataclasses.replace(results, marks=marks))
    assert rows(shown)["ada"] == "ada 3 (1.5) 2 1.5 6.5"
    assert rows(shown)["ben"] == "ben 1.5 2.5 (2) missing 4"
    assert shown[-1] == "In brackets: the points by the tests, where a person gave others."


NAMES = (
    "ada",
    "397001-2550001 - Ada-Maria Example-Lovelace - Sep 24, 2024",
    "x" * 90 + "_4711",
    "王小明" * 20,
)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 300])
def test_points_are_whole_whatever_the_names_and_the_width(tmp_path, width):
    students = [judged(name, (1.25, 0.75), faults=("a", "b"), late=True) for name in NAMES]
    shown = lines(write_results(tmp_path, students), width)
    assert all(cell_len(line) <= width for line in shown)
    assert sum("1.25" in line for line in shown) == sum("0.75" in line for line in shown) == len(NAMES)
    assert sum(line.split()[-1:] == ["2"] or " 2 " in line for line in shown) >= len(NAMES)
    assert any(line.startswith(" ada ") for line in shown)
    if width <= 80:
        assert any("…" in line and "Ada-" in line or "397001" in line for line in shown)
        assert any("_4711" in line for line in shown)  # what tells namesakes apart


def test_many_questions_are_spread_over_several_tables(tmp_path):
    results = write_results(tmp_path, [])
    questions = tuple(
        QuestionVerdict(
            name=f"a_very_long_name_of_question_{number}", points=10.25, max_points=100, status="partial"
        )
        for number in range(30)
    )
    row = SubmissionVerdict(student="ada", score=307.5, status="graded", questions=questions)
    grades = Grades(assignment="pair", max_score=3000, sandbox="bwrap", submissions=(row,))
    write_grades(tmp_path / "pair" / "grades.json", grades)
    results = dataclasses.replace(results, grades=grades)
    shown = lines(results, 80)
    assert all(len(line) <= 80 for line in shown)
    assert "\n".join(shown).count("10.25") == 30
    assert "\n".join(shown).count("307.5") == 1
    assert sum(line.startswith(" ada ") for line in shown) == sum("student" in line for line in shown) > 2


@pytest.mark.parametrize("encoding", ["iso-8859-1", "ascii", "utf-8"])
def test_names_that_cannot_be_printed_are_escaped(tmp_path, encoding):
    results = write_results(tmp_path, [judged("王小明"), judged("Müller")])
    shown = "\n".join(lines(results, 80, encoding))  # a strict stream: it raises on what it cannot encode
    assert ("王小明" if encoding == "utf-8" else r"\u738b\u5c0f\u660e") in shown
    assert (r"M\xfcller" if encoding == "ascii" else "Müller") in shown
    assert printable("王", None) == printable("王", "no such encoding") == r"\u738b"
