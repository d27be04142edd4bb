"""Each assignment: set up, run with the answers filled in, saved as Colab does, graded. Each chapter: run.

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

from autograder import chapter_notebook, grading
from autograder.master import SETUP, Master, colab_runtime, names, repository_url
from autograder.publish import publish
from autograder.release import ROOT, assignment_notebook
from autograder.samples import generate, mishaps
from autograder.samples.student import Student
from tests.colab import runtime
from tests.support import versions

FOLDER = ROOT / "_build" / "colab"
PUBLISHED = FOLDER / "published"
RESULTS = ROOT / "benchmarks" / "results" / "colab.json"
_CELL_SECONDS = 1_200
_VERSION = re.compile(r"([\w.-]+) (\d[\w.]*)")
_ABLE = Student("ada", "took the solutions from the book")


def main(wanted: list[str]) -> int:
    """Check assignments and chapters (chapters/grpo); 1 where one fails, 2 where nothing can be tried."""
    try:
        interpreter = runtime.make(FOLDER / "runtime")
    except runtime.NoRuntime as error:
        print(error, file=sys.stderr)
        return 2
    remote = _remote(PUBLISHED)
    runtime.clear(interpreter)
    python, packages = versions(interpreter)
    chapters = [f"chapters/{path.stem}" for path in sorted((PUBLISHED / "colab").glob("*.ipynb"))]
    failed = 0
    for name in wanted or [*names(), *chapters]:
        started = time.monotonic()
        runtime.clear(interpreter)
        folder = FOLDER / name
        shutil.rmtree(folder, ignore_errors=True)
        settings = {**remote, "POLICY_GRADIENTS_QUICK": "1", "MPLBACKEND": "agg"}
        os.environ.update(runtime.kernel(folder, interpreter, settings))
        try:
            result = check_chapter(name, folder) if name in chapters else check(name, folder)
        except Exception as error:
            print(f"{name}: {error}")
            failed += 1
            continue
        print(f"{name}: {result}, {time.monotonic() - started:.0f} s", flush=True)
        _record(name, result, {"python": python, "versions": packages})
        failed += result.get("points") != result.get("worth")
    return min(failed, 1)


def check(name: str, folder: Path) -> dict[str, Any]:
    """Run assignment `name` in Colab's runtime, save and grade it: its points, and what was installed."""
    master = Master.read(name)
    released = nbformat.writes(assignment_notebook(master))
    notebook = nbformat.reads(generate.submission(_ABLE, master, released).decode(), as_version=4)
    _execute(notebook, folder)
    setup = next(cell for cell in notebook.cells if cell.id == SETUP)
    installed = _installed(setup, folder)
    saved = folder / "handed_in" / "ada" / f"Copy of {name}.ipynb"
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_text(
        json.dumps(mishaps.saved_by_colab(json.loads(nbformat.writes(notebook)))), encoding="utf-8"
    )
    grades = grading.grade_class(name, saved.parent.parent, out=folder / "grades", jobs=1, regrade=True)
    return {"points": grades.submissions[0].score, "worth": master.max_score, "installed": installed}


def check_chapter(page: str, folder: Path) -> dict[str, Any]:
    """Run the notebook of a chapter in Colab's runtime: what the setup cell said."""
    notebook = nbformat.read(PUBLISHED / chapter_notebook.path(page), as_version=4)
    _execute(notebook, folder)
    return {"installed": _installed(notebook.cells[1], folder)}


def _installed(setup: nbformat.NotebookNode, folder: Path) -> dict[str, str]:
    """What the setup cell has made ready; it has to install nothing when it runs again."""
    again = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(setup.source)])
    _execute(again, folder)
    first, second = (_printed(cell)[-1] for cell in (setup, again.cells[0]))
    if ": installed. Ready: " not in first or ": nothing to install. Ready: " not in second:
        raise RuntimeError(f"the setup cell said {first!r}, and then {second!r}")
    return dict(_VERSION.findall(first.partition("Ready: ")[2]))


def _execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    NotebookClient(notebook, kernel_name="colab", timeout=_CELL_SECONDS).execute(cwd=str(folder))


def _printed(cell: nbformat.NotebookNode) -> list[str]:
    """The lines that a cell has printed."""
    text = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return text.splitlines()


def _record(name: str, result: dict[str, Any], tried: dict[str, Any]) -> None:
    """Set one result in RESULTS; the others stay while the runtime is the same."""
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept = found.get("notebooks", {}) if found.get("runtime") == colab_runtime() else {}
    content = {"runtime": colab_runtime(), **tried, "notebooks": dict(sorted({**kept, name: result}.items()))}
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
