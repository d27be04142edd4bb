"""`policy_gradients.lunar_lander` against Gymnasium's own LunarLander-v3, bit by bit."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.box2d.lunar_lander import heuristic

PLAIN = "LunarLander-v3"
QUICK = "policy_gradients.lunar_lander:policy_gradients/LunarLander-v3"


def at_random(env, observation):
    return env.action_space.sample()


def careful(env, observation):
    """Lands, so that legs touch the ground and the lander comes to rest."""
    return heuristic(env.unwrapped, observation)


def hovering(env, observation):
    """Stays in the air until the time limit."""
    return 2 if observation[3] < 0 else 1 if observation[4] < 0 else 3


def records(name, act, episodes, **settings):
    """All that the episodes show; the random numbers go on from one to the next."""
    env = gym.make(name, **settings)
    env.action_space.seed(3)
    shown = []
    for episode in range(episodes):
        observation, _ = env.reset(seed=None if episode else 7)
        shown.append(observation)
        ended = False
        while not ended:
            observation, reward, terminated, truncated, info = env.step(act(env, observation))
            shown.append((observation, float(reward), terminated, truncated, info))
            ended = terminated or truncated
    env.close()
    return shown


CASES = [(at_random, 20, {}), (careful, 4, {}), (hovering, 2, {"max_episode_steps": 300})]
CASES += [(at_random, 2, {"gravity": -5.0}), (at_random, 2, {"enable_wind": True})]
CASES += [(at_random, 2, {"continuous": True}), (at_random, 1, {"render_mode": "rgb_array"})]


@pytest.mark.parametrize(("act", "episodes", "settings"), CASES)
def test_every_step_is_gymnasiums(act, episodes, settings):
    plain, quick = (records(name, act, episodes, **settings) for name in (PLAIN, QUICK))
    np.testing.assert_equal(quick, plain)


def test_the_careful_ones_land_and_the_hovering_ones_run_out_of_time():
    """So that the comparison has seen both kinds of end, and the reward of a rest."""
    last = [step for step in records(QUICK, careful, 4) if isinstance(step, tuple) and step[2]]
    assert any(reward == 100 for _, reward, *_ in last)
    assert records(QUICK, hovering, 1, max_episode_steps=300)[-1][2:4] == (False, True)


@pytest.mark.parametrize("action", [4, -1, 0.5, "left"])
def test_an_action_that_does_not_exist_is_refused(action):
    env = gym.make(QUICK)
    env.reset(seed=0)
    with pytest.raises(AssertionError, match="invalid"):
        env.step(action)


def test_time_limit_and_threshold_are_gymnasiums():
    plain, quick = gym.spec(PLAIN), gym.make(QUICK).spec
    assert (quick.max_episode_steps, quick.reward_threshold) == (
        plain.max_episode_steps,
        plain.reward_threshold,
    )
