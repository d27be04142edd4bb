"""A warm process in the sandbox that forks one worker per notebook.

It imports the libraries of an assignment once, computes nothing, and runs no student code.
Each worker it forks gets namespaces of its own: it sees no other process, has a private
scratch folder and no network, and everything it starts dies with it.

    python -m autograder.template FD MEMORY_MIB ISOLATION MODULE ...
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import gc
import importlib
import os
import signal
import socket
import struct
import sys

from autograder import worker

REQUEST = struct.Struct("<ci")  # b"s" and 0 (with a file descriptor): start; b"k" and its number: kill
REPLY = struct.Struct("<i")  # the number of the worker started or killed; first of all READY or ALONE
READY, ALONE = 0, 1  # ALONE: the kernel refuses namespaces within the sandbox: one template for each worker

NOBODY = 65534
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
_NAMESPACES = _CLONE_NEWUSER | _CLONE_NEWPID | _CLONE_NEWNS | _CLONE_NEWIPC | _CLONE_NEWUTS | _CLONE_NEWNET
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_PROC_FLAGS = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CAPABILITY_VERSION_3 = 0x20080522


@dataclasses.dataclass(frozen=True)
class Child:
    """A worker: the process that waits for it, and a descriptor that stands for the worker itself."""

    waiting: int
    pidfd: int


_libc = ctypes.CDLL(None, use_errno=True)


def main(fd: int, memory_mib: int, isolate: bool, modules: list[str]) -> None:
    """Serve requests on the socket `fd` until the grader closes it."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if isolate and os.getuid() == 0:
        _become_nobody()
    nested = isolate and _namespaces_work()
    control = socket.socket(fileno=fd)
    for module in modules:
        with contextlib.suppress(Exception):  # what is missing fails in the notebook's own import
            importlib.import_module(module)
    shell = worker.notebook_shell()
    gc.freeze()
    control.sendall(REPLY.pack(ALONE if isolate and not nested else READY))
    children: dict[int, Child] = {}
    while True:
        data, fds, *_ = socket.recv_fds(control, REQUEST.size, 1)
        if not data:
            break
        verb, number = REQUEST.unpack(data)
        if verb == b"s":
            ours = [control.fileno(), *(child.pidfd for child in children.values())]
            child = _start(ours, fds[0], shell, memory_mib, nested)
            number = child.waiting
            children[number] = child
        else:
            _kill(children.pop(number), nested)
        control.sendall(REPLY.pack(number))
    for child in children.values():
        _kill(child, nested)


def _become_nobody() -> None:
    # A process that is root may mount a /proc that nothing covers, which workers need to mount their own.
    _libc.mount(b"proc", b"/proc", b"proc", _PROC_FLAGS, None)
    # Limits on the number of processes do not bind root, not even in a namespace of its own.
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    _libc.prctl(_PR_SET_DUMPABLE, 1)


def _namespaces_work() -> bool:
    probe = os.fork()
    if probe == 0:
        try:
            _unshare()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(probe, 0)[1] == 0


def _start(ours: list[int], fd: int, shell: object, memory_mib: int, nested: bool) -> Child:
    """Fork a worker that serves `fd` and gets none of the descriptors `ours`."""
    threads = len(os.listdir("/proc/self/task"))
    assert threads == 1, f"{threads} threads: a fork would leave locks held in the worker"
    reading, writing = os.pipe()
    waiting = os.fork()
    if waiting == 0:
        for descriptor in (reading, *ours):
            os.close(descriptor)
        _wait_for_worker(writing, fd, shell, memory_mib, nested)
    os.close(writing)
    os.close(fd)
    with os.fdopen(reading, "rb") as pipe:
        (pid,) = REPLY.unpack(pipe.read(REPLY.size))
    return Child(waiting, os.pidfd_open(pid))


def _wait_for_worker(writing: int, fd: int, shell: object, memory_mib: int, nested: bool) -> None:
    os.setsid()
    if nested:
        _unshare()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        _become_worker(fd, shell, memory_mib, nested)
    os.close(fd)
    os.write(writing, REPLY.pack(pid))
    os.close(writing)
    os.waitpid(pid, 0)
    os._exit(0)


def _become_worker(fd: int, shell: object, memory_mib: int, nested: bool) -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if nested:
        _private_mounts()
        _drop_privileges()
        pid = os.fork()  # the first process of a namespace cannot be killed from within: let it only wait
        if pid != 0:
            os.close(fd)
            while os.wait()[0] != pid:
                pass
            os._exit(0)
    worker.serve(fd, shell, memory_mib)
    os._exit(0)


def _unshare() -> None:
    uid, gid = os.getuid(), os.getgid()
    _check(_libc.unshare(_NAMESPACES), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _private_mounts() -> None:
    """An empty scratch folder and /tmp of this worker only, and a /proc that shows no other process."""
    for folder in ("/scratch", "/tmp"):
        flags = _MS_NOSUID | _MS_NODEV
        _check(_libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, b"size=256m,mode=700"), "mount")
    # Refused where part of the outer /proc is covered; then other workers' pids show, but cannot be touched.
    _libc.mount(b"proc", b"/proc", b"proc", _PROC_FLAGS, None)
    os.chdir("/scratch")


def _drop_privileges() -> None:
    """Give up what the worker may do in its own namespaces, and the making of further ones."""
    with contextlib.suppress(OSError), open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
    header = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, bytes(24)), "capset")
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _kill(child: Child, nested: bool) -> None:
    """Kill a worker and all that it started, and wait until they are gone."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)  # the first of its namespace: all die
    if not nested:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.waiting, signal.SIGKILL)
    os.waitpid(child.waiting, 0)
    os.close(child.pidfd)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "isolated", sys.argv[4:])
