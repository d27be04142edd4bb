"""Chapters as notebooks: what Colab opens is valid, runs, and shows no syntax that only the book knows."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from autograder import chapter_notebook, master, publish
from autograder.plain_markdown import Book, Page

ROOT = Path(__file__).parents[1]
CONTENTS = publish._public_toc(yaml.safe_load((ROOT / "_toc.yml").read_text()), solutions=False)
BOOK = chapter_notebook.read_book(ROOT, list(publish._pages(CONTENTS)))
BOOK.texts.update({page: publish._PRIVATE_TEXT.sub("", text) for page, text in BOOK.texts.items()})
CHAPTERS = chapter_notebook.executable(BOOK)
LESSONS = [
    page["file"]
    for part in CONTENTS["parts"]
    if part["caption"] in ("Foundations", "Larger problems")
    for page in part["chapters"]
]
PINS = re.findall(r"^([\w.-]+)==", master.COLAB_PINS.read_text(), re.MULTILINE)
# Outside of code: roles, directives, labels, comments, attributes, substitutions.
MYST = re.compile(
    r"\{[\w:-]+\}`|^ *(?::{3,}|`{3,}\{)|^\([\w-]+\)=|^%|^\+\+\+|\]\{|\{\{|\$\$ *\([\w-]+\)", re.MULTILINE
)


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(request):
    return request.param, chapter_notebook.notebook(request.param, BOOK)


def markdown(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def test_every_lesson_with_code_says_what_it_needs_in_colab():
    assert LESSONS == CHAPTERS
    assert all(set(chapter_notebook.needed(BOOK.texts[page])) <= set(PINS) for page in CHAPTERS)


def test_it_is_valid_and_begins_with_the_setup_line(chapter):
    page, notebook = chapter
    nbformat.validate(notebook)
    title, setup = notebook.cells[:2]
    assert title.source.startswith(f"# {BOOK.titles[page]}\n")
    tried = json.loads(chapter_notebook.RESULTS.read_text())
    claim = f"Tested with the package versions of Colab's runtime of {master.colab_runtime()}."
    is_tested = claim in title.source
    assert is_tested == (tried["runtime"] == master.colab_runtime() and page in tried["notebooks"])
    assert setup.source == master.setup_line(*chapter_notebook.needed(BOOK.texts[page]))
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_no_myst_is_left(chapter):
    _, notebook = chapter
    for source in markdown(notebook):
        prose = re.sub(r"^```\w*\n.*?^```$", "", source, flags=re.DOTALL | re.MULTILINE)
        assert MYST.findall(prose) == [], source
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "myst" not in code and "../" not in code


def test_formulas_and_boxes_are_whole(chapter):
    page, notebook = chapter
    for source in markdown(notebook):
        assert all(line.count("$$") % 2 == 0 for line in source.splitlines()), "a formula is on one line"
        assert source.count("<details>") == source.count("</details>")
    text = "\n".join(markdown(notebook))
    assert text.count("<details>") == len(re.findall(r"\{dropdown\}|:class: dropdown", BOOK.texts[page]))
    assert set(re.findall(r"\\tag\{(\d+)\}", text)) == {
        target.name[1:-1] for target in BOOK.targets.values() if target.page == page and target.name[0] == "("
    }


def test_all_code_of_the_chapter_is_there(chapter):
    page, notebook = chapter
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) == BOOK.texts[page].count("\n```{code-cell}") + 1
    assert "def glue(" in "".join(cells) or "{glue:" not in BOOK.texts[page]


@pytest.mark.parametrize("name", ["how_to_use", "markov_decision_processes"])
def test_it_runs_and_prints_the_numbers_that_the_text_names(name, tmp_path):
    page = f"chapters/{name}"
    notebook = chapter_notebook.notebook(page, BOOK)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(tmp_path))
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    names = set(re.findall(r"\{glue:\w*\}`([\w-]+)", BOOK.texts[page]))
    assert names and names <= set(re.findall(r"^([\w-]+): \S", printed, re.MULTILINE))
    assert all(f"`{name}`" in "\n".join(markdown(notebook)) for name in names)
    assert notebook.cells[1].outputs == []  # the setup line, outside of Colab


SAMPLE = Book(
    texts={
        "chapters/here": "# Here\n\n$$\nx = 1\n$$ (eq-here)\n\n"
        ":::{prf:theorem} All is well\n:label: thm\n:::\n",
        "chapters/there": "---\ncolab: []\n---\n# There\n\n```{math}\n:label: eq-there\ny\n```\n\n"
        "(sec-there)=\n## A section\n\n```{list-table} What there is\n:header-rows: 1\n:name: tab\n```\n",
    },
    titles={"chapters/here": "Here", "chapters/there": "There", "assignments/a/a": "A"},
    address=lambda target: f"<{target}>",
    bibliography="""
@book{knuth1984,
  author = {Knuth, Donald E.},
  title = {The {TeX}book},
  year = 1984,
}
@misc{many,
  author = {van Hoof, H. and M{\\'e}ndez, R. and Roe, R.},
  title = {Many},
  year = 2020,
}
""",
)
SYNTAX = {
    "formula": (
        "$$\n\\begin{aligned}\na &= b \\\\\n&= c\n\\end{aligned}\n$$",
        "$$\\begin{aligned} a &= b \\\\ &= c \\end{aligned}$$",
    ),
    "numbered formula": ("$$x = 1$$ (eq-here)", "$$x = 1 \\tag{1}$$"),
    "math": ("```{math}\n:label: eq-there\ny\n```", "$$y \\tag{1}$$"),
    "equation here": ("by {eq}`eq-here`", "by (1)"),
    "equation elsewhere": ("by {eq}`eq-there`", "by (1) of [There](<chapters/there>)"),
    "theorem": ("The end. {prf:ref}`thm` says", "The end. Theorem “All is well” says"),
    "section": ("see {ref}`sec-there`", "see A section of [There](<chapters/there>)"),
    "table": ("see {numref}`tab`", "see table “What there is” of [There](<chapters/there>)"),
    "page": ("{doc}`there`, {doc}`so <there>`", "[There](<chapters/there>), [so](<chapters/there>)"),
    "assignment": (
        "{doc}`/assignments/a/a` ({colab}`a`, {download}`file <../assignments/a/a.ipynb>`)",
        "[A](<assignments/a/a>) ([Open in Colab](<assignments/a/a>), [file](<assignments/a/a.ipynb>))",
    ),
    "terms": ("{term}`score`, {term}`scores <score>`, {index}`x <y>`", "score, scores, x"),
    "glue": ("{glue:text}`mean:.2f` of {glue:}`n` {glue:md}`m`", "`mean` of `n` `m`"),
    "works": (
        "{cite:t}`knuth1984` {cite:p}`knuth1984,many`",
        "Knuth (1984) (Knuth, 1984; van Hoof et al., 2020)",
    ),
    "admonition": (
        ":::{admonition} Misconception: $x$\n:class: warning\n\nNo.\n\n$$\nx\n$$\n:::",
        "> **Misconception: $x$**\n>\n> No.\n>\n> $$x$$",
    ),
    "proof": (":::{prf:proof}\nEasy.\n:::", "> *Proof.* Easy. ∎"),
    "unfolding": (
        "::::{dropdown} By `x < 1`\n:::{prf:lemma} L\n:label: l\nTwo.\n:::\n::::",
        "<details><summary>By <code>x &lt; 1</code></summary>\n\n> **Lemma: L**\n>\n> Two.\n\n</details>",
    ),
    "exercise": (":::{exercise} Try\n:label: ex\n\nDo.\n:::", "> **Exercise: Try**\n>\n> Do."),
    "solution": (
        ":::{solution} ex\n:class: dropdown\n\nSo.\n:::",
        "<details><summary>Solution</summary>\n\nSo.\n\n</details>",
    ),
    "list": (
        "```{list-table} T\n:header-rows: 1\n\n* - a\n  - {term}`b`\n* - $c$\n  - d\n    e\n```",
        "**T**\n\n| a | b |\n| --- | --- |\n| $c$ | d e |",
    ),
    "labels": ("(sec-x)=\n## X\n\n% a comment\n```{index} x, y\n```\n\ntext", "## X\n\ntext"),
    "code": ("```python\n{doc}`there`\n% x\n```", "```python\n{doc}`there`\n% x\n```"),
    "relative link": ("[text](../README.md)", "[text](<README.md>)"),
}


@pytest.mark.parametrize(("myst", "plain"), SYNTAX.values(), ids=SYNTAX)
def test_myst_becomes_plain(myst, plain):
    assert Page(SAMPLE, "chapters/here").convert(myst) == plain


def test_cited_works_are_listed():
    page = Page(SAMPLE, "chapters/here")
    assert page.references() == ""
    page.convert("{cite:p}`many` and {cite:t}`knuth1984`")
    assert page.references().splitlines()[2:] == [
        "- Knuth (1984). *The TeXbook*.",
        "- van Hoof, Méndez, Roe (2020). *Many*.",
    ]


def test_syntax_that_it_does_not_know_is_named():
    with pytest.raises(ValueError, match=r"chapters/here: there is no plain Markdown for '\{kbd\}`x`'"):
        Page(SAMPLE, "chapters/here").convert("{kbd}`x`")


CONF = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["myst_nb", "colab_links"]
html_theme, nb_execution_mode = "sphinx_book_theme", "off"
suppress_warnings = ["myst-nb.lexer"]  # only executed notebooks name their language
html_theme_options = {options!r}
"""
KERNEL = (
    "---\njupytext: {text_representation: {extension: .md, format_name: myst}}\nkernelspec: {name: python3}\n"
)
CELL = "\n```{code-cell} ipython3\n1 + 1\n```\n"


def test_the_books_page_links_to_the_notebook(tmp_path):
    """Built by Sphinx with the book's theme: one page that has a notebook, one that has none."""
    options = {
        "repository_url": "https://github.com/me/fork",
        "repository_branch": "dev",
        "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    }
    source = tmp_path / "source"
    source.mkdir()
    conf = CONF.format(extensions=str(ROOT / "chapters" / "_extensions"), options=options)
    (source / "conf.py").write_text(conf)
    (source / "index.md").write_text("# Book\n\n```{toctree}\nlesson\nother\n```\n")
    (source / "lesson.md").write_text(f"{KERNEL}colab: []\n---\n\n# Lesson\n{CELL}")
    (source / "other.md").write_text(f"{KERNEL}---\n\n# Other\n{CELL}")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", source, tmp_path / "html"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lesson, other = ((tmp_path / "html" / f"{name}.html").read_text() for name in ("lesson", "other"))
    links = re.findall(r'href="(https://colab[^"]*)"', lesson)
    assert set(links) == {"https://colab.research.google.com/github/me/fork/blob/dev/colab/lesson.ipynb"}
    assert len(links) >= 2 and ">Open in Colab</a>" in lesson
    assert "colab.research" not in other and "colab: " not in lesson
