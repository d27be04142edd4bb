"""Small networks in NumPy: for a few dozen rows PyTorch spends more on its calls than on the sums."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


def mlp(network: nn.Sequential, rows: np.ndarray) -> np.ndarray:
    """network(rows) for (N, D) float32 rows, from the very weights that the network holds on the CPU.

    The layers may be Linear, Tanh and ReLU; TypeError for any other.
    """
    for layer in network:
        if isinstance(layer, nn.Linear):
            rows = rows @ layer.weight.detach().numpy().T
            if layer.bias is not None:
                rows += layer.bias.detach().numpy()
        elif isinstance(layer, nn.Tanh):
            rows = np.tanh(rows)
        elif isinstance(layer, nn.ReLU):
            rows = np.maximum(rows, 0)
        else:
            raise TypeError(f"mlp knows the layers Linear, Tanh and ReLU, not {type(layer).__name__}.")
    return rows


def sample(logits: np.ndarray, generator: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(N,) int64 actions and (N,) log probabilities: one draw from softmax(logits) for each row of (N, A).

    By inverting the cumulative distribution; it stays unnormalised, and the uniform number is scaled.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    cumulative = np.exp(shifted).cumsum(axis=1)
    total = cumulative[:, -1:]
    # float64, so that the product stays below the last sum, also where the last actions have probability 0
    uniform = torch.rand(len(logits), 1, generator=generator, dtype=torch.float64).numpy()
    actions = (cumulative[:, :-1] <= uniform * total).sum(axis=1)
    return actions, shifted[np.arange(len(logits)), actions] - np.log(total[:, 0])
