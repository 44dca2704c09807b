from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
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

    def at_rows_of(self, ratings: Ratings) -> _Moved:
        """Return the same answers by the rows of other id maps, such as of data that have grown.

        What is unknown here is row -1, and stands in nobody's list.
        """
        return _Moved(
            self,
            np.append(self.listing.user_ids.rows(ratings.user_ids), -1).astype(np.int32),
            np.append(self.listing.items.item_ids.rows(ratings.item_ids), -1).astype(np.int32),
        )


@dataclass(frozen=True, eq=False)
class _Moved:
    """A version asked by the rows of other id maps; row -1 of both is the last entry."""

    served: Served
    users: NDArray[np.int32]
    items: NDArray[np.int32]

    @property
    def item_counts(self) -> NDArray[np.int32]:
        items = self.items[:-1]
        return np.where(items >= 0, self.served.item_counts[items], 0).astype(np.int32)

    def predict(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> Floats | None:
        return self.served.predict(self.users[users], self.items[items])

    def list_scores(self, users: NDArray[np.integer]) -> Floats:
        return self.served.list_scores(self.users[users])[:, self.items[:-1]]
