from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recsys.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_COLUMNS = 3
_BEST, _DEFAULT, _OTHERS = "#d55e00", "#0072b2", "0.6"


def plot_search(
    path: Path,
    metric: str,
    scores: Floats,
    values: Mapping[str, Floats],
    *,
    lower_is_better: bool,
) -> None:
    """Write a picture of a search: the best score so far, and the score by each hyperparameter.

    Parameters
    ----------
    path : Path
        Its suffix decides the format: png, svg or pdf.
    metric : str
        What is scored.
    scores : (n_trials,) float64
        NaN where a trial was given up. The first is that of the defaults.
    values : mapping of str to (n_trials,) float64
        Of each hyperparameter that was searched, above 0.
    lower_is_better : bool

    Raises
    ------
    UsageError
        If there is no such format.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    best_so_far = (np.fmin if lower_is_better else np.fmax).accumulate(scores)
    best = int(np.nanargmin(scores) if lower_is_better else np.nanargmax(scores))
    n_rows = 1 + -(-len(values) // _COLUMNS)
    figure = Figure(figsize=(9, 2.6 * n_rows), layout="constrained")
    grid = figure.add_gridspec(n_rows, _COLUMNS)

    numbers = np.arange(len(scores), dtype=np.float64)
    axes = figure.add_subplot(grid[0, :])
    axes.plot(numbers, best_so_far, color="black", drawstyle="steps-post", label="best so far")
    panels: dict[str, tuple[Axes, Floats]] = {"": (axes, numbers)}
    for number, (name, column) in enumerate(values.items()):
        panels[name] = (figure.add_subplot(grid[1 + number // _COLUMNS, number % _COLUMNS]), column)
    for name, (panel, column) in panels.items():
        panel.scatter(column, scores, color=_OTHERS, s=18, label="a trial")
        panel.scatter(column[0], scores[0], color=_DEFAULT, label="the defaults")
        panel.scatter(column[best], scores[best], color=_BEST, marker="*", s=110, label="the best")
        panel.set(xlabel=name or "trial", ylabel=metric)
        if name:
            panel.set_xscale("log")
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.xaxis.set_major_formatter("{x:g}")
            panel.xaxis.set_minor_formatter(NullFormatter())
        else:
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, ncols=4)
    n_given_up = int(np.isnan(scores).sum())
    if n_given_up:
        axes.set_title(f"{n_given_up} of {len(scores)} trials were given up", fontsize="medium")
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
