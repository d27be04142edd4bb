"""Where student code runs: the means of isolation, found out by trying them."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import policy_gradients

KINDS = ("auto", "bwrap", "none")

_ENGINE = Path(__file__).parent
_WORKER_FILES = ("__init__.py", "worker.py", "protocol.py")
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


class Process:
    """A worker process and the channel to it.

    kind: "bwrap" or "none"; memory_mib: limit on the worker's address space.
    """

    def __init__(self, kind: str, memory_mib: int) -> None:
        self._scratch = tempfile.mkdtemp(prefix="worker-")
        self.channel, theirs = socket.socketpair()
        arguments = [sys.executable, "-m", "autograder.worker", str(theirs.fileno()), str(memory_mib)]
        command, environment = arguments, self._environment(self._scratch, str(_ENGINE.parent))
        if kind == "bwrap":
            command, environment = [*_bwrap(), *arguments], {}
        with theirs:
            self._process = subprocess.Popen(
                command,
                env=environment or self._environment("/scratch", "/course"),
                cwd=self._scratch,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    @staticmethod
    def _environment(home: str, python_path: str) -> dict[str, str]:
        return {
            "HOME": home,
            "IPYTHONDIR": f"{home}/.ipython",
            "MPLCONFIGDIR": f"{home}/.matplotlib",
            "MPLBACKEND": "Agg",
            "JAX_PLATFORMS": "cpu",
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            "PATH": os.defpath,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": python_path,
            "SDL_VIDEODRIVER": "dummy",
            "USER": "student",
        }

    def kill(self) -> None:
        """End the worker and everything it started, and remove its scratch folder."""
        self.channel.close()
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)


def _bwrap() -> list[str]:
    """The bubblewrap command line: own namespaces, a read-only system, no course tree, no network."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    command += ["--uid", "65534", "--gid", "65534", "--hostname", "worker"]
    command += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    command += ["--tmpfs", "/tmp", "--tmpfs", "/scratch"]
    for folder in ("/bin", "/lib", "/lib64", "/sbin"):
        if os.path.islink(folder):
            command += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            command += ["--ro-bind", folder, folder]
    for name in _SYSTEM_FILES:
        command += ["--ro-bind-try", name, name]
    for prefix in sorted({sys.prefix, sys.base_prefix}):
        if not prefix.startswith("/usr/"):
            command += ["--ro-bind", prefix, prefix]
    command += ["--ro-bind", os.path.dirname(policy_gradients.__file__), "/course/policy_gradients"]
    for name in _WORKER_FILES:
        command += ["--ro-bind", str(_ENGINE / name), f"/course/autograder/{name}"]
    return [*command, "--chdir", "/scratch", "--"]
