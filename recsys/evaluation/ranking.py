"""List metrics over the full catalogue: no sampled negatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.integer]


@dataclass(frozen=True)
class ListMetrics:
    """Means over the users who have a relevant held-out item; NaN where there is none.

    Gains are binary. A user with r relevant held-out items whose list of k holds relevant items
    at the ranks in H (counted from 1) has ::

        dcg       = sum over H of 1 / log2(rank + 1)
        ndcg      = dcg / (dcg of a list that begins with min(k, r) relevant items)
        recall    = |H| / r
        precision = |H| / k

    References
    ----------
    Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques".
    """

    ndcg: float
    recall: float
    precision: float
    coverage: float
    """Share of the candidates that stand in at least one list."""
    n_users: int
    """Users that the means are over."""


def list_metrics(
    lists: Iterator[Rows], relevant: Iterator[Rows], n_candidates: int, k: int = 10
) -> ListMetrics:
    """Return the metrics of users' lists.

    Parameters
    ----------
    lists : iterable of (at most k,) int
        One user's recommended item rows, best first.
    relevant : iterable of (n_relevant,) int
        The same user's relevant held-out items, at least one; -1 for an item that training does
        not know: it can never be found, and counts all the same.
    n_candidates : int
        Items that could have been recommended to somebody.
    k : int
        Length of a full list.
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ndcg, recall, precision = [], [], []
    shown: set[int] = set()
    for recommended, wanted in zip(lists, relevant, strict=True):
        hits = np.isin(recommended, wanted[wanted >= 0])
        ideal = discounts[: min(k, len(wanted))].sum()
        ndcg.append(discounts[: len(hits)][hits].sum() / ideal)
        recall.append(hits.sum() / len(wanted))
        precision.append(hits.sum() / k)
        shown.update(recommended.tolist())
    if not ndcg:
        return ListMetrics(*(float("nan"),) * 4, n_users=0)
    return ListMetrics(
        ndcg=float(np.mean(ndcg)),
        recall=float(np.mean(recall)),
        precision=float(np.mean(precision)),
        coverage=len(shown) / n_candidates if n_candidates else float("nan"),
        n_users=len(ndcg),
    )
