"""A worker's own namespaces, made by the kernel without further programs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct

WORKING_FOLDER = "/content"  # as in Colab, by whose paths students find their files
FOLDERS = (WORKING_FOLDER, "/tmp", "/dev/shm")  # each worker has its own
READ_ALL = 1 << 2  # the capability to read files whatever their permissions

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
_ALL = _CLONE_NEWUSER | _CLONE_NEWPID | _CLONE_NEWNS | _CLONE_NEWIPC | _CLONE_NEWUTS | _CLONE_NEWNET
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def work() -> bool:
    """Whether the kernel lets this process make all that a worker needs."""
    probe = os.fork()
    if probe == 0:
        with contextlib.suppress(OSError):
            unshare()
            first = os.fork()
            if first == 0:
                with contextlib.suppress(OSError):
                    mount_private()
                    os._exit(0)
                os._exit(1)
            os._exit(os.waitpid(first, 0)[1] != 0)
        os._exit(1)
    return os.waitpid(probe, 0)[1] == 0


def has_user(number: int) -> bool:
    """Whether this process's user namespace has a user and a group of this number."""
    return all(_is_mapped(number, name) for name in ("uid_map", "gid_map"))


def _is_mapped(number: int, name: str) -> bool:
    with open(f"/proc/self/{name}") as file:
        ranges = [[int(field) for field in line.split()] for line in file]
    return any(first <= number < first + count for first, _, count in ranges)


def unshare() -> None:
    """Leave the present namespaces; the next child is the first process of new ones. Raises OSError."""
    uid, gid = os.getuid(), os.getgid()
    _check(_libc.unshare(_ALL), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def mount_private() -> None:
    """Empty folders of this worker only, and a /proc that shows no other process. Raises OSError."""
    for folder in FOLDERS:
        options = b"size=%d,nr_inodes=%d,mode=700" % (256 * 2**20, 20_000)
        _check(_libc.mount(b"tmpfs", folder.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, options), "mount")
    mount_proc()
    os.chdir(WORKING_FOLDER)
    os.mkdir("sample_data")  # which Colab has, with files


def mount_proc() -> None:
    """The /proc of this process's namespaces. Raises OSError."""
    _check(_libc.mount(b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, None), "mount")


def drop_privileges() -> None:
    """Give up what the worker may do in its own namespaces, and making further ones. Raises OSError."""
    with contextlib.suppress(OSError), open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
    keep_capabilities(0)
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def keep_capabilities(kept: int) -> None:
    """Give up all capabilities of this process but those in the mask `kept`. Raises OSError."""
    header = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, struct.pack("<6I", kept, kept, 0, 0, 0, 0)), "capset")


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
