"""The report's plots: arrays in, PNG out, nothing global touched but matplotlib's own settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from recsys.analysis.lr_plot import draw_lr_curve
from recsys.analysis.report.drawing import Theme, draw, name_points, plain_log_ticks
from recsys.analysis.report.page import Picture
from recsys.evaluation.bootstrap import Interval
from recsys.nn.lr_finder import LRCurve


def rating_histogram(values: NDArray[np.float32]) -> Picture:
    """Return how often each rating was given; values in bins where there are too many to show."""
    levels, counts = np.unique(values, return_counts=True)
    width = 0.8 * float(np.diff(levels).min()) if len(levels) > 1 else 0.8
    if len(levels) > 20:
        counts, edges = np.histogram(values, bins=20)
        levels, width = (edges[:-1] + edges[1:]) / 2, 0.9 * float(edges[1] - edges[0])

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        axes.bar(levels, counts / len(values) * 100, width=width, color=theme.mark)
        axes.set(xlabel="rating", ylabel="share of ratings (%)")
        if len(levels) <= 10:
            axes.set_xticks(levels)
        axes.grid(visible=False, axis="x")

    return draw((6.4, 3.0), paint)


def popularity_curve(n_ratings: NDArray[np.int32]) -> Picture:
    """Return how the ratings of an item fall from the most rated to the least, both axes log."""
    counts = np.sort(n_ratings[n_ratings > 0])[::-1]

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        marker = "o" if len(counts) < 3 else None
        axes.loglog(np.arange(1, len(counts) + 1), counts, color=theme.mark, marker=marker)
        axes.set(xlabel="items, most rated first", ylabel="ratings of the item")
        plain_log_ticks(axes)

    return draw((6.4, 3.2), paint)


def learning_curves(
    history: Sequence[Mapping[str, Any]], kept_epoch: int | None, *, in_stars: bool
) -> Picture:
    """Return the training loss by epoch and, in stars, the RMSE on training and held-out ratings.

    The epoch whose parameters were kept is marked.
    """
    epochs = [entry["epoch"] for entry in history]

    def known(key: str) -> NDArray[np.float64] | None:
        values = [entry.get(key) for entry in history]
        found = np.array([np.nan if value is None else value for value in values], np.float64)
        return found if np.isfinite(found).any() else None

    rmse = {"training ratings": "train_rmse", "held-out ratings": "validation_rmse"}
    curves = {label: known(key) for label, key in rmse.items() if in_stars}
    panels = [("training loss", {"": known("train_loss")}), ("RMSE (stars)", curves)]
    shown = [
        (label, {name: values for name, values in lines.items() if values is not None})
        for label, lines in panels
    ]
    shown = [(label, lines) for label, lines in shown if lines]

    def paint(figure: Figure, theme: Theme) -> None:
        for axes, (label, lines) in zip(
            figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0], shown, strict=True
        ):
            for name, values in lines.items():
                colour = theme.accent if name.startswith("held") else theme.mark
                axes.plot(epochs, values, color=colour, marker="o", markersize=2.5, label=name)
            if kept_epoch is not None:
                axes.axvline(kept_epoch, color=theme.soft, linestyle="--", linewidth=1)
            axes.set_ylabel(label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
            if len(lines) > 1:
                axes.legend()
        axes.set_xlabel("epoch" + ("" if kept_epoch is None else " (dashed: the one kept)"))

    return draw((6.4, 1.2 + 1.9 * len(shown)), paint)


def lr_curve(curve: LRCurve, lr: float) -> Picture:
    """Return the loss over the learning rate, with the rate suggested and the one trained with."""

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        draw_lr_curve(axes, curve, quiet=theme.faint, line=theme.mark, mark=theme.accent)
        axes.axvline(lr, color=theme.ink, linestyle=":", label=f"trained with: {lr:.3g}")
        axes.set(xlabel="learning rate", ylabel="loss of a mini-batch")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        figure.legend(loc="outside upper center", ncols=2)

    return draw((6.4, 4.0), paint)


def with_intervals(
    label: str, values: Mapping[str, float], intervals: Mapping[str, Interval]
) -> Picture:
    """Return a score of several predictors, one below the other, with its interval; first ours."""

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        for place, (name, value) in enumerate(values.items()):
            colour = theme.soft if place else theme.mark
            low, high = intervals[name]
            axes.plot([low, high], [place, place], color=colour, linewidth=2.5)
            axes.plot(value, place, marker="o", color=colour, markersize=7)
            axes.annotate(
                f"{value:.3f}",
                (value, place),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=9,
            )
        axes.set_yticks(range(len(values)), list(values))
        axes.set_ylim(len(values) - 0.5, -0.6)
        axes.set_xlabel(label)
        axes.margins(x=0.08)
        axes.grid(visible=False, axis="y")

    return draw((6.4, 1.0 + 0.5 * len(values)), paint)


def concentration(shares: Mapping[str, NDArray[np.float64]]) -> Picture:
    """Return which share falls to the most rated items, a line for each of ``shares``.

    Parameters
    ----------
    shares : mapping of str to (n_items,) float64
        What falls to so many of the most rated items, to the first one, to two, ..., in [0, 1].
    """

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        looks = [(theme.mark, "-", 2.5), (theme.ink, "--", 1.5), (theme.accent, "-", 1.5),
                 (theme.soft, ":", 2.0)]  # fmt: skip
        for (name, share), (colour, line, width) in zip(shares.items(), looks, strict=False):
            axes.semilogx(
                np.arange(1, len(share) + 1), share * 100, line, color=colour, linewidth=width,
                label=name,
            )  # fmt: skip
        axes.set(xlabel="items, most rated first", ylabel="share that falls to them (%)")
        axes.set_ylim(0, 102)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        figure.legend(loc="outside upper center", ncols=2)

    return draw((6.4, 4.2), paint)


def bias_against_mean(
    mean: NDArray[np.float64], bias: NDArray[np.float64], unit: str, labels: Mapping[int, str]
) -> Picture:
    """Return learned bias against mean rating, one point per item, some of them named."""

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        axes.scatter(mean, bias, s=9, color=theme.mark, alpha=0.45, linewidths=0)
        axes.set(xlabel="mean rating (stars)", ylabel=f"learned bias ({unit})")
        name_points(axes, mean, bias, labels, theme)

    return draw((6.4, 4.6), paint)


def item_map(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    n_ratings: NDArray[np.int32],
    labels: Mapping[int, str],
    x_label: str,
    y_label: str,
) -> Picture:
    """Return the items on two axes, the area of a point growing with its ratings."""
    area = 3 + 60 * n_ratings / n_ratings.max()

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        axes.axhline(0, color=theme.faint, linewidth=0.8, zorder=0)
        axes.axvline(0, color=theme.faint, linewidth=0.8, zorder=0)
        axes.scatter(x, y, s=area, color=theme.mark, alpha=0.4, linewidths=0)
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.grid(visible=False)
        axes.margins(0.08)
        name_points(axes, x, y, labels, theme)

    return draw((6.4, 6.0), paint)
