"""The environments by name: what they show, that seeds repeat them, and what is said when something lacks."""

import os
import subprocess
import sys
import types

import gymnasium as gym
import numpy as np
import pytest

from policy_gradients import metadrive
from policy_gradients.environments import PRESETS, make_env, make_envs
from policy_gradients.parallel import ProcessVectorEnv, run_episodes

SEED_000 = {
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


def trajectory(env, seed, steps=15):
    env.action_space.seed(seed)
    rows = [env.reset(seed=seed)[0]]
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        rows.append(np.append(observation, [reward, terminated, truncated]))
        if terminated or truncated:
            break
    env.close()
    return np.concatenate([np.ravel(row) for row in rows])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_seed_repeats_an_environment_and_another_does_not(preset):
    first, again, other = [trajectory(make_env(preset), seed) for seed in (3, 3, 4)]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("preset", ["lunar-lander", "highway-fast"])
def test_the_seed_of_make_env_holds_for_what_follows(preset):
    def start(seed):
        env = make_env(preset, seed=seed)
        return [*env.reset()[0].ravel(), *(env.action_space.sample() for _ in range(10))]

    assert start(5) == start(5) != start(6)


@pytest.mark.parametrize(
    ("preset", "observation", "action"),
    [
        ("cartpole", (4,), gym.spaces.Discrete(2)),
        ("cartpole-partially-observed", (2,), gym.spaces.Discrete(2)),
        ("lunar-lander", (8,), gym.spaces.Discrete(4)),
        ("highway", (2, 5, 5), gym.spaces.Discrete(5)),
        ("highway-continuous", (2, 5, 5), gym.spaces.Box(-1, 1, (2,), np.float32)),
        ("highway-fast", (2, 5, 5), gym.spaces.Discrete(5)),
    ],
)
def test_what_is_seen_and_done(preset, observation, action):
    env = make_env(preset)
    assert env.observation_space.shape == observation and env.action_space == action
    seen, _ = env.reset(seed=0)
    assert env.observation_space.contains(seen) and seen.dtype == np.float32
    assert env.observation_space.contains(env.step(env.action_space.sample())[0])


def test_the_partially_observed_cartpole_is_cartpole_without_velocities():
    full, partial = make_env("cartpole"), make_env("cartpole-partially-observed")
    assert np.array_equal(full.reset(seed=1)[0][[0, 2]], partial.reset(seed=1)[0])
    for action in (0, 1, 1, 0, 1):
        everything, *rest = full.step(action)
        part, *same = partial.step(action)
        assert np.array_equal(everything[[0, 2]], part) and rest == same
    assert partial.spec.reward_threshold == 475


@pytest.mark.parametrize(
    ("preset", "kind"), [("highway", "DiscreteMetaAction"), ("highway-continuous", "ContinuousAction")]
)
def test_highway_is_as_in_the_document_it_comes_from(preset, kind):
    ours, theirs = make_env(preset), gym.make("highway-v0", config={**SEED_000, "action": {"type": kind}})
    assert ours.unwrapped.config == theirs.unwrapped.config
    theirs = gym.wrappers.TransformAction(theirs, lambda action: action, ours.action_space)
    assert np.array_equal(trajectory(ours, 0), trajectory(theirs, 0))


def test_an_episode_on_the_highway_lasts_200_decisions_at_most():
    env, steps = make_env("highway-fast"), 0
    env.reset(seed=0)
    ended = False
    while not ended:
        _, _, terminated, truncated, _ = env.step(4)  # slower: no crash
        ended, steps = terminated or truncated, steps + 1
    assert steps == 200 and truncated and not terminated


def test_settings_replace_those_of_the_preset():
    assert len(make_env("highway", vehicles_count=3).unwrapped.road.vehicles) == 4
    assert make_env("lunar-lander", max_episode_steps=600, gravity=-7.0).spec.max_episode_steps == 600
    assert make_envs("lunar-lander", 2, gravity=-7.0).envs[1].unwrapped.gravity == -7.0
    shorter = make_env("highway-fast", duration=10).unwrapped.config
    assert shorter["duration"] == 10
    shorter["observation"]["type"] = "Kinematics"
    untouched = make_env("highway-fast").unwrapped.config
    assert untouched["duration"] == 40 and untouched["observation"]["type"] == "OccupancyGrid"


def test_what_does_not_exist_is_named():
    with pytest.raises(ValueError, match="no preset 'cartpol'.*cartpole.*lunar-lander.*metadrive"):
        make_env("cartpol")
    with pytest.raises(ValueError, match=r"no settings \['vehicle_count'\]; it has .*vehicles_count"):
        make_env("highway", vehicle_count=3)
    with pytest.raises(TypeError, match="gravty"):
        make_env("lunar-lander", gravty=-7.0)
    with pytest.raises(ValueError, match='"sync" or "async"'):
        make_envs("cartpole", 2, vectorization="parallel")
    with pytest.raises(ValueError, match="at least one"):
        make_envs("cartpole", 0)
    with pytest.raises(ValueError, match="n_workers is for"):
        make_envs("cartpole", 2, n_workers=2)
    with pytest.raises(ValueError, match="1 to 2 workers"):
        make_envs("cartpole", 2, vectorization="async", n_workers=3)


@pytest.mark.parametrize(
    ("preset", "module", "extra"), [("lunar-lander", "Box2D", "box2d"), ("highway", "highway_env", "highway")]
)
@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_a_missing_package_is_named_with_what_installs_it(monkeypatch, preset, module, extra, vectorization):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        ModuleNotFoundError, match=rf"needs the package {module}, .*pip install .*\[{extra}\]"
    ):
        make_envs(preset, 2, vectorization=vectorization)


def test_drawing_without_pygame_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    make_env("cartpole").reset()
    with pytest.raises(ModuleNotFoundError, match=r"Drawing pictures needs the package pygame.*\[box2d\]"):
        make_env("cartpole", render_mode="rgb_array")


def test_what_is_left_of_an_uninstalled_pygame_is_recognised(monkeypatch):
    # What `pip uninstall pygame` leaves beside pygame-ce: a folder without its modules
    monkeypatch.setitem(sys.modules, "pygame", types.ModuleType("pygame"))
    with pytest.raises(ImportError, match="pip install --force-reinstall --no-deps pygame"):
        make_env("cartpole", render_mode="rgb_array")


PICTURES = """
from policy_gradients import metadrive
from policy_gradients.environments import PRESETS, make_env
for preset in [*PRESETS, "metadrive"]:
    env = make_env(preset, render_mode="rgb_array")
    env.reset(seed=0)
    env.step(env.action_space.sample())
    picture = env.render()
    assert picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == "uint8", preset
    assert picture.std() > 10, f"the picture of {preset} is empty"
    env.close()
"""


def test_pictures_need_no_display():
    unset = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    others = {name: value for name, value in os.environ.items() if name not in unset}
    command = [sys.executable, "-c", PICTURES]
    done = subprocess.run(command, env=others, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_screen_is_left_to_those_who_have_one(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    make_env("cartpole")
    assert "SDL_VIDEODRIVER" not in os.environ


def test_environments_of_one_vector_have_consecutive_seeds():
    first = make_envs("lunar-lander", 3, seed=10)
    assert [env.unwrapped.np_random_seed for env in first.envs] == [10, 11, 12]
    assert np.array_equal(
        first.action_space.sample(), make_envs("lunar-lander", 3, seed=10).action_space.sample()
    )


def test_the_highway_in_processes_is_the_highway():
    here = make_envs("highway-fast", 2)
    with_processes = make_envs("highway-fast", 2, vectorization="async")
    assert isinstance(with_processes, ProcessVectorEnv)
    episodes = [
        run_episodes(envs, lambda observations: np.array([0, 3]), seeds=[5, 5], max_steps=30)
        for envs in (here, with_processes)
    ]
    with_processes.close()
    for name in ("observations", "rewards", "terminated", "truncated", "mask", "final_observations"):
        assert np.array_equal(*(getattr(one, name) for one in episodes)), name


def test_each_metadrive_has_a_process_of_its_own():
    envs = make_envs("metadrive-continuous", 2, vectorization="async", horizon=20)
    full_throttle = np.array([[0.0, 1.0], [0.0, 0.0]])
    episodes = run_episodes(envs, lambda observations: full_throttle, seeds=0)
    envs.close()
    assert episodes.observations.shape == (20, 2, 259) and episodes.actions.shape == (20, 2, 2)
    assert episodes.truncated[-1].all() and not episodes.terminated.any()
    driven = [info["route_completion"] for info in episodes.final_infos]
    assert driven[0] > driven[1]


@pytest.mark.parametrize("arguments", [{}, {"vectorization": "async", "n_workers": 1}])
def test_two_metadrives_in_a_process_are_refused(arguments):
    assert "metadrive" in metadrive.PRESETS
    with pytest.raises(ValueError, match='vectorization="async"'):
        make_envs("metadrive", 2, **arguments)
