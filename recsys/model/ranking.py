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
    candidates : (n_items,) bool
    n, offset : int
        At least 1, at least 0.

    Returns
    -------
    rows : (at most n,) intp
    has_more : bool
    """
    rows = np.flatnonzero(candidates)
    end = offset + n
    has_more = end < len(rows)
    if has_more:
        # A partition finds the last score of the page in linear time; all that equal it stay in.
        place = len(rows) - end
        rows = rows[scores[rows] >= np.partition(scores[rows], place)[place]]
    return rows[np.argsort(-scores[rows], kind="stable")][offset:end], has_more
