from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.nn.layers import Activation, Sequential
from recsys.nn.tensor import no_grad


@dataclass(frozen=True)
class ActivationReport:
    """What an activation does to a batch: exploding, saturated and dead, in numbers.

    ``input_std``, the deviation of what comes in, grows from layer to layer where products explode
    and shrinks where they vanish. ``saturated`` is the share of entries whose slope is below 5 %
    of the steepest, so that hardly anything flows back; ``dead_units`` have slope 0 for all rows.
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
