"""Processes, signals, threads, sockets and privileges."""

import os

from tests.hostile import SOLVED, WRONG, cheat, own_cells, tells

GRADER = os.getpid()
ERROR = {"status": "error"}

ENTRIES = [
    cheat(
        "os._exit in a cell",
        "The process ended while its cell runs.",
        "import os; os._exit(0)",
        **ERROR,
        anywhere=True,
    ),
    cheat(
        "os._exit in a call",
        "The process ended with a code that means success.",
        "import os\ndef running_sum(values, start=0.0):\n    os._exit(0)",
        **ERROR,
        anywhere=True,
    ),
    cheat(
        "kill -9",
        "The process kills itself.",
        "import os\ndef running_sum(values, start=0.0):\n    os.kill(os.getpid(), 9)",
        **ERROR,
        anywhere=True,
    ),
    cheat(
        "kill -9 of everybody",
        "A signal to every process that can be reached.",
        "import os\ndef running_sum(values, start=0.0):\n    os.kill(-1, 9)",
        **ERROR,
    ),
    cheat(
        "kill of the own group",
        "A signal to the process group, of which the grader might be one.",
        "import os\ndef running_sum(values, start=0.0):\n    os.killpg(0, 15)",
        **ERROR,
    ),
    cheat(
        "stops itself",
        "SIGSTOP: neither alive nor dead.",
        "import os, signal\ndef running_sum(values, start=0.0):\n    os.kill(os.getpid(), signal.SIGSTOP)",
        "timeout",
        seconds=1,
        anywhere=True,
    ),
    cheat(
        "segmentation fault",
        "A read from address 0.",
        "import ctypes\ndef running_sum(values, start=0.0):\n    ctypes.string_at(0)",
        **ERROR,
        anywhere=True,
    ),
    cheat(
        "sys.exit",
        "SystemExit from a call.",
        "import sys\ndef running_sum(values, start=0.0):\n    sys.exit(0)",
        **ERROR,
        anywhere=True,
    ),
    cheat(
        "KeyboardInterrupt",
        "An interrupt raised by the answer itself.",
        "def running_sum(values, start=0.0):\n    raise KeyboardInterrupt",
        **ERROR,
        anywhere=True,
    ),
    cheat(
        "swallowed interrupts",
        "An endless loop that catches everything and ignores all signals.",
        """
        import signal, time
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        def running_sum(values, start=0.0):
            while True:
                try: time.sleep(60)
                except BaseException: pass
        """,
        "timeout",
        seconds=1,
        anywhere=True,
    ),
    cheat("endless cell", "A cell that never ends.", "while True: pass", "timeout", seconds=1, anywhere=True),
    cheat(
        "endless await",
        "A cell that waits for ever, at the top level.",
        "import asyncio\nawait asyncio.sleep(10**6)",
        "timeout",
        seconds=1,
        anywhere=True,
    ),
    cheat(
        "endless destructor",
        "An object that never lets itself be deleted.",
        """
        class Sticky:
            def __del__(self):
                while True: pass
        def running_sum(values, start=0.0):
            Sticky()
        """,
        "timeout",
        seconds=1,
        anywhere=True,
    ),
    cheat(
        "debugger",
        "breakpoint(), which waits for a person.",
        "def running_sum(values, start=0.0):\n    breakpoint()\n    return 0",
        "error",
    ),
    cheat(
        "reads standard input",
        "input(), which waits for a person.",
        "def running_sum(values, start=0.0):\n    return input()",
        **ERROR,
    ),
    cheat(
        "threads that outlive the cell",
        "Threads that keep all cores busy.",
        "import threading\n"
        "def spin():\n"
        "    while True: pass\n"
        "for _ in range(4): threading.Thread(target=spin).start()\n" + WRONG,
    ),
    cheat(
        "threads without number",
        "As many threads as the machine gives.",
        "import threading, time\n"
        "try:\n"
        "    while True: threading.Thread(target=time.sleep, args=[99]).start()\n"
        "except RuntimeError: pass\n" + WRONG,
        seconds=8,
    ),
    cheat(
        "fork bomb",
        "Processes that start processes.",
        "import os\n"
        "def running_sum(values, start=0.0):\n"
        "    while True:\n"
        "        try: os.fork()\n"
        "        except OSError: pass",
        "timeout",
        seconds=1,
    ),
    cheat(
        "subprocess bomb",
        "A shell that starts itself.",
        "import subprocess\n"
        "def running_sum(values, start=0.0):\n"
        "    subprocess.run('f() { f | f & }; f; sleep 9', shell=True)\n"
        "    return 0",
        "timeout",
        seconds=1,
    ),
    cheat(
        "detached child",
        "A daemon in a session of its own, with all signals ignored.",
        """
        import os, signal, time
        if os.fork() == 0:
            os.setsid()
            if os.fork(): os._exit(0)
            for number in range(1, 32):
                try: signal.signal(number, signal.SIG_IGN)
                except OSError: pass
            while True: time.sleep(1)
        """
        + WRONG,
        "failed|error",
    ),
    cheat(
        "nohup",
        "A program in the background that would go on after the class.",
        "!nohup setsid sleep 98765 >/dev/null 2>&1 &\n" + WRONG,
    ),
    tells(
        "signals to the grader",
        "Signals to the grader's process and to the first processes of the machine.",
        "[kill(p) for p in (GRADER, GRADER - 1, os.getppid())]".replace("GRADER", str(GRADER)),
        says=("['ProcessLookupError', 'ProcessLookupError', None]",),
        before="""
        import os
        def kill(pid):
            try: os.kill(pid, 9)
            except OSError as error: return type(error).__name__
        """,
    ),
    tells(
        "ptrace of the parent",
        "The parent and the grader, attached as by a debugger.",
        f"[libc.ptrace(16, pid, 0, 0) for pid in (os.getppid(), {GRADER})]",
        says=("[-1, -1]",),
        before="import ctypes, os\nlibc = ctypes.CDLL(None)",
    ),
    tells(
        "own namespaces",
        "New namespaces, in which everybody is root.",
        "[libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000)]",
        says=("[-1, -1, -1, -1]",),
        before="import ctypes\nlibc = ctypes.CDLL(None)",
    ),
    tells(
        "mounts",
        "The system, mounted anew and writable.",
        "[libc.mount(b'none', b'/usr', None, 32 | 4096, None), libc.mount(b'none', b'/usr', b'tmpfs', "
        "0, None), libc.umount2(b'/content', 2), libc.chroot(b'/')]",
        says=("[-1, -1, -1, -1]",),
        before="import ctypes\nlibc = ctypes.CDLL(None)",
    ),
    tells(
        "set-uid programs",
        "Programs that run as root for everybody.",
        "subprocess.run('su -c id; sudo -n id; mount -t tmpfs x /mnt', shell=True, capture_output=True, "
        "text=True, stdin=subprocess.DEVNULL).stdout",
        hides=("uid=0",),
        before="import subprocess",
    ),
    tells(
        "another user",
        "A change to root, or to anybody else.",
        "[attempt(os.setuid, 0), attempt(os.setgid, 0), attempt(os.setgroups, [0]), os.getuid() != 0]",
        says=("[False, False, False, True]",),
        before="""
        import os
        def attempt(function, *arguments):
            try: return function(*arguments) is None
            except OSError: return False
        """,
    ),
    tells(
        "TCP, UDP and names",
        "Connections to the machine and beyond.",
        "seen",
        says=("unreachable",),
        hides=("reached",),
        before="""
        import socket
        seen = []
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            for host in ("192.0.2.1", "10.0.2.2", "172.17.0.1"):
                with socket.socket(type=kind) as outgoing:
                    outgoing.settimeout(0.2)
                    try:
                        outgoing.connect((host, 53))
                        outgoing.sendall(b"x")
                        seen.append("reached")
                    except OSError as error: seen.append(error.strerror or "timed out")
        """,
    ),
    tells(
        "raw sockets",
        "Packets of its own making.",
        "[attempt(*kind) for kind in ((2, 3, 1), (17, 3, 3), (10, 3, 58))]",
        says=("[None, None, None]",),
        before="""
        import socket
        def attempt(*kind):
            try: return type(socket.socket(*kind)).__name__
            except OSError: return None
        """,
    ),
    tells(
        "socket of a container engine",
        "The sockets by which programs are started on the machine.",
        "[p for p in ('/var/run/docker.sock', '/run/docker.sock', '/run/podman/podman.sock', "
        "'/run/dbus/system_bus_socket', "
        "'/run/systemd/private') if os.path.exists(p)]",
        says=(": []",),
        before="import os",
    ),
    tells(
        "keyring",
        "A key left in the kernel for the next submission.",
        "libc.syscall(250, 10, -3, b'user', b'hostile-key', 0)",
        says=(": -1",),
        before="import ctypes\nlibc = ctypes.CDLL(None)",
    ),
    own_cells(
        "shell magics",
        "Shells by magics, that write, kill and wait.",
        "!kill -9 -1",
        "%%bash\nexit 3",
        "%%script python3\nimport os; os.abort()",
        "!yes | head -c 100000000",
        "%system echo hello",
        "%alias_magic t time",
        "%load /etc/passwd",
        "%run nothing.py",
        "%pip --version",
        "%cd /",
        "%env PATH=/nowhere",
        verdict=SOLVED,
        seconds=20,
    ),
    tells(
        "memory and files of others",
        "The memory of other processes, read without a debugger, and their open files, taken over.",
        "[libc.process_vm_readv(pid, 0, 0, 0, 0, 0) for pid in others] + stolen",
        says=("[-1, -1]",),
        before="""
        import ctypes, os
        libc = ctypes.CDLL(None)
        others = (1, os.getppid() or 1)
        pidfds = [libc.syscall(434, pid, 0) for pid in others]
        stolen = [fd for pidfd in pidfds for fd in range(9) if libc.syscall(438, pidfd, fd, 0) >= 0]
        """,
    ),
    tells(
        "kernel interfaces",
        "System calls that were ways out of sandboxes before: io_uring, bpf, userfaultfd, modules.",
        "[number for number in numbers if libc.syscall(number, 8, 0, 0, 0) >= 0]",
        says=(": []",),
        before="import ctypes\nlibc = ctypes.CDLL(None)\nnumbers = (425, 321, 323, 298, 175, 246, 304, 169)",
    ),
    tells(
        "every kind of socket",
        "Sockets of all families, among them those that lead from a virtual machine to its host.",
        "seen",
        says=(": []",),
        before="""
        import socket
        seen = []
        for family in range(2, 46):
            for kind in (1, 2, 3, 5):
                try:
                    with socket.socket(family, kind): seen.append((family, kind))
                except OSError: pass
        """,
    ),
    tells(
        "devices",
        "The machine's disks, memory, network and terminals.",
        "seen",
        says=(": []",),
        before="""
        import os
        seen = []
        names = ("mem", "kmsg", "vda", "sda", "fuse", "kvm", "net/tun", "tty", "console", "vsock")
        for name in names:
            try: seen.append(os.open(f"/dev/{name}", os.O_RDWR))
            except OSError: pass
        """,
    ),
    tells(
        "a program without a file",
        "A copy of a program in memory, run from there.",
        "run()",
        says=("OSError",),
        before="""
        import os
        def run():
            try: return os.memfd_create("program")
            except OSError as error: return type(error).__name__
        """,
    ),
]
