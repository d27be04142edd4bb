"""One look for every figure of the course."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, to_hex, to_rgb

_INK = "#7a7a7a"  # contrast of at least 4:1 on white and on the dark theme's background
_COLOURS = ["#2f7fc1", "#d9772b", "#3a9b5c", "#b65fb0", "#c9463d", "#8a7a3c"]

_TERMINAL = {(4, 4): "goal", (2, 3): "pit"}
_TERMINAL_COLOUR = "#5a5a5a"
_ARROWS = [(-1, 0), (1, 0), (0, -1), (0, 1)]  # up, down, left, right as (rows, columns)


def use_course_style() -> None:
    """Set Matplotlib's defaults so that figures read on light and on dark pages.

    Backgrounds are transparent; text, ticks and axes are a mid grey; the colour
    cycle has six colours that stay apart for colour-blind readers.
    """
    plt.rcParams.update(
        {
            "figure.figsize": (5.6, 3.5),
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "savefig.transparent": True,
            "savefig.bbox": "tight",
            "figure.dpi": 120,
            "text.color": _INK,
            "axes.edgecolor": _INK,
            "axes.labelcolor": _INK,
            "xtick.color": _INK,
            "ytick.color": _INK,
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=_COLOURS),
        }
    )


def draw_gridworld(
    values: np.ndarray | None = None, policy: np.ndarray | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the course's 4x4 gridworld: cells coloured by value, and the policy as arrows.

    values : (4, 4) or (16,), written into the cells; those of the goal and the pit are left out
    policy : (4, 4, 4) or (16, 4), probabilities of up, down, left, right, which are the arrows' lengths
    ax : where to draw, a new figure by default
    """
    ax = ax or plt.subplots(figsize=(4.2, 4.2))[1]
    ax.set(xlim=(0.5, 4.5), ylim=(4.5, 0.5), aspect="equal", xlabel="column $y$", ylabel="row $x$")
    ax.set(xticks=range(1, 5), yticks=range(1, 5))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    cells = [(x, y) for x in range(1, 5) for y in range(1, 5) if (x, y) not in _TERMINAL]
    paint = _value_colours(values, cells)
    for x in range(1, 5):
        for y in range(1, 5):
            _draw_cell(ax, x, y, _TERMINAL_COLOUR if (x, y) in _TERMINAL else paint(x, y))
    for (x, y), name in _TERMINAL.items():
        ax.text(y, x, name, ha="center", va="center", color="white", fontweight="bold")
    for x, y in cells:
        ink = _readable_on(paint(x, y))
        if values is not None:
            label = f"{np.reshape(values, (4, 4))[x - 1, y - 1]:.2f}".replace("-", "\N{MINUS SIGN}")
            place = (y, x) if policy is None else (y - 0.44, x - 0.44)
            align = {"ha": "center", "va": "center"} if policy is None else {"ha": "left", "va": "top"}
            ax.text(*place, label, color=ink, fontsize=10 if policy is None else 8, **align)
        if policy is not None:
            _draw_arrows(ax, x, y, np.reshape(policy, (4, 4, 4))[x - 1, y - 1], ink)
    ax.text(0.56, 1.44, "start", ha="left", va="bottom", color=_readable_on(paint(1, 1)), fontsize=7)
    return ax


def _value_colours(values: np.ndarray | None, cells: list[tuple[int, int]]) -> Callable[[int, int], str]:
    if values is None:
        return lambda x, y: "#d8dee6"
    grid = np.reshape(values, (4, 4))
    shown = [grid[x - 1, y - 1] for x, y in cells]
    scale = Normalize(min(shown), max(shown))
    return lambda x, y: to_hex(plt.get_cmap("viridis")(scale(grid[x - 1, y - 1])))


def _draw_cell(ax: Axes, x: int, y: int, colour: str) -> None:
    ax.add_patch(plt.Rectangle((y - 0.48, x - 0.48), 0.96, 0.96, facecolor=colour, edgecolor=_INK))


def _draw_arrows(ax: Axes, x: int, y: int, probabilities: np.ndarray, ink: str) -> None:
    for (rows, columns), probability in zip(_ARROWS, probabilities, strict=True):
        if probability < 0.05:
            continue
        tip = (y + 0.44 * probability * columns, x + 0.44 * probability * rows)
        head = {
            "arrowstyle": "-|>,head_length=0.24,head_width=0.12",
            "color": ink,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        ax.annotate("", tip, (y, x), arrowprops=head)


def _readable_on(colour: str) -> str:
    red, green, blue = to_rgb(colour)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
