"""Coverage-guided fuzzing of all that reads what students hand in or send: no exception but the documented.

    python -m tests.fuzz.notebook [FOLDER] [-max_total_time=600] [-timeout=20]

The options are libFuzzer's. FOLDER keeps the corpus from one run to the next; without it, there is a
temporary one. `tests/test_fuzz.py` runs each target for a few thousand inputs.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris


def fuzz(target: Callable[[bytes], None], seeds: Iterable[bytes]) -> None:
    """Fuzz `target` from `seeds`, as the command line says; ends the process."""
    options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
    folders = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    folder = Path(folders[0] if folders else tempfile.mkdtemp(prefix="fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (folder / hashlib.sha256(seed).hexdigest()).write_bytes(seed)
    atheris.Setup([sys.argv[0], "-max_len=4096", *options, str(folder)], target)
    atheris.Fuzz()
