"""The page on what the course runs on: made from what was run, all of it, and without a failure."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

from autograder import master
from tests import support
from tests.support import __main__ as trial

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "chapters" / "what_it_runs_on.md"


def test_notebooks_were_tried_in_the_runtime_that_they_name():
    """Which ones is up to the last `python -m tests.colab`; the page names those that were not run."""
    found = json.loads((ROOT / "benchmarks" / "results" / "colab.json").read_text())
    chapters = [path for path in (ROOT / "chapters").glob("*.md") if "\ncolab: [" in path.read_text()]
    assert found["runtime"] == master.colab_runtime()
    assert found["notebooks"]
    assert set(found["notebooks"]) <= {*master.names(), *(f"chapters/{path.stem}" for path in chapters)}
    for name, result in found["notebooks"].items():
        assert "policy-gradients" in result["installed"]
        if name in master.names():
            assert result["points"] == result["worth"] == master.Master.read(name).max_score


def test_what_ran_on_a_python_passed():
    found = json.loads(trial.RESULTS.read_text())
    assert tuple(found) == trial.PYTHONS and any(found.values())
    for minor, tried in found.items():
        if tried:
            assert tried["python"].startswith(f"{minor}.") and set(tried["parts"]) <= set(trial.PARTS)
            assert all(part["passed"] and not part["failed"] for part in tried["parts"].values())


def test_the_parts_are_tests_that_are_there():
    names = [argument for arguments in trial.PARTS.values() for argument in arguments]
    assert all((ROOT / name).exists() for name in names if name.startswith("tests/"))


def test_versions_are_those_of_the_interpreter():
    python, found = support.versions(Path(sys.executable))
    assert python == ".".join(map(str, sys.version_info[:3]))
    assert found["numpy"] == version("numpy") and set(found) <= set(support.PACKAGES.split())


@pytest.mark.parametrize("place", ["", "chapters"])
def test_the_page_runs_from_the_top_and_from_its_folder(place):
    notebook = jupytext.read(PAGE, fmt="md:myst")
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute(cwd=str(ROOT / place))
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    data = [item for output in outputs for item in output.get("data", {}).items()]
    shown = "\n".join(text for kind, text in data if kind.endswith("text/markdown"))  # glued text, too
    assert all(f"| `{name}` | " in shown for name in master.names())
    assert all(f"| {name} | " in shown for name in ("numpy", "torch", "dm-haiku"))
    assert "GPU" in shown
