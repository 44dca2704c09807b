from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class UserMetric:
    """A metric kept as what each user adds to it, so that users can be drawn again.

    Its value is the sum of the amounts over the sum of the weights. A mean over users has the
    weights 1; the squared errors over the numbers of ratings are a mean over ratings. A user with
    amount and weight 0 does not count.

    Attributes
    ----------
    amounts, weights : (n_users,) float64
    is_root : bool
        Whether the value is the square root of the quotient.
    """

    amounts: Column
    weights: Column
    is_root: bool = False

    @classmethod
    def mean(cls, values: Column, counted: NDArray[np.bool_]) -> UserMetric:
        """Return the mean of ``values``, (n_users,), over the users who are ``counted``."""
        return cls(np.where(counted, values, 0.0), counted.astype(np.float64))

    def at(self, rows: NDArray[np.integer], n_users: int) -> UserMetric:
        """Return the same metric among ``n_users`` users, these being the ones at ``rows``."""
        amounts, weights = np.zeros(n_users), np.zeros(n_users)
        amounts[rows], weights[rows] = self.amounts, self.weights
        return UserMetric(amounts, weights, self.is_root)

    @property
    def value(self) -> float:
        """The metric over all users, NaN where nobody counts."""
        return float(self.quotient(self.amounts.sum(), self.weights.sum()))

    def quotient(self, amount: Column | np.float64, weight: Column | np.float64) -> Column:
        """Return the value for sums of amounts and weights, NaN where the weight is 0."""
        quotient = np.divide(
            amount, weight, out=np.full(np.shape(weight), np.nan), where=np.asarray(weight) > 0
        )
        return np.sqrt(quotient) if self.is_root else quotient
