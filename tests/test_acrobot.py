"""The JAX Acrobot does what Gymnasium's Acrobot-v1 does."""

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from policy_gradients import acrobot


@pytest.fixture(scope="module")
def environment():
    return gym.make("Acrobot-v1")


def swing(rng, velocity):
    """Mostly with the lower link's movement, which swings up to the top and reaches high speeds."""
    return rng.integers(3) if rng.random() < 0.3 else 1 + int(np.sign(velocity))


@pytest.mark.parametrize("seed", range(3))
def test_every_step_agrees_with_gymnasium(environment, seed):
    """From the same state each time: a double pendulum doubles any difference within a few steps."""
    rng, step = np.random.default_rng(seed), jax.jit(acrobot.step)
    observation, _ = environment.reset(seed=seed)
    ended, tops = False, 0
    for _ in range(1_000):
        if ended:
            observation, _ = environment.reset()
        action = swing(rng, observation[5])
        state = np.array(environment.unwrapped.state, np.float32)
        np.testing.assert_allclose(acrobot.observe(jnp.array(state)), observation, atol=1e-6)
        following, reward, terminated = step(state, action)
        observation, expected_reward, top, truncated, _ = environment.step(action)
        np.testing.assert_allclose(acrobot.observe(following), observation, rtol=1e-5, atol=2e-5)
        assert np.abs(following[:2]).max() <= np.pi + 1e-6
        assert (float(reward), bool(terminated)) == (expected_reward, top)
        ended, tops = top or truncated, tops + top
    assert tops >= 3


@pytest.mark.parametrize("spins", [[12.5, 28.0], [-12.5, -28.0], [3.0, 28.2], [12.56, -20.0]])
@pytest.mark.parametrize("angles", [[3.1, 0.0], [-3.0, 3.0], [0.1, 1.6]])
@pytest.mark.parametrize("action", range(3))
def test_limits_of_velocities_and_wrapping_of_angles(environment, angles, spins, action):
    environment.reset()
    state = np.array([*angles, *spins], np.float32)
    environment.unwrapped.state = state
    observation, *_ = environment.step(action)
    following, _, _ = acrobot.step(jnp.array(state), action)
    np.testing.assert_allclose(acrobot.observe(following), observation, rtol=1e-4, atol=5e-4)
    np.testing.assert_allclose(following[:2], environment.unwrapped.state[:2], atol=5e-4)


def test_starts_are_uniform_between_minus_and_plus_a_tenth():
    states = np.asarray(acrobot.start(jax.random.PRNGKey(0), (4_000,)))
    assert states.shape == (4, 4_000)
    assert np.abs(states).max(axis=1).min() > 0.099 and np.abs(states).max() < 0.1
    # The mean of 4,000 uniform numbers is off by six standard errors with probability 2e-9.
    assert np.abs(states.mean(axis=1)).max() < 6 * 0.1 / np.sqrt(3 * 4_000)


def test_many_environments_step_as_each_by_itself():
    states = acrobot.start(jax.random.PRNGKey(1), (5,)) * 20
    actions = jnp.array([0, 1, 2, 0, 1])
    together = acrobot.step(states, actions)
    for i, action in enumerate(actions):
        alone = acrobot.step(states[:, i], action)
        for ours, theirs in zip(alone, together, strict=True):
            np.testing.assert_allclose(ours, theirs[..., i], rtol=1e-5, atol=1e-5)
