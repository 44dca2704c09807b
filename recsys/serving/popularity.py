from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.model.item_side import Floats


class PopularityDial:
    """Moves the scores of a list towards popular items, or away from them.

    An item with n known ratings is moved by ``popularity * spread * z``: z is how popular it is,
    n less its mean over the items that may be listed and over their standard deviation, and the
    spread is the standard deviation of the scores over the same items. At 1 and -1, popularity
    so weighs as much as all that the model has to say.

    Whatever the scores, the items that come first have a mean n that never falls when the dial
    is turned up. Not the logarithm of n: scores that order lists grow with n itself, and what is
    taken off in step with the logarithm would lift items that hardly anybody rated before it
    lowers the most popular ones.

    Parameters
    ----------
    n_ratings : (n_items,) int32
        All known ratings of each item.
    listed : (n_items,) bool
        Which items lists may hold at all.
    """

    def __init__(self, n_ratings: NDArray[np.int32], listed: NDArray[np.bool_]) -> None:
        self._listed = listed
        centred = n_ratings - (n_ratings[listed].mean() if listed.any() else 0)
        spread = centred[listed].std() if listed.any() else 0
        self._z: Floats = (centred / (spread or 1)).astype(np.float32)

    def turn(self, scores: Floats, popularity: float) -> Floats:
        """Return scores moved by ``popularity``, in [-1, 1]; at 0 as they are.

        Parameters
        ----------
        scores : (n_items,) float32
        popularity : float
        """
        if popularity == 0 or not self._listed.any():
            return scores
        spread = np.float32(popularity) * scores[self._listed].std()
        return np.asarray(scores + spread * self._z)
