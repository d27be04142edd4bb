"""A warm process in the sandbox that forks one worker per notebook.

It imports the libraries of an assignment once, computes nothing, and runs no student code.
Each worker it forks sees no other process, has a private scratch folder and no network, and
everything it starts dies with it. Settings come as JSON: python -m autograder.worker.template SETTINGS
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from autograder.worker import cells, landlock, limits, namespaces, seccomp

# b"s" and 0 (with a file descriptor): start; b"k" and its number: kill; b"c" and its number: count
REQUEST = struct.Struct("<ci")
# the number of the worker started or killed, or of its processes and threads; first of all READY or ALONE
REPLY = struct.Struct("<i")
READY, ALONE = 0, 1  # ALONE: nothing would separate workers from each other: one template for each

# What holds a worker, beside the sandbox in which the template itself may run. OUTER: nothing else.
NAMESPACES, LANDLOCK, OUTER, NOTHING = "namespaces", "landlock", "outer", "nothing"
NOBODY = 65534
_LATER = {"jax": "jaxlib.mlir.dialects.mhlo", "matplotlib.pyplot": "matplotlib.backends.backend_agg"}
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_SET_CHILD_SUBREAPER = 1, 4, 8, 36


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the grader asks for.

    fd: the socket on which it sends requests; memory_mib: for all processes of a worker together, and
    address space of each; means: NAMESPACES, LANDLOCK or NOTHING; readable, writable: files and folders
    that Landlock leaves to a worker; modules: what to import.
    """

    fd: int
    memory_mib: int
    means: str
    readable: list[str]
    writable: list[str]
    modules: list[str]


@dataclasses.dataclass(frozen=True)
class Child:
    """A worker: the process that waits for it, and a descriptor that stands for the worker itself."""

    waiting: int
    pidfd: int


_libc = ctypes.CDLL(None, use_errno=True)


def main(settings: Settings) -> None:
    """Serve requests until the grader closes the socket, or is gone."""
    if settings.means != NOTHING:
        _give_up_root(settings.means)
    means = _means(settings)
    control = socket.socket(fileno=settings.fd)
    for module in settings.modules:
        with contextlib.suppress(Exception):  # what is missing fails in the notebook's own import
            importlib.import_module(module)
    _import_what_they_import_later()
    shell = cells.notebook_shell()
    _share_mlir_context()
    gc.freeze()
    control.sendall(REPLY.pack(ALONE if means == OUTER else READY))
    children: dict[int, Child] = {}
    watch = limits.Watch()
    while True:
        data, fds, *_ = socket.recv_fds(control, REQUEST.size, 1)
        if not data:
            break
        verb, number = REQUEST.unpack(data)
        if verb == b"s":
            ours = [control.fileno(), watch.descriptor, *(child.pidfd for child in children.values())]
            child = _start(ours, fds[0], shell, dataclasses.replace(settings, means=means))
            number = child.waiting
            children[number] = child
        elif verb == b"c":
            number = _count(children[number], watch)
        else:
            _kill(children.pop(number), means)
        control.sendall(REPLY.pack(number))
    if means != OUTER:  # which ends with this process
        for child in children.values():
            _kill(child, means)
    if settings.means == LANDLOCK:
        _remove(os.environ["HOME"])


def is_root() -> bool:
    """Whether this process is root and can become another user.

    In a user namespace that has no other user, root is an ordinary user's other name.
    """
    return os.getuid() == 0 and namespaces.has_user(NOBODY)


def _give_up_root(means: str) -> None:
    if is_root():
        _become_nobody(means)
    elif os.getuid() == 0:
        namespaces.keep_capabilities(0)


def _means(settings: Settings) -> str:
    """What can hold a worker. Within the grader's namespaces the kernel may refuse to make further ones."""
    if settings.means == NAMESPACES and not namespaces.work():
        return LANDLOCK if landlock.abi() >= landlock.NEEDED_ABI else OUTER
    return settings.means


def _import_what_they_import_later() -> None:
    """Import what JAX and Matplotlib import when they are first used: a tenth of a second for each worker."""
    for library, module in _LATER.items():
        if library in sys.modules:
            with contextlib.suppress(ImportError):  # none of these is public
                importlib.import_module(module)


def _share_mlir_context() -> None:
    """Let JAX keep one MLIR context: it builds one for each program, half the time of a small program."""
    mlir = sys.modules.get("jax._src.interpreters.mlir")
    if hasattr(mlir, "make_ir_context"):  # not part of JAX's public interface
        mlir.make_ir_context = functools.cache(mlir.make_ir_context)


def _become_nobody(means: str) -> None:
    if means == NAMESPACES:
        # A process that is root may mount a /proc that nothing covers, which workers need to mount their own.
        with contextlib.suppress(OSError):
            namespaces.mount_proc()
    _libc.prctl(_PR_SET_KEEPCAPS, 1)
    # Limits on the number of processes do not bind root, not even in a namespace of its own.
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    # The course may lie where only root can read. Landlock is what says which files a worker reads.
    reading = namespaces.READ_ALL if means == LANDLOCK else 0
    with contextlib.suppress(PermissionError):
        namespaces.keep_capabilities(reading)
    _libc.prctl(_PR_SET_DUMPABLE, 1)


def _start(ours: list[int], fd: int, shell: object, settings: Settings) -> Child:
    """Fork a worker that serves `fd` and gets none of the descriptors `ours`."""
    threads = len(os.listdir("/proc/self/task"))
    assert threads == 1, f"{threads} threads: a fork would leave locks held in the worker"
    reading, writing = os.pipe()
    waiting = os.fork()
    if waiting == 0:
        for descriptor in (reading, *ours):
            os.close(descriptor)
        _wait_for_worker(writing, fd, shell, settings)
    os.close(writing)
    os.close(fd)
    with os.fdopen(reading, "rb") as pipe:
        (pid,) = REPLY.unpack(pipe.read(REPLY.size))
    return Child(waiting, os.pidfd_open(pid))


def _wait_for_worker(writing: int, fd: int, shell: object, settings: Settings) -> None:
    os.setsid()
    watch, others, scratch = limits.Watch(), 0, None
    if settings.means == NAMESPACES:
        namespaces.unshare()
    else:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what the worker leaves behind becomes this process's child
        others = watch.threads_of_user()
    if settings.means == LANDLOCK:
        landlock.keep_signals_within()
        scratch = tempfile.mkdtemp(dir=os.environ["HOME"])
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        watch.close()
        _become_worker(fd, shell, settings, others, scratch)
    os.close(fd)
    if settings.means == LANDLOCK:  # at the template's word, as a fork bomb leaves this process little time
        signal.signal(signal.SIGTERM, lambda *_: _end_domain())
    os.write(writing, REPLY.pack(pid))
    os.close(writing)
    watch.wait(pid, lambda: _is_too_much(settings, watch, scratch))
    if settings.means != NAMESPACES:
        _end_descendants(watch, settings.means)
    if scratch:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _remove(scratch)
    os._exit(0)


def _is_too_much(settings: Settings, watch: limits.Watch, scratch: str | None) -> bool:
    enough = settings.memory_mib * 2**20
    if settings.means == NAMESPACES:
        enough -= limits.held_by_mounts(namespaces.FOLDERS) + watch.sockets()
    return watch.has_more_than(enough) or (scratch is not None and limits.is_overfull(scratch))


def _end_descendants(watch: limits.Watch, means: str) -> None:
    """Kill what the worker left running, and wait until it is gone."""
    while True:
        if means == LANDLOCK:
            _end_domain()
        else:
            for pid in watch.descendants():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)


def _end_domain() -> None:
    """Kill at one stroke all that Landlock lets this process signal: the worker and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def _remove(folder: str) -> None:
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):  # at any depth, where Python's own gives up
        subprocess.run([*command, "--", folder], stderr=subprocess.DEVNULL, check=False)


def _become_worker(fd: int, shell: object, settings: Settings, others: int, scratch: str | None) -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if settings.means == NAMESPACES:
        namespaces.mount_private()
        namespaces.drop_privileges()
    limits.limit_process(settings.memory_mib, others)
    if scratch:
        _settle_in(scratch)
        landlock.restrict(["/proc/self", *settings.readable], [scratch, *settings.writable])
    if settings.means != NOTHING:
        seccomp.restrict(beside_others=settings.means == LANDLOCK)
    null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    for output in (1, 2):
        os.dup2(null, output)
    if settings.means == NAMESPACES:
        pid = os.fork()  # the first process of a namespace cannot be killed from within: let it only wait
        if pid != 0:
            os.close(fd)
            while os.wait()[0] != pid:
                pass
            os._exit(0)
    cells.serve(fd, shell)
    os._exit(0)


def _settle_in(scratch: str) -> None:
    os.chdir(scratch)
    os.environ.update(HOME=scratch, TMPDIR=scratch, IPYTHONDIR=f"{scratch}/.ipython")
    tempfile.tempdir = None  # or it would keep the template's


def _count(child: Child, watch: limits.Watch) -> int:
    """How many processes and threads a worker has; 0 once it has ended."""
    has_ended = select.select([child.pidfd], [], [], 0)[0]
    return 0 if has_ended else sum(watch.descendants(child.waiting).values())


def _kill(child: Child, means: str) -> None:
    """Kill a worker and all that it started, and wait until they are gone."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)  # of namespaces the first: all die
    if means == LANDLOCK:
        os.kill(child.waiting, signal.SIGTERM)
    os.waitpid(child.waiting, 0)
    os.close(child.pidfd)


if __name__ == "__main__":
    main(Settings(**json.loads(sys.argv[1])))
