from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recsys.errors import UsageError
from recsys.nn.lr_finder import LRCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_lr_curve(path: Path, curve: LRCurve) -> None:
    """Write a picture of the loss over the learning rate.

    Parameters
    ----------
    path : Path
        Its suffix decides the format: png, svg or pdf.
    curve : LRCurve

    Raises
    ------
    UsageError
        If there is no such format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    draw_lr_curve(axes, curve, quiet="0.75", line="#0072b2", mark="#d55e00")
    axes.legend(frameon=False)
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error


def draw_lr_curve(axes: Axes, curve: LRCurve, *, quiet: str, line: str, mark: str) -> None:
    """Draw the loss of each mini-batch, its running average and the suggested rate.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    curve : LRCurve
    quiet, line, mark : str
        Colours of the mini-batches, of the average and of the suggestion.
    """
    axes.plot(curve.rates, curve.losses, color=quiet, linewidth=1, label="one mini-batch")
    axes.plot(curve.rates, curve.smoothed, color=line, linewidth=2, label="smoothed")
    if curve.suggestion is not None:
        label = f"steepest: {curve.suggestion:.3g}"
        axes.axvline(curve.suggestion, color=mark, linestyle="--", label=label)
    finite = curve.smoothed[np.isfinite(curve.smoothed)]
    if finite.size:
        # Where the loss falls is to be seen; how high it climbs in the end says nothing more.
        fall = (finite[0] - finite.min()) or finite[0]
        axes.set_ylim(finite.min() - 0.2 * fall, min(finite.max(), finite[0] + fall) + 0.2 * fall)
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
