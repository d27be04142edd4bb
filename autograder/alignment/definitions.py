"""What the code of a cell defines and uses, found without running it."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import re
import symtable
import textwrap
import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

# IPython's magics, shell commands and help, also where a name is given to what they return.
_NOT_PYTHON = re.compile(r"^([ \t]*(?:\w[\w., \t]*=[ \t]*)?)([%!?].*|[\w.]+\?+[ \t]*)$", re.MULTILINE)
_TIMED = re.compile(r"%time[ \t]+(?!-)")
_RUN = re.compile(r"^[ \t]*%(?:run|pylab)\b", re.MULTILINE)
_TRANSPARENT = ("%%time", "%%capture", "%%prun")  # cell magics whose body defines names as usual
_HEADER = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
_SET = re.compile(r"^(\w+)[ \t]*=(?!=)", re.MULTILINE)
_ASSIGNED = re.compile(r"^(\w+)[ \t]*=(?!=)", re.MULTILINE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_BUILT_IN = frozenset(dir(builtins))

State = Literal["written", "blocked", "stub", "value", "broken"]


@dataclasses.dataclass(frozen=True)
class Definition:
    """A name that a cell gives a function, a class, or something that may be one.

    state: "stub" is left as it was given, "blocked" has code below `raise NotImplementedError`,
    "value" gives a function by assignment or import, "broken" stands in a cell that is not Python.
    tree: what it says, apart from its docstring and layout.
    """

    name: str
    state: State
    tree: str
    node: ast.stmt | None = None


class Code:
    """The code of a cell.

    tree: None where it cannot be parsed; magic: the cell magic, such as "%%bash", that takes the cell for
    something else than Python of this notebook. Such a cell runs, and there are no statements in it;
    values: the names that stand for values, so that any assignment defines them.
    """

    def __init__(self, source: str, values: frozenset[str] = frozenset()) -> None:
        self.source = source
        self.values = values
        self.magic, self._body = _under_magic(source)
        self._python, self.tree = ("", ast.Module([], [])) if self.magic else _parsed(self._body)

    @property
    def statements(self) -> list[ast.stmt]:
        """The statements at the top level; none where it cannot be parsed."""
        return self.tree.body if self.tree else []

    @property
    def acts(self) -> bool:
        """Whether there is anything to run."""
        return bool(self.magic or self.statements) or self.tree is None

    @cached_property
    def beneath(self) -> frozenset[str]:
        """What the text below its magic would define, were it Python of this notebook."""
        return frozenset(_HEADER.findall(self._body)) | Code(self._body).binds if self.magic else frozenset()

    @cached_property
    def says(self) -> tuple[str, ...]:
        """What its statements say, apart from their layout."""
        return tuple(map(_text, self.statements))

    @cached_property
    def is_complete(self) -> bool:
        """Whether it can stand in a cell of its own: it parses, and returns only inside of functions."""
        return self.tree is not None and not any(isinstance(node, ast.Return) for node in _outside(self.tree))

    @property
    def is_open_ended(self) -> bool:
        """Whether more of its last function may follow: that does not end with `return` yet."""
        last = self.statements[-1] if self.is_complete and self.statements else None
        return last is None or (isinstance(last, _FUNCTIONS) and not isinstance(last.body[-1], ast.Return))

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """What it defines at the level of the notebook, in order, also inside of `if`, `try` and loops."""
        if self.tree is None:
            found = self.values.intersection(_SET.findall(self.source)).union(_HEADER.findall(self.source))
            names = sorted(found, key=self.source.index)
            return tuple(Definition(name, "broken", self.source) for name in names)
        found = [item for node in _outside(self.tree) for item in _definitions(node, self.values)]
        return tuple(sorted(found, key=lambda item: item.node.lineno))

    @cached_property
    def first_raise(self) -> int | None:
        """The line at which `raise NotImplementedError` ends the cell; None if none does."""
        raises = (node.lineno for node in self.statements if isinstance(node, ast.Raise) and is_hole(node))
        return next(raises, None)

    @cached_property
    def inner(self) -> frozenset[str]:
        """The functions defined inside of classes and other functions."""
        every = {
            node.name for node in ast.walk(self.tree or ast.Module([], [])) if isinstance(node, _FUNCTIONS)
        }
        return frozenset(every - {item.name for item in self.definitions})

    @cached_property
    def _names(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names that it binds and those that it uses, both at the level of the notebook."""
        if self.tree is None:
            return frozenset(_HEADER.findall(self._body) + _ASSIGNED.findall(self._body)), frozenset()
        try:
            top = symtable.symtable(self._python if self.tree else "", "<cell>", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return frozenset(), frozenset()
        bound = {
            item.get_name()
            for item in top.get_symbols()
            if item.is_assigned() or item.is_imported() or item.is_namespace()
        }
        used, tables = set(), [top]
        while tables:
            table = tables.pop()
            tables += table.get_children()
            symbols = (item for item in table.get_symbols() if item.is_referenced())
            used |= {item.get_name() for item in symbols if table is top or item.is_global()}
        return frozenset(bound), frozenset(used - _BUILT_IN)

    @property
    def binds(self) -> frozenset[str]:
        """The notebook's names that it sets."""
        return self._names[0]

    @cached_property
    def binds_unseen(self) -> bool:
        """Whether it may set names that do not stand in it: by `from ... import *`, `%run` or `exec`."""
        every = _outside(self.tree or ast.Module([], []))
        imports = [node for node in every if isinstance(node, ast.ImportFrom)]
        stars = any(item.name == "*" for node in imports for item in node.names)
        return stars or "exec(" in self._body or _RUN.search(self._body) is not None

    @property
    def uses(self) -> frozenset[str]:
        """The notebook's names that it reads, at once or when its functions are called."""
        return self._names[1]

    def replaced(self, replacements: dict[ast.stmt, str]) -> Code:
        """The same code with other text in the place of some statements.

        All lines stay where they are, unless several statements share one.
        """
        ends = [node.end_lineno for node in self.statements]
        if any(_first_line(node) == end for node, end in zip(self.statements[1:], ends, strict=False)):
            texts = [replacements.get(node, ast.unparse(node)) for node in self.statements]
            return Code("\n".join(texts), self.values)
        lines = self.source.split("\n")
        for node, text in replacements.items():
            first, last = _first_line(node), node.end_lineno
            lines[first - 1 : last] = [text, *[""] * (last - first)]
        return Code("\n".join(lines), self.values)


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])


def _parsed(body: str) -> tuple[str, ast.Module | None]:
    """The Python in `body`, and its syntax tree; magics and shell commands stand there as strings."""
    for attempt in (body, textwrap.dedent(_NOT_PYTHON.sub(_as_python, body))):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(attempt)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return attempt, tree
    return body, None


def _as_python(line: re.Match[str]) -> str:
    timed = _TIMED.match(line[2])
    return line[1] + (line[2][timed.end() :] if timed else repr(line[2]))


def _under_magic(source: str) -> tuple[str, str]:
    """The cell magic that takes a cell for something else than Python, or "", and what is below it.

    Lines of magics that run their cell as usual become empty lines.
    """
    above = ""
    while True:
        first, _, rest = source.lstrip("\n").partition("\n")
        if not first.startswith("%%"):
            return "", above + source
        above += "\n" * (len(source) - len(source.lstrip("\n")) + 1)
        magic, source = first.split()[0], rest
        if magic not in _TRANSPARENT:
            return magic, above + source


def _outside(tree: ast.Module) -> Iterator[ast.stmt]:
    """All statements that are not inside of a function or class."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, DEFINITIONS):
            waiting += [
                child
                for child in ast.iter_child_nodes(node)
                if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)
            ]


def _definitions(node: ast.stmt, values: frozenset[str]) -> list[Definition]:
    if isinstance(node, _FUNCTIONS):
        body = _without_docstring(node.body)
        return [Definition(node.name, _state(body), _text([node.args, body, node.decorator_list]), node)]
    if isinstance(node, ast.ClassDef):
        return [Definition(node.name, _class_state(node), _text(node), node)]
    filled = [Definition(name, _value_state(node), _text(node), node) for name in _assigned(node) & values]
    return filled + [
        Definition(name, "value", _text(node), node) for name in _named_values(node) if name not in values
    ]


def _assigned(node: ast.stmt) -> set[str]:
    """The names that an assignment sets."""
    match node:
        case ast.Assign(targets):
            pass
        case ast.AnnAssign(target, value=ast.expr()) | ast.AugAssign(target):
            targets = [target]
        case _:
            return set()
    stored = (item for target in targets for item in ast.walk(target) if isinstance(item, ast.Name))
    return {item.id for item in stored if isinstance(item.ctx, ast.Store)}


def _value_state(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> State:
    return "stub" if _is_blank(node.value) else "written"


def _is_blank(value: ast.expr) -> bool:
    """Whether it is None or `...`, or a collection of nothing else."""
    match value:
        case ast.Constant(None) | ast.Constant(builtins.Ellipsis):
            return True
        case ast.Dict(values=items) | ast.List(items) | ast.Tuple(items):
            return bool(items) and all(map(_is_blank, items))
    return False


def _text(tree: Any) -> str:
    """What a syntax tree says, apart from its layout: `ast.dump` for trees of any depth."""
    parts, waiting = [], [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, ast.AST):
            fields = [value for name, value in ast.iter_fields(item) if name not in ("ctx", "kind")]
            parts.append(type(item).__name__)
            waiting += [*fields[::-1], "("]
        elif isinstance(item, list):
            waiting += [")", *item[::-1], "["]
        else:
            parts.append(hex(item) if type(item) is int else repr(item))
    return " ".join(parts)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if is_text and isinstance(first.value.value, str) else body


def _state(body: list[ast.stmt]) -> State:
    """Of a function with this body."""
    holes = [index for index, node in enumerate(body) if is_hole(node)]
    if len(holes) == len(body):
        return "stub"
    raises = [index for index in holes if isinstance(body[index], ast.Raise)]
    return "blocked" if raises and raises[0] < len(body) - 1 else "written"


def is_hole(node: ast.stmt) -> bool:
    """Whether a statement says that nothing is written yet."""
    match node:
        case ast.Pass() | ast.Expr(ast.Constant()):
            return True
        case ast.Raise(ast.Name("NotImplementedError") | ast.Call(ast.Name("NotImplementedError"))):
            return True
    return False


def _class_state(node: ast.ClassDef) -> State:
    states = {_state(_without_docstring(item.body)) for item in node.body if isinstance(item, _FUNCTIONS)}
    if "blocked" in states:
        return "blocked"
    rest = [item for item in _without_docstring(node.body) if not isinstance(item, _FUNCTIONS)]
    return "stub" if states <= {"stub"} and all(map(is_hole, rest)) else "written"


def _named_values(node: ast.stmt) -> list[str]:
    """The names that a statement sets to what may be a function."""
    match node:
        case ast.Import(aliases) | ast.ImportFrom(names=aliases):
            return [(alias.asname or alias.name).partition(".")[0] for alias in aliases]
        case ast.Assign(targets, value):
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(ast.Name(name), value=value):
            names = [name]
        case _:
            return []
    match value:
        case ast.Call(ast.Name(called)) if called in names:
            return []  # a result called like its function
        case ast.Lambda() | ast.Call() | ast.Name() | ast.Attribute():
            return names
    return []
