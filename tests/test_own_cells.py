"""Cells of a student's own: they get what they need where that is cheap and safe, as in Colab and Jupyter."""

import json

import pytest

from autograder import sandbox
from autograder.judging import judge_submission
from autograder.student import Limits
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
