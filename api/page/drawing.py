"""Where the marks of small drawings lie, in percent of their width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

N_PARTS = 5
"""Parts that are drawn one by one; the rest of them is one bar."""


class Part(NamedTuple):
    """A named part of a sum."""

    label: str
    value: float


class Bar(NamedTuple):
    """A part, drawn from the sum of those before it to the sum with it; in percent."""

    label: str
    value: float
    x: float
    width: float


class Sum(NamedTuple):
    """Bars that add up: the first begins at ``start``, the last ends at ``total``."""

    start: float
    total: float
    bars: tuple[Bar, ...]


def add_up(start: float, parts: Sequence[Part]) -> Sum:
    """Return bars from ``start`` to the total of it and all parts, in the order given.

    What is behind the first `N_PARTS` becomes one bar.
    """
    drawn, rest = list(parts[:N_PARTS]), parts[N_PARTS:]
    if rest:
        name = "1 other" if len(rest) == 1 else f"{len(rest)} others"
        drawn.append(Part(name, math.fsum(part.value for part in rest)))
    sums = [math.fsum([start, *(part.value for part in drawn[:n])]) for n in range(len(drawn) + 1)]
    scale = Scale(min(sums), max(sums))
    bars = []
    for part, before, after in zip(drawn, sums, sums[1:], strict=False):
        left, right = scale.at(min(before, after)), scale.at(max(before, after))
        bars.append(Bar(part.label, part.value, left, right - left))
    return Sum(start, sums[-1], tuple(bars))


class Scale(NamedTuple):
    """A range that is drawn from left to right."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return where a value lies, in percent; what is outside lies at the end."""
        span = (self.high - self.low) or 1.0
        return min(100.0, max(0.0, 100 * (value - self.low) / span))
