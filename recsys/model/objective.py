"""What is minimised, and what a model must offer to be trained by `recsys.training.Trainer`."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from recsys.data import IdMap, Ratings
from recsys.model.item_side import ItemSide
from recsys.nn.tensor import Tensor

Array = NDArray[np.floating[Any]]
Rows = NDArray[np.integer[Any]]


class Penalty(NamedTuple):
    """Strength of the L2 penalties, per rating (see `EmbeddingDotBias.loss`)."""

    reg: float
    """On both embeddings."""
    reg_bias: float
    """On both biases."""
    reg_implicit: float = 0.0
    """On all implicit terms."""
    n_prior: float = 0.0
    """Ratings that every row is penalised for beside its own."""


class RatingCounts(NamedTuple):
    """How many training ratings each row has; n_prior is counted beside them."""

    users: NDArray[np.integer[Any]]
    """(n_users,)"""
    items: NDArray[np.integer[Any]]
    """(n_items,)"""

    @classmethod
    def of(cls, train: Ratings) -> Self:
        """Return the counts of a training set."""
        return cls(train.counts_by_user, train.counts_by_item)

    def penalty_weights(self, n_prior: float) -> tuple[Array, Array]:
        """Return how often a rating counts in its user's and in its item's penalties.

        A row of n ratings is penalised for ``n + n_prior`` over an epoch.

        Returns
        -------
        (n_users,), (n_items,) float64
        """
        of_users, of_items = (1 + n_prior / np.maximum(counts, 1) for counts in self)
        return of_users, of_items


class Loss(NamedTuple):
    """The objective of one batch, in its two parts."""

    squared_error: float
    """Mean of (r - r^)^2, stars squared, not halved."""
    penalty: float
    """Mean of the penalties of the same ratings."""


class TensorLoss(NamedTuple):
    """The same as scalars of the autodiff engine."""

    squared_error: Tensor
    penalty: Tensor


class Model(Protocol):
    """Predicts ratings, and can be trained."""

    @property
    def user_factors(self) -> Array:
        """Embeddings of the users, (n_users, n_user_factors)."""

    @property
    def item_factors(self) -> Array:
        """Embeddings of the items, (n_items, n_item_factors)."""

    def arrays(self) -> dict[str, Array]:
        """Return each parameter's own array by name."""

    def tensors(self) -> dict[str, Tensor]:
        """Return the same arrays as leaves of the autodiff engine."""

    def tensor_loss(self, users: Rows, items: Rows, values: Array, penalty: Penalty) -> TensorLoss:
        """Return the objective of a batch, computed by the autodiff engine."""

    def predict(self, users: Rows, items: Rows) -> Array:
        """Return the predicted ratings of pairs, (n,), not clipped."""

    def user_side(self) -> tuple[Array, Array]:
        """Return the users' embeddings and biases as they are served."""

    def item_side(
        self, item_ids: IdMap, item_counts: NDArray[np.int32], rating_scale: tuple[float, float]
    ) -> ItemSide:
        """Return a float32 copy of all that scores items for a user's row."""
