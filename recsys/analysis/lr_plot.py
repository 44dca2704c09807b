from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.errors import UsageError

Floats = NDArray[np.floating]


def plot_lr_curve(
    path: Path, rates: Floats, losses: Floats, smoothed: Floats, suggestion: float | None
) -> None:
    """Write a picture of the loss over the learning rate.

    Parameters
    ----------
    path : Path
        Its suffix decides the format: png, svg or pdf.
    rates, losses, smoothed : (n,) float
        The loss of one mini-batch at each rate, and its running average.
    suggestion : float or None
        The rate to be marked.

    Raises
    ------
    UsageError
        If there is no such format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(rates, losses, color="0.75", linewidth=1, label="one mini-batch")
    axes.plot(rates, smoothed, color="#0072b2", linewidth=2, label="smoothed")
    if suggestion is not None:
        label = f"steepest: {suggestion:.3g}"
        axes.axvline(suggestion, color="#d55e00", linestyle="--", label=label)
    finite = smoothed[np.isfinite(smoothed)]
    if finite.size:
        axes.set_ylim(0.9 * finite.min(), 1.1 * min(finite.max(), 4 * finite.min()))
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
    axes.legend(frameon=False)
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
