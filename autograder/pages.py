"""Pages for people, from templates. Everything in them is escaped: what students wrote is never trusted."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.filters import strip_ansi

FOLDER = Path(__file__).parent / "templates"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>&|~#$])")
_FENCE = re.compile(r"`{3,}")


def render(template: str, **values: Any) -> str:
    """The page that `autograder/templates/TEMPLATE` gives with these values."""
    return _environment().get_template(template).render(values)


def plain(text: str, length: int = 10_000) -> str:
    """`text` as a reader can see it: without terminal codes and control characters, cut to `length`."""
    shown = strip_ansi(text[:length]).replace("\r\n", "\n")
    shown = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", shown)
    left = len(text) - length
    return shown if left <= 0 else f"{shown}\n… cut here: {left:,} more characters"


def line(text: str) -> str:
    """`text` on one line, cut to a few lines' length."""
    return " ".join(plain(text, 1000).split())


def _lines(text: str) -> list[str]:
    return [part for part in plain(text, 4000).splitlines() if part.strip()]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("autograder"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "plain": plain,
        "line": line,
        "lines": _lines,
        "points": lambda value: f"{value:g}",
        "markdown": _markdown,
        "fenced": _fenced,
    }
    return environment


def _markdown(text: str) -> Markup:
    """One line of text in which Markdown and HTML have no meaning."""
    return Markup(_MARKDOWN.sub(r"\\\1", line(text)))


def _fenced(text: str, language: str, length: int = 10_000) -> Markup:
    """A code block that nothing in `text` can close."""
    shown = plain(text, length)
    fence = "`" * (max((len(run) for run in _FENCE.findall(shown)), default=2) + 1)
    return Markup(f"{fence}{language}\n{shown}\n{fence}")
