"""The setup cell: silent outside of Colab; inside, it installs what is missing, once, or says what to do."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autograder import master, publish, release
from policy_gradients import metadrive
from tests.colab import runtime

ROOT = Path(__file__).parents[1]
PINS = dict(re.findall(r"^([\w.-]+)==(\S+)", master.COLAB_PINS.read_text(), re.MULTILINE))
COLABS = {canonicalize_name(name): version for name, version in runtime.pins().items()}
# Wanted by packages that are installed past their dependencies: nothing of theirs that runs here imports yapf
# and mediapy, progressbar2 has the module of progressbar, and pygame that of pygame-ce.
DISPENSABLE = {"yapf", "mediapy", "progressbar", "pygame-ce"}
# Runs a cell as Jupyter does, in a shell that has the name of Colab's or another one.
SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = type("Shell", (InteractiveShell,), {"__module__": sys.argv[2]}).instance()
shell.run_cell(sys.argv[1]).raise_error()
"""


def load_install():
    spec = importlib.util.spec_from_file_location("install", ROOT / "colab" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


install = load_install()


@pytest.mark.parametrize("name", master.names())
def test_every_assignment_has_the_one_line_and_names_the_runtime(name):
    notebook = nbformat.read(release.assignment_path(name), as_version=4)
    (setup,) = [cell for cell in notebook.cells if cell.id == master.SETUP]
    needed = re.search(r"install\.py([\w. -]*)\"", setup.source)[1].split()
    assert setup.source == master.setup_line(*needed) and "\n" not in setup.source
    assert set(needed) <= set(PINS)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    tested = f"Tested with the package versions of Colab's runtime of {master.colab_runtime()}."
    assert tested in " ".join(text.split())


def run_cell(line, shell, cwd, **environment):
    command = [sys.executable, "-c", SHELL, line, shell]
    environment = {"PATH": os.environ["PATH"], "IPYTHONDIR": str(cwd / "ipython"), **environment}
    outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(command, cwd=cwd, env=environment, text=True, **outputs)


def test_outside_of_colab_it_does_and_says_nothing(tmp_path):
    done = run_cell(master.setup_line("box2d"), "ipykernel.zmqshell", tmp_path, PATH="")
    assert (done.returncode, done.stdout) == (0, "")
    assert not (tmp_path / "course").exists()


def write_wheel(folder, name, version, requires_python=">=3.8"):
    """A wheel with one module that holds its version."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {requires_python}\n"
    )
    wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    # What pip must not follow: Colab has it in another version, or not at all.
    metadata += "Requires-Dist: nowhere-to-be-found\n"
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{module}/__init__.py", f"version = {version!r}\n")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The published repository, as a git remote."""
    folder = publish.publish(tmp_path_factory.mktemp("published") / "course").folder
    git = ["git", "-C", folder, "-c", "user.name=course", "-c", "user.email=course@example.org"]
    for arguments in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "Published"]):
        subprocess.run([*git, *arguments], check=True)
    return folder


@pytest.fixture
def colab(tmp_path, published):
    """A new Python with pip and setuptools beside it, wheels instead of an index, and a folder to work in."""
    venv.create(tmp_path / "python", symlinks=True)
    tools, wheels, cwd = (tmp_path / name for name in ("tools", "wheels", "content"))
    for folder in (tools, wheels, cwd):
        folder.mkdir()
    for package in ("pip", "setuptools"):
        found = distribution(package)
        for top in {path.parts[0] for path in found.files if ".." not in path.parts}:
            (tools / top).symlink_to(found.locate_file(top))
    environment = {
        "PATH": f"{tmp_path / 'python' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(tools),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_BUILD_ISOLATION": "0",  # by pip's strange logic: no isolation
        "PIP_CONFIG_FILE": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{published.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": master.repository_url(),
        "COLAB_RELEASE_TAG": "release-1",
    }
    return cwd, wheels, environment


def site_packages(cwd):
    return next((cwd.parent / "python" / "lib").glob("python*/site-packages"))


def run_in_colab(colab, *needed, **changed):
    cwd, _, environment = colab
    return run_cell(master.setup_line(*needed), "google.colab._shell", cwd, **{**environment, **changed})


def test_it_installs_what_is_missing_and_nothing_the_second_time(colab):
    cwd, wheels, _ = colab
    write_wheel(wheels, "dm-haiku", PINS["dm-haiku"])
    write_wheel(wheels, "dm-haiku", "9.0")  # newer than the course knows
    write_wheel(wheels, "optax", PINS["optax"])
    write_wheel(wheels, "jmp", PINS["jmp"])
    (site_packages(cwd) / "jmp-0.0.1.dist-info").mkdir()  # Colab has its own
    (site_packages(cwd) / "jmp-0.0.1.dist-info" / "METADATA").write_text("Name: jmp\nVersion: 0.0.1\n")

    first = run_in_colab(colab, "dm-haiku")
    assert first.returncode == 0, first.stdout
    assert "Colab release-1: installing policy-gradients, dm-haiku, optax\n" in first.stdout
    ready = f"policy-gradients 0.1.0, dm-haiku {PINS['dm-haiku']}, jmp 0.0.1, optax {PINS['optax']}"
    assert first.stdout.endswith(f"Colab release-1: installed. Ready: {ready}\n")
    assert (site_packages(cwd) / "policy_gradients" / "checks.py").exists()
    assert not (site_packages(cwd) / "jmp").exists()

    second = run_in_colab(colab, "dm-haiku", PYTHONPATH="")  # pip is not there any more, nor is it wanted
    assert second.returncode == 0, second.stdout
    assert second.stdout == f"Colab release-1: nothing to install. Ready: {ready}\n"


def test_a_package_that_refuses_colabs_python_is_installed_at_the_version_that_works(colab):
    cwd, wheels, _ = colab
    for name in install.with_companions(["metadrive-simulator"]):
        write_wheel(wheels, name, PINS[name], requires_python="<3.9")
    write_wheel(wheels, "metadrive-simulator", "0.2.6")
    done = run_in_colab(colab, "metadrive-simulator")
    module = site_packages(cwd) / "metadrive_simulator" / "__init__.py"
    assert module.read_text() == f"version = {PINS['metadrive-simulator']!r}\n", done.stdout
    assert all((site_packages(cwd) / name).is_dir() for name in ("panda3d", "panda3d_gltf"))


def test_what_cannot_be_installed_is_said_and_stops_the_notebook(colab):
    cwd, wheels, _ = colab
    failed = run_in_colab(colab, "box2d")
    assert failed.returncode != 0
    assert (
        "Colab release-1: the setup failed. ERROR: No matching distribution found for box2d=="
        in failed.stdout
    )
    assert "Run this cell again in a minute, in case the network was away." in failed.stdout
    assert "AssertionError: Setup failed: run this cell again, or Runtime" in failed.stdout
    write_wheel(wheels, "box2d", PINS["box2d"])
    assert run_in_colab(colab, "box2d").returncode == 0


def test_a_repository_that_cannot_be_reached_stops_the_notebook(colab):
    cwd, _, environment = colab
    failed = run_in_colab(colab, GIT_CONFIG_KEY_0=f"url.{(cwd / 'nowhere').as_uri()}.insteadOf")
    assert failed.returncode != 0 and not (cwd / "course").exists()
    assert failed.stdout.startswith("fatal: ")
    assert "AssertionError: Setup failed: run this cell again, or Runtime" in failed.stdout
    assert run_in_colab(colab).returncode == 0


def test_a_package_without_a_version_is_refused(colab):
    failed = run_in_colab(colab, "no-such-package")
    assert failed.returncode != 0
    assert "Colab has no no-such-package, and the course does not say which version" in failed.stdout


def test_a_library_that_debian_does_not_have_is_named():
    install.install_library("libc.so.6", "not-asked-for")
    with pytest.raises(install.SetupFailed, match=r"(?s)package no-such-package|apt-get cannot be run|E: "):
        install.install_library("libno-such-library.so.0", "no-such-package")


def test_the_constraints_are_those_of_the_runtime_that_is_tried():
    header = runtime.PACKAGES.read_text().partition("\n")[0]
    date, python = master.colab_runtime().split(", ")
    assert f"{python}, " in header and f"({date})" in header
    assert {name for name in PINS if COLABS.get(name, PINS[name]) != PINS[name]} == set()


def test_colab_and_the_constraints_have_all_that_is_needed():
    base = [
        Requirement(line)
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ]
    assert all(COLABS[canonicalize_name(need.name)] in need.specifier for need in base)
    assert [need.name for need in base if need.extras] == ["imageio"] and "imageio-ffmpeg" in COLABS
    there = {*COLABS, *map(canonicalize_name, PINS), *DISPENSABLE}
    for name in ("dm-haiku", "jmp", "optax", "highway-env", "metadrive-simulator", "box2d"):
        needs = [Requirement(line) for line in distribution(name).requires or []]
        needs = [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
        assert {canonicalize_name(need.name) for need in needs} <= there, name


def test_metadrive_is_installed_in_one_version():
    assert PINS["metadrive-simulator"] == metadrive.VERSION
    pinned = dict(need.split("==") for need in metadrive._NEEDS.values() if "==" in need)
    assert pinned == {name: PINS[name] for name in pinned}


def test_the_script_needs_the_standard_library_only():
    modules = re.findall(r"^(?:import|from) (\w+)", (ROOT / "colab" / "install.py").read_text(), re.MULTILINE)
    assert set(modules) <= sys.stdlib_module_names
