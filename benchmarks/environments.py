"""Environments: highway-env as seed document 000 stepped it, and by presets; MetaDrive in two processes.

    python -m benchmarks.environments             (about three minutes on two cores)
    python -m benchmarks.environments --quick     (one short round, writes nothing)

All sides take the same actions from the same seeds, and on the identical task must earn the same rewards.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Any

import click
import gymnasium as gym
import highway_env
import numpy as np
import torch
from gymnasium.vector import SyncVectorEnv, VectorEnv

from benchmarks import record
from policy_gradients.environments import make_env, make_envs
from policy_gradients.parallel import run_episodes
from policy_gradients.rollout import Actor, Inputs, multi

gym.register_envs(highway_env)

ROUNDS = 3
HIGHWAYS, HIGHWAY_STEPS = 5, 40
SLOWER = 4  # nobody crashes, so that every side makes every step
DRIVE_STEPS, FRAGMENTS, FRAGMENT_STEPS = 600, 80, 100
STRAIGHT_ON = (0.0, 0.02)  # slowly, so that the road does not end before

Side = Callable[[int], tuple[float, float]]


def as_in_the_document() -> SyncVectorEnv:
    config = {
        "observation": {
            "type": "OccupancyGrid",
            "grid_size": [[-5, 5], [-5, 5]],
            "grid_step": [2.0, 2.0],
            "features": ["presence", "vx"],
        },
        "simulation_frequency": 15,
        "policy_frequency": 5,
        "duration": 40,
        "action": {"type": "DiscreteMetaAction"},
        "offscreen_rendering": True,
    }
    return SyncVectorEnv([lambda: gym.make("highway-v0", config=config)] * HIGHWAYS)


def document_side(envs: VectorEnv, steps: int) -> Side:
    """Steps per second and sum of rewards of the loop of the seed document."""

    def side(seed: int) -> tuple[float, float]:
        start, rewards = time.perf_counter(), 0.0
        envs.reset(seed=seed)
        for _ in range(steps):
            rewards += envs.step(np.full(envs.num_envs, SLOWER))[1].sum()
        return steps * envs.num_envs / (time.perf_counter() - start), rewards

    return side


def side(envs: VectorEnv, action: Any, steps: int) -> Side:
    """Steps per second and sum of rewards of `run_episodes`, all environments taking `action` always."""
    actions = np.array([action] * envs.num_envs)

    def side(seed: int) -> tuple[float, float]:
        start = time.perf_counter()
        episodes = run_episodes(envs, lambda observations: actions, seeds=seed, max_steps=steps)
        if not episodes.mask.all() or len(episodes.mask) != steps:
            raise SystemExit("An episode ended early: the sides do not make the same steps.")
        return episodes.mask.size / (time.perf_counter() - start), float(episodes.rewards.sum())

    return side


def compare(sides: dict[str, Side], rounds: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Steps per second and rewards of each side in each round; a round before the first warms up."""
    speeds, rewards = ({name: [] for name in sides} for _ in range(2))
    for seed in range(-1, rounds):
        for name, measure in sides.items():
            speed, reward = measure(1000 + seed)
            if seed >= 0:
                speeds[name].append(speed)
                rewards[name].append(reward)
            print(f"round {seed}: {name:45} {speed:8.1f} steps/s, rewards {reward:.6f}", flush=True)
    return speeds, rewards


def highway(rounds: int, steps: int) -> dict[str, Any]:
    document = as_in_the_document()
    here, fast_here = (make_envs(name, HIGHWAYS) for name in ("highway", "highway-fast"))
    apart, fast_apart = (
        make_envs(name, HIGHWAYS, vectorization="async") for name in ("highway", "highway-fast")
    )
    sides = {
        "seed document": document_side(document, steps),
        "highway, one process": side(here, SLOWER, steps),
        "highway, a process each": side(apart, SLOWER, steps),
        "highway-fast, one process": side(fast_here, SLOWER, steps),
        "highway-fast, a process each": side(fast_apart, SLOWER, steps),
    }
    speeds, rewards = compare(sides, rounds)
    for name in ("highway, one process", "highway, a process each"):
        if not np.allclose(rewards[name], rewards["seed document"], rtol=1e-5):
            raise SystemExit(f"{name}: not the same task, {rewards}")
    for envs in (document, here, apart, fast_here, fast_apart):
        envs.close()
    base = speeds.pop("seed document")
    ratios = {name: record.ratio(speed, base) for name, speed in speeds.items()}
    return {"rounds": rounds, "environments": HIGHWAYS, "over the seed document": ratios}


class StraightOn(Actor):
    """Always the same action: what is timed is the driving."""

    def step(self, inputs: Inputs, state: Any, generator: torch.Generator) -> tuple[Any, Any, dict[str, Any]]:
        return np.tile(np.float32(STRAIGHT_ON), (len(inputs.first), 1)), state, {}


def collecting_side(n: int, steps: int) -> Side:
    """n workers of rollout.multi, each with its own car and actor, which wait for nobody."""
    factory = partial(make_env, "metadrive-continuous", horizon=steps)

    def measure(seed: int) -> tuple[float, float]:
        workers = {"n_actors": n, "n_per_actor": 1, "seed": seed}
        with closing(multi.rollout(factory, StraightOn(), FRAGMENT_STEPS, **workers)) as fragments:
            for _ in range(2):  # the start of the workers, and the batch that they are ahead
                next(fragments)
            start = time.perf_counter()
            rewards = [fragment.rewards.sum().item() for fragment in islice(fragments, FRAGMENTS)]
            return n * FRAGMENTS * FRAGMENT_STEPS / (time.perf_counter() - start), sum(rewards)

    return measure


def driving(rounds: int, steps: int) -> dict[str, Any]:
    vectors = {n: make_envs("metadrive-continuous", n, vectorization="async", horizon=steps) for n in (1, 2)}
    sides = {f"vector of {n}": side(envs, STRAIGHT_ON, steps) for n, envs in vectors.items()}
    sides |= {f"collector with {n}": collecting_side(n, steps) for n in (1, 2)}
    speeds, _ = compare(sides, rounds)
    for envs in vectors.values():
        envs.close()
    ratios = {
        kind: record.ratio(speeds[f"{kind} 2"], speeds[f"{kind} 1"])
        for kind in ("vector of", "collector with")
    }
    return {
        "rounds": rounds,
        "two processes over one, in lockstep": ratios["vector of"],
        "two processes over one, each with its actor": ratios["collector with"],
    }


@click.command(help=__doc__)
@click.option("--quick", is_flag=True)
def main(quick: bool) -> None:
    load = round(os.getloadavg()[0], 1)
    found = {
        "highway-env": highway(1, 10) if quick else highway(ROUNDS, HIGHWAY_STEPS),
        "MetaDrive": driving(1, 30) if quick else driving(ROUNDS, DRIVE_STEPS),
        "cores": os.cpu_count(),
        "others' load": load,  # processes that waited for a core or had one before it began
    }
    print(found)
    if not quick:
        packages = ("gymnasium", "highway-env", "metadrive-simulator", "numpy")
        print(record.write("environments", found, packages))


if __name__ == "__main__":
    main()
