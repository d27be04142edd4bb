"""The gridworld's picture: numbers and arrows stand where and point as the course says."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402

from policy_gradients.plotting import draw_gridworld, use_course_style  # noqa: E402


@pytest.fixture(autouse=True)
def _closed_figures():
    with plt.rc_context():
        use_course_style()
        yield
    plt.close("all")


def test_values_stand_in_row_x_and_column_y_with_row_one_on_top():
    ax = draw_gridworld(values=-np.arange(16) / 10)
    places = {text.get_text(): text.get_position() for text in ax.texts}
    assert places["\N{MINUS SIGN}0.40"] == (1, 2)  # index 4 is state (2, 1): column 1, row 2
    assert places["pit"] == (3, 2) and places["goal"] == (4, 4)
    assert "\N{MINUS SIGN}0.60" not in places and "\N{MINUS SIGN}1.50" not in places
    bottom, top = ax.get_ylim()
    assert bottom > top


@pytest.mark.parametrize("action, step", enumerate([(0, -1), (0, 1), (-1, 0), (1, 0)]))
def test_arrows_point_up_down_left_right_as_long_as_they_are_probable(action, step):
    policy = np.full((16, 4), 0.02)
    policy[:, action] = 0.94
    arrows = [text for text in draw_gridworld(policy=policy).texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == 14  # one in each cell but the goal and the pit; the improbable ones are left out
    for arrow in arrows:
        direction = np.subtract(arrow.xy, arrow.xyann)
        np.testing.assert_allclose(direction, 0.44 * 0.94 * np.array(step), atol=1e-12)


def test_both_shapes_of_arrays_draw_the_same():
    values, policy = np.linspace(-1, 1, 16), np.random.default_rng(0).dirichlet(np.ones(4), 16)
    flat = draw_gridworld(values, policy)
    grid = draw_gridworld(values.reshape(4, 4), policy.reshape(4, 4, 4))
    assert [text.get_text() for text in flat.texts] == [text.get_text() for text in grid.texts]
