"""Chapters as notebooks: what Colab opens, since it opens no Markdown.

A chapter that readers can run says so in its front matter: `colab: [PACKAGE, ...]` names what it needs and
Colab lacks. Its notebook is colab/NAME.ipynb in the public repository.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

from autograder import master
from autograder.plain_markdown import Book, Page

RESULTS = master.ROOT / "benchmarks" / "results" / "colab.json"
_FRONT_MATTER = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
_HIDDEN = {"remove-cell", "remove-input"}
# The book takes numbers from a run into its text by myst_nb's glue, which Colab lacks: here they are printed.
_GLUE = "from myst_nb import glue\n"
_PRINTED = """def glue(name, value, display=False):
    print(f"{name}: {getattr(value, 'data', value)}")
"""
# Where the clone that the setup line makes has what the benchmarks measured.
_RESULTS = ("../benchmarks/results", "course/benchmarks/results")
_OPENING = """This is a chapter of [the course]({repository}) as a notebook. Run the next cell first: in
Colab it installs what is missing; elsewhere it does nothing. {tested}

Where the text has a name such as `start-value` in the place of a number, a cell prints that number."""


def front_matter(text: str) -> dict[str, Any]:
    """What the chapter with this source says of itself before its text."""
    found = _FRONT_MATTER.match(text)
    return (yaml.safe_load(found[1]) or {}) if found else {}


def needed(text: str) -> list[str] | None:
    """What the chapter with this source needs and Colab lacks; None if it is not meant to be run there."""
    return front_matter(text).get("colab")


def path(page: str) -> str:
    """Where the notebook of a chapter such as "chapters/grpo" stands in the public repository."""
    return f"colab/{page.rpartition('/')[2]}.ipynb"


def read_book(tree: Path, pages: list[str]) -> Book:
    """What chapters refer to: `pages` of the public repository, as it stands in `tree`."""
    texts = {
        page: (tree / f"{page}.md").read_text(encoding="utf-8")
        for page in pages
        if (tree / f"{page}.md").exists()
    }
    titles = {page: _heading(text) for page, text in texts.items()}
    for page in pages:
        if page not in texts:
            notebook = nbformat.read(tree / f"{page}.ipynb", as_version=4)
            titles[page] = _heading(notebook.cells[0].source)

    def address(target: str) -> str:
        if target in texts and needed(texts[target]) is not None:
            return master.colab_url(path(target))
        if target not in titles:
            return master.file_url(target)
        return master.file_url(f"{target}.md") if target in texts else master.colab_url(f"{target}.ipynb")

    bibliography = (tree / "chapters" / "references.bib").read_text(encoding="utf-8")
    return Book(texts, titles, address, bibliography)


def executable(book: Book) -> list[str]:
    """The pages of which there is a notebook, in the book's order."""
    return [page for page, text in book.texts.items() if needed(text) is not None]


def notebook(page: str, book: Book) -> NotebookNode:
    """The notebook of an executable chapter: the setup line first, and Markdown that Colab can show."""
    text = book.texts[page]
    source = jupytext.reads(text, fmt="md:myst")
    writer = Page(book, page)
    cells = [
        _code(cell) if cell.cell_type == "code" else _markdown(writer.convert(cell.source))
        for cell in source.cells
    ]
    heading, _, cells[0].source = cells[0].source.partition("\n")
    opening = _OPENING.format(repository=master.repository_url(), tested=_tested(page))
    setup = nbformat.v4.new_code_cell(master.setup_line(*needed(text)))
    cells = [_markdown(f"{heading}\n\n{opening}"), setup, *cells, _markdown(writer.references())]
    cells = [cell for cell in cells if cell.source.strip()]
    for place, cell in enumerate(cells):
        cell["id"] = f"{page.rpartition('/')[2].replace('_', '-')[:50]}-{place:03d}"
    kernel = {"kernelspec": source.metadata["kernelspec"], "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


def _tested(page: str) -> str:
    """Whether `python -m tests.colab` has run this chapter in the runtime that the notebooks name."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    if found["runtime"] == master.colab_runtime() and page in found["notebooks"]:
        return f"Tested with the package versions of Colab's runtime of {found['runtime']}."
    return "It has not been tried in Colab's runtime yet."


def _heading(text: str) -> str:
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1]


def _markdown(source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source.strip("\n"))


def _code(cell: NotebookNode) -> NotebookNode:
    source = cell.source.replace(_GLUE, _PRINTED).replace(*_RESULTS)
    if not _HIDDEN & {*cell.metadata.get("tags", ())}:
        return nbformat.v4.new_code_cell(source)
    # What the book does not show Colab folds away behind a title.
    return nbformat.v4.new_code_cell(
        f"# @title Code that the book hides\n{source}", metadata={"cellView": "form"}
    )
