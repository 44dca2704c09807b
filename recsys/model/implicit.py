from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from recsys.model.objective import Rows


@dataclass(frozen=True, eq=False)
class WhoRatedWhat:
    """Which user rated which item in training, whatever the ratings were.

    Attributes
    ----------
    by_user : (n_users, n_items) sparse
        Row u holds |N(u)|^(-1/2) at the items N(u) that the user rated.
    by_item : (n_items, n_users) sparse
        Row i holds |N(i)|^(-1/2) at the users N(i) who rated the item.
    """

    by_user: sparse.csr_array
    by_item: sparse.csr_array

    @classmethod
    def of(
        cls, users: Rows, items: Rows, shape: tuple[int, int], dtype: np.typing.DTypeLike
    ) -> WhoRatedWhat:
        """Return who rated what, for arithmetic in ``dtype``.

        Parameters
        ----------
        users, items : (n_ratings,) int
            Rows of the training ratings, each pair once.
        shape : (n_users, n_items)
        dtype : float32 or float64
        """
        ones = np.ones(len(users), dtype)
        rated = sparse.csr_array((ones, (users, items)), shape=shape)
        return cls(_weighted(rated), _weighted(rated.T.tocsr()))

    @cached_property
    def by_user_transposed(self) -> sparse.csr_array:
        """(n_items, n_users): takes gradients of users' sums back to the items' vectors."""
        return self.by_user.T.tocsr()

    @cached_property
    def by_item_transposed(self) -> sparse.csr_array:
        """(n_users, n_items): takes gradients of items' sums back to the users' vectors."""
        return self.by_item.T.tocsr()

    @property
    def curvature(self) -> float:
        """Largest second derivative of the mean squared error along the implicit biases.

        With R the zero-one matrix of who rated what, both sides' sums have R'R or RR' in it:
        2 sigma(R)^2 / n_ratings, sigma its largest singular value.
        """
        rated = self.by_user.copy()
        rated.data = np.ones(len(rated.data))
        if min(rated.shape) == 1:
            return 2.0
        start = np.ones(min(rated.shape))
        largest = svds(rated, k=1, v0=start, return_singular_vectors=False)[0]
        return float(2 * largest**2 / rated.nnz)


def _weighted(rated: sparse.csr_array) -> sparse.csr_array:
    counts = np.diff(rated.indptr)
    weights = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
    return sparse.csr_array(
        (weights.astype(rated.dtype), rated.indices, rated.indptr), shape=rated.shape
    )
