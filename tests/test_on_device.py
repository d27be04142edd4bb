"""The trainer that is one compiled function: its episodes, its gradient, its stopping, and what it learns."""

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from policy_gradients import cartpole
from policy_gradients import on_device as od
from policy_gradients.episodes import make_environments, play

KEY = jax.random.PRNGKey(3)
SETTINGS = od.Settings(n_episodes=16, max_updates=120)


@pytest.fixture(scope="module")
def params():
    """Of some policy that is far from uniform and depends on the observation."""
    first, second, (weights, biases) = od.initial_params(cartpole, 32, KEY)
    return [first, second, (weights + jax.random.normal(KEY, weights.shape), biases + 0.3)]


def test_episodes_follow_cartpole_and_end_with_it(params):
    batch = jax.tree.map(np.asarray, od.rollout(cartpole, params, KEY, 8))
    lengths = batch.mask.sum(axis=0).astype(int)
    assert set(np.unique(batch.mask)) == {0, 1} and (np.diff(batch.mask, axis=0) <= 0).all()
    np.testing.assert_array_equal(batch.rewards, batch.mask)
    for i, length in enumerate(lengths):
        for t in range(length):
            following, _, terminated = cartpole.step(batch.observations[t, i], batch.actions[t, i])
            assert bool(terminated) == (t == length - 1)
            if t < length - 1:
                np.testing.assert_allclose(following, batch.observations[t + 1, i], rtol=1e-5, atol=1e-6)


def test_actions_are_drawn_from_the_policy(params):
    """Over 64 episodes the mean of action minus probability is off by five standard errors at most (6e-7)."""
    batch = od.rollout(cartpole, params, KEY, 64)
    p = jax.nn.softmax(od.logits(params, batch.observations))[..., 1]
    error = ((batch.actions - p) * batch.mask).sum()
    assert abs(error) < 5 * jnp.sqrt((p * (1 - p) * batch.mask).sum())
    greedy = od.rollout(cartpole, params, KEY, 64, greedy=True)
    likeliest = od.logits(params, greedy.observations).argmax(axis=-1)
    assert ((greedy.actions == likeliest) | (greedy.mask == 0)).all()


def test_the_first_policy_is_uniform():
    observations = jax.random.normal(KEY, (10, cartpole.OBSERVATION_SIZE))
    np.testing.assert_array_equal(od.logits(od.initial_params(cartpole, 32, KEY), observations), 0)


def test_weights_are_future_rewards_beside_those_of_the_other_running_episodes():
    rewards = np.array([[1.0, 2.0], [3.0, 0.0], [5.0, 0.0]])
    mask = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    weights = od._weights(od.Batch(None, None, jnp.array(rewards), jnp.array(mask)))
    differences = np.array([[9 - 5.5, 2 - 5.5], [0.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(weights, differences / np.sqrt((differences**2).sum() / 4), rtol=1e-5)


def test_the_gradient_is_that_of_reinforce(params):
    """Against the sum of weight times score, each score by itself."""
    batch = od.rollout(cartpole, params, KEY, 3)
    weights = od._weights(batch)
    gradient = jax.grad(od._loss)(params, batch, weights)

    def log_prob(params, observation, action):
        return jax.nn.log_softmax(od.logits(params, observation))[action]

    scores = jax.vmap(jax.vmap(jax.grad(log_prob), (None, 0, 0)), (None, 0, 0))(
        params, batch.observations, batch.actions
    )
    for ours, each in zip(jax.tree.leaves(gradient), jax.tree.leaves(scores), strict=True):
        weighted = jnp.einsum("tn,tn...->...", weights * batch.mask, each) / 3
        np.testing.assert_allclose(ours, -weighted, rtol=2e-3, atol=2e-4)


def test_seeds_side_by_side_are_trained_as_one_by_one():
    few = od.Settings(n_episodes=4, max_updates=6)
    keys = jax.random.split(KEY, 3)
    together = jax.vmap(od.train, (None, None, 0))(cartpole, few, keys)
    for i, key in enumerate(keys):
        alone = od.train(cartpole, few, key)
        assert int(alone.n_updates) == 6 and not alone.solved
        # Sums in another order: the same episodes as long as no action flips.
        np.testing.assert_allclose(together.curve[i], alone.curve, rtol=0.2)


def test_what_it_has_learned_holds_in_gymnasium():
    """Three seeds that no setting was chosen on, 100 episodes each of gymnasium's own CartPole-v1."""
    threshold = gym.spec("CartPole-v1").reward_threshold
    environments = make_environments("CartPole-v1", 100)
    for seed in (0, 1, 2):
        trained = od.train(cartpole, SETTINGS, jax.random.PRNGKey(seed))
        assert trained.solved and jnp.isnan(trained.curve[trained.n_updates :]).all()
        assert int(trained.n_steps) == pytest.approx(float(jnp.nansum(trained.curve)) * 16, rel=1e-4)
        policy = jax.jit(lambda seen, params=trained.params: od.logits(params, seen).argmax(axis=-1))
        assert play(environments, policy, seed=1_000 * seed).returns.mean() >= threshold
