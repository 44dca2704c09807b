"""How the report's plots are drawn: in light and in dark, the same bytes for the same input."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox, BboxBase
from numpy.typing import NDArray

from recsys.analysis.report.page import Picture

Numbers = NDArray[np.floating[Any]] | NDArray[np.integer[Any]]
DPI = 180


class Theme(NamedTuple):
    """Colours of a plot; the two marks are told apart by the colour-blind (Okabe and Ito)."""

    paper: str
    ink: str
    soft: str
    faint: str
    mark: str
    accent: str


LIGHT = Theme("#ffffff", "#1f2328", "#59636e", "#d5d9de", mark="#0072b2", accent="#b34700")
DARK = Theme("#16191d", "#e3e6ea", "#9aa4af", "#3a4048", mark="#56b4e9", accent="#e69f00")


def draw(size: tuple[float, float], paint: Callable[[Figure, Theme], None]) -> Picture:
    """Return what ``paint`` draws, in both themes; the same bytes for the same input."""
    return Picture(light=_render(size, paint, LIGHT), dark=_render(size, paint, DARK))


def _render(
    size: tuple[float, float], paint: Callable[[Figure, Theme], None], theme: Theme
) -> bytes:
    style: dict[Any, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 11,
        "figure.facecolor": theme.paper,
        "axes.facecolor": theme.paper,
        "axes.edgecolor": theme.faint,
        "axes.labelcolor": theme.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "legend.frameon": False,
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


def plain_log_ticks(axes: Axes) -> None:
    """Write the numbers of two logarithmic axes out, and only those of whole powers of ten."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else "")
        axis.set_minor_formatter(lambda *_: "")


def name_points(
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
                fontsize=9,
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
