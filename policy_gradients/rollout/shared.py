"""Memory that processes share, for fragments and for weights.

It comes from the heap of Python's multiprocessing: files that are deleted as soon as they are open, so
whatever happens to the processes, nothing is left when the last of them is gone.
"""

from __future__ import annotations

import multiprocessing.sharedctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from policy_gradients.rollout import nested
from policy_gradients.rollout.fragment import Fragment


class SharedArray:
    """An array of zeros that can be handed to a process as it starts."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.shape, self.dtype = shape, dtype
        size = int(np.prod(shape)) * dtype.itemsize
        self.memory = multiprocessing.sharedctypes.RawArray("b", max(size, 1))

    def array(self) -> np.ndarray:
        """The memory as an array; all processes see what any of them writes."""
        return np.ndarray(self.shape, self.dtype, self.memory)


class Slot(NamedTuple):
    """A place for one fragment and for the weights that it is collected with.

    It belongs to one process at a time, the learner's or a worker's, so nothing needs a lock, and no worker
    sees weights that are half written.
    """

    fragment: Fragment
    weights: dict[str, Any]

    def put_weights(self, learner: nn.Module, version: int) -> None:
        """Copy the learner's parameters and buffers into the slot."""
        for name, tensor in named_tensors(learner):
            self.weights[name][...] = nested.as_array(tensor)
        self.fragment.version[:] = version

    @torch.no_grad()
    def take_weights(self, actor: nn.Module) -> None:
        """Copy the slot's weights into the actor."""
        for name, tensor in named_tensors(actor):
            tensor.copy_(torch.from_numpy(self.weights[name]))


def named_tensors(module: nn.Module) -> list[tuple[str, torch.Tensor]]:
    """All parameters and buffers: what an actor's copy is to follow."""
    return [*module.named_parameters(), *module.named_buffers()]


def rebuild(structure: Any, memory: Sequence[SharedArray]) -> Any:
    """`structure` with the arrays of `memory` in place of its leaves, in their order.

    Only the shared memory itself travels to a worker by way of multiprocessing; the structure, which may be
    made of a notebook's own named tuples, goes with the actor.
    """
    arrays = iter(memory)
    return nested.map(lambda _: next(arrays).array(), structure)
