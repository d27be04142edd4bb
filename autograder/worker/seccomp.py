"""System calls that student code may not make, as a filter the kernel applies from then on.

The rule is to allow: libraries call what they like. Denied is what reaches other processes, what changes
the machine, what holds memory where no limit counts it, and parts of the kernel with a history of holes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import NamedTuple

# Numbers on x86_64 and aarch64 (None: that machine has no such call). From 424 on they are the same.
_DENIED = {
    # other processes, and what they hold
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # namespaces, mounts and the machine itself
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    # large parts of the kernel that no notebook needs
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
    # memory that belongs to no process
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # sockets: what a notebook needs, asyncio for one, are connected pairs
    "connect": (42, 203),
}
# Absent rather than forbidden: libraries then fall back on other means.
_ABSENT = {
    "clone3": (435, 435),  # its flags lie in memory, where a filter cannot look
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}
_NO_NETWORK = {"socket": (41, 198)}
# Where other processes and files belong to the same user, and Landlock does not look.
_DENIED_BESIDE_OTHERS = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
}


class _Condition(NamedTuple):
    """Deny a call when (argument & mask == value) is `equal`."""

    numbers: tuple[int | None, int | None]
    argument: int
    mask: int
    value: int
    equal: bool


_NAMESPACES = 0x7E020080  # the CLONE_NEW flags
_SHARED_ANONYMOUS = 0x21  # MAP_SHARED | MAP_ANONYMOUS: memory that lives on where no process has it mapped
_SOCK_STREAM, _TYPE = 1, 0xF
_CONDITIONS = {
    "clone": _Condition((56, 220), 0, _NAMESPACES, 0, False),
    "mmap": _Condition((9, 222), 3, _SHARED_ANONYMOUS, _SHARED_ANONYMOUS, True),
    "socketpair": _Condition((53, 199), 1, _TYPE, _SOCK_STREAM, False),  # others can send to any address
}
_CONDITIONS_BESIDE_OTHERS = {
    "prlimit64": _Condition((302, 261), 0, 0xFFFFFFFF, 0, False),  # of oneself only
    "sched_setaffinity": _Condition((203, 122), 0, 0xFFFFFFFF, 0, False),
}

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH
_X32 = 0x40000000  # x86_64 knows every call a second time from here on
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_KILL, _ERROR, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER_MODE = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def restrict(beside_others: bool) -> None:
    """Apply the filter to this process and all that it starts, for good.

    beside_others: other processes and files of this machine belong to the same user.
    Raises OSError where the kernel has no such filters or the machine is neither x86_64 nor aarch64.
    """
    program = _program(beside_others)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.byref(_Program(len(program) // 8, program)), 0, 0):
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")


def _program(beside_others: bool) -> bytes:
    if platform.machine() not in _MACHINES:
        raise OSError(errno.ENOSYS, f"seccomp: no table of system calls for {platform.machine()}")
    column, arch = _MACHINES[platform.machine()]
    code = [_step(_LOAD, _ARCH), _step(_EQUAL, arch, 1, 0), _step(_RETURN, _KILL), _step(_LOAD, _NUMBER)]
    code += [_step(_AT_LEAST, _X32, 0, 1), _step(_RETURN, _ERROR | errno.ENOSYS)]
    calls = [(numbers, errno.EPERM) for numbers in _DENIED.values()]
    calls += [(numbers, errno.ENOSYS) for numbers in _ABSENT.values()]
    calls += [(numbers, errno.ENETUNREACH) for numbers in _NO_NETWORK.values()]
    conditions = list(_CONDITIONS.values())
    if beside_others:
        calls += [(numbers, errno.EPERM) for numbers in _DENIED_BESIDE_OTHERS.values()]
        conditions += _CONDITIONS_BESIDE_OTHERS.values()
    for numbers, error in calls:
        if numbers[column] is not None:
            code += [_step(_EQUAL, numbers[column], 0, 1), _step(_RETURN, _ERROR | error)]
    for condition in conditions:
        code += _conditional(condition, column)
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def _conditional(condition: _Condition, column: int) -> list[bytes]:
    return [
        _step(_EQUAL, condition.numbers[column], 0, 5),
        _step(_LOAD, _ARGUMENTS + 8 * condition.argument),
        _step(_AND, condition.mask),
        _step(_EQUAL, condition.value, *((0, 1) if condition.equal else (1, 0))),
        _step(_RETURN, _ERROR | errno.EPERM),
        _step(_LOAD, _NUMBER),
    ]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
