"""Between which stars a rating probably lies, around the one that is predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.errors import DataError, UsageError

Floats = NDArray[np.float32]

# The level that is shown where nobody asks for another.
LEVEL = 0.8


@dataclass(frozen=True)
class StarIntervals:
    """Intervals that hold a stated share of ratings which training never saw.

    The typical error of a prediction, its *scale* in stars, follows from what is known of the
    pair when it is served::

        log(scale) = intercept + per_log_item_count * log(1 + item_count)
                     + per_log_user_count * log(1 + user_count) + per_star * predicted

    A quantile of (rating - prediction) / scale over held-out ratings, times the scale of a pair,
    is an end of its interval. Both ends have quantiles of their own, so an interval need not be
    symmetric, and it is cut to the rating scale. `recsys.evaluation.calibration` finds the
    numbers.

    Attributes
    ----------
    intercept, per_log_item_count, per_log_user_count, per_star : float
        The weights of the logarithm of the scale.
    probabilities : tuple of float
        In (0, 1), increasing.
    quantiles : tuple of float
        The quantile of the scaled errors at each of the probabilities, never decreasing.
    rating_scale : (float, float)
        Smallest and largest possible rating.
    n_ratings : int
        How many held-out ratings they were calibrated on.

    Raises
    ------
    DataError
        If a number is not finite, or probabilities, quantiles or rating scale are out of order.
    """

    intercept: float
    per_log_item_count: float
    per_log_user_count: float
    per_star: float
    probabilities: tuple[float, ...]
    quantiles: tuple[float, ...]
    rating_scale: tuple[float, float]
    n_ratings: int

    def __post_init__(self) -> None:
        if not np.isfinite((*self._weights, *self.quantiles, *self.rating_scale)).all():
            raise DataError("a weight or quantile of the intervals is not a finite number")
        if not self.probabilities or len(self.probabilities) != len(self.quantiles):
            raise DataError(
                f"intervals have {len(self.probabilities)} probabilities and "
                f"{len(self.quantiles)} quantiles",
                allowed="one of each or more, and as many of both",
            )
        steps = np.diff([0.0, *self.probabilities, 1.0])
        if not (steps > 0).all() or (np.diff(self.quantiles) < 0).any():
            raise DataError(
                "probabilities or quantiles of intervals are out of order",
                value=(self.probabilities, self.quantiles),
                allowed="probabilities in (0, 1), increasing, and quantiles that never decrease",
            )
        if not self.rating_scale[0] <= self.rating_scale[1]:
            raise DataError("the rating scale of intervals is upside down", value=self.rating_scale)

    def bounds(
        self,
        predicted: ArrayLike,
        item_counts: ArrayLike,
        user_counts: ArrayLike,
        level: float = LEVEL,
    ) -> tuple[Floats, Floats]:
        """Return the lower and upper ends of the intervals around predicted ratings.

        They hold the prediction itself, and both ends belong to them. A level that the quantiles
        do not reach has an end of the rating scale for an end: there were too few ratings to
        tell.

        Parameters
        ----------
        predicted : (n,) float
            In stars, within the rating scale; NaN gives NaN.
        item_counts : (n,) int or int
            Training ratings of the item.
        user_counts : (n,) int or int
            Ratings by the user that are known.
        level : float
            Share of ratings to be held, in (0, 1).

        Returns
        -------
        low, high : (n,) float32, stars

        Raises
        ------
        UsageError
            If ``level`` is not in (0, 1).
        """
        if not 0 < level < 1:
            raise UsageError(f"level is {level}; allowed: between 0 and 1, both excluded")
        stars = np.asarray(predicted, dtype=np.float64)
        scale = self.scale(stars, item_counts, user_counts)
        low, high = _ends(self.probabilities, self.quantiles, level)
        smallest, largest = self.rating_scale
        return (
            (stars + scale * low).clip(smallest, largest).astype(np.float32),
            (stars + scale * high).clip(smallest, largest).astype(np.float32),
        )

    def scale(
        self, predicted: ArrayLike, item_counts: ArrayLike, user_counts: ArrayLike
    ) -> NDArray[np.float64]:
        """Return the typical error of predictions, (n,) float64, in stars.

        Parameters as in `bounds`.
        """
        intercept, of_item, of_user, of_star = self._weights
        logarithm = (
            intercept
            + of_item * np.log1p(item_counts)
            + of_user * np.log1p(user_counts)
            + of_star * np.asarray(predicted, dtype=np.float64)
        )
        return np.asarray(np.exp(logarithm))

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON types."""
        values = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the intervals that `as_dict` told.

        Raises
        ------
        DataError
            If a value is missing, unknown, or none that the attributes may have.
        """
        try:
            low, high = map(float, values["rating_scale"])
            return cls(
                **{
                    **values,
                    "probabilities": tuple(map(float, values["probabilities"])),
                    "quantiles": tuple(map(float, values["quantiles"])),
                    "rating_scale": (low, high),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"these are no intervals: {error}", value=dict(values)) from None

    @property
    def _weights(self) -> tuple[float, float, float, float]:
        return (self.intercept, self.per_log_item_count, self.per_log_user_count, self.per_star)


@lru_cache(maxsize=64)
def _ends(
    probabilities: tuple[float, ...], quantiles: tuple[float, ...], level: float
) -> tuple[float, float]:
    """Return the scaled errors between which a share ``level`` lies, around 0."""
    # Rounded, lest .995 miss its quantile by the last bit of (1 + .99) / 2.
    low, high = (
        float(np.interp(round(end, 12), probabilities, quantiles, left=-math.inf, right=math.inf))
        for end in ((1 - level) / 2, (1 + level) / 2)
    )
    return min(low, 0.0), max(high, 0.0)
