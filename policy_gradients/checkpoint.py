"""Training that goes on where it was interrupted: its state in a file, written whole or not at all."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch

__all__ = ["Checkpoint"]


class Checkpoint:
    """The state of a training run in one file.

    path : the file; it may not exist yet, its folder is made
    parts : what changes in place while training, by name: anything with `state_dict` and `load_state_dict`
        (modules, optimisers, schedules), `torch.Generator` (`torch.default_generator` is that of
        `torch.manual_seed`), `numpy.random.Generator`

    A run that saves all it draws from and all it changes, at the same point of its loop, comes out the same,
    number for number, whether it was interrupted or not:

        checkpoint = Checkpoint("run.pt", policy=policy, optimiser=optimiser, generator=generator)
        progress = checkpoint.restore(steps=0, curve=[])
        while progress["steps"] < max_steps:
            ...
            checkpoint.save(**progress)

    The file is read with PyTorch's `weights_only`, which loads data and runs no code.
    """

    def __init__(self, path: str | Path, **parts: Any) -> None:
        self.path = Path(path)
        self._parts = parts

    def save(self, **values: Any) -> None:
        """Write the parts and these values: numbers, strings, tensors, and lists, tuples, dicts of them.

        A program killed while this runs leaves the file of before.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        parts = {name: _state(part) for name, part in self._parts.items()}
        try:
            torch.save({"parts": parts, "values": values}, beside)
            os.replace(beside, self.path)
        finally:
            beside.unlink(missing_ok=True)

    def restore(self, **values: Any) -> dict[str, Any]:
        """Set the parts to what was saved, and return the saved values; without a file, `values` as given.

        Raises ValueError where the file is none of this run: unreadable, of other parts, values or sizes.
        """
        if not self.path.exists():
            return values
        try:
            saved = torch.load(self.path, map_location="cpu", weights_only=True)
            kept, found = saved["parts"], saved["values"]
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError) as error:
            raise ValueError(self._advice("cannot be read")) from error
        if kept.keys() != self._parts.keys() or found.keys() != values.keys():
            raise ValueError(self._advice("holds other things than this run saves"))
        try:
            for name, part in self._parts.items():
                _set(part, kept[name])
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(self._advice("does not fit this run's networks and optimisers")) from error
        return found

    def remove(self) -> None:
        """Forget the run: the next one starts anew."""
        self.path.unlink(missing_ok=True)

    def _advice(self, fault: str) -> str:
        return f"{self.path} {fault}. Delete it to train from the beginning, or name another file."


def _state(part: Any) -> Any:
    if isinstance(part, torch.Generator):
        return part.get_state()
    if isinstance(part, np.random.Generator):
        return part.bit_generator.state
    return part.state_dict()


def _set(part: Any, state: Any) -> None:
    if isinstance(part, torch.Generator):
        part.set_state(state)
    elif isinstance(part, np.random.Generator):
        part.bit_generator.state = state
    else:
        part.load_state_dict(state)
