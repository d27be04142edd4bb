"""Tries each Python that it finds with the versions of constraints.txt: `python -m tests.support [3.12 ...]`.

This Python tries itself; for others an environment is made in _build/support. What ran goes to
benchmarks/results/support.json, which a page of the book shows; what was recorded of other Pythons stays.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from tests.support import usable_python, versions

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "_build" / "support"
RESULTS = ROOT / "benchmarks" / "results" / "support.json"
PYTHONS = ("3.11", "3.12", "3.13")
# Not what the book is built and tested with: that happens on one Python.
_EXTRAS = ("jax", "torch", "box2d", "highway", "grading")
_TOOLS = ("hypothesis", "playwright", "psutil", "pytest", "pyyaml")
# The declared quick part of the tests: what the page shows, and what pytest runs for it.
PARTS = {
    "checks, returns, exact solutions": [
        "tests/test_checks.py",
        "tests/test_tabular.py",
        "tests/test_curves.py",
    ],
    "environments": ["tests/test_environments.py"],
    "episodes": ["tests/test_episodes.py"],
    "JAX and PyTorch give the same": ["tests/test_twins.py"],
    "a class graded": ["tests/test_samples.py", "-k", "gridworld"],
}
_DEVICES = "import jax, torch; print(torch.cuda.is_available() or jax.default_backend() == 'gpu')"


def main(wanted: list[str]) -> int:
    """Try the Pythons; 1 where a test failed."""
    found: dict[str, Any] = dict.fromkeys(PYTHONS)  # None: nothing was run
    if RESULTS.exists():
        found |= json.loads(RESULTS.read_text(encoding="utf-8"))
    failed = False
    for minor in wanted or PYTHONS:
        interpreter = environment(minor)
        found[minor] = try_out(interpreter) if interpreter else None
        failed |= bool(found[minor]) and any(part["failed"] for part in found[minor]["parts"].values())
        print(minor, found[minor] or "is not here: nothing was run", flush=True)
        RESULTS.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", encoding="utf-8")
    return int(failed)


def environment(minor: str) -> Path | None:
    """An interpreter of this version with the course's packages; None where there is no such Python."""
    if minor == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    ours = FOLDER / minor / "bin" / "python"
    if (FOLDER / minor / "complete").exists():
        return ours
    if not (found := usable_python(minor)):
        return None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*_TOOLS, *project["dependencies"], *(line for extra in _EXTRAS for line in extras[extra])]
    subprocess.run([found, "-m", "venv", "--clear", FOLDER / minor], check=True)
    install = [ours, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", "constraints.txt"]
    subprocess.run([*install, *wanted], check=True, cwd=ROOT)
    # What pip refuses from Python 3.12 on
    subprocess.run([ours, "-m", "policy_gradients.metadrive"], check=True, cwd=ROOT)
    (FOLDER / minor / "complete").touch()
    return ours


def try_out(interpreter: Path) -> dict[str, Any]:
    """Versions, whether there is a GPU, and for each of PARTS how many tests passed, failed, were skipped."""
    python, packages = versions(interpreter)
    asked = [interpreter, "-c", _DEVICES]
    gpu = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == "True"
    parts = {name: _run(interpreter, arguments) for name, arguments in PARTS.items()}
    return {"python": python, "versions": packages, "gpu": gpu, "parts": parts}


def _run(interpreter: Path, arguments: list[str]) -> dict[str, int]:
    report = FOLDER / "report.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [interpreter, "-m", "pytest", *arguments, f"--junitxml={report}"]
    path = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"  # tests call tools by name
    subprocess.run(command, cwd=ROOT, stdout=sys.stderr, env={**os.environ, "PATH": path})
    suite = ElementTree.parse(report).getroot().find("testsuite")
    count = {key: int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    return {
        "passed": count["tests"] - failed - count["skipped"],
        "failed": failed,
        "skipped": count["skipped"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
