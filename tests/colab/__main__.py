"""For each assignment: set up, run with the answers filled in, save as Colab does, grade: full marks.

The setup cell installs from the published repository, which a local git remote stands in for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from autograder import grading
from autograder.master import Master, names, repository_url
from autograder.publish import publish
from autograder.release import ROOT, assignment_notebook
from autograder.samples import generate, mishaps
from autograder.samples.student import Student
from tests.colab import runtime

FOLDER = ROOT / "_build" / "colab"
_CELL_SECONDS = 1_200
_ABLE = Student("ada", "took the solutions from the book")


def main(wanted: list[str]) -> int:
    """Check the assignments; 1 where one does not work, 2 where nothing can be tried."""
    try:
        interpreter = runtime.make(FOLDER / "runtime")
    except runtime.NoRuntime as error:
        print(error, file=sys.stderr)
        return 2
    remote = _remote(FOLDER / "published")
    failed = 0
    for name in wanted or names():
        started = time.monotonic()
        try:
            score, worth = check(name, interpreter, remote)
        except Exception as error:
            print(f"{name}: {error}")
            failed += 1
            continue
        print(f"{name}: {score:g} of {worth:g} points, {time.monotonic() - started:.0f} s", flush=True)
        failed += score != worth
    return min(failed, 1)


def check(name: str, interpreter: Path, remote: dict[str, str]) -> tuple[float, float]:
    """The points of `name`, run in Colab's runtime and saved by it, and what it is worth."""
    master = Master.read(name)
    released = nbformat.writes(assignment_notebook(master))
    notebook = nbformat.reads(generate.submission(_ABLE, master, released).decode(), as_version=4)
    settings = {**remote, "POLICY_GRADIENTS_QUICK": "1", "MPLBACKEND": "agg"}
    os.environ.update(runtime.kernel(FOLDER / name, interpreter, settings))
    client = NotebookClient(notebook, kernel_name="colab", timeout=_CELL_SECONDS)
    client.execute(cwd=str(FOLDER / name))
    saved = FOLDER / name / "handed_in" / "ada" / f"Copy of {name}.ipynb"
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_text(
        json.dumps(mishaps.saved_by_colab(json.loads(nbformat.writes(notebook)))), encoding="utf-8"
    )
    grades = grading.grade_class(
        name, saved.parent.parent, out=FOLDER / name / "grades", jobs=1, regrade=True
    )
    return grades.submissions[0].score, master.max_score


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
