from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.model.item_side import Floats
from recsys.model.snapshot import Snapshot


@dataclass(frozen=True, eq=False)
class Served:
    """A version's snapshots together, answering as they are served.

    Stars come from the rating embeddings; lists are ordered by the ranking embeddings, or by
    the rating ones where there are no others.

    Attributes
    ----------
    listing : Snapshot
        What orders lists.
    rating : Snapshot or None
        What predicts stars; None if the version was trained for ranking alone.
    """

    listing: Snapshot
    rating: Snapshot | None

    @classmethod
    def of(cls, snapshots: Iterable[Snapshot]) -> Self:
        """Return one or more snapshots of different objectives together."""
        by_objective = {snapshot.objective: snapshot for snapshot in snapshots}
        rating = by_objective.get("rating")
        return cls(by_objective.get("ranking") or by_objective["rating"], rating)

    @property
    def item_counts(self) -> NDArray[np.int32]:
        """Training ratings of each item, (n_items,) int32."""
        return self.listing.item_counts

    def predict(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> Floats | None:
        """Return `Snapshot.predict` of the rating embeddings; None without them."""
        return None if self.rating is None else self.rating.predict(users, items)

    def list_scores(self, users: NDArray[np.integer]) -> Floats:
        """Return `Snapshot.list_scores` of what orders lists."""
        return self.listing.list_scores(users)
