"""The folder of a class's results, OUT/NAME: for its owner only, and for one command at a time."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

AUTOGRADED = "autograded"  # of all classes in OUT, for formgrader
_LOCK = ".lock"  # every class has one
_FILES_OF_RESULTS = (".csv", ".db", ".json", ".toml")


class InUse(ValueError):
    """Another command is writing to the folder."""


class _PrivateFileHandler(logging.FileHandler):
    """Opens its file for its owner only, when there is something to write."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def _open(self) -> TextIO:
        return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=_private)

    def handleError(self, record: logging.LogRecord) -> None:
        raise  # as on a full disk; logging would print it


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextlib.contextmanager
def logged(folder: Path) -> Iterator[Path]:
    """Write what the autograder logs into a file in the folder of a class, which is given."""
    path = folder / "grader.log"
    handler = _PrivateFileHandler(path)
    logger = logging.getLogger("autograder")
    logger.addHandler(handler)
    try:
        yield path
    finally:
        logger.removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder of a class while its results are written. Raises InUse where another command does."""
    private_folder(folder)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"Another run is writing to {folder}. Wait until it has ended.") from None
        yield
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> None:
    """Make the folder and those above it, where they are missing, for their owner only."""
    if folder.is_dir():
        return
    private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def make_private(out: Path, assignment: str) -> None:
    """Close the results in `out` to everybody but their owner, and `out` itself where it holds only results.

    They hold hidden tests, names and marks. A folder that is used for other things too is left as it is.
    """
    if not out.exists() or _holds_only_results(out):
        private_folder(out)
        close(out)
    for folder in (out / assignment, out / AUTOGRADED):
        private_folder(folder)
        close(folder)


def close(path: Path) -> None:
    """Take the rights to a file or folder of ours from everybody but its owner."""
    status = path.stat()
    if status.st_uid == os.geteuid() and status.st_mode & 0o077:
        path.chmod(stat.S_IMODE(status.st_mode) & 0o700)


def _holds_only_results(out: Path) -> bool:
    return all(
        (path.name == AUTOGRADED or (path / _LOCK).exists())
        if path.is_dir()
        else path.suffix in _FILES_OF_RESULTS
        for path in out.iterdir()
    )
