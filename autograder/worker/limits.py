"""What a worker may use: limits on each of its processes, and a watch over all of them together."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
from collections.abc import Callable

FOLDER_BYTES = 256 * 2**20
FOLDER_FILES = 20_000

_CORES = os.cpu_count() or 1
_PROCESSES = 120 + 4 * _CORES  # threads count as well, and JAX starts several for each core
MOST_LEFT = _PROCESSES - 60  # what a cell may leave running: the next ones need some, too
# Where the kernel counts all of the user's: room for what others start meanwhile, other workers among them.
_SPARE_PROCESSES = _PROCESSES * (_CORES // 2)
_CPU_SECONDS = 2 * 3600  # far beyond what a grader waits for: nothing runs on for days should one be stopped
_WATCH_SECONDS = 0.1
_SOCKET_BYTES = 512 * 2**10  # what may wait in one, and is no process's memory
_BINDS = 42  # the exit code of a process that could not fork
_PAGE = resource.getpagesize()


def limit_process(memory_mib: int, others: int = 0) -> None:
    """Limit this process and each that it starts, for good.

    others: processes and threads of the same user that are not the worker's, and are counted with it.
    """
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # should the machine's memory run out, student code ends before anything else
    limits = {
        resource.RLIMIT_AS: memory_mib * 2**20,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: _CPU_SECONDS,
        resource.RLIMIT_FSIZE: FOLDER_BYTES,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_NPROC: _PROCESSES + (others + _SPARE_PROCESSES if others else 0),
    }
    for name, value in limits.items():
        resource.setrlimit(name, (value, value))


def bind_processes() -> bool:
    """Whether a limit on the number of processes binds this process's user; it does not bind root."""
    probe = os.fork()
    if probe == 0:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        try:
            os._exit(0 if os.fork() else 1)
        except OSError:
            os._exit(_BINDS)
    return os.waitstatus_to_exitcode(os.waitpid(probe, 0)[1]) == _BINDS


class Watch:
    """Over the processes that descend from this one.

    Keeps this process's view of /proc and of the network's counters, whatever is mounted over them later.
    """

    def __init__(self) -> None:
        self._proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)

    def wait(self, pid: int, is_too_much: Callable[[], bool]) -> None:
        """Wait until the child `pid` ends; kill it when it is too much, or this process's parent is gone."""
        parent = os.getppid()
        pidfd = os.pidfd_open(pid)
        while not select.select([pidfd], [], [], _WATCH_SECONDS)[0]:
            if os.getppid() != parent or is_too_much():
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.waitpid(pid, 0)

    @property
    def descriptor(self) -> int:
        """The file descriptor that it keeps open."""
        return self._proc

    def close(self) -> None:
        os.close(self._proc)

    def descendants(self, ancestor: int | None = None) -> dict[int, int]:
        """The processes that this one, or `ancestor`, started, and those that they started.

        Each with the number of its threads.
        """
        children: dict[int, list[int]] = {}
        threads = {}
        for pid in self._all():
            with contextlib.suppress(OSError):
                fields = self._state(pid)
                children.setdefault(int(fields[1]), []).append(pid)
                threads[pid] = 0 if fields[0] == b"Z" else int(fields[17])  # a zombie runs no more
        found, newest = {}, children.get(ancestor or os.getpid(), [])
        while newest:
            found |= {pid: threads[pid] for pid in newest}
            newest = [child for pid in newest for child in children.get(pid, []) if child not in found]
        return found

    def threads_of_user(self) -> int:
        """How many processes and threads this process's user has on the machine."""
        count = 0
        for pid in self._all():
            with contextlib.suppress(OSError):
                if os.stat(str(pid), dir_fd=self._proc).st_uid == os.getuid():
                    count += int(self._state(pid)[17])
        return count

    def has_more_than(self, memory: int) -> bool:
        """Whether the descendants together hold more bytes than that, or are too many."""
        processes = self.descendants()
        if sum(processes.values()) > _PROCESSES:
            return True
        if sum(self._resident(pid) for pid in processes) <= memory:  # counts what they share several times
            return False
        return sum(self._share(pid) for pid in processes) > memory

    def sockets(self) -> int:
        """Bytes that may wait in the sockets of this process's network namespace."""
        with contextlib.suppress(OSError):
            return int(self._read("self/net/sockstat").split()[2]) * _SOCKET_BYTES
        return 0

    def _resident(self, pid: int) -> int:
        with contextlib.suppress(OSError):
            return int(self._read(f"{pid}/statm").split()[1]) * _PAGE
        return 0

    def _share(self, pid: int) -> int:
        try:
            lines = self._read(f"{pid}/smaps_rollup").splitlines()
        except OSError:  # it has ended, or hides
            return self._resident(pid)
        return sum(int(line.split()[1]) for line in lines if line.startswith((b"Pss:", b"SwapPss:"))) * 1024

    def _all(self) -> list[int]:
        return [int(name) for name in os.listdir(self._proc) if name.isdigit()]

    def _state(self, pid: int) -> list[bytes]:
        """The fields of /proc/PID/stat after the name."""
        return self._read(f"{pid}/stat").rpartition(b")")[2].split()

    def _read(self, name: str) -> bytes:
        with open(os.open(name, os.O_RDONLY, dir_fd=self._proc), "rb") as file:
            return file.read()


def held_by_mounts(folders: tuple[str, ...]) -> int:
    """Bytes in use on the file systems mounted at `folders`."""
    states = [os.statvfs(folder) for folder in folders]
    return sum((state.f_blocks - state.f_bfree) * state.f_frsize for state in states)


def is_overfull(folder: str) -> bool:
    """Whether `folder` holds more bytes or files than a worker's may, or hides what it holds."""
    size = count = 0
    try:
        for _, folders, files, fd in os.fwalk(folder, onerror=_raise_unless_gone):
            count += len(folders) + len(files)
            for name in files:
                with contextlib.suppress(FileNotFoundError):
                    size += os.stat(name, dir_fd=fd, follow_symlinks=False).st_blocks * 512
            if size > FOLDER_BYTES or count > FOLDER_FILES:
                return True
    except (OSError, RecursionError):
        return True
    return False


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
