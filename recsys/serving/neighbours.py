from __future__ import annotations

import numpy as np

from recsys.model.item_side import Floats
from recsys.model.ranking import Rows, page
from recsys.serving.search import Mask


class Neighbours:
    """The items nearest to an item, by the cosine of their embeddings.

    Parameters
    ----------
    item_factors : (n_items, n_factors) float32
    """

    def __init__(self, item_factors: Floats) -> None:
        self._factors = item_factors
        self._norms: Floats = np.sqrt(np.einsum("ij,ij->i", item_factors, item_factors))

    def nearest(self, row: int, candidates: Mask, n: int) -> tuple[Rows, Floats, bool]:
        """Return the ``n`` nearest candidates, nearest first, and whether there are more.

        The item itself is left out. An embedding of zero has no direction: it is near nothing,
        and nothing is near it.

        Returns
        -------
        rows : (at most n,) intp
        cosines : (at most n,) float32
        has_more : bool
        """
        norms = np.where(self._norms > 0, self._norms, 1)
        cosines = np.clip(self._factors @ self._factors[row] / (norms * norms[row]), -1, 1)
        near = candidates & (self._norms > 0) & bool(self._norms[row] > 0)
        near[row] = False
        rows, has_more = page(cosines, near, n)
        return rows, cosines[rows], has_more
