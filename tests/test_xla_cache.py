"""Compiled JAX programs: kept once, read by all workers, written by none, and none of them an answer."""

import contextlib
import os
from pathlib import Path

import pytest

from autograder import sandbox, xla_cache
from autograder.judging import worker_starter
from autograder.master import Master
from autograder.student import Limits, Student
from policy_gradients.checks import RemoteFailure

PAIR = (Path(__file__).parent / "masters" / "pair.py").read_text()
JAX = Master(
    "jax_pair",
    PAIR.replace(
        "import numpy as np\n\nfrom", "import jax\nimport jax.numpy as jnp\nimport numpy as np\n\nfrom"
    )
    .replace("    return 2 * x", "    return jnp.multiply(2, x)")
    .replace("close(double(2), 4)", 'close(check.evaluate("jax.jit(double)(jnp.float32(2))"), 4)'),
)
LIMITS = Limits(20.0, 4096, sandbox.resolve("auto"))


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The folder of compiled programs, filled by one right answer."""
    answer = (
        b'{"cells": [{"cell_type": "code", "metadata": {}, "source": '
        b'"def double(x):\\n    return jnp.sin(jnp.multiply(2, x)) * 0 + 2 * x"}]}'
    )
    monkeypatch.setattr(xla_cache, "FOLDER", tmp_path / "cache")
    monkeypatch.setattr("autograder.samples.generate.right_answers", lambda master: [answer])
    worker_starter(JAX, LIMITS)
    return next(path for path in (tmp_path / "cache").iterdir() if path.is_dir())


def test_programs_of_the_library_are_kept_and_those_of_an_answer_are_not(kept):
    names = {name.removeprefix("jit_").partition("-")[0] for name in os.listdir(kept)}
    assert {"sin", "multiply"} <= names
    assert "double" not in names


def test_a_worker_reads_them_and_cannot_write_them(kept):
    before = {path: path.read_bytes() for path in kept.iterdir()}
    with contextlib.closing(Student(LIMITS, worker_starter(JAX, LIMITS))) as student:
        student.run_and_keep("import jax, jax.numpy as jnp, os, pathlib\nevents = []")
        student.run_and_keep(
            "jax.monitoring.register_event_listener(lambda event, **_: events.append(event))"
        )
        assert student.evaluate("float(jnp.sin(jnp.float32(0)))", {}) == 0
        assert "/jax/compilation_cache/cache_hits" in student.evaluate("events", {})
        assert student.evaluate("float(jnp.cos(jnp.float32(0)))", {}) == 1  # one that is not kept
        seen = student.evaluate("sorted(os.listdir(jax.config.jax_compilation_cache_dir))", {})
        assert seen == sorted(path.name for path in before)
        for path in ("new", seen[0]):
            with pytest.raises(RemoteFailure, match="Read-only|Permission"):
                student.evaluate(
                    "(pathlib.Path(jax.config.jax_compilation_cache_dir) / name).write_text('x')",
                    {"name": path},
                )
    assert {path: path.read_bytes() for path in kept.iterdir()} == before


def test_they_are_made_once(kept, monkeypatch):
    monkeypatch.setattr("autograder.samples.generate.right_answers", lambda master: pytest.fail("made again"))
    worker_starter(JAX, LIMITS)


def test_without_isolation_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setattr(xla_cache, "FOLDER", tmp_path / "cache")
    worker_starter(JAX, Limits(20.0, 4096, "none"))
    assert not (tmp_path / "cache").exists()


def test_what_does_not_use_jax_needs_none():
    assert xla_cache.programs_of(Master("pair", PAIR), lambda folder: pytest.fail("not needed")) is None
