"""Landlock: how an ordinary process gives up access to files, TCP and other processes, for good."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable

NEEDED_ABI = 6  # Linux 6.12, the first that keeps signals and abstract Unix sockets within

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every machine
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _DEVICE_CONTROL = 1 << 14, 1 << 15
_ALL = (1 << 16) - 1
_MAKE_DEVICES = 1 << 6 | 1 << 11
_READING = _EXECUTE | _READ | _READ_FOLDER
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _DEVICE_CONTROL
_TCP = 1 << 0 | 1 << 1
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1
_PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def abi() -> int:
    """Which version of Landlock the kernel has: 0 for none."""
    return max(0, _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION))


def keep_signals_within() -> None:
    """From now on this process and all that it starts can signal only each other. Raises OSError."""
    _restrict(0, 0, _SIGNALS, {})


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """From now on only these files and folders, no TCP, and nothing that reaches a process outside.

    readable: may be read and executed; writable: may be changed as well. What does not exist is left out.
    Raises OSError where the kernel lacks it.
    """
    rules = dict.fromkeys(readable, _READING) | dict.fromkeys(writable, _ALL & ~_MAKE_DEVICES)
    _restrict(_ALL, _TCP, _ABSTRACT_SOCKETS | _SIGNALS, rules)


def _restrict(files: int, network: int, scopes: int, rules: dict[str, int]) -> None:
    if abi() < NEEDED_ABI:
        raise OSError(errno.ENOSYS, f"Landlock: version {NEEDED_ABI} is needed (Linux 6.12), here is {abi()}")
    attributes = struct.pack("<QQQ", files, network, scopes)
    ruleset = _checked(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    try:
        for path, access in rules.items():
            _add(ruleset, path, access)
        _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _checked(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _add(ruleset: int, path: str, access: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        return
    try:
        if not os.path.isdir(path):
            access &= _OF_FILES
        _checked(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("<Qi", access, fd), 0)
    finally:
        os.close(fd)


def _checked(number: int, *arguments: object) -> int:
    result = _libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
