"""The statements that the chapters prove, checked on random small problems: exact, without sampling."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime, minimize_scalar
from scipy.special import expit, softmax
from scipy.stats import norm

from policy_gradients.tabular import (
    TabularMDP,
    exact_policy_gradient,
    expected_return,
    gridworld,
    policy_evaluation,
    visitation,
)


def random_mdp(seed: int, discount: float, layers: int = 3, width: int = 2) -> TabularMDP:
    """States in layers; each step leads to a random state of the next layer or to the end."""
    rng = np.random.default_rng(seed)
    n_states, end = layers * width + 1, layers * width
    transitions, rewards = np.zeros((n_states, 2, n_states)), np.zeros((n_states, 2, n_states))
    for state in range(end):
        later = [*range((state // width + 1) * width, min((state // width + 2) * width, end)), end]
        transitions[state][:, later] = rng.dirichlet(np.ones(len(later)), size=2)
        rewards[state] = rng.normal(size=(2, n_states))
    transitions[end, :, end] = 1.0
    start = np.zeros(n_states)
    start[:width] = 1 / width
    return TabularMDP(transitions, rewards, start, np.arange(n_states) == end, discount)


def trajectories(mdp: TabularMDP, policy: np.ndarray):
    """Every possible trajectory with its probability: (probability, [(s, a, r), ...])."""
    open_ones = [(p, [], s) for s, p in enumerate(mdp.start) if p]
    while open_ones:
        probability, steps, s = open_ones.pop()
        if mdp.terminal[s]:
            yield probability, steps
            continue
        for a, s2 in itertools.product(range(policy.shape[1]), range(len(mdp.start))):
            p = probability * policy[s, a] * mdp.transitions[s, a, s2]
            if p:
                open_ones.append((p, [*steps, (s, a, mdp.rewards[s, a, s2])], s2))


def expected_estimate(mdp, theta, weight, sampling_policy=None):
    """Expectation of the sum over t of weight(t, rewards, s_t) times the score, by enumeration."""
    policy = softmax(theta, axis=1)
    total = np.zeros_like(theta)
    for probability, steps in trajectories(mdp, policy if sampling_policy is None else sampling_policy):
        rewards = np.array([r for _, _, r in steps])
        for t, (s, a, _) in enumerate(steps):
            total[s] += probability * weight(t, rewards, s) * (np.eye(theta.shape[1])[a] - policy[s])
    return total


def to_go(t, rewards, gamma):
    return (gamma ** np.arange(len(rewards) - t) * rewards[t:]).sum()


@pytest.fixture(params=[(0, 1.0), (1, 0.7), (2, 0.0)], ids=lambda p: f"gamma={p[1]}")
def problem(request):
    seed, gamma = request.param
    mdp = random_mdp(seed, gamma)
    return mdp, np.random.default_rng(seed + 100).normal(size=(7, 2))


def test_past_and_baseline_leave_the_expected_gradient(problem):
    mdp, theta = problem
    gamma, exact = mdp.discount, exact_policy_gradient(mdp, theta)
    baseline = np.random.default_rng(7).normal(size=7)
    for weight in (
        lambda t, r, s: to_go(0, r, gamma),
        lambda t, r, s: gamma**t * to_go(t, r, gamma),
        lambda t, r, s: gamma**t * (to_go(t, r, gamma) - baseline[s]),
    ):
        assert np.allclose(expected_estimate(mdp, theta, weight), exact, atol=1e-12)


def test_without_gamma_to_the_t_the_direction_is_the_one_that_is_claimed(problem):
    mdp, theta = problem
    direction = expected_estimate(mdp, theta, lambda t, r, s: to_go(t, r, mdp.discount))
    visits = visitation(replace(mdp, discount=1.0), softmax(theta, axis=1)) - mdp.start
    later = sum(
        visits[s] * exact_policy_gradient(replace(mdp, start=np.eye(7)[s]), theta)
        for s in np.flatnonzero(~mdp.terminal)
    )
    claimed = exact_policy_gradient(mdp, theta) + (1 - mdp.discount) * later
    assert np.allclose(direction, claimed, atol=1e-12)


def test_old_data_gives_the_direction_that_is_claimed(problem):
    mdp, theta = problem
    behaviour = softmax(np.random.default_rng(3).normal(size=theta.shape), axis=1)
    mdp = replace(mdp, discount=1.0)
    sampled = expected_estimate(mdp, theta, lambda t, r, s: to_go(t, r, 1.0), behaviour)
    _, action_values = policy_evaluation(mdp, behaviour)
    summed = visitation(mdp, behaviour)[:, None] * behaviour * action_values
    claimed = summed - summed.sum(axis=1, keepdims=True) * softmax(theta, axis=1)
    assert np.allclose(sampled, claimed, atol=1e-12)


def test_where_old_data_with_positive_returns_leads_is_no_worse_than_the_old_policy():
    mdp = random_mdp(4, 1.0)
    mdp = replace(mdp, rewards=np.where(mdp.terminal[:, None, None], 0, np.abs(mdp.rewards)))
    behaviour = softmax(np.random.default_rng(5).normal(size=(7, 2)), axis=1)
    values, action_values = policy_evaluation(mdp, behaviour)
    live = ~mdp.terminal
    resting = np.where(live[:, None], behaviour * action_values, 1.0)
    resting /= resting.sum(axis=1, keepdims=True)
    drift = expected_estimate(mdp, np.log(resting), lambda t, r, s: to_go(t, r, 1.0), behaviour)
    assert np.allclose(drift, 0, atol=1e-12)
    assert (policy_evaluation(mdp, resting)[0][live] >= values[live] - 1e-12).all()


def test_batch_mean_shrinks_by_one_minus_one_over_n():
    policy, returns = np.array([0.2, 0.5, 0.3]), np.array([1.0, -2.0, 4.0])
    scores = np.eye(3) - policy
    exact = policy @ (returns[:, None] * scores)
    for n in (2, 3):
        mean = 0.0
        for actions in itertools.product(range(3), repeat=n):
            chosen = list(actions)
            centred = returns[chosen] - returns[chosen].mean()
            mean = mean + policy[chosen].prod() * (centred[:, None] * scores[chosen]).mean(axis=0)
        assert np.allclose(mean, (1 - 1 / n) * exact)


def test_best_baseline_weights_returns_with_squared_scores():
    rng = np.random.default_rng(11)
    policy, returns = rng.dirichlet(np.ones(5)), rng.normal(size=5)
    scores = np.eye(5) - policy
    squared = (scores**2).sum(axis=1)
    found = minimize_scalar(lambda b: policy @ ((returns - b) ** 2 * squared)).x
    assert found == pytest.approx(policy @ (squared * returns) / (policy @ squared), abs=1e-6)
    assert abs(found - policy @ returns) > 1e-3


def test_two_crossroads_send_practice_to_the_worst_policy():
    gamma = 0.9

    def objective(theta, discount):
        p = expit(theta[0])
        return p * -0.5 + p * (discount**10 - 2 * discount**30)

    p = 0.3
    theta = np.array([np.log(p / (1 - p))])
    practice = p * (1 - p) * (-0.5 + 1 - 2 * gamma**20)
    assert practice > 0
    assert approx_fprime(theta, objective, 1e-7, gamma)[0] < 0
    assert approx_fprime(theta, objective, 1e-7, 1.0)[0] < 0


def test_clipped_gaussian_gradients():
    mu, sigma = 0.8, 0.6
    lower, upper = (-1 - mu) / sigma, (1 - mu) / sigma

    def clipped_mean(m):
        inside, _ = quad(lambda a: a * norm.pdf(a, m[0], sigma), -1, 1)
        return inside + norm.sf(1, m[0], sigma) - norm.cdf(-1, m[0], sigma)

    exact = approx_fprime(np.array([mu]), clipped_mean, 1e-6)[0]
    assert exact == pytest.approx(norm.cdf(upper) - norm.cdf(lower), abs=1e-5)

    def average(function):
        pieces = [(-9, -1), (-1, 1), (1, 9)]
        return sum(quad(lambda a: norm.pdf(a, mu, sigma) * function(a), *piece)[0] for piece in pieces)

    def clip(a):
        return min(max(a, -1), 1)

    unclipped = average(lambda a: clip(a) * (a - mu) / sigma**2)
    wrong = average(lambda a: clip(a) * (clip(a) - mu) / sigma**2)
    assert unclipped == pytest.approx(exact, abs=1e-5)
    assert wrong < exact / 2


def test_stable_form_of_the_tanh_correction():
    a = np.linspace(-15, 15, 61)
    stable = 2 * (np.log(2) - a - np.logaddexp(0, -2 * a))
    assert np.allclose(stable, -2 * np.log(np.cosh(a)), rtol=1e-12, atol=1e-12)


def test_the_gridworld_gradient_is_the_derivative_of_the_expected_return():
    mdp, theta = gridworld(0.9), np.random.default_rng(0).normal(size=(16, 4))
    numeric = approx_fprime(
        theta.ravel(), lambda x: expected_return(mdp, softmax(x.reshape(16, 4), axis=1)), 1e-7
    )
    assert np.allclose(numeric.reshape(16, 4), exact_policy_gradient(mdp, theta), atol=1e-5)
