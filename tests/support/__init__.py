"""Which Pythons the course runs on, and with which versions of its packages: `python -m tests.support`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

# What the course's code depends on most; the page shows these.
PACKAGES = (
    "numpy scipy matplotlib gymnasium jax dm-haiku optax torch highway-env metadrive-simulator box2d pygame"
)
_ASK = """
import importlib.metadata, json, platform, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps([platform.python_version(), found]))
"""


def usable_python(minor: str) -> str | None:
    """A Python of this version, such as "3.13", that can make environments; None where there is none."""
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{minor}.*/bin/python"))
    for candidate in [shutil.which(f"python{minor}"), *map(str, of_pyenv)]:
        if candidate and not subprocess.run([candidate, "-c", "import venv"], capture_output=True).returncode:
            return candidate
    return None


def versions(interpreter: Path) -> tuple[str, dict[str, str]]:
    """The version of a Python, and those of PACKAGES that it has."""
    command = [interpreter, "-P", "-c", _ASK, *PACKAGES.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    python, found = json.loads(done.stdout)
    return python, found
