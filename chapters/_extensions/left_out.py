"""Links to what this edition of the book leaves out become text.

An edition is the pages of its ``_toc.yml``. Where a course drops a chapter or holds an assignment back, the
pages that remain still name it: a link becomes its own text, or the title of what it led to, and links in
brackets that only open an assignment disappear with it. ``autograder publish`` does the same to the sources
that it writes.
"""

import dataclasses
import json
import re
from functools import cached_property
from itertools import groupby
from pathlib import Path, PurePosixPath

_ROLE = re.compile(r"(?<![`\w])\{(doc|colab|download|ref|numref|eq|prf:ref|term)\}`([^`]+)`")
_NAMED = re.compile(r"(.*?)\s*<([^>]+)>\Z", re.DOTALL)  # text <target>
_OPENERS = r"\{(?:colab|download)\}`[^`]+`"
_IN_BRACKETS = re.compile(rf"\s*\(\s*{_OPENERS}(?:,?\s+(?:(?:and|or)\s+)?{_OPENERS})*\s*\)")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!\w+:|#)([^)\s#]+\.(?:md|ipynb))(?:#[^)\s]*)?\)")
_CARD_LINK = re.compile(r"^:link: +(\S+)\n:link-type: +doc\n", re.MULTILINE)
_FENCE = re.compile(r"^ *(`{3,}|~{3,}|:{3,}) *(.*?) *$")
_CODE = re.compile(r"\{(?:code|code-block|code-cell|literalinclude|raw|mermaid)\}")
_LABELS = re.compile(
    r"^\(([\w:-]+)\)=|^:(?:label|name): *([\w:-]+)|\$\$ *\(([\w:-]+)\)|^ +name: ([\w:-]+)|\{#([\w:-]+)",
    re.MULTILINE,
)
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)
_SPHINXS_OWN = {"genindex", "modindex", "search"}


@dataclasses.dataclass(frozen=True)
class Edition:
    """The pages of a book: ``pages`` without their endings, such as ``"chapters/grpo"``.

    Their sources lie in the first of ``folders`` that has them. Further folders may hold what is left out, so
    that its titles are known.
    """

    pages: frozenset
    folders: tuple

    def without_dead_links(self, page, text):
        """``text``, Markdown of ``page``, without links to what is left out, and what that was."""
        found = set()
        parts = [part if is_code else self._plain(page, part, found) for is_code, part in _parts(text)]
        return "".join(parts), found

    def title(self, page):
        """The heading of a page; of one that no folder has, the words of its name."""
        heading = _HEADING.search(self._source(page))
        return heading[1].strip() if heading else _words(page.rpartition("/")[2])

    @cached_property
    def labels(self):
        """What a reference may lead to, on all pages."""
        found = _LABELS.findall("\n".join(map(self._source, self.pages)))
        return {label for labels in found for label in labels if label} | _SPHINXS_OWN

    @cached_property
    def has_glossary(self):
        """Whether a page explains terms."""
        return any("{glossary}" in self._source(page) for page in self.pages)

    def _source(self, page):
        """The Markdown of a page; empty where there is none."""
        for folder in self.folders:
            text, notebook = Path(folder, f"{page}.md"), Path(folder, f"{page}.ipynb")
            if text.is_file():
                return text.read_text(encoding="utf-8")
            if notebook.is_file():
                cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
                return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        return ""

    def _plain(self, page, text, found):
        def left_out(role, content):
            """What the target is called where it is left out, else nothing."""
            named = _NAMED.match(content)
            label, target = (named[1], named[2]) if named else ("", content.strip())
            if role in ("doc", "colab", "download"):
                name = f"assignments/{target}/{target}" if role == "colab" else _path(page, target)
                name, ending = re.fullmatch(r"(.*?)(\.md|\.ipynb)?", name).groups()
                if name in self.pages or (role == "download" and ending is None):
                    return ""
                found.add(name)
                return label or self.title(name)
            if role == "term" and self.has_glossary or role != "term" and target in self.labels:
                return ""
            found.add(target)
            return label or (target if role == "term" else _words(target))

        def in_brackets(match):
            roles = _ROLE.findall(match[0])
            return "" if all([left_out(*role) for role in roles]) else match[0]

        def link(match):
            return left_out("doc", f"{match[1]} <{match[2]}>") or match[0]

        text = _IN_BRACKETS.sub(in_brackets, text)
        text = _CARD_LINK.sub(lambda match: "" if left_out("doc", match[1]) else match[0], text)
        text = _LINK.sub(link, text)
        return _ROLE.sub(lambda match: left_out(match[1], match[2]) or match[0], text)


def _parts(text):
    """The text in pieces: whether a piece is code, in which nothing is a link, and the piece."""
    lines, kinds, fences, is_code = text.splitlines(keepends=True), [], [], False
    for line in lines:
        fence = _FENCE.match(line)
        closes = bool(fence and fences and not fence[2] and fence[1].startswith(fences[-1]))
        opens = bool(fence and not closes and not is_code)
        if opens:
            fences.append(fence[1])
            is_code = not fence[2].startswith("{") or bool(_CODE.match(fence[2]))
        kinds.append(is_code)
        if closes:
            fences.pop()
            is_code = False
    pairs = zip(kinds, lines, strict=True)
    return [
        (kind, "".join(line for _, line in group)) for kind, group in groupby(pairs, lambda pair: pair[0])
    ]


def _path(page, target):
    """A target of a link on ``page`` as the path inside the repository."""
    if target.startswith("/"):
        return target[1:]
    parts = []
    for part in (PurePosixPath(page).parent / target).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _words(name):
    return re.sub(r"[_-]+", " ", name).strip().capitalize()


def read_edition(app, env, docnames):
    """Before pages are read: which there are."""
    app.left_out_edition = Edition(frozenset(env.found_docs), (app.srcdir,))


def replace_links(app, docname, source):
    """Take the dead links out of a page's source."""
    from sphinx.util import logging  # here, because who only publishes needs no Sphinx

    if app.env.doc2path(docname).endswith(".md"):
        source[0], found = app.left_out_edition.without_dead_links(docname, source[0])
        if found:
            logging.getLogger(__name__).info(
                "%s: not in this book, shown as text: %s", docname, ", ".join(sorted(found))
            )


def setup(app):
    app.connect("env-before-read-docs", read_edition)
    app.connect("source-read", replace_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
