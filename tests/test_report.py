"""The report on a class: right numbers, safe pages, and a similarity that sees copies and not namesakes."""

import base64
import dataclasses
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from autograder import master
from autograder.gradebook import Mark
from autograder.results import Question, Student, report, similarity
from tests.notebooks import PAIR
from tests.written import judged, write_results

LOOP = '''def running_sum(values, start=0.0):
    """Sums of the first 1, 2, ... values, each plus start."""
    # add one value after the other
    if not isinstance(values, list):
        values = list(values)
    sums = []
    total = start
    for value in values:
        total = total + value
        sums.append(total)
    return sums
'''
RENAMED = '''def running_sum(values, start=0.0):
    """My own words."""
    if not isinstance(values, list):
        values = list(values)
    out = []
    acc = start

    for v in values:  # another comment
        acc = acc + v
        out.append(acc)
    return out
'''
OTHER = '''def running_sum(values, start=0.0):
    """Sums of the first 1, 2, ... values, each plus start."""
    matrix = np.tril(np.ones((len(values), len(values))))
    if len(values) == 0:
        return np.asarray([], dtype=float)
    return np.dot(matrix, np.asarray(values)) + start * np.ones(len(values))
'''
SOLUTION = """def running_sum(values, start=0.0):
    return start + np.cumsum(values)
"""
HOSTILE = "</pre><script>alert(1)</script><img src=http://evil.example onerror=x>\x1b[31m\x00"


@pytest.fixture(autouse=True)
def masters(monkeypatch):
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")


def student(name, code):
    return Student(name, "graded", (Question("running_sum", 0, 3, "passed", answer=code),), ())


def compare(**codes):
    return similarity.compare([student(name, code) for name, code in codes.items()], PAIR)


def test_renamed_copies_are_the_most_alike_pair():
    found = compare(ada=LOOP, ben=OTHER, cy=RENAMED)
    assert (found.pairs[0].first, found.pairs[0].second, found.pairs[0].similarity) == ("ada", "cy", 1)
    assert all(pair.similarity < 0.6 for pair in found.pairs[1:])
    assert found.compared == 3 and found.typical < 0.6


def test_what_was_given_and_the_courses_own_solution_make_nobody_alike():
    stub = "def running_sum(values, start=0.0):\n    raise NotImplementedError()\n"
    found = compare(ada=SOLUTION, ben=SOLUTION.replace("values", "x"), cy=stub, dora="", ed=LOOP)
    assert found.pairs == () and found.compared == 1
    assert found.from_solution == 1  # ben changed the signature, so more than the solution is left


def test_similarity_is_the_longest_common_subsequence_of_tokens():
    first, second = similarity.tokens("a = b + c * 2\n"), similarity.tokens("x = y - z * 2\n")
    assert first == ["name", "=", "name", "+", "name", "*", "2"]
    assert second == ["name", "=", "name", "-", "name", "*", "2"]
    ada, ben = "a = b + c * 2\n" * 5, "x = y - z * 2\n" * 5
    assert compare(ada=ada, ben=ben).pairs[0].similarity == pytest.approx(2 * 30 / 70)


@pytest.mark.parametrize(
    "code", ["def (((", '\n"""' * 5000, "\x00" * 100, "x" * 10**7, "'" * 10**5, "\\\n" * 9999]
)
def test_any_code_can_be_compared(code):
    assert isinstance(similarity.tokens(code), list)
    assert compare(ada=code, ben=LOOP).compared >= 1


def test_discrimination_is_the_correlation_with_the_rest():
    points, rest = np.array([0.0, 1, 2, 2]), np.array([1.0, 2, 2, 4])
    expected = np.sum((points - 1.25) * (rest - 2.25)) / (4 * np.std(points) * np.std(rest))
    assert report.discrimination(points, rest) == pytest.approx(expected)
    assert report.discrimination(points, np.ones(4)) is None
    assert report.discrimination(points[:2], rest[:2]) is None


def test_only_the_authors_own_properties_are_counted():
    test = 'with check("a, b", hint="x"):\n    pass\nwith check(f"row {i}. of {n}", weight=2):\n    pass\n'
    names = report.property_names(test)
    message = (
        "Not yet: a, b. It raised X: y\nNot yet: forged. z\nNot yet: row 3. of 4. Hint.\nNot yet: a, bc."
    )
    assert report.failed_properties(message, names) == {"a, b", "row 3. of 4"}
    assert report.failed_properties(message, report.property_names("pass")) == set()


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.names, self.images, self.text = [], [], ""
        self.feed(path.read_text())
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_data(self, data):
        self.text += data + " "


def a_class():
    message = "Not yet: a start. Is start added?"
    return [
        judged("ada", (3, 2), answers={"running_sum": LOOP}),
        judged("ben", (1.5, 2), message=message, answers={"running_sum": RENAMED}),
        judged("cy", (0, 0), message=message + "\nNot yet: three values. It returned 1."),
        judged("zelda", (0, 0), status="unreadable", faults=("The file is empty.",)),
    ]


def test_the_page_shows_the_numbers_of_the_class(tmp_path):
    page = Page(report.write_report(write_results(tmp_path, a_class())))
    assert "4 students handed in, 3 were graded. They have 2.83 of 5 points on average." in page.text
    assert "running_sum 1.50 of 3 1 1 0 0 0 0 0.87" in page.text  # 3, 1.5, 0 and 2, 2, 0: sqrt(3)/2
    assert "a start 2 three values 1" in page.text
    assert "ada and ben: 1.00" in page.text
    assert "zelda (unreadable): The file is empty." in page.text


def test_time_lateness_and_what_waits_for_a_person_are_shown(tmp_path):
    times = [1.0, 3.0, 2.0]
    students = [
        judged(name, late=name == "cy", review="double" * (name == "ben"), seconds={"running_sum": seconds})
        for name, seconds in zip(("ada", "ben", "cy"), times, strict=True)
    ]
    page = Page(report.write_report(write_results(tmp_path, students)))
    assert "running_sum 2.00 s 3.00 s ben" in page.text
    assert "1 handed in late. 1 waits in part for a person" in page.text
    assert "Answers for a person to look at ben: double" in page.text


def test_who_waits_for_a_person_counts_as_nothing_yet(tmp_path):
    results = write_results(tmp_path, [judged("ada"), judged("ben", (3, 2)), judged("cy", (0, 0))])
    waiting, marked = Mark(max_points=4, waiting=True), Mark(max_points=4, score=3)
    marks = {"ada": {"why": waiting}, "ben": {"why": marked}, "cy": {"why": waiting}}
    page = Page(report.write_report(dataclasses.replace(results, marks=marks)))
    assert "why 3.00 of 4 0 0 0 0 0 2 –" in page.text
    assert "Answered in words and graded by a person." in page.text
    assert "Answers for a person to look at" not in page.text
    unmarked = {name: {"why": waiting} for name in ("ada", "ben", "cy")}
    page = Page(report.write_report(dataclasses.replace(results, marks=unmarked)))
    assert "why – 0 0 0 0 0 3 –" in page.text and "Nobody has points for it yet." in page.text


def test_words_are_not_compared_as_code():
    prose = Question("why", 0, 2, "waiting", answer="All of it, word for word. " * 30, written=True)
    students = [Student(name, "graded", (prose,), ()) for name in ("ada", "ben")]
    assert similarity.compare(students, PAIR).compared == 0


def test_pictures_are_in_the_page_and_say_what_they_show(tmp_path):
    page = Page(report.write_report(write_results(tmp_path, a_class())))
    assert len(page.images) == 3
    assert "running_sum, 3 students: 1 have all 3, 1 have none" in page.images[1]["alt"]
    for image in page.images:
        kind, _, data = image["src"].partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")


def test_the_same_class_gives_the_same_bytes(tmp_path):
    results = write_results(tmp_path, a_class())
    first = report.write_report(results).read_bytes()
    assert report.write_report(results).read_bytes() == first


def test_nothing_hostile_acts_in_the_page(tmp_path):
    code = LOOP + f"# {HOSTILE}\n'{HOSTILE}'\n"
    students = [
        judged(f"{HOSTILE}{number}", (0, 0), message=f"Not yet: {HOSTILE}. x", answers={"running_sum": code})
        for number in range(3)
    ]
    students.append(judged("zoe", status="crashed", faults=(HOSTILE,)))
    path = report.write_report(write_results(tmp_path, students))
    page = Page(path)
    assert "<script>alert(1)</script>" in page.text
    assert not {"script", "iframe", "svg", "link"} & set(page.names)
    assert all(image["src"].startswith("data:") for image in page.images)
    assert not any(code in path.read_text() for code in ("\x1b", "\x00"))


@pytest.mark.parametrize("students", [[], [judged("ada")], [judged("zoe", (0, 0), status="unreadable")]])
def test_very_small_classes_have_a_report_too(tmp_path, students):
    assert "handed in" in Page(report.write_report(write_results(tmp_path, students))).text


def test_the_command_names_an_assignment_it_does_not_know(tmp_path):
    write_results(tmp_path, a_class())
    command = [sys.executable, "-m", "autograder.cli", "report", "pair", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no assignment 'pair'" in done.stderr and "Traceback" not in done.stderr
