"""The compiled trainer on a GPU: steps per second by number of environments, a thousand seeds in one batch.

    python -m benchmarks.gpu             (no GPU has run it so far; a million environments fill some 15 GB)
    python -m benchmarks.gpu --quick     (on any device, with small numbers; writes nothing)

gymnax, of the extra `benchmarks`, is the peer where it is installed.
"""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import Any

import click
import jax

from benchmarks import record
from benchmarks.on_device import BAR, ROUNDS, SETTINGS, gymnax_rollout, installed, ours, seconds
from policy_gradients import cartpole, on_device

NUMBERS = tuple(4**k for k in range(5, 11))  # 1,024 to 1,048,576 environments
SEEDS = 1_000
EPISODES = 100  # of each trained agent, greedy, to see whether it is at the bar


def by_number(params: Any, numbers: tuple[int, ...], rounds: int) -> dict[str, dict[str, Any]]:
    """For each number of environments: steps per second with the policy, and their ratio to gymnax's."""
    table = {}
    for n in numbers:
        rates, peers = [], []
        for _ in range(rounds):
            rates.append(ours(params, n))
            if installed("gymnax"):
                peers.append(gymnax_rollout(params, n))
        table[str(n)] = {"steps per second": round(statistics.median(rates))}
        if peers:
            table[str(n)]["over gymnax"] = record.ratio(rates, peers)
        print(n, table[str(n)], flush=True)
    return table


def many_seeds(number: int) -> dict[str, Any]:
    """Agents trained side by side: the seconds, without compiling, and how many are at the bar."""
    train = partial(on_device.train, cartpole, SETTINGS)
    keys = jax.random.split(jax.random.PRNGKey(0), number)
    compiled = jax.jit(jax.vmap(train)).lower(keys).compile()
    started = time.perf_counter()
    trained = jax.block_until_ready(compiled(keys))
    took = time.perf_counter() - started

    def greedy_mean(params: Any, key: jax.Array) -> jax.Array:
        return on_device.rollout(cartpole, params, key, EPISODES, greedy=True).rewards.sum(axis=0).mean()

    fresh = jax.random.split(jax.random.PRNGKey(1), number)
    means = jax.jit(jax.vmap(greedy_mean))(trained.params, fresh)
    return {"number": number, "seconds": took, "at the bar": int((means >= BAR).sum())}


@click.command()
@click.option("--quick", is_flag=True, help="Small numbers, on any device; writes nothing.")
def main(quick: bool) -> None:
    """Measure, and write benchmarks/results/gpu.json."""
    if not quick and jax.default_backend() != "gpu":
        raise click.ClickException(
            f"JAX sees no GPU here, only a {jax.default_backend()}. Install JAX for your GPU, as its "
            "documentation tells, or look at how this works with --quick."
        )
    train = partial(on_device.train, cartpole, SETTINGS)
    params = train(jax.random.PRNGKey(0)).params
    content = {
        "chip": jax.devices()[0].device_kind,
        "rounds": ROUNDS,
        "one seed": {"seconds": seconds(lambda: train(jax.random.PRNGKey(1)))},  # compiled above
        "seeds": many_seeds(3 if quick else SEEDS),
        "environments": by_number(params, (16, 64) if quick else NUMBERS, 1 if quick else ROUNDS),
    }
    print(content)
    if not quick:
        record.write("gpu", content, ["jax", "jaxlib", *(["gymnax"] if installed("gymnax") else [])])


if __name__ == "__main__":
    main()
