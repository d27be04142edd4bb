"""Which cell of the master a submitted cell is, and what of it is the student's own."""

from __future__ import annotations

import ast
import dataclasses
import re
from functools import cache, cached_property

from rapidfuzz import fuzz, process

from autograder.alignment.definitions import DEFINITIONS, Code, is_hole
from autograder.alignment.notebook import Cell
from autograder.master import TRAINING_TAG, Master, blank, grade_id, is_answer, is_test, is_training

_ALIKE = 80  # per cent: then an unnamed cell is the master's
_RELATED = 50  # per cent: then a cell that is said to be for training is one
_TESTED = re.compile(r"\bChecks\(\s*[\"'](\w+)[\"']")
_FENCES = re.compile(r"\A\s*```\w*\n(.*?)\n```\s*\Z", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Match:
    """A submitted cell. role: a grade id of the master, "training", or "" for a cell of the student's own."""

    cell: Cell
    role: str
    code: Code

    @cached_property
    def tested(self) -> frozenset[str]:
        """The questions whose tests it holds, going by its code."""
        return frozenset(_TESTED.findall(self.cell.source)) if self.cell.kind == "code" else frozenset()


class Given:
    """What a master gives to students, for comparison with what they hand in.

    setup, tests: the locked cells by grade id, tests as students see them; homes: by graded name the grade
    id of its answer cell; values: the graded names that are not functions; questions, written: names of
    questions; binds, defined_in_training: the names that the setup and the training section set.
    """

    def __init__(self, master: Master) -> None:
        cells = master.notebook.cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        self.questions = [question.name for question in master.questions]
        self.homes = master.graded_names
        self.values = master.values
        self.written = [question.name for question in master.written]
        self.tests = {f"test_{question.name}": question.visible_test for question in master.questions}
        self.setup = {
            grade_id(cell): cell.source
            for cell in code
            if grade_id(cell) and not is_answer(cell) and not is_test(cell)
        }
        self._blank = {grade_id(cell): _statements([blank(cell.source)]) for cell in code if is_answer(cell)}
        self.training = [cell.source for cell in code if is_training(cell)]
        last_test = max(place for place, cell in enumerate(cells) if is_test(cell))
        self._between = {cell.source for cell in cells[:last_test] if is_training(cell)}
        self._prose = [cell.source.strip() for cell in cells if cell.cell_type == "markdown"]
        self._roles = {*self.homes.values(), *self.written, *self.tests, *self.setup}
        self._training_ids = {cell["id"] for cell in code if is_training(cell)}
        texts = [(source, role) for role, source in (self.setup | self.tests).items()]
        self._texts = {_plain(source): role for source, role in texts}
        hidden = [question.test for question in master.questions]
        self._statements = _statements([*self.setup.values(), *hidden, *self.training])
        self._training_statements = _statements(self.training)
        unchanged = [*self.setup.values(), *self.tests.values(), *(cell.source for cell in cells)]
        self._codes = {source: self._parsed(source) for source in unchanged}  # parsed once for a class
        self.defined_in_training = frozenset().union(*(Code(source).binds for source in self.training))
        self.binds = frozenset().union(*(Code(source).binds for source in self.setup.values()))

    def match(self, cell: Cell) -> Match:
        """The cell's counterpart: by grade id, by cell id, by what it holds."""
        fenced = _FENCES.match(cell.source) if cell.kind != "code" else None
        code = self._code(fenced[1] if fenced else cell.source)
        return Match(cell, self._role(cell, code), code)

    def _code(self, source: str) -> Code:
        """The code in a cell, also where it was joined with the master's prose."""
        code = self._codes.get(source) or self._parsed(source)
        if code.tree or source in self._codes:
            return code
        for prose in filter(None, self._prose):
            source = source.replace(prose, "")
        rest = self._parsed(source)
        return rest if rest.tree else code

    def _role(self, cell: Cell, code: Code) -> str:
        if cell.grade_id in self._roles:
            return cell.grade_id
        marked = cell.training or cell.id in self._training_ids
        if cell.kind == "code" and self._is_training(code, _RELATED if marked else _ALIKE):
            return TRAINING_TAG
        if cell.id in self._roles:
            return cell.id
        return self._texts.get(_plain(cell.source)) or (self._alike(code) if cell.kind == "code" else "")

    def _is_training(self, code: Code, likeness: float) -> bool:
        if any(item.name in self.homes and item.state != "value" for item in code.definitions):
            return False
        return _most_alike(code.source, self.training, likeness) is not None

    def begins_training(self, match: Match) -> bool:
        """Whether it is a training cell of the section below the last question, and not one in between."""
        if match.role != TRAINING_TAG:
            return False
        return _most_alike(match.code.source, self.training, 0) not in self._between

    def _alike(self, code: Code) -> str:
        tested = [name for name in _TESTED.findall(code.source) if name in self.questions]
        if tested:
            return f"test_{tested[0]}"
        if any(item.name in self.homes for item in code.definitions):
            return ""
        found = _most_alike(code.source, list(self._texts), _ALIKE)
        return "" if found is None else self._texts[found]

    def locked(self, match: Match) -> list[str]:
        """The names of the setup and test cells that a cell holds, be it joined with others."""
        names = {f"test_{name}" for name in match.tested} | {match.role}
        return [name for name in (*self.setup, *self.tests) if name in names]

    def recognised(self, match: Match) -> set[str]:
        """The master's cells that a cell was taken for, by whatever tells."""
        defined = () if match.role else self.defined(match.code)
        return {match.role, *self.locked(match), *(self.homes[name] for name in defined)}

    def is_edited(self, match: Match, name: str) -> bool:
        """Whether the cell holds something else than the setup or test cell `name`, apart from layout."""
        source = (self.setup | self.tests)[name]
        if _plain(match.cell.source) == _plain(source):
            return False
        theirs, ours = match.code.says, self._codes[source].says
        if match.role != name or self.defined(match.code):
            return not set(ours) <= set(theirs)
        return ours != theirs

    def defined(self, code: Code) -> set[str]:
        """The graded names that it defines."""
        return {item.name for item in code.definitions if item.name in self.homes}

    def is_blank(self, home: str, code: Code) -> bool:
        """Whether the code of answer cell `home` says nothing that students were not given."""
        said = zip(code.statements, code.says, strict=True)
        own = (node for node, says in said if not is_hole(node) and says not in self._blank[home])
        return code.tree is not None and not code.magic and not any(own)

    def own_part(self, match: Match) -> Code | None:
        """What of the cell is to run as the student's, or None.

        Of a setup or test cell, what was added: without the master's statements, whatever gives another
        value to a name that the setup sets, and, in a test cell, whatever defines nothing.
        """
        if match.role == TRAINING_TAG or match.role in self.written:
            return None
        if not self.locked(match):
            return self._without_training(match.code)
        own = self._added(match) if match.code.tree else self._cut(match)
        return own if own.statements or self.defined(own) else None

    def _without_training(self, code: Code) -> Code:
        """An answer joined with a training cell, without what trains; other cells as they are."""
        trains = [
            node
            for node, says in zip(code.statements, code.says, strict=True)
            if says in self._training_statements and not _is_declaration(node)
        ]
        return code.replaced(dict.fromkeys(trains, "")) if trains and self.defined(code) else code

    def _added(self, match: Match) -> Code:
        in_test = any(name in self.tests for name in self.locked(match))
        known = zip(match.code.statements, match.code.says, strict=True)
        replacements = {
            node: "" if says in self._statements else self._rewritten(node, in_test) for node, says in known
        }
        return match.code.replaced({node: text for node, text in replacements.items() if text is not None})

    def _rewritten(self, node: ast.stmt, in_test: bool) -> str | None:
        """What is left of a statement; None if all of it."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            return self._rewritten_import(node)
        bound = _bound(node)
        if bound & self.binds or (in_test and not bound):
            return ""
        return None if isinstance(node, DEFINITIONS) or not _mentions_check(node) else ""

    def _rewritten_import(self, node: ast.Import | ast.ImportFrom) -> str | None:
        left = [item for item in node.names if (item.asname or item.name).partition(".")[0] not in self.binds]
        if len(left) == len(node.names):
            return None
        return ast.unparse(type(node)(**{**dict(ast.iter_fields(node)), "names": left})) if left else ""

    def _cut(self, match: Match) -> Code:
        """A cell that is not Python, without the texts of setup and test cells."""
        source = match.cell.source
        for text in (*self.setup.values(), *self.tests.values()):
            source = source.replace(text.strip(), "")
        return self._parsed(source if self.defined(self._parsed(source)) else "")

    def _parsed(self, source: str) -> Code:
        return Code(source, self.values)


@cache
def given(master: Master) -> Given:
    """What `master` gives; kept, as it is the same for a whole class."""
    return Given(master)


def _plain(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _statements(sources: list[str]) -> frozenset[str]:
    return frozenset(says for source in sources for says in Code(source).says)


def _most_alike(source: str, others: list[str], likeness: float) -> str | None:
    found = process.extractOne(source, others, scorer=fuzz.ratio, score_cutoff=likeness)
    return found[0] if found else None


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, DEFINITIONS):
        return {node.name}
    stored = {
        item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }
    return stored | {item.name for item in ast.walk(node) if isinstance(item, DEFINITIONS)}


def _is_declaration(node: ast.stmt) -> bool:
    """Whether it only gives names to functions, modules and constants."""
    if isinstance(node, ast.Assign):
        return not any(isinstance(item, ast.Call) for item in ast.walk(node))
    return isinstance(node, (*DEFINITIONS, ast.Import, ast.ImportFrom))


def _mentions_check(node: ast.stmt) -> bool:
    return any(isinstance(item, ast.Name) and item.id in ("check", "Checks") for item in ast.walk(node))
