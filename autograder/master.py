"""Masters: the hand-written text notebooks that every other notebook is derived from."""

from __future__ import annotations

import ast
import collections
import dataclasses
import hashlib
import re
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

import jupytext
import yaml
from nbformat import NotebookNode
from traitlets.config import Config, PyFileConfigLoader

FOLDER = Path(__file__).parent / "masters"
ROOT = Path(__file__).parents[1]
BOOK_CONFIG = ROOT / "_config.yml"
COLAB_PINS = ROOT / "colab" / "constraints.txt"
SETUP = "setup"  # grade_id of the cell that installs in Colab
TRAINING_TAG = "training"
_PLACEHOLDER = re.compile(r"\{\{(?:(repository|colab|colab_runtime)|setup\(([^)]*)\))\}\}")
# One line, of Python: a shell line cannot stop the notebook, and would run outside of Colab, too.
_SETUP_LINE = (
    'if "google.colab" in str(get_ipython()): get_ipython().system("[ -d course ] || '
    'git clone -q --depth 1 {repository} course && python course/colab/install.py{needed}"); '
    'assert not _exit_code, "Setup failed: run this cell again, or Runtime > Disconnect and delete runtime."'
)
_IMPORT = re.compile(r"^(?:from|import) +([\w.]+)(?: +import +([\w, ]+))?", re.MULTILINE)
_MODEL_ANSWER = re.compile(r"^### BEGIN SOLUTION\n(.*?)^### END SOLUTION$", re.DOTALL | re.MULTILINE)
_HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n.*?^### END HIDDEN TESTS\n?", re.DOTALL | re.MULTILINE)


class UnknownAssignment(ValueError):
    """There is no master of this name; the message lists those there are."""


class InvalidMaster(ValueError):
    """A master breaks the rules for masters; the message lists every breach and what to do."""


@dataclasses.dataclass(frozen=True)
class Question:
    """One graded function: its name, what it is worth, and its test cell with the hidden tests."""

    name: str
    points: float
    test: str

    @property
    def visible_test(self) -> str:
        """The test cell as students see it."""
        return _HIDDEN.sub("", self.test)


@dataclasses.dataclass(frozen=True)
class Written:
    """A question that students answer in their own words and a person grades; its prompt stands above it.

    stub: what the cell holds before anybody writes into it; model: the author's answer, with the
    points for each part of it.
    """

    name: str
    points: float
    stub: str
    model: str


@dataclasses.dataclass(frozen=True)
class Master:
    """A master notebook, parsed from its Jupytext percent source."""

    name: str
    source: str

    @classmethod
    def read(cls, name: str) -> Master:
        """The master called `name`; UnknownAssignment if there is none."""
        path = FOLDER / f"{name}.py"
        if name not in names():
            raise UnknownAssignment(f"There is no assignment {name!r}. There are: {', '.join(names())}.")
        return cls(name, path.read_text(encoding="utf-8"))

    @cached_property
    def notebook(self) -> NotebookNode:
        """The notebook with solutions and hidden tests. Treat it as read-only: copy before changing.

        Addresses are filled in, and every cell has a lasting id: its grade id, or its place.
        """
        notebook = jupytext.reads(self._filled_source(), fmt="py:percent")
        for index, cell in enumerate(notebook.cells):
            cell["id"] = grade_id(cell) or f"{self.name.replace('_', '-')}-{index:03d}"
            cell.metadata.pop("lines_to_next_cell", None)  # Jupytext's own note
        return notebook

    def _filled_source(self) -> str:
        return _PLACEHOLDER.sub(self._filling, self.source)

    def _filling(self, placeholder: re.Match[str]) -> str:
        if placeholder[1] is None:
            return setup_line(*re.findall(r"[\w.-]+", placeholder[2]))
        fillings = {"repository": repository_url, "colab": self.colab_url, "colab_runtime": colab_runtime}
        return fillings[placeholder[1]]()

    def colab_url(self) -> str:
        """Where Colab opens the student notebook."""
        return colab_url(f"assignments/{self.name}/{self.name}.ipynb")

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The graded functions in notebook order."""
        return tuple(
            Question(grade_id(cell).removeprefix("test_"), cell.metadata.nbgrader.points, cell.source)
            for cell in self.notebook.cells
            if is_test(cell)
        )

    @cached_property
    def written(self) -> tuple[Written, ...]:
        """The questions that a person grades, in notebook order."""
        return tuple(_written(cell) for cell in self.notebook.cells if is_written(cell))

    @property
    def max_score(self) -> float:
        """What the graded functions are worth together; points that a person gives come on top."""
        return sum(question.points for question in self.questions)

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """What students' notebooks import outside of the training section, sorted.

        After ``from a import b`` there is "a.b", too: only importing it tells whether it is a module.
        """
        cells = [cell for cell in self.notebook.cells if cell.cell_type == "code" and not is_training(cell)]
        found = set()
        for module, names in _IMPORT.findall("\n".join(_HIDDEN.sub("", cell.source) for cell in cells)):
            found |= {module, *(f"{module}.{name}" for name in names.replace(",", " ").split())}
        return tuple(sorted(found))

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the master's source; the solved notebook carries it."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    def check(self) -> None:
        """Raise InvalidMaster when the master breaks a rule that releasing or grading relies on."""
        breaches = list(_breaches(self.notebook.cells))
        if breaches:
            raise InvalidMaster(f"The master {self.name!r} cannot be released.\n  " + "\n  ".join(breaches))


def _written(cell: NotebookNode) -> Written:
    answer = _MODEL_ANSWER.search(cell.source)
    return Written(
        grade_id(cell),
        cell.metadata.nbgrader.points,
        stub=_MODEL_ANSWER.sub(text_stub(), cell.source),
        model=answer[1].strip() if answer else "",
    )


def names() -> list[str]:
    """The names of all assignments, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.py"))


def grade_id(cell: NotebookNode) -> str:
    """nbgrader's name of a cell, or the empty string."""
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def is_answer(cell: NotebookNode) -> bool:
    """Whether students write their code into this cell."""
    return _has_role(cell, "solution") and not _has_role(cell, "grade")


def is_test(cell: NotebookNode) -> bool:
    """Whether this cell grades an answer."""
    return _has_role(cell, "grade") and not _has_role(cell, "solution")


def is_written(cell: NotebookNode) -> bool:
    """Whether students answer here in their own words, for a person to grade."""
    return _has_role(cell, "solution") and _has_role(cell, "grade")


def is_training(cell: NotebookNode) -> bool:
    """Whether the cell belongs to the training section, which no grader runs."""
    return TRAINING_TAG in cell.metadata.get("tags", [])


def _has_role(cell: NotebookNode, role: str) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get(role))


@cache
def nbgrader_config() -> Config:
    """nbgrader's settings for this course, from `nbgrader_config.py`."""
    return PyFileConfigLoader("nbgrader_config.py", path=str(Path(__file__).parent)).load_config()


def text_stub() -> str:
    """What students find in place of a model answer."""
    return nbgrader_config().ClearSolutions.text_stub


def repository_url() -> str:
    """The public repository's address, from the book's configuration."""
    return _repository()["url"].rstrip("/")


def colab_url(path: str) -> str:
    """Where Colab opens the notebook at `path` of the public repository."""
    slug = repository_url().removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{slug}/blob/{_repository()['branch']}/{path}"


def file_url(path: str) -> str:
    """Where GitHub shows the file at `path` of the public repository."""
    return f"{repository_url()}/blob/{_repository()['branch']}/{path}"


def setup_line(*needed: str) -> str:
    """The line with which a notebook that needs these packages begins: it installs them, in Colab only."""
    return _SETUP_LINE.format(repository=repository_url(), needed="".join(f" {name}" for name in needed))


def colab_runtime() -> str:
    """The runtime that the notebooks were tested with, as constraints.txt for Colab names it."""
    return re.search(r"Colab's runtime of (.+)\.$", COLAB_PINS.read_text(encoding="utf-8"), re.MULTILINE)[1]


def _repository() -> dict[str, str]:
    return yaml.safe_load(BOOK_CONFIG.read_text(encoding="utf-8"))["repository"]


def _breaches(cells: list[NotebookNode]) -> Iterator[str]:
    yield from _repeated_names(cells)
    for cell in cells:
        yield from _marker_breaches(cell, "SOLUTION", _has_role(cell, "solution"), "an answer cell")
        yield from _marker_breaches(cell, "HIDDEN TESTS", is_test(cell), "a test cell")
    yield from _unpaired_questions(cells)
    for cell in cells:
        if is_answer(cell) and "### BEGIN SOLUTION" not in cell.source:
            yield f"{_place(cell)}: put the solution between ### BEGIN SOLUTION and ### END SOLUTION."
        if is_test(cell):
            yield from _test_breaches(cell)
        if is_written(cell):
            yield from _written_breaches(cell)
    yield from _training_breaches(cells)


def _place(cell: NotebookNode) -> str:
    return f"Cell {grade_id(cell) or cell.source.partition(chr(10))[0][:60]!r}"


def _repeated_names(cells: list[NotebookNode]) -> Iterator[str]:
    counts = collections.Counter(filter(None, map(grade_id, cells)))
    for name, count in counts.items():
        if count > 1:
            yield f"The grade_id {name!r} occurs {count} times: give every cell its own."


def _marker_breaches(cell: NotebookNode, kind: str, allowed: bool, where: str) -> Iterator[str]:
    lines = [line for line in cell.source.splitlines() if f"BEGIN {kind}" in line or f"END {kind}" in line]
    if not lines:
        return
    if not allowed:
        yield f"{_place(cell)}: the markers of {kind} belong into {where}."
    for index, line in enumerate(lines):
        wanted = f"### {'END' if index % 2 else 'BEGIN'} {kind}"
        if line.strip() != wanted:
            yield f"{_place(cell)}: {line.strip()!r} stands where {wanted!r} is expected."
            return
    if len(lines) % 2:
        yield f"{_place(cell)}: ### BEGIN {kind} is not closed; add ### END {kind}."
    if kind == "HIDDEN TESTS" and any(line != line.strip() for line in lines):
        yield f"{_place(cell)}: the markers of {kind} must not be indented."


def _unpaired_questions(cells: list[NotebookNode]) -> Iterator[str]:
    answers = [grade_id(cell) for cell in cells if is_answer(cell)]
    tests = [grade_id(cell) for cell in cells if is_test(cell)]
    for name in tests:
        if name.removeprefix("test_") not in answers or not name.startswith("test_"):
            yield f"Cell {name!r}: a test cell is called test_NAME and follows an answer cell called NAME."
    for name in answers:
        if f"test_{name}" not in tests:
            yield f"Cell {name!r}: there is no test cell 'test_{name}', so nothing would grade this answer."


def _test_breaches(cell: NotebookNode) -> Iterator[str]:
    if not _has_points(cell):
        yield f"{_place(cell)}: give it points, a number above 0, in its nbgrader metadata."
        return
    if is_training(cell):
        yield f"{_place(cell)}: a test cell is graded, so it cannot carry the tag {TRAINING_TAG!r}."
    hidden = _HIDDEN.search(cell.source)
    if hidden and hidden.group().splitlines()[1].strip() != "check.hide()":
        yield f"{_place(cell)}: hidden tests begin with check.hide(), or their inputs would be shown."
    name = grade_id(cell).removeprefix("test_")
    points = cell.metadata.nbgrader.points
    if (found := _declared(cell.source)) != (name, points):
        yield f"{_place(cell)}: it should open Checks({name!r}, points={points}); found {found}."


def _written_breaches(cell: NotebookNode) -> Iterator[str]:
    place = _place(cell)
    if cell.cell_type != "markdown":
        yield f"{place}: an answer that a person grades is a [markdown] cell."
    if cell.metadata.nbgrader.get("locked"):
        yield f'{place}: students write here, so it needs "locked": false.'
    if grade_id(cell).startswith("test_"):
        yield f"{place}: names with test_ are those of test cells; give it another."
    if is_training(cell):
        yield f"{place}: it is graded, so it cannot carry the tag {TRAINING_TAG!r}."
    if not _MODEL_ANSWER.search(cell.source):
        yield f"{place}: put a model answer between ### BEGIN SOLUTION and ### END SOLUTION."
    if not _has_points(cell):
        yield f"{place}: give it points, a number above 0, in its nbgrader metadata."


def _has_points(cell: NotebookNode) -> bool:
    points = cell.metadata.nbgrader.get("points")
    return type(points) in (int, float) and points > 0


def _declared(source: str) -> tuple[object, object] | str:
    """The question's name and points in the cell's ``Checks(name, points=...)``."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return f"a syntax error ({error.msg}, line {error.lineno})"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Checks":
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            return tuple(getattr(value, "value", None) for value in values[:2])
    return "no Checks(...)"


def _training_breaches(cells: list[NotebookNode]) -> Iterator[str]:
    last_test = max((index for index, cell in enumerate(cells) if is_test(cell)), default=-1)
    if last_test < 0:
        yield "There is no test cell, so there is nothing to grade."
        return
    for cell in cells[last_test + 1 :]:
        if cell.cell_type == "code" and not is_training(cell):
            yield f'{_place(cell)}: after the exercises every cell carries tags=["{TRAINING_TAG}"].'
