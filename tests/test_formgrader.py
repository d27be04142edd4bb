"""nbgrader's formgrader in a real browser: it shows the graded notebooks, and marks typed there count."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from autograder import grading, master, release
from autograder.cli import main
from autograder.results import Results
from autograder.results.export import write_export
from autograder.results.feedback import write_feedback
from tests.notebooks import as_bytes, cell, code, submission
from tests.test_gradebook import ESSAY

CONFIG = Path(release.__file__).with_name("nbgrader_config.py")
TOKEN = "of-this-test"
SCRIPT = "<script>document.title = 'taken'</script>"
PICTURE = "<img src=x onerror=\"document.title = 'taken'\">"
LINK = "[a link](javascript:document.title='taken') and ![](/formgrader/picture.png)"
TEX = "$\\href{javascript:alert(1)}{x}$ and $a<b$"
BLOCK = "<details open ontoggle=\"document.title='taken'\">x</details>"
HOSTILE = f"Because {SCRIPT} of {PICTURE} {LINK} {TEX}\n\n{BLOCK}"
ODD = "O'Brien, Zoë [1]_LATE {x}+%41#&"


def essay(text, **answers):
    """A notebook with a written answer."""
    notebook = submission(**answers)
    prompt = {"cell_type": "markdown", "id": "prompt", "metadata": {}, "source": "Say why."}
    why = next(item for item in ESSAY.notebook.cells if item["id"] == "why")
    words = {"cell_type": "markdown", "id": "why", "metadata": {**why.metadata}, "source": text}
    place = notebook["cells"].index(cell(notebook, "test_double")) + 1
    notebook["cells"][place:place] = [prompt, words]
    return notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder with a graded class, and the address of the Jupyter server that runs in it."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(CONFIG, folder)
    (folder / "masters").mkdir()
    (folder / "masters" / "pair.py").write_text(ESSAY.source)
    source = folder / "source" / "pair" / "pair.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(release.source_notebook(ESSAY), source)
    students = folder / "class"
    students.mkdir()
    half = essay("Because it is even.", double="def double(x):\n    print('<b>bold</b>')\n    return 0")
    half["cells"].insert(2, code(f"note = {SCRIPT!r}"))
    (students / "ada.ipynb").write_bytes(as_bytes(half))
    (students / "mallory.ipynb").write_bytes(as_bytes(essay(HOSTILE)))
    (students / "nora.ipynb").write_bytes(as_bytes(essay("*Your answer here.*")))
    (students / "zed.ipynb").write_bytes(b"{broken <script>document.title = 'taken'</script>")
    (students / ODD).mkdir()
    (students / ODD / "pair.ipynb").write_bytes(as_bytes(essay("Odd.")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(master, "FOLDER", folder / "masters")
        grade(folder)
        yield folder


def grade(folder):
    return grading.grade_class("pair", folder / "class", out=folder / "grades", jobs=2)


@pytest.fixture(scope="module")
def server(course):
    """The address of formgrader, with the token that opens it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        **os.environ,
        "PATH": tools,
        "HOME": str(course),
        "JUPYTER_CONFIG_DIR": str(course / "none"),
    }
    options = [f"--port={port}", "--no-browser", "--allow-root", f"--IdentityProvider.token={TOKEN}"]
    with (course / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options],
            cwd=course,
            env=environment,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, (course / "server.log").read_text()
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def formgrader(browser, server):
    """A page of formgrader; `taken` lists what a student's content managed to do."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.taken = []
    page.on("dialog", lambda dialog: (page.taken.append(dialog.message), dialog.dismiss()))
    page.goto(f"{server}/formgrader/gradebook?token={TOKEN}")
    page.goto(f"{server}/formgrader/gradebook/pair/pair")
    page.wait_for_function("() => document.querySelectorAll('tbody tr').length > 1")
    page.get_by_text("Show All Names").click()
    yield page
    page.close()


def opened(page, student):
    page.get_by_role("link", name=student, exact=True).click()
    page.wait_for_function("() => document.querySelector('input.score')?.placeholder")
    return page


def table(page):
    """The class as it is listed: student, points, written points, and whether a person has to look."""
    found = []
    for row in page.locator("tbody tr").all():
        cells = row.locator("td")
        texts = [text.strip() for text in cells.all_inner_texts()]
        found.append((texts[1], texts[2], texts[4], cells.nth(6).locator(".glyphicon-ok").count() == 1))
    return sorted(found)


def test_everybody_is_listed_with_automatic_points_and_what_waits_for_a_person(formgrader):
    assert table(formgrader) == [
        (ODD, "5 / 7", "0 / 2", True),
        ("ada", "4 / 7", "0 / 2", True),
        ("mallory", "5 / 7", "0 / 2", True),
        ("nora", "5 / 7", "0 / 2", False),
        ("zed", "0 / 7", "0 / 2", False),
    ]


def test_the_notebook_shows_code_messages_and_the_model_answer_but_no_hidden_test(formgrader):
    page = opened(formgrader, "ada")
    text = page.inner_text("main #notebook-container")
    assert "4 of 5 points by the tests" in text
    assert "return 0" in text and "note = " in text and "Because it is even." in text
    assert "1 of 2 points: partial" in text and "Is x multiplied by two?" in text
    assert page.locator("input#test_double").get_attribute("placeholder") == "1"
    page.get_by_text("Model answer and points").click()
    assert page.get_by_text("Because.", exact=True).is_visible()
    hidden = ESSAY.questions[0].test.split("### BEGIN HIDDEN TESTS")[1].split("### END HIDDEN TESTS")[0]
    lines = {line.strip() for line in hidden.splitlines()} - {"", "import numpy as np"}
    assert lines and not any(line in text for line in lines)


def test_points_and_a_comment_for_a_written_answer_count_and_survive_grading_again(formgrader, course):
    page = opened(formgrader, ODD)
    with page.expect_response(lambda reply: reply.request.method == "PUT" and "/grade/" in reply.url):
        page.locator("input#why").fill("1.5")
        page.locator("input#why").press("Tab")
    with page.expect_response(lambda reply: reply.request.method == "PUT" and "/comment/" in reply.url):
        page.locator("textarea#why-comment").fill("Say it with numbers.")
        page.locator("textarea#why-comment").press("Tab")
    for _ in range(2):
        results = Results.read("pair", course / "grades")
        (student,) = [student for student in results.students() if student.name == ODD]
        (why,) = [question for question in student.questions if question.name == "why"]
        assert (why.points, why.status, why.comment) == (1.5, "by hand", "Say it with numbers.")
        assert (student.total, results.max_score, student.waiting) == (6.5, 7, False)
        grade(course)
    page.reload()
    page.wait_for_function("() => document.querySelector('input#why').value === '1.5'")


def typed(page, field, value):
    """Enter a value into a field, and wait until formgrader has kept it."""
    with page.expect_response(
        lambda reply: reply.request.method == "PUT" and "/formgrader/api/" in reply.url
    ):
        page.locator(field).fill(value)
        page.locator(field).press("Tab")


def test_points_over_those_of_a_test_win_are_shown_everywhere_and_can_be_taken_back(formgrader, course):
    """The end of a complaint: a person gives more points for code than the tests did."""
    out = course / "grades"

    def shown():
        results = Results.read("pair", out)
        (student,) = [student for student in results.students() if student.name == "ada"]
        (double,) = [question for question in student.questions if question.name == "double"]
        (page,) = [path.read_text() for path in write_feedback(results) if path.name == "ada.md"]
        table = write_export(results, "csv", None, None).path.read_text()
        told = CliRunner().invoke(main, ["explain", "pair", "ada", "double", "--out", str(out)]).output
        return double, page, next(row for row in table.splitlines() if row.startswith("ada,")), told

    page = opened(formgrader, "ada")
    typed(page, "input#test_double", "1.75")
    typed(page, "textarea#double-comment", "The idea is right.")
    for _ in range(2):
        double, feedback, row, told = shown()
        assert (double.points, double.status) == (1.75, "by hand")
        assert "double: 1.75 of 2, graded by a person" in feedback
        assert "From your instructor: The idea is right" in feedback
        assert "1.75" in row
        assert "by hand   a person gave these points, in place of 1" in told
        assert "comment   The idea is right." in told and "expected  4" in told
        grade(course)
    page.reload()
    page.wait_for_function("() => document.querySelector('input#test_double').value === '1.75'")
    typed(page, "input#test_double", "")
    double, feedback, row, told = shown()
    assert (double.points, double.status) == (1, "partial")
    assert "1.75" not in row and "by hand" not in told


@pytest.mark.parametrize("student", ["ada", "mallory", "zed"])
def test_nothing_that_a_student_wrote_runs_in_the_graders_browser(formgrader, student):
    page = opened(formgrader, student)
    assert page.title() == "pair" and page.taken == []
    inside = page.locator("main #notebook-container")
    assert inside.locator("script, img, iframe, object, form, style, [onerror], [ontoggle]").count() == 0
    assert inside.locator("a:not(.anchor-link)").count() == 0
    shown = {"ada": 'note = "<script>', "mallory": "< script>", "zed": "not valid JSON"}
    assert shown[student] in inside.inner_text()
