"""Installs what a notebook needs and Colab lacks: `python colab/install.py [PACKAGE ...]`.

The setup cell of every notebook clones the published repository, and calls this in the clone. Versions are
those of constraints.txt beside this file. What Colab has stays as it is: only packages that are missing are
installed, without their dependencies, which Colab has or constraints.txt names. So MetaDrive's package, which
refuses Python 3.12 and later and wants other versions than Colab's, is installed where it works all the same.
"""

import ctypes
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().with_name("constraints.txt")
COURSE = "policy-gradients"
_PIN = re.compile(r"^([\w.-]+)==(\S+)(?: +# via ([\w.-]+))?$", re.MULTILINE)
# A library of the system: the package that cannot be imported without it, its file, and Debian's package.
_LIBRARY = ("metadrive-simulator", "libGL.so.1", "libgl1")


class SetupFailed(RuntimeError):
    """Something could not be installed; the message says why, and what to do."""


def main(needed: list[str]) -> None:
    """Install what is missing of the course's library and the packages `needed`, and say what was done."""
    where = f"Colab {os.environ.get('COLAB_RELEASE_TAG', '(release not known)')}"
    wanted = [COURSE, *with_companions(needed)]
    try:
        missing = [name for name in wanted if not version(name)]
        if missing:
            print(f"{where}: installing {', '.join(missing)}", flush=True)
            install(missing)
        package, library, of_debian = _LIBRARY
        if package in needed:
            install_library(library, of_debian)
    except SetupFailed as error:
        sys.exit(f"{where}: the setup failed. {error}")
    ready = ", ".join(f"{name} {version(name)}" for name in wanted)
    print(f"{where}: {'installed' if missing else 'nothing to install'}. Ready: {ready}")


def with_companions(needed: list[str]) -> list[str]:
    """The packages, and those that constraints.txt gives them as companions."""
    return [*needed, *(name for name, _, owner in _pins() if owner in needed)]


def version(name: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def install(names: list[str]) -> None:
    """Install packages at their pinned versions, and nothing else. Raises SetupFailed."""
    pinned = {name: f"{name}=={version}" for name, version, _ in _pins()}
    pinned[COURSE] = str(CONSTRAINTS.parents[1])
    for name in names:
        if name not in pinned:
            raise SetupFailed(
                f"Colab has no {name}, and the course does not say which version it wants. Tell those who "
                "teach the course: the line is missing in colab/constraints.txt."
            )
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-requires-python"]
    _run([*command, *(pinned[name] for name in names)])


def install_library(file: str, package: str) -> None:
    """Install the Debian package of a shared library, if that cannot be loaded. Raises SetupFailed."""
    try:
        ctypes.CDLL(file)
    except OSError:
        _run(["apt-get", "install", "--quiet", "--yes", package])


def _pins() -> list[tuple[str, str, str]]:
    """Name, version, and whose companion it is: for each line of constraints.txt."""
    return _PIN.findall(CONSTRAINTS.read_text(encoding="utf-8"))


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise SetupFailed(f"{command[0]} cannot be run: {error}.") from None
    if done.returncode == 0:
        return
    lines = done.stderr.strip().splitlines() or ["It gave no reason."]
    told = [line for line in lines if line.startswith(("ERROR:", "E:"))] or lines
    raise SetupFailed(
        f"{told[-1]}\nRun this cell again in a minute, in case the network was away. If it fails again, "
        "choose 'Disconnect and delete runtime' in the menu 'Runtime', and start anew."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
