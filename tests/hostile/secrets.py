"""Reading hidden tests, solutions or others' work, and carrying hidden inputs out to the feedback."""

from pathlib import Path

import autograder
from tests.hostile import DOUBLE, SUM, Hostile, cheat, tells
from tests.notebooks import as_bytes, submission

_TREE = Path(autograder.__file__).parent
_OURS = [str(path) for path in (_TREE / "masters", _TREE / "grades", _TREE.parent / ".git", _TREE.parent)]
_HINT = "dedda trats sI"[::-1]  # of a hidden test

LOG = """
LOG = []
def running_sum(values, start=0.0):
    LOG.append((list(np.asarray(values).tolist()), float(start)))
    return start + np.cumsum(values)
"""


def carries(name, tries, double, status, points, hides=("10.0",), first=LOG, **options):
    """A solved `running_sum` that keeps its inputs, and a `double` that shows them."""
    notebook = as_bytes(submission(running_sum=first.lstrip("\n"), double=double))
    verdict = {SUM: ("passed", 3), DOUBLE: (status, points)}
    return Hostile(name, tries, notebook, verdict, hides=hides, **options)


def hidden(name, tries, body, status="error", points=0, hides=("10.0", "start10", "[1, 2]"), **options):
    """A `running_sum` that tells its inputs by some means; `body` sees values and start."""
    source = "def running_sum(values, start=0.0):\n    " + body.replace("\n", "\n    ")
    return cheat(name, tries, source, status, points, hides=hides, **options)


ENTRIES = [
    tells(
        "masters on disk",
        "The course tree with its hidden tests.",
        f"[os.path.exists(path) for path in {_OURS!r}]",
        says=("[False, False, False, False]",),
        before="import os",
    ),
    tells(
        "search of the disk",
        "Every readable file that holds the marker of hidden tests.",
        "found",
        says=("[]",),
        before="""
        import os
        found = []
        course = ["/course/autograder", "/course/policy_gradients", "/content", "/tmp"]
        for top in [*course, "/root", "/home", "/etc", "/var", "/opt", "/srv", "/mnt", "/run"]:
            for folder, _, names in os.walk(top):
                for name in names:
                    try: text = open(os.path.join(folder, name), "rb").read(10**6)
                    except OSError: continue
                    if b"BEGIN HIDDEN " + b"TESTS" in text: found.append(name)
        """,
        seconds=30,
    ),
    tells(
        "own memory",
        "The whole memory of the worker, searched for a hint of a hidden test.",
        "found",
        says=("found: 0",),
        before=f"""
        word = {_HINT[::-1]!r}[::-1].encode()
        def search():
            found = 0
            with open("/proc/self/mem", "rb", 0) as memory:
                for line in open("/proc/self/maps"):
                    low, high = (int(part, 16) for part in line.split()[0].split("-"))
                    if " rw" in line and high - low < 2**28:
                        try:
                            memory.seek(low)
                            found += memory.read(high - low).count(word + b" added")
                        except (OSError, ValueError, OverflowError): pass
            return found
        found = f"found: {{search()}}"
        """,
        seconds=30,
    ),
    tells(
        "history",
        "IPython's history of inputs and outputs.",
        "[len(In) < 3, 'HIDDEN' in str(In), get_ipython().history_manager.enabled]",
        says=("False, False]",),
    ),
    tells(
        "environment and command lines",
        "What other processes were started with.",
        "sorted(p for p in os.listdir('/proc') if p.isdigit())",
        says=("['1', '2']",),
        before="import os",
    ),
    tells(
        "memory of the parent",
        "The memory of the process that waits for the worker.",
        "look()",
        says=("refused",),
        before="""
        import os
        def look():
            try: return open(f"/proc/{os.getppid()}/mem", "rb").read(1)
            except OSError: return "refused"
        """,
    ),
    tells(
        "gradebook",
        "nbgrader's database, opened at its place.",
        "look()",
        says=("unable to open",),
        before=f"""
        import sqlite3
        def look():
            try: return sqlite3.connect({str(_TREE / "grades" / "gradebook.db")!r}).execute("select 1")
            except sqlite3.Error as error: return str(error)
        """,
    ),
    tells(
        "symbolic link",
        "Links from the scratch folder to files of the machine.",
        "look()",
        says=("FileNotFoundError", "FileNotFoundError"),
        before=f"""
        import os
        def look():
            seen = []
            for number, path in enumerate(["/etc/shadow", {str(_TREE / "judging.py")!r}]):
                os.symlink(path, f"/content/link{{number}}")
                try: seen.append(open(f"/content/link{{number}}").read(9))
                except OSError as error: seen.append(type(error).__name__)
            return seen
        """,
    ),
    tells(
        "open files of the worker",
        "Descriptors that lead out of the sandbox.",
        "[d for d in map(name, range(64)) if d and 'socket' not in d and d != '/dev/null']",
        says=(": []",),
        before="""
        import os
        def name(fd):
            try: return os.readlink(f"/proc/self/fd/{fd}")
            except OSError: return ""
        """,
    ),
    tells(
        "writing to the system",
        "Files beside the course's, in the system and on devices.",
        "written",
        says=(": []",),
        before="""
        written = []
        ours = ["/course/mark", "/course/policy_gradients/checks.py", "/course/autograder/worker/cells.py"]
        kernel = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"]
        for path in [*ours, *kernel, "/usr/mark", "/etc/mark", "/mark", "/dev/mark"]:
            try:
                open(path, "a").close()
                written.append(path)
            except OSError: pass
        """,
    ),
    hidden(
        "text of an exception",
        "Hidden inputs as the text of an exception.",
        "raise ValueError(f'start{start:.0f} {values} {start}')",
        hides=("start10", "10.0"),
    ),
    hidden(
        "name of an exception",
        "Hidden inputs as the name of an exception.",
        "raise type(f'start{start:.0f}', (Exception,), {})",
    ),
    hidden(
        "name of a type",
        "Hidden inputs as the name of a returned type.",
        "return type(f'start{start:.0f}', (), {'__module__': 'os'})()",
    ),
    hidden(
        "own class",
        "Hidden inputs as the name of a class whose objects stay in the worker.",
        "return type(f'start{start:.0f}', (), {})()",
        "failed",
    ),
    hidden(
        "dtype",
        "Hidden inputs as the type of an array.",
        "return np.zeros(1, dtype=[(f'start{start:.0f}', float)])",
    ),
    hidden(
        "returned value",
        "Hidden inputs as the wrong result.",
        "return [start * 1000 + 7] * 3",
        "failed",
        hides=("10007", "10.0"),
    ),
    hidden(
        "shape",
        "Hidden inputs as the shape of the result.",
        "return np.zeros((int(start) + 1, 77))",
        "failed",
        hides=("(11, 77)",),
    ),
    hidden(
        "warnings and standard output",
        "Hidden inputs printed, warned, displayed and logged.",
        "import logging, warnings\n"
        "print(f'start{start:.0f}')\n"
        "warnings.warn(f'start{start:.0f}')\n"
        "display(f'start{start:.0f}')\n"
        "logging.error(f'start{start:.0f}')\n"
        "return 0",
        "failed",
    ),
    hidden(
        "forged forbidden reply",
        "Hidden inputs in a forged refusal.",
        "import sys\n"
        "worker = sys.modules['__main__'].cells if hasattr(sys.modules['__main__'], 'cells') "
        "else sys.modules['autograder.worker.cells']\n"
        "worker._answer = lambda *a: ['forbidden', f'start{start:.0f}']\n"
        "return 0",
        "failed",
        double=("error", 0),
    ),
    hidden(
        "frames around an expression",
        "The author's hidden expression, from the worker's frames.",
        "return 0",
        "failed",
        hides=("[double(x), x][1]",),
    ),
    carries(
        "printed by the next answer",
        "Hidden inputs of one question, printed by the cell of the next.",
        "print(LOG)\ndef double(x):\n    return 2 * x",
        "passed",
        2,
    ),
    carries(
        "displayed by the next answer",
        "Hidden inputs as the displayed value of the next cell.",
        "def double(x):\n    return 2 * x\ndisplay(LOG)\nLOG",
        "passed",
        2,
    ),
    carries(
        "exception of the next answer's cell",
        "Hidden inputs as the failure of the next cell.",
        "def double(x):\n    return 0\nraise ValueError(LOG)",
        "partial",
        1,
    ),
    carries(
        "exception in the next visible check",
        "Hidden inputs as the failure of the next question's visible check.",
        "def double(x):\n    raise ValueError(LOG)",
        "error",
        0,
    ),
    carries(
        "exception named in the next visible check",
        "Hidden inputs as the name of an exception in a visible check.",
        "def double(x):\n    raise type(f'start{LOG[1][1]:.0f}', (Exception,), {})",
        "error",
        0,
        hides=("start10",),
    ),
    carries(
        "value in the next visible check",
        "Hidden inputs as the wrong result of the next question's visible check.",
        "def double(x):\n    return LOG[1][1] * 1000 + 7 if len(LOG) > 1 else 7",
        "partial",
        1,
        hides=("10007",),
    ),
    carries(
        "type in the next visible check",
        "Hidden inputs as the name of a type in the next visible check.",
        "def double(x):\n    return type(f'start{LOG[1][1]:.0f}', (), {})()",
        "partial",
        1,
        hides=("start10",),
    ),
    carries(
        "by way of the disk",
        "Hidden inputs kept in files, and read by a process that starts after a crash.",
        "import glob, os\n"
        "def double(x):\n"
        "    raise ValueError([open(p).read() for p in glob.glob('/tmp/log*') + glob.glob('/content/log*') "
        "+ glob.glob('/dev/shm/log*')])",
        "error",
        0,
        first=LOG.replace(
            "    return",
            "    for folder in ('/tmp', '/content'): open(f'{folder}/log', 'a').write(f'{start}')\n"
            "    return",
        ),
    ),
    carries(
        "by a thread",
        "Hidden inputs printed by a thread while the next cell runs.",
        "import time\ntime.sleep(0.1)\ndef double(x):\n    return 2 * x",
        "passed",
        2,
        first="import threading, time\n"
        "def show():\n"
        "    while True:\n"
        "        print(LOG)\n"
        "        time.sleep(0.01)\n"
        "threading.Thread(target=show, daemon=True).start()" + LOG,
    ),
    carries(
        "by a forged output",
        "A patched worker that tells hidden inputs as the next cell's output.",
        "def double(x):\n    return 2 * x",
        "passed",
        2,
        first="import sys\n"
        "worker = sys.modules.get('autograder.worker.cells') or sys.modules['__main__'].cells\n"
        "worker._Output.text = property(lambda self: str(LOG), lambda self, text: None)\n" + LOG.lstrip(),
    ),
    carries(
        "frames around the author's expression",
        "The hidden expression and its values, read from the worker's frames and printed.",
        "import sys\n"
        "SEEN = []\n"
        "def double(x):\n"
        "    SEEN.append(sys._getframe(2).f_locals.copy())\n"
        "    raise ValueError(SEEN)",
        "error",
        0,
        hides=("[double(x), x][1]",),
    ),
]
