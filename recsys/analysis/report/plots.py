"""The report's plots: arrays in, PNG out, nothing global touched but matplotlib's own settings."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox, BboxBase
from numpy.typing import NDArray

from recsys.analysis.report.page import Picture

Numbers = NDArray[np.floating[Any]] | NDArray[np.integer[Any]]
DPI = 180


class Theme(NamedTuple):
    """Colours of a plot; the two marks are told apart by the colour-blind (Okabe and Ito)."""

    paper: str
    ink: str
    faint: str
    mark: str
    accent: str


LIGHT = Theme(paper="#ffffff", ink="#1f2328", faint="#d5d9de", mark="#0072b2", accent="#c04f00")
DARK = Theme(paper="#16191d", ink="#e3e6ea", faint="#3a4048", mark="#56b4e9", accent="#e69f00")


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

    return _draw((6.4, 3.0), paint)


def popularity_curve(n_ratings: NDArray[np.int32]) -> Picture:
    """Return how the ratings of an item fall from the most rated to the least, both axes log."""
    counts = np.sort(n_ratings[n_ratings > 0])[::-1]

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        marker = "o" if len(counts) < 3 else None
        axes.loglog(np.arange(1, len(counts) + 1), counts, color=theme.mark, marker=marker)
        axes.set(xlabel="items, most rated first", ylabel="ratings of the item")
        _plain_log_ticks(axes)

    return _draw((6.4, 3.2), paint)


def learning_curves(history: Sequence[Mapping[str, Any]]) -> Picture:
    """Return training loss and validation RMSE by epoch, one above the other."""
    epochs = [entry["epoch"] for entry in history]
    curves = [
        (label, [np.nan if entry.get(key) is None else entry[key] for entry in history])
        for key, label in (("train_loss", "training loss"), ("validation_rmse", "held-out RMSE"))
    ]
    curves = [(label, values) for label, values in curves if np.isfinite(values).any()]

    def paint(figure: Figure, theme: Theme) -> None:
        panels = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (label, values), colour in zip(
            panels, curves, (theme.mark, theme.accent), strict=False
        ):
            axes.plot(epochs, values, color=colour, marker="o", markersize=3)
            axes.set_ylabel(label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        panels[-1].set_xlabel("epoch")

    return _draw((6.4, 1.2 + 1.9 * len(curves)), paint)


def bias_against_mean(
    mean: NDArray[np.float64], bias: NDArray[np.float64], labels: Mapping[int, str]
) -> Picture:
    """Return learned bias against mean rating, one point per item, some of them named."""

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        axes.scatter(mean, bias, s=9, color=theme.mark, alpha=0.45, linewidths=0)
        axes.set(xlabel="mean rating (stars)", ylabel="learned bias")
        _name_points(axes, mean, bias, labels, theme)

    return _draw((6.4, 4.6), paint)


def item_map(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    n_ratings: NDArray[np.int32],
    labels: Mapping[int, str],
    axis_names: tuple[str, str],
) -> Picture:
    """Return the items on two axes, the area of a point growing with its ratings."""
    area = 3 + 60 * n_ratings / n_ratings.max()

    def paint(figure: Figure, theme: Theme) -> None:
        axes = figure.subplots()
        axes.axhline(0, color=theme.faint, linewidth=0.8, zorder=0)
        axes.axvline(0, color=theme.faint, linewidth=0.8, zorder=0)
        axes.scatter(x, y, s=area, color=theme.mark, alpha=0.4, linewidths=0)
        axes.set(xlabel=axis_names[0], ylabel=axis_names[1])
        axes.grid(visible=False)
        axes.margins(0.08)
        _name_points(axes, x, y, labels, theme)

    return _draw((6.4, 6.0), paint)


def _draw(size: tuple[float, float], paint: Callable[[Figure, Theme], None]) -> Picture:
    """Return what ``paint`` draws, in both themes; the same bytes for the same input."""
    return Picture(light=_render(size, paint, LIGHT), dark=_render(size, paint, DARK))


def _render(
    size: tuple[float, float], paint: Callable[[Figure, Theme], None], theme: Theme
) -> bytes:
    style: dict[Any, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "figure.facecolor": theme.paper,
        "axes.facecolor": theme.paper,
        "axes.edgecolor": theme.faint,
        "axes.labelcolor": theme.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": theme.faint,
        "grid.linewidth": 0.6,
        "text.color": theme.ink,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        # A title such as "$9.99" is text, not mathematics.
        "text.parse_math": False,
    }
    with mpl.rc_context(), warnings.catch_warnings():
        # Whatever the reader's own matplotlib settings are, the report looks the same.
        mpl.rcdefaults()
        mpl.rcParams.update(style)
        # A title in a script that the font lacks is drawn as boxes; the tables have it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        paint(figure, theme)
        file = io.BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _plain_log_ticks(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else "")
        axis.set_minor_formatter(lambda *_: "")


def _name_points(
    axes: Axes, x: Numbers, y: Numbers, labels: Mapping[int, str], theme: Theme
) -> None:
    """Write labels beside their points, on the emptier side, as far as there is room.

    First come, first served: a label that would cover another or its point is left out.
    """
    figure = axes.get_figure(root=True)
    if figure is None or not labels:
        return
    figure.draw_without_rendering()
    frame = axes.get_window_extent()
    pixels = axes.transData.transform(np.column_stack([x, y]))
    taken: list[BboxBase] = []
    for point, label in labels.items():
        mark = Bbox([pixels[point], pixels[point]]).padded(DPI / 36)
        if any(mark.overlaps(other) for other in taken):
            continue
        texts = [
            axes.annotate(
                label,
                (float(x[point]), float(y[point])),
                xytext=offset,
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=8,
                zorder=4,
                path_effects=[withStroke(linewidth=2, foreground=theme.paper)],
            )
            for offset, side in (((6, 0), "left"), ((-6, 0), "right"))
        ]
        boxes = [text.get_window_extent().padded(DPI / 40) for text in texts]
        free = [
            side
            for side, box in enumerate(boxes)
            if frame.x0 <= box.x0
            and box.x1 <= frame.x1
            and not any(box.overlaps(other) for other in taken)
        ]
        best = min(
            free, key=[box.count_contains(pixels) for box in boxes].__getitem__, default=None
        )
        for side, text in enumerate(texts):
            if side != best:
                text.remove()
        if best is not None:
            taken += [boxes[best], mark]
            axes.scatter(x[point], y[point], s=12, color=theme.accent, linewidths=0, zorder=3)
