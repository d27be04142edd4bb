"""From the book's Markdown (MyST) to the Markdown that Colab and Jupyter show: no directives, no roles.

Boxes become quotations, what unfolds becomes <details>, references become links or words, equations keep
numbers, and numbers that the book glues in from a run become the names under which the notebook prints them.
"""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath

import pybtex.database
from pybtex.richtext import Text

_OPENING = re.compile(r"^( *)(:{3,}|`{3,})\{([\w:-]+)\} *(.*)$")
_FENCE = re.compile(r"^ *(`{3,}|~{3,})")
_OPTION = re.compile(r"^:([\w-]+): *(.*)$")
_ROLE = re.compile(r"\{([\w:-]+)\}`([^`]+)`")
_NAMED = re.compile(r"^(.*?) *<([^>]+)>$", re.DOTALL)  # text <target>
_FORMULA = re.compile(r"\$\$(.+?)\$\$(?: *\(([\w-]+)\))?", re.DOTALL)
_LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)\s]+)(?=\))")
_DROPPED = re.compile(r"^(\([\w-]+\)=|%( .*)?)$")  # labels and comments
_TARGETS = re.compile(
    r"^\$\$ *\((?P<equation>[\w-]+)\)$"
    r"|^[:`]{3,}\{(?P<kind>[\w:-]+)\} *(?P<title>.*)\n(?::[\w-]+:.*\n)*?:(?:label|name): (?P<label>[\w-]+)$"
    r"|^\((?P<section>[\w-]+)\)=\n#+ (?P<heading>.*)$"
    r"|^ +name: (?P<figure>[\w-]+)$",
    re.MULTILINE,
)


@dataclasses.dataclass(frozen=True)
class Target:
    """What a reference leads to: on which page it stands, and how one calls it there."""

    page: str
    name: str


@dataclasses.dataclass(frozen=True)
class Work:
    """An entry of the bibliography; names: of its authors, without first names."""

    names: tuple[str, ...]
    title: str
    year: str
    url: str

    @property
    def authors(self) -> str:
        """As a text names them."""
        if len(self.names) > 2:
            return f"{self.names[0]} et al."
        return " and ".join(self.names)


@dataclasses.dataclass(frozen=True)
class Book:
    """What references need to know: the pages' texts and titles, their addresses, the bibliography.

    texts: page, such as "chapters/notation", to its Markdown; titles: of these and further pages;
    address: gives the address of a page, or of a file of the repository.
    """

    texts: dict[str, str]
    titles: dict[str, str]
    address: Callable[[str], str]
    bibliography: str

    @cached_property
    def targets(self) -> dict[str, Target]:
        """All labels of the book."""
        return {label: target for page in self.texts for label, target in self._targets_of(page)}

    def _targets_of(self, page: str) -> Iterator[tuple[str, Target]]:
        equations = 0
        for found in _TARGETS.finditer(self.texts[page]):
            kind = (found["kind"] or "").removeprefix("prf:")
            if found["equation"] or kind == "math":
                equations += 1
                yield found["equation"] or found["label"], Target(page, f"({equations})")
            elif found["section"]:
                yield found["section"], Target(page, found["heading"])
            elif found["figure"]:
                yield found["figure"], Target(page, "figure")
            else:
                name = {"list-table": "table"}.get(kind, kind)
                yield found["label"], Target(page, f"{name} “{found['title']}”" if found["title"] else name)

    @cached_property
    def works(self) -> dict[str, Work]:
        """The bibliography, by key."""
        entries = pybtex.database.parse_string(self.bibliography, "bibtex").entries
        return {key: _work(entry) for key, entry in entries.items()}


@dataclasses.dataclass
class Page:
    """One page on its way; `cited` collects the works that it cites."""

    book: Book
    name: str
    cited: set[str] = dataclasses.field(default_factory=set)

    def convert(self, text: str) -> str:
        """`text`, a part of the page, as plain Markdown."""
        return re.sub(r"\n{3,}", "\n\n", self._blocks(text.splitlines())).strip("\n")

    def references(self) -> str:
        """A list of the works that were cited; empty when there are none."""
        works = sorted((self.book.works[key] for key in self.cited), key=lambda work: (work.names, work.year))
        lines = [f"- {', '.join(work.names)} ({work.year}). *{work.title}*. {work.url}" for work in works]
        return "\n".join(["## References", "", *map(str.rstrip, lines)]) if lines else ""

    def _blocks(self, lines: list[str]) -> str:
        parts: list[str] = []
        text: list[str] = []
        rest = iter(enumerate(lines))
        for index, line in rest:
            if not (opening := _OPENING.match(line) or _FENCE.match(line)):
                text.append(line)
                continue
            parts.append(self._text(text))
            text = []
            end = _closing(lines, index)
            if len(opening.groups()) == 1:
                parts.append("\n".join(lines[index : end + 1]) + "\n")
            else:
                parts.append(self._directive(opening[3], opening[4], lines[index + 1 : end]))
            for _ in range(index, min(end, len(lines) - 1)):
                next(rest)
        return "\n".join([part for part in [*parts, self._text(text)] if part])

    def _text(self, lines: Iterable[str]) -> str:
        text = "\n".join(line for line in lines if not _DROPPED.match(line))
        text = _FORMULA.sub(self._formula, text)
        text = _LINK.sub(lambda found: self.book.address(self._path(found[1])), text)
        return _ROLE.sub(self._role, text)

    def _formula(self, found: re.Match[str]) -> str:
        """On one line, since in a quotation every line would begin with a mark that formulas would show."""
        number = rf" \tag{{{self.book.targets[found[2]].name[1:-1]}}}" if found[2] else ""
        return f"$${' '.join(found[1].split())}{number}$$"

    def _directive(self, name: str, argument: str, lines: list[str]) -> str:
        options = {}
        while lines and (option := _OPTION.match(lines[0])):
            options[option[1]] = option[2]
            lines = lines[1:]
        kind = name.removeprefix("prf:")
        if kind == "math":
            label = f" ({options['label']})" if "label" in options else ""
            return self._text([f"$${' '.join(lines)}$${label}"]) + "\n"
        if kind == "index":
            return ""
        if kind == "list-table":
            return self._table(argument, lines)
        body, title = self._blocks(lines).strip("\n"), self._text([argument])
        if kind == "dropdown" or (kind == "solution" and options.get("class") == "dropdown"):
            return _unfolding("Solution" if kind == "solution" else title, body)
        if kind == "proof":
            return _quoted(f"*Proof.* {body} ∎")
        heading = (
            title if kind == "admonition" else f"{kind.capitalize()}: {title}" if title else kind.capitalize()
        )
        return _quoted(f"**{heading}**\n\n{body}")

    def _table(self, title: str, lines: list[str]) -> str:
        rows: list[list[str]] = []
        for line in lines:
            if line.startswith("* - "):
                rows.append([line[4:]])
            elif line.startswith("  - "):
                rows[-1].append(line[4:])
            elif line.strip():
                rows[-1][-1] += f" {line.strip()}"
        shown = [f"| {' | '.join(self._text([cell]) for cell in row)} |" for row in rows]
        rule = f"|{' --- |' * len(rows[0])}"
        return "\n".join(
            [*([f"**{self._text([title])}**", ""] if title else []), shown[0], rule, *shown[1:], ""]
        )

    def _role(self, found: re.Match[str]) -> str:
        role, content = found[1], found[2]
        named = _NAMED.match(content)
        text, target = (named[1], named[2]) if named else (content, content)
        if role.startswith("glue:"):
            return f"`{content.partition(':')[0]}`"
        if role in ("term", "index"):
            return text
        if role == "code":
            return f"`{content}`"
        if role in ("cite:p", "cite:t"):
            return self._citation(role, content.split(","))
        if role == "colab":
            return f"[Open in Colab]({self.book.address(f'assignments/{content}/{content}')})"
        if role == "download":
            return f"[{text}]({self.book.address(self._path(target))})"
        if role == "doc":
            page = self._path(target)
            return f"[{text if named else self.book.titles[page]}]({self.book.address(page)})"
        if role in ("eq", "prf:ref", "ref", "numref"):
            return self._reference(self.book.targets[target], found.string[: found.start()])
        raise ValueError(f"{self.name}: there is no plain Markdown for {found[0]!r}; add it to {__name__}.")

    def _reference(self, target: Target, before: str) -> str:
        name = target.name
        if not before.strip() or before.endswith(("\n\n", ". ", "? ", ": ")):
            name = name[0].upper() + name[1:]
        if target.page == self.name:
            return name
        return f"{name} of [{self.book.titles[target.page]}]({self.book.address(target.page)})"

    def _citation(self, role: str, keys: list[str]) -> str:
        self.cited.update(keys)
        works = [self.book.works[key] for key in keys]
        if role == "cite:t":
            return ", ".join(f"{work.authors} ({work.year})" for work in works)
        return f"({'; '.join(f'{work.authors}, {work.year}' for work in works)})"

    def _path(self, target: str) -> str:
        """A target of a link as the path inside the repository."""
        if target.startswith("/"):
            return target[1:]
        parts: list[str] = []
        for part in (PurePosixPath(self.name).parent / target).parts:
            if part == "..":
                parts.pop()
            else:
                parts.append(part)
        return "/".join(parts)


def _closing(lines: list[str], start: int) -> int:
    """The line that closes the fence opened at `start`, or the number of lines."""
    fence = re.match(r" *(`+|:+|~+)", lines[start])[1]
    closing = re.compile(rf" *{re.escape(fence[0])}{{{len(fence)},}} *$")
    ends = (index for index in range(start + 1, len(lines)) if closing.match(lines[index]))
    return next(ends, len(lines))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines()) + "\n"


def _unfolding(title: str, body: str) -> str:
    shown = re.sub(r"`([^`]+)`", lambda code: f"<code>{html.escape(code[1])}</code>", title)
    return f"<details><summary>{shown}</summary>\n\n{body}\n\n</details>\n"


def _work(entry: pybtex.database.Entry) -> Work:
    fields = entry.fields
    return Work(
        tuple(
            str(Text.from_latex(" ".join(who.prelast_names + who.last_names)))
            for who in entry.persons["author"]
        ),
        str(Text.from_latex(fields["title"])),
        fields["year"],
        fields.get("url", ""),
    )
