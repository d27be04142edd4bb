"""Cells of a student's own: they get what they need where that is cheap and safe, as in Colab and Jupyter."""

import json
import os
import sys

import pytest

from autograder import sandbox
from autograder.judging import judge_submission
from autograder.student import Limits
from autograder.worker.limits import MOST_LEFT
from tests.notebooks import PAIR, as_bytes, cell, code, submission

SEED = 20_240_607
FULL = {"running_sum": 3, "double": 2}
HELPER = "def factor():\n    return 2\n"
USES_HELPER = "def double(x):\n    return factor() * x"


def judged(notebook, *, kind="auto", seconds=8.0):
    limits = Limits(seconds, 4096, sandbox.resolve(kind))
    return judge_submission("ada", as_bytes(notebook), PAIR, SEED, limits).verdict


def points(verdict):
    return {question.name: question.points for question in verdict.questions}


def with_own_cells(*sources, **answers):
    """A notebook whose `double` uses `factor`, with these cells of the student's own above its answer."""
    notebook = submission(**{"double": USES_HELPER} | answers)
    place = notebook["cells"].index(cell(notebook, "double"))
    notebook["cells"][place:place] = [code(source) for source in sources]
    return json.loads(json.dumps(notebook))


# What a cell may begin with before it defines the helper, and goes on all the same.
FOR_COLAB = {
    "drive": "from google.colab import drive\ndrive.mount('/content/drive')",
    "drive, again": "import google.colab\ngoogle.colab.drive.mount('/content/drive', force_remount=True)",
    "working folder": "import os\nos.chdir('/content')",
    "sample data": "import os\nos.listdir('sample_data')\n%cd /content/sample_data",
    "own folder on the drive": "from google.colab import drive\ndrive.mount('/content/drive')\nimport os\n"
    "os.makedirs('/content/drive/MyDrive/rl', exist_ok=True)\n"
    "open('/content/drive/MyDrive/rl/a', 'w').close()",
    "upload": "from google.colab import files\nuploaded = files.upload()\nfor name in uploaded: print(name)",
    "download": "from google.colab import files\nopen('a', 'w').close()\nfiles.download('a')",
    "secret": "from google.colab import userdata\n"
    "try:\n    key = userdata.get('KEY')\nexcept userdata.SecretNotFoundError:\n    key = None",
    "sign in": "from google.colab import auth, output, data_table, runtime\nauth.authenticate_user()\n"
    "output.clear()\noutput.eval_js('1')\ndata_table.enable_dataframe_formatter()",
    "pictures": "from google.colab.patches import cv2_imshow\ncv2_imshow(None)",
    "is it Colab?": "try:\n    import google.colab\n    IN_COLAB = True\n"
    "except ImportError:\n    IN_COLAB = False\n"
    "if IN_COLAB:\n    from google.colab import drive\n    drive.mount('/content/drive')",
    "is it Colab, again?": "import sys\n"
    "if 'google.colab' in sys.modules or 'google.colab' in str(get_ipython()):\n"
    "    raise OSError('what only Colab has')",
    "packages": "!pip install -q einops\n%pip install einops\n!apt-get -qq install cowsay\n"
    "!git clone https://example.org/a\n!wget -q https://example.org/b",
    "figures": "%matplotlib widget\n%matplotlib notebook\n%config InlineBackend.figure_format = 'retina'\n"
    "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()",
    "shells": "%cd /tmp\n!python -c 'print(1)'\nfound = !ls /\n!sleep 300 &",
    "the end of a session": "exit()",
    "reloading": "%load_ext autoreload\n%autoreload 2\n%env A=1\n%time 1\n%timeit -n 1 -r 1 1",
}


@pytest.mark.parametrize("source", FOR_COLAB.values(), ids=FOR_COLAB.keys())
def test_what_is_written_for_colab_runs_on_to_the_helper(source):
    verdict = judged(with_own_cells(f"{source}\n{HELPER}"))
    assert points(verdict) == FULL, [question.message for question in verdict.questions]


# Cells that define the helper below a cell magic, or with it.
UNDER_MAGICS = {
    "time": [f"%%time\n{HELPER}"],
    "prun": [f"%%prun -q\n{HELPER}"],
    "capture": [f"%%capture printed\nprint(1)\n{HELPER}"],
    "two of them": [f"%%capture\n%%time\n{HELPER}"],
    "a file": [f"%%writefile helpers.py\n{HELPER}", "from helpers import factor"],
    "a file, all of it": [f"%%file helpers.py\n{HELPER}", "from helpers import *"],
    "a file that is run": [f"%%writefile helpers.py\n{HELPER}", "%run helpers.py"],
    "a file in Colab's folder": [f"%%writefile /content/helpers.py\n{HELPER}", "%cd /tmp", "%cd /content",
                                 "from helpers import factor"],
    "a shell": ["%%bash\necho 'def factor(): return 2' > helpers.py", "from helpers import factor"],
    "another shell": ["%%sh\ntrue", "%%shell\ntrue", "%%script bash\ntrue", HELPER],
    "display": ["%%html\n<b>x</b>", "%%javascript\n1", "%%latex\n$x$", "%%markdown\n# x", HELPER],
    "more display": ["%%svg\n<svg/>", HELPER],
    "timeit": ["%%timeit -n 1 -r 1\nx = 3", HELPER],
    "a timed assignment": ["%time factor = lambda: 2"],
}  # fmt: skip


@pytest.mark.parametrize("sources", UNDER_MAGICS.values(), ids=UNDER_MAGICS.keys())
def test_cell_magics_do_what_they_do_in_a_notebook(sources):
    verdict = judged(with_own_cells(*sources))
    assert points(verdict) == FULL, [question.message for question in verdict.questions]
    assert verdict.faults == ()


@pytest.mark.parametrize("magic", ["%%time", "%%prun -q", "%%capture", "%%capture\n%%time"])
def test_an_answer_below_a_magic_that_runs_it_counts(magic):
    verdict = judged(submission(double=f"{magic}\ndef double(x):\n    return 2 * x"))
    assert points(verdict) == FULL
    assert verdict.faults == ()


def test_an_answer_in_a_file_counts_once_it_is_imported():
    notebook = submission(double="%%writefile answers.py\ndef double(x):\n    return 2 * x")
    verdict = judged(notebook)
    assert (verdict.questions[1].points, verdict.questions[1].needs_review) == (0, True)
    assert "'double' stands below `%%writefile`, so the notebook does not define it" in verdict.faults
    place = notebook["cells"].index(cell(notebook, "double"))
    notebook["cells"].insert(place + 1, code("from answers import double"))
    assert points(judged(notebook)) == FULL


@pytest.mark.parametrize("kind", ["landlock", "none"])
def test_without_namespaces_the_stand_in_for_colab_is_there_too(kind):
    if problem := kind == "landlock" and sandbox._problem(kind):
        pytest.skip(problem)
    source = f"from google.colab import drive\ndrive.mount('/content/drive')\n%cd /tmp\n{HELPER}"
    assert points(judged(with_own_cells(source), kind=kind)) == FULL
    assert not os.path.exists("/content/drive/MyDrive")  # on the machine


# Where a name comes from that an answer uses, and what became of that cell.

LOST = {
    "a file": ("open('/content/drive/MyDrive/a.csv')\n" + HELPER, "stopped with FileNotFoundError"),
    "an upload": ("from google.colab import files\nfiles.upload()['a.csv']\n" + HELPER,
                  "stopped with FileNotFoundError: a.csv: nobody uploads"),
    "a secret": ("from google.colab import userdata\nuserdata.get('KEY')\n" + HELPER,
                 "stopped with SecretNotFoundError"),
    "a package": ("import einops\n" + HELPER, "stopped with ModuleNotFoundError: No module named 'einops'"),
    "a GPU": ("raise RuntimeError('No CUDA GPUs are available')\n" + HELPER, "No CUDA GPUs are available"),
    "a person at the keyboard": ("input()\n" + HELPER, "stopped with EOFError"),
    "a silent magic": ("%%capture\nimport einops\n" + HELPER, "No module named 'einops'"),
    "an unknown magic": ("%%R\n" + HELPER, "begins with `%%R`"),
    "a magic for a file": ("%%writefile helpers.py\n" + HELPER, "begins with `%%writefile`"),
    "no time": ("while True: pass\n" + HELPER, "did not end within 2 seconds"),
    "the end of the process": ("import os\nos._exit(0)\n" + HELPER, "ended the notebook's process"),
    "everything of a module": ("from somewhere import *", "No module named 'somewhere'"),
    "a newer Python": ("type Vector = list[float]\n" + HELPER, "stopped with SyntaxError"),
    "a file that is run": ("%run helpers.py", "File `'helpers.py'` not found"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "reason"), LOST.values(), ids=LOST.keys())
def test_the_cell_that_should_define_what_an_answer_uses_is_named_with_its_error(source, reason):
    question = judged(with_own_cells(source), seconds=2.0).questions[1]
    assert (question.points, question.needs_review) == (0, True)
    first = question.message.splitlines()[0]
    assert first.startswith(
        ("`factor` is defined in your cell 6 (`", "`factor` is not defined, and your cell 6")
    )
    assert reason in first


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_a_helper_in_a_cell_of_text_is_named(kind):
    notebook = with_own_cells(HELPER)
    notebook["cells"][5]["cell_type"] = kind
    question = judged(notebook).questions[1]
    assert question.needs_review
    assert "`factor` is defined in your cell 6 (`def factor():`), which is a cell of text" in question.message


def test_the_first_cause_is_told_before_what_follows_from_it():
    question = judged(with_own_cells("data = open('/nowhere')", f"size = len(data)\n{HELPER}")).questions[1]
    first, second = question.message.splitlines()[:2]
    assert first.startswith("`data` is defined in your cell 6") and "FileNotFoundError" in first
    assert second.startswith("`factor` is defined in your cell 7") and "NameError" in second


def test_a_cell_that_stops_below_what_is_used_is_no_cause():
    verdict = judged(with_own_cells(f"{HELPER}\nimport einops"))
    assert points(verdict) == FULL
    wrong = judged(with_own_cells(f"{HELPER}\nimport einops", double="def double(x): return 3 * factor()"))
    assert not wrong.questions[1].needs_review
    assert "einops" not in wrong.questions[1].message


def test_what_a_cell_says_after_hidden_inputs_were_seen_does_not_reach_the_student():
    """The helper's cell fails with what hidden tests gave to `running_sum`; in a rehearsal there is none."""
    spying = (
        "def running_sum(values, start=0.0):\n    seen.append(start)\n    return start + np.cumsum(values)"
    )
    leaking = f"raise OSError(str(seen))\n{HELPER}"
    notebook = with_own_cells(leaking, running_sum=spying)
    notebook["cells"].insert(1, code("seen = []"))
    question = judged(notebook).questions[1]
    assert "stopped with OSError: [" in question.message
    assert "10.0" not in question.message


def test_an_answer_whose_own_cell_stops_first_is_looked_at():
    question = judged(submission(double="import einops\ndef double(x):\n    return 2 * x")).questions[1]
    assert (question.status, question.points, question.needs_review) == ("error", 0, True)
    assert "No module named 'einops'" in question.message
    newer = "def double(x):\n    return int(f'{2 * {'x': x}['x']}')"
    assert judged(submission(double=newer)).questions[1].needs_review == (sys.version_info < (3, 12))
    assert not judged(submission(double="def double(x:\n    return 2 * x")).questions[1].needs_review


# "Not written yet." is said where nothing was written, and nowhere else.

STUB_CELL = "def double(x):\n    raise NotImplementedError()"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("# YOUR CODE HERE\nraise NotImplementedError()\n\ndef double(x):\n    return 2 * x", "code below"),
        ("def double(x):\n    raise NotImplementedError()\n    return 2 * x", "code below"),
        ("%%bash\ndef double(x):\n    return 2 * x", "below `%%bash`"),
        ("def double(x):\n    y = 2 * x\n    raise NotImplementedError()", "It raised NotImplementedError"),
        ("from somewhere import double", "No module named 'somewhere'"),
        ("from somewhere import *", "No module named 'somewhere'"),
        ("def Double(x):\n    return 2 * x", "'Double'"),
    ],
)
def test_what_is_written_is_not_called_not_written(source, words):
    question = judged(submission(double=source)).questions[1]
    assert (question.status, question.points) == ("error", 0)
    assert words in question.message
    assert "Not written" not in question.message


def test_an_answer_that_uses_one_that_is_not_written_says_so():
    verdict = judged(submission(running_sum=STUB_CELL.replace("double(x)", "running_sum(values, start=0.0)"),
                                double="def double(x):\n    return running_sum([x, x])[-1]"))  # fmt: skip
    assert (verdict.questions[0].status, verdict.questions[0].message) == ("missing", "Not written yet.")
    assert verdict.questions[1].status == "error"
    assert "It uses `running_sum`, which is not written yet." in verdict.questions[1].message
    assert not verdict.questions[1].needs_review


def test_what_was_not_written_is_called_so():
    for source in (STUB_CELL, ""):
        question = judged(submission(double=source)).questions[1]
        assert (question.status, question.message) == ("missing", "Not written yet.")


# Processes that a cell leaves behind.

FORKS = "import os, time\nfor _ in range(200):\n    if os.fork() == 0:\n        time.sleep(600)\n"
MANY = {
    "forks": FORKS,
    "programs": "import subprocess\nfor _ in range(200):\n    subprocess.Popen(['sleep', '600'])",
    "threads": "import threading, time\nfor _ in range(200):\n"
    "    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
    "in the background": "for _ in range(200):\n    get_ipython().system('sleep 600 &')",
}


@pytest.mark.parametrize("kind", ["bwrap", "landlock"])
@pytest.mark.parametrize("source", MANY.values(), ids=MANY.keys())
def test_a_cell_that_leaves_many_processes_costs_no_question(source, kind):
    if problem := sandbox._problem(kind):
        pytest.skip(problem)
    verdict = judged(with_own_cells(HELPER, source), kind=kind)
    assert points(verdict) == FULL, [question.message for question in verdict.questions]
    told = ("cell 7 left too many processes running: they were ended, and it is not run again",)
    assert verdict.faults == told or (
        kind == "landlock" and not verdict.faults
    )  # ended before it had left them


def test_an_answer_that_leaves_many_processes_is_judged_and_so_are_the_next():
    some = MANY["threads"].replace("200", str(MOST_LEFT + 20))
    answer = f"{some}\ndef running_sum(values, start=0.0):\n    return start + np.cumsum(values)"
    verdict = judged(with_own_cells(HELPER, running_sum=answer))
    assert points(verdict) == FULL
    uses_it = "def double(x):\n    return running_sum([x, x])[-1]"
    question = judged(with_own_cells(running_sum=answer, double=uses_it)).questions[1]
    assert (question.points, question.needs_review) == (0, True)
    assert "`running_sum` is defined in your cell 3" in question.message
    assert "left more than" in question.message


def test_a_call_that_leaves_many_processes_does_not_hurt_the_next_question():
    lines = "\n".join("    " + line for line in FORKS.splitlines())
    answer = f"def running_sum(values, start=0.0):\n{lines}\n    return start + np.cumsum(values)"
    assert points(judged(with_own_cells(HELPER, running_sum=answer)))["double"] == 2


def test_some_processes_may_stay():
    some = FORKS.replace("200", "20") + "from concurrent.futures import ThreadPoolExecutor\n"
    some += f"list(ThreadPoolExecutor(8).map(abs, range(99)))\n{HELPER}"
    verdict = judged(with_own_cells(some))
    assert (points(verdict), verdict.faults) == (FULL, ())
