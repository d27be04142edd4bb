"""What answers observations with actions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from policy_gradients.rollout import nested
from policy_gradients.rollout.fragment import Inputs


class Actor(nn.Module):
    """A policy, with or without a memory, and perhaps a value function. To be subclassed.

    A subclass writes `forward`; one with a memory writes `initial_state` too, and one whose actions are not
    categorical writes `act`. Collectors call `step`, `value` and `reset`, which are made from those, with
    NumPy arrays for a single step; a learner calls the module itself, with tensors for T steps. A subclass
    may write `step` anew to make it faster, as long as it means the same.

    In training mode, `train()`, actions are sampled; in evaluation mode, `eval()`, the most probable one is
    taken. Copies in workers stay in the mode that the actor had when they were made.
    """

    def forward(self, inputs: Inputs, state: Any) -> tuple[dict[str, Any], Any]:
        """The outputs, a dict of (T, N, ...), and the state after the T steps, a new tree.

        inputs : (T, N, ...) tensors; state : tree of (L, N, ...) tensors, before the first step
        The outputs hold "logits" (T, N, A) unless `act` is written anew, and may hold "value" (T, N).
        A memory is to be cleared before each row where inputs.first is true, as `reset` does.
        """
        raise NotImplementedError("An actor needs a method forward(inputs, state) -> (outputs, state).")

    def act(self, outputs: dict[str, Any], generator: torch.Generator) -> Any:
        """Actions (T, N, ...), with the structure of the action space: samples drawn with `generator` in
        training mode, else the most probable ones."""
        logits = outputs["logits"]
        if not self.training:
            return logits.argmax(dim=-1)
        chances = logits.softmax(dim=-1).flatten(end_dim=-2)
        return torch.multinomial(chances, 1, generator=generator).view(logits.shape[:-1])

    def initial_state(self, n: int) -> Any:
        """The memory at the start of an episode, for n environments: a tree of (L, n, ...) tensors."""
        return ()

    def reset(self, state: Any, first: Any) -> Any:
        """The state, cleared for the environments where `first` (N,) is true; a new tree."""
        first = torch.as_tensor(first)

        def cleared(fresh: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
            where = first.to(old.device).view(1, -1, *[1] * (old.dim() - 2))
            return torch.where(where, fresh.to(old), old)

        return nested.map(cleared, self.initial_state(len(first)), state)

    @torch.no_grad()
    def step(self, inputs: Inputs, state: Any, generator: torch.Generator) -> tuple[Any, Any, dict[str, Any]]:
        """Actions (N, ...), the next state, and the outputs (N, ...), for inputs (N, ...).

        All are NumPy arrays, but for the state, which is handed back as it is in the next step. The inputs
        are overwritten later: a step that is written anew copies what it wants to remember.
        """
        outputs, state = self(self._one_row(inputs), state)
        return _first_row(self.act(outputs, generator)), state, _first_row(outputs)

    @torch.no_grad()
    def value(self, inputs: Inputs, state: Any) -> np.ndarray:
        """(N,): the value of the inputs (N, ...); 0 if the outputs have none."""
        outputs, _ = self(self._one_row(inputs), state)
        return (
            _first_row(outputs["value"]) if "value" in outputs else np.zeros(len(inputs.reward), np.float32)
        )

    def _one_row(self, inputs: Inputs) -> Inputs:
        device = next((parameter.device for parameter in self.parameters()), torch.device("cpu"))
        return nested.map(lambda leaf: torch.tensor(leaf, device=device)[None], inputs)


def _first_row(tree: Any) -> Any:
    return nested.map(lambda leaf: leaf[0].detach().cpu().numpy(), tree)
