"""Masters: the hand-written text notebooks that every other notebook is derived from."""

from __future__ import annotations

import ast
import collections
import dataclasses
import hashlib
import json
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
DATA = "data"  # the folder of data files: beside a notebook, and in masters/NAME/
MOST_DATA_BYTES = 8 * 2**20
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
NAMING_RULE = (
    "The name of an assignment has at most 50 characters, begins with a letter (A to Z, a to z), and holds "
    "only letters, digits and underscores."
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,49}")
_PLACEHOLDER = re.compile(r"\{\{(?:(repository|colab|colab_runtime)|setup\(([^)]*)\))\}\}")
# One line, of Python: a shell line cannot stop the notebook, and would run outside of Colab, too.
_SETUP_LINE = (
    'if "google.colab" in str(get_ipython()): get_ipython().system("[ -d course ] || '
    'git clone -q --depth 1 {repository} course && python course/colab/install.py{needed}"); '
    'assert not _exit_code, "Setup failed: run this cell again, or Runtime > Disconnect and delete runtime."'
)
_IMPORT = re.compile(r"^(?:from|import) +([\w.]+)(?: +import +([\w, ]+))?", re.MULTILINE)
_MODEL_ANSWER = re.compile(r"^### BEGIN SOLUTION\n(.*?)^### END SOLUTION$", re.DOTALL | re.MULTILINE)
_SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION\n?", re.DOTALL | re.MULTILINE)
_HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n.*?^### END HIDDEN TESTS\n?", re.DOTALL | re.MULTILINE)
_NUMBER_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_STATED = rf"\b(\d+(?:\.\d+)?|{'|'.join(_NUMBER_WORDS)}) points?\b"
_STATED_IN_TITLE = re.compile(r"^# .*?\b(\d+(?:\.\d+)?) points?\b", re.MULTILINE)
_STATED_OF_EXERCISE = re.compile(
    rf"^##+ .*?\b(\d+(?:\.\d+)?) points?\b"
    rf"|^(?=(?:\*[^*\n]+\*|\*\*[^*\n]+\*\*|_[^_\n]+_)\.?$).*?{_STATED}"
    rf"|\b(?<!each )(?:it|this|exercise|question|task|answer) is worth {_STATED}",
    re.MULTILINE | re.IGNORECASE,
)
_STATED_OF_EACH = re.compile(
    rf"\beach (?:function|question|exercise|answer) (?:is worth|brings|gives) {_STATED}", re.IGNORECASE
)
_METADATA = re.compile(r"# %%.*?\bnbgrader=(.*)")
_SCORED = re.compile(r"^\w+\.score\(\)[ \t]*(?:#.*)?\Z", re.MULTILINE)
_GRADE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_QUESTION_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_HIDING = re.compile(r"^(?:### (?:BEGIN|END) HIDDEN TESTS|check\.hide\(\))[ \t]*\n?", re.MULTILINE)


class UnknownAssignment(ValueError):
    """There is no master of this name; the message lists those there are."""


class InvalidMaster(ValueError):
    """A master breaks the rules for masters; the message lists every breach and what to do."""


@dataclasses.dataclass(frozen=True)
class Question:
    """What one test cell grades: its name, what it is worth, and the cell with its hidden tests.

    cell: the grade id of the answer cell; answers: the names that students define there for this question:
    functions, classes or variables.
    """

    name: str
    points: float
    test: str
    cell: str
    answers: tuple[str, ...]

    @property
    def visible_test(self) -> str:
        """The test cell as students see it."""
        return _HIDDEN.sub("", self.test)

    @property
    def opened(self) -> Question:
        """The same question with its hidden tests as visible ones, whose messages show values."""
        return dataclasses.replace(self, test=_HIDING.sub("", self.test))


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
    """A master notebook, parsed from its Jupytext percent source.

    files: names and contents of the data files that its notebooks read from their folder `data`.
    """

    name: str
    source: str
    files: tuple[tuple[str, bytes], ...] = ()

    @classmethod
    def read(cls, name: str) -> Master:
        """The master called `name` with its data files.

        Raises UnknownAssignment if there is none, InvalidMaster if it is not text or its data cannot be used.
        """
        if name in misnamed():
            raise UnknownAssignment(f"The master '{name}.py' cannot be used. {NAMING_RULE} Rename the file.")
        if name not in names():
            raise UnknownAssignment(f"There is no assignment {name!r}. There are: {', '.join(names())}.")
        try:
            return cls(name, (FOLDER / f"{name}.py").read_text(encoding="utf-8"), _read_files(name))
        except UnicodeDecodeError:
            raise InvalidMaster(f"The master '{name}.py' is not UTF-8. Save it with that encoding.") from None

    @cached_property
    def notebook(self) -> NotebookNode:
        """The notebook with solutions and hidden tests. Treat it as read-only: copy before changing.

        Addresses are filled in, and every cell has a lasting id: its grade id, or its place.
        """
        notebook = jupytext.reads(self.filled.source, fmt="py:percent")
        for index, cell in enumerate(notebook.cells):
            cell["id"] = grade_id(cell) or f"{self.name.replace('_', '-')}-{index:03d}"
            cell.metadata.pop("lines_to_next_cell", None)  # Jupytext's own note
        return notebook

    @cached_property
    def filled(self) -> Master:
        """The same master without placeholders: all that a verdict depends on, wherever it is judged."""
        return dataclasses.replace(self, source=_PLACEHOLDER.sub(self._filling, self.source))

    def _filling(self, placeholder: re.Match[str]) -> str:
        if placeholder[1] is None:
            return setup_line(
                *re.findall(r"[\w.-]+", placeholder[2]), data_of=self.name if self.files else ""
            )
        fillings = {"repository": repository_url, "colab": self.colab_url, "colab_runtime": colab_runtime}
        return fillings[placeholder[1]]()

    def colab_url(self) -> str:
        """Where Colab opens the student notebook."""
        return colab_url(f"assignments/{self.name}/{self.name}.ipynb")

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """What is graded by tests, in notebook order."""
        tests = [cell for cell in self.notebook.cells if is_test(cell)]
        own = {_tested(cell) for cell in tests}
        return tuple(_question(cell, own, self._defined) for cell in tests)

    @cached_property
    def graded_names(self) -> dict[str, str]:
        """All names that students define to be graded, and for each the grade id of its answer cell."""
        return {name: question.cell for question in self.questions for name in question.answers}

    @cached_property
    def values(self) -> frozenset[str]:
        """Those of the graded names that stand for a value, not for a function or class."""
        functions = {name for names in self._defined.values() for name, callable in names.items() if callable}
        tests = "\n".join(question.test for question in self.questions)
        called = set(re.findall(r"\b(\w+)\(", tests))
        return frozenset(self.graded_names.keys() - functions - called)

    @cached_property
    def _defined(self) -> dict[str, dict[str, bool]]:
        """By answer cell what its solution defines, see `_definitions`."""
        return {grade_id(cell): _definitions(cell.source) for cell in self.notebook.cells if is_answer(cell)}

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

    @property
    def data(self) -> dict[str, bytes]:
        """The data files: contents by name."""
        return dict(self.files)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the master's source and data files; the solved notebook carries it."""
        digest = hashlib.sha256(self.source.encode())
        for name, content in self.files:
            digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def check(self) -> None:
        """Raise InvalidMaster when the master breaks a rule that releasing or grading relies on."""
        breaches = [
            *_unreadable_metadata(self.source),
            *_breaches(self.notebook.cells),
            *_unfilled(self.notebook.cells),
            *_unknown_packages(self.source),
            *_unreachable_files(self),
        ]
        if breaches:
            raise InvalidMaster(f"The master {self.name!r} cannot be released.\n  " + "\n  ".join(breaches))


def _read_files(name: str) -> tuple[tuple[str, bytes], ...]:
    """Names and contents of an assignment's data files, sorted by name. Raises InvalidMaster."""
    folder = FOLDER / name / DATA
    found = sorted(path for path in folder.glob("*") if not path.name.startswith("."))
    for path in found:
        if path.is_symlink() or not path.is_file() or not _FILE_NAME.fullmatch(path.name):
            raise InvalidMaster(
                f"{_shown(path)} cannot be released: the folder {DATA} holds plain files, whose names have "
                "letters (A to Z, a to z), digits, dots, hyphens and underscores."
            )
    size = sum(path.stat().st_size for path in found)
    if size > MOST_DATA_BYTES:
        raise InvalidMaster(
            f"The files in {_shown(folder)} have {size / 2**20:.1f} MiB; at most {MOST_DATA_BYTES // 2**20} "
            "are allowed, as every student and every grading process gets them."
        )
    return tuple((path.name, path.read_bytes()) for path in found)


def _shown(path: Path) -> str:
    return str(path.relative_to(FOLDER.parent))


def _unreadable_metadata(source: str) -> Iterator[str]:
    for number, line in enumerate(source.splitlines(), start=1):
        if found := _METADATA.match(line):
            try:
                json.JSONDecoder().raw_decode(found[1])
            except ValueError as error:
                yield f"Line {number}: the metadata of nbgrader are not JSON ({error})."


def _unfilled(cells: list[NotebookNode]) -> Iterator[str]:
    """Placeholders with a typing error, where one is plainly meant: as a link, and in the setup cell."""
    for cell in cells:
        for text in re.findall(r"(?<=\]\(){{.*?}}", cell.source) + (
            re.findall(r"{{.*?}}", cell.source) if grade_id(cell) == SETUP else []
        ):
            yield f"{_place(cell)}: {text} is no placeholder. There are {{{{colab}}}} and {{{{setup()}}}}."


def _unknown_packages(source: str) -> Iterator[str]:
    known = set(re.findall(r"^([\w.-]+)==", COLAB_PINS.read_text(encoding="utf-8"), re.MULTILINE))
    for names in re.findall(r"{{setup\(([^)]*)\)}}", source):
        for name in re.findall(r"[\w.-]+", names):
            if name not in known:
                yield f"Cell {SETUP!r}: {name!r} is not in colab/constraints.txt. Correct or add it."


def _unreachable_files(master: Master) -> Iterator[str]:
    if master.files and not any(grade_id(cell) == SETUP for cell in master.notebook.cells):
        yield (
            f"It has data files, which Colab fetches in the cell {SETUP!r}: add a cell of that grade_id with "
            "{{setup()}}."
        )


def _question(test: NotebookNode, tested: set[str], defined: dict[str, dict[str, bool]]) -> Question:
    """The question of a test cell: it grades its namesake, and what else that cell defines without tests."""
    name = _tested(test)
    homes = [cell for cell, names in defined.items() if name == cell or name in names]
    home = name if name in homes else next(iter(homes), name)
    mentioned = _mentioned(test.source)
    answers = [item for item in defined.get(home, {}) if item == name or item in mentioned - tested]
    return Question(
        name, test.metadata.nbgrader.get("points", 0), test.source, home, tuple(answers or [name])
    )


def _tested(cell: NotebookNode) -> str:
    """The question that a test cell is called after."""
    return grade_id(cell).removeprefix("test_")


def _definitions(source: str) -> dict[str, bool]:
    """The names that code sets at its top level, and whether each is given a function or class."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return {}
    found: dict[str, bool] = {}
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found[node.name] = True
            case ast.Assign(targets=targets):
                is_function = isinstance(node.value, ast.Lambda)
                names = [item.id for target in targets for item in ast.walk(target) if _is_stored(item)]
                found |= dict.fromkeys(names, is_function)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = isinstance(node.value, ast.Lambda)
    return found


def _mentioned(test: str) -> set[str]:
    """The names that a test cell uses, also in expressions that it sends, but not in what students read."""
    try:
        waiting: list[ast.AST] = [ast.parse(test)]
    except SyntaxError:
        return set()
    found = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"\w+", node.value))
        waiting += node.body if _is_property(node) else ast.iter_child_nodes(node)
    return found


def _is_property(node: ast.AST) -> bool:
    """Whether it is a block `with check(...)`."""
    call = node.items[0].context_expr if isinstance(node, ast.With) else None
    return isinstance(call, ast.Call) and getattr(call.func, "id", "") == "check"


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _written(cell: NotebookNode) -> Written:
    answer = _MODEL_ANSWER.search(cell.source)
    return Written(
        grade_id(cell),
        cell.metadata.nbgrader.points,
        stub=_MODEL_ANSWER.sub(text_stub(), cell.source),
        model=answer[1].strip() if answer else "",
    )


def blank(source: str) -> str:
    """An answer cell in which a statement that does nothing replaces each solution."""
    return _SOLUTION.sub(r"\1pass\n", source)


def names() -> list[str]:
    """The names of all assignments, sorted; files whose names break the naming rule are left out."""
    return [name for name in _stems() if _NAME.fullmatch(name)]


def misnamed() -> list[str]:
    """The masters, without `.py`, whose names break the naming rule."""
    return [name for name in _stems() if not _NAME.fullmatch(name)]


def _stems() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.name.startswith((".", "__")))


def grade_id(cell: NotebookNode) -> str:
    """nbgrader's name of a cell, or the empty string."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


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


def setup_line(*needed: str, data_of: str = "") -> str:
    """The line with which a notebook begins that needs these packages, in Colab only: it installs them there.

    data_of: the assignment whose data files it fetches, too.
    """
    fetch = f" && cp -r course/assignments/{data_of}/{DATA} ." if data_of else ""
    needed_here = "".join(f" {name}" for name in needed) + fetch
    return _SETUP_LINE.format(repository=repository_url(), needed=needed_here)


def colab_runtime() -> str:
    """The runtime that the notebooks were tested with, as constraints.txt for Colab names it."""
    return re.search(r"Colab's runtime of (.+)\.$", COLAB_PINS.read_text(encoding="utf-8"), re.MULTILINE)[1]


def _repository() -> dict[str, str]:
    return _parsed(BOOK_CONFIG.read_text(encoding="utf-8"))["repository"]


_parsed = cache(yaml.safe_load)  # the same text is asked for hundreds of addresses


def _breaches(cells: list[NotebookNode]) -> Iterator[str]:
    yield from _repeated_names(cells)
    for cell in cells:
        yield from _marker_breaches(cell, "SOLUTION", _has_role(cell, "solution"), "an answer cell")
        yield from _marker_breaches(cell, "HIDDEN TESTS", is_test(cell), "a test cell")
    yield from _unpaired_questions(cells)
    yield from _names_that_no_cell_can_have(cells)
    for cell in cells:
        if is_answer(cell) and "### BEGIN SOLUTION" not in cell.source:
            yield f"{_place(cell)}: put the solution between ### BEGIN SOLUTION and ### END SOLUTION."
        if is_test(cell):
            yield from _test_breaches(cell)
        if is_written(cell):
            yield from _written_breaches(cell)
    yield from _points_that_differ(cells)
    yield from _training_breaches(cells)


def _place(cell: NotebookNode) -> str:
    return f"Cell {grade_id(cell) or cell.source.partition(chr(10))[0][:60]!r}"


def _repeated_names(cells: list[NotebookNode]) -> Iterator[str]:
    counts = collections.Counter(filter(None, map(grade_id, cells)))
    for name, count in counts.items():
        if count > 1:
            yield f"The grade_id {name!r} occurs {count} times: give every cell its own."


def _names_that_no_cell_can_have(cells: list[NotebookNode]) -> Iterator[str]:
    for cell in filter(grade_id, cells):
        allowed = _QUESTION_ID if is_answer(cell) or is_test(cell) else _GRADE_ID
        if not allowed.fullmatch(grade_id(cell)):
            yield (
                f"The grade_id {grade_id(cell)!r} has to be changed: it holds letters (A to Z, a to z), "
                "digits and underscores, 64 at most."
            )


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
    defined = {grade_id(cell): _definitions(cell.source) for cell in cells if is_answer(cell)}
    tests = {_tested(cell): cell.source for cell in cells if is_test(cell)}
    counts = collections.Counter(name for names in defined.values() for name in names)
    for name in filter(tests.__contains__, counts):
        if counts[name] > 1:
            yield f"{name!r} is defined by {counts[name]} answer cells: give each graded name one."
    for cell in filter(is_test, cells):
        name = _tested(cell)
        if not grade_id(cell).startswith("test_") or not (name in counts or name in defined):
            yield (
                f"Cell {grade_id(cell)!r}: a test cell is called test_NAME, and NAME is an answer cell or "
                "what an answer cell defines."
            )
    for cell in filter(is_answer, cells):
        yield from _untested(cell, tests)


def _untested(cell: NotebookNode, tests: dict[str, str]) -> Iterator[str]:
    """What students are asked to write in an answer cell, and no test cell of it uses."""
    name = grade_id(cell)
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        yield f"Cell {name!r}: the solution has a syntax error ({error.msg}, line {error.lineno})."
        return
    try:
        ast.parse(blank(cell.source))
    except SyntaxError as error:
        yield f"Cell {name!r}: without its solution it is not Python ({error.msg}, line {error.lineno})."
        return
    names = _definitions(cell.source)
    own = [test for question, test in tests.items() if question == name or question in names]
    if name not in tests:
        yield f"Cell {name!r}: there is no test cell 'test_{name}', so nothing would grade this answer."
        return
    mentioned = set().union(*map(_mentioned, own))
    if not mentioned & names.keys():
        yield f"Cell {name!r}: its test cell uses nothing that it defines ({', '.join(names) or 'no name'})."
    for other in sorted(_asked(cell.source) - mentioned - tests.keys()):
        yield f"Cell {name!r} asks for {other!r}, which no test cell of it uses."


def _asked(source: str) -> set[str]:
    """The functions and classes of an answer cell in which students find a gap."""
    solved, gaps = _declared_in(source), _declared_in(blank(source))
    return {name for name in solved.keys() & gaps.keys() if solved[name] != gaps[name]}


def _declared_in(source: str) -> dict[str, str]:
    """The functions and classes at the top level of code, and what they say."""
    kinds = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
    return {node.name: ast.dump(node) for node in ast.parse(source).body if isinstance(node, kinds)}


def _test_breaches(cell: NotebookNode) -> Iterator[str]:
    if not _has_points(cell):
        yield f"{_place(cell)}: give it points, a number above 0, in its nbgrader metadata."
        return
    if is_training(cell):
        yield f"{_place(cell)}: a test cell is graded, so it cannot carry the tag {TRAINING_TAG!r}."
    hidden = _HIDDEN.search(cell.source)
    if hidden and hidden.group().splitlines()[1].strip() != "check.hide()":
        yield f"{_place(cell)}: hidden tests begin with check.hide(), or their inputs would be shown."
    name, points = _tested(cell), cell.metadata.nbgrader.points
    if (found := _declared(cell.source)) != (name, points):
        yield f"{_place(cell)}: it should open Checks({name!r}, points={points}); found {found}."
    elif not _SCORED.search(cell.source.rstrip()):
        yield f"{_place(cell)}: its last line must be check.score(), which gives the points."


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


def _points_that_differ(cells: list[NotebookNode]) -> Iterator[str]:
    """Where the text says what an exercise is worth, and its cell says something else."""
    worth = {grade_id(cell): cell.metadata.nbgrader.points for cell in cells if _has_points(cell)}
    tests = {_tested(cell): worth[grade_id(cell)] for cell in cells if is_test(cell) and _has_points(cell)}
    above = ""
    for cell in cells:
        if is_answer(cell):
            names = dict.fromkeys([grade_id(cell), *_definitions(cell.source)])
            yield from _differing(cell, above, [tests[name] for name in names if name in tests])
            above = ""
        elif is_written(cell):
            yield from _differing(cell, above, [worth[name] for name in [grade_id(cell)] if name in worth])
            above = ""
        elif cell.cell_type == "markdown":
            above += f"\n{cell.source}"
            yield from _differing_for_all(cell, tests, sum(worth.values()))


def _differing(cell: NotebookNode, above: str, points: list[float]) -> Iterator[str]:
    """Whether the text above an exercise names one number of points, and its cells have another."""
    stated = {_number(text) for groups in _STATED_OF_EXERCISE.findall(above) for text in groups if text}
    allowed = {sum(points), *(points if len(set(points)) == 1 else ())}
    if len(stated) == 1 and points and not stated & allowed:
        yield (
            f"{_place(cell)}: the text above says {stated.pop():g} points, the metadata {sum(points):g}. "
            "Correct one of them."
        )


def _differing_for_all(cell: NotebookNode, tests: dict[str, float], total: float) -> Iterator[str]:
    """Where a text says what all exercises are worth together, in the title, or what each of them is."""
    automatic = sum(tests.values())
    for stated in map(_number, _STATED_IN_TITLE.findall(cell.source)):
        if stated not in (automatic, total):
            yield f"{_place(cell)}: it says {stated:g} points, the cells have {total:g} together."
    for stated in map(_number, _STATED_OF_EACH.findall(cell.source)):
        for name, points in tests.items():
            if points != stated:
                yield f"Cell 'test_{name}' has {points:g} points; the text says that each has {stated:g}."


def _number(text: str) -> float:
    word = text.lower()
    return float(_NUMBER_WORDS.index(word) if word in _NUMBER_WORDS else word)


def _has_points(cell: NotebookNode) -> bool:
    points = cell.metadata.get("nbgrader", {}).get("points")
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
