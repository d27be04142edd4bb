"""MetaDrive 0.4.3 without a display and without its 3-D assets; the id MetaDrive-validation-v0.

`python -m policy_gradients.metadrive` installs the simulator where `pip` refuses to (Python 3.12 and later).

Physics, lidar and the pictures from above need no assets, so nothing is downloaded unless 3-D rendering is
asked for. MetaDrive allows one engine per process; a second environment is refused with a clear error.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import importlib.metadata
import importlib.util
import logging
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np

__all__ = ["PRESETS", "VALIDATION_ID", "Driving", "install", "make"]

VERSION = "0.4.3"
VALIDATION_ID = "MetaDrive-validation-v0"
# What MetaDrive's own register.py gave this id; 0.4.3 ships without that file.
_VALIDATION = {"start_seed": 0, "num_scenarios": 1000}

_EASY = {"map": "S", "traffic_density": 0.0}  # a straight road, nobody else on it
_BLOCKS = {"map": "SCS", "traffic_density": 0.0, "num_scenarios": 20}  # straight, curve, straight
_DISCRETE = {"discrete_action": True, "discrete_steering_dim": 3, "discrete_throttle_dim": 3}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "metadrive": {**_EASY, **_DISCRETE, "horizon": 300},
    "metadrive-continuous": {**_EASY, "horizon": 150},
    "metadrive-blocks": {**_BLOCKS, **_DISCRETE, "horizon": 400},
    "metadrive-blocks-continuous": {**_BLOCKS, "horizon": 400},
}

_REMEDY = (
    "Install it with `python -m policy_gradients.metadrive`, which works where pip refuses to "
    "(Python 3.12 and later), and restart the kernel."
)


def make(
    preset: str = "metadrive",
    *,
    driver: str = "agent",
    render_mode: str | None = None,
    **config: Any,
) -> Driving:
    """A MetaDrive environment with the settings of `preset`, one of PRESETS.

    driver : "agent", whose actions are given to `step`, or "idm", MetaDrive's own rule-based driver (the
        intelligent driver model), which ignores them
    render_mode : "rgb_array" for pictures from above
    config : settings of MetaDrive that replace those of the preset, such as start_seed and num_scenarios

    Raises ValueError for an unknown preset or driver, and what `Driving` raises.
    """
    if preset not in PRESETS:
        raise ValueError(f"There is no MetaDrive preset {preset!r}; choose one of {', '.join(PRESETS)}.")
    if driver not in ("agent", "idm"):
        raise ValueError(f'The driver is "agent" or "idm", and not {driver!r}.')
    if driver == "idm":
        _import_metadrive()
        config["agent_policy"] = importlib.import_module("metadrive.policy.idm_policy").IDMPolicy
    return Driving({**PRESETS[preset], **config}, render_mode=render_mode)


def validation(config: Mapping[str, Any] | None = None, render_mode: str | None = None) -> Driving:
    """What gymnasium.make("MetaDrive-validation-v0") calls: scenarios 0 to 999, changed by `config`.

    MetaDrive's own registration let `config` replace these settings as a whole, so that a config without
    them drove scenario 0 only; here it changes what it names.
    """
    return Driving({**_VALIDATION, **(config or {})}, render_mode=render_mode)


class Driving(gym.Env):
    """MetaDrive's MetaDriveEnv, as Gymnasium's interface wants it.

    config : MetaDrive's settings, on top of its defaults
    render_mode : "rgb_array" for pictures from above, which need no display

    Observations are (259,) float32 between 0 and 1: 9 numbers on the car, 10 on the way to go, and 240
    distances of a lidar, where 1 means that nothing is near. Actions are (2,) floats between -1 and 1,
    steering and throttle or brake, clipped if outside; or, with discrete_action=True, one integer
    `steering + steering levels * throttle`, levels counted from -1 to 1. A step lasts 0.1 s.

    An episode is terminated on arrival, off the road and by a crash, and truncated after `horizon` steps.

    reset(seed=s) drives scenario start_seed + (s - start_seed) % num_scenarios, so s itself where there is
    such a scenario; reset() draws one. options={"scenario": i} names one and leaves the random numbers alone.

    Raises ModuleNotFoundError without MetaDrive, and RuntimeError while another environment of this
    process is open: close() that one, or give each its own process by gymnasium's AsyncVectorEnv.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, config: Mapping[str, Any] | None = None, render_mode: str | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(
                f'render_mode={render_mode!r} is not known: take "rgb_array" for pictures from above, '
                'or config={"use_render": True} for MetaDrive\'s own 3-D window.'
            )
        envs = _import_metadrive()
        _claim_engine(self)
        self.render_mode = render_mode
        self._env = envs.MetaDriveEnv({"log_level": logging.ERROR, **(config or {})})
        self._discrete = isinstance(self._env.action_space, gym.spaces.Discrete)
        self.action_space, self.observation_space = self._env.action_space, self._env.observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode; see the class for `seed` and `options`. info["env_seed"] is the scenario."""
        super().reset(seed=seed)
        start, count = self._env.config["start_seed"], self._env.config["num_scenarios"]
        scenario = (options or {}).get("scenario")
        if scenario is not None and not start <= scenario < start + count:
            raise ValueError(
                f"There is no scenario {scenario}: this environment has {start} to {start + count - 1}."
            )
        if scenario is None:
            offset = self.np_random.integers(count) if seed is None else (seed - start) % count
            scenario = start + int(offset)
        with _assets_left_alone(unless=self._env.config["_render_mode"] != "none"):
            return self._env.reset(seed=int(scenario))

    def step(self, action: Any) -> tuple[np.ndarray, SupportsFloat, bool, bool, dict[str, Any]]:
        """One step of 0.1 s. info["route_completion"] is the part of the route driven so far."""
        return self._env.step(self._checked(action))

    def _checked(self, action: Any) -> Any:
        if self._discrete:
            if not 0 <= action < self.action_space.n:
                raise ValueError(f"Action {action} is not one of 0 to {self.action_space.n - 1}.")
            return int(action)
        action = np.asarray(action, dtype=float)
        if action.shape != (2,) or not np.isfinite(action).all():
            raise ValueError(f"An action is two finite numbers, steering and throttle, and not {action}.")
        return action

    def render(self) -> np.ndarray | None:
        """The picture from above, (240, 480, 3) uint8, with the car in its middle; 5 pixels are a metre."""
        if self.render_mode is None:
            return None
        return self._env.render(
            mode="topdown", window=False, screen_size=(480, 240), film_size=(2000, 2000), scaling=5
        )

    def close(self) -> None:
        """Close the engine, so that another environment can be made in this process."""
        if _owner() is self:
            self._env.close()
            _release_engine()


def _nobody() -> None:
    return None


_owner = _nobody  # a weak reference to the environment that has the engine


def _claim_engine(environment: Driving) -> None:
    global _owner
    engine_utils = importlib.import_module("metadrive.engine.engine_utils")
    if _owner() is not None or (_owner is _nobody and engine_utils.engine_initialized()):
        raise RuntimeError(
            "This process has a MetaDrive environment already, and MetaDrive allows one engine per process. "
            "Call close() on that environment first, or give each its own process: "
            "gymnasium.vector.AsyncVectorEnv([make, make, ...])."
        )
    engine_utils.close_engine()  # left behind by an environment that nobody holds any more
    atexit.unregister(engine_utils.close_engine)
    atexit.register(engine_utils.close_engine)  # panda3d ends an open engine by a segmentation fault
    _owner = weakref.ref(environment)


def _release_engine() -> None:
    global _owner
    _owner = _nobody


@contextlib.contextmanager
def _assets_left_alone(unless: bool) -> Iterator[None]:
    """Within this block MetaDrive does not look for its 3-D assets, which it would download."""
    if unless:
        yield
        return
    engine = importlib.import_module("metadrive.engine.base_engine").BaseEngine
    look_for_assets = engine.try_pull_asset
    engine.try_pull_asset = lambda self: None
    try:
        yield
    finally:
        engine.try_pull_asset = look_for_assets


def _import_metadrive() -> Any:
    try:
        return importlib.import_module("metadrive.envs")
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(f"MetaDrive is not complete ({missing}). {_REMEDY}") from missing


def _register() -> None:
    if VALIDATION_ID not in gym.registry:
        # Gymnasium's checker reads the 3-D settings of MetaDrive as faults.
        gym.register(VALIDATION_ID, entry_point=f"{__name__}:validation", disable_env_checker=True)


# What MetaDrive imports, by the name of the module: how to install it where it is missing. MetaDrive wants
# panda3d 1.10.13, which has no build for Python 3.13, and `progressbar`, whose place progressbar2 takes.
_NEEDS = {
    "panda3d": "panda3d==1.10.16",
    "gltf": "panda3d-gltf==1.2.1",
    "cv2": "opencv-python-headless",
    "filelock": "filelock",
    "matplotlib": "matplotlib",
    "PIL": "pillow",
    "progressbar": "progressbar2",
    "pygame": "pygame",
    "pygments": "pygments",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "shapely": "shapely",
    "tqdm": "tqdm",
}


def install() -> None:
    """Install MetaDrive 0.4.3 and what it imports, past the limits its package declares; says what it did.

    PyPI's package refuses Python 3.12 and later, where `pip` would fall back to version 0.2.6, which cannot
    be built. It is pure Python and runs there, so it is installed by itself, without its pins.

    Raises SystemExit, with what to do, when that fails or what was installed cannot be imported.
    """
    if _installed_version() == VERSION and not _missing():
        print(f"MetaDrive {VERSION} is installed already.")
        return
    _pip(f"metadrive-simulator=={VERSION}", "--no-deps", "--ignore-requires-python")
    if missing := _missing():
        _pip(*missing)
    _check_import()
    print(f"Installed MetaDrive {VERSION}" + (f" with {', '.join(missing)}." if missing else "."))


def _installed_version() -> str | None:
    try:
        return importlib.metadata.version("metadrive-simulator")
    except importlib.metadata.PackageNotFoundError:
        return None


def _missing() -> list[str]:
    importlib.invalidate_caches()
    return [package for module, package in _NEEDS.items() if importlib.util.find_spec(module) is None]


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason."])[-1]
        sys.exit(
            f"MetaDrive could not be installed: {reason}\n"
            f"Is the network there? Then run it yourself, and read what it says: {' '.join(command)}"
        )


def _check_import() -> None:
    code = "import metadrive.envs, metadrive.engine.top_down_renderer"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode == 0:
        return
    reason = (done.stderr.strip().splitlines() or ["no reason was given."])[-1]
    remedy = "Restart the kernel and try again."
    if "libGL" in reason:
        remedy = "The system lacks OpenGL's library: apt-get install libgl1, then try again."
    sys.exit(f"MetaDrive is installed and cannot be imported: {reason}\n{remedy}")


_register()

if __name__ == "__main__":
    install()
