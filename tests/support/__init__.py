"""Which Pythons the course runs on, and with which versions of its packages: `python -m tests.support`."""

from __future__ import annotations

import json
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


def versions(interpreter: Path) -> tuple[str, dict[str, str]]:
    """The version of a Python, and those of PACKAGES that it has."""
    command = [interpreter, "-P", "-c", _ASK, *PACKAGES.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    python, found = json.loads(done.stdout)
    return python, found
