"""What is collected: fragments of T steps from N environments side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from policy_gradients.rollout import nested


class Inputs(NamedTuple):
    """What an actor is shown at each of T steps, for N environments. Leaves are (T, N, ...).

    observation : o_t
    action, reward : a_{t-1} and r_{t-1}, float32, of the step that led here; zero before the very first step
    first : bool, whether o_t is the first observation of an episode. The action and the reward beside it
        then belong to the episode before, and an actor that remembers must forget
    """

    observation: Any
    action: Any
    reward: Any
    first: Any


class Fragment(NamedTuple):
    """T consecutive steps of N environments. All leaves have N on their second axis.

    inputs : `Inputs` with T + 1 rows. Row t is what the actor saw before step t, and row T what it sees
        next: row 0 of the next fragment, except after an end in a sticky fragment
    outputs : dict of (T, N, ...), what the actor said at each step beside the action, such as its logits
    terminated, truncated : (T, N) bool, whether step t ended the episode, and how
    next_observations : (T, N, ...), the observation that step t led to. At an end it is the final one of
        that episode, which is not in `inputs`
    next_values : (T, N) float32, the actor's value of next_observations: 0 where terminated, where padded,
        and everywhere if its outputs have no "value"
    mask : (T, N) bool, whether step t was taken. False only in sticky fragments, after an end
    state : tree of (L, N, ...), the actor's recurrent state before row 0
    version : (1, N) int64, how many fragments or batches had been handed out when the actor's copy last
        took over the learner's weights
    """

    inputs: Inputs
    outputs: dict[str, Any]
    terminated: Any
    truncated: Any
    next_observations: Any
    next_values: Any
    mask: Any
    state: Any
    version: Any

    @property
    def shown(self) -> Inputs:
        """(T, N, ...): what the actor was shown before each of the T steps, `inputs` without the last row"""
        return nested.map(lambda leaf: leaf[:-1], self.inputs)

    @property
    def observations(self) -> Any:
        """(T, N, ...): o_t"""
        return self.shown.observation

    @property
    def actions(self) -> Any:
        """(T, N, ...): a_t, the answer to o_t"""
        return nested.map(lambda leaf: leaf[1:], self.inputs.action)

    @property
    def rewards(self) -> Any:
        """(T, N): r_t, what action a_t earned"""
        return self.inputs.reward[1:]


def allocate(
    inputs: Inputs,
    outputs: dict[str, Any],
    state: Any,
    n_steps: int,
    n_envs: int,
    new: Callable[[tuple[int, ...], np.dtype], Any],
) -> Fragment:
    """A fragment for T = n_steps steps of N = n_envs environments, each leaf made by new(shape, dtype).

    inputs, outputs, state : examples for any number M of environments: arrays (M, ...), for the state
        (L, M, ...)
    """

    def rows(count: int, tree: Any) -> Any:
        return nested.map(lambda leaf: new((count, n_envs, *leaf.shape[1:]), leaf.dtype), tree)

    def flags() -> Any:
        return new((n_steps, n_envs), np.dtype(bool))

    return Fragment(
        inputs=rows(n_steps + 1, inputs),
        outputs=rows(n_steps, outputs),
        terminated=flags(),
        truncated=flags(),
        next_observations=rows(n_steps, inputs.observation),
        next_values=new((n_steps, n_envs), np.dtype(np.float32)),
        mask=flags(),
        state=nested.map(lambda leaf: new((len(leaf), n_envs, *leaf.shape[2:]), leaf.dtype), state),
        version=new((1, n_envs), np.dtype(np.int64)),
    )


def collate(fragments: Sequence[Fragment], device: torch.device, pinned: bool) -> Fragment:
    """One fragment of new tensors on `device`, with the environments of all `fragments` side by side.

    pinned : go through page-locked memory, from where a GPU can fetch while the CPU carries on
    """

    def join(*parts: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(np.concatenate(parts, axis=1))
        return (tensor.pin_memory() if pinned else tensor).to(device, non_blocking=pinned)

    return nested.map(join, *fragments)


def require_pinning_possible(pinned: bool) -> None:
    if pinned and not torch.cuda.is_available():
        raise ValueError("Pinned memory serves copies to a CUDA device, and there is none: pinned=False.")
