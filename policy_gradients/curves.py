"""Learning curves of several seeds."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

__all__ = ["plot_learning_curves"]

_POINTS = 200


def plot_learning_curves(
    axis: plt.Axes,
    curves: Sequence[tuple[Sequence[float], Sequence[float]]],
    label: str,
    threshold: float | None = None,
    baseline: float | None = None,
) -> None:
    """Mean return against environment steps: a thin line per seed, their mean, a band from worst to best.

    curves : for each seed (steps, returns), the environment steps taken so far and the mean return of the
        episodes played then. Runs may differ in length: mean and band end where the shortest run ends.
    threshold : the environment's reward_threshold; baseline : the mean return of the random policy
    """
    if not curves:
        raise ValueError("There are no curves to plot: give one pair (steps, returns) per seed.")
    grid = np.linspace(max(steps[0] for steps, _ in curves), min(steps[-1] for steps, _ in curves), _POINTS)
    values = np.array([np.interp(grid, steps, returns) for steps, returns in curves])
    (mean,) = axis.plot(grid, values.mean(axis=0), linewidth=2, label=f"{label}, mean of {len(curves)} seeds")
    colour = mean.get_color()
    for steps, returns in curves:
        axis.plot(steps, returns, color=colour, linewidth=0.8, alpha=0.45)
    axis.fill_between(grid, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
    for height, style, name in [(threshold, "--", "reward threshold"), (baseline, ":", "random policy")]:
        if height is not None:
            axis.axhline(height, color=plt.rcParams["text.color"], linestyle=style, linewidth=1, label=name)
    axis.set(xlabel="environment steps", ylabel="mean return")
    axis.xaxis.set_major_formatter(_short)
    axis.legend(loc="best")


def _short(steps: float, _: int) -> str:
    return f"{steps / 1e6:g} M" if steps >= 1e6 else f"{steps / 1e3:g} k"
