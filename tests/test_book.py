"""The book: its sources keep the course's conventions, and its pages work in a browser without a network."""

import importlib.util
import json
import os
import re
import statistics
import subprocess
from pathlib import Path

import jupytext
import nbformat
import pytest
import yaml

from autograder import chapter_notebook

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
PARTS = {part["caption"]: [entry["file"] for entry in part["chapters"]] for part in TOC["parts"]}
DOCUMENTS = [TOC["root"], *(name for names in PARTS.values() for name in names)]
LESSONS = PARTS["Foundations"][1:] + PARTS["Larger problems"]  # the first page is about the course
NOTEBOOKS = PARTS["Assignments"] + PARTS["Solutions"]
HTML = ROOT / "_build" / "html"
SETTINGS = [(width, scheme) for width in (1300, 390) for scheme in ("light", "dark")]


def load_colab_links():
    path = ROOT / "chapters" / "_extensions" / "colab_links.py"
    spec = importlib.util.spec_from_file_location("colab_links", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


colab_links = load_colab_links()


def source(document):
    matches = [path for suffix in (".md", ".ipynb") if (path := ROOT / f"{document}{suffix}").exists()]
    assert len(matches) == 1, f"{document} in _toc.yml: expected one source, found {matches}"
    return matches[0]


def text_of(document):
    path = source(document)
    return path.read_text() if path.suffix == ".md" else ""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_page_of_the_table_of_contents_has_one_source(document):
    source(document)


def test_the_pages_for_instructors_say_so_which_keeps_them_out_of_the_public_repository():
    for document in PARTS["For instructors"]:
        assert chapter_notebook.front_matter(text_of(document))["audience"] == "instructors"


@pytest.mark.parametrize("document", LESSONS)
def test_chapter_opens_with_outcomes_prerequisites_and_minutes(document):
    opening = source(document).read_text().split("\n## ")[0]
    assert "will be able to" in opening
    assert "**Before this**" in opening
    assert re.search(r"\*\*Time\*\*: (about )?\d+ minutes", opening)


@pytest.mark.parametrize("document", LESSONS)
def test_chapter_closes_with_quiz_take_away_and_links(document):
    *_, quiz, take_away = source(document).read_text().split("\n## ")
    assert quiz.startswith("Quiz\n")
    assert take_away.startswith("Take-away\n")
    questions = len(re.findall(r"^\*\*\d+\.", quiz, re.MULTILINE))
    answers = len(re.findall(r"^:+\{dropdown\}", quiz, re.MULTILINE))
    assert questions >= 3 and answers >= 2 * questions
    assert "**Use it.**" in take_away
    for name in re.findall(r"\{colab\}`(\w+)`", take_away):
        assert f"<../assignments/{name}/{name}.ipynb>" in take_away
        assert f"{{doc}}`/assignments/{name}/{name}`" in take_away
    assert "{colab}`" in take_away


@pytest.mark.parametrize("document", [*LESSONS, *NOTEBOOKS])
def test_code_cells_are_short(document):
    cells = jupytext.read(source(document)).cells
    lengths = [len(re.findall(r"\S.*", cell.source)) for cell in cells if cell.cell_type == "code"]
    assert statistics.median(lengths) < 10
    assert max(lengths) <= 40


@pytest.mark.parametrize("document", PARTS["Assignments"])
def test_links_in_an_assignment_point_to_the_configured_repository(document):
    notebook = nbformat.read(source(document), as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells)
    name = document.rpartition("/")[2]
    url, branch = CONFIG["repository"]["url"], CONFIG["repository"]["branch"]
    link = colab_links.colab_url(url, branch, colab_links.notebook_path(name))
    assert link in text
    assert f"{url}" in text.replace(link, ""), "no install line"
    owner = url.rpartition("/")[0]
    assert set(re.findall(r"https://github\.com/[\w.-]+", text)) <= {
        owner,
        "https://github.com/Farama-Foundation",
    }


def test_colab_link_of_a_fork():
    assert colab_links.colab_url("https://github.com/some/fork/", "dev", "colab/grid.ipynb") == (
        "https://colab.research.google.com/github/some/fork/blob/dev/colab/grid.ipynb"
    )
    with pytest.raises(ValueError, match="_config.yml must start with https://github.com/"):
        colab_links.colab_url("https://example.org/some/fork", "main", "colab/grid.ipynb")


@pytest.fixture(scope="session")
def book():
    """The built book: `make book`, which turns warnings into errors and reuses what is up to date."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    result = subprocess.run(["make", "-s", "book"], cwd=ROOT, env=environment, capture_output=True, text=True)
    if result.returncode:
        pytest.fail(f"`make book` failed.\n{result.stdout}", pytrace=False)
    return HTML


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(f"script error: {error}"))
    page.on("requestfailed", lambda request: page.problems.append(f"not loaded: {request.url}"))
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    yield page
    page.close()


TYPESET = "() => window.MathJax ? MathJax.startup.promise.then(() => true) : true"
FORMULAS = """() => [document.querySelectorAll('.math').length,
    [...document.querySelectorAll('.math')].filter(m => m.querySelector('mjx-container')).length,
    document.querySelectorAll('mjx-merror').length]"""
BAD_IMAGES = """() => [...document.querySelectorAll('article img')]
    .filter(i => !i.complete || !i.naturalWidth || i.alt.length < 20 || /\\.(png|svg|gif)$/.test(i.alt))
    .map(i => [i.src.slice(-80), i.alt])"""
OVERFLOW = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth)
    .map(e => e.tagName + '.' + e.className).slice(0, 5)"""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_page_in_a_browser(document, book, page):
    page.goto((book / f"{document}.html").as_uri())
    page.wait_for_function(TYPESET)
    formulas, typeset, errors = page.evaluate(FORMULAS)
    assert (typeset, errors) == (formulas, 0)
    assert page.evaluate(BAD_IMAGES) == []
    for width, scheme in SETTINGS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
        assert page.evaluate(OVERFLOW) == [], f"wider than the screen at {width} px"
    assert page.problems == []


def test_every_link_to_colab_is_made_from_the_configuration(book):
    repository = CONFIG["repository"]["url"].removeprefix("https://github.com/")
    prefix = f"https://colab.research.google.com/github/{repository}/blob/{CONFIG['repository']['branch']}/"
    pages = {document: (book / f"{document}.html").read_text() for document in DOCUMENTS}
    links = {link for html in pages.values() for link in re.findall(r'https://colab[^"#<]*\.ipynb', html)}
    notebooks = {link.removeprefix(prefix) for link in links}
    of_chapters = {notebook for notebook in notebooks if notebook.startswith("colab/")}
    assert all((ROOT / notebook).exists() for notebook in notebooks - of_chapters), notebooks
    assert {f"{name}.ipynb" for name in PARTS["Assignments"]} <= notebooks
    executable = [page for page in DOCUMENTS if chapter_notebook.needed(text_of(page)) is not None]
    assert {chapter_notebook.path(document) for document in executable} == of_chapters
    for document in executable:  # the theme's button, and the link below the title
        assert pages[document].count(f'href="{prefix}{chapter_notebook.path(document)}"') >= 2, document


def test_search_finds_a_chapter(book):
    index = (book / "searchindex.js").read_text()
    documents = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))["docnames"]
    assert set(DOCUMENTS) - {"genindex"} <= set(documents)
