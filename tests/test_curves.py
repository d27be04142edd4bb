"""Learning curves: what is drawn is what was measured."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from policy_gradients.curves import plot_learning_curves

CURVES = [([0, 100, 200], [0, 10, 20]), ([0, 100], [20, 30])]


@pytest.fixture
def axis():
    figure, axis = plt.subplots()
    yield axis
    plt.close(figure)


def test_mean_and_band_end_with_the_shortest_run(axis):
    plot_learning_curves(axis, CURVES, "A")
    mean, *seeds = axis.lines
    assert mean.get_xdata()[[0, -1]].tolist() == [0, 100]
    np.testing.assert_allclose(mean.get_ydata()[[0, -1]], [10, 20])
    assert [line.get_xdata()[-1] for line in seeds] == [200, 100]
    band = axis.collections[0].get_paths()[0].vertices
    assert (band[:, 0].max(), band[:, 1].min(), band[:, 1].max()) == (100, 0, 30)


def test_threshold_and_baseline_are_named_lines(axis):
    plot_learning_curves(axis, CURVES, "A", threshold=475, baseline=0)
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert names == ["A, mean of 2 seeds", "reward threshold", "random policy"]
    assert [line.get_ydata()[0] for line in axis.lines[-2:]] == [475, 0]
    assert axis.get_xlabel() == "environment steps"


def test_two_methods_have_two_colours(axis):
    plot_learning_curves(axis, CURVES, "A")
    plot_learning_curves(axis, CURVES, "B")
    assert len({line.get_color() for line in axis.lines}) == 2


def test_no_curves_are_refused(axis):
    with pytest.raises(ValueError, match="no curves"):
        plot_learning_curves(axis, [], "A")
