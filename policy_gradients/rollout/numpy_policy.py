"""Small networks in NumPy: for a few dozen rows PyTorch spends more on its calls than on the sums."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


def mlp(network: nn.Sequential, rows: np.ndarray) -> np.ndarray:
    """network(rows) for (N, D) float32 rows, from the very weights that the network holds on the CPU.

    The layers may be Linear, Tanh and ReLU; TypeError for any other.
    """
    columns = rows.T  # components first: NumPy multiplies and sums such arrays faster
    for layer in network:
        if isinstance(layer, nn.Linear):
            columns = layer.weight.detach().numpy() @ columns
            if layer.bias is not None:
                columns += layer.bias.detach().numpy()[:, None]
        elif isinstance(layer, nn.Tanh):
            columns = np.tanh(columns)
        elif isinstance(layer, nn.ReLU):
            columns = np.maximum(columns, 0)
        else:
            raise TypeError(f"mlp knows the layers Linear, Tanh and ReLU, not {type(layer).__name__}.")
    return columns.T


def sample(logits: np.ndarray, generator: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(N,) int64 actions and (N,) log probabilities: one draw from softmax(logits) for each row of (N, A).

    By inverting the cumulative distribution; it stays unnormalised, and the uniform number is scaled.
    """
    columns = np.ascontiguousarray(logits.T)
    shifted = columns - columns.max(axis=0)
    cumulative = np.exp(shifted).cumsum(axis=0)
    total = cumulative[-1]
    # float64, so that the product stays below the last sum, also where the last actions have probability 0
    uniform = torch.rand(len(logits), generator=generator, dtype=torch.float64).numpy()
    actions = (cumulative[:-1] <= uniform * total).sum(axis=0)
    return actions, shifted[actions, np.arange(len(logits))] - np.log(total)
