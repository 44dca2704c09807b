"""The ranking objective: what a user liked scores 1, everything else little."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.data.relevance import RELEVANT_FROM, is_relevant
from recsys.errors import DataError
from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.objective import Array, Loss, Penalty, Rows
from recsys.training.batches import Batch, Batches
from recsys.training.passes import Passes
from recsys.training.steps import DenseSteps


@dataclass(frozen=True, eq=False)
class AllPairs:
    """The loss of a model whose scores ``s = p_u . q_i`` put what users liked first.

    Over a batch of liked pairs, and over all pairs of a user and an item whatever the batch ::

        mean over the batch of (1 - s)^2  +  unobserved * mean over all pairs of s^2
          + reg * (sum over u of w_u |p_u|^2 + sum over i of w_i |q_i|^2)

    A row's weight is its share of the terms: with n_u of the n liked pairs, one of N users has ::

        w_u = n_u / n + unobserved / N          w_i likewise

    so that the penalty is one per term, as in the rating objective. Users and items without a
    liked pair do not count: their embeddings are zero.

    Nothing is sampled: the sum over all pairs needs two matrices of n_factors x n_factors only,
    ``sum over all pairs of s^2 = sum of the entries of (P'P) * (Q'Q)``.

    Attributes
    ----------
    unobserved : float
        How much all pairs weigh together, the liked ones weighing 1.
    reg : float
    user_weight, item_weight : (n_users,), (n_items,) float64
        0 without a liked pair.

    References
    ----------
    Hu, Koren and Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets".
    Rendle, Krichene, Zhang and Koren 2021, "Revisiting the Performance of iALS on Item
    Recommendation Benchmarks", arXiv 2110.14037: the weights of the penalty.
    """

    unobserved: float
    reg: float
    user_weight: NDArray[np.float64]
    item_weight: NDArray[np.float64]

    @classmethod
    def of(
        cls, users: Rows, items: Rows, shape: tuple[int, int], unobserved: float, reg: float
    ) -> Self:
        """Return the loss for liked pairs, (n,) rows each, of ``shape`` users and items."""
        return cls(
            unobserved,
            reg,
            row_weights(users, shape[0], unobserved),
            row_weights(items, shape[1], unobserved),
        )

    def loss(self, model: EmbeddingDotBias, users: Rows, items: Rows) -> Loss:
        """Return the loss of a batch of liked pairs, (n,) rows each."""
        liked = float(np.mean((1 - model.predict(users, items)) ** 2))
        return Loss(liked + self.of_all_pairs(model), self.penalty(model))

    def gradients(self, model: EmbeddingDotBias, users: Rows, items: Rows) -> dict[str, Array]:
        """Return the gradient of `loss`, its two parts together, by the embeddings.

        With B pairs in the batch and A the number of all pairs ::

            delta = 2/B (s - 1)                               dloss/ds of a liked pair
            dp_u  = sum over the user's pairs of delta q_i
                    + 2 unobserved / A (Q'Q) p_u + 2 reg w_u p_u          dq_i likewise
        """
        p, q = model.user_factors, model.item_factors
        delta = 2 / len(users) * (model.predict(users, items) - 1)
        of_users, of_items = np.zeros_like(p), np.zeros_like(q)
        np.add.at(of_users, users, delta[:, None] * q[items])
        np.add.at(of_items, items, delta[:, None] * p[users])
        return self.add_unbatched(model, of_users, of_items)

    def add_unbatched(
        self, model: EmbeddingDotBias, of_users: Array, of_items: Array
    ) -> dict[str, Array]:
        """Return the gradients, given those of the batch, with what no batch is needed for."""
        p, q = model.user_factors, model.item_factors
        for gradient, own, other, weight in (
            (of_users, p, q, self.user_weight),
            (of_items, q, p, self.item_weight),
        ):
            gradient += own @ (other.T @ other * own.dtype.type(2 * self._per_pair))
            gradient += (2 * self.reg * weight)[:, None].astype(own.dtype) * own
        return {"user_factors": of_users, "item_factors": of_items}

    def of_all_pairs(self, model: EmbeddingDotBias) -> float:
        """Return the loss's term of all pairs."""
        p, q = model.user_factors, model.item_factors
        return float(self._per_pair * np.sum((p.T @ p) * (q.T @ q)))

    def penalty(self, model: EmbeddingDotBias) -> float:
        """Return the loss's last term."""
        p, q = model.user_factors, model.item_factors
        squares = self.user_weight @ (p**2).sum(axis=1) + self.item_weight @ (q**2).sum(axis=1)
        return float(self.reg * squares)

    @property
    def _per_pair(self) -> float:
        return self.unobserved / float(
            np.count_nonzero(self.user_weight) * np.count_nonzero(self.item_weight)
        )


def liked_pairs(ratings: Ratings) -> Ratings:
    """Return what the users liked (`recsys.data.relevance`), each pair with the value 1.

    The id maps stay as they are.

    Raises
    ------
    DataError
        If nobody liked anything.
    """
    liked = ratings.select(is_relevant(ratings))
    if not liked.n_ratings:
        raise DataError(
            "there is nothing liked for the ranking objective to learn from",
            path=ratings.name,
            allowed=f"ratings of {RELEVANT_FROM:g} and more, or a file without ratings",
        )
    return replace(liked, values=np.ones(liked.n_ratings, np.float32))


def row_weights(rows: Rows, n_rows: int, unobserved: float) -> NDArray[np.float64]:
    """Return the weights (`AllPairs`) of the rows of all liked pairs, (n_rows,)."""
    counts = np.bincount(rows, minlength=n_rows)
    weights = counts / len(rows) + unobserved / np.count_nonzero(counts)
    return np.where(counts > 0, weights, 0.0)


class RankingSteps(DenseSteps):
    """Momentum SGD on `AllPairs`, at a rate of each row's own: the common one over its weight.

    A row's gradient is so a mean over its terms, and one rate suits the busiest user and the
    rarest item. The pass over the batch is compiled; the rest is a few dense products.

    Parameters
    ----------
    model : EmbeddingDotBias
        Without biases and implicit terms.
    objective : AllPairs
    batches : Batches
        All that will be stepped on: they decide the size of the buffers.
    clip : float, optional
        Largest norm of all these means as one long vector.
    """

    def __init__(
        self,
        model: EmbeddingDotBias,
        objective: AllPairs,
        batches: Batches,
        clip: float | None = None,
    ) -> None:
        super().__init__(model, Penalty(objective.reg, 0.0), clip)
        self._pairs = objective
        self._passes = Passes(model, batches)
        dtype = model.user_factors.dtype
        self._rates = {
            name: (1 / np.where(weight > 0, weight, 1))[:, None].astype(dtype)
            for name, weight in (
                ("user_factors", objective.user_weight),
                ("item_factors", objective.item_weight),
            )
        }

    def _loss_and_gradients(self, batch: Batch) -> tuple[Loss, dict[str, Array]]:
        liked, of_tables = self._passes.squared_error(self._model.tables(), batch)
        pairs = self._pairs
        loss = Loss(liked + pairs.of_all_pairs(self._model), pairs.penalty(self._model))
        gradients = of_tables._asdict() | pairs.add_unbatched(
            self._model, of_tables.user_factors, of_tables.item_factors
        )
        for name, rate in self._rates.items():
            gradients[name] *= rate
        # The biases stay zero.
        gradients["user_bias"], gradients["item_bias"] = (
            np.zeros_like(self._model.user_bias),
            np.zeros_like(self._model.item_bias),
        )
        return loss, gradients
