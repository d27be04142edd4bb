"""The course's environments by name: `make_env` for one, `make_envs` for several side by side."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from . import metadrive
from .parallel import ProcessVectorEnv

__all__ = ["PRESETS", "Highway", "Preset", "WithoutVelocities", "make_env", "make_envs"]


class WithoutVelocities(gym.ObservationWrapper):
    """CartPole that shows the cart's position and the pole's angle, (2,) float32, and neither velocity.

    One observation no longer says which way the pole is falling: the policy needs a memory.
    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        low, high = env.observation_space.low[::2], env.observation_space.high[::2]
        self.observation_space = gym.spaces.Box(low, high, dtype=np.float32)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return observation[::2]


class Highway(gym.Wrapper):
    """highway-env, with two repairs.

    Every reset made a new action space, which forgot the seed it was given. And without a screen (SDL's
    "dummy" one) pictures stayed black, though they need none.
    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self.action_space = env.action_space

    def render(self) -> np.ndarray | None:
        picture, viewer = super().render(), self.unwrapped.viewer
        if viewer is None or viewer.enabled:
            return picture
        viewer.enabled = True
        return super().render()


@dataclass(frozen=True)
class Preset:
    """An environment of Gymnasium and its settings.

    id : Gymnasium's name for it
    module : what must be installed for it
    extra : the extra of this project that installs it
    config : entries of the environment's configuration; None for one that takes keyword arguments
    wrappers : what is put around it
    """

    id: str
    module: str = "gymnasium"
    extra: str = ""
    config: Mapping[str, Any] | None = None
    wrappers: tuple[Callable[[gym.Env], gym.Env], ...] = ()


def _highway(id: str, **changes: Any) -> Preset:
    config = {
        # 5 x 5 cells of 2 m around the car: is somebody there, and how fast relative to the car?
        "observation": {
            "type": "OccupancyGrid",
            "features": ["presence", "vx"],
            "grid_size": [[-5, 5], [-5, 5]],
            "grid_step": [2.0, 2.0],
        },
        "action": {"type": "DiscreteMetaAction"},
        "policy_frequency": 5,  # decisions per second
        "duration": 40,  # seconds
    }
    # The package's own environment, step by step, in a fraction of the time
    quick = f"policy_gradients.highway:policy_gradients/{id}"
    return Preset(quick, "highway_env", "highway", {**config, **changes}, wrappers=(Highway,))


PRESETS: Mapping[str, Preset] = {
    "cartpole": Preset("CartPole-v1"),
    "cartpole-partially-observed": Preset("CartPole-v1", wrappers=(WithoutVelocities,)),
    # Gymnasium's own, step by step, in less time
    "lunar-lander": Preset("policy_gradients.lunar_lander:policy_gradients/LunarLander-v3", "Box2D", "box2d"),
    "highway": _highway("highway-v0"),
    "highway-continuous": _highway("highway-v0", action={"type": "ContinuousAction"}),
    # Another task: 20 other cars on 3 lanes, physics at 5 Hz, and collisions with the agent's car only
    "highway-fast": _highway("highway-fast-v0"),
}


def make_env(
    preset: str, *, seed: int | None = None, render_mode: str | None = None, **settings: Any
) -> gym.Env:
    """The environment called `preset`: one of PRESETS, or of `policy_gradients.metadrive.PRESETS`.

    seed : of its random numbers and of those of `action_space.sample`, from which `reset()` then goes on
    render_mode : "rgb_array" for pictures; a display is not needed
    settings : what is to differ from the preset: keyword arguments of `gymnasium.make` for CartPole and
        LunarLander (max_episode_steps=600), entries of the configuration for highway-env
        (vehicles_count=20) and MetaDrive (horizon=150)

    Raises ValueError for a preset or a setting that does not exist, and ModuleNotFoundError, with what to
    install, where a package is missing.
    """
    _check(preset, render_mode)
    _draw_without_display()
    env = _make(preset, render_mode, settings)
    if seed is not None:
        env.reset(seed=seed)
        env.action_space.seed(seed)
    return env


def make_envs(
    preset: str,
    n_envs: int,
    *,
    vectorization: str = "sync",
    n_workers: int | None = None,
    seed: int | None = None,
    render_mode: str | None = None,
    **settings: Any,
) -> VectorEnv:
    """`n_envs` environments as `make_env` makes them, side by side; none resets itself when an episode ends.

    vectorization : "sync" steps them in turn, "async" in processes. MetaDrive, of which a process bears
        only one, needs "async" for more than one.
    n_workers : the number of processes, between which the environments are divided; None means one each.
        For quick environments the number of processor cores is best.
    seed : environment i gets seed + i

    Raises what make_env raises, and ValueError for numbers and vectorizations that do not exist.
    """
    if vectorization not in ("sync", "async"):
        raise ValueError(f'vectorization is "sync" or "async", not {vectorization!r}.')
    if n_envs < 1:
        raise ValueError(f"There must be at least one environment, not n_envs={n_envs}.")
    if vectorization == "sync" and n_workers is not None:
        raise ValueError('n_workers is for vectorization="async".')
    processes = 1 if vectorization == "sync" else n_workers or n_envs
    if preset in metadrive.PRESETS and n_envs > processes:
        raise ValueError(
            f"A process bears one MetaDrive environment only: for {n_envs}, take "
            'vectorization="async" and leave out n_workers.'
        )
    _check(preset, render_mode)
    makers = [partial(make_env, preset, render_mode=render_mode, **settings)] * n_envs
    if vectorization == "sync":
        envs = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)
    else:
        module = "metadrive.envs" if preset in metadrive.PRESETS else PRESETS[preset].module
        envs = ProcessVectorEnv(makers, n_workers, preload=[__name__, module])
    if seed is not None:
        envs.reset(seed=seed)
        envs.action_space.seed(seed)
    return envs


def _make(preset: str, render_mode: str | None, settings: dict[str, Any]) -> gym.Env:
    if preset in metadrive.PRESETS:
        return metadrive.make(preset, render_mode=render_mode, **settings)
    chosen = PRESETS[preset]
    arguments = settings if chosen.config is None else {"config": {**deepcopy(chosen.config), **settings}}
    # Gymnasium's checker costs a tenth of CartPole's speed, and these environments are known to pass it
    env = gym.make(chosen.id, render_mode=render_mode, disable_env_checker=True, **arguments)
    if chosen.config is not None:
        _check_entries(preset, env, settings)
    for wrapper in chosen.wrappers:
        env = wrapper(env)
    return env


def _check_entries(preset: str, env: gym.Env, settings: dict[str, Any]) -> None:
    # highway-env takes an entry that it does not know without a word
    known = env.unwrapped.default_config()
    if unknown := settings.keys() - known.keys():
        raise ValueError(f"{preset} has no settings {sorted(unknown)}; it has {', '.join(sorted(known))}.")


def _check(preset: str, render_mode: str | None) -> None:
    if preset in metadrive.PRESETS:
        return  # says itself what it lacks
    if preset not in PRESETS:
        names = ", ".join([*PRESETS, *metadrive.PRESETS])
        raise ValueError(f"There is no preset {preset!r}. There are: {names}.")
    chosen = PRESETS[preset]
    _import(chosen.module, chosen.extra, f"The preset {preset!r}")
    if render_mode is not None:
        _check_pygame(_import("pygame", chosen.extra or "box2d", "Drawing pictures"))


def _import(module: str, extra: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            f"{what} needs the package {missing.name}, which this project's extra [{extra}] installs: "
            f'`pip install -e ".[{extra}]"` in a copy of the repository, or the first cell of an assignment.',
            name=missing.name,
        ) from missing


def _check_pygame(pygame: ModuleType) -> None:
    # pygame (MetaDrive's choice) and pygame-ce (highway-env's) install into the same folder. Whichever came
    # last works for all of them; but uninstalling either takes most of the other's files along.
    if not hasattr(pygame, "Surface"):
        raise ImportError(
            "Only remains of pygame are installed, as when pygame or pygame-ce was uninstalled beside the "
            "other. Repair it with `pip install --force-reinstall --no-deps pygame`, and restart the kernel."
        )


def _draw_without_display() -> None:
    """Tell SDL, on which pygame draws, to do without a display and a sound card where there is no display."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
