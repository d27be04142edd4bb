"""Where student code runs: the means of isolation, found out by trying them.

bwrap: bubblewrap makes namespaces around the template, and the template makes some for each worker: own
processes, mounts, network, IPC and users. Landlock takes their place where these cannot be nested.

landlock: for machines on which ordinary users may not make namespaces. The worker reads only the system,
Python and the course's library, and writes only its own folder. Landlock keeps signals within, a filter
of system calls denies sockets. Not covered: a student's code sees which files and processes exist on the
machine, not what is in them; files that it deletes but keeps open count against no limit but their own size.

container: Podman, without an image: the same folders as with bubblewrap, in a container around the template.
Where the kernel has no Landlock, each worker gets a container of its own.

All: `autograder.seccomp` filters system calls, and `autograder.limits` bounds what is used.
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import json
import logging
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import policy_gradients
from autograder import protocol, xla_cache
from autograder.worker import landlock, limits, namespaces, template

_log = logging.getLogger(__name__)

KINDS = ("auto", "bwrap", "landlock", "container", "none")

_START_SECONDS = 120.0
_STOP_SECONDS = 10.0
_MEANS = {
    "bwrap": template.NAMESPACES,
    "landlock": template.LANDLOCK,
    "container": template.NAMESPACES,
    "none": template.NOTHING,
}
_ENGINE = Path(__file__).parent
_WORKER_FILES = ("__init__.py", "protocol.py", "worker")
_PROGRAMS = "/course/programs"
_PODMANS_FOLDERS = ("/dev", "/proc", "/sys")
_PODMANS_FILES = ("/etc/group", "/etc/hostname", "/etc/hosts", "/etc/passwd", "/run/.containerenv")
# What a template needs; its workers get less. Podman lets itself have no more processes than this.
_ENOUGH = {"nofile": (resource.RLIMIT_NOFILE, 1024), "nproc": (resource.RLIMIT_NPROC, 32 * 2**10)}
_CGROUPS_BESIDE = Path("/sys/fs/cgroup/unified/cgroup.controllers")  # of version 2, while version 1 is used
_APART = ("bwrap", "container")  # what sees the course at a place of its own
_SYSTEM_FOLDERS = ("/bin", "/lib", "/lib64", "/sbin")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/fonts")
_HARMLESS = ("/dev/random", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_APPARMOR_ADVICE = """AppArmor forbids it here, as Ubuntu does from 23.10 on. To allow bubblewrap, run once:
    echo 'abi <abi/4.0>, profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }' |
        sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap"""


class NoSandbox(RuntimeError):
    """No means of isolation works on this machine; the message says what to do."""


def resolve(kind: str) -> str:
    """The sandbox to use for the option `kind`, found by starting a worker in it; "auto": the best there is.

    Raises NoSandbox when isolation is wanted and none works here.
    """
    if kind == "none":
        return "none"
    _keep_masters_apart()
    _require_limits()
    problems = []
    for rung in KINDS[1:-1] if kind == "auto" else (kind,):
        problem = _problem(rung)
        if not problem:
            return rung
        problems.append(f"--sandbox {rung} does not work on this machine: {problem}")
    raise NoSandbox("\n".join([*problems, "For notebooks you trust as your own there is --sandbox none."]))


def _keep_masters_apart() -> None:
    """Raise NoSandbox where the masters lie in a folder that workers read: Python's own, or the system's."""
    for folder in ("/usr", sys.prefix, sys.base_prefix):
        if _ENGINE.is_relative_to(folder):
            raise NoSandbox(
                f"{_ENGINE} lies in {folder}, which student code may read, with hidden tests and solutions. "
                "Keep the course in a folder of its own, and install it from there with: pip install -e ."
            )


def _require_limits() -> None:
    """Raise NoSandbox where a fork bomb would be the machine's: its root, who cannot become another user."""
    if not template.is_root() and not limits.bind_processes():
        raise NoSandbox(
            "The grader runs as the machine's root in a user namespace without other users, where the kernel "
            "does not limit how many processes a notebook starts. Run it as an ordinary user, or as root "
            "outside of that namespace."
        )


@functools.cache
def _problem(kind: str) -> str:
    """Why this kind of sandbox does not work here, and what to do; empty if it works."""
    if kind == "bwrap" and shutil.which("bwrap") is None:
        return "bubblewrap is not installed (Debian, Ubuntu: sudo apt-get install bubblewrap)."
    if kind == "container" and shutil.which("podman") is None:
        return "Podman is not installed (Debian, Ubuntu: sudo apt-get install podman)."
    if kind == "container" and shutil.which(_runtime()) is None:
        return f"Podman needs {_runtime()} here (Debian, Ubuntu: sudo apt-get install {_runtime()})."
    if kind == "landlock" and landlock.abi() < landlock.NEEDED_ABI:
        return f"needs Landlock {landlock.NEEDED_ABI}, that is Linux 6.12 or newer; here is {landlock.abi()}."
    try:
        _try(kind)
    except NoSandbox as error:
        return f"{error}\n{_advice(kind)}".strip()
    except Exception as error:
        _log.exception("--sandbox %s could not be tried", kind)
        return f"trying it failed ({type(error).__name__}: {error})\n{_advice(kind)}".strip()
    return ""


def _try(kind: str) -> None:
    probe = Template(kind, 4096, ())
    try:
        worker = probe.start()
        protocol.receive(worker.channel, _START_SECONDS)
        worker.kill()
    except TimeoutError:
        raise NoSandbox(f"no worker started within {_START_SECONDS:.0f} seconds.") from None
    except EOFError:
        raise NoSandbox(f"no worker started.{probe.reason()}") from None
    finally:
        probe.close()


def _advice(kind: str) -> str:
    if kind != "bwrap" or template.is_root():
        return ""
    if _APPARMOR.exists() and _APPARMOR.read_text().strip() == "1":
        return _APPARMOR_ADVICE
    return "It needs user namespaces (sudo sysctl user.max_user_namespaces=10000)."


class Template:
    """The warm process that workers are forked from; see `autograder.worker.template`.

    kind: one of KINDS but "auto"; memory_mib: limit on the memory of a worker; modules: what it imports;
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
        self._scratch = "" if kind == "bwrap" else tempfile.mkdtemp(prefix="worker-")
        errors, name = tempfile.mkstemp()
        os.unlink(name)
        self._errors = os.fdopen(errors, "rb")
        self._control, theirs = socket.socketpair()
        python, python_path, home, command = sys.executable, str(_ENGINE.parent), self._scratch, []
        if kind in _APART:
            python = python.replace(sys.prefix, _course_binds().get(sys.prefix, sys.prefix), 1)
            python_path, home = "/course", namespaces.WORKING_FOLDER
        elif kind == "landlock":
            python_path = _course_folder(self._scratch)
        environment = _environment(home, python_path, python) | _jax_settings(kind, programs, record)
        fd = theirs.fileno()
        if kind == "bwrap":
            command = _bwrap(programs, record)
        elif kind == "container":
            command = _podman(self._scratch, fd, environment, programs, record)
            environment, fd = dict(os.environ), 3
        readable, writable = _paths(kind, programs, record)
        settings = template.Settings(
            fd=fd,
            memory_mib=memory_mib,
            means=_MEANS[kind],
            readable=readable,
            writable=writable,
            modules=list(modules),
        )
        command += [python, "-m", "autograder.worker.template", json.dumps(dataclasses.asdict(settings))]
        with theirs:
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=self._scratch or "/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                start_new_session=True,
            )
        self._control.settimeout(_START_SECONDS)

    @functools.cached_property
    def shared(self) -> bool:
        """Whether it can start several workers, one after the other; waits until it has imported all."""
        try:
            return self._reply() == template.READY
        except Exception:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def start(self) -> Worker:
        """Fork a worker."""
        _ = self.shared  # waits until all is imported
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [template.REQUEST.pack(b"s", 0)], [theirs.fileno()])
            return Worker(self, self._reply(), ours)

    def kill(self, number: int) -> None:
        """Kill a worker with all that it started; they are gone when this returns."""
        self._control.sendall(template.REQUEST.pack(b"k", number))
        self._reply()

    def count(self, number: int) -> int:
        """How many processes and threads a worker has; 0 once it has ended."""
        self._control.sendall(template.REQUEST.pack(b"c", number))
        return self._reply()

    def close(self) -> None:
        """End the template and its workers."""
        self._control.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def reason(self) -> str:
        """What the template wrote to its standard error; of a traceback, which is logged, the last line."""
        text = os.pread(self._errors.fileno(), 2**16, 0).decode(errors="replace").strip()
        if "Traceback (most recent call last)" in text:
            _log.error("The process that starts workers ended:\n%s", text)
            text = text.splitlines()[-1]
        return f" It said: {text}" if text else ""

    def _reply(self) -> int:
        data = self._control.recv(template.REPLY.size)
        if not data:
            raise NoSandbox(f"the process that starts workers ended.{self.reason()}")
        return template.REPLY.unpack(data)[0]


class Worker:
    """A forked process that runs one notebook, and the channel to it."""

    def __init__(self, template: Template, number: int, channel: socket.socket) -> None:
        self._template = template
        self._number = number
        self.channel = channel

    def count(self) -> int:
        """How many processes and threads it has; 0 once it has ended."""
        return self._template.count(self._number)

    def kill(self) -> None:
        """End the worker with all that it started."""
        self.channel.close()
        if self._template.shared:
            self._template.kill(self._number)
        else:
            self._template.close()


@functools.lru_cache(maxsize=4)
def warm_template(kind: str, memory_mib: int, modules: tuple[str, ...], programs: Path | None) -> Template:
    """This process's template for these arguments, which may still be importing; see `Template`."""
    warm = Template(kind, memory_mib, modules, programs)
    atexit.register(warm.close)
    return warm


def start_worker(
    kind: str, memory_mib: int, modules: tuple[str, ...], programs: Path | None = None
) -> Worker:
    """A worker forked from this process's template for these arguments, see `Template`."""
    warm = warm_template(kind, memory_mib, modules, programs)
    if not warm.alive:
        warm_template.cache_clear()
        warm = warm_template(kind, memory_mib, modules, programs)
    return warm.start() if warm.shared else Template(kind, memory_mib, modules, programs).start()


def _environment(home: str, python_path: str, python: str) -> dict[str, str]:
    return {
        "HOME": home,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MPLBACKEND": "Agg",
        **xla_cache.COMPILER_SETTINGS,
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": f"{os.path.dirname(python)}:{os.defpath}",  # so that `!python` is the course's
        "PIP_NO_INDEX": "1",  # else `%pip install` tries again and again to reach one
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": python_path,
        "SDL_VIDEODRIVER": "dummy",
        "USER": "student",
    }


def _jax_settings(kind: str, programs: Path | None, record: bool) -> dict[str, str]:
    if programs is None:
        return {}
    return {
        "JAX_COMPILATION_CACHE_DIR": _PROGRAMS if kind in _APART else str(programs),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0" if record else "1e9",  # else it tries to write
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def _bwrap(programs: Path | None, record: bool) -> list[str]:
    """The bubblewrap command line: own namespaces, a read-only system, no course tree, no network."""
    program = shutil.which("bwrap") or "bwrap"  # the template's own PATH may lack it
    command = [program, "--unshare-all", "--die-with-parent", "--new-session", "--hostname", "worker"]
    if template.is_root():
        command[1:2] = [f"--unshare-{name}" for name in ("ipc", "pid", "net", "uts", "cgroup-try")]
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        command += ["--cap-add", "CAP_SYS_ADMIN"]  # all three are given up before any student code runs
    else:
        command += ["--unshare-user", "--uid", str(template.NOBODY), "--gid", str(template.NOBODY)]
    command += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    # Mapped by several, zeros are memory that outlives its owner; the rest of /dev is not to be written.
    command += ["--dev-bind", "/dev/null", "/dev/zero", "--remount-ro", "/dev"]
    for folder in namespaces.FOLDERS:
        command += ["--perms", "1777", "--size", str(limits.FOLDER_BYTES), "--tmpfs", folder]
    for folder in _SYSTEM_FOLDERS:
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
    return [*command, "--remount-ro", "/", "--chdir", namespaces.WORKING_FOLDER, "--"]


def _podman(
    scratch: str, fd: int, environment: dict[str, str], programs: Path | None, record: bool
) -> list[str]:
    """The Podman command line; what it runs finds the socket `fd` as its descriptor 3."""
    root = Path(scratch, "root")
    runtime = _runtime()
    command = ["podman", "--runtime", runtime, "run", "--rm", "--network", "none", "--log-driver", "none"]
    command += ["--read-only", "--read-only-tmpfs=false", "--cap-drop", "all"]
    command += ["--security-opt", "no-new-privileges", "--security-opt", "mask=/dev/zero", *_ulimits()]
    if runtime == "crun":
        command += ["--cgroups=disabled"]  # not every machine lets us make one; `limits` holds without
    command += ["--hostname", "worker", "--preserve-fds", "1", "--workdir", namespaces.WORKING_FOLDER]
    command += ["--shm-size", str(limits.FOLDER_BYTES)]
    nobody = f"{template.NOBODY}:{template.NOBODY}"
    command += ["--user", nobody] if os.getuid() == 0 else ["--userns", "keep-id"]
    for folder in (namespaces.WORKING_FOLDER, "/tmp"):
        root.joinpath(folder[1:]).mkdir(parents=True)
        root.joinpath(folder[1:]).chmod(0o1777)  # which what is mounted there takes over
        command += ["--tmpfs", f"{folder}:size={limits.FOLDER_BYTES},mode=1777"]
    binds = {name: name for name in ("/usr", *_SYSTEM_FILES) if os.path.exists(name)} | _course_binds()
    for folder in _SYSTEM_FOLDERS:
        if os.path.islink(folder):
            root.joinpath(folder[1:]).symlink_to(os.readlink(folder))
        elif os.path.isdir(folder):
            binds[folder] = folder
    if programs is not None:
        binds[str(programs)] = _PROGRAMS
    for source, target in binds.items():
        writable = record and target == _PROGRAMS
        command += ["--volume", f"{source}:{target}:{'rw' if writable else 'ro'}"]
    folders = {target: os.path.isdir(source) for source, target in binds.items()}
    folders |= dict.fromkeys(_PODMANS_FOLDERS, True) | dict.fromkeys(_PODMANS_FILES, False)
    for target, is_folder in folders.items():
        point = root.joinpath(target[1:])  # else Podman makes it, and only Podman can remove it
        (point if is_folder else point.parent).mkdir(parents=True, exist_ok=True)
        if not is_folder:
            point.touch()
    for name, value in environment.items():
        command += ["--env", f"{name}={value}"]
    return ["bash", "-c", f'exec "$@" 3<&{fd}', "bash", *command, "--rootfs", str(root)]


def _runtime() -> str:
    """crun, which Podman prefers, refuses cgroups of both versions side by side; runc takes them."""
    is_hybrid = _CGROUPS_BESIDE.exists() and _CGROUPS_BESIDE.read_text().strip()
    return "runc" if is_hybrid or shutil.which("crun") is None else "crun"


def _ulimits() -> Iterator[str]:
    """Limits that do not exceed this process's own: Podman's are higher, and only root may raise them."""
    for name, (number, enough) in _ENOUGH.items():
        own = resource.getrlimit(number)[1]
        value = enough if own == resource.RLIM_INFINITY else min(own, enough)
        yield from ("--ulimit", f"{name}={value}:{value}")


def _course_binds() -> dict[str, str]:
    """What of this machine, beyond the system, a worker sees: Python, the library, the worker's own code."""
    binds = {} if sys.base_prefix.startswith("/usr") else {sys.base_prefix: sys.base_prefix}
    if sys.prefix != sys.base_prefix:
        binds[sys.prefix] = "/course/venv"  # it may lie in /tmp, of which each worker has its own
    binds[os.path.dirname(policy_gradients.__file__)] = "/course/policy_gradients"
    return binds | {str(_ENGINE / name): f"/course/autograder/{name}" for name in _WORKER_FILES}


def _paths(kind: str, programs: Path | None, record: bool) -> tuple[list[str], list[str]]:
    """What Landlock leaves a worker to read, and to write beside its scratch folder."""
    readable = ["/usr", *_SYSTEM_FOLDERS, *_SYSTEM_FILES, *_HARMLESS]
    readable += ["/course", sys.base_prefix] if kind in _APART else _course_binds()
    if programs is None:
        return readable, [os.devnull]
    seen_as = _PROGRAMS if kind in _APART else str(programs)
    return [*readable, seen_as], [os.devnull, seen_as] if record else [os.devnull]


def _course_folder(scratch: str) -> str:
    """A folder from which Python imports what workers need, and nothing else of the course."""
    folder = Path(scratch, "course")
    for source, target in _course_binds().items():
        if target.startswith("/course/") and source != sys.prefix:
            link = Path(folder, target.removeprefix("/course/"))
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)
    if template.is_root():
        for owned in (scratch, folder, *filter(os.path.isdir, folder.iterdir())):
            os.chown(owned, template.NOBODY, template.NOBODY, follow_symlinks=False)
    return str(folder)
