"""EASE, a linear autoencoder in closed form: a yardstick for lists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.sparse import csr_array

from recsys.data import Ratings
from recsys.data.relevance import is_relevant
from recsys.errors import DataError, UsageError
from recsys.model.item_side import Floats

# Chosen on a validation part of ML-100k's u1.base; docs/evaluation.md says how.
EASE_REG = 300.0
# The largest dense matrix that is inverted, in rows.
MOST_ROWS = 20_000
_BYTES_PER_CELL = 24  # the matrix, its inverse and the weights, for a while all at once
_BLOCK = 1 << 22


@dataclass(frozen=True, eq=False)
class Ease:
    """Orders lists by ``X B``, X being who liked what and B the weights between items.

    Held as a product, of which one factor is X itself and sparse: ``X B`` where items are fewer
    than users, else ``W X`` scaled by item, less what an item says of itself.

    Attributes
    ----------
    item_counts : (n_items,) int32
        Training ratings of each item.
    liked : (n_users + 1, n_items) sparse float32
        X, 1 where a user liked an item. The last row is somebody unknown, who likes nothing.
    left, right : (n_users + 1, n) and (n, n_items) float32, one of them sparse
    own : (n_items,) float32
        To be taken off an item's score where the user likes it.
    """

    item_counts: NDArray[np.int32]
    liked: csr_array
    left: csr_array | Floats
    right: csr_array | Floats
    own: Floats
    name: str = "ease"

    def predict(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> None:
        """Return None: EASE orders lists and predicts no stars."""

    def list_scores(self, users: NDArray[np.integer]) -> Floats:
        """Return what orders the lists of ``users``, (n, n_items) float32; row -1 is unknown."""
        scores: Floats = self.left[users] @ self.right
        who, items = self.liked[users].nonzero()
        scores[who, items] -= self.own[items]
        return scores


def ease(train: Ratings, reg: float = EASE_REG) -> Ease:
    """Return the linear model that best tells each item from the user's others.

    With X binary, 1 where a pair is relevant (`recsys.data.relevance`), B minimises
    ``|X - X B|^2 + reg |B|^2`` under a zero diagonal ::

        P = (X'X + reg I)^-1        B = I - P diag(1 / diag P)

    Where users are fewer than items the same B is had from the inverse of a matrix of users,
    ``K = (XX' + reg I)^-1``: P is ``(I - X'KX) / reg``.

    Parameters
    ----------
    train : Ratings
    reg : float
        Above 0.

    Raises
    ------
    UsageError
        If ``reg`` is not above 0.
    DataError
        If users and items are both more than `MOST_ROWS`: the inverse would not fit.

    References
    ----------
    Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", arXiv 1905.03375, eq. 8.
    """
    if not reg > 0:
        raise UsageError(f"EASE has reg {reg}; allowed: above 0")
    n_rows = min(train.n_users, train.n_items)
    if n_rows > MOST_ROWS:
        raise DataError(
            f"EASE inverts a dense matrix of {n_rows:,} rows, which takes about "
            f"{_BYTES_PER_CELL * n_rows**2 / 1e9:,.0f} GB, for the {train.n_users:,} users and "
            f"{train.n_items:,} items",
            path=train.name,
            allowed=f"{MOST_ROWS:,} users or items",
        )
    relevant = is_relevant(train)
    pairs = (train.users[relevant], train.items[relevant])
    liked = csr_array(
        (np.ones(len(pairs[0]), np.float32), pairs), shape=(train.n_users + 1, train.n_items)
    )
    solve = _by_item if train.n_items <= train.n_users else _by_user
    return Ease(train.counts_by_item.astype(np.int32), liked, *solve(liked, reg))


def _by_item(liked: csr_array, reg: float) -> tuple[csr_array, Floats, Floats]:
    """Return X, B and nothing to take off: B's diagonal is zero."""
    inverse = _regularised_inverse(liked.T @ liked, reg)
    weights = (-inverse / np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return liked, weights, np.zeros(len(weights), np.float32)


def _by_user(liked: csr_array, reg: float) -> tuple[Floats, csr_array, Floats]:
    """Return W, X / (1 - m) and m / (1 - m), m being the diagonal of X'KX.

    B off its diagonal is ``X'KX / (1 - m)``, by column, and ``XX'K`` is ``I - reg K``: W.
    """
    inverse = _regularised_inverse(liked @ liked.T, reg)
    n_users, n_items = liked.shape
    by_item = liked.T.tocsr()
    m = np.empty(n_items)
    at_once = max(1, _BLOCK // n_users)
    for start in range(0, n_items, at_once):
        block = by_item[start : start + at_once]
        m[start : start + at_once] = block.multiply(block @ inverse).sum(axis=1)
    scale = 1 / (1 - m)
    smoother = (np.eye(n_users) - reg * inverse).astype(np.float32)
    return smoother, (liked * scale).tocsr().astype(np.float32), (m * scale).astype(np.float32)


def _regularised_inverse(gram: csr_array, reg: float) -> NDArray[np.float64]:
    """Return ``(gram + reg I)^-1``, dense, by Cholesky: the matrix is positive definite."""
    matrix = gram.toarray(order="F").astype(np.float64, order="F", copy=False)
    matrix[np.diag_indices_from(matrix)] += reg
    factor, _ = dpotrf(matrix, lower=True, overwrite_a=True)
    inverse, _ = dpotri(factor, lower=True, overwrite_c=True)  # the lower triangle alone
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T)
