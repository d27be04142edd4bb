"""Every submission of the bank in `tests/hostile`, tried for real, and a class that holds some of them."""

import csv
import importlib
import json
import os
import pkgutil
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder import autograded, grading, master, sandbox
from autograder.judging import judge_submission
from autograder.results import Results, export, feedback, report
from autograder.student import Limits
from tests import hostile
from tests.notebooks import PAIR, as_bytes, submission

SEED = 20_240_607
KINDS = sorted(module.name for module in pkgutil.iter_modules(hostile.__path__))
BANK = [entry for kind in KINDS for entry in importlib.import_module(f"tests.hostile.{kind}").ENTRIES]
CASES = [(entry, "auto") for entry in BANK] + [(entry, "none") for entry in BANK if entry.anywhere]


def test_the_bank_is_large_and_names_each_submission_once():
    assert len(BANK) >= 100
    assert len({entry.name for entry in BANK}) == len(BANK)


def told(judged) -> str:
    """All text about a submission that its student gets to see, but for the student's own code."""
    row = judged.verdict
    return "\n".join([*(item.message for item in row.questions), *row.faults, *judged.outputs.values()])


@pytest.mark.parametrize(("entry", "kind"), CASES, ids=[f"{entry.name}-{kind}" for entry, kind in CASES])
def test_a_hostile_submission_gets_the_verdict_it_must_get(entry, kind):
    limits = Limits(entry.seconds, 4096, sandbox.resolve(kind))
    judged = judge_submission("mallory", entry.notebook, PAIR, SEED, limits)
    row, text = judged.verdict, told(judged)
    assert row.status == entry.status
    assert len(row.questions) == len(entry.verdict)
    for question in row.questions:
        status, points = entry.verdict[question.name]
        assert question.status in status.split("|"), text
        assert question.points == points or ("|" in status and question.points < points), text
    assert len(text) < 20_000
    for words in entry.says:
        assert words in text
    for words in entry.hides:
        assert words not in text
    assert not os.path.exists(hostile.MARK)


ENTRIES = {entry.name: entry for entry in BANK}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a class of the tests' own assignment is handed in; what is graded goes into `out` beside it."""
    monkeypatch.setattr(master, "FOLDER", Path(__file__).parent / "masters")
    (tmp_path / "class").mkdir()
    return tmp_path / "class"


def grade(path, out, **options):
    grades = grading.grade_class("pair", path, out=out, jobs=2, **options)
    return {row.student: row for row in grades.submissions}


def test_an_honest_student_among_hostile_ones_gets_full_points_and_everybody_has_a_row(folder):
    names = (
        "os._exit in a cell",
        "kill -9 of everybody",
        "stops itself",
        "fork bomb",
        "detached child",
        "nohup",
        "descriptors over the channel",
        "ok before the end",
        "nested lists that fill memory",
        "modules in the working folder",
        "one large file",
        "endless output",
        "a pickle",
        "deep JSON",
    )
    for number, name in enumerate(names):
        (folder / f"hostile {number:02}.ipynb").write_bytes(ENTRIES[name].notebook)
    for honest in ("ada", "mary", "zoe"):
        (folder / f"{honest}.ipynb").write_bytes(as_bytes(submission()))
    rows = grade(folder, folder.parent / "out", seconds=2.0)
    assert sorted(rows) == sorted(["ada", "mary", "zoe", *(f"hostile {n:02}" for n in range(len(names)))])
    for honest in ("ada", "mary", "zoe"):
        assert (rows[honest].status, rows[honest].score) == ("graded", 5)
    for number, name in enumerate(names):
        row = rows[f"hostile {number:02}"]
        assert row.status == ENTRIES[name].status
        assert row.questions[0].points <= ENTRIES[name].verdict["running_sum"][1], name
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not any(b"98765" in command for command in commands)
    assert not os.path.exists(hostile.MARK)


LEAVE = """
import ctypes, os, socket
import multiprocessing.shared_memory as shared
libc = ctypes.CDLL(None)
for folder in ("/tmp", "/content", "/dev/shm", "/dev", "/", "/course", os.path.expanduser("~")):
    try: open(os.path.join(folder, "left"), "w").close()
    except OSError: pass
try:
    server = socket.socket(socket.AF_UNIX)
    server.bind("\\0left")
    server.listen()
except OSError: pass
libc.syscall(248, b"user", b"left", b"data", 4, -3)
libc.shmget(4711, 4096, 0o1666)
os.environ["LEFT"] = "left"
np.left = 1
if os.fork() == 0:
    os.setsid()
    import time; time.sleep(45678)
"""
FIND = """
import ctypes, glob, os, socket
libc = ctypes.CDLL(None)
found = glob.glob("/*left*") + glob.glob("/*/left*") + glob.glob("/*/*/left*")
found += [name for name in ("LEFT", "left") if name in os.environ or hasattr(np, name)]
try:
    if socket.socket(socket.AF_UNIX).connect_ex("\\0left") == 0: found.append("socket")
except OSError: pass
if libc.syscall(250, 10, -3, b"user", b"left", 0) != -1: found.append("key")
if libc.shmget(4711, 4096, 0o666) != -1: found.append("shared memory")
found += [p for p in glob.glob("/proc/[0-9]*/cmdline") if b"45678" in open(p, "rb").read()]
def running_sum(values, start=0.0):
    raise ValueError(f"{found} of {len(os.listdir('/proc'))}")
"""


def test_nothing_that_a_submission_leaves_is_there_for_the_next():
    limits = Limits(10, 4096, sandbox.resolve("auto"))
    left = submission(running_sum=LEAVE + hostile.RIGHT)
    assert judge_submission("mallory", as_bytes(left), PAIR, SEED, limits).verdict.score == 5
    found = judge_submission("oscar", as_bytes(submission(running_sum=FIND)), PAIR, SEED, limits)
    assert "ValueError: [] of" in told(found)


NAMES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-rf",
    "@SUM(A1)",
    "\t=1+1",
    'two\nlines,and "quotes"',
    "\u202egnp.exe",
    "\N{PILE OF POO}\N{ZERO WIDTH JOINER}\N{ROCKET}",
    "../../outside",
    "..",
    "/etc/passwd",
    "C:\\Windows\\system32",
    "$(touch hostile)`touch hostile`",
    "%2e%2e%2foutside",
    "{{ 7 * 7 }}{% raw %}",
    "con",
    "x" * 300,
    "\u0301",
    "grades.json",
    "secret_seed",
)


class Elements(HTMLParser):
    """The names of all elements of a page and of their attributes, and what they load."""

    def __init__(self, page):
        super().__init__()
        self.names, self.attributes, self.sources = set(), set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.sources += [value for name, value in attrs if name == "src"]


def _write_class(path):
    """A zip with one folder for each of NAMES, as a hostile packer would write it."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in NAMES:
            archive.writestr(f"{name}/pair.ipynb", as_bytes(submission(double="def double(x): return 0")))
        archive.writestr("nul\0byte/pair.ipynb", as_bytes(submission()))
        archive.writestr("ada/pair.ipynb", as_bytes(submission()))


def test_hostile_names_stay_in_the_folder_and_act_nowhere(folder):
    out = folder.parent / "out"
    path = folder / "class.zip"
    _write_class(path)
    rows = grade(path, out)
    assert rows["ada"].score == 5
    assert len(rows) >= len(NAMES) - 4  # names that lead out of the zip, or into one another, share a row
    results = Results.read("pair", out)
    pages = feedback.write_feedback(results)
    pages.append(report.write_report(results))
    written = export.write_export(results, "csv").path
    assert {item.name for item in folder.parent.iterdir()} == {"class", "out"}
    assert {item.name for item in folder.iterdir()} == {"class.zip"}
    assert all(page.is_relative_to(out / "pair") and page.exists() for page in pages)
    for page in pages:
        if page.suffix == ".html":
            elements = Elements(page.read_text())
            assert not {"script", "iframe"} & elements.names
            assert all(source.startswith("data:image/") for source in elements.sources)
            assert not any(name.startswith("on") for name in elements.attributes)
    with written.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert not [cell for cell in cells if any(ord(letter) < 32 for letter in cell)]
    names = [row["student"] for row in json.loads((out / "pair" / "grades.json").read_text())["submissions"]]
    assert names == sorted(rows) and len(set(map(str.casefold, names))) == len(names)


@given(
    st.lists(
        st.sampled_from([*"\\\\<>[](): $", "href{javascript:x}", "script", "url", "](", "<", "\\\\"])
    ).map("".join)
)
@example(r"$\\href{javascript:alert(1)}{points}$")
@example(r"<\style>body {display: none}</style>")
def test_what_makes_written_words_harmless_leaves_nothing_to_make_harmless(text):
    once = autograded.harmless(text)
    assert autograded.harmless(once) == once
    assert not any(harm in once for harm in ("<script", "<style", "<url", "\\href", "]("))


def test_honest_words_about_later_questions_are_shown_all_the_same():
    """Hidden inputs were sent before `double` ran; what it says comes from a process that got none."""
    source = "print('hello')\ndef double(x):\n    raise ValueError(f'mine: {x}')"
    limits = Limits(8, 4096, sandbox.resolve("auto"))
    judged = judge_submission("ada", as_bytes(submission(double=source)), PAIR, SEED, limits)
    visible, hidden = judged.verdict.questions[1].message.splitlines()
    assert "ValueError: mine: 2" in visible
    assert "mine" not in hidden
    assert judged.outputs["double"] == "hello\n"


@pytest.mark.parametrize("folder", [Path(sys.prefix, "lib"), Path(sys.base_prefix, "lib"), Path("/usr/lib")])
def test_a_course_installed_among_pythons_packages_is_not_graded_from_there(folder, monkeypatch):
    monkeypatch.setattr(sandbox, "_ENGINE", folder / "site-packages" / "autograder")
    with pytest.raises(sandbox.NoSandbox, match="pip install -e"):
        sandbox.resolve("auto")
