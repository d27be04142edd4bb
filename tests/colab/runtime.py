"""Something like Colab's runtime: its Python, its versions of the packages the course uses, its module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from autograder.master import COLAB_PINS, colab_runtime
from tests.support import usable_python

DATE = colab_runtime().partition(",")[0]
PACKAGES = Path(__file__).parent / f"packages-{DATE}.txt"
VERSION = "3.13"
# What of Colab's packages the course uses, or is affected by; their dependencies come with them.
USED = "absl-py filelock gymnasium imageio imageio-ffmpeg ipykernel ipython jax matplotlib numpy optax pandas"
USED += " opencv-python pillow progressbar2 psutil pygame pygments requests scipy seaborn setuptools shapely"
USED += " tabulate torch tqdm"
# What Colab's kernel has, as far as notebooks and packages look for it: JAX imports google.colab.output.
_MODULE = {
    "__init__": "",
    "output": "",
    "_shell": "from ipykernel.zmqshell import ZMQInteractiveShell\n\n"
    "class Shell(ZMQInteractiveShell):\n    pass\n",
    "_kernel": "from google.colab._shell import Shell\n"
    "from ipykernel import ipkernel, kernelapp\n\n"
    "class Kernel(ipkernel.IPythonKernel):\n    shell_class = Shell\n\n"
    "kernelapp.launch_new_instance(kernel_class=Kernel)\n",
}


class NoRuntime(RuntimeError):
    """There is nothing to make the runtime from; the message says what to do."""


def python() -> str:
    """The interpreter of Colab's version. Raises NoRuntime."""
    if found := usable_python(VERSION):
        return found
    raise NoRuntime(
        f"Colab has Python {VERSION}, and there is none here. Install it (Debian 13 or Ubuntu 25.04: "
        f"apt-get install python{VERSION}-venv; elsewhere: pyenv install {VERSION}), and run this again."
    )


def pins() -> dict[str, str]:
    """Colab's versions, by the package's name in lower case."""
    lines = PACKAGES.read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([\w.-]+)==(\S+)", line) for line in lines)
    return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


def make(folder: Path) -> Path:
    """Make the runtime in `folder`, and return its interpreter. Raises NoRuntime."""
    ours, complete = folder / "bin" / "python", folder / "complete"
    known = pins()
    wanted = "\n".join(f"{name}=={known[name]}" for name in USED.split())
    if not complete.exists() or complete.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python(), "-m", "venv", folder], check=True)
        constraints = folder / "colab.txt"
        # PyPI's torch is built for CUDA and asks for other NVIDIA packages than Colab's, which is not.
        pinned = [f"{name}=={version}\n" for name, version in known.items() if not name.startswith("nvidia-")]
        constraints.write_text("".join(pinned))
        subprocess.run([ours, "-m", "pip", "install", "-q", "-c", constraints, *wanted.split()], check=True)
        complete.write_text(wanted)
    module = next((folder / "lib").glob("python*/site-packages")) / "google" / "colab"
    module.mkdir(parents=True, exist_ok=True)
    for name, text in _MODULE.items():
        (module / f"{name}.py").write_text(f'"""In place of what Colab\'s kernel has."""\n{text}')
    return ours


def clear(interpreter: Path) -> None:
    """Take out what setup cells have installed, so that the next one finds what Colab has."""
    installed = set(re.findall(r"^([\w.-]+)==", COLAB_PINS.read_text(encoding="utf-8"), re.MULTILINE))
    names = ["policy-gradients", *sorted(installed - set(USED.split()))]
    command = [interpreter, "-P", "-m", "pip", "uninstall", "-q", "-y", *names]
    subprocess.run(command, check=True, capture_output=True)


def kernel(folder: Path, interpreter: Path, environment: dict[str, str]) -> dict[str, str]:
    """Write a kernel "colab" and give the environment in which Jupyter finds it."""
    spec = folder / "jupyter" / "kernels" / "colab" / "kernel.json"
    startup = folder / "ipython" / "profile_default" / "startup" / "colab.py"
    for path in (spec, startup):
        path.parent.mkdir(parents=True, exist_ok=True)
    startup.write_text("import google.colab\n")
    environment = {
        "COLAB_RELEASE_TAG": f"stand-in of {DATE}",
        "IPYTHONDIR": str(folder / "ipython"),
        "PATH": f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(interpreter.parent.parent),
        **environment,
    }
    command = [str(interpreter), "-m", "google.colab._kernel", "-f", "{connection_file}"]
    spec.write_text(
        json.dumps({"argv": command, "display_name": "Colab", "language": "python", "env": environment})
    )
    return {"JUPYTER_PATH": str(folder / "jupyter")}
