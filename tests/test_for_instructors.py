"""The page for instructors, and the READMEs: the commands in them exist, and the example master works."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder import sandbox
from autograder.cli import main
from autograder.judging import judge_submission
from autograder.master import Master
from autograder.release import assignment_notebook
from autograder.results import late, roster, total
from autograder.settings import ClassSettings
from autograder.student import Limits
from tests.notebooks import as_bytes

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "chapters" / "for_instructors.md").read_text()
TEXTS = ["README.md", "autograder/README.md"]
TEXTS += [f"chapters/{name}.md" for name in ("for_instructors", "grading_on_a_cluster", "how_to_use")]


def block(language, start):
    """The code block of this language that begins with `start`."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return next(text for text in blocks if text.startswith(start))


def commands(text):
    """The lines of all shell blocks that call the autograder, as lists of words."""
    for shell in re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in shell.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0].rpartition("/")[2] == "autograder":
                yield words[1:]


@pytest.mark.parametrize("name", TEXTS)
def test_the_commands_that_are_shown_exist(name):
    shown = list(commands((ROOT / name).read_text()))
    for words in shown:
        command, *arguments = words
        if command.startswith("-"):
            continue
        context = main.commands[command].make_context(command, arguments)  # raises where an option is unknown
        assert context.params.get("name", "gridworld") in ("gridworld", "reinforce_cartpole", "spread"), words
    assert shown or name == "autograder/README.md"


def test_every_command_is_in_the_table():
    table = PAGE.split("## The commands")[1]
    assert set(re.findall(r"^\| `autograder (\w+)", table, re.MULTILINE)) == set(main.commands)


def test_every_command_explains_itself():
    for name, command in main.commands.items():
        done = CliRunner().invoke(main, [name, "--help"])
        assert done.exit_code == 0 and command.help
        for option in command.params:
            assert getattr(option, "help", "") or option.param_type_name == "argument", (
                f"{name} {option.opts}"
            )


@pytest.fixture(scope="module")
def example():
    return Master("spread", block("python", "# ---"))


def test_the_example_of_a_master_keeps_the_rules(example):
    example.check()
    assert [(question.name, question.points) for question in example.questions] == [("spread", 2)]
    released = "\n".join(cell.source for cell in assignment_notebook(example).cells)
    assert "three numbers" in released
    for hidden in ("negative numbers", "HIDDEN", "outlier", "len(values)"):
        assert hidden not in released


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the repository, as far as the commands of the section on new assignments need it."""
    root = tmp_path_factory.mktemp("course")
    made = shutil.ignore_patterns("__pycache__", "grades", "source", "samples")
    for folder in ("assignments", "autograder", "colab", "policy_gradients", "solutions"):
        shutil.copytree(ROOT / folder, root / folder, ignore=made)
    shutil.copytree(ROOT / "autograder" / "samples", root / "autograder" / "samples")
    shutil.copy(ROOT / "_config.yml", root)
    return root


def test_the_section_on_a_new_assignment_runs_as_printed(course):
    section = PAGE.split("(sec-new-assignment)=")[1].split("\n## A large class")[0]
    path = re.search(r"Save it as `([^`]+)`", section)[1]
    (course / path).write_text(block("python", "# ---"))
    environment = {**os.environ, "PYTHONPATH": str(course), "XDG_CACHE_HOME": str(course / "cache")}
    ran = []
    for arguments in commands(section):
        command = [sys.executable, "-m", "autograder.cli", *arguments]
        done = subprocess.run(command, cwd=course, env=environment, text=True, capture_output=True)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        ran.append(arguments[0])
    assert ran == ["release", "release", "grade", "feedback", "report"]
    row = json.loads((course / "trial" / "spread" / "grades.json").read_text())["submissions"][0]
    assert (row["student"], row["score"]) == ("spread", 2)
    assert list((course / "trial" / "spread" / "feedback").glob("*.html"))


@pytest.mark.parametrize(
    ("body", "points", "status"),
    [
        ("return max(values) - min(values) if len(values) else 0", 2, "passed"),
        ("return max(values) - min(values)", 1.33, "partial"),
        ("return 2", 0.67, "partial"),
        ("return None", 0, "failed"),
    ],
)
def test_the_example_is_graded_as_the_page_says(example, body, points, status):
    notebook = assignment_notebook(example)
    cell = next(cell for cell in notebook.cells if cell.id == "spread")
    cell.source = f"def spread(values):\n    {body}\n"
    limits = Limits(20, 4096, sandbox.resolve("auto"))
    judged = judge_submission("ada", as_bytes(notebook), example, seed=1, limits=limits)
    (question,) = judged.verdict.questions
    assert (question.points, question.status) == (points, status), question.message


def test_the_example_of_a_late_policy_is_one(tmp_path):
    (tmp_path / late.FILE).write_text(block("toml", "due"))
    policy = late.LatePolicy.read(tmp_path)
    assert (policy.percent, policy.late, policy.excused) == (5, ["ben"], ["kofi"])
    ben = policy.judge("ben", marked=False, handed_in="")
    assert ben.remark == "late by 1 day: 15 % off"


def test_the_example_of_weights_is_one(tmp_path):
    (tmp_path / total.FILE).write_text(block("toml", "[weights]"))
    assert total.Course.read(tmp_path).weights == {"gridworld": 10, "reinforce_cartpole": 30}


def test_the_example_of_a_roster_is_one(tmp_path):
    (tmp_path / roster.FILE).write_text(block("text", "id,name"))
    assert [person.section for person in roster.Roster.read(tmp_path).people] == ["A", "B"]


def test_the_limits_named_are_those_of_the_command():
    limits = ClassSettings()
    assert f"{limits.seconds:g} seconds for a cell or a call" in PAGE
    assert f"({limits.memory_mib // 1024} GiB for all its processes together)" in PAGE
    for kind in sandbox.KINDS[1:]:
        assert f"`{kind}`" in PAGE
