from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Predictor(Protocol):
    """What a snapshot and a baseline have in common."""

    @property
    def item_counts(self) -> NDArray[np.int32]:
        """Training ratings of each item, (n_items,) int32."""

    def predict(
        self, users: NDArray[np.integer], items: NDArray[np.integer]
    ) -> NDArray[np.float32] | None:
        """Return predicted ratings of pairs, (n,) float32; row -1 is an unknown user or item.

        None where the predictor orders lists and predicts no stars.
        """

    def list_scores(self, users: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return what orders the users' lists, (n, n_items) float32, finite.

        Row -1 is somebody unknown. Where everybody has the same scores, it is one row, broadcast:
        lists are then found in a fraction of the time.
        """
