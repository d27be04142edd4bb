"""For each assignment: set up, run with the answers filled in, save as Colab does, grade: full marks.

The setup cell installs from the published repository, which a local git remote stands in for. What came out
goes to benchmarks/results/colab.json, which a page of the book shows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from autograder import grading
from autograder.master import SETUP, Master, colab_runtime, names, repository_url
from autograder.publish import publish
from autograder.release import ROOT, assignment_notebook
from autograder.samples import generate, mishaps
from autograder.samples.student import Student
from tests.colab import runtime
from tests.support import versions

FOLDER = ROOT / "_build" / "colab"
RESULTS = ROOT / "benchmarks" / "results" / "colab.json"
_CELL_SECONDS = 1_200
_VERSION = re.compile(r"([\w.-]+) (\d[\w.]*)")
_ABLE = Student("ada", "took the solutions from the book")


def main(wanted: list[str]) -> int:
    """Check the assignments; 1 where one does not work, 2 where nothing can be tried."""
    try:
        interpreter = runtime.make(FOLDER / "runtime")
    except runtime.NoRuntime as error:
        print(error, file=sys.stderr)
        return 2
    remote = _remote(FOLDER / "published")
    runtime.clear(interpreter)
    python, packages = versions(interpreter)
    failed = 0
    for name in wanted or names():
        started = time.monotonic()
        try:
            result = check(name, interpreter, remote)
        except Exception as error:
            print(f"{name}: {error}")
            failed += 1
            continue
        print(f"{name}: {result}, {time.monotonic() - started:.0f} s", flush=True)
        _record(name, result, {"python": python, "versions": packages})
        failed += result["points"] != result["worth"] or not result["second setup installs nothing"]
    return min(failed, 1)


def check(name: str, interpreter: Path, remote: dict[str, str]) -> dict[str, Any]:
    """Run `name` in Colab's runtime, save and grade it: its points, and what the setup cell said."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    runtime.clear(interpreter)
    master = Master.read(name)
    released = nbformat.writes(assignment_notebook(master))
    notebook = nbformat.reads(generate.submission(_ABLE, master, released).decode(), as_version=4)
    settings = {**remote, "POLICY_GRADIENTS_QUICK": "1", "MPLBACKEND": "agg"}
    os.environ.update(runtime.kernel(folder, interpreter, settings))
    _execute(notebook, folder)
    setup = next(cell for cell in notebook.cells if cell.id == SETUP)
    again = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(setup.source)])
    _execute(again, folder)
    saved = folder / "handed_in" / "ada" / f"Copy of {name}.ipynb"
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_text(
        json.dumps(mishaps.saved_by_colab(json.loads(nbformat.writes(notebook)))), encoding="utf-8"
    )
    grades = grading.grade_class(name, saved.parent.parent, out=folder / "grades", jobs=1, regrade=True)
    return {
        "points": grades.submissions[0].score,
        "worth": master.max_score,
        "installed": dict(_VERSION.findall(_printed(setup)[-1].partition("Ready: ")[2])),
        "second setup installs nothing": "nothing to install" in _printed(again.cells[0])[-1],
    }


def _execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    NotebookClient(notebook, kernel_name="colab", timeout=_CELL_SECONDS).execute(cwd=str(folder))


def _printed(cell: nbformat.NotebookNode) -> list[str]:
    """The lines that a cell has printed."""
    text = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return text.splitlines()


def _record(name: str, result: dict[str, Any], tried: dict[str, Any]) -> None:
    """Set the result of one assignment in RESULTS; those of the others stay while the runtime is the same."""
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept = found.get("assignments", {}) if found.get("runtime") == colab_runtime() else {}
    assignments = dict(sorted({**kept, name: result}.items()))
    content = {"runtime": colab_runtime(), **tried, "assignments": assignments}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _remote(folder: Path) -> dict[str, str]:
    """Publish into a git repository, and give the environment in which git takes it for the public one."""
    publish(folder)
    git = ["git", "-C", str(folder), "-c", "user.name=course", "-c", "user.email=course@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Published"], check=True)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{folder.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": repository_url(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
