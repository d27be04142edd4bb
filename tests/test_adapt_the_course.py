"""The page "Adapt the course": its commands, as they are printed, in copies of the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.published import broken_links, files

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "chapters" / "adapt_the_course.md").read_text()
SECTIONS = {title: text for title, text in re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", PAGE, re.MULTILINE)}
IDENTITY = {"GIT_AUTHOR_NAME": "course", "GIT_AUTHOR_EMAIL": "course@example.org"}
IDENTITY |= {"GIT_COMMITTER_NAME": "course", "GIT_COMMITTER_EMAIL": "course@example.org"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The repository as it stands here, with what is not committed yet, in a folder of its own."""
    folder = tmp_path_factory.mktemp("original") / "course"
    command = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("This copy of the project is no git repository, so nothing says what belongs to it.")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    for arguments in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "The course"]):
        subprocess.run(["git", *arguments], cwd=folder, env=os.environ | IDENTITY, check=True)
    return folder


@pytest.fixture
def adapted(repository, tmp_path):
    """Runs the commands of a section in a copy: the copy, what was published, and what was printed."""
    course = tmp_path / "course"
    shutil.copytree(repository, course)
    program = tmp_path / "bin" / "autograder"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m autograder.cli "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(course)}

    def run(title, left_out="make book\n"):
        blocks = re.findall(r"^```bash\n(.*?)^```$", SECTIONS[title], re.MULTILINE | re.DOTALL)
        command = ["bash", "-e", "-c", "".join(blocks).replace(left_out, "")]
        done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        public = tmp_path / "public"
        if public.exists():
            assert broken_links(public) == []
            assert set(json.loads((public / ".published.json").read_text())["files"]) == set(files(public))
        return course, public, done.stdout + done.stderr

    return run


def test_every_section_is_tried_here():
    tried = set(re.findall(r'adapted\("(.+?)"', Path(__file__).read_text()))
    assert tried == set(SECTIONS)


def test_an_assignment_is_dropped(adapted):
    course, public, printed = adapted("Drop an assignment")
    assert not (course / "autograder" / "masters" / "grpo.py").exists()
    assert not [name for name in files(public) if name.startswith(("assignments/grpo", "solutions/grpo"))]
    assert "assignments/grpo/grpo is not published: what linked to it is text on " in printed
    assert "`grpo`" not in (public / "README.md").read_text()


def test_chapters_are_dropped(adapted):
    _, public, printed = adapted("Drop chapters")
    pages = yaml.safe_load((public / "_toc.yml").read_text())["parts"][1]["chapters"]
    assert [page["file"] for page in pages][-1] == "chapters/when_it_does_not_learn"
    assert not (public / "chapters" / "grpo.md").exists() and not (public / "colab" / "grpo.ipynb").exists()
    assert "GRPO. Can a group" not in (public / "chapters" / "index.md").read_text()
    assert "**Next**: GRPO, which" in (public / "chapters" / "actor_critic.md").read_text()
    assert "chapters/grpo is not published" in printed


def test_half_of_the_chapters_and_all_assignments_but_one_are_dropped(adapted, tmp_path):
    course, *_ = adapted("Change the looks")
    toc = yaml.safe_load((course / "_toc.yml").read_text())
    foundations, larger, assignments, solutions, *_ = toc["parts"]
    larger["chapters"] = []
    assignments["chapters"] = assignments["chapters"][:1]
    solutions["chapters"] = solutions["chapters"][:1]
    foundations["chapters"] = foundations["chapters"][:4]
    (course / "_toc.yml").write_text(yaml.safe_dump(toc))
    for folder in ("autograder/masters", "assignments", "solutions"):
        for path in (course / folder).iterdir():
            if path.stem not in ("gridworld", "__pycache__"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    kept = {page["file"] for part in toc["parts"] for page in part["chapters"]}
    for path in (course / "chapters").glob("*.md"):
        if path.stem != "index" and f"chapters/{path.stem}" not in kept:
            path.unlink()
    command = [sys.executable, "-m", "autograder.cli", "publish", "--solutions", str(tmp_path / "public")]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert broken_links(tmp_path / "public") == []
    names = {path.stem for path in (tmp_path / "public").glob("*/**/*.ipynb")}
    assert "gridworld" in names and not {"grpo", "actor_critic", "collecting_rollouts"} & names


def test_an_assignment_is_held_back_and_let_out(adapted):
    held, taken = "# - file: assignments/silent_bugs/", "      - file: assignments/silent_bugs/"
    course, public, printed = adapted("Hold an assignment back until its week")
    assert (public / "assignments" / "silent_bugs" / "silent_bugs.ipynb").exists()
    assert taken in (course / "_toc.yml").read_text() and held not in (course / "_toc.yml").read_text()
    assert "assignments/silent_bugs/silent_bugs is not published" in printed


def test_a_chapter_is_shortened(adapted):
    _, public, printed = adapted("Shorten a chapter")
    text = (public / "chapters" / "reward_to_go_and_baselines.md").read_text()
    assert "## What gamma does" not in text and "## Baselines" in text


def test_a_translation_keeps_the_instructors_pages_private(adapted):
    _, public, _ = adapted("Translate")
    toc = (public / "_toc.yml").read_text()
    assert "Grundlagen" in toc and "Lehrende" not in toc and "for_instructors" not in toc
    assert yaml.safe_load((public / "_config.yml").read_text())["sphinx"]["config"]["language"] == "de"
    assert (public / "README.md").read_text().startswith("# Policy-Gradienten\n")


def test_the_looks_are_changed(adapted):
    _, public, _ = adapted("Change the looks")
    assert "#7a0019" in (public / "chapters" / "_static" / "course.css").read_text()
    citation = yaml.safe_load((public / "CITATION.cff").read_text())
    assert citation["authors"] == [{"name": "Department of Computing, Example University"}]


def test_points_are_changed(adapted):
    course, *_ = adapted("Change points")
    program = "from autograder.master import Master; print(Master.read('gridworld').max_score)"
    done = subprocess.run([sys.executable, "-c", program], cwd=course, capture_output=True, text=True)
    assert done.stdout == "12\n", done.stderr
    text = (course / "assignments" / "gridworld" / "gridworld.ipynb").read_text()
    assert "20 minutes, 4 points" in text and "The last function is worth 4 points, the others 2" in text


def test_the_address_is_changed(adapted):
    """Without the release of all assignments, which takes minutes: publish then says what is out of date."""
    course, *_ = adapted("Say where it is", "autograder release\nautograder publish ../public\n")
    command = [sys.executable, "-m", "autograder.cli", "publish", str(course.parent / "public")]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True)
    assert done.returncode == 2 and "run `autograder release gridworld`" in done.stderr
    assert master_url(course) == "https://github.com/example-university/rl-course"


def master_url(course):
    program = "from autograder.master import repository_url; print(repository_url())"
    done = subprocess.run([sys.executable, "-c", program], cwd=course, capture_output=True, text=True)
    return done.stdout.strip()
