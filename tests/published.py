"""Looks at what `autograder publish` wrote."""

import re


def files(folder):
    """All files in a folder: the path inside it, and the path."""
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def broken_links(folder):
    """Links and pictures of the published pages that lead to no file there: "PAGE: TARGET"."""
    return [
        f"{name}: {target}"
        for name, path in files(folder).items()
        if path.suffix == ".md"
        for target, is_there in _links(folder, path)
        if not is_there
    ]


def _links(folder, page):
    text = page.read_text()
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)\s]+)\)|\{download\}`[^`<]*<([^>]+)>`", text)
    links += [(link, "") for link in re.findall(r"^:+\{(?:figure|image)\} (\S+)", text, re.MULTILINE)]
    for link in filter(None, map("".join, links)):
        yield link, (page.parent / link.partition("#")[0]).exists()
    for link in re.findall(r"\{doc\}`(?:[^`<]*<)?([^>`]+)>?`", text):
        base = folder if link.startswith("/") else page.parent
        yield link, bool(list(base.glob(f"{link.lstrip('/')}.*")))
    for name in re.findall(r"\{colab\}`(\w+)`", text):
        yield name, (folder / "assignments" / name / f"{name}.ipynb").exists()
