"""Feedback pages: what a student sees, and that nothing a student wrote can act in them."""

import dataclasses
import os
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from autograder import grading, master
from autograder.gradebook import Mark
from autograder.intake import Person
from autograder.intake.people import Upload, write_people
from autograder.results import MissingResults, Results, feedback
from autograder.results.export import write_export
from autograder.verdicts import WrittenAnswer
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


def with_marks(results, **marks):
    return dataclasses.replace(results, marks={"ada": marks})


@pytest.mark.parametrize(
    ("mark", "shown", "folded"),
    [
        (Mark(3), True, False),
        (Mark(3, score=3.0), False, False),  # nothing is wrong any more
        (Mark(3, score=2.0), False, True),
        (Mark(3, score=1.5), False, True),  # a person looked, and agrees
    ],
)
def test_what_a_person_overruled_no_longer_counts_against_the_student(tmp_path, mark, shown, folded):
    results = write_results(tmp_path, [judged("ada", message="Not yet: a start. Is start added?")])
    results = with_marks(results, running_sum=mark)
    for path in feedback.write_feedback(results):
        before, words, after = path.read_text().partition("What the automatic check said")
        assert ("Not yet" in before, "Not yet" in after, bool(words)) == (shown, folded, folded), path
    (tmp_path / "sheet.csv").write_text(
        "Identifier,Full name,Grade,Feedback comments\nParticipant 12,ada,,\n"
    )
    sheet = write_export(results, "moodle", tmp_path / "sheet.csv").path.read_text()
    assert ("Not yet" in sheet, "the automatic check said" in sheet) == (shown or folded, folded)


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


def from_a_download(tmp_path, monkeypatch, files):
    """A class graded for real from the zip of an LMS."""
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        for name in files:
            content = b"{broken" if "broken" in name else as_bytes(submission())
            archive.writestr(name, content)
    grading.grade_class("pair", tmp_path / "submissions.zip", out=tmp_path / "out", jobs=1)
    results = Results.read("pair", tmp_path / "out")
    feedback.write_feedback(results)
    return results, {zipped.path.name: zipped for zipped in feedback.write_zips(results)}


def canvas_finds(name):
    """Who a file is for, as Canvas reads it (abstract_assignment.rb, infer_comment_context_from_filename)."""
    parts = [part for part in name.split("_") if part != "LATE"]
    if parts[0] == "anon":
        return tuple(parts[1:3])
    return tuple(part for part in parts if re.fullmatch(r"[0-9]+", part))[:2]


def moodle_finds(path):
    """Participant, plugin and file name, as Moodle reads them (assign/feedback/file/importziplib.php)."""
    for place, part in enumerate(path.split("/")):
        info = part.split("_", 4)
        if len(info) >= 4 and info[1].isdigit():
            rest = [*info[4:], *path.split("/")[place + 1 :]]
            return info[1], f"{info[2]}_{info[3]}", "/".join(filter(None, rest))
    return None


def test_canvas_knows_whose_every_page_in_its_zip_is(tmp_path, monkeypatch):
    files = [
        "lovelaceada_LATE_11_501_pair.ipynb",
        "müllerben_12_502_pair-1.ipynb",
        "müllerben_12_499_pair.ipynb",
        "anon_x7y8z_503_my_2_1_notebook.ipynb",
        "doejo_13_504_broken.ipynb",
        "doejane_14_text.html",
    ]
    results, zips = from_a_download(tmp_path, monkeypatch, files)
    zipped = zips["feedback_canvas.zip"]
    assert "Re-Upload Submissions" in zipped.advice and "feedback_moodle.zip" not in zips
    with zipfile.ZipFile(zipped.path) as archive:
        pages = {
            canvas_finds(name): Elements(archive.read(name).decode()).text for name in archive.namelist()
        }
        assert all(name.endswith("_pair_feedback.html") for name in archive.namelist())
    assert set(pages) == {("11", "501"), ("12", "502"), ("x7y8z", "503"), ("13", "504")}
    assert "5 of 5 points" in pages["12", "502"] and "could not be read" in pages["13", "504"]
    assert zipped.missing == ("doejane_14",)  # typed into Canvas: there is no upload to attach feedback to
    assert "doejane_14" in zipped.remarks()[1]
    with zipfile.ZipFile(zips["feedback.zip"].path) as archive:
        assert len(archive.namelist()) == 2 * len(results.grades.submissions) == 10


def test_moodle_knows_whose_every_page_in_its_zip_is(tmp_path, monkeypatch):
    files = [
        "Ada Lovelace_11_assignsubmission_file/pair.ipynb",
        "Ben Müller_12_assignsubmission_file_/deep/pair.ipynb",
        "Jo_van_Doe_13_assignsubmission_file_pair.ipynb",
        "Participant_14_assignsubmission_file_/pair.ipynb",
        "Zoe Zed_15_assignsubmission_onlinetext_/onlinetext.html",
    ]
    results, zips = from_a_download(tmp_path, monkeypatch, files)
    zipped = zips["feedback_moodle.zip"]
    assert "Upload multiple feedback files" in zipped.advice and zipped.missing == ()
    with zipfile.ZipFile(zipped.path) as archive:
        found = [moodle_finds(name) for name in sorted(archive.namelist())]
        page = archive.read("Ada Lovelace_11_assignsubmission_file_pair_feedback.html").decode()
    assert "5 of 5 points" in Elements(page).text
    plugins = {"15": "assignsubmission_onlinetext"}
    assert sorted(found) == [
        (number, plugins.get(number, "assignsubmission_file"), "pair_feedback.html")
        for number in ("11", "12", "13", "14", "15")
    ]


def test_equal_pages_make_equal_zips_and_a_class_from_elsewhere_has_no_old_ones(tmp_path):
    results = write_results(tmp_path, [judged("ada"), judged("ben")])
    kept = tmp_path / "pair" / "people.json"
    write_people(kept, {"ada": Person(upload=Upload("moodle", "Ada_1_assignsubmission_file_"))})
    results = Results.read("pair", tmp_path)
    paths = feedback.write_feedback(results)
    first = {zipped.path: zipped.path.read_bytes() for zipped in feedback.write_zips(results)}
    assert len(first) == 2
    for path in paths:
        os.utime(path, (0, 10**9))
    assert {zipped.path: zipped.path.read_bytes() for zipped in feedback.write_zips(results)} == first
    write_people(kept, {})
    (zipped,) = feedback.write_zips(Results.read("pair", tmp_path))
    assert zipped.path.name == "feedback.zip"
    assert not (tmp_path / "pair" / "feedback_moodle.zip").exists()
    assert not [path for path in (tmp_path / "pair").iterdir() if path.name.startswith(".feedback")]


def test_nobody_gets_the_page_of_another_and_no_name_leads_out_of_the_zip(tmp_path):
    write_results(tmp_path, [judged(name) for name in ("ada", "ben", "cy")])
    prefixes = {
        "ada": "Jo_1_assignsubmission_file_",
        "ben": "Jo_1_assignsubmission_file_",
        "cy": "../..\\x_2_",
    }
    everybody = {name: Person(upload=Upload("moodle", prefix)) for name, prefix in prefixes.items()}
    write_people(tmp_path / "pair" / "people.json", everybody)
    results = Results.read("pair", tmp_path)
    feedback.write_feedback(results)
    zipped = feedback.write_zips(results)[1]
    assert (zipped.students, zipped.missing) == (("cy",), ("ada", "ben"))
    with zipfile.ZipFile(zipped.path) as archive:
        assert archive.namelist() == [".._.._x_2_pair_feedback.html"]


def test_what_a_person_will_look_at_and_answers_in_words_are_shown(tmp_path):
    ada = judged("ada", review="double", answers={"double": "return 1", "why": HOSTILE})
    words = WrittenAnswer(name="why", max_points=2, digest="0123")
    nothing = WrittenAnswer(name="how", max_points=1, digest="")
    row = ada.verdict.model_copy(update={"written": (words, nothing)})
    results = write_results(tmp_path, [ada.model_copy(update={"verdict": row})])
    for path in feedback.write_feedback(results):
        page = path.read_text()
        text = Elements(page if path.suffix == ".html" else MarkdownIt("commonmark").render(page)).text
        assert "3.5 of 8 points" in text
        assert "right, but a person will look at this" in text
        assert "to be graded by a person" in text and "Your answer" in text and "– of 2" in text
        assert re.search(r"how:? 0 of 1, not written yet|hownot written yet0 of 1", re.sub(r"\n", "", text))
        assert "A person has yet to look at part of this notebook" in text
        assert "<script>alert(1)</script>" in text
        assert path.suffix == ".md" or "script" not in Elements(page).names


def test_the_points_of_a_person_count_for_words(tmp_path):
    ada = judged("ada", answers={"why": "Because."})
    row = ada.verdict.model_copy(update={"written": (WrittenAnswer(name="why", max_points=2, digest="0"),)})
    results = write_results(tmp_path, [ada.model_copy(update={"verdict": row})])
    mark = Mark(max_points=2, score=1.5, comment="Half of it.")
    (student,) = dataclasses.replace(results, marks={"ada": {"why": mark}}).students()
    assert (student.total, student.waiting, student.questions[-1].comment) == (5, False, "Half of it.")
