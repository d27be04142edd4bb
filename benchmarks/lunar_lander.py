"""LunarLander-v3 to a mean return of 200: GRPO and GAE with clipping beside stable-baselines3's PPO.

    python -m benchmarks.lunar_lander             (some 20 minutes on two cores)
    python -m benchmarks.lunar_lander --quick     (some seconds of each, writes nothing)

GRPO is that of the solved assignment, whose cells are run here; GAE with clipping is made of the same
parts. PPO has the settings of stable-baselines3's zoo. The bar is one for all: the greedy policy's mean
return over 100 full episodes. Everybody is looked at every 20,000 environment steps, once the sampled
policy's last episodes have a mean above 100: at 20 of the 100 episodes first, and at all if those come near
the bar. Looking is not timed. Who is not there after 600 seconds ends there, and the table says so.

Each measurement has a process of its own with one thread. Two run at a time, one on each core, in an order
in which the peers take turns.

The peer is in the extra `benchmarks`; this project's own environment does without it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from gymnasium.vector import VectorEnv
from torch import nn
from torch.distributions import Categorical

from benchmarks import record
from policy_gradients.environments import make_envs
from policy_gradients.parallel import group_seeds, run_episodes

SOLUTION = Path(__file__).parents[1] / "solutions" / "grpo.ipynb"
ROUNDS, AT_ONCE = 3, 2
BAR, PROMISING, NEAR = 200, 100, 170  # mean returns: of the greedy, of the sampled policy, of a first look
EVERY, MAX_SECONDS = 20_000, 600.0  # steps between two looks, seconds of training at most
JUDGED = 1_000_000  # first seed of the episodes that judge


class Bar:
    """Watches a training: its steps, its seconds without the looks, and whether it has passed the bar."""

    def __init__(self, max_seconds: float) -> None:
        self.max_seconds, self.steps, self.next_look = max_seconds, 0, EVERY
        self.passed, self.recent = False, deque(maxlen=100)
        self._some, self._all = make_envs("lunar-lander", 20), make_envs("lunar-lander", 100)
        self._looking, self._start = 0.0, time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start - self._looking

    @property
    def is_over(self) -> bool:
        return self.passed or self.seconds >= self.max_seconds

    def after(self, steps: int, returns: list[float], act: Callable[[np.ndarray], np.ndarray]) -> bool:
        """To be called after an update, with all steps so far and the episodes since; whether to stop."""
        self.steps = steps
        self.recent.extend(returns)
        if steps >= self.next_look and self.recent and np.mean(self.recent) > PROMISING:
            self.next_look = steps + EVERY
            start = time.perf_counter()
            self.passed = self._mean(self._some, act) >= NEAR and self._mean(self._all, act) >= BAR
            self._looking += time.perf_counter() - start
        return self.is_over

    def _mean(self, envs: VectorEnv, act: Callable[[np.ndarray], np.ndarray]) -> float:
        return run_episodes(envs, act, seeds=JUDGED).returns.mean()


def notebook() -> dict[str, Any]:
    """The functions and classes that the solved assignment defines, without its environments and training."""
    names: dict[str, Any] = {"__name__": "notebook", "lander": "lunar-lander"}
    for cell in json.loads(SOLUTION.read_text())["cells"]:
        source = "".join(cell["source"])
        is_definition = source.startswith(("def ", "class ", "@torch", "import ", "QUICK"))
        if cell["cell_type"] == "code" and is_definition and "google.colab" not in source:
            exec(source, names)
    return names


def grpo(seed: int, bar: Bar) -> None:
    names = notebook()
    torch.manual_seed(seed)
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    policy, envs = names["make_network"](4), make_envs("lunar-lander", 64)
    optimiser = torch.optim.Adam(policy.parameters(), lr=5e-3)
    credit, steps = partial(names["per_step"], n=8), 0
    while not bar.is_over:
        starts = group_seeds(rng.integers(JUDGED, size=8), 8)
        act = names["sampled"](policy, generator)
        batch = run_episodes(envs, act, seeds=starts, max_steps=names["HORIZON"])
        names["improve"](policy, optimiser, batch, credit, 5, 4, generator)
        steps += int(batch.mask.sum())
        bar.after(steps, batch.returns.tolist(), names["greedy"](policy))


def advantages_of(fragment: list[torch.Tensor], critic: nn.Module, gamma: float, lam: float) -> torch.Tensor:
    """(T, N): generalised advantage estimates; `fragment` as the notebook's Fragments collect it."""
    observations, _, rewards, led_to, terminated, truncated = fragment
    with torch.no_grad():
        values, following = critic(observations)[..., 0], critic(led_to)[..., 0]
    deltas = rewards + gamma * following * ~terminated - values
    running, rows = torch.zeros_like(deltas[0]), []
    for delta, ended in zip(deltas.flip(0), (terminated | truncated).flip(0), strict=True):
        running = delta + gamma * lam * ~ended * running
        rows.append(running)
    return torch.stack(rows[::-1])


def gae(seed: int, bar: Bar) -> None:
    """Discount, lambda, epochs, entropy bonus as PPO; batch and learning rate chosen on seeds 100 to 103."""
    names = notebook()
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    policy, critic = names["make_network"](4), names["make_network"](1)
    parameters = [*policy.parameters(), *critic.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=1e-3)
    fragments, steps = names["Fragments"](policy, seed, generator), 0
    while not bar.is_over:
        fragment = [torch.as_tensor(array) for array in fragments.collect(256)]
        fragment[2] = fragment[2].float() / 100  # rewards, for the critic's sake
        advantages = advantages_of(fragment, critic, gamma=0.999, lam=0.98)
        with torch.no_grad():
            old = names["log_probs_of"](policy, *fragment[:2])
            returns = advantages + critic(fragment[0])[..., 0]
        advantages = (advantages - advantages.mean()) / advantages.std()
        rows = [rows.flatten(0, 1) for rows in (*fragment[:2], old, advantages, returns)]
        shuffled = [torch.randperm(len(rows[0]), generator=generator) for _ in range(4)]
        for part in [part for order in shuffled for part in order.chunk(16)]:
            seen, actions, before, weights, targets = [row[part] for row in rows]
            log_probs = names["log_probs_of"](policy, seen, actions)
            loss = names["loss_of"](log_probs, before, weights, torch.ones_like(before))
            errors = targets - critic(seen)[..., 0]
            optimiser.zero_grad()
            (loss + errors.square().mean() / 2 - 0.01 * entropy(policy(seen))).backward()
            nn.utils.clip_grad_norm_(parameters, 0.5)
            optimiser.step()
        steps += len(rows[0])
        finished, fragments.finished = fragments.finished, []
        bar.after(steps, finished, names["greedy"](policy))


def entropy(logits: torch.Tensor) -> torch.Tensor:
    """The mean entropy of the policies with these logits (B, A), in nats."""
    return Categorical(logits=logits).entropy().mean()


def ppo(seed: int, bar: Bar) -> None:
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    class Watch(BaseCallback):
        def _on_step(self) -> bool:
            return not bar.is_over

        def _on_rollout_start(self) -> None:
            def act(observations: np.ndarray) -> np.ndarray:
                return self.model.predict(observations, deterministic=True)[0]

            bar.recent.clear()
            bar.after(self.num_timesteps, [info["r"] for info in self.model.ep_info_buffer or ()], act)

    zoo = {
        "n_steps": 1024,
        "batch_size": 64,
        "n_epochs": 4,
        "gamma": 0.999,
        "gae_lambda": 0.98,
        "ent_coef": 0.01,
    }
    model = PPO("MlpPolicy", make_vec_env("LunarLander-v3", 16, seed=seed), seed=seed, device="cpu", **zoo)
    model.learn(sys.maxsize, callback=Watch())


PEERS = {"GRPO": grpo, "GAE with clipping": gae, "stable-baselines3 PPO": ppo}
BASE = "stable-baselines3 PPO"


def measure(name: str, seed: int, max_seconds: float) -> dict[str, Any]:
    """Seconds and steps to the bar, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.lunar_lander", "--one", name]
    command += ["--seed", str(seed), "--seconds", str(max_seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"seed {seed}, {name}: {found}", flush=True)
    return found


@click.command()
@click.option("--quick", is_flag=True, help="Some seconds of each, and nothing is written.")
@click.option("--one", type=click.Choice(list(PEERS)), help="One measurement, in this process.")
@click.option("--seed", default=0)
@click.option("--seconds", default=MAX_SECONDS)
def main(quick: bool, one: str | None, seed: int, seconds: float) -> None:
    torch.set_num_threads(1)  # of no use to networks of this size
    if one:
        bar = Bar(seconds)
        PEERS[one](seed, bar)
        print(json.dumps({"seconds": round(bar.seconds, 1), "steps": bar.steps, "passed": bool(bar.passed)}))
        return
    seeds, limit = range(1 if quick else ROUNDS), 20.0 if quick else MAX_SECONDS
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {(name, i): pool.submit(measure, name, i, limit) for i in seeds for name in PEERS}
    found = {name: [waiting[name, i].result() for i in seeds] for name in PEERS}
    if quick:
        return
    base = [item["seconds"] for item in found[BASE]]
    ratios = {name: record.ratio([item["seconds"] for item in found[name]], base) for name in PEERS}
    content = {"bar": BAR, "rounds": found, "ratios_to_ppo": ratios}
    print("wrote", record.write("lunar_lander", content, ["torch", "gymnasium", "stable-baselines3"]))


if __name__ == "__main__":
    main()
