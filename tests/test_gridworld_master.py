"""The training section of the gridworld assignment: its estimator is unbiased, and it learns."""

import matplotlib
import numpy as np
import pytest

from autograder.master import SETUP, Master, grade_id, is_test, is_training
from policy_gradients import tabular


@pytest.fixture(scope="module")
def notebook():
    """The solved notebook's names, with the training defined but not run."""
    matplotlib.use("agg")
    names = {"__name__": "__main__"}
    for cell in Master.read("gridworld").notebook.cells:
        if cell.cell_type != "code" or is_test(cell) or grade_id(cell) == SETUP:
            continue
        if is_training(cell) and cell.source.startswith("SEEDS"):
            return names
        exec(cell.source, names)
    raise AssertionError("the training section has no cell that begins with SEEDS")


@pytest.mark.parametrize("weight", ["total return", "reward-to-go"])
def test_the_estimator_agrees_with_the_exact_gradient(notebook, weight):
    theta = np.random.default_rng(1).normal(scale=0.3, size=(4, 4, 4))
    rng, estimates = np.random.default_rng(2), []
    for _ in range(40):
        batch = [notebook["sample_trajectory"](theta, rng) for _ in range(50)]
        estimates.append(notebook["gradient_estimate"](theta, batch, notebook["WEIGHTS"][weight]))
    exact = tabular.exact_policy_gradient(tabular.gridworld(), theta.reshape(16, 4)).reshape(4, 4, 4)
    visited = np.std(estimates, axis=0) > 0
    error = np.std(estimates, axis=0, ddof=1)[visited] / 40**0.5
    deviation = (np.mean(estimates, axis=0) - exact)[visited] / error
    # t with 39 degrees of freedom, 56 entries: |t| > 5.5 somewhere in about 2 of 10,000 runs
    assert np.abs(deviation).max() < 5.5
    assert not exact[~visited].any()


def test_random_episodes_agree_with_the_exact_return_of_the_random_policy(notebook):
    theta, rng = np.zeros((4, 4, 4)), np.random.default_rng(3)
    returns, truncated = notebook["returns_and_truncation"](theta, 2000, rng)
    # 5 standard errors: about 6 of 10 million runs
    assert abs(returns.mean() - notebook["random_policy"]) < 5 * returns.std() / 2000**0.5
    assert truncated.mean() < 0.02


@pytest.mark.parametrize("seed", [20, 21, 22])
def test_reward_to_go_comes_close_to_the_optimum(notebook, seed):
    theta, steps, curve = notebook["train"](notebook["WEIGHTS"]["reward-to-go"], seed)
    assert 15_000 <= steps[-1] < 16_000
    assert curve[:5].mean() < -1.5
    policy = np.array([[notebook["softmax_policy"](theta, (x, y)) for y in range(1, 5)] for x in range(1, 5)])
    assert 0.4 < tabular.expected_return(tabular.gridworld(), policy.reshape(16, 4)) < notebook["optimum"]
