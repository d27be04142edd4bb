"""The trainer in one compiled function beside a Python loop, gymnax, PPO on gymnax and stable-baselines3.

    python -m benchmarks.on_device    (some five minutes on two cores)

Peers come with the extra `benchmarks`; one that is not installed is left out. Each round runs all in the same
order, and the ratios are those of a round.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable

import gymnasium as gym
import jax
import numpy as np

from benchmarks import record
from policy_gradients import acrobot, cartpole, on_device
from policy_gradients.episodes import make_environments, play

ROUNDS = 3
SEEDS = 20
BAR = 475.0
NUMBERS = (2_048, 16_384)
LOOP_STEPS = 3_000
SETTINGS = on_device.Settings()
# Settings were chosen on seeds from 100 on; those from 0 on are reported.
SOLVED = {
    "CartPole-v1": (cartpole, SETTINGS, BAR),
    "Acrobot-v1": (acrobot, on_device.Settings(target=-90.0), -100.0),
}
ITSELF = """
import jax
from policy_gradients import cartpole, on_device
settings = on_device.Settings()
trained = jax.jit(lambda seed: on_device.train(cartpole, settings, jax.random.PRNGKey(seed)))({seed})
assert trained.solved
"""
# The settings of rl-baselines3-zoo. It is asked as ours is: by its own episodes first, then by 100 more.
PPO = """
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

class AtBar(BaseCallback):
    reached = False
    def _on_step(self):
        return not self.reached
    def _on_rollout_end(self):
        returns = [episode["r"] for episode in self.model.ep_info_buffer][-40:]
        if len(returns) == 40 and np.mean(returns) >= {bar}:
            self.reached = evaluate_policy(self.model, tests, n_eval_episodes=100)[0] >= {bar}

envs = make_vec_env("CartPole-v1", n_envs=8, seed={seed})
tests = make_vec_env("CartPole-v1", n_envs=8, seed=10_000 + {seed})
zoo = dict(n_steps=32, batch_size=256, gae_lambda=0.8, gamma=0.98, n_epochs=20, ent_coef=0.0)
zoo |= dict(learning_rate=lambda left: 1e-3 * left, clip_range=lambda left: 0.2 * left)
PPO("MlpPolicy", envs, seed={seed}, device="cpu", **zoo).learn(100_000, callback=AtBar())
"""


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    jax.block_until_ready(work())
    return time.perf_counter() - started


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def whole_process(program: str) -> float:
    """Wall time of a new Python process that runs `program`, imports and compiling included."""
    environment = {**os.environ, "JAX_PLATFORMS": jax.default_backend()}
    return seconds(lambda: subprocess.run([sys.executable, "-c", program], check=True, env=environment))


def python_loop(params: object) -> float:
    """Environment steps per second of gymnasium's CartPole-v1, with one call of the policy for each step."""
    environment, key = gym.make("CartPole-v1"), jax.random.PRNGKey(0)

    @jax.jit
    def act(params, key, observation):
        return jax.random.categorical(key, on_device.logits(params, observation))

    observation, _ = environment.reset(seed=0)
    act(params, key, observation)

    def steps():
        nonlocal observation, key
        for _ in range(LOOP_STEPS):
            key, draw = jax.random.split(key)
            observation, _, terminated, truncated, _ = environment.step(int(act(params, draw, observation)))
            if terminated or truncated:
                observation, _ = environment.reset()

    return LOOP_STEPS / seconds(steps)


def ours(params: object, n: int) -> float:
    """Steps per second of `n` episodes, nearly all of 500 steps; only steps of live episodes count."""
    jax.block_until_ready(on_device.rollout(cartpole, params, jax.random.PRNGKey(0), n))
    used, steps = 0.0, 0.0
    for key in jax.random.split(jax.random.PRNGKey(1), 3):
        started = time.perf_counter()
        batch = jax.block_until_ready(on_device.rollout(cartpole, params, key, n))
        used += time.perf_counter() - started
        steps += float(batch.mask.sum())
    return steps / used


def gymnax_rollout(params: object, n: int) -> float:
    """Steps per second of gymnax's CartPole-v1 with the same policy; it resets automatically."""
    import gymnax

    environment, settings = gymnax.make("CartPole-v1")

    @jax.jit
    def rollout(params, key):
        start_key, key = jax.random.split(key)
        seen, states = jax.vmap(environment.reset, (0, None))(jax.random.split(start_key, n), settings)

        def advance(carry, key):
            seen, states = carry
            act_key, step_key = jax.random.split(key)
            actions = jax.random.categorical(act_key, on_device.logits(params, seen))
            keys = jax.random.split(step_key, n)
            following, states, rewards, *_ = jax.vmap(environment.step, (0, 0, 0, None))(
                keys, states, actions, settings
            )
            return (following, states), (seen, actions, rewards)

        return jax.lax.scan(advance, (seen, states), jax.random.split(key, cartpole.MAX_STEPS))[1]

    jax.block_until_ready(rollout(params, jax.random.PRNGKey(0)))
    keys = jax.random.split(jax.random.PRNGKey(1), 3)
    return 3 * n * cartpole.MAX_STEPS / sum(seconds(lambda key=key: rollout(params, key)) for key in keys)


def ppo_on_gymnax() -> Callable[[int], float]:
    """A function from a seed to the seconds that PPO on gymnax needs to the bar, compiled beforehand."""
    from benchmarks.ppo_on_gymnax import train

    compiled = jax.jit(lambda seed: train(jax.random.PRNGKey(seed), BAR)).lower(0).compile()

    def timed(seed: int) -> float:
        started = time.perf_counter()
        reached, _ = compiled(seed)
        assert reached, f"PPO on gymnax did not reach {BAR} with seed {seed}."
        return time.perf_counter() - started

    return timed


def solved_in_gymnasium(name: str) -> int:
    """How many of SEEDS agents reach the bar in gymnasium's own environment.

    Both the sampled and the greedy policy have to, in 100 episodes each.
    """
    environment, settings, bar = SOLVED[name]
    environments = make_environments(name, 100)
    score = jax.jit(on_device.logits)
    rng = np.random.default_rng(0)
    passed = 0
    for seed in range(SEEDS):
        params = on_device.train(environment, settings, jax.random.PRNGKey(seed)).params

        def policy(seen, noise, params=params):
            scores = np.asarray(score(params, seen))
            return np.argmax(scores + noise * rng.gumbel(size=scores.shape), axis=-1)

        means = [
            play(
                environments, lambda seen, noise=noise: policy(seen, noise), seed=100_000 + 1_000 * seed
            ).returns.mean()
            for noise in (0, 1)
        ]
        passed += int(min(means) >= bar)
    return passed


def main() -> None:
    params = on_device.train(cartpole, SETTINGS, jax.random.PRNGKey(0)).params
    ppo = ppo_on_gymnax() if installed("gymnax") else None
    rounds: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        rounds.setdefault(name, []).append(value)
        print(f"{name}: {value:,.2f}", flush=True)

    for seed in range(ROUNDS):
        note("whole process", whole_process(ITSELF.format(seed=seed)))
        if installed("stable_baselines3"):
            note("whole process, stable-baselines3 PPO", whole_process(PPO.format(seed=seed, bar=BAR)))
        key = jax.random.PRNGKey(seed)
        note("training", seconds(lambda key=key: on_device.train(cartpole, SETTINGS, key)))
        if ppo:
            note("training, PPO on gymnax", ppo(seed))
        note("Python loop", python_loop(params))
        for n in NUMBERS:
            note(f"rollout of {n}", ours(params, n))
            if installed("gymnax"):
                note(f"gymnax of {n}", gymnax_rollout(params, n))
    pairs = {
        "whole process over stable-baselines3 PPO": ("whole process", "whole process, stable-baselines3 PPO"),
        "training over PPO on gymnax": ("training", "training, PPO on gymnax"),
        "rollout over Python loop": (f"rollout of {NUMBERS[0]}", "Python loop"),
        **{f"rollout over gymnax, {n}": (f"rollout of {n}", f"gymnax of {n}") for n in NUMBERS},
    }
    ratios = {
        name: record.ratio(rounds[above], rounds[below])
        for name, (above, below) in pairs.items()
        if below in rounds
    }
    content = {
        "device": jax.devices()[0].device_kind,
        "rounds": ROUNDS,
        "load": round(os.getloadavg()[0], 1),
        "seeds": SEEDS,
        "solved in gymnasium": {name: solved_in_gymnasium(name) for name in SOLVED},
        "ratios": ratios,
    }
    print(content)
    peers = {"gymnax": "gymnax", "stable_baselines3": "stable-baselines3"}
    record.write(
        "on_device", content, ["jax", "gymnasium", *(peers[name] for name in peers if installed(name))]
    )


if __name__ == "__main__":
    main()
