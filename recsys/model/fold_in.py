"""Folding in: the embedding of somebody who was not trained, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.data.relevance import RELEVANT_FROM
from recsys.errors import NotFoundError
from recsys.model.item_side import ItemSide
from recsys.model.newcomers import Newcomers

Array = NDArray[np.float64]

# What the mean user scores an item counts like so many likes; chosen on validation users.
MEAN_USER_LIKES = 4.0


@dataclass(frozen=True, eq=False)
class FoldedIn:
    """A user's embedding and bias as sums, one term per rating.

    Attributes
    ----------
    items : (n,) int32
        Rows of the ratings that count, in the order they came.
    factors, bias : (n, n_factors) and (n,) float64
        What each rating adds to the embedding and to the bias.
    constant_factors : (n_factors,) float64
        What the embedding has without any of them.
    """

    items: NDArray[np.int32]
    factors: Array
    bias: Array
    constant_factors: Array

    @property
    def user_factors(self) -> NDArray[np.float32]:
        """The embedding, (n_factors,)."""
        factors: Array = self.constant_factors + self.factors.sum(axis=0)
        return factors.astype(np.float32)

    @property
    def user_bias(self) -> float:
        """The bias, as exact as a stored one."""
        return float(np.float32(self.bias.sum()))

    def contributions(self, side: ItemSide, item: int) -> tuple[float, Array]:
        """Return the terms that add up to the raw score of an item (`ItemSide.scores`).

        Parameters
        ----------
        side : ItemSide
            What the user was folded into.
        item : int
            A row.

        Returns
        -------
        constant : float
            What it would be without the ratings' terms: global mean, the item's bias, and what
            the embedding has of its own.
        per_rating : (n,) float64
            What each of `items` adds. Given which items are rated, this is linear in the rating.
        """
        q = side.item_factors[item].astype(np.float64)
        constant = side.global_mean + float(side.item_bias[item]) + float(self.constant_factors @ q)
        return constant, self.factors @ q + self.bias


class FoldIn:
    """Folds users into the items' half of a snapshot, which stays as it is.

    A user is what minimises the training objective with the items held fixed, so that no
    training is needed. With n ratings of items N, ``w`` the unknown, and one row of X and one
    entry of t per rating, all cases are one ridge regression ::

        w = (X'X + B)^-1 (X't + h)

    **Rating objective.** The sum of the implicit vectors is known, and what is left is fitted ::

        embedding = |N|^(-1/2) * sum of y_j + p        bias = |N|^(-1/2) * sum of c_j + b
        w = [p, b]      x_j = [q_j, 1]      t_j = r_j less what is predicted with w = 0
        B = diag(reg, ..., reg, reg_bias)      h = 0

    With ``y_range`` the prediction is ``f(z)``, not z; it is replaced by its tangent at w = 0:
    rows of X are multiplied by f'(z_j). The result is then approximate, and the terms add up on
    the logit scale. Ratings without a value enter the sums alone.

    **Ranking objective.** What is liked is drawn to 1, and all scores to a share a of what the
    mean user m scores; c is the weight of an unobserved pair ::

        sum over N of (1 - q_j.p)^2  +  c * sum over all i of (q_i.p - a q_i.m)^2  +  reg_n |p|^2
        w = p      x_j = q_j      t_j = 1      B = c Q'Q + reg_n I      h = a c Q'Q m
        a = A / (A + n)      reg_n = reg + n reg_per_rating

    Training has a = 0. With few likes that ranks badly: everything else would count as disliked.
    A is `MEAN_USER_LIKES`. In the basis of the eigenvectors of Q'Q, which are computed once, B is
    diagonal. The embedding is stored less the mean user's, as all are. Somebody who liked nothing
    is the mean user.

    Parameters
    ----------
    side : ItemSide

    Raises
    ------
    NotFoundError
        If nobody can be folded into it: it is a network's, or older than `Newcomers`.

    References
    ----------
    Hu, Koren and Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets", eq. 4
    and section 5: the closed form of a user, and its terms per item.
    """

    def __init__(self, side: ItemSide) -> None:
        if side.head is not None:
            raise NotFoundError(
                "the neural network has no closed form for somebody it was not trained on; train "
                "the dot product: recsys train --model dot"
            )
        if side.newcomers is None:
            raise NotFoundError(
                "these embeddings were stored before folding in was possible; "
                "train a new version: recsys train"
            )
        self._side = side
        self._new: Newcomers = side.newcomers

    def fold_in(self, items: NDArray[np.integer], values: NDArray[np.floating] | None) -> FoldedIn:
        """Return a user who rated ``items``.

        Items without training ratings are left out: nothing is known of them.

        Parameters
        ----------
        items : (n,) int
            Rows, each once.
        values : (n,) float or None
            Stars; NaN, or None for all, where it is only known that the item was chosen.
        """
        is_known = self._side.item_counts[items] > 0
        rows = np.asarray(items, np.int32)[is_known]
        stars = np.full(len(rows), np.nan)
        if values is not None:
            stars = np.asarray(values, np.float64)[is_known]
        if self._new.unobserved > 0:
            return self._who_likes(rows[np.isnan(stars) | (stars >= RELEVANT_FROM)])
        return self._who_rated(rows, stars)

    def _who_rated(self, rows: NDArray[np.int32], stars: Array) -> FoldedIn:
        new, side = self._new, self._side
        n, n_factors = len(rows), side.n_factors
        factors, bias = np.zeros((n, n_factors)), np.zeros(n)
        if new.item_implicit is not None and new.item_implicit_bias is not None:
            factors += new.item_implicit[rows] / np.sqrt(max(n, 1))
            bias += new.item_implicit_bias[rows] / np.sqrt(max(n, 1))
        rated = ~np.isnan(stars)
        x = np.column_stack([side.item_factors[rows[rated]], np.ones(rated.sum())])
        z = side.global_mean + side.item_bias[rows[rated]]
        z = z + x @ np.append(factors.sum(axis=0), bias.sum())
        predicted, slope = _link(z, side.y_range)
        penalty = np.append(np.full(n_factors, new.reg), new.reg_bias)
        per_star, _ = _ridge(x * slope[:, None], penalty, np.zeros(n_factors + 1))
        own = per_star * (stars[rated] - predicted)[:, None]
        factors[rated] += own[:, :-1]
        bias[rated] += own[:, -1]
        return FoldedIn(rows, factors, bias, np.zeros(n_factors))

    def _who_likes(self, rows: NDArray[np.int32]) -> FoldedIn:
        new, n = self._new, len(rows)
        mean = new.user_mean.astype(np.float64)
        if not n:
            nothing = np.zeros((0, len(mean)))
            return FoldedIn(rows, nothing, np.zeros(0), np.zeros_like(mean))
        squares, basis = self._gram
        all_pairs = new.unobserved * squares
        share = MEAN_USER_LIKES / (MEAN_USER_LIKES + n)
        per_like, constant = _ridge(
            self._side.item_factors[rows] @ basis,
            all_pairs + new.reg + n * new.reg_per_rating,
            share * all_pairs * (mean @ basis),
        )
        return FoldedIn(rows, per_like @ basis.T, np.zeros(n), basis @ constant - mean)

    @cached_property
    def _gram(self) -> tuple[Array, Array]:
        """Eigenvalues, none below 0, and eigenvectors of Q'Q."""
        q = self._side.item_factors.astype(np.float64)
        squares, basis = np.linalg.eigh(q.T @ q)
        return np.maximum(squares, 0.0), np.asarray(basis, np.float64)


def _ridge(x: Array, penalty: Array, pull: Array) -> tuple[Array, Array]:
    """Return what each target adds to ``(X'X + B)^-1 (X't + h)`` per unit, and the rest of it.

    Parameters
    ----------
    x : (n, d)
    penalty : (d,)
        The diagonal of B.
    pull : (d,)
        h.

    Returns
    -------
    per_target : (n, d)
    rest : (d,)
    """
    n, d = x.shape
    penalty = np.maximum(penalty, 1e-6)  # without any, few ratings decide nothing
    scaled = x / penalty
    # The same matrix by either inverse: (X'X + B)^-1 X' = B^-1 X' (X B^-1 X' + I)^-1.
    if n < d:
        per_target = np.linalg.solve(scaled @ x.T + np.eye(n), scaled)
    else:
        per_target = np.linalg.solve(x.T @ x + np.diag(penalty), x.T).T
    alone = pull / penalty
    rest: Array = alone - (x @ alone) @ per_target
    return np.asarray(per_target, np.float64), rest


def _link(z: Array, y_range: tuple[float, float] | None) -> tuple[Array, Array]:
    """Return the stars of raw scores, and their slope."""
    if y_range is None:
        return z, np.ones_like(z)
    low, high = y_range
    s: Array = (1 + np.tanh(z / 2)) / 2
    stars: Array = low + (high - low) * s
    return stars, (high - low) * s * (1 - s)
