"""Writes the pictures of the README and of the page for instructors: `make pictures`.

They are taken from the built book and from the graded sample class.
"""

import io
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from autograder import grading
from autograder.results import Results, feedback, report
from autograder.results.table import class_table

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "chapters" / "images"
BOOK_PAGE = ROOT / "_build" / "html" / "chapters" / "policy_gradient.html"
SECTION = "#step-1-the-log-derivative-trick"
STUDENT = "fatima"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def grade_table(results: Results) -> str:
    """The table that `autograder grade` prints, as SVG."""
    console = Console(record=True, width=84, file=io.StringIO())
    console.print(class_table(results.grades))
    return console.export_svg(title="autograder grade")


def picture_of_the_book(page: Page) -> None:
    page.goto(BOOK_PAGE.as_uri())
    page.wait_for_function("() => MathJax.startup.promise.then(() => true)")
    page.evaluate("section => document.querySelector(section).scrollIntoView()", SECTION)
    page.screenshot(path=IMAGES / "book.png")


def picture_of(page: Page, path: Path, name: str, first: str, last: str) -> None:
    """A page from the element `first` down to the element `last`."""
    page.goto(path.as_uri())
    page.add_style_tag(content="body { padding-bottom: 0 }")
    top = page.locator(first).first.bounding_box()["y"] - 12
    end = page.locator(last).first.bounding_box()
    clip = {
        "x": 0,
        "y": top,
        "width": page.viewport_size["width"],
        "height": end["y"] + end["height"] + 12 - top,
    }
    page.screenshot(path=IMAGES / name, clip=clip, full_page=True)


def main(out: Path = grading.DEFAULT_FOLDER) -> None:
    """Take all pictures; `out` holds the graded sample class of gridworld."""
    IMAGES.mkdir(exist_ok=True)
    results = Results.read("gridworld", out)
    with tempfile.TemporaryDirectory() as copy, sync_playwright() as playwright:
        shutil.copytree(results.folder, Path(copy, "gridworld"))
        shown = Results.read("gridworld", Path(copy))
        names = feedback.file_names([row.student for row in shown.grades.submissions])
        feedback.write_feedback(shown)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 760})
        picture_of_the_book(page)
        page.set_content(grade_table(shown))
        page.locator("svg").screenshot(path=IMAGES / "grades.png")
        page.set_viewport_size({"width": 820, "height": 900})
        of_student = shown.folder / "feedback" / f"{names[STUDENT]}.html"
        picture_of(page, of_student, "feedback.png", "h1", "#question-1 ul")
        picture_of(
            page, report.write_report(shown), "report.png", "h2:has-text('The questions')", "#question-1"
        )
        browser.close()


if __name__ == "__main__":
    main()
