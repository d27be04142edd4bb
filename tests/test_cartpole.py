"""The JAX CartPole does what Gymnasium's CartPole-v1 does."""

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from policy_gradients import cartpole

LEFT, RIGHT = 0, 1


@pytest.fixture(scope="module")
def environment():
    return gym.make("CartPole-v1")


@pytest.mark.parametrize("seed", range(3))
def test_every_step_agrees_with_gymnasium(environment, seed):
    rng = np.random.default_rng(seed)
    step = jax.jit(cartpole.step)
    for episode in range(10):
        observation, _ = environment.reset(seed=100 * seed + episode)
        ended = False
        while not ended:
            action = int(rng.integers(2))
            following, reward, terminated = step(jnp.asarray(observation), action)
            observation, expected_reward, expected_end, truncated, _ = environment.step(action)
            np.testing.assert_allclose(following, observation, rtol=1e-5, atol=1e-6)
            assert (float(reward), bool(terminated)) == (expected_reward, expected_end)
            ended = expected_end or truncated


@pytest.mark.parametrize(
    ("state", "action", "terminated"),
    [
        ([2.39, 1.0, 0, 0], RIGHT, True),
        ([-2.39, -1.0, 0, 0], LEFT, True),
        ([2.39, -1.0, 0, 0], RIGHT, False),
        ([0, 0, 0.2090, 1.0], LEFT, True),
        ([0, 0, -0.2090, -1.0], RIGHT, True),
        ([0, 0, 0.2090, -1.0], LEFT, False),
    ],
)
def test_the_limits_of_track_and_angle(environment, state, action, terminated):
    environment.reset()
    environment.unwrapped.state = np.array(state, dtype=np.float64)
    assert environment.step(action)[2] == terminated
    assert bool(cartpole.step(jnp.array(state, float), action)[2]) == terminated


def test_starts_are_uniform_between_minus_and_plus_a_twentieth():
    states = np.asarray(jax.vmap(cartpole.start)(jax.random.split(jax.random.PRNGKey(0), 4000)))
    assert states.shape == (4000, cartpole.OBSERVATION_SIZE)
    assert np.abs(states).max() < 0.05
    # The mean of 4,000 uniform numbers is off by six standard errors with probability 2e-9.
    assert np.abs(states.mean(axis=0)).max() < 6 * 0.05 / np.sqrt(3 * 4000)
    assert np.abs(states).max(axis=0).min() > 0.049


def upright(params, random_key, observation):
    """A controller that never falls: push to where the pole leans and moves."""
    return (observation @ jnp.array([0.1, 0.5, 5.0, 1.0]) > 0).astype(int)


def always_right(params, random_key, observation):
    return RIGHT


def coin(params, random_key, observation):
    return jax.random.bernoulli(random_key).astype(int)


def test_episodes_that_stand_are_truncated_and_not_terminated():
    episodes = cartpole.play(upright, None, jax.random.PRNGKey(0), 8)
    assert episodes.observations.shape == (cartpole.MAX_STEPS, 8, cartpole.OBSERVATION_SIZE)
    assert (episodes.lengths == 500).all() and (episodes.returns == 500).all()
    assert episodes.truncated.all() and not episodes.terminated.any()


def test_episodes_that_fall_are_terminated_and_padded():
    episodes = cartpole.play(always_right, None, jax.random.PRNGKey(0), 8)
    assert episodes.terminated.all() and not episodes.truncated.any()
    assert (episodes.returns == episodes.lengths).all()
    mask, rewards = np.asarray(episodes.mask), np.asarray(episodes.rewards)
    assert (np.diff(mask, axis=0) <= 0).all() and (mask[0] == 1).all()
    assert (rewards == mask).all()
    observations = np.asarray(episodes.observations)
    for i, length in enumerate(episodes.lengths):
        *_, before_last, last = observations[:length, i]
        assert np.allclose(cartpole.step(jnp.asarray(before_last), RIGHT)[0], last)
        assert bool(cartpole.step(jnp.asarray(last), RIGHT)[2])


def test_play_draws_by_the_key_and_differently_for_every_step_and_episode():
    first, again, other = [cartpole.play(coin, None, jax.random.PRNGKey(i), 16) for i in (0, 0, 1)]
    assert (first.actions == again.actions).all()
    assert (first.actions != other.actions).any()
    actions = np.asarray(first.actions)
    # 8,000 fair coins: the share of heads is off by six standard errors with probability 2e-9.
    assert abs(actions.mean() - 0.5) < 6 * 0.5 / np.sqrt(actions.size)
    assert len({tuple(column) for column in actions.T}) == 16
    assert len({tuple(row) for row in actions}) > 450
