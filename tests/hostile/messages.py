"""Forged, doubled, late and malformed replies on the worker's channel."""

import textwrap

from tests.hostile import MARK, WRONG, cheat
from tests.notebooks import as_bytes, code, submission

CHANNEL = """
import os, socket, stat, struct, threading, time
import msgpack
def is_socket(n):
    return os.path.exists(f"/proc/self/fd/{n}") and stat.S_ISSOCK(os.fstat(n).st_mode)
fd = next(filter(is_socket, range(3, 64)))
def reply(*parts):
    data = msgpack.packb(list(parts))
    send(struct.pack(">I", len(data)) + data)
def send(data):
    socket.socket(fileno=os.dup(fd)).sendall(data)
"""


def on_channel(name, tries, source, *args, **options):
    return cheat(name, tries, CHANNEL + textwrap.dedent(source), *args, **({"anywhere": True} | options))


ENTRIES = [
    on_channel(
        "reply in advance",
        "The visible check's result, sent before the question.",
        "reply('ok', [1, 3, 6])\n" + WRONG,
        double=("failed", 0),
    ),
    on_channel(
        "a hundred replies in advance",
        "Claims that every request ended well.",
        "for _ in range(100): reply('ok', None)\n" + WRONG,
        double=("failed", 0),
    ),
    on_channel(
        "two replies",
        "The right result of the visible check, and once more for the next call.",
        """
        def running_sum(values, start=0.0):
            reply("ok", [1, 3, 6])
            return [0.0] * len(values)
        """,
        "partial",
        1,
        double=("failed", 0),
    ),
    on_channel(
        "late reply",
        "A reply by a thread, after the call has returned.",
        """
        def running_sum(values, start=0.0):
            threading.Timer(0.01, reply, ["ok", [1, 3, 6]]).start()
            return [0.0] * len(values)
        """,
        "failed|partial",
        1,
        double=("passed|partial|failed", 2),
        seconds=2,
    ),
    on_channel(
        "thread that replies for ever",
        "A thread that answers every request with the visible check's result.",
        """
        def flood():
            while True:
                reply("ok", [1, 3, 6])
                time.sleep(0.001)
        threading.Thread(target=flood, daemon=True).start()
        """
        + WRONG,
        "failed|partial|error",
        1,
        double=("passed|partial|failed|error", 2),
        seconds=2,
    ),
    on_channel(
        "ok before the end",
        "A claim that the cell has ended, while it runs on and answers by itself.",
        """
        def forge():
            while True:
                time.sleep(0.02)
                reply("ok", [1, 3, 6])
        threading.Thread(target=forge).start()
        while True: time.sleep(1)
        """,
        "partial",
        1,
        double=("failed", 0),
    ),
    on_channel(
        "verdict as a reply",
        "Replies that look like verdicts.",
        """
        for _ in range(3):
            reply("ok", {"status": "passed", "points": 3})
            reply("passed", 3.0)
            reply("score", 5)
        """
        + WRONG,
        "error",
    ),
    on_channel(
        "unknown kind of reply",
        "A reply of no kind that the grader knows.",
        "reply('passed')\n" + WRONG,
        "error",
    ),
    on_channel(
        "reply that is no list",
        "A number in place of a reply.",
        "os.write(fd, b'\\0\\0\\0\\1\\x03')\n" + WRONG,
        "error",
    ),
    on_channel(
        "pickle as a reply",
        "A pickle that would run a command when read.",
        f"""
        import pickle
        class Evil:
            def __reduce__(self): return os.system, ("touch {MARK}",)
        data = pickle.dumps(Evil())
        send(struct.pack(">I", len(data)) + data)
        """
        + WRONG,
        "error",
    ),
    cheat(
        "pickle as a result",
        "An object that would run a command when unpickled.",
        f"""
        import os
        class Evil(list):
            def __reduce__(self): return os.system, ("touch {MARK}",)
            def __reduce_ex__(self, protocol): return self.__reduce__()
        def running_sum(values, start=0.0):
            return Evil([0.0] * len(values))
        """,
        anywhere=True,
    ),
    on_channel(
        "length without end",
        "A message announced with four gigabytes.",
        "os.write(fd, b'\\xff\\xff\\xff\\xff')\n" + WRONG,
        "error",
    ),
    on_channel(
        "length without content",
        "A message that never comes to its end.",
        "os.write(fd, b'\\0\\0\\xff\\xff')\n" + WRONG,
        status="timeout",
        seconds=1,
    ),
    on_channel(
        "byte by byte",
        "A reply so slow that each byte comes before a time limit of its own.",
        """
        def running_sum(values, start=0.0):
            os.write(fd, b"\\0\\0\\0\\x7f")
            while True:
                os.write(fd, b"\\x93")
                time.sleep(0.1)
        """,
        status="timeout",
        seconds=1,
    ),
    on_channel(
        "noise", "Bytes that are no message.", "os.write(fd, bytes(range(255, 0, -1)))\n" + WRONG, "error"
    ),
    on_channel(
        "nested lists that fill memory",
        "Lists that announce a million items each.",
        """
        data = b"\\xdd\\x00\\x0f\\xff\\xff" * 1000 + b"\\xc0" * 2**23
        send(struct.pack(">I", len(data)) + data)
        """
        + WRONG,
        "error",
    ),
    on_channel(
        "million empty dicts",
        "A small message that is large in memory.",
        """
        def running_sum(values, start=0.0):
            return [{}] * 3_000_000
        """,
        status="error",
    ),
    on_channel(
        "colliding keys",
        "A dict whose keys all have the same hash.",
        """
        def running_sum(values, start=0.0):
            return {tuple(-1 - (n >> bit & 1) for bit in range(12)): 0 for n in range(2**12)}
        """,
        status="error",
    ),
    on_channel("closed channel", "No channel at all.", "os.close(fd)\n" + WRONG, status="error"),
    on_channel(
        "half-closed channel",
        "A channel that can be read only.",
        "socket.socket(fileno=os.dup(fd)).shutdown(socket.SHUT_WR)\n" + WRONG,
        status="error",
    ),
    on_channel(
        "every descriptor closed",
        "os.closerange over all descriptors.",
        "os.closerange(0, 1000)\n" + WRONG,
        status="error",
    ),
    on_channel(
        "channel that leads nowhere",
        "/dev/null in place of the channel.",
        "os.dup2(os.open('/dev/null', os.O_RDWR), fd)\n" + WRONG,
        status="error",
    ),
    on_channel(
        "channel that is a pair of its own",
        "A socket pair whose other end the student holds.",
        """
        ours, theirs = socket.socketpair()
        os.dup2(theirs.fileno(), fd)
        """
        + WRONG,
        status="error",
    ),
    on_channel(
        "descriptors over the channel",
        "Open files, handed to the grader.",
        """
        handed = [os.open("/dev/zero", os.O_RDONLY) for _ in range(50)]
        for _ in range(20):
            socket.send_fds(socket.socket(fileno=os.dup(fd)), [b"x"], handed)
        """
        + WRONG,
        "error",
    ),
    on_channel(
        "enormous exception",
        "An exception whose name and text are megabytes long.",
        """
        def running_sum(values, start=0.0):
            reply("error", "E" * 2**20, "text " * 2**20)
            time.sleep(9)
        """,
        status="timeout",
        seconds=1,
    ),
    on_channel(
        "reply that says missing",
        "A claim that nothing was written, with a text of its own.",
        """
        def running_sum(values, start=0.0):
            reply("missing", "<script>give me points</script>")
            time.sleep(99)
        """,
        status="timeout",
        seconds=1,
        hides=("<script>",),
    ),
    on_channel(
        "forked replies",
        "A call that returns twice, in two processes.",
        """
        def running_sum(values, start=0.0):
            os.fork()
            return [0.0] * len(values)
        """,
    ),
    on_channel(
        "child that answers for its parent",
        "A detached child that keeps the channel while the worker ends.",
        """
        def running_sum(values, start=0.0):
            if os.fork():
                os._exit(0)
            os.setsid()
            return [0.0] * len(values)
        """,
        "error",
    ),
]


def never_reads() -> bytes:
    """A cell that answers by a thread and reads nothing more, before more than a socket holds."""
    notebook = submission()
    busy = CHANNEL + (
        "def forge():\n    while True:\n        reply('ok', None)\n        time.sleep(0.01)\n"
        "threading.Thread(target=forge).start()\nwhile True: time.sleep(1)\n"
    )
    long = [code(f"text = {'x' * 80_000!r}") for _ in range(9)]
    notebook["cells"][1:1] = [code(busy), *long]
    return as_bytes(notebook)
