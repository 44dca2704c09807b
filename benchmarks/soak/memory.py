"""Whether memory grows with requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import theilslopes

# The part of the requests before memory is judged: caches fill, and in its first promotions a
# worker holds two versions at a time and keeps the room that this took.
WARM_UP = 0.4
# A growth is noise up to twice the samples' scatter, but in any case below the one share of the
# workers' memory, and never above the other.
LEAST_NOISE, MOST_NOISE = 0.01, 0.05


@dataclass(frozen=True)
class Growth:
    """How memory went with the number of answers, after the warm-up.

    Attributes
    ----------
    first_mb : float
        Of all workers at the first sample of all.
    level_mb : float
        The median.
    growth_mb : float
        What the line through the samples grows by; its slope is the median of those between all
        pairs (Theil-Sen), which a sample taken in a promotion does not move.
    per_100k_mb : float
        The same for 100,000 requests.
    scatter_mb : float
        Standard deviation of the samples around the line, from its median absolute deviation.
    noise_mb : float
        Up to which a growth is none.
    """

    first_mb: float
    level_mb: float
    growth_mb: float
    per_100k_mb: float
    scatter_mb: float
    noise_mb: float

    @property
    def is_flat(self) -> bool:
        """Whether the growth is within noise."""
        return self.growth_mb <= self.noise_mb


def growth(samples: Sequence[tuple[int, float]], n_requests: int) -> Growth:
    """Return how memory went, judged after `WARM_UP` of the requests.

    Parameters
    ----------
    samples : sequence of (int, float)
        Number of answers, and memory of all workers in MB.
    n_requests : int
        Of the whole load.
    """
    at, megabytes = np.array([each for each in samples if each[0] >= WARM_UP * n_requests]).T
    slope, start, *_ = theilslopes(megabytes, at)
    off = megabytes - (start + slope * at)
    scatter = 1.4826 * float(np.median(np.abs(off - np.median(off))))
    level, span = float(np.median(megabytes)), float(at[-1] - at[0])
    return Growth(
        first_mb=samples[0][1],
        level_mb=level,
        growth_mb=float(slope) * span,
        per_100k_mb=float(slope) * 1e5,
        scatter_mb=scatter,
        noise_mb=float(np.clip(2 * scatter, LEAST_NOISE * level, MOST_NOISE * level)),
    )
