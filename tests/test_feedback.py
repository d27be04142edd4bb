"""Feedback pages: what a student sees, and that nothing a student wrote can act in them."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from autograder import feedback, grading, master
from autograder.results import MissingResults, Results
from tests.notebooks import as_bytes, submission
from tests.written import judged, write_results

HOSTILE = (
    "</code></pre><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)> "
    "```\n```\n</samp>![pixel](http://evil.example/p) [link](javascript:alert(1)) <http://evil.example>\n"
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x00 \u202egnp.exe {{ 7 * 7 }} {% raw %}"
)


class Elements(HTMLParser):
    """Names of all elements, all attributes, and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.names, self.attributes, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def graded(tmp_path, monkeypatch):
    """A class graded for real with the tests' own master."""
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    folder = tmp_path / "class"
    folder.mkdir()
    half = "def running_sum(values, start=0.0):\n    # mine\n    return np.cumsum(values)\nprint('ran <b>')"
    (folder / "ada.ipynb").write_bytes(as_bytes(submission()))
    (folder / "ben.ipynb").write_bytes(as_bytes(submission(running_sum=half)))
    (folder / "dora.ipynb").write_bytes(b"{broken")
    grading.grade_class("pair", folder, out=tmp_path / "out", jobs=1)
    return tmp_path / "out"


def test_a_graded_class_gets_pages_with_points_hints_own_code_and_output(graded):
    paths = feedback.write_feedback(Results.read("pair", graded))
    names = {path.name for path in paths}
    assert names == {f"{name}.{kind}" for name in ("ada", "ben", "dora") for kind in ("html", "md")}
    pages = {path.name: path.read_text() for path in paths}
    ben = Elements(pages["ben.html"]).text
    for text in ("4 of 5 points", "partly right", "Is start added?", "# mine", "ran <b>", "2 of 3 points"):
        assert text in ben
    assert "ran <b>" in pages["ben.md"]
    assert "There is no" not in ben
    assert "could not be read" in pages["dora.html"]
    assert "of 5 points" not in pages["dora.html"]
    hidden = ("check.", "11, 13", "rng", "BEGIN HIDDEN", "np.array([1.0, 2.0])")
    assert not [text for page in pages.values() for text in hidden if text in page]


def everywhere(text):
    """A student all of whose words are `text`."""
    return judged(text, message=text, faults=(text,), answers={"running_sum": text}, output=text)


def test_nothing_a_student_wrote_becomes_an_element_of_the_page(tmp_path):
    results = write_results(tmp_path, [everywhere(HOSTILE)])
    html_path, markdown_path = feedback.write_feedback(results)
    page = html_path.read_text()
    elements = Elements(page)
    assert "alert(1)" in elements.text and "{{ 7 * 7 }}" in elements.text
    assert not {"script", "img", "iframe", "svg", "b", "link"} & set(elements.names)
    allowed = {"charset", "class", "content", "href", "http-equiv", "id", "lang", "name", "scope", "tabindex"}
    assert {name for name, _ in elements.attributes} <= allowed
    assert all(value.startswith("#") for name, value in elements.attributes if name == "href")
    for code in ("\x1b", "\x00", "\x07", "\u202e"):
        assert code not in page and code not in markdown_path.read_text()


def test_markdown_shows_hostile_text_as_text(tmp_path):
    results = write_results(tmp_path, [everywhere(HOSTILE)])
    text = feedback.write_feedback(results)[1].read_text()
    elements = Elements(MarkdownIt("commonmark").render(text))
    assert set(elements.names) <= {"h1", "h2", "p", "ul", "li", "strong", "pre", "code"}
    assert elements.names.count("pre") == 2
    assert elements.text.count("<script>alert(1)</script>") == 5


def test_endless_output_code_and_messages_are_cut(tmp_path):
    long = "x" * 10_000_000
    answers = {"running_sum": long}
    ada = judged("ada", answers=answers, output="\n" * 10_000_000, message="y\n" * 5_000_000, faults=(long,))
    results = write_results(tmp_path, [ada])
    html_path, markdown_path = feedback.write_feedback(results)
    assert html_path.stat().st_size < 60_000
    assert markdown_path.stat().st_size < 40_000
    assert "cut here: 9,990,000 more characters" in html_path.read_text()


def test_file_names_are_safe_and_no_two_students_share_one():
    students = ["Ada", "ada", "Ada Lovelace_12", "../../etc/passwd", "a\nb", "a/b", "", "..", "名前"]
    students += ["é", "e\u0301", "x" * 300, "\udcff"]
    names = feedback.file_names(students)
    assert len({name.casefold() for name in names.values()}) == len(students)
    assert all(len(name.encode()) < 240 and name.replace("-", "").isidentifier() for name in names.values())
    assert names["Ada Lovelace_12"] == "Ada_Lovelace_12"
    assert names["名前"] == "名前"


def test_hostile_names_stay_in_the_feedback_folder(tmp_path):
    results = write_results(tmp_path / "out", [judged(name) for name in ("../../../up", "/abs", "new\nline")])
    folder = tmp_path / "out" / "pair" / "feedback"
    assert {path.parent for path in feedback.write_feedback(results)} == {folder}
    assert len(list(folder.iterdir())) == 6


def test_manual_points_and_comments_are_shown(graded):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("test_running_sum", "pair", "pair", "ben")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 2.5, 0.25, True
        comment = gradebook.find_comment("running_sum", "pair", "pair", "ben")
        comment.manual_comment = "Close <3"
        gradebook.db.commit()
    feedback.write_feedback(Results.read("pair", graded))
    page = Elements((graded / "pair" / "feedback" / "ben.html").read_text()).text
    for text in ("4.75 of 5 points", "graded by a person", "Close <3", "has yet to look"):
        assert text in page


def test_without_results_the_command_says_what_to_run(tmp_path):
    command = [sys.executable, "-m", "autograder.cli", "feedback", "pair", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "autograder grade pair PATH" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_address_without_a_gradebook_is_an_error_and_makes_no_file(tmp_path):
    write_results(tmp_path, [judged("ada")])
    missing = tmp_path / "nowhere.db"
    with pytest.raises(MissingResults, match="nowhere.db"):
        Results.read("pair", tmp_path, f"sqlite:///{missing}")
    assert not missing.exists()


def test_the_command_writes_the_pages(tmp_path):
    write_results(tmp_path, [judged("ada")])
    command = [sys.executable, "-m", "autograder.cli", "feedback", "pair", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pair" / "feedback" / "ada.md").exists()
