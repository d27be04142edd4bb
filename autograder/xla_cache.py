"""JAX programs of an assignment, compiled once from right answers: workers read them, none can write them.

Nearly all the time of a right JAX answer goes into compiling the same small programs (`add`, `argmax`,
...) anew for each student. Only programs of the library itself are kept: one made from a function of an
answer would let a notebook call that answer without knowing it.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import platformdirs

from autograder.master import Master

# Environment variables: an answer's programs run for milliseconds, and compiling them takes longer.
COMPILER_SETTINGS = {
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_use_fusion_emitters=false",
}
FOLDER = platformdirs.user_cache_path("policy-gradients") / "xla"
_ENTRY = re.compile(r"jit_(\w+)-[0-9a-f]{64}-cache")
_DEFINED = re.compile(r"^\s*(?:async )?def (\w+)", re.MULTILINE)
# Of the library by name only: they hold a function that they were called with, maybe an answer's.
_CALLS_A_FUNCTION = {"_lambda", "_unnamed_function", "apply_along_axis", "call", "closed_call", "composite"}
_CALLS_A_FUNCTION |= {"cond", "custom_jvp_call", "custom_linear_solve", "custom_partitioning", "custom_root"}
_CALLS_A_FUNCTION |= {"custom_vjp_call", "custom_vmap_call", "fori_loop", "jit", "linear_call", "map"}
_CALLS_A_FUNCTION |= {"piecewise", "reduce", "reduce_window", "remat2", "scan", "shard_map", "while"}


def programs_of(master: Master, fill: Callable[[Path], str]) -> Path | None:
    """The folder with the compiled programs of `master`; None where it does not use JAX.

    fill: called once for each master, processor and version of JAX; it runs right answers which compile
    into the folder given, and returns their source.
    """
    if "jax" not in master.modules:
        return None
    kept = FOLDER / _digest(master)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / f"{kept.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several graders one compiles, the others wait for it
        if not kept.exists():
            _make(kept, fill)
    return kept


def _make(kept: Path, fill: Callable[[Path], str]) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as beside:
        written, chosen = Path(beside, "written"), Path(beside, "chosen")
        written.mkdir()
        written.chmod(0o777)  # root's workers are nobody; the folder around it lets only its owner in
        chosen.mkdir()
        defined = set(_DEFINED.findall(fill(written)))
        for path in written.iterdir():
            entry = _ENTRY.fullmatch(path.name)
            if entry and entry[1] not in defined | _CALLS_A_FUNCTION:
                shutil.copyfile(path, chosen / path.name)  # a file of ours, whoever wrote it
        chosen.rename(kept)


def _digest(master: Master) -> str:
    """Of all that decides which programs are compiled, and whether they run on this processor."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line for line in info if line.lower().startswith(("flags", "features"))), "")
    versions = [f"{name} {metadata.version(name)}" for name in ("jax", "jaxlib")]
    parts = [master.filled.sha256, processor, *versions, Path(__file__).read_text()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
