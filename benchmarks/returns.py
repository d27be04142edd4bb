"""Discounted rewards-to-go: from a sum for each step to one pass, in Python, NumPy, SciPy, PyTorch and JAX.

    python -m benchmarks.returns             (about three minutes)
    python -m benchmarks.returns --quick     (some seconds, writes nothing)

Rewards are given in the form that a function works on, so nothing is converted within the time. JAX is
waited for at each call, and compiled before. What has to be measured to 100,000 steps in the quadratic form
would take ten minutes a call: there its time is extrapolated from 1,000 steps, by 100 * 100.
"""

from __future__ import annotations

import itertools
import os
import timeit
from collections.abc import Callable, Sequence
from typing import Any

import click
import jax
import jax.numpy as jnp
import numpy as np
import torch
from scipy.signal import lfilter

from benchmarks import record

GAMMA, ROUNDS, SECONDS = 0.99, 3, 0.2
LENGTHS, BATCH = (200, 1_000, 100_000), (500, 64)
QUADRATIC = "a sum for each step"


def sums(rewards: Sequence[float]) -> list[float]:
    """T sums of up to T terms, with a power of gamma in each: what the definition says, taken literally."""
    steps = range(len(rewards))
    return [sum(GAMMA**k * reward for k, reward in enumerate(rewards[t:])) for t in steps]


def python_loop(rewards: Sequence[float]) -> list[float]:
    later, returns = 0.0, []
    for reward in reversed(rewards):
        later = reward + GAMMA * later
        returns.append(later)
    returns.reverse()
    return returns


def accumulate(rewards: Sequence[float]) -> list[float]:
    backwards = itertools.accumulate(reversed(rewards), lambda later, reward: reward + GAMMA * later)
    return list(backwards)[::-1]


def loop_over_rows(rewards: Any) -> Any:
    """In place of a (T, ...) array or tensor, row by row; for one episode the rows are numbers."""
    returns = rewards.clone() if isinstance(rewards, torch.Tensor) else rewards.copy()
    for t in range(len(rewards) - 2, -1, -1):
        returns[t] += GAMMA * returns[t + 1]
    return returns


def doubling(rewards: np.ndarray) -> np.ndarray:
    """After pass k each entry holds the sum of its next 2^k terms; log2(T) passes."""
    returns, reach = rewards.copy(), 1
    while reach < len(rewards):
        returns[:-reach] += GAMMA**reach * returns[reach:]
        reach *= 2
    return returns


def linear_filter(rewards: np.ndarray) -> np.ndarray:
    return lfilter([1.0], [1.0, -GAMMA], rewards[::-1], axis=0)[::-1]


@jax.jit
def scan(rewards: jax.Array) -> jax.Array:
    def step(later: jax.Array, reward: jax.Array) -> tuple[jax.Array, jax.Array]:
        later = reward + GAMMA * later
        return later, later

    return jax.lax.scan(step, jnp.zeros_like(rewards[0]), rewards, reverse=True)[1]


@jax.jit
def associative_scan(rewards: jax.Array) -> jax.Array:
    """Parallel: a stretch of steps is a pair (discount over it, its own return), and pairs combine."""

    def combine(later: tuple, earlier: tuple) -> tuple:
        return later[0] * earlier[0], earlier[1] + earlier[0] * later[1]

    discounts = jnp.full_like(rewards, GAMMA)
    return jax.lax.associative_scan(combine, (discounts, rewards), reverse=True)[1]


def columns_of(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """For a batch that is a list of episodes."""
    return lambda episodes: [function(episode) for episode in episodes]


def jax_ready(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda rewards: function(rewards).block_until_ready()


# name: function, and what makes its form of an array (T,) or (T, N)
EPISODE = {
    QUADRATIC: (sums, np.ndarray.tolist),
    "PyTorch, element by element": (loop_over_rows, torch.from_numpy),
    "NumPy, element by element": (loop_over_rows, np.asarray),
    "itertools.accumulate": (accumulate, np.ndarray.tolist),
    "Python loop over a list": (python_loop, np.ndarray.tolist),
    "NumPy, by doubling": (doubling, np.asarray),
    "SciPy's lfilter": (linear_filter, np.asarray),
    "JAX scan": (jax_ready(scan), jnp.asarray),
    "JAX associative_scan": (jax_ready(associative_scan), jnp.asarray),
}
BATCHED = {
    QUADRATIC: (columns_of(sums), lambda rewards: rewards.T.tolist()),
    "Python loop over lists": (columns_of(python_loop), lambda rewards: rewards.T.tolist()),
    "PyTorch, row by row": (loop_over_rows, torch.from_numpy),
    "NumPy, row by row": (loop_over_rows, np.asarray),
    "SciPy's lfilter": (linear_filter, np.asarray),
    "JAX scan": (jax_ready(scan), jnp.asarray),
    "JAX associative_scan": (jax_ready(associative_scan), jnp.asarray),
}


def seconds(function: Callable[[Any], Any], rewards: Any) -> float:
    """The least time of one call; the least, because whatever else the machine does can only add to it."""
    timer = timeit.Timer(lambda: function(rewards))
    once = timer.timeit(1)
    number = max(1, int(SECONDS / 5 / max(once, 1e-7)))
    return min(once, *(taken / number for taken in timer.repeat(2 if once > 1 else 5, number)))


def require_agreement(peers: dict, rewards: np.ndarray) -> None:
    expected = linear_filter(rewards)
    for name, (function, form) in peers.items():
        found = np.asarray(function(form(rewards)))
        found = found if found.shape == expected.shape else found.T
        if not np.allclose(found, expected, rtol=1e-3, atol=1e-3):
            raise SystemExit(f"{name} computes something else.")


def compare(peers: dict, shape: tuple[int, ...], rounds: int) -> dict[str, dict[str, float]]:
    """For each peer the ratio of the quadratic form's time to its own."""
    rng = np.random.default_rng(0)
    rewards = rng.normal(size=shape).astype(np.float32)
    shorter = rewards[:1_000]
    require_agreement(peers, shorter)
    taken: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, (function, form) in peers.items():
            if name == QUADRATIC:
                scale = (len(rewards) / len(shorter)) ** 2
                taken[name].append(scale * seconds(function, form(shorter)))
            else:
                taken[name].append(seconds(function, form(rewards)))
    for name, times in taken.items():
        print(f"{shape} {name:30} {min(times) * 1e6:14.1f} us", flush=True)
    return {name: record.ratio(taken[QUADRATIC], times) for name, times in taken.items()}


@click.command()
@click.option("--quick", is_flag=True, help="One round of short episodes; writes nothing.")
def main(quick: bool) -> None:
    """Measure, and write benchmarks/results/returns.json."""
    torch.set_num_threads(1)
    if quick:
        compare(EPISODE, (200,), 1)
        compare(BATCHED, (100, 4), 1)
        return
    load = [os.getloadavg()[0]]
    content = {
        "rounds": ROUNDS,
        "episode": {str(length): compare(EPISODE, (length,), ROUNDS) for length in LENGTHS},
        "batch": {"shape": BATCH, "ratios": compare(BATCHED, BATCH, ROUNDS)},
        "load": [round(value, 1) for value in (*load, os.getloadavg()[0])],
        "cores": os.cpu_count(),
    }
    print(record.write("returns", content, ["numpy", "scipy", "torch", "jax"]))


if __name__ == "__main__":
    main()
