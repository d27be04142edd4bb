"""The public repository: the book, the assignments and their library, and nothing that grades anybody."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
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
_PRIVATE_PART = "For instructors"
_PRIVATE_TEXT = re.compile(r"^% BEGIN INSTRUCTORS\n.*?^% END INSTRUCTORS\n", re.DOTALL | re.MULTILINE)
_EXTRAS = ("jax", "torch", "box2d", "highway", "metadrive", "book", "notebook")
_TEMPLATES = {"README.md": "README.md", "Makefile": "Makefile", ".gitignore": "gitignore"}
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

    It holds the pages of the book, the student notebooks, `policy_gradients`, and for Colab the chapters as
    notebooks; with `solutions` the solved notebooks, too. Masters, hidden tests, samples, grades and the
    engine stay out, and so do the pages for instructors, what stands between "% BEGIN INSTRUCTORS" and
    "% END INSTRUCTORS" in other pages, and what git does not track. Into an earlier publication its files are
    written anew and those that are no longer published are removed; everything else there, such as .git,
    stays. Raises PublishError.
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
            _write_tree(tree, solutions)
            _require_no_hidden_tests(tree)
            files = _put(tree, folder, earlier)
    except OSError as error:
        raise PublishError(f"{folder} cannot be written: {error}.") from None
    return Published(folder, files, tuple(_notes()))


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


def _write_tree(tree: Path, solutions: bool) -> None:
    contents = _public_toc(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")), solutions)
    for path in _files_of(*_COPIED, _LIBRARY, *(f"{page}.*" for page in _pages(contents))):
        _copy(path, tree)
    missing = [page for page in _pages(contents) if not list(tree.glob(f"{page}.*"))]
    if missing:
        raise PublishError(
            f"_toc.yml names {', '.join(missing)}: there is no such file, or git does not track it. Add it "
            "with `git add`, or take it out of _toc.yml."
        )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for page in tree.rglob("*.md"):
        page.write_text(_PRIVATE_TEXT.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")
    book = chapter_notebook.read_book(tree, list(_pages(contents)))
    for page in chapter_notebook.executable(book):
        write_notebook(tree / chapter_notebook.path(page), chapter_notebook.notebook(page, book))
    names = [page.rpartition("/")[2] for page in _pages(contents) if page.startswith("assignments/")]
    written = {
        "_toc.yml": _yaml(contents),
        "pyproject.toml": _toml(_public_project(project)),
        "environment.yml": _yaml(_public_environment(project)),
    }
    for target, template in _TEMPLATES.items():
        written[target] = pages.render(
            f"publish/{template}",
            title=_config()["title"],
            url=master.repository_url(),
            assignments={name: master.Master.read(name).colab_url() for name in names},
            chapters={book.titles[page]: book.address(page) for page in chapter_notebook.executable(book)},
            solutions=solutions,
        )
    for name, text in written.items():
        (tree / name).write_text(text, encoding="utf-8")
    shown = "\n".join(page.read_text(encoding="utf-8") for page in tree.rglob("*.md"))
    for path in _files_of(*_SHOWN):
        if path.name in shown:
            _copy(path, tree)
    (tree / MARKER).write_text(_marker({*_files(tree), MARKER}), encoding="utf-8")


def _public_toc(contents: Any, solutions: bool) -> Any:
    """The table of contents, without instructors' pages and, unless asked for, solved notebooks."""
    parts = []
    for part in contents["parts"]:
        chapters = [
            page for page in part["chapters"] if solutions or not page["file"].startswith("solutions/")
        ]
        if chapters and part["caption"] != _PRIVATE_PART:
            parts.append({**part, "chapters": chapters})
    return {**contents, "parts": parts}


def _pages(contents: Any) -> Iterator[str]:
    """The files that a table of contents names, without their endings."""
    yield contents["root"]
    for part in contents["parts"]:
        for page in part["chapters"]:
            yield page["file"]


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


def _notes() -> Iterator[str]:
    if "YOUR_ORGANISATION" in master.repository_url():
        yield (
            f"The links to Colab and the install lines lead to {master.repository_url()}. Set your address "
            "as `repository: url` in _config.yml, run `autograder release`, and publish again."
        )
