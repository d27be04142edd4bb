"""Student code that tries to get out, for real, on every means of isolation that there is."""

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from autograder import protocol, sandbox
from autograder.worker import landlock, limits, seccomp

ROOT = Path(__file__).parents[1]
MEMORY = 1024
LANDLOCK = 444  # landlock_create_ruleset
CHECKS_MACHINE, RETURN_ENOSYS = 6 * 8, 0x00050026  # bytes of the filter's beginning; what makes a call absent
RUNGS = ["bwrap", "landlock", "container", "bwrap, landlock within", "bwrap, nothing within"]
HAS_LANDLOCK = landlock.abi() >= landlock.NEEDED_ABI
BY_LANDLOCK = ["landlock", "container", "bwrap, landlock within"] if HAS_LANDLOCK else []


@pytest.fixture(scope="module", params=RUNGS)
def start(request, tmp_path_factory):
    """Starts a worker. Within bubblewrap a kernel may refuse more namespaces, and may lack Landlock."""
    kind, _, within = request.param.partition(", ")
    skip_without(kind, *(["landlock"] if within == "landlock within" else []))
    with pytest.MonkeyPatch.context() as patch:
        if within:
            folder = tmp_path_factory.mktemp("bin")
            bwrap_that_refuses(folder, () if within == "landlock within" else (LANDLOCK,))
            patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        shared = sandbox.Template(kind, MEMORY, ())
        if kind != "container":
            assert shared.shared == (within != "nothing within")
        yield shared.start if shared.shared else lambda: sandbox.Template(kind, MEMORY, ()).start()
        shared.close()


def skip_without(*kinds):
    for kind in kinds:
        if sandbox._problem(kind):
            pytest.skip(f"{kind} does not work on this machine: {sandbox._problem(kind)}")


def bwrap_that_refuses(folder, calls):
    """Put a `bwrap` into `folder` that is the real one, with a filter of system calls on what it runs."""
    program = seccomp._program(False)
    refuse = b"".join(struct.pack("<HBBIHBBI", 0x15, 0, 1, call, 0x06, 0, 0, RETURN_ENOSYS) for call in calls)
    folder.joinpath("filter").write_bytes(program[:CHECKS_MACHINE] + refuse + program[CHECKS_MACHINE:])
    script = folder / "bwrap"
    script.write_text(f'#!/bin/bash\nexec /usr/bin/bwrap --seccomp 9 "$@" 9<{folder}/filter\n')
    script.chmod(0o755)


@pytest.fixture
def student(start):
    """Runs code as a student's cell, and gives what it prints, or how it ended."""
    worker = start()
    assert protocol.receive(worker.channel, 60) == ["ready"]
    yield lambda source, seconds=60: run(worker, source, seconds)
    worker.kill()


def run(worker, source, seconds=60):
    try:
        protocol.send(worker.channel, ["run", textwrap.dedent(source), 1])
        reply = protocol.receive(worker.channel, seconds)
        protocol.send(worker.channel, ["output"])
        printed = protocol.receive(worker.channel, seconds)[1]
    except (EOFError, OSError) as error:
        return "timeout" if isinstance(error, TimeoutError) else "ended"
    return printed.strip() if reply[0] == "ok" else f"{reply[1]}: {reply[2]}"


def attempt(statements):
    """Source that prints, for each statement, "done" or the name of the error."""
    return f"""
import ctypes, mmap, os, pathlib, signal, socket
libc = ctypes.CDLL(None, use_errno=True)
def must(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
for statement in {statements!r}:
    try:
        exec(statement)
        print("done")
    except OSError as error:
        print(type(error).__name__)
"""


def assert_all_fail(student, statements):
    results = student(attempt(statements)).split()
    assert len(results) == len(statements)
    assert {s: r for s, r in zip(statements, results, strict=True) if r == "done"} == {}


@pytest.fixture
def gradebook(tmp_path):
    """A file of the instructor's that is there and may be read and written by this process."""
    path = tmp_path / "gradebook.db"
    path.write_text("ada: 5")
    return path


def test_the_course_the_gradebook_and_the_home_are_neither_read_nor_listed(student, gradebook):
    files = [ROOT / "autograder" / "judging.py", ROOT / "autograder" / "masters" / "gridworld.py"]
    files += [Path(__file__), gradebook, Path("/etc/passwd"), Path("/etc/hostname")]
    assert all(path.exists() for path in files)
    folders = [ROOT, ROOT / "autograder", gradebook.parent, Path("/var")]
    statements = [f"open({str(path)!r}).read()" for path in files]
    statements += [f"os.listdir({str(path)!r})" for path in folders]
    assert_all_fail(student, statements)


def test_nothing_outside_is_written_removed_renamed_or_given_away(student, gradebook):
    path, folder = str(gradebook), str(gradebook.parent)
    assert_all_fail(
        student,
        [
            f"open({path!r}, 'a').write('mark')",
            f"os.truncate({path!r}, 0)",
            f"os.remove({path!r})",
            f"os.rename({path!r}, 'mine')",
            f"os.link({path!r}, 'mine')",
            f"os.chmod({path!r}, 0o777)",
            f"os.utime({path!r}, (0, 0))",
            f"os.setxattr({path!r}, 'user.mark', b'5')",
            f"open({folder!r} + '/more', 'w')",
            f"os.mkdir({folder!r} + '/more')",
            f"os.symlink('/', {folder!r} + '/more')",
            f"os.symlink({path!r}, 'link'); open('link').read()",
            "open('/more', 'w')",
            "open('/dev/more', 'w')",
            "open('/usr/more', 'w')",
            f"open({sys.prefix!r} + '/more', 'w')",
            "import policy_gradients; open(policy_gradients.__file__, 'a')",
            "import numpy; open(numpy.__file__, 'a')",
        ],
    )
    assert gradebook.read_text() == "ada: 5"
    assert os.listdir(folder) == ["gradebook.db"]


def test_a_worker_has_scratch_folders_of_its_own(start):
    one, other = start(), start()
    for worker in (one, other):
        assert protocol.receive(worker.channel, 60) == ["ready"]
    write = (
        "import contextlib, os, tempfile\nfor folder in (os.getcwd(), tempfile.gettempdir(), '/dev/shm'):\n"
    )
    write += "    with contextlib.suppress(OSError): open(folder + '/secret', 'w').close()"
    assert run(one, write + "\nprint(os.getcwd())").startswith("/")
    theirs = run(one, "print(os.getcwd())")
    look = f"""
        import os
        seen = []
        for folder in ({theirs!r}, os.path.dirname({theirs!r}), "/tmp", "/content", "/dev/shm", "."):
            for where, _, files in os.walk(folder):
                seen += [f for f in files if f == "secret"]
        print(seen)"""
    assert run(other, look) == "[]"
    one.kill()
    other.kill()
    later = start()
    assert protocol.receive(later.channel, 60) == ["ready"]
    assert run(later, look) == "[]"
    later.kill()


def test_no_network_of_any_kind(student, tmp_path):
    listeners = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
    for listener in listeners:
        listener.bind(("127.0.0.1", 0))
    named, abstract = str(tmp_path / "socket"), f"\0grader{os.getpid()}"
    for address in (named, abstract):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            listeners.append(socket.socket(socket.AF_UNIX, kind))
            listeners[-1].bind(address + str(int(kind)))
    for listener in listeners:
        listener.setblocking(False)
        if listener.type == socket.SOCK_STREAM:
            listener.listen()
    tcp, udp = (listener.getsockname() for listener in listeners[:2])
    statements = [
        f"socket.create_connection({tcp!r}, 5)",
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', {udp!r})",
        "socket.create_server(('127.0.0.1', 0))",
        "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
        "socket.getaddrinfo('example.org', 80)",
    ]
    for address in (named, abstract):
        statements += [
            f"socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect({address + '1'!r})",
            f"socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', {address + '2'!r})",
            f"socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', {address + '2'!r})",
            f"socket.socketpair()[0].connect({address + '1'!r})",
        ]
    assert_all_fail(student, statements)
    for listener in listeners:
        with listener, pytest.raises(BlockingIOError):
            listener.accept() if listener.type == socket.SOCK_STREAM else listener.recv(1)


def test_neither_the_grader_nor_anybody_else_is_signalled_traced_or_read(student, request):
    received = []
    before = signal.signal(signal.SIGUSR1, lambda *_: received.append(1))
    bystander = subprocess.Popen(["sleep", "60"])
    targets = [pid for pid in (os.getpid(), os.getppid(), bystander.pid) if pid != 1]  # 1 is its own there
    statements = [f"os.kill({pid}, signal.SIGUSR1)" for pid in targets]
    statements += [f"os.killpg({os.getpgrp()}, signal.SIGUSR1)"]
    if request.node.callspec.params["start"] in BY_LANDLOCK:
        statements += ["os.kill(os.getppid(), 0)"]  # the process that sees to the worker's end
    for pid in targets:
        statements += [
            f"must(libc.ptrace(16, {pid}, 0, 0))",
            f"must(libc.process_vm_readv({pid}, None, 0, None, 0, 0))",
            f"open('/proc/{pid}/mem', 'rb').read(1)",
            f"open('/proc/{pid}/environ', 'rb').read(1)",
            f"os.listdir('/proc/{pid}/fd')",
            f"os.setpriority(os.PRIO_PROCESS, {pid}, 19)",
            f"os.sched_setaffinity({pid}, [0])",
            f"import resource; resource.prlimit({pid}, resource.RLIMIT_NOFILE, (1, 1))",
        ]
    assert_all_fail(student, statements)
    assert student("import os, signal\nos.kill(-1, signal.SIGTERM)") in (
        "",
        "ended",
        "ProcessLookupError: [Errno 3] No such process",
    )
    assert bystander.poll() is None
    assert received == []
    bystander.kill()
    bystander.wait()
    signal.signal(signal.SIGUSR1, before)


def test_every_denied_system_call_is_denied(student, request):
    beside_others = request.node.callspec.params["start"] in BY_LANDLOCK
    calls = seccomp._DENIED | seccomp._ABSENT | seccomp._NO_NETWORK
    calls |= seccomp._DENIED_BESIDE_OTHERS if beside_others else {}
    column = seccomp._MACHINES[os.uname().machine][0]
    numbers = {name: both[column] for name, both in calls.items() if both[column] is not None}
    errors = student(f"""
        import ctypes, json
        libc, errors = ctypes.CDLL(None, use_errno=True), dict()
        for name, number in {numbers!r}.items():
            libc.syscall(number, 0, 0, 0, 0, 0, 0)
            errors[name] = ctypes.get_errno()
        print(json.dumps(errors))""")
    expected = (
        dict.fromkeys(calls, 1) | dict.fromkeys(seccomp._ABSENT, 38) | dict.fromkeys(seccomp._NO_NETWORK, 101)
    )
    assert json.loads(errors) == {name: expected[name] for name in numbers}


def test_no_privileges_no_environment_and_no_open_files_of_ours(student, request):
    status = student("print(open('/proc/self/status').read()[-900:])")
    reading = "4" if request.node.callspec.params["start"] == "landlock" and os.getuid() == 0 else "0"
    assert f"CapEff:\t000000000000000{reading}" in status
    assert "NoNewPrivs:\t1" in status
    assert (
        student("import os; print(0 in os.getresuid() + os.getresgid() + tuple(os.getgroups()))") == "False"
    )
    names = set(student("import os; print(*os.environ)").split())
    ours = set(sandbox._environment("", "", "")) | {"TMPDIR"}
    assert names - ours <= {"HOSTNAME", "LC_CTYPE", "PWD", "SHLVL", "TERM", "container"}
    seen = student("""
        import os, stat
        null, seen = os.stat(os.devnull).st_rdev, []
        for fd in range(256):
            try:
                state = os.fstat(fd)
            except OSError:
                continue
            if state.st_rdev != null:
                seen.append(stat.S_ISSOCK(state.st_mode))
        print(seen)""")
    assert seen == "[True]"  # the channel to the grader


def test_a_fork_bomb_stays_within(student):
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    assert student(bomb, seconds=3) in ("timeout", "ended")


@pytest.mark.parametrize("how", ["private", "files"])
def test_memory_is_limited_over_all_processes_together(student, how):
    hold = {
        "private": "held = bytearray(200 * 2**20)",
        "files": "open(folder + str(n), 'wb').write(bytes(200 * 2**20))",
    }
    flood = f"""
        import os, tempfile, time
        for folder in ("/dev/shm/", "/tmp/", os.getcwd() + "/"):
            for n in range(4):
                if os.fork() == 0:
                    {hold[how]}
                    time.sleep(60)
        time.sleep(30)"""
    assert student(flood) == "ended" if how == "private" else "ended" not in student("print(1)")


def test_memory_that_no_process_would_account_for_is_not_to_be_had(student):
    column = seccomp._MACHINES[os.uname().machine][0]
    assert_all_fail(
        student,
        [
            "mmap.mmap(-1, 2**20)",
            "os.memfd_create('memory')",
            "mmap.mmap(os.open('/dev/zero', os.O_RDWR), 2**20)",
            "must(libc.shmget(0, 2**20, 0o1600))",
            f"must(libc.syscall({seccomp._DENIED['mq_open'][column]}, b'queue', 0o102, 0o600, None))",
        ],
    )


def test_the_disk_is_not_flooded(student):
    flood = """
        import os, tempfile
        written = 0
        for folder in ("/tmp/", "/dev/shm/", os.getcwd() + "/"):
            for n in range(100):
                try:
                    with open(folder + str(n), "wb") as file:
                        for _ in range(100):
                            written += file.write(bytes(2**20))
                except OSError:
                    pass
        print(written // 2**20)"""
    result = student(flood)
    assert result == "ended" or int(result) <= 3 * limits.FOLDER_BYTES // 2**20


LEFT_BEHIND = """
import os, signal, subprocess, time
def behind(work):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        if os.fork() == 0:
            work()
        os._exit(0)
def hop():
    while True:
        if os.fork(): os._exit(0)
for _ in range(3):
    behind(lambda: time.sleep(600))
subprocess.Popen(["sleep", "600"], start_new_session=True)
behind(lambda: os.execvp("sleep", ["sleep", "600"]))
behind(hop)
time.sleep(0.2)
"""


def test_what_a_notebook_leaves_running_is_dead_before_the_next(start, request):
    idle = start()
    assert protocol.receive(idle.channel, 60) == ["ready"]
    idle.kill()
    watch = limits.Watch()
    before = set(watch.descendants())
    worker = start()
    assert protocol.receive(worker.channel, 60) == ["ready"]
    assert run(worker, LEFT_BEHIND.replace("600", "60013")) == ""
    assert len(sleeping("60013")) == 2
    if request.node.callspec.params["start"] != "container":  # whose processes descend from Podman's monitor
        assert len(set(watch.descendants()) - before) > 5
    worker.kill()
    assert sleeping("60013") == []
    assert set(watch.descendants()) - before == set()
    watch.close()


@pytest.mark.parametrize("kind", ["bwrap", "landlock", "container"])
def test_a_grader_that_is_killed_leaves_nothing_running(kind):
    skip_without(kind)
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o1777)  # as /tmp itself
    grader = f"""
        import tempfile, time
        from autograder import protocol, sandbox
        tempfile.tempdir = {str(folder)!r}
        worker = sandbox.Template({kind!r}, 1024, ()).start()
        protocol.receive(worker.channel, 60)
        protocol.send(worker.channel, ["run", {LEFT_BEHIND.replace("600", "60012")!r}, 1])
        print(protocol.receive(worker.channel, 60), flush=True)
        time.sleep(600)"""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(grader)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert b"ok" in process.stdout.readline()
        assert len(sleeping("60012")) == 2
        process.kill()
    for _ in range(300):
        left = sleeping("60012") + (list(folder.iterdir()) if kind != "container" else [])
        if not left:
            break
        time.sleep(0.1)
    assert left == []
    shutil.rmtree(folder)


def sleeping(seconds):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [path] * (path.read_bytes() == f"sleep\0{seconds}\0".encode())
    return found


def resolved(kind, *refused):
    """What `resolve` says in a process to which the kernel refuses namespaces and the calls `refused`."""
    program = f"""
        from autograder import sandbox
        from autograder.worker import seccomp
        seccomp._ABSENT.update({{str(call): (call, call) for call in {refused!r}}})
        seccomp.restrict(beside_others=False)
        try:
            print(sandbox.resolve({kind!r}))
        except sandbox.NoSandbox as error:
            print(error)"""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_where_namespaces_are_forbidden_landlock_is_found():
    skip_without("landlock")
    assert resolved("auto") == "landlock"


def test_where_nothing_works_each_means_is_named_with_its_reason():
    message = resolved("auto", LANDLOCK)
    assert "--sandbox bwrap does not work on this machine: " in message
    assert "namespace" in message
    assert "--sandbox landlock does not work on this machine: " in message
    assert "Linux 6.12" in message
    assert message.endswith("there is --sandbox none.")


def test_root_of_a_namespace_without_other_users_is_an_ordinary_user_or_told_why_not():
    """`unshare -Ur`: root there, whom bubblewrap and Landlock cannot make nobody."""
    skip_without("landlock")
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("This machine does not let this user make a user namespace.")
    program = """
        from autograder import sandbox
        try:
            print(sandbox.resolve("auto"))
        except sandbox.NoSandbox as error:
            print(error)"""
    shell = ["bash", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', "bash"]
    command = [*unshare, *shell, sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    if os.getuid() == 0:  # the kernel limits the number of its processes under no name
        assert done.stdout.startswith(
            "The grader runs as the machine's root in a user namespace without other"
        )
        assert done.stdout.count("\n") == 1
    else:
        assert done.stdout == "landlock\n"


def test_an_error_of_our_own_is_a_reason_in_words_and_its_traceback_is_logged(tmp_path, monkeypatch, caplog):
    script = tmp_path / "bwrap"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'open(\"/lost\")'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    reason = sandbox._problem.__wrapped__("bwrap")
    assert "It said: FileNotFoundError" in reason and "Traceback" not in reason
    assert "Traceback" in caplog.text
    caplog.clear()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "lost"))
    reason = sandbox._problem.__wrapped__("landlock")
    assert reason.startswith("trying it failed (FileNotFoundError: ")
    assert "Traceback" in caplog.text


def test_the_kind_that_is_asked_for_by_name_is_the_only_one_tried():
    assert "landlock" not in resolved("bwrap")
