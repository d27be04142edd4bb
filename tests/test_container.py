"""The image for machines other than Linux: what goes into it, and that this is enough to grade.

Building it takes minutes and a registry of images, which tests do not have.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "autograder" / "container"
CONTAINERFILE = (FOLDER / "Containerfile").read_text()


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """The repository's files that the ignore file lets through."""
    lines = (FOLDER / "Containerfile.dockerignore").read_text().splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    assert lines[0] == "*"
    wanted = [line[1:] for line in lines if line.startswith("!")]
    ignored = [line for line in lines[1:] if not line.startswith("!")]
    command = ["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True).stdout.split()
    folder = tmp_path_factory.mktemp("context")
    for name in listed:
        is_wanted = any(name == each or name.startswith(f"{each}/") for each in wanted)
        if is_wanted and not any(name.startswith(f"{each}/") for each in ignored):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    if not any(folder.iterdir()):
        pytest.skip("This copy of the project is no git repository, so nothing says what belongs to it.")
    return folder


def test_what_is_copied_and_installed_exists(context):
    for sources in re.findall(r"^COPY (.+) \S+$", CONTAINERFILE, re.MULTILINE):
        assert all((context / source).exists() for source in sources.split())
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", CONTAINERFILE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert "--constraint constraints.txt" in CONTAINERFILE


def test_results_and_submissions_do_not_go_into_the_image():
    lines = (FOLDER / "Containerfile.dockerignore").read_text().splitlines()
    made = [line for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("autograder/")]
    assert {"autograder/grades/", "autograder/submitted/", "autograder/gradebook.db"} <= set(made)
    for name in made:
        assert any(name.startswith(line) for line in lines if line.startswith("autograder/")), name


def test_what_is_in_the_image_is_enough_to_grade(context, tmp_path):
    shutil.copy(ROOT / "assignments" / "gridworld" / "gridworld.ipynb", tmp_path / "ada.ipynb")
    command = [sys.executable, "-m", "autograder.cli", "grade", "gridworld", tmp_path / "ada.ipynb"]
    environment = os.environ | {"PYTHONPATH": str(context)}
    done = subprocess.run(
        [*command, "--out", tmp_path / "grades"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    grades = json.loads((tmp_path / "grades" / "gridworld" / "grades.json").read_text())
    assert [row["score"] for row in grades["submissions"]] == [0]
