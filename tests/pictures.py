"""Writes the README's pictures, from the built book and from the graded sample class: `make pictures`."""

import io
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console

from autograder.table import class_table
from autograder.verdicts import Grades

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "chapters" / "images"
BOOK_PAGE = ROOT / "_build" / "html" / "chapters" / "policy_gradient.html"
SECTION = "#step-1-the-log-derivative-trick"
GRADES = ROOT / "autograder" / "grades" / "gridworld" / "grades.json"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def grade_table():
    """The table that `autograder grade` prints, as SVG."""
    console = Console(record=True, width=84, file=io.StringIO())
    console.print(class_table(Grades.model_validate_json(GRADES.read_text())))
    return console.export_svg(title="autograder grade")


def main():
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 760})
        page.goto(BOOK_PAGE.as_uri())
        page.wait_for_function("() => MathJax.startup.promise.then(() => true)")
        page.evaluate("section => document.querySelector(section).scrollIntoView()", SECTION)
        page.screenshot(path=IMAGES / "book.png")
        page.set_content(grade_table())
        page.locator("svg").screenshot(path=IMAGES / "grades.png")
        browser.close()


if __name__ == "__main__":
    main()
