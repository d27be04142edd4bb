"""One look for every figure of the course."""

import matplotlib.pyplot as plt
from cycler import cycler

_INK = "#7a7a7a"  # contrast of at least 4:1 on white and on the dark theme's background
_COLOURS = ["#2f7fc1", "#d9772b", "#3a9b5c", "#b65fb0", "#c9463d", "#8a7a3c"]


def use_course_style() -> None:
    """Set Matplotlib's defaults so that figures read on light and on dark pages.

    Backgrounds are transparent; text, ticks and axes are a mid grey; the colour
    cycle has six colours that stay apart for colour-blind readers.
    """
    plt.rcParams.update(
        {
            "figure.figsize": (6.4, 3.6),
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "savefig.transparent": True,
            "savefig.bbox": "tight",
            "figure.dpi": 110,
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
