from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.model.item_side import Floats, ItemSide
from recsys.model.ranking import Rows
from recsys.model.snapshot import Objective, UserRow
from recsys.serving.popularity import PopularityDial
from recsys.serving.search import Mask


@dataclass(frozen=True, eq=False)
class RankedItems:
    """One page of a list, best first.

    Attributes
    ----------
    items : (n_listed,) intp
        Item rows of the catalogue.
    scores : (n_listed,) float32
        What orders the list; never increasing.
    stars : (n_listed,) float32 or None
        Predicted ratings; None where the version has no rating embeddings.
    between : pair of (n_listed,) float32, or None
        Lower and upper ends of the intervals around the stars; None where the version has none.
    has_more : bool
        Whether the list goes on behind this page.
    """

    items: Rows
    scores: Floats
    stars: Floats | None
    between: tuple[Floats, Floats] | None
    has_more: bool


class ListOrder:
    """What orders a version's lists.

    Parameters
    ----------
    objective : 'rating' or 'ranking'
        Of the embeddings that do it.
    side : ItemSide
    n_ratings : (n_items,) int32
        All known ratings of each item.

    Attributes
    ----------
    listed : (n_items,) bool
        Which items lists may hold: those with training ratings.
    is_shrunk : bool
        Whether scores are drawn to the user's mean where ratings are few (`ItemSide.shrunk`):
        predicted stars are.
    """

    def __init__(self, objective: Objective, side: ItemSide, n_ratings: NDArray[np.int32]) -> None:
        self.objective, self.side = objective, side
        self.listed: Mask = side.item_counts > 0
        self.is_shrunk = objective == "rating"
        self._dial = PopularityDial(n_ratings, self.listed)

    def scores(self, user: UserRow, popularity: float = 0.0) -> Floats:
        """Return the scores of all items for a user, (n_items,) float32.

        Parameters
        ----------
        user : UserRow
            Of the objective.
        popularity : float
            In [-1, 1], see `PopularityDial`.
        """
        score = self.side.list_scores if self.is_shrunk else self.side.scores
        return self._dial.turn(score(user.factors, user.bias), popularity)

    def trust(self, row: int) -> float:
        """Return what the item's bias and the dot product are multiplied with in its score."""
        return float(self.side.trust[row]) if self.is_shrunk else 1.0
