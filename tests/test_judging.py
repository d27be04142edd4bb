"""Judging in the real sandbox: honest, wrong, broken and hostile notebooks, each with its due verdict."""

import contextlib
import functools
import json
import os
import signal
from pathlib import Path

import nbformat
import pytest

import autograder
from autograder import sandbox
from autograder.judging import WrongTest, judge_submission
from autograder.master import Master
from autograder.student import Limits, Student
from policy_gradients.checks import RemoteFailure
from tests.notebooks import PAIR, STUB, as_bytes, cell, code, submission

SEED = 20_240_607


def judged(notebook, *, seconds=4.0, kind=None):
    limits = Limits(seconds, 4096, kind or sandbox.resolve("auto"))
    return judge_submission("ada", as_bytes(notebook), PAIR, SEED, limits).verdict


def summary(verdict):
    return {question.name: (question.status, question.points) for question in verdict.questions}


RIGHT = {"running_sum": ("passed", 3), "double": ("passed", 2)}


@pytest.mark.parametrize("kind", ["bwrap", "none"])
def test_right_answers_get_full_points(kind):
    verdict = judged(submission(), kind=kind)
    assert summary(verdict) == RIGHT
    assert verdict.score == 5
    assert verdict.faults == ()


def test_the_same_submission_gets_the_same_verdict():
    notebook = submission(running_sum="def running_sum(values, start=0.0):\n    return values")
    assert judged(notebook) == judged(notebook)


def answer(body: str, name: str = "double", argument: str = "x") -> dict[str, str]:
    lines = "\n".join("    " + line for line in body.splitlines())
    return {name: f"def {name}({argument}):\n{lines}"}


@pytest.mark.parametrize(
    ("answers", "status", "points"),
    [
        (answer(STUB), "missing", 0),
        (answer("return None"), "partial", 1),
        (answer("x *= 2\nreturn x"), "partial", 1),
        (answer("raise ValueError(x)"), "error", 0),
        (answer("while True: pass"), "timeout", 0),
        (answer("import os; os._exit(0)"), "error", 0),
        (answer("import os; os.kill(os.getpid(), 9)"), "error", 0),
        (answer("import sys; sys.exit()"), "error", 0),
        (answer("return double(x)"), "error", 0),
        (answer("return bytearray(6 * 2**30)"), "error", 0),
        (answer("return np.zeros(10**7)"), "partial", 1),
        (answer("return lambda: 4"), "partial", 1),
        (answer("return (i for i in [4])"), "partial", 1),
        ({"double": "def double(x:\n    return 2 * x"}, "error", 0),
        ({"double": "double = 4"}, "error", 0),
        ({"double": "while True: pass"}, "timeout", 0),
        ({"double": "import os; os._exit(1)"}, "error", 0),
    ],
)
def test_a_bad_answer_costs_its_own_question_only(answers, status, points):
    verdict = judged(submission(**answers))
    assert summary(verdict) == {
        "running_sum": RIGHT["running_sum"],
        "double": (status, pytest.approx(points)),
    }
    assert verdict.status == "graded"


def test_an_answer_that_ends_the_process_does_not_hurt_the_questions_after_it():
    verdict = judged(submission(**answer("import os; os._exit(0)", "running_sum", "values, start=0.0")))
    assert summary(verdict) == {"running_sum": ("error", 0), "double": RIGHT["double"]}


def test_what_an_answer_cell_prints_is_kept_to_a_limit_beside_the_students_code():
    source = "print('x' * 10**6)\ndef double(x):\n    return 2 * x"
    judged_ = judge_submission(
        "ada", as_bytes(submission(double=source)), PAIR, SEED, Limits(4, 4096, "none")
    )
    assert judged_.answers["double"] == source
    assert judged_.outputs["double"] == "x" * 5000


@pytest.mark.parametrize("delay", [0.0, 0.001, 0.02])
def test_a_process_that_ends_itself_later_still_gets_its_row(delay):
    later = f"import os, threading\nthreading.Timer({delay}, os._exit, [0]).start()\n"
    source = later + "def double(x): return 2 * x"
    verdict = judged(submission(double=source))
    assert verdict.status == "graded"
    assert summary(verdict)["running_sum"] == RIGHT["running_sum"]


def test_an_answer_that_was_deleted_is_missing():
    notebook = submission()
    notebook["cells"].remove(cell(notebook, "double"))
    assert summary(judged(notebook)) == {"running_sum": RIGHT["running_sum"], "double": ("missing", 0)}


def test_helpers_are_rebuilt_after_a_crash():
    helper = code("factor = 2")
    notebook = submission(
        running_sum="def running_sum(values, start=0.0):\n    import os; os._exit(0)",
        double="def double(x): return factor * x",
    )
    notebook["cells"].insert(1, helper)
    assert summary(judged(notebook))["double"] == ("passed", 2)


def test_a_cell_of_the_students_own_that_fails_or_hangs_costs_nothing_else():
    notebook = submission()
    notebook["cells"][1:1] = [code("1 / 0"), code("while True: pass"), code("print('x' * 10**8)")]
    assert summary(judged(notebook)) == RIGHT


def test_notebook_syntax_runs():
    drawn = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()\n"
    asked = "try:\n    input()\nexcept EOFError:\n    pass\n"
    shown = "%time 1\n!true\ndisplay(1)\n"
    notebook = submission(double=drawn + asked + shown + "def double(x):\n    return 2 * x")
    cells = [
        "%time 1",
        "!true",
        "import asyncio\nawait asyncio.sleep(0)",
        "display(1)",
        "%%capture\nprint(1)",
    ]
    notebook["cells"][1:1] = [code(source) for source in cells]
    assert summary(judged(notebook)) == RIGHT


# Ways to get points without solving anything: none of them may work.
CHEATS = {
    "equal to everything": "class Yes(float):\n"
    "    def __eq__(self, other): return True\n"
    "    def __sub__(self, other): return 0.0\n"
    "def double(x): return Yes(0)",
    "array equal to everything": "class Yes(np.ndarray):\n"
    "    def __eq__(self, other): return np.ones(self.shape, bool)\n"
    "def double(x): return np.zeros(()).view(Yes)",
    "lies in __array__": "class Yes:\n"
    "    def __array__(self, *a, **k): raise AssertionError\n"
    "def double(x): return Yes()",
    "patched asserts": "import numpy.testing, builtins, policy_gradients.checks as c\n"
    "c.close = c.numbers = numpy.testing.assert_allclose = lambda *a, **k: None\n"
    "c.Checks.score = lambda self: 2.0\n"
    "np.abs = lambda *a: 0\nbuiltins.eval = lambda *a: 4\ndef double(x): return 0",
    "patched worker": "import sys\n"
    "worker = sys.modules['__main__'], sys.modules.get('autograder.worker.cells')\n"
    "for m in filter(None, worker):\n"
    "    m._answer = m._call = m._evaluate = lambda *a: ['ok', True]\n"
    "def double(x): return 0",
    "forged messages": "import os\n"
    "for fd in range(3, 30):\n"
    "    try: os.write(fd, b'\\x00\\x00\\x00\\x06' + b'\\x92\\xa2ok\\x04\\x04')\n"
    "    except OSError: pass\n"
    "def double(x): return 0",
    "its own verdict": "def double(x): return {'status': 'passed', 'points': 2}",
    "text that looks right": "def double(x): return '4'",
    "NaN": "def double(x): return float('nan')",
}


@pytest.mark.parametrize("source", CHEATS.values(), ids=CHEATS.keys())
def test_cheats_get_no_points_for_the_property_they_do_not_have(source):
    question = judged(submission(double=source)).questions[1]
    assert question.status != "passed"
    assert question.points <= 1


def seen_by_student(expression: str):
    """What a student's code sees, smuggled out as the text of an exception in a visible check."""
    source = f"import os, pathlib, socket, sys\ndef double(x):\n    raise ValueError(repr({expression}))"
    return judged(submission(double=source)).questions[1].message


def test_the_course_tree_and_the_gradebook_do_not_exist_in_the_sandbox():
    tree = Path(autograder.__file__).parent
    for path in (tree / "masters", tree / "judging.py", tree / "grades", tree.parent / ".git"):
        assert "False" in seen_by_student(f"os.path.exists({str(path)!r})")


def test_the_sandbox_has_no_network_no_privileges_and_no_environment_of_ours(monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "swordfish")
    assert "65534" in seen_by_student("os.getuid()")
    assert "Network is unreachable" in seen_by_student(
        "os.strerror(socket.socket().connect_ex(('192.0.2.1', 9)))"
    )
    assert "swordfish" not in seen_by_student(
        "[p.read_bytes() for p in pathlib.Path('/proc').glob('[0-9]*/environ')]"
    )
    assert (
        "Read-only"
        in judged(submission(double="def double(x):\n    open('/usr/mark', 'w')")).questions[1].message
    )


def test_a_worker_sees_only_itself_and_has_no_privileges_in_its_own_namespaces_either():
    assert "['1', '2']" in seen_by_student("[p for p in os.listdir('/proc') if p.isdigit()]")
    assert "CapEff:\\t0000000000000000" in seen_by_student("open('/proc/self/status').read()[-700:]")


def test_processes_and_files_of_one_submission_are_gone_for_the_next():
    leave = "import os, subprocess\nopen('/tmp/left', 'w').close()\nopen('/content/left', 'w').close()\n"
    leave += "subprocess.Popen(['sleep', '4321'], start_new_session=True)\ndef double(x): return 2 * x"
    assert judged(submission(double=leave)).score == 5
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not any(b"4321" in command for command in commands)
    assert "([], [], 1)" in seen_by_student(
        "(os.listdir('/tmp'), os.listdir('/content/sample_data'), len(os.listdir('/content')))"
    )


def test_a_fork_bomb_ends_with_its_own_question():
    bomb = "import os\ndef double(x):\n    while True:\n        try: os.fork()\n        except OSError: pass"
    verdict = judged(submission(double=bomb))
    assert summary(verdict) == {"running_sum": RIGHT["running_sum"], "double": ("timeout", 0)}


def test_the_graders_processes_are_out_of_reach():
    ours = os.getpid()
    message = (
        judged(submission(double=f"import os\ndef double(x):\n    os.kill({ours}, {int(signal.SIGTERM)})"))
        .questions[1]
        .message
    )
    assert "ProcessLookupError" in message


def test_messages_of_hidden_tests_carry_no_inputs():
    source = (
        "def running_sum(values, start=0.0):\n    raise type('Leak', (Exception,), {})(f'{values} {start}')"
    )
    message = judged(submission(running_sum=source)).questions[0].message
    visible, *hidden = message.splitlines()
    assert "[1, 2, 3]" in visible
    assert hidden
    assert not any("10.0" in line or "[" in line for line in hidden)


def test_an_exception_named_to_carry_inputs_out_is_not_named():
    source = "def running_sum(values, start=0.0):\n    raise type(f'start{start:.0f}', (Exception,), {})"
    message = judged(submission(running_sum=source)).questions[0].message
    assert "start10" not in message


def test_a_mistake_in_a_test_cell_is_the_authors_and_never_costs_a_student_points():
    broken = Master(
        "pair", PAIR.source.replace("close(running_sum([1, 2], start=10.0)", "close(no_such_name")
    )
    with pytest.raises(WrongTest, match="'test_running_sum' stops by itself with NameError: .*no_such_name"):
        judge_submission("ada", as_bytes(submission()), broken, SEED, Limits(4, 4096, "none"))


def test_an_unreadable_notebook_gets_its_row():
    verdict = judge_submission("ada", b"{broken", PAIR, SEED, Limits(4, 4096, "none")).verdict
    assert verdict.status == "unreadable"
    assert verdict.score == 0
    assert summary(verdict) == {"running_sum": ("missing", 0), "double": ("missing", 0)}
    assert "not valid JSON" in verdict.faults[0]


def test_hidden_tests_are_not_in_the_workers_memory():
    search = (
        "import gc, sys\n"
        "def double(x):\n"
        "    word = 'dedda trats sI'[::-1]\n"
        "    holders = [o for o in gc.get_objects() if isinstance(o, (dict, list, tuple))]\n"
        "    items = [v for o in holders for v in (o.values() if isinstance(o, dict) else o)]\n"
        "    found = any(word in v for v in items if isinstance(v, str))\n"
        "    raise ValueError(f'found {found}')"
    )
    assert "found False" in judged(submission(double=search), seconds=20).questions[1].message


COUNTDOWN = Master("countdown", (Path(__file__).parent / "masters" / "countdown.py").read_text())


def judged_countdown(source: str):
    notebook = json.loads(nbformat.writes(COUNTDOWN.notebook))
    if source:
        cell(notebook, "Countdown")["source"] = source
    limits = Limits(4.0, 4096, sandbox.resolve("auto"))
    return judge_submission("ada", as_bytes(notebook), COUNTDOWN, SEED, limits).verdict.questions[0]


def test_objects_of_the_students_own_class_are_judged_where_they_live():
    assert judged_countdown("").points == 4


@pytest.mark.parametrize(
    ("source", "points"),
    [
        ("class Countdown:\n    def __init__(self, n): pass\n    def __call__(self, step=1): return 4", 0),
        ("class Countdown:\n    left = 0\n    def __init__(self, n): Countdown.left = n\n"
         "    def __call__(self, step=1):\n        Countdown.left -= step\n        return Countdown.left", 2),
        ("class Countdown:\n    def __init__(self, n): pass\n    def __eq__(self, other): return True\n"
         "    def __call__(self, step=1): return self", 0),
        ("def Countdown(n):\n    raise ValueError", 0),
        ("class Countdown:\n    def __init__(self, n): self.n = n\n"
         "    def __call__(self, step=1):\n        import os; os._exit(0)", 0),
    ],
)  # fmt: skip
def test_a_class_that_does_not_do_its_work_loses_points(source, points):
    assert judged_countdown(source).points == points


def test_an_object_does_not_outlive_the_process_it_lived_in():
    limits = Limits(4.0, 4096, sandbox.resolve("auto"))
    start = functools.partial(sandbox.start_worker, limits.sandbox, limits.memory_mib, ())
    with contextlib.closing(Student(limits, start)) as student:
        student.run_and_keep(
            "import os\nclass Box:\n    def weight(self): return 3\n    def burst(self): os._exit(0)"
        )
        box = student.call("Box", (), {})
        assert box.weight() == 3
        with pytest.raises(RemoteFailure, match="ended the notebook's process"):
            box.burst()
        student.lost = False  # as for the next question
        assert student.call("Box", (), {}).weight() == 3
        with pytest.raises(RemoteFailure, match="object was lost"):
            box.weight()


def test_arrays_come_back_as_arrays_of_their_library():
    limits = Limits(20.0, 4096, sandbox.resolve("auto"))
    start = functools.partial(sandbox.start_worker, limits.sandbox, limits.memory_mib, ("torch",))
    with contextlib.closing(Student(limits, start)) as student:
        student.run_and_keep(
            "import numpy as np, torch, jax.numpy as jnp\ndef kind(x): return type(x).__module__"
        )
        for library, expression in [
            ("numpy", "np.ones(2)"),
            ("torch", "torch.ones(2)"),
            ("jax", "jnp.ones(2)"),
        ]:
            array = student.evaluate(expression, {})
            assert (array.origin, array.tolist()) == (library, [1, 1])
            assert student.call("kind", (array,), {}).startswith(library)
