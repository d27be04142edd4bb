"""The exact solver and the sampler against enumeration, finite differences and each other."""

import dataclasses

import numpy as np
import pytest
from scipy.special import softmax

from policy_gradients.tabular import (
    TabularMDP,
    exact_policy_gradient,
    expected_return,
    greedy_policy,
    gridworld,
    policy_evaluation,
    sample_trajectories,
    value_iteration,
    visitation,
)

# z of a two-sided normal test that rejects a right sampler with probability 1e-6.
Z_ONE_IN_A_MILLION = 4.9


def layered_mdp(rng, discount=0.8):
    """A random MDP whose episodes last 3 steps at most; state 4 is terminal."""
    leads_to = [[0, 1, 1, 0, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]]
    transitions = rng.random((5, 2, 5)) * np.array(leads_to)[:, None]
    transitions /= transitions.sum(axis=2, keepdims=True)
    rewards = rng.normal(size=(5, 2, 5))
    rewards[4] = 0.0
    start = np.array([0.7, 0.3, 0.0, 0.0, 0.0])
    return TabularMDP(transitions, rewards, start, np.arange(5) == 4, discount)


def enumerate_trajectories(mdp, policy):
    """Every trajectory as (probability, discounted return, visited (t, s, a))."""

    def grow(probability, total, steps, state):
        if mdp.terminal[state]:
            yield probability, total, steps
            return
        for action, arrived in np.ndindex(policy.shape[1], len(mdp.start)):
            chance = policy[state, action] * mdp.transitions[state, action, arrived]
            if chance > 0:
                gain = mdp.discount ** len(steps) * mdp.rewards[state, action, arrived]
                step = (len(steps), state, action)
                yield from grow(probability * chance, total + gain, [*steps, step], arrived)

    for state in np.flatnonzero(mdp.start):
        yield from grow(mdp.start[state], 0.0, [], state)


@pytest.fixture(params=range(3))
def rng(request):
    return np.random.default_rng(request.param)


def test_expected_return_and_visitation_are_those_of_all_trajectories(rng):
    mdp = layered_mdp(rng)
    policy = softmax(rng.normal(size=(5, 2)), axis=1)
    trajectories = list(enumerate_trajectories(mdp, policy))
    assert sum(p for p, _, _ in trajectories) == pytest.approx(1)
    assert expected_return(mdp, policy) == pytest.approx(sum(p * total for p, total, _ in trajectories))
    visits = np.zeros(5)
    for probability, _, steps in trajectories:
        for t, state, _ in steps:
            visits[state] += probability * mdp.discount**t
    np.testing.assert_allclose(visitation(mdp, policy), visits)


def test_policy_evaluation_solves_the_bellman_equation():
    rng = np.random.default_rng(3)
    mdp = gridworld(0.9)
    policy = softmax(rng.normal(size=(16, 4)), axis=1)
    values, action_values = policy_evaluation(mdp, policy)
    np.testing.assert_allclose(values, (policy * action_values).sum(axis=1), atol=1e-12)
    expected = np.einsum("sap,sap->sa", mdp.transitions, mdp.rewards + 0.9 * values)
    np.testing.assert_allclose(action_values, expected, atol=1e-12)
    assert (values[mdp.terminal] == 0).all()


@pytest.mark.parametrize("discount", [0.0, 0.9, 1.0])
def test_exact_gradient_is_the_derivative_of_the_expected_return(discount):
    mdp = gridworld(discount)
    theta = np.random.default_rng(4).normal(size=(16, 4))
    numeric, h = np.zeros_like(theta), 1e-5
    for index in np.ndindex(*theta.shape):
        shift = np.zeros_like(theta)
        shift[index] = h
        above, below = (expected_return(mdp, softmax(theta + sign * shift, axis=1)) for sign in (1, -1))
        numeric[index] = (above - below) / (2 * h)
    np.testing.assert_allclose(exact_policy_gradient(mdp, theta), numeric, atol=1e-8)


def test_gridworld_is_the_one_of_the_course():
    mdp = gridworld()
    index = {(x, y): 4 * (x - 1) + (y - 1) for x in range(1, 5) for y in range(1, 5)}
    up, down, left, right = range(4)
    cases = [
        ((3, 2), up, (2, 2), -0.1),
        ((3, 2), down, (4, 2), -0.1),
        ((3, 2), left, (3, 1), -0.1),
        ((3, 2), right, (3, 3), -0.1),
        ((1, 1), up, (1, 1), -0.1),
        ((4, 1), left, (4, 1), -0.1),
        ((1, 4), right, (1, 4), -0.1),
        ((4, 3), down, (4, 3), -0.1),
        ((1, 3), down, (2, 3), -1.0),
        ((4, 3), right, (4, 4), 1.0),
        ((3, 4), down, (4, 4), 1.0),
    ]
    for state, action, arrived, reward in cases:
        assert mdp.transitions[index[state], action, index[arrived]] == 1
        assert mdp.rewards[index[state], action, index[arrived]] == reward
    assert set(np.flatnonzero(mdp.terminal)) == {index[2, 3], index[4, 4]}
    assert mdp.start[index[1, 1]] == 1


def test_optimal_values_of_the_gridworld_count_the_steps_to_the_goal():
    values, action_values = value_iteration(gridworld())
    x, y = np.indices((4, 4))
    steps = 6 - x - y  # no detour around the pit is needed from any state
    expected = 1 - 0.1 * (steps - 1)
    expected[1, 2] = expected[3, 3] = 0
    np.testing.assert_allclose(values, expected.ravel(), atol=1e-12)
    greedy = greedy_policy(action_values)
    np.testing.assert_allclose(policy_evaluation(gridworld(), greedy)[0], values, atol=1e-12)
    np.testing.assert_allclose(greedy[0], [0, 0.5, 0, 0.5])  # at the start, down and right tie


def test_value_iteration_is_no_worse_than_any_deterministic_policy(rng):
    mdp = layered_mdp(rng)
    policies = (np.eye(2)[list(choice)] for choice in np.ndindex(*[2] * 5))
    best = max(expected_return(mdp, policy) for policy in policies)
    assert mdp.start @ value_iteration(mdp)[0] == pytest.approx(best)


def test_rewards_may_leave_the_next_state_out(rng):
    mdp = layered_mdp(rng)
    shorter = dataclasses.replace(mdp, rewards=mdp.expected_rewards)
    policy = np.full((5, 2), 0.5)
    assert expected_return(shorter, policy) == pytest.approx(expected_return(mdp, policy))
    drawn = sample_trajectories(shorter, policy, 50, rng, horizon=3)
    taken = drawn.mask == 1
    np.testing.assert_array_equal(
        drawn.rewards[taken], shorter.rewards[drawn.states[:-1], drawn.actions][taken]
    )


def test_sampled_returns_and_state_visits_have_the_exact_means():
    # 17 two-sided z-tests, each wrong with probability 1e-6 on a right sampler: under 2e-5 in all.
    rng = np.random.default_rng(5)
    mdp = gridworld()
    policy = softmax(rng.normal(size=(16, 4)), axis=1)
    drawn = sample_trajectories(mdp, policy, 4_000, rng, horizon=400)
    assert drawn.terminated.all()
    assert_mean(drawn.rewards.sum(axis=0), expected_return(mdp, policy))
    visits = visitation(mdp, policy)
    for state in range(16):
        counts = (drawn.mask * (drawn.states[:-1] == state)).sum(axis=0)
        assert_mean(counts, visits[state])


def test_sampled_transitions_and_start_have_their_probabilities(rng):
    # A sampler that ignored p(s' | s, a) or p_0 would still pass on the deterministic gridworld.
    # At most 20 z-tests per seed at 1e-6 each.
    mdp = layered_mdp(rng)
    policy = np.full((5, 2), [0.2, 0.8])
    drawn = sample_trajectories(mdp, policy, 20_000, rng, horizon=3)
    assert_mean(drawn.states[0] == 0, mdp.start[0])
    assert_mean(drawn.actions[0] == 1, 0.8)
    taken = drawn.mask == 1
    for state, action in np.ndindex(4, 2):
        here = taken & (drawn.states[:-1] == state) & (drawn.actions == action)
        for arrived in np.flatnonzero(mdp.transitions[state, action]):
            assert_mean(drawn.states[1:][here] == arrived, mdp.transitions[state, action, arrived])


def assert_mean(sample, mean):
    error = sample.std() / np.sqrt(len(sample))
    assert abs(sample.mean() - mean) <= Z_ONE_IN_A_MILLION * error + 1e-12


def test_trajectories_are_padded_after_their_end_and_cut_at_the_horizon():
    mdp = gridworld()
    drawn = sample_trajectories(mdp, np.full((16, 4), 0.25), 500, np.random.default_rng(6), horizon=8)
    assert drawn.states.shape == (9, 500)
    assert drawn.actions.shape == drawn.rewards.shape == drawn.mask.shape == (8, 500)
    np.testing.assert_array_equal(drawn.terminated, ~drawn.truncated)
    assert drawn.terminated.any() and drawn.truncated.any()
    lengths = drawn.mask.sum(axis=0).astype(int)
    assert (lengths[drawn.truncated] == 8).all()
    for i, length in enumerate(lengths):
        np.testing.assert_array_equal(drawn.mask[:, i], np.arange(8) < length)
        assert not mdp.terminal[drawn.states[:length, i]].any()
        assert mdp.terminal[drawn.states[length, i]] == drawn.terminated[i]
        assert (drawn.states[length:, i] == drawn.states[length, i]).all()
        assert not drawn.rewards[length:, i].any() and not drawn.actions[length:, i].any()


def test_the_same_seed_draws_the_same_trajectories():
    mdp, policy = gridworld(), np.full((16, 4), 0.25)
    first, second = (sample_trajectories(mdp, policy, 5, np.random.default_rng(7), 20) for _ in range(2))
    np.testing.assert_array_equal(first.states, second.states)


def test_a_policy_that_never_ends_has_no_value_without_discount():
    upwards = np.tile([1.0, 0, 0, 0], (16, 1))
    with pytest.raises(ValueError, match="never end"):
        policy_evaluation(gridworld(), upwards)
    assert expected_return(gridworld(0.5), upwards) == pytest.approx(-0.2)


def test_value_iteration_says_when_values_do_not_converge():
    endless = TabularMDP(np.ones((1, 1, 1)), np.ones((1, 1)), np.ones(1), np.array([False]), 1.0)
    with pytest.raises(ValueError, match="discount below 1"):
        value_iteration(endless)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("transitions", np.ones((16, 4, 16)), "sum 1"),
        ("transitions", np.eye(16), "transitions must be"),
        ("rewards", np.zeros(16), "rewards must be"),
        ("rewards", np.ones((16, 4)), "yield reward 0"),
        ("start", np.full(16, 1 / 16), "terminal states probability 0"),
        ("start", np.zeros(16), "start must be probabilities"),
        ("terminal", np.zeros(16), "array of bool"),
        ("terminal", np.arange(16) == 0, "start must give"),
        ("terminal", np.arange(16) == 1, "must lead to itself"),
        ("discount", 1.5, "discount"),
    ],
)
def test_what_is_not_an_mdp_is_refused_by_name(name, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(gridworld(), **{name: value})


@pytest.mark.parametrize("policy", [np.full((4, 16), 1 / 16), np.full((16, 4), 0.3)])
def test_what_is_not_a_policy_is_refused(policy):
    with pytest.raises(ValueError, match="policy must"):
        policy_evaluation(gridworld(), policy)
    with pytest.raises(ValueError, match="policy must"):
        sample_trajectories(gridworld(), policy, 1, np.random.default_rng(0), 5)
