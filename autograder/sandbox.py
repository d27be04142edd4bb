"""Where student code runs: the means of isolation, found out by trying them."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import policy_gradients
from autograder import template

KINDS = ("auto", "bwrap", "none")

_START_SECONDS = 120.0
_ENGINE = Path(__file__).parent
_WORKER_FILES = ("__init__.py", "template.py", "worker.py", "protocol.py")
_PROGRAMS = "/course/programs"
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/fonts")


class NoSandbox(RuntimeError):
    """No means of isolation works on this machine; the message says what to do."""


def resolve(kind: str) -> str:
    """The sandbox to use for the option `kind`: "bwrap", or "none" when asked for by name.

    Raises NoSandbox when isolation is wanted and bubblewrap does not work here.
    """
    if kind == "none":
        return "none"
    problem = _bwrap_problem()
    if problem:
        raise NoSandbox(
            f"Bubblewrap, which contains student code, does not work here: {problem}\n"
            "Install it (Debian, Ubuntu: sudo apt-get install bubblewrap) or allow user namespaces. "
            "For notebooks you trust as your own there is --sandbox none."
        )
    return "bwrap"


@functools.cache
def _bwrap_problem() -> str:
    if shutil.which("bwrap") is None:
        return "it is not installed."
    probe = subprocess.run(
        ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True, timeout=30
    )
    return "" if probe.returncode == 0 else probe.stderr.strip()


class Template:
    """The warm process that workers are forked from; see `autograder.template`.

    kind: "bwrap" or "none"; memory_mib: limit on a worker's address space; modules: what it imports;
    programs: folder with JAX's compiled programs, which workers read; record: they write it, too.
    """

    def __init__(
        self,
        kind: str,
        memory_mib: int,
        modules: tuple[str, ...],
        programs: Path | None = None,
        record: bool = False,
    ) -> None:
        self._scratch = tempfile.mkdtemp(prefix="worker-")
        self._control, theirs = socket.socketpair()
        isolation = "isolated" if kind == "bwrap" else "open"
        arguments = [
            sys.executable,
            "-m",
            "autograder.template",
            str(theirs.fileno()),
            str(memory_mib),
            isolation,
        ]
        python_path, home = str(_ENGINE.parent), self._scratch
        if kind == "bwrap":
            arguments[0] = arguments[0].replace(sys.prefix, _course_binds().get(sys.prefix, sys.prefix), 1)
            arguments, python_path, home = [*_bwrap(programs, record), *arguments], "/course", "/scratch"
        self._errors = Path(self._scratch, "errors")
        with theirs, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [*arguments, *modules],
                env=_environment(home, python_path) | _jax_settings(kind, programs, record),
                cwd=self._scratch,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        self._control.settimeout(_START_SECONDS)
        self.shared = self._reply() == template.READY

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def start(self) -> Worker:
        """Fork a worker."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [template.REQUEST.pack(b"s", 0)], [theirs.fileno()])
            return Worker(self, self._reply(), ours)

    def kill(self, number: int) -> None:
        """Kill a worker with all that it started; they are gone when this returns."""
        self._control.sendall(template.REQUEST.pack(b"k", number))
        self._reply()

    def close(self) -> None:
        """End the template and its workers."""
        self._control.close()
        self._process.wait(_START_SECONDS)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _reply(self) -> int:
        data = self._control.recv(template.REPLY.size)
        if not data:
            raise NoSandbox(f"The worker's template ended:\n{self._errors.read_text(errors='replace')}")
        return template.REPLY.unpack(data)[0]


class Worker:
    """A forked process that runs one notebook, and the channel to it."""

    def __init__(self, template: Template, number: int, channel: socket.socket) -> None:
        self._template = template
        self._number = number
        self.channel = channel

    def kill(self) -> None:
        """End the worker with all that it started."""
        self.channel.close()
        if self._template.shared:
            self._template.kill(self._number)
        else:
            self._template.close()


@functools.lru_cache(maxsize=4)
def _template(kind: str, memory_mib: int, modules: tuple[str, ...], programs: Path | None) -> Template:
    warm = Template(kind, memory_mib, modules, programs)
    atexit.register(warm.close)
    return warm


def start_worker(
    kind: str, memory_mib: int, modules: tuple[str, ...], programs: Path | None = None
) -> Worker:
    """A worker forked from this process's template for these arguments, see `Template`."""
    warm = _template(kind, memory_mib, modules, programs)
    if not warm.alive:
        _template.cache_clear()
        warm = _template(kind, memory_mib, modules, programs)
    return warm.start() if warm.shared else Template(kind, memory_mib, modules, programs).start()


def _environment(home: str, python_path: str) -> dict[str, str]:
    return {
        "HOME": home,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MPLBACKEND": "Agg",
        "JAX_PLATFORMS": "cpu",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": python_path,
        "SDL_VIDEODRIVER": "dummy",
        "USER": "student",
    }


def _jax_settings(kind: str, programs: Path | None, record: bool) -> dict[str, str]:
    if programs is None:
        return {}
    return {
        "JAX_COMPILATION_CACHE_DIR": _PROGRAMS if kind == "bwrap" else str(programs),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0" if record else "1e9",  # else it tries to write
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def _bwrap(programs: Path | None, record: bool) -> list[str]:
    """The bubblewrap command line: own namespaces, a read-only system, no course tree, no network."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--hostname", "worker"]
    if os.getuid() == 0:
        command[1:2] = [f"--unshare-{name}" for name in ("ipc", "pid", "net", "uts", "cgroup-try")]
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        command += ["--cap-add", "CAP_SYS_ADMIN"]  # all three are given up before any student code runs
    else:
        command += ["--uid", str(template.NOBODY), "--gid", str(template.NOBODY)]
    command += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    command += ["--perms", "1777", "--tmpfs", "/tmp", "--perms", "1777", "--tmpfs", "/scratch"]
    for folder in ("/bin", "/lib", "/lib64", "/sbin"):
        if os.path.islink(folder):
            command += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            command += ["--ro-bind", folder, folder]
    for name in _SYSTEM_FILES:
        command += ["--ro-bind-try", name, name]
    for source, target in _course_binds().items():
        for parent in reversed(Path(target).parents[:-1]):
            command += ["--perms", "0755", "--dir", str(parent)]  # else only root could pass
        command += ["--ro-bind", source, target]
    if programs is not None:
        command += ["--bind" if record else "--ro-bind", str(programs), _PROGRAMS]
    return [*command, "--chdir", "/scratch", "--"]


def _course_binds() -> dict[str, str]:
    """What of this machine, beyond the system, a worker sees: Python, the library, the worker's own code."""
    binds = {} if sys.base_prefix.startswith("/usr") else {sys.base_prefix: sys.base_prefix}
    if sys.prefix != sys.base_prefix:
        binds[sys.prefix] = "/course/venv"  # it may lie in /tmp, of which each worker has its own
    binds[os.path.dirname(policy_gradients.__file__)] = "/course/policy_gradients"
    return binds | {str(_ENGINE / name): f"/course/autograder/{name}" for name in _WORKER_FILES}
