from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def page(
    scores: NDArray[np.floating], candidates: NDArray[np.bool_], n: int, offset: int = 0
) -> tuple[Rows, bool]:
    """Return ``n`` candidates after the first ``offset``, best first, and whether more follow.

    Equal scores come in row order, also where a page ends between them: pages neither repeat
    nor lose a row.

    Parameters
    ----------
    scores : (n_items,) float
        Finite.
    candidates : (n_items,) bool
    n, offset : int
        At least 1, at least 0.

    Returns
    -------
    rows : (at most n,) intp
    has_more : bool
    """
    end = offset + n
    has_more = end < int(np.count_nonzero(candidates))
    if not has_more:
        (rows,) = candidates.nonzero()
    else:
        masked = np.where(candidates, scores, -np.inf)
        (rows,) = (masked >= _at_most_the_last_of(masked, end)).nonzero()
        if len(rows) > end:
            # A partition finds the last score of the page in linear time; all that equal it stay.
            last = np.partition(masked[rows], len(rows) - end)[len(rows) - end]
            rows = rows[masked[rows] >= last]
    return rows[(-scores[rows]).argsort(kind="stable")][offset:end], has_more


def _at_most_the_last_of(scores: NDArray[np.floating], n: int) -> float:
    """Return a score that ``n`` of more than n reach, and few more where n is small.

    That of n columns of a table of all scores, each of which has one of its own: to find the
    largest in each takes a fraction of the time of a partition of all.
    """
    n_columns = 16 * n
    n_rows = len(scores) // n_columns
    if n_rows < 2:
        return float(np.partition(scores, len(scores) - n)[len(scores) - n])
    largest = scores[: n_rows * n_columns].reshape(n_rows, n_columns).max(axis=0)
    largest.partition(n_columns - n)
    return float(largest[n_columns - n])
