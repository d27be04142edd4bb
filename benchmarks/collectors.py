"""Collecting rollouts: this project's workers beside gymnasium, envpool, stable-baselines3 and torchrl.

    python -m benchmarks.collectors             (about ten minutes on two cores)
    python -m benchmarks.collectors --quick     (one round of two peers, writes nothing)

Everyone steps 64 environments, or 128 in the rows that say so, with the same policy, a 2 x 64 tanh network
with samples and log probabilities in NumPy, and keeps observations, actions, log probabilities, rewards and
ends. Only torchrl's collectors and one row of ours have the policy in PyTorch. Ours do all this in two
workers, each with half of the environments; the other vectors hand observations to one policy in the main
process. The environments are Gymnasium's, but for envpool, which has its own, and the rows of ours with
this course's LunarLander, which is the same to the last bit. Each measurement has a process of its own.

The peers are in the extra `benchmarks`; this project's own environment does without them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import click
import gymnasium as gym
import numpy as np
import torch
from torch import nn

from benchmarks import record
from policy_gradients.rollout import Actor, Inputs, multi, numpy_policy, same

ENVIRONMENTS = ("CartPole-v1", "LunarLander-v3")
N_ENVS, N_STEPS, ROUNDS, SECONDS = 64, 100, 3, 3.0
BASE, FAST, OURS = "gymnasium SyncVectorEnv", "envpool", "rollout.multi, 2 workers"
OUR_LANDER = "rollout.multi, 2 workers, our LunarLander"
TWICE = ", 128 environments"
LANDER = "policy_gradients.lunar_lander:policy_gradients/LunarLander-v3"
LIMIT = 600  # seconds for one measurement with its start


class Policy(Actor):
    def __init__(self, n_inputs: int, n_actions: int) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Linear(n_inputs, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, n_actions)
        )

    def forward(self, inputs: Inputs, state: Any) -> tuple[dict[str, Any], Any]:
        return {"logits": self.network(inputs.observation)}, state


class NumPyPolicy(Policy):
    """The same, as `Actor.step` may be written anew."""

    def step(self, inputs: Inputs, state: Any, generator: torch.Generator) -> tuple[Any, Any, dict[str, Any]]:
        actions, log_probs = self.answer(inputs.observation, generator)
        return actions, state, {"log_prob": log_probs}

    def answer(self, observations: np.ndarray, generator: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(N,) actions and their log probabilities."""
        return numpy_policy.sample(numpy_policy.mlp(self.network, observations), generator)


def make(name: str) -> gym.Env:
    return gym.make(name, disable_env_checker=True)


def policy_for(name: str, kind: type[Policy] = NumPyPolicy) -> Policy:
    torch.manual_seed(0)
    with make(name) as environment:
        return kind(environment.observation_space.shape[0], int(environment.action_space.n))


def ours(name: str, n_workers: int, kind: type[Policy] = NumPyPolicy, n_envs: int = N_ENVS) -> Iterator[int]:
    """Environment steps collected, fragment after fragment."""
    policy = policy_for(name, kind)
    if n_workers == 0:
        fragments = same.rollout(partial(make, name), policy, N_STEPS, n_envs, seed=0)
    else:
        share = {"n_actors": n_workers, "n_per_actor": n_envs // n_workers}
        fragments = multi.rollout(partial(make, name), policy, N_STEPS, seed=0, **share)
    with fragments:
        for fragment in fragments:
            yield fragment.rewards.numel()


def vector(
    name: str, make_vector: Callable[..., tuple[Callable, Callable]], n_envs: int = N_ENVS
) -> Iterator[int]:
    """The same for a vector of environments and the policy in this process.

    make_vector : of name and number, the vector's reset() -> observations and
        step(actions) -> (observations, rewards, ends)
    """
    policy, generator = policy_for(name), torch.Generator().manual_seed(0)
    reset, step = make_vector(name, n_envs)
    observations = reset()
    kept = [
        np.empty((N_STEPS, *observations.shape), np.float32),
        np.empty((N_STEPS, n_envs), np.int64),
        *(np.empty((N_STEPS, n_envs), np.float32) for _ in range(2)),
        np.empty((N_STEPS, n_envs), bool),
    ]
    while True:
        for t in range(N_STEPS):
            actions, log_probs = policy.answer(observations, generator)
            following, rewards, ends = step(actions)
            for array, value in zip(kept, (observations, actions, log_probs, rewards, ends), strict=True):
                array[t] = value
            observations = following
        yield N_STEPS * n_envs


def gymnasium_vector(name: str, n_envs: int, kind: type[gym.vector.VectorEnv]) -> tuple[Callable, Callable]:
    envs = kind([partial(make, name)] * n_envs)

    def step(actions: np.ndarray) -> tuple:
        observations, rewards, terminated, truncated, _ = envs.step(actions)
        return observations, rewards, terminated | truncated

    return lambda: envs.reset(seed=0)[0], step


def envpool_vector(name: str, n_envs: int) -> tuple[Callable, Callable]:
    import envpool

    envs = envpool.make(name, env_type="gymnasium", num_envs=n_envs, num_threads=2, seed=0)

    def step(actions: np.ndarray) -> tuple:
        observations, rewards, terminated, truncated, _ = envs.step(actions)
        return observations, rewards, terminated | truncated

    return lambda: envs.reset()[0], step


def stable_baselines_vector(name: str, n_envs: int, kind: str) -> tuple[Callable, Callable]:
    from stable_baselines3.common import vec_env

    factories = [partial(make, name)] * n_envs
    if kind == "SubprocVecEnv":
        envs = vec_env.SubprocVecEnv(factories, start_method="fork")  # else each of 64 imports PyTorch
    else:
        envs = vec_env.DummyVecEnv(factories)
    return envs.reset, lambda actions: envs.step(actions)[:3]


def torchrl(name: str, kind: str) -> Iterator[int]:
    from tensordict.nn import TensorDictModule
    from torchrl import collectors
    from torchrl.envs import GymEnv, SerialEnv
    from torchrl.modules import ProbabilisticActor

    module = TensorDictModule(policy_for(name).network, in_keys=["observation"], out_keys=["logits"])
    actor = ProbabilisticActor(
        module,
        in_keys=["logits"],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
    )
    factory = partial(SerialEnv, N_ENVS // 2, partial(GymEnv, name, categorical_action_encoding=True))
    collector = getattr(collectors, kind)(
        [factory, factory], actor, frames_per_batch=N_STEPS * N_ENVS, total_frames=-1
    )
    try:
        for batch in collector:
            yield batch.numel()
    finally:
        collector.shutdown()


SYNC = partial(gymnasium_vector, kind=gym.vector.SyncVectorEnv)
PEERS: dict[str, Callable[[str], Iterator[int]]] = {
    BASE: partial(vector, make_vector=SYNC),
    BASE + TWICE: partial(vector, make_vector=SYNC, n_envs=2 * N_ENVS),
    OURS: partial(ours, n_workers=2),
    OURS + TWICE: partial(ours, n_workers=2, n_envs=2 * N_ENVS),
    OUR_LANDER: lambda _: ours(LANDER, 2),
    OUR_LANDER + TWICE: lambda _: ours(LANDER, 2, n_envs=2 * N_ENVS),
    "rollout.multi, 2 workers, policy in PyTorch": partial(ours, n_workers=2, kind=Policy),
    "rollout.multi, 1 worker": partial(ours, n_workers=1),
    "rollout.same": partial(ours, n_workers=0),
    FAST: partial(vector, make_vector=envpool_vector),
    FAST + TWICE: partial(vector, make_vector=envpool_vector, n_envs=2 * N_ENVS),
    "gymnasium AsyncVectorEnv": partial(
        vector, make_vector=partial(gymnasium_vector, kind=gym.vector.AsyncVectorEnv)
    ),
    "stable-baselines3 DummyVecEnv": partial(
        vector, make_vector=partial(stable_baselines_vector, kind="DummyVecEnv")
    ),
    "stable-baselines3 SubprocVecEnv": partial(
        vector, make_vector=partial(stable_baselines_vector, kind="SubprocVecEnv")
    ),
    "torchrl MultiSyncCollector": partial(torchrl, kind="MultiSyncCollector"),
    "torchrl MultiAsyncCollector": partial(torchrl, kind="MultiAsyncCollector"),
}


def rate(peer: str, name: str) -> float:
    """Environment steps per second in this process, after a first fragment that is not counted."""
    torch.set_num_threads(1)
    steps = PEERS[peer](name)
    next(steps)
    count, start = 0, time.perf_counter()
    while (taken := time.perf_counter() - start) < SECONDS:
        count += next(steps)
    steps.close()
    return count / taken


def rate_apart(peer: str, name: str) -> float:
    """The same in a process of its own, so that no peer finds threads, memory or settings of another."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.collectors", "--one", peer, name]
    # matrices this small gain nothing from threads, which only take the cores from the environments
    alone = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False, env=alone)
    if result.returncode:
        raise SystemExit(
            f"{peer} on {name} failed. Are the peers installed (pip install -e .[torch,box2d,benchmarks], "
            f"best in an environment of its own)?\n{result.stderr[-3000:]}"
        )
    return float(result.stdout.split()[-1])


def compare(name: str, peers: Sequence[str], rounds: int) -> dict[str, Any]:
    """Rates relative to gymnasium's SyncVectorEnv of 64 and to envpool of 64, round by round."""
    peers = [peer for peer in peers if not peer.startswith(OUR_LANDER) or name == "LunarLander-v3"]
    rates: dict[str, list[float]] = {peer: [] for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            rates[peer].append(rate_apart(peer, name))
            print(f"{name} {peer:61} {rates[peer][-1]:10,.0f} steps/s", flush=True)
    bases = {"over SyncVectorEnv": BASE, "over envpool": FAST}
    return {
        key: {peer: record.ratio(rates[peer], rates[base]) for peer in peers}
        for key, base in bases.items()
        if base in peers
    }


@click.command()
@click.option("--quick", is_flag=True, help="One round of two peers; writes nothing.")
@click.option("--rounds", default=ROUNDS, show_default=True, help="How often each peer is measured.")
@click.option("--one", type=(str, str), hidden=True, help="Print the rate of one peer on one environment.")
def main(quick: bool, rounds: int, one: tuple[str, str] | None) -> None:
    """Measure, and write benchmarks/results/collectors.json."""
    if one:
        print(rate(*one))
        return
    if quick:
        for name in ENVIRONMENTS:
            print(compare(name, [BASE, OURS], 1))
        return
    load = [os.getloadavg()[0]]
    content = {
        "environments": N_ENVS,
        "workers": 2,
        "rounds": rounds,
        **{name: compare(name, list(PEERS), rounds) for name in ENVIRONMENTS},
        "load": [round(value, 1) for value in (*load, os.getloadavg()[0])],
        "cores": os.cpu_count(),
    }
    packages = ["gymnasium", "envpool", "stable-baselines3", "torchrl", "torch", "numpy"]
    print(record.write("collectors", content, packages))


if __name__ == "__main__":
    main()
