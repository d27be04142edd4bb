"""The set-up: the same versions everywhere, and scripts that say what they lack."""

import re
import subprocess
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import gymnasium
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from autograder import sandbox

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAMED_FOR_CONDA = {
    *("jupyter-book", "nbgrader", "torch", "jax", "dm-haiku", "optax"),
    *("gymnasium", "metadrive-simulator", "matplotlib"),
}
SCRIPTS = ["Makefile", ".ci/run", ".ci/system-packages"]
VERSION_FILES = ["pyproject.toml", "constraints.txt", "environment.yml"]


def read_pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"==[^*+]+", str(pin.specifier)) for pin in pins)
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


PINS = read_pins()


def declared():
    """Every requirement in pyproject.toml that applies to this Python, but for the project's own extras.

    The peers of the benchmarks are left out: they go into an environment of their own.
    """
    extras = {name: group for name, group in PROJECT["optional-dependencies"].items() if name != "benchmarks"}
    groups = [PROJECT["dependencies"], *extras.values()]
    requirements = [Requirement(line) for group in groups for line in group]
    foreign = [r for r in requirements if r.name != PROJECT["name"]]
    return [r for r in foreign if r.marker is None or r.marker.evaluate()]


def installed_closure(requirements):
    """Names of all packages that `requirements` bring in, as the installed packages declare them."""
    seen, todo = set(), list(requirements)
    while todo:
        requirement = todo.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        for line in distribution(requirement.name).requires or []:
            needed = Requirement(line)
            extras = ["", *requirement.extras]
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(needed)
    return {name for name, _ in seen}


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_pins_satisfy_what_the_project_declares(requirement):
    assert PINS[canonicalize_name(requirement.name)] in requirement.specifier


def test_every_installed_dependency_is_pinned_at_its_version():
    found = {name: Version(distribution(name).version).public for name in installed_closure(declared())}
    assert found == {name: PINS.get(name) for name in found}


def test_every_dependency_accepts_the_first_python_3_11():
    """Debian 12 has Python 3.11.2, and some releases ask for a later 3.11."""
    packages = installed_closure(declared())
    demands = {name: distribution(name).metadata.get("Requires-Python") for name in packages}
    assert {name: d for name, d in demands.items() if d and "3.11.0" not in SpecifierSet(d)} == {}


def test_torch_is_exact_and_without_a_build():
    assert "torch==2.13.0" in PROJECT["optional-dependencies"]["all"]
    assert PINS["torch"] == "2.13.0"


def test_lunar_lander_renders():
    with gymnasium.make("LunarLander-v3", render_mode="rgb_array") as environment:
        environment.reset(seed=0)
        assert environment.render().shape == (400, 600, 3)


def test_conda_environment_is_the_same():
    python, _, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert pip["pip"][:2] == ["-c constraints.txt", "-e .[all]"]
    named = dict(line.split("==") for line in pip["pip"][2:])
    assert set(named) == NAMED_FOR_CONDA
    assert named == {name: PINS[name] for name in named}
    # MetaDrive declares no support for a newer Python, and the constraints were made with this one
    assert python == "python=3.11"
    assert "3.11" in Requirement(f"x{PROJECT['requires-python']}").specifier


@pytest.mark.parametrize("name", VERSION_FILES + SCRIPTS)
def test_no_package_index_is_named(name):
    assert not re.search(r"https?://|index-url|find-links|file:", (ROOT / name).read_text())


def test_make_help_lists_every_target():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    result = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^make ([\w-]+) +\S", result.stdout, re.MULTILINE) == targets


def test_what_cannot_be_installed_is_named(tmp_path):
    script = ROOT / ".ci" / "system-packages"
    command = ["/bin/bash", script, "bubblewrap"]
    result = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert result.returncode == 0
    assert "without it, student code can only be isolated by Landlock" in result.stderr


def run_quietly(tmp_path, program):
    command = [ROOT / ".ci" / "quietly", "Working", tmp_path / "log", "1", "line", "sh", "-c", program]
    return subprocess.run(command, capture_output=True, text=True)


def test_quiet_command_keeps_its_output_in_the_log(tmp_path):
    result = run_quietly(tmp_path, "echo line one; echo line two >&2")
    assert (result.returncode, result.stdout) == (0, "Working\n")
    assert (tmp_path / "log").read_text() == "line one\nline two\n"


def test_quiet_command_shows_why_it_failed(tmp_path):
    result = run_quietly(tmp_path, "echo line one; exit 3")
    assert result.returncode == 3
    assert str(tmp_path / "log") in result.stdout
    assert result.stdout.endswith("line one\n")


def test_workers_see_the_course_outside_the_folders_of_their_own():
    """Each worker has its own /tmp, which would hide a clone that was made there."""
    targets = sandbox._course_binds().values()
    assert not [target for target in targets if target.startswith(("/tmp", "/scratch"))]
