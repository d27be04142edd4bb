"""MetaDrive without a display and without assets: real episodes, some in a process of their own."""

import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from policy_gradients import metadrive
from policy_gradients.environments import make_envs
from policy_gradients.parallel import run_episodes

STRAIGHT_ON = {"metadrive": 7, "metadrive-continuous": [0.0, 1.0]}  # wheel straight, pedal to the floor


@pytest.fixture
def open_environment():
    """Gives `metadrive.make`, and closes what it made: a process has one engine."""
    made = []

    def make(*arguments, **settings):
        made.append(metadrive.make(*arguments, **settings))
        return made[-1]

    yield make
    for environment in made:
        environment.close()


def drive(environment, action, **reset):
    """One episode of a constant action: rewards, terminated, truncated, last observation and info."""
    environment.reset(**reset)
    rewards, ended = [], False
    while not ended:
        observation, reward, terminated, truncated, info = environment.step(action)
        rewards.append(reward)
        ended = terminated or truncated
    return np.array(rewards), terminated, truncated, observation, info


def program(*arguments, **environment):
    """A Python of its own, without a display."""
    names = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "SDL_VIDEODRIVER")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=names | environment, timeout=300)


def run(code):
    """What a program of its own printed, if it came to a good end."""
    done = program("-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("preset", STRAIGHT_ON)
def test_straight_on_arrives_and_pays_metres_and_speed(open_environment, preset):
    environment = open_environment(preset)
    rewards, terminated, truncated, observation, info = drive(environment, STRAIGHT_ON[preset])
    assert terminated and not truncated and info["arrive_dest"]
    assert info["route_completion"] > 0.95
    assert environment.observation_space.contains(observation) and observation.shape == (259,)
    assert (observation[19:] == 1).all()  # the lidar meets nothing
    assert rewards[-1] == pytest.approx(10)
    assert 100 < rewards[:-1].sum() < 130  # a road of some hundred metres


def test_standing_still_is_truncated_and_not_terminated(open_environment):
    rewards, terminated, truncated, _, info = drive(open_environment("metadrive", horizon=20), 4)
    assert (terminated, truncated, len(rewards)) == (False, True, 20)
    assert not info["arrive_dest"] and info["max_step"]


def test_leaving_the_road_terminates_and_costs_five(open_environment):
    rewards, terminated, truncated, _, info = drive(open_environment("metadrive-continuous"), [0.3, 1.0])
    assert terminated and not truncated and info["out_of_road"]
    assert rewards[-1] == pytest.approx(-5)


def test_the_nine_actions_are_steering_plus_three_times_throttle(open_environment):
    environment = open_environment("metadrive")
    for action, wheel, pedal in [(0, -1, -1), (5, 1, 0), (7, 0, 1)]:
        environment.reset(seed=0)
        info = environment.step(action)[4]
        assert (info["steering"], info["acceleration"]) == (wheel, pedal)


def test_an_episode_can_be_repeated(open_environment):
    environment = open_environment("metadrive-blocks-continuous")
    first, again, other = [drive(environment, [0.01, 0.8], seed=seed)[0] for seed in (3, 3, 4)]
    np.testing.assert_allclose(first, again, atol=1e-9)
    assert len(first) != len(other) or not np.allclose(first, other)


def test_seeds_choose_scenarios(open_environment):
    environment = open_environment("metadrive-blocks", start_seed=5, num_scenarios=4)
    chosen = [environment.reset(seed=seed)[1]["env_seed"] for seed in (5, 8, 9, 4, 0)]
    assert chosen == [5, 8, 5, 8, 8]
    assert environment.reset(options={"scenario": 7})[1]["env_seed"] == 7
    environment.reset(seed=1)
    drawn = [environment.reset()[1]["env_seed"] for _ in range(12)]
    assert set(drawn) <= {5, 6, 7, 8} and len(set(drawn)) > 1
    environment.reset(seed=1)
    assert [environment.reset()[1]["env_seed"] for _ in range(12)] == drawn
    with pytest.raises(ValueError, match="no scenario 9: this environment has 5 to 8"):
        environment.reset(options={"scenario": 9})


def test_the_rule_based_driver_ignores_the_actions_and_arrives(open_environment):
    environment = open_environment("metadrive-continuous", driver="idm", horizon=300)
    rewards, terminated, _, _, info = drive(environment, [1.0, -1.0])
    assert terminated and info["arrive_dest"]
    assert len(rewards) > 120  # it keeps to 30 km/h


def test_bad_actions_and_settings_get_a_clear_error(open_environment):
    with pytest.raises(ValueError, match="no MetaDrive preset 'metadrve'"):
        open_environment("metadrve")
    with pytest.raises(ValueError, match='"agent" or "idm"'):
        open_environment("metadrive", driver="me")
    with pytest.raises(ValueError, match="rgb_array"):
        open_environment("metadrive", render_mode="human")
    environment = open_environment("metadrive-continuous")
    environment.reset(seed=0)
    for action in ([np.nan, 0.0], [0.0], 3):
        with pytest.raises(ValueError, match="two finite numbers"):
            environment.step(action)
    environment.close()
    environment = open_environment("metadrive")
    environment.reset(seed=0)
    with pytest.raises(ValueError, match="not one of 0 to 8"):
        environment.step(9)


def test_a_second_environment_in_the_process_is_refused_until_the_first_is_closed(open_environment):
    first = open_environment("metadrive")
    with pytest.raises(RuntimeError, match=r"one engine per process.*close\(\).*AsyncVectorEnv"):
        open_environment("metadrive")
    first.reset(seed=0)
    with pytest.raises(RuntimeError, match="one engine per process"):
        open_environment("metadrive-continuous")
    assert first.step(7)[1] > 0  # the refusal did the first no harm
    first.close()
    assert open_environment("metadrive-continuous").reset(seed=0)[0].shape == (259,)


def test_an_environment_that_nobody_holds_is_in_nobodys_way():
    metadrive.make("metadrive").reset(seed=0)  # as when a notebook's cell is run again
    second = metadrive.make("metadrive")
    assert second.reset(seed=0)[0].shape == (259,)
    second.close()


def test_vectors_use_processes():
    envs = make_envs("metadrive", 2, vectorization="async")
    episodes = run_episodes(envs, lambda seen: np.array([7, 4]), seeds=0, max_steps=100)
    envs.close()
    assert episodes.lengths.tolist() == [91, 100]
    assert episodes.final_infos[0]["arrive_dest"] and not episodes.final_infos[1]["arrive_dest"]


def test_the_id_of_the_seed_notebook_works(open_environment):
    assert gym.spec(metadrive.VALIDATION_ID).kwargs == {}
    environment = gym.make("MetaDrive-validation-v0", config={"use_render": False, "traffic_density": 0.0})
    try:
        assert environment.observation_space.shape == (259,)
        assert environment.action_space == gym.spaces.Box(-1, 1, (2,), np.float32)
        assert environment.reset(seed=999)[1]["env_seed"] == 999
        assert len(environment.step(environment.action_space.sample())) == 5
    finally:
        environment.close()


def test_pictures_need_no_display_and_show_the_car_move():
    code = """
import numpy as np
from policy_gradients import metadrive
environment = metadrive.make("metadrive", render_mode="rgb_array")
environment.reset(seed=0)
first = environment.render()
for _ in range(40):
    environment.step(7)
last = environment.render()
environment.close()
print(first.shape, first.dtype, (first != last).any(), len(np.unique(first.reshape(-1, 3), axis=0)) > 4)
"""
    assert run(code).split("\n")[-2] == "(240, 480, 3) uint8 True True"


def test_nothing_is_downloaded_without_3d_and_the_engine_is_left_as_it_was():
    code = """
import metadrive.engine.base_engine as engine
from policy_gradients import metadrive
pulled = []
engine.pull_asset = lambda update: pulled.append(update)
look = engine.BaseEngine.try_pull_asset
environment = metadrive.make("metadrive")
environment.reset(seed=0)
environment.step(7)
print(pulled, engine.BaseEngine.try_pull_asset is look)
"""
    assert run(code).strip() == "[] True"


def test_3d_rendering_may_look_for_its_assets():
    code = """
import metadrive.engine.base_engine as engine
from policy_gradients import metadrive
def pull(update):
    raise SystemExit("looked")
engine.pull_asset = pull
try:
    metadrive.make("metadrive", use_render=True).reset(seed=0)
except SystemExit as reason:
    print(reason)
"""
    assert run(code).strip() == "looked"


def test_installing_a_second_time_does_nothing():
    done = program("-m", "policy_gradients.metadrive")
    assert done.returncode == 0 and done.stdout == "MetaDrive 0.4.3 is installed already.\n"


def test_an_installation_that_fails_says_what_to_do():
    """pip is the real one, and may look nowhere."""
    code = """
from policy_gradients import metadrive
metadrive._installed_version = lambda: None
metadrive.install()
"""
    done = program(
        "-c", code, PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_IGNORE_INSTALLED="1"
    )
    assert done.returncode == 1
    assert "MetaDrive could not be installed" in done.stderr
    assert "pip install" in done.stderr and "metadrive-simulator==0.4.3" in done.stderr


def test_without_metadrive_the_remedy_is_named():
    code = """
import sys
sys.modules["metadrive.envs"] = None
from policy_gradients import metadrive
try:
    metadrive.make("metadrive")
except ModuleNotFoundError as error:
    print(error)
"""
    assert "python -m policy_gradients.metadrive" in run(code)


def test_an_open_engine_does_not_end_the_program_by_a_signal():
    run("from policy_gradients import metadrive; env = metadrive.make(); env.reset()")
