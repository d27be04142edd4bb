"""What the chapter GRPO claims, exactly; and the parts of its assignment's training that are not graded."""

import itertools
from dataclasses import replace

import jupytext
import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax

from autograder import release
from autograder.master import Master, is_training
from policy_gradients.tabular import exact_policy_gradient, expected_return, policy_evaluation, visitation
from tests.test_chapter_claims import random_mdp, trajectories


@pytest.fixture
def problem():
    """A small MDP with one start, and logits of a policy."""
    mdp = random_mdp(5, discount=1.0, layers=2)
    return replace(mdp, start=np.eye(5)[0]), np.random.default_rng(6).normal(size=(5, 2))


def return_and_score(steps, policy):
    score = np.zeros_like(policy)
    for s, a, _ in steps:
        score[s] += np.eye(policy.shape[1])[a] - policy[s]
    return sum(reward for _, _, reward in steps), score


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_groups_mean_as_baseline_shrinks_the_gradient_and_does_not_turn_it(problem, n):
    mdp, theta = problem
    policy = softmax(theta, axis=1)
    episodes = [(p, *return_and_score(steps, policy)) for p, steps in trajectories(mdp, policy)]
    expectation = np.zeros_like(theta)
    for group in itertools.product(episodes, repeat=n):
        chance = np.prod([p for p, _, _ in group])
        mean = np.mean([g for _, g, _ in group])
        expectation += chance * sum((g - mean) * score for _, g, score in group) / n
    np.testing.assert_allclose(expectation, (1 - 1 / n) * exact_policy_gradient(mdp, theta), atol=1e-12)


def test_a_group_may_share_what_the_environment_draws():
    """One action, then a reward that a shared coin decides: the pair's estimate is half the gradient."""
    theta = 0.4
    p = expit(theta)
    reward = {(coin, action): 3.0 * coin + (2 * coin - 0.5) * action for coin in (0, 1) for action in (0, 1)}
    expectation = 0.0
    for coin, first, second in itertools.product((0, 1), repeat=3):
        chance = 0.5 * np.prod([p if action else 1 - p for action in (first, second)])
        returns = np.array([reward[coin, first], reward[coin, second]])
        expectation += chance * ((returns - returns.mean()) * (np.array([first, second]) - p)).mean()
    gradient = p * (1 - p) * np.mean([reward[coin, 1] - reward[coin, 0] for coin in (0, 1)])
    assert expectation == pytest.approx(gradient / 2)


def test_surrogate_and_clipped_surrogate_have_the_slope_of_the_return(problem):
    mdp, theta = problem
    old = softmax(theta, axis=1)
    values, action_values = policy_evaluation(mdp, old)
    advantage, visits = action_values - values[:, None], visitation(mdp, old)[:, None] * old

    def surrogates(new):
        ratio = softmax(new, axis=1) / old
        plain = ratio * advantage
        clipped = np.minimum(plain, ratio.clip(0.8, 1.2) * advantage)
        return np.array([(visits * plain).sum(), (visits * clipped).sum()])

    direction = np.random.default_rng(7).normal(size=theta.shape)
    slopes = (surrogates(theta + 1e-5 * direction) - surrogates(theta - 1e-5 * direction)) / 2e-5
    exact = (exact_policy_gradient(mdp, theta) * direction).sum()
    np.testing.assert_allclose(slopes, exact, atol=1e-8)
    far = theta + 3 * direction
    assert abs(surrogates(far)[0] - (expected_return(mdp, softmax(far, axis=1)) - mdp.start @ values)) > 1e-4


@pytest.mark.parametrize("seed", range(5))
def test_k3_is_unbiased_and_not_negative_and_k2_and_k3_have_these_gradients(seed):
    rng = np.random.default_rng(seed)
    logits, ref_logits = rng.normal(size=(2, 6))
    pi, ref = softmax(logits), softmax(ref_logits)
    d = log_softmax(ref_logits) - log_softmax(logits)
    k1, k2, k3 = -d, d**2 / 2, np.exp(d) - d - 1
    divergence = (pi * (np.log(pi) - np.log(ref))).sum()
    assert pi @ k1 == pytest.approx(divergence) and pi @ k3 == pytest.approx(divergence)
    assert (k3 >= 0).all() and abs(pi @ k2 - divergence) > 1e-3

    scores = np.eye(6) - pi  # row a: the gradient of log pi(a)
    towards = pi * ((np.log(pi) - np.log(ref)) - divergence)  # the gradient of KL(pi || ref)
    np.testing.assert_allclose(pi @ scores, 0, atol=1e-12)
    np.testing.assert_allclose((pi * -d) @ scores, towards, atol=1e-12)
    np.testing.assert_allclose((pi * (1 - np.exp(d))) @ scores, pi - ref, atol=1e-12)  # of KL(ref || pi)


@pytest.mark.parametrize("n", [2, 4, 7])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_weight_that_normalising_gives_to_a_start(n, p):
    """The chapter's finite sum, against all outcomes of n coins whose bias has a score."""
    expectation = 0.0
    for outcomes in itertools.product((0, 1), repeat=n):
        rewards = np.array(outcomes)
        if rewards.std() == 0:
            continue
        scores = np.where(rewards, 1 / p, -1 / (1 - p))  # of log p and log (1 - p), by p
        chance = np.where(rewards, p, 1 - p).prod()
        expectation += chance * ((rewards - rewards.mean()) / rewards.std() * scores).mean()
    assert expectation == pytest.approx(chapter()["weight_of_a_start"](np.array([p]), n)[0])


def test_in_large_groups_that_weight_is_the_slope_of_twice_the_arcsine_of_the_root():
    p, step = np.array([0.2, 0.5, 0.9]), 1e-6
    slope = (2 * np.arcsin(np.sqrt(p + step)) - 2 * np.arcsin(np.sqrt(p - step))) / (2 * step)
    np.testing.assert_allclose(chapter()["weight_of_a_start"](p, 5_000), slope, rtol=2e-3)


def chapter():
    """The names that the chapter's cell with `weight_of_a_start` defines."""
    cells = jupytext.read(release.ROOT / "chapters" / "grpo.md").cells
    (source,) = [cell.source for cell in cells if "def weight_of_a_start" in cell.source]
    names = {}
    exec(f"import numpy as np\nfrom scipy.stats import binom\n{source}", names)
    return names


@pytest.fixture(scope="module")
def training():
    """The names of the solved notebook: graded functions, and the definitions of the training section."""
    cells = [cell for cell in Master.read("grpo").notebook.cells if cell.cell_type == "code"]
    names = {"__name__": "training"}
    for cell in cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        defines = is_training(cell) and cell.source.startswith("def ")
        if name == "imports" or "### BEGIN SOLUTION" in cell.source or defines:
            exec(f"from scipy.signal import lfilter\nGAMMA, N_GENERATIONS = 0.9, 2\n{cell.source}", names)
    return names


def episodes(seed, n_steps=6, n=4):
    rng = np.random.default_rng(seed)
    mask = (np.arange(n_steps)[:, None] < rng.integers(1, n_steps + 1, size=n)).astype(np.float32)
    return torch.from_numpy(rng.normal(size=(n_steps, n)).astype(np.float32) * mask), torch.from_numpy(mask)


def test_credit_by_step_compares_rewards_to_go_among_siblings_at_the_same_step(training):
    rewards, mask = episodes(1)
    to_go = torch.stack([sum(0.9 ** (k - t) * rewards[k] for k in range(t, 6)) for t in range(6)])
    pairs = to_go.reshape(6, 2, 2)
    expected = (pairs - pairs.mean(dim=2, keepdim=True)).reshape(6, 4)
    torch.testing.assert_close(training["per_step"](rewards, mask, n=2), expected, rtol=1e-5, atol=1e-5)


def test_scaled_advantages_have_a_root_mean_square_of_one_over_the_live_steps(training):
    rewards, mask = episodes(2)
    advantages = training["scaled"](training["per_episode"](rewards, mask, n=2), mask)
    assert (advantages[mask > 0] ** 2).mean().item() == pytest.approx(1, rel=1e-5)
    assert training["scaled"](torch.zeros(2, 2), torch.ones(2, 2)).abs().max() == 0


def test_the_actor_critics_targets_bootstrap_at_truncation_and_not_at_termination(training):
    rng = np.random.default_rng(3)
    rewards, next_values = torch.from_numpy(rng.normal(size=(2, 7, 5)))
    terminated, truncated = torch.from_numpy(rng.random((2, 7, 5)) < 0.25)
    found = training["targets"](rewards, next_values, terminated, truncated)
    for t, i in itertools.product(range(7), range(5)):
        total, discount, k = 0.0, 1.0, t
        while True:
            total += discount * rewards[k, i]
            discount *= 0.9
            if terminated[k, i]:
                break
            if truncated[k, i] or k == 6:
                total += discount * next_values[k, i]
                break
            k += 1
        assert found[t, i].item() == pytest.approx(float(total))


def test_the_first_update_from_a_batch_has_the_gradient_of_reinforce(training):
    rewards, mask = episodes(4)
    advantages = training["per_step"](rewards, mask, n=2)
    log_probs = torch.randn(6, 4, generator=torch.Generator().manual_seed(5)).requires_grad_()
    training["loss_of"](log_probs, log_probs, advantages, mask).backward()
    torch.testing.assert_close(log_probs.grad, -advantages * mask / mask.sum())
