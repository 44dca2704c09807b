"""Defaults of the ranking objective that depend on the data: penalty and learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from recsys.data import Ratings
from recsys.errors import UsageError
from recsys.training.ranking import liked_pairs, row_weights

# All chosen on validation parts of ML-100k's and the embedded set's training pairs.
UNOBSERVED = 14.0
_N_BATCHES = 8
# The penalty, as a share of what chance alone makes of the liked pairs (`chance_strength`).
_REG_PER_CHANCE = 0.57
# Learning rate times the largest singular value, once momentum has built up.
_STEP = 0.5
# A batch's own may be so many times as large. Momentum carries the step of a batch on through the
# others, which know nothing of its pairs where data are sparse; from 2 on it would overshoot.
_LARGEST_OF_A_BATCH = 1.5

_FIXED: Mapping[str, Any] = {"n_epochs": 40, "init_std": 0.03, "reg_bias": 0.0, "reg_implicit": 0.0}
_UNUSED = (
    "hidden", "dropout", "implicit", "implicit_rate", "reg_bias", "reg_implicit", "y_range",
    "early_stopping", "n_prior", "row_limit", "unit",
)  # fmt: skip


def ranking_defaults(train: Ratings, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings given, and for the rest those that suit ``train``.

    The penalty is a fixed share of what chance alone would make of the data
    (`chance_strength`), so it falls as data grow. The rate follows from the strongest direction
    that is in them, or in a batch of them where that is much stronger: where users and items have
    few pairs, most of them have none in most batches, and so all of theirs in one.

    Raises
    ------
    UsageError
        If a setting is not of this objective.
    DataError
        If nobody liked anything.
    """
    for name in _UNUSED:
        if name in given:
            raise UsageError(f"{name} is a setting of the objective rating; ranking has none")
    if given.get("model", "dot") != "dot":
        raise UsageError("the objective ranking is of the model dot; mlp is for ratings")
    optimizer = given.get("optimizer", "momentum")
    if optimizer not in ("momentum", "sgd"):
        raise UsageError(
            f"the objective ranking has no optimizer {optimizer!r}; allowed: momentum, sgd"
        )
    liked = liked_pairs(train)
    chosen = {
        "unobserved": UNOBSERVED,
        "batch_size": -(-liked.n_ratings // _N_BATCHES),
        "momentum": 0.9 if optimizer == "momentum" else 0.0,
        **_FIXED,
        **given,
        "implicit": False,
        "n_prior": 0.0,
        "early_stopping": 0,
    }
    if "reg" not in chosen:
        chosen["reg"] = _rounded(_REG_PER_CHANCE * chance_strength(liked, chosen["unobserved"]))
    if "lr" not in chosen:
        n_pairs = liked.n_ratings
        of_all, of_a_batch = (
            largest_singular_value(liked, chosen["unobserved"], n_drawn)
            for n_drawn in (n_pairs, min(max(chosen["batch_size"], 1), n_pairs))
        )
        largest = max(of_all, of_a_batch / _LARGEST_OF_A_BATCH)
        chosen["lr"] = _rounded(_STEP * (1 - chosen["momentum"]) / largest)
    return chosen


def chance_strength(liked: Ratings, unobserved: float) -> float:
    """Return the largest singular value that as many pairs, drawn at random, would have.

    Of the matrix of `largest_singular_value`, less its mean. A direction of taste survives the
    penalty only if its singular value is above it. With d_u liked items per user and d_i likes
    per item on average ::

        (1 / sqrt(d_u) + 1 / sqrt(d_i)) / (1 + unobserved)

    References
    ----------
    Vershynin 2012, "Introduction to the non-asymptotic analysis of random matrices": an
    N x M matrix of independent entries of variance v has sqrt(v) (sqrt(N) + sqrt(M)).
    """
    n_users, n_items = len(np.unique(liked.users)), len(np.unique(liked.items))
    per_user, per_item = liked.n_ratings / n_users, liked.n_ratings / n_items
    return float((per_user**-0.5 + per_item**-0.5) / (1 + unobserved))


def largest_singular_value(liked: Ratings, unobserved: float, n_drawn: int) -> float:
    """Return that of the matrix ``1 / (m sqrt(w_u w_i))`` where u liked i, of m pairs drawn.

    The m = ``n_drawn`` pairs are drawn at random, always the same, from 1 to all. The weights are
    those of all pairs.
    """
    of_users = row_weights(liked.users, liked.n_users, unobserved)
    of_items = row_weights(liked.items, liked.n_items, unobserved)
    users, items = liked.users, liked.items
    if n_drawn < liked.n_ratings:
        rng = np.random.default_rng(0)
        drawn = rng.choice(liked.n_ratings, n_drawn, replace=False, shuffle=False)
        users, items = users[drawn], items[drawn]
    values = 1 / (n_drawn * np.sqrt(of_users[users] * of_items[items]))
    shape = (liked.n_users, liked.n_items)
    if min(shape) == 1:
        return float(np.linalg.norm(values))
    weighted = sparse.csr_array((values, (users, items)), shape=shape)
    start = np.ones(min(shape))  # else it is drawn at random
    return float(svds(weighted, k=1, v0=start, return_singular_vectors=False)[0])


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
