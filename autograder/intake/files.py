"""The files of a class as bytes, from a folder or a zip: bounded, never unpacked, no link followed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import stat
import time
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

MAX_BYTES = 64 * 2**20
_MAX_RATIO = 200  # a notebook, which is text and base64, packs 3 to 30 times
_RATIO_MATTERS = 2**20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # other unpackers cannot be bounded in memory
_DRIVE = re.compile(r"[A-Za-z]:/")
_UNICODE_NAME, _ENCRYPTED = 0x800, 0x1
_DROPPINGS = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", "__pycache__", ".ipynb_checkpoints"}
_DROPPINGS |= {".git", ".venv", ".idea", ".vscode"}
_DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError)


class IntakeError(ValueError):
    """The path given holds nothing that can be graded; the message says what is expected."""


class Refused(Exception):
    """This file is not read; the message says why."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file or folder in what the class handed in, not read yet.

    parts: its place, as names without separators, "." or ".."; date: text that sorts by time;
    problem: why it must not be read.
    """

    parts: tuple[str, ...]
    date: str = ""
    is_folder: bool = False
    problem: str = ""
    size: int = 0
    _read: Callable[[], bytes] = lambda: b""

    def read(self) -> bytes:
        """The content, of at most MAX_BYTES. Raises Refused."""
        if self.problem:
            raise Refused(self.problem)
        return self._read()


@contextlib.contextmanager
def opened(path: Path) -> Iterator[list[Entry]]:
    """The entries of a folder, of a zip, or of a single notebook. Raises IntakeError."""
    if path.is_dir():
        yield _from_folder(path)
    elif path.suffix.lower() == ".ipynb" and path.is_file():
        yield [_on_disk((path.name,), path.resolve())]
    elif path.is_file():
        with _open_zip(path) as archive:
            yield _from_zip(archive)
    else:
        raise IntakeError(
            f"{path} is neither a folder nor a notebook nor a zip. Give a folder with one sub-folder or one "
            ".ipynb file per student, a single notebook, or the zip of all submissions that Canvas, Moodle "
            "or Gradescope lets you download."
        )


def shown(name: str) -> str:
    """A file's name for a message: one line without control characters, cut when long."""
    visible = "".join(character for character in name if unicodedata.category(character)[0] != "C")
    return visible if len(visible) <= 80 else f"{visible[:60]}...{visible[-17:]}"


def _is_dropping(name: str) -> bool:
    return name in _DROPPINGS or name.startswith("._")


def _from_folder(root: Path) -> list[Entry]:
    entries, waiting = [], [((), root)]
    while waiting:
        parts, folder = waiting.pop()
        try:
            names = sorted(name for name in os.listdir(folder) if not _is_dropping(name))
        except OSError as error:
            if not parts:
                raise IntakeError(f"{root} cannot be read ({error.strerror}).") from None
            entries.append(Entry(parts, is_folder=True, problem=_cannot(parts, error.strerror)))
            continue
        found = [_on_disk((*parts, name), folder / name) for name in names]
        waiting += [(entry.parts, folder / entry.parts[-1]) for entry in found if entry.is_folder]
        entries += found
    return sorted(entries, key=lambda entry: entry.parts)


def _cannot(parts: tuple[str, ...], reason: object) -> str:
    return f"'{shown(parts[-1])}' cannot be read ({reason})."


def _on_disk(parts: tuple[str, ...], path: Path) -> Entry:
    try:
        status = path.lstat()
    except OSError as error:
        return Entry(parts, problem=_cannot(parts, error.strerror))
    date = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(status.st_mtime))
    if stat.S_ISDIR(status.st_mode):
        return Entry(parts, date, is_folder=True)
    problem = _mode_problem(parts[-1], status.st_mode) or _size_problem(parts[-1], status.st_size)
    return Entry(parts, date, False, problem, status.st_size, lambda: _read_file(path))


def _mode_problem(name: str, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return f"'{shown(name)}' is a link, which is not followed."
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return f"'{shown(name)}' is not a plain file."
    return ""


def _size_problem(name: str, size: int) -> str:
    return f"'{shown(name)}' is larger than {MAX_BYTES // 2**20} MiB." if size > MAX_BYTES else ""


def _read_file(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Refused(f"'{shown(path.name)}' is not a plain file.")
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refused(_cannot(path.parts, error.strerror)) from None
    if problem := _size_problem(path.name, len(content)):
        raise Refused(problem)
    return content


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except Exception as error:  # a damaged directory raises far more than the documented BadZipFile
        raise IntakeError(
            f"{path} cannot be read as a zip ({error or type(error).__name__}). Download it again, or unpack "
            "it and give the folder."
        ) from None


def _from_zip(archive: zipfile.ZipFile) -> list[Entry]:
    members = archive.infolist()
    counts = Counter(member.orig_filename for member in members)
    entries = (_member(archive, item, counts[item.orig_filename] > 1) for item in members)
    kept = [entry for entry in entries if entry.parts and not any(map(_is_dropping, entry.parts))]
    return sorted(kept, key=lambda entry: entry.parts)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, repeated: bool) -> Entry:
    name = _member_name(member)
    inside = _DRIVE.sub("", name.replace("\\", "/")).split("/")
    parts = tuple(part for part in inside if part not in ("", ".", ".."))
    date = "{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(*member.date_time)
    is_folder = name.endswith(("/", "\\"))
    if not parts or (is_folder and not _name_problem(name)):
        return Entry(parts, date, is_folder=True)
    problem = (
        _name_problem(name)
        or (f"'{shown(parts[-1])}' stands in the zip more than once." if repeated else "")
        or _mode_problem(parts[-1], member.external_attr >> 16)
        or _member_problem(parts[-1], member)
    )
    return Entry(parts, date, False, problem, member.file_size, lambda: _read_member(archive, member))


def _member_name(member: zipfile.ZipInfo) -> str:
    """The name as it was meant: most tools write UTF-8, also without the flag that says so."""
    if member.flag_bits & _UNICODE_NAME:
        return member.orig_filename
    try:
        return member.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.orig_filename


def _name_problem(name: str) -> str:
    bare = name.replace("\\", "/")
    parts = bare.split("/")
    if "\0" in name:
        return "A file's name in the zip holds a NUL character."
    if bare.startswith("/") or _DRIVE.match(bare):
        return f"'{shown(parts[-1])}' has an absolute path in the zip."
    return f"'{shown(parts[-1])}' has a path in the zip that leads out of it." if ".." in parts else ""


def _member_problem(name: str, member: zipfile.ZipInfo) -> str:
    if member.flag_bits & _ENCRYPTED:
        return f"'{shown(name)}' is encrypted."
    if member.compress_type not in _METHODS:
        return f"'{shown(name)}' is packed by a method other than 'deflate'."
    if member.file_size > max(_RATIO_MATTERS, _MAX_RATIO * member.compress_size):
        return f"'{shown(name)}' would grow more than {_MAX_RATIO} times when unpacked, as a zip bomb does."
    return _size_problem(name, member.file_size)


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(MAX_BYTES)  # never more than the size the zip's directory tells
    except _DAMAGED as error:
        raise Refused(f"'{shown(_member_name(member))}' is damaged in the zip ({error}).") from None
