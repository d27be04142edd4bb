"""Too much of everything: memory, disk, output, depth, results, cells."""

from tests.hostile import DOUBLE, SUM, WRONG, Hostile, cheat, own_cells, returning
from tests.hostile.messages import never_reads

ENTRIES = [
    cheat(
        "memory in a call",
        "More memory than there is.",
        "def running_sum(values, start=0.0):\n    return bytearray(2**35)",
        "error",
        anywhere=True,
    ),
    own_cells(
        "memory in a cell",
        "Memory taken until there is none.",
        "kept = []\nwhile True:\n    kept.append(bytearray(2**28))",
        "kept = None",
        seconds=3,
    ),
    cheat(
        "memory of many processes",
        "Children that each take what one process may have.",
        """
        import os, time
        for _ in range(6):
            if os.fork() == 0:
                try: kept = bytearray(2**28)
                finally: time.sleep(60)
        """
        + WRONG,
        "failed|error",
    ),
    own_cells(
        "disk",
        "Files until the disk is full.",
        "for n in range(9):\n"
        "    for folder in ('/tmp', '/content', '/dev/shm'):\n"
        "        try: open(f'{folder}/{n}', 'wb').write(bytes(2**26))\n"
        "        except OSError: pass",
        seconds=8,
    ),
    own_cells(
        "one large file",
        "A file without end.",
        "with open('/tmp/large', 'wb') as file:\n    while True: file.write(bytes(2**24))",
        seconds=8,
    ),
    own_cells(
        "files without number",
        "A million files and folders.",
        "import os\ntry:\n    for n in range(10**6): os.mkdir(f'/content/{n}')\nexcept OSError: pass",
        answers={},
        seconds=1,
    ),
    own_cells(
        "deep folders",
        "A folder in a folder in a folder.",
        "import os\nfor _ in range(3000):\n    os.mkdir('d'); os.chdir('d')",
        seconds=8,
    ),
    own_cells(
        "open files",
        "As many open files as there are.",
        "import os\n"
        "files = []\n"
        "try:\n"
        "    while True: files.append(open('/dev/null'))\n"
        "except OSError: pass\n"
        "files.clear()",
        seconds=8,
    ),
    cheat(
        "output",
        "Hundred megabytes of text from an answer's cell.",
        "for _ in range(1000): print('x' * 10**5)\n" + WRONG,
        seconds=8,
        anywhere=True,
    ),
    cheat(
        "output of a child",
        "Output beside Python, on the descriptors.",
        "import os\n"
        "for fd in (0, 1, 2):\n"
        "    try: os.write(fd, b'x' * 10**6)\n"
        "    except OSError: pass\n"
        "!head -c 50000000 /dev/zero\n" + WRONG,
        seconds=8,
    ),
    cheat(
        "endless output",
        "Text without end, from the call.",
        "def running_sum(values, start=0.0):\n    while True: print('spam')",
        "timeout",
        seconds=1,
        anywhere=True,
    ),
    cheat(
        "deep recursion",
        "A function that calls itself.",
        "def running_sum(values, start=0.0):\n    return running_sum(values, start)",
        "error",
        anywhere=True,
    ),
    cheat(
        "unbounded recursion",
        "Recursion without Python's limit.",
        "import sys\n"
        "sys.setrecursionlimit(2**30)\n"
        "def running_sum(values, start=0.0):\n"
        "    return [running_sum(values, start)]",
        "error|timeout",
        seconds=1,
    ),
    cheat(
        "deep source",
        "Brackets ten thousand deep.",
        "deep = " + "[" * 10_000 + "]" * 10_000 + "\n" + WRONG,
        "error",
        seconds=8,
    ),
    cheat(
        "long line",
        "A line of forty thousand terms.",
        "long = " + "+".join(["1"] * 40_000) + "\n" + WRONG,
        "error",
        seconds=8,
    ),
    cheat(
        "regular expression",
        "A pattern that takes for ever.",
        "import re\ndef running_sum(values, start=0.0):\n    re.match('(a+)+$', 'a' * 99 + 'b')",
        "timeout",
        seconds=1,
        anywhere=True,
    ),
    cheat(
        "power",
        "A number without end.",
        "def running_sum(values, start=0.0):\n    return 9**9**9",
        "timeout",
        seconds=1,
        anywhere=True,
    ),
    returning("huge array", "More than a message may hold.", "np.zeros(10**8)", status="error", seconds=20),
    returning(
        "huge list", "More items than a message may hold.", "[0.0] * 2_000_000", status="error", seconds=20
    ),
    returning("huge text", "Sixty megabytes of text.", "'x' * 60_000_000", status="error", seconds=20),
    returning(
        "deep list",
        "A list in a list in a list.",
        "__import__('functools').reduce(lambda inner, _: [inner], range(500), 1.0)",
        status="error",
    ),
    returning(
        "bottomless list",
        "A list that holds itself.",
        "(lambda loop: loop.append(loop) or loop)([])",
        status="error",
    ),
    returning(
        "deep tuples",
        "Tuples in tuples, each a message of its own.",
        "__import__('functools').reduce(lambda inner, _: (inner,), range(200), 1.0)",
        status="error",
    ),
    returning(
        "many small lists",
        "A million lists of one number.",
        "[[1.0]] * 1_000_000",
        status="error",
        seconds=20,
    ),
    cheat(
        "huge exception",
        "A gigabyte of text in an exception.",
        "def running_sum(values, start=0.0):\n    raise ValueError('x' * 2**28)",
        "error",
        seconds=20,
    ),
    cheat(
        "exception that cannot be shown",
        "An exception whose text raises another.",
        "class Nested(Exception):\n"
        "    def __str__(self): raise self\n"
        "def running_sum(values, start=0.0):\n"
        "    raise Nested",
        "error",
        anywhere=True,
    ),
    Hostile(
        "never reads",
        "Replies from a thread, while more requests than a socket holds wait to be read.",
        never_reads(),
        {SUM: ("failed|timeout|error", 0), DOUBLE: ("failed|timeout|error", 0)},
        seconds=0.3,
    ),
    own_cells("thousands of cells", "Two thousand cells of nothing.", *["pass"] * 2000, seconds=20),
    own_cells(
        "cells that end the process",
        "A thousand cells, each of which ends the process.",
        *["import os; os._exit(0)", "x = 1"] * 500,
        verdict={SUM: ("timeout", 0), DOUBLE: ("timeout", 0)},
        seconds=0.3,
    ),
    own_cells("long cell", "A cell of ten megabytes.", "x = '" + "x" * 10_000_000 + "'", seconds=8),
    cheat("long answer", "An answer of ten megabytes.", WRONG + "#" * 10_000_000, "missing", seconds=8),
]
