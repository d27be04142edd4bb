"""The files of a class as bytes, from a folder or a zip: bounded, never unpacked, no link followed."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import os
import re
import stat
import struct
import time
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.intake.encodings import decoded

MAX_BYTES = 64 * 2**20
_MAX_RATIO = 200  # a notebook, which is text and base64, packs 3 to 30 times
_RATIO_MATTERS = 2**20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # other unpackers cannot be bounded in memory
_DRIVE = re.compile(r"[A-Za-z]:/")
_UNICODE_NAME, _ENCRYPTED = 0x800, 0x1
_UNICODE_PATH = 0x7075
_WINDOWS = (0, 10)  # MS-DOS and NTFS, by whose programs a backslash in a name is a separator
_MAX_DEPTH, _MAX_LENGTH = 60, 500
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
    problem: why it must not be read; doubt: two readings of a name whose encoding is not certain.
    """

    parts: tuple[str, ...]
    date: str = ""
    is_folder: bool = False
    problem: str = ""
    size: int = 0
    doubt: str = ""
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
        (name,) = decoded([os.fsencode(path.name)]).texts
        yield [_on_disk((name,), path.resolve())]
    elif path.is_file():
        with _open_zip(path) as archive:
            yield _from_zip(archive)
    else:
        raise IntakeError(
            f"{path} is neither a folder nor a notebook nor a zip. Give a folder with one sub-folder or one "
            ".ipynb file per student, a single notebook, or the zip of all submissions that Canvas, Moodle "
            "or another system lets you download."
        )


def shown(name: str) -> str:
    """A file's name for a message: one line without control characters, cut when long."""
    visible = "".join(character for character in name if unicodedata.category(character)[0] != "C")
    return visible if len(visible) <= 80 else f"{visible[:60]}...{visible[-17:]}"


def _is_dropping(name: str) -> bool:
    return name in _DROPPINGS or name.startswith("._")


def _from_folder(root: Path) -> list[Entry]:
    found = dict(_walked(os.fsencode(root)))
    names = decoded(list(found))
    entries = []
    for (raw, problem), name in zip(found.items(), names.texts, strict=True):
        parts = _shortened(name.split("/"))
        if problem:
            entry = Entry(parts, is_folder=True, problem=_cannot(parts, problem))
        else:
            entry = _on_disk(parts, Path(os.fsdecode(os.path.join(os.fsencode(root), raw))))
        entries.append(dataclasses.replace(entry, doubt=names.doubt))
    return sorted(entries, key=lambda entry: entry.parts)


def _walked(root: bytes) -> Iterator[tuple[bytes, str]]:
    """Every path below `root`, and why it cannot be read if it is a folder that cannot. No link is followed.

    Raises IntakeError where `root` itself cannot be read.
    """
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as found:
                items = [item for item in found if not _is_dropping(os.fsdecode(item.name))]
        except OSError as error:
            if not folder:
                raise IntakeError(f"{os.fsdecode(root)} cannot be read ({error.strerror}).") from None
            yield folder, error.strerror or "unknown error"
            continue
        for item in items:
            path = os.path.join(folder, item.name)
            if item.is_dir(follow_symlinks=False):
                waiting.append(path)
            yield path, ""


def _shortened(names: list[str]) -> tuple[str, ...]:
    """A place of bounded length: deeper and longer ones than a person makes become one name with a digest."""
    if len(names) > _MAX_DEPTH:
        names = [*names[: _MAX_DEPTH - 2], _digested("/".join(names[_MAX_DEPTH - 2 : -1])), names[-1]]
    return tuple(name if len(name) <= _MAX_LENGTH else _digested(name) for name in names)


def _digested(name: str) -> str:
    """Two names that differ stay different when they are cut; an ending stays."""
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{name[:_MAX_LENGTH]}~{digest}{name[-20:]}".replace("/", "_")


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
    return Entry(parts, date, False, problem, status.st_size, _read=lambda: _read_file(path))


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
    names, doubt = _member_names(members)
    slashes = any("/" in name for name in names)
    counts = Counter(member.orig_filename for member in members)
    entries = []
    for member, name in zip(members, names, strict=True):
        if member.create_system in _WINDOWS or not slashes or _name_problem(name):
            name = name.replace("\\", "/")
        entries.append(_member(archive, member, name, doubt, counts[member.orig_filename] > 1))
    kept = [entry for entry in entries if entry.parts and not any(map(_is_dropping, entry.parts))]
    return sorted(kept, key=lambda entry: entry.parts)


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, doubt: str, repeated: bool
) -> Entry:
    """The entry of one member; name: with "/" between its parts; repeated: another one is called alike."""
    inside = _DRIVE.sub("", name).split("/")
    parts = _shortened([part for part in inside if part not in ("", ".", "..")])
    date = "{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(*member.date_time)
    is_folder = name.endswith("/")
    if not parts or (is_folder and not _name_problem(name)):
        return Entry(parts, date, is_folder=True, doubt=doubt)
    problem = (
        _name_problem(name)
        or (f"'{shown(parts[-1])}' stands in the zip more than once." if repeated else "")
        or _mode_problem(parts[-1], member.external_attr >> 16)
        or _member_problem(parts[-1], member)
    )
    read = functools.partial(_read_member, archive, member, parts[-1])
    return Entry(parts, date, False, problem, member.file_size, doubt, read)


def _member_names(members: list[zipfile.ZipInfo]) -> tuple[list[str], str]:
    """The names as they were meant, before anything in them is taken for a separator, and any doubt.

    Members that say that they are in Unicode are taken at their word; the others share one encoding.
    """
    names = {index: _unicode_name(member) for index, member in enumerate(members)}
    others = [index for index, name in names.items() if name is None]
    guessed = decoded([_raw_name(members[index]) for index in others])
    names |= dict(zip(others, guessed.texts, strict=True))
    return [names[index] for index in range(len(members))], guessed.doubt


def _raw_name(member: zipfile.ZipInfo) -> bytes:
    return member.orig_filename.encode("cp437")  # as zipfile decoded it


def _unicode_name(member: zipfile.ZipInfo) -> str | None:
    """The name by the flag for UTF-8, or by Info-ZIP's Unicode Path Extra Field (0x7075)."""
    if member.flag_bits & _UNICODE_NAME:
        return member.orig_filename
    field = _extra_field(member.extra, _UNICODE_PATH)
    if len(field) < 6 or field[0] != 1:
        return None
    if int.from_bytes(field[1:5], "little") != zlib.crc32(_raw_name(member)):
        return None  # the member was renamed by a program that left the field as it was
    with contextlib.suppress(UnicodeDecodeError):
        return field[5:].decode("utf-8")
    return None


def _extra_field(extra: bytes, wanted: int) -> bytes:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == wanted:
            return extra[4 : 4 + size]
        extra = extra[4 + size :]
    return b""


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


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(MAX_BYTES)  # never more than the size the zip's directory tells
    except _DAMAGED as error:
        raise Refused(f"'{shown(name)}' is damaged in the zip ({error}).") from None
