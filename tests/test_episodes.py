"""Playing complete episodes in Gymnasium's environments."""

import gymnasium as gym
import numpy as np
import pytest

from policy_gradients.episodes import make_environments, play, uniformly_random


def upright(observations):
    return (observations @ np.array([0.1, 0.5, 5.0, 1.0]) > 0).astype(int)


def test_one_episode_per_environment_as_a_plain_loop_plays_it():
    episodes = play(
        make_environments("CartPole-v1", 6), lambda seen: [i % 2 for i in range(len(seen))], seed=7
    )
    for i in range(6):
        environment = gym.make("CartPole-v1")
        observation, _ = environment.reset(seed=7 + i)
        length, ended = 0, False
        while not ended:
            assert np.array_equal(episodes.observations[length, i], observation)
            observation, _, ended, truncated, _ = environment.step(i % 2)
            assert not truncated
            length += 1
        assert episodes.lengths[i] == episodes.returns[i] == length
        assert not episodes.mask[length:, i].any() and not episodes.rewards[length:, i].any()


def test_termination_and_truncation_are_kept_apart():
    falling = play(make_environments("CartPole-v1", 3), lambda seen: np.ones(3, int), seed=0)
    assert falling.terminated.all() and not falling.truncated.any()
    standing = play(make_environments("CartPole-v1", 3), upright, seed=0)
    assert standing.truncated.all() and not standing.terminated.any()
    assert (standing.returns == 500).all()


def test_an_environment_whose_episode_has_ended_is_not_stepped_again():
    steps = []

    class Counting(gym.Wrapper):
        def step(self, action):
            steps.append(id(self))
            return super().step(action)

    environments = [Counting(env) for env in make_environments("CartPole-v1", 4)]
    episodes = play(environments, uniformly_random(2, seed=0), seed=0)
    assert [steps.count(id(env)) for env in environments] == episodes.lengths.tolist()
    assert len(set(episodes.lengths)) > 1


def test_a_seed_repeats_the_episodes_and_none_continues():
    environments = make_environments("CartPole-v1", 2)
    first, again = [play(environments, upright, seed=3).observations for _ in range(2)]
    following = play(environments, upright).observations
    assert np.array_equal(first, again)
    assert not np.array_equal(first, following)


def test_environments_without_a_time_limit_are_refused():
    environments = [gym.make("CartPole-v1").unwrapped]
    environments[0].spec = None
    with pytest.raises(ValueError, match="time limit"):
        play(environments, upright)


def test_the_random_policy_is_uniform():
    actions = np.concatenate([uniformly_random(4, seed=i)(np.zeros((1000, 8))) for i in range(4)])
    counts = np.bincount(actions, minlength=4)
    # Each count is binomial(4000, 1/4): six standard deviations, false alarm below 1e-8.
    assert np.abs(counts - 1000).max() < 6 * np.sqrt(4000 * 3 / 16)
