from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.nn.layers import Activation, Sequential
from recsys.nn.tensor import no_grad


@dataclass(frozen=True)
class ActivationReport:
    """What an activation does to a batch: exploding, saturated and dead, in numbers.

    Attributes
    ----------
    layer : str
        Its position and kind, such as ``1 Tanh``.
    input_std : float
        Deviation of what comes in; that of the layers grows or shrinks where products explode or
        vanish.
    saturated : float
        Share of entries whose slope is below 5 % of the steepest: hardly anything flows back.
    dead_units : int
        Units, columns, whose slope is 0 for every row: nothing flows back any more.
    n_units : int
    """

    layer: str
    input_std: float
    saturated: float
    dead_units: int
    n_units: int


def report_activations(model: Sequential, x: Any) -> list[ActivationReport]:
    """Return one report per activation of ``model`` on the batch ``x``."""
    reports = []
    with no_grad():
        for i, layer in enumerate(model.layers):
            y = layer(x)
            if isinstance(layer, Activation):
                slope = layer.slope(y.data).reshape(-1, y.shape[-1])
                reports.append(
                    ActivationReport(
                        layer=f"{i} {type(layer).__name__}",
                        input_std=float(np.std(x.data)),
                        saturated=float(np.mean(slope < 0.05 * layer.max_slope)),
                        dead_units=int(np.sum((slope == 0).all(axis=0))),
                        n_units=slope.shape[1],
                    )
                )
            x = y
    return reports
