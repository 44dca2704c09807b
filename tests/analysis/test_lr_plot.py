from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from recsys.analysis.lr_plot import draw_lr_curve, plot_lr_curve
from recsys.errors import UsageError
from recsys.nn.lr_finder import LRCurve


def curve(*smoothed, suggestion=None):
    losses = np.array(smoothed)
    return LRCurve(np.geomspace(0.001, 1, len(losses)), losses, losses, suggestion)


@pytest.mark.parametrize(
    ("seen", "limits"),
    [
        # From .5 less a fifth of the fall of .5, to as far above the first, and a fifth more.
        (curve(1, 0.9, 0.5, 40), (0.4, 1.6)),
        # A loss that never falls is given its own height instead.
        (curve(1, 1, 2, np.inf), (0.8, 2.2)),
        # Nothing climbs: up to the first.
        (curve(1, 0.75, 0.5), (0.4, 1.1)),
    ],
)
def test_where_the_loss_falls_fills_the_picture(seen, limits):
    axes = Figure().subplots()
    draw_lr_curve(axes, seen, quiet="grey", line="blue", mark="red")
    assert axes.get_ylim() == pytest.approx(limits)


def test_the_suggestion_is_marked_where_there_is_one(tmp_path):
    for suggestion, n_lines in ((None, 2), (0.03, 3)):
        axes = Figure().subplots()
        seen = curve(1, 0.5, suggestion=suggestion)
        draw_lr_curve(axes, seen, quiet="grey", line="blue", mark="red")
        assert len(axes.lines) == n_lines


def test_a_picture_of_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"curve\.xyz"):
        plot_lr_curve(tmp_path / "curve.xyz", curve(1, 0.5))
