"""Bytes from a worker, decoded: plain data that survives another round, or MalformedMessage."""

from __future__ import annotations

import atheris

with atheris.instrument_imports(include=["autograder"]):
    from autograder import protocol

import numpy as np

from tests.fuzz import fuzz

SEEDS = [
    ["ok", None],
    ["error", "ValueError", "text"],
    ["ok", [1, -2.5, True, "text", b"bytes", 2**80, -(2**70)]],
    ["ok", {"a": (1, (2, [3])), 4: {}}],
    ["ok", np.arange(6.0).reshape(2, 3)],
    ["ok", [np.array(True), np.float32(1), np.zeros((0, 3), np.int8), np.ones(2, np.complex64)]],
    ["ok", protocol.Handle(3)],
]


def target(data: bytes) -> None:
    try:
        value = protocol.decode(data)
    except protocol.MalformedMessage:
        return
    again = protocol.decode(protocol.encode(value, keep=None))
    if _shown(again) != _shown(value):
        raise RuntimeError(f"{value!r} came back as {again!r}")


def _shown(value: object) -> str:
    """`repr`, but for handles, which differ by identity."""
    if isinstance(value, protocol.Handle):
        return f"handle {value.handle_number}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(_shown, value))})"
    if isinstance(value, dict):
        return f"dict({', '.join(f'{_shown(key)}: {_shown(item)}' for key, item in value.items())})"
    return repr(value)


if __name__ == "__main__":
    fuzz(target, [protocol.encode(seed) for seed in SEEDS])
