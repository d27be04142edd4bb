"""The public repository: the book, the assignments and their library, and nothing that grades anybody."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import yaml

from autograder import chapter_notebook, master, pages
from autograder.release import ROOT, assignment_notebook, drift, write_notebook

MARKER = ".published.json"
_COPIED = ("LICENSE", "constraints.txt", "_config.yml", "colab/*", "chapters/*.bib", "chapters/_*/*")
_SHOWN = (
    "chapters/images/*",
    "benchmarks/results/*.json",
)  # copied where a page that is published names them
_LIBRARY = "policy_gradients/**/*.py"
_PRIVATE_PAGE = {"audience": "instructors"}  # in a page's front matter
_PRIVATE_TEXT = re.compile(r"^% BEGIN INSTRUCTORS\n.*?^% END INSTRUCTORS\n", re.DOTALL | re.MULTILINE)
_EXTRAS = ("jax", "torch", "box2d", "highway", "metadrive", "book", "notebook")
_LISTS = {"parts", "chapters", "sections"}  # what an entry of _toc.yml may hold
_SHORT = 12  # shorter lines, such as `else:`, tell nothing
_IMPORTS = ("import ", "from ")


class PublishError(ValueError):
    """The course cannot be published there, or as it is; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Published:
    """What was written; notes: what an instructor should know, a line each."""

    folder: Path
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()


def publish(folder: Path, *, solutions: bool = False) -> Published:
    """Write the public repository into `folder`, and return what was written.

    It holds the pages that _toc.yml names, the student notebooks with their data, `policy_gradients`, the
    chapters as notebooks for Colab, and what a repository on GitHub needs; with `solutions`, the solved
    notebooks of the assignments that are published. It holds no masters, hidden tests, samples, grades or
    engine, no page whose front matter says "audience: instructors", nothing between "% BEGIN INSTRUCTORS" and
    "% END INSTRUCTORS" in other pages, and nothing that git does not track. Links to what is left out become
    text. In an earlier publication files are replaced, and those that are no longer published are removed;
    everything else there, such as .git, stays. Raises PublishError.
    """
    folder = folder.resolve()
    if folder == ROOT or folder in ROOT.parents:
        raise PublishError(f"{folder} holds the course's own repository: name another folder.")
    earlier = _earlier(folder)
    _require_released()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as beside:
            tree = Path(beside, "tree")
            left_out = _write_tree(tree, solutions)
            _require_no_hidden_tests(tree)
            files = _put(tree, folder, earlier)
    except OSError as error:
        raise PublishError(f"{folder} cannot be written: {error}.") from None
    return Published(folder, files, tuple(_notes(left_out)))


def _earlier(folder: Path) -> set[str]:
    """The files of an earlier publication; empty where there is nothing yet."""
    if not folder.exists():
        return set()
    try:
        if {path.name for path in folder.iterdir()} <= {".git"}:
            return set()
        return {name for name in json.loads((folder / MARKER).read_bytes())["files"] if _is_inside(name)}
    except (OSError, ValueError, KeyError, TypeError):
        raise PublishError(
            f"{folder} is not empty, and not an earlier publication (it has no readable {MARKER}). Name an "
            "empty folder, a new one, or a git repository without files."
        ) from None


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and path.parts[0] != ".git"


def _require_released() -> None:
    drifts = [line for name in master.names() for line in drift(name)]
    if drifts:
        raise PublishError("The notebooks are not those of the masters.\n  " + "\n  ".join(drifts))


def _write_tree(tree: Path, solutions: bool) -> dict[str, set[str]]:
    """Write the public repository into `tree`; returns what pages wanted to link to and is left out."""
    contents = _public_toc(_toc(), solutions)
    listed = list(_pages(contents))
    names = [page.rpartition("/")[2] for page in listed if page.startswith("assignments/")]
    _require_masters(names)
    data = (f"assignments/{name}/**/*" for name in names)
    for path in _files_of(*_COPIED, _LIBRARY, *data, *(f"{page}.*" for page in listed)):
        _copy(path, tree)
    missing = [page for page in listed if not list(tree.glob(f"{page}.*"))]
    if missing:
        raise PublishError(
            f"_toc.yml names {', '.join(missing)}: there is no such file, or git does not track it. Add it "
            "with `git add`, or take it out of _toc.yml."
        )
    left_out = _rewrite_pages(tree, listed)
    book = chapter_notebook.read_book(tree, listed)
    for page in chapter_notebook.executable(book):
        write_notebook(tree / chapter_notebook.path(page), chapter_notebook.notebook(page, book))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    written = {
        "_toc.yml": _yaml(contents),
        "pyproject.toml": _toml(_public_project(project)),
        "environment.yml": _yaml(_public_environment(project)),
    }
    for target, template in _templates().items():
        written[target] = pages.render(
            template,
            title=_config()["title"],
            author=_config()["author"],
            url=master.repository_url(),
            branch=_config()["repository"]["branch"],
            version=project["project"]["version"],
            assignments={name: master.colab_url(f"assignments/{name}/{name}.ipynb") for name in names},
            chapters={book.titles[page]: book.address(page) for page in chapter_notebook.executable(book)},
            solutions=any(page.startswith("solutions/") for page in listed),
        )
    for name, text in written.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")
    shown = "\n".join(page.read_text(encoding="utf-8") for page in tree.rglob("*.md"))
    for path in _files_of(*_SHOWN):
        if path.name in shown:
            _copy(path, tree)
    (tree / MARKER).write_text(_marker({*_files(tree), MARKER}), encoding="utf-8")
    return left_out


def _require_masters(names: list[str]) -> None:
    """Raise PublishError where an assignment has no master: its hidden tests could not be looked for."""
    lost = sorted({*names} - {*master.names()})
    if lost:
        raise PublishError(
            f"_toc.yml names the assignment {lost[0]!r}, but there is no autograder/masters/{lost[0]}.py. "
            "Take the assignment and its solution out of _toc.yml."
        )


def _rewrite_pages(tree: Path, listed: list[str]) -> dict[str, set[str]]:
    """Take out of the pages what is for instructors, and links to what is not published."""
    texts = {page: tree / f"{page}.md" for page in listed if (tree / f"{page}.md").exists()}
    for path in texts.values():
        path.write_text(_PRIVATE_TEXT.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")
    edition = _left_out().Edition(frozenset(listed), (tree, ROOT))
    left_out = {}
    for page, path in texts.items():
        text, left_out[page] = edition.without_dead_links(page, path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
    return left_out


def _left_out() -> ModuleType:
    """The book's extension that turns dead links into text, which Sphinx loads by its path as well."""
    spec = importlib.util.spec_from_file_location(
        "left_out", ROOT / "chapters" / "_extensions" / "left_out.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _templates() -> dict[str, str]:
    """The files made from templates, and the template of each; .gitignore would act on its own folder."""
    folder = pages.FOLDER / "publish"
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {".gitignore" if name == "gitignore" else name: f"publish/{name}" for name in names}


def _toc() -> Any:
    """The table of contents of the whole course. Raises PublishError where it is not one."""
    try:
        contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise PublishError(f"_toc.yml is not valid YAML: {error}") from None
    if not isinstance(contents, dict) or "root" not in contents:
        raise PublishError("_toc.yml has no `root:`, the page on which the book opens.")
    return contents


def _public_toc(contents: Any, solutions: bool) -> Any:
    """The table of contents without instructors' pages and, unless asked for, solved notebooks.

    A solved notebook goes out only with its assignment, which may be held back.
    """
    assigned = {page.rpartition("/")[2] for page in _pages(contents) if page.startswith("assignments/")}

    def is_public(page: str) -> bool:
        if page.startswith("solutions/"):
            return solutions and page.rpartition("/")[2] in assigned
        source = ROOT / f"{page}.md"
        about = chapter_notebook.front_matter(source.read_text(encoding="utf-8")) if source.exists() else {}
        return not _PRIVATE_PAGE.items() <= about.items()

    return _filtered(contents, is_public)


def _filtered(entry: Any, is_public: Callable[[str], bool]) -> Any:
    """An entry of the table of contents without the pages that are not public, and parts without pages."""
    kept = {key: value for key, value in entry.items() if key not in _LISTS}
    for key in _LISTS & entry.keys():
        inner = [_filtered(each, is_public) for each in entry[key] or () if is_public(each.get("file", ""))]
        inner = [each for each in inner if key != "parts" or _LISTS & each.keys()]
        if inner:
            kept[key] = inner
    return kept


def _pages(contents: Any) -> Iterator[str]:
    """The files that a table of contents names, without their endings."""
    file = contents.get("root", contents.get("file"))
    if file:
        yield re.sub(r"\.(md|ipynb)$", "", file)
    for key in _LISTS & contents.keys():
        for entry in contents[key] or ():
            yield from _pages(entry)


def _copy(path: Path, tree: Path) -> None:
    target = tree / path.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def _files_of(*patterns: str) -> Iterator[Path]:
    """The course's own files that match: what git tracks, no links, and nothing that was made by tools."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    tracked = _tracked()
    for path in sorted(found):
        parts = path.relative_to(ROOT).parts
        is_made = "__pycache__" in parts or any(part.startswith(".") for part in parts)
        if path.is_file() and not path.is_symlink() and not is_made and (not tracked or path in tracked):
            yield path


def _tracked() -> set[Path]:
    """What git tracks here; nothing where this is no git repository."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return set()
    return {ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name}


def _public_project(project: dict[str, Any]) -> dict[str, Any]:
    """pyproject.toml without the command, the engine, and what only they and the tests need."""
    own = {key: value for key, value in project["project"].items() if key != "scripts"}
    extras = own.pop("optional-dependencies")
    public = {name: extras[name] for name in _EXTRAS}
    public["all"] = [f"{own['name']}[{','.join(_EXTRAS)}]", *extras["all"][1:]]
    return {
        "build-system": project["build-system"],
        "project": {**own, "optional-dependencies": public},
        "tool": {"setuptools": {"packages": {"find": {"include": ["policy_gradients*"]}}}},
    }


def _public_environment(project: dict[str, Any]) -> dict[str, Any]:
    """environment.yml without the packages that only the extras left out need."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    groups = {"": project["project"]["dependencies"], **project["project"]["optional-dependencies"]}
    public, private = set(), set()
    for extra, lines in groups.items():
        (public if extra in ("", *_EXTRAS) else private).update(map(_package, lines))
    private -= public
    for entry in environment["dependencies"]:
        if isinstance(entry, dict):
            entry["pip"] = [line for line in entry["pip"] if _package(line) not in private]
    return environment


def _package(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].casefold()


_yaml = partial(yaml.safe_dump, sort_keys=False, allow_unicode=True, width=1000)


def _toml(table: dict[str, Any], place: tuple[str, ...] = ()) -> str:
    """TOML of tables whose values are texts and lists of texts."""
    values = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = [f"[{'.'.join(place)}]"] if values else []
    for key, value in values.items():
        lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    own = "\n".join(lines) + "\n\n" * bool(values)
    tables = ((key, value) for key, value in table.items() if isinstance(value, dict))
    return own + "".join(_toml(value, (*place, key)) for key, value in tables)


def _config() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def _require_no_hidden_tests(tree: Path) -> None:
    """A last look: no line of a hidden test may be in what students get, wherever it came from."""
    hidden = _hidden_lines()
    for name in _files(tree):
        text = (tree / name).read_text(encoding="utf-8", errors="replace")
        if name.endswith(".ipynb"):
            text += "\n".join(_notebook_texts(json.loads(text)))
        found = hidden & _lines(text)
        if found:
            raise PublishError(
                f"{name} holds a line of a hidden test, so nothing was published: {min(found)!r}. Take it "
                "out there, or show it in the visible part of the assignment."
            )


def _hidden_lines() -> set[str]:
    """The lines of all hidden tests that stand in no visible cell and not in the library."""
    hidden, public = set(), set()
    for assignment in map(master.Master.read, master.names()):
        hidden |= {line for question in assignment.questions for line in _lines(question.test)}
        public |= {line for cell in assignment_notebook(assignment).cells for line in _lines(cell.source)}
    public |= {line for path in ROOT.glob(_LIBRARY) for line in _lines(path.read_text(encoding="utf-8"))}
    return {line for line in hidden - public if not line.startswith(_IMPORTS)}


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= _SHORT}


def _notebook_texts(value: Any) -> Iterator[str]:
    """All texts in a notebook; lists of lines as one text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in _notebook_texts(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in _notebook_texts(item))


def _put(tree: Path, folder: Path, earlier: set[str]) -> tuple[str, ...]:
    """Move the finished tree to its place; the names of its files."""
    files = _files(tree)
    if not folder.exists():
        os.rename(tree, folder)
        return files
    # Whatever interrupts this, the marker names every file that may be there, so a second run completes it.
    (folder / MARKER).write_text(_marker(earlier | {*files}), encoding="utf-8")
    for name in files:
        if name != MARKER:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(tree / name, folder / name)
    for name in earlier - {*files}:
        (folder / name).unlink(missing_ok=True)
        _remove_empty((folder / name).parent, folder)
    os.replace(tree / MARKER, folder / MARKER)
    return files


def _remove_empty(path: Path, top: Path) -> None:
    while path != top and path.is_dir() and not any(path.iterdir()):
        path.rmdir()
        path = path.parent


def _files(tree: Path) -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()))


def _marker(files: set[str]) -> str:
    about = "Written by `autograder publish`, which removes these files when it no longer writes them."
    return json.dumps({"about": about, "files": sorted(files)}, indent=1) + "\n"


def _notes(left_out: dict[str, set[str]]) -> Iterator[str]:
    if "YOUR_ORGANISATION" in master.repository_url():
        yield (
            f"The links to Colab and the install lines lead to {master.repository_url()}. Set your address "
            "as `repository: url` in _config.yml, run `autograder release`, and publish again."
        )
    for target in sorted(set().union(*left_out.values())):
        named_by = ", ".join(page for page, targets in left_out.items() if target in targets)
        yield f"{target} is not published: what linked to it is text on {named_by}."
