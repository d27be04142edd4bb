"""The trainer that is one compiled function: its episodes, its gradient, its stopping, and what it learns."""

import dataclasses

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from policy_gradients import acrobot, cartpole
from policy_gradients import on_device as od
from policy_gradients.episodes import make_environments, play

KEY = jax.random.PRNGKey(3)
SETTINGS = od.Settings(n_episodes=16, max_updates=120)
ENVIRONMENTS = pytest.mark.parametrize("environment", [cartpole, acrobot], ids=["cartpole", "acrobot"])


def some_params(environment):
    """Of some policy that is far from uniform and depends on the observation."""
    first, second, (weights, biases) = od.initial_params(environment, 32, KEY)
    return [first, second, (weights + jax.random.normal(KEY, weights.shape), biases + 0.3)]


@pytest.fixture(scope="module")
def params():
    return some_params(cartpole)


def state_of(environment, observation):
    if environment is cartpole:
        return observation
    cosine_1, sine_1, cosine_2, sine_2, *spins = observation
    return np.array([np.arctan2(sine_1, cosine_1), np.arctan2(sine_2, cosine_2), *spins])


@ENVIRONMENTS
def test_episodes_follow_the_environment_and_end_with_it(environment):
    batch = jax.tree.map(np.asarray, od.rollout(environment, some_params(environment), KEY, 8))
    step = jax.jit(environment.step)
    lengths = batch.mask.sum(axis=0).astype(int)
    assert set(np.unique(batch.mask)) == {0, 1} and (np.diff(batch.mask, axis=0) <= 0).all()
    assert (batch.rewards[batch.mask == 0] == 0).all()
    for i, length in enumerate(lengths):
        for t in range(length):
            state = state_of(environment, batch.observations[t, i])
            following, reward, terminated = step(state, batch.actions[t, i])
            assert batch.rewards[t, i] == reward
            assert bool(terminated) == (t == length - 1) or t == environment.MAX_STEPS - 1
            if t < length - 1:
                expected = environment.observe(following)
                np.testing.assert_allclose(batch.observations[t + 1, i], expected, rtol=1e-4, atol=1e-4)


@ENVIRONMENTS
def test_actions_are_drawn_from_the_policy(environment):
    """Count minus sum of probabilities is off by five standard errors at most (6e-7), for each action."""
    params = some_params(environment)
    batch = od.rollout(environment, params, KEY, 64)
    probabilities = jax.nn.softmax(od.logits(params, batch.observations))
    for action in range(environment.N_ACTIONS):
        p = probabilities[..., action]
        error = (((batch.actions == action) - p) * batch.mask).sum()
        assert abs(error) < 5 * jnp.sqrt((p * (1 - p) * batch.mask).sum())
    greedy = od.rollout(environment, params, KEY, 64, greedy=True)
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


def test_a_look_at_the_greedy_policy_learns_nothing():
    """A target that every batch reaches: five updates, one look, and the parameters of the fifth."""
    easy = od.Settings(n_episodes=4, max_updates=50, target=1.0)
    without = od.train(cartpole, od.Settings(n_episodes=4, max_updates=5), KEY)
    looked_at = od.train(cartpole, easy, KEY)
    assert looked_at.solved and int(looked_at.n_updates) == 5 and not without.solved
    for one, other in zip(jax.tree.leaves(looked_at.params), jax.tree.leaves(without.params), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("environment", "name", "target"), [(cartpole, "CartPole-v1", 490.0), (acrobot, "Acrobot-v1", -90.0)]
)
def test_what_it_has_learned_holds_in_gymnasium(environment, name, target):
    """Three seeds that no setting was chosen on, 100 episodes each of gymnasium's own environment."""
    threshold = gym.spec(name).reward_threshold
    environments = make_environments(name, 100)
    settings = dataclasses.replace(SETTINGS, target=target)
    for seed in (0, 1, 2):
        trained = od.train(environment, settings, jax.random.PRNGKey(seed))
        n = int(trained.n_updates)
        assert trained.solved and jnp.isnan(trained.curve[n:]).all() and not trained.steps[n:].any()
        assert (np.diff(trained.steps[:n]) > 0).all()
        policy = jax.jit(lambda seen, params=trained.params: od.logits(params, seen).argmax(axis=-1))
        assert play(environments, policy, seed=1_000 * seed).returns.mean() >= threshold


def test_steps_are_counted():
    """On CartPole every step is worth 1."""
    trained = od.train(cartpole, od.Settings(n_episodes=16, max_updates=8), KEY)
    np.testing.assert_allclose(trained.steps[:8], 16 * np.cumsum(trained.curve[:8]), rtol=1e-4)
