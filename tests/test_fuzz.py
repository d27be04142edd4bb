"""The fuzzers of `tests/fuzz`, each for a fixed number of inputs from a fixed seed."""

import subprocess
import sys

import pytest

pytest.importorskip("atheris", reason="atheris is built for Linux on x86-64 only")


@pytest.mark.parametrize(("name", "runs"), [("message", 50_000), ("notebook", 4_000), ("zipped", 4_000)])
def test_a_fuzzer_finds_no_exception_but_the_documented_one(tmp_path, name, runs):
    options = [f"-runs={runs}", "-seed=1", f"-artifact_prefix={tmp_path}/"]
    options.append("-rss_limit_mb=0")  # it would count the memory of the process that started it
    done = subprocess.run(
        [sys.executable, "-m", f"tests.fuzz.{name}", str(tmp_path / "corpus"), *options],
        capture_output=True,
        text=True,
        errors="replace",
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-4000:]
    assert f"Done {runs} runs" in output
