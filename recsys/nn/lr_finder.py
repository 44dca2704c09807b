"""The learning-rate finder: one mini-batch at each of many growing rates (Smith 2017)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from recsys.errors import UsageError
from recsys.nn.rows import Floats


@dataclass
class SmoothedLoss:
    """The exponential average of a series, corrected for its start: 5, 1, 1 give 5, 2.8947, 2.1956.

    s = beta s + (1 - beta) x, divided by 1 - beta^n.
    """

    beta: float = 0.9
    total: float = 0.0
    n: int = 0

    def add(self, loss: float) -> float:
        """Return the average with ``loss`` in it."""
        self.n += 1
        self.total = self.beta * self.total + (1 - self.beta) * loss
        return self.total / (1 - self.beta**self.n)


@dataclass(frozen=True)
class LRCurve:
    """What a sweep saw.

    Losses are known up to and with the rate at which the sweep broke off. The suggestion is the
    rate at which the smoothed loss falls most steeply over log(rate), before its lowest point;
    None if it never falls.
    """

    rates: Floats
    losses: Floats
    smoothed: Floats
    suggestion: float | None


def exponential_rates(start: float = 1e-5, end: float = 10.0, n: int = 100) -> Floats:
    """Return n rates from ``start`` to ``end``, each the same multiple of the one before."""
    if not 0 < start < end or n < 2:
        raise UsageError(f"{n} rates from {start} to {end}; allowed: 2 or more, 0 < start < end")
    return np.geomspace(start, end, n)


T = TypeVar("T")


def find_lr(
    step: Callable[[float], float],
    rates: Floats,
    *,
    save: Callable[[], T],
    restore: Callable[[T], None],
    beta: float = 0.9,
    stop_factor: float = 4.0,
) -> LRCurve:
    """Return the curve of the loss over the rate; the weights come back bit for bit.

    Parameters
    ----------
    step : callable
        Trains one mini-batch at the rate it is given; returns the batch's loss before the update.
    rates : (n,) float64
        Such as `exponential_rates`.
    save, restore : callable
        `Module.state` and `Module.load_state`, or their like; what was saved first is restored
        last, also when ``step`` raises. Let ``step`` have an optimizer of its own.
    beta, stop_factor : float
        The sweep ends when the `SmoothedLoss` exceeds this multiple of its best, or is not finite.
    """
    before, average = save(), SmoothedLoss(beta)
    losses, smoothed = list[float](), list[float]()
    try:
        for rate in rates:
            losses.append(step(float(rate)))
            smoothed.append(average.add(losses[-1]))
            if not smoothed[-1] <= stop_factor * min(smoothed):
                break
    finally:
        restore(before)
    seen = rates[: len(losses)]
    return LRCurve(seen, np.array(losses), np.array(smoothed), _steepest(seen, np.array(smoothed)))


def _steepest(rates: Floats, smoothed: Floats) -> float | None:
    finite = np.isfinite(smoothed)
    if finite.sum() < 2:
        return None
    logs, smoothed = np.log(rates[finite]), smoothed[finite]
    logs, smoothed = logs[: np.argmin(smoothed) + 1], smoothed[: np.argmin(smoothed) + 1]
    apart = max(1, len(logs) // 6)  # a slope between neighbours would be that of their batches
    slopes = (smoothed[apart:] - smoothed[:-apart]) / (logs[apart:] - logs[:-apart])
    if not slopes.size or slopes.min() >= 0:
        return None
    steepest = int(np.argmin(slopes))
    return float(np.exp((logs[steepest] + logs[steepest + apart]) / 2))
