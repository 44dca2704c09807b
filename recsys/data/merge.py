from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data.feedback import ALL_ITEMS, FeedbackEntry
from recsys.data.ids import IdMap
from recsys.data.ratings import ItemMetadata, Ratings


def merge(ratings: Ratings, feedback: Sequence[FeedbackEntry]) -> Ratings:
    """Return the ratings with feedback in the place of what they say of the same pairs.

    What was taken back is left out, and so are the users and items that have no rating then. New
    ids come behind those that are there, new ratings behind the old ones, in the order given.
    Among ratings with values, an entry without one is left out.

    Parameters
    ----------
    ratings : Ratings
    feedback : sequence of FeedbackEntry
        Each pair once.
    """
    if not feedback:
        return ratings
    forgotten = [entry.user_id for entry in feedback if entry.item_id == ALL_ITEMS]
    entries = [entry for entry in feedback if entry.item_id != ALL_ITEMS]
    user_ids = _extended(ratings.user_ids, (entry.user_id for entry in entries))
    item_ids = _extended(ratings.item_ids, (entry.item_id for entry in entries))
    users = user_ids.rows(entry.user_id for entry in entries)
    items = item_ids.rows(entry.item_id for entry in entries)

    def pairs(users: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.int64]:
        return users.astype(np.int64) * len(item_ids) + items

    kept = ~np.isin(pairs(ratings.users, ratings.items), pairs(users, items))
    kept &= ~np.isin(ratings.users, ratings.user_ids.rows(forgotten))
    new = [
        place
        for place, entry in enumerate(entries)
        if not entry.is_erased and (ratings.is_implicit or entry.value is not None)
    ]

    def column(old: NDArray[Any], name: str) -> NDArray[Any]:
        added = [getattr(entries[place], name) for place in new]
        return np.concatenate((old[kept], np.array(added, dtype=old.dtype)))

    return replace(
        ratings,
        user_ids=user_ids,
        item_ids=item_ids,
        users=np.concatenate((ratings.users[kept], users[new])),
        items=np.concatenate((ratings.items[kept], items[new])),
        values=None if ratings.values is None else column(ratings.values, "value"),
        timestamps=None if ratings.timestamps is None else column(ratings.timestamps, "rated_at"),
        metadata=_with_unknown(ratings.metadata, len(item_ids) - ratings.n_items),
    ).compact()


def _extended(ids: IdMap, more: Iterable[str]) -> IdMap:
    new = dict.fromkeys(raw_id for raw_id in more if raw_id not in ids)
    return IdMap([*ids, *new])


def _with_unknown(metadata: ItemMetadata, n_items: int) -> ItemMetadata:
    unknown = ItemMetadata.unknown(n_items)
    return ItemMetadata(
        metadata.titles + unknown.titles,
        metadata.years + unknown.years,
        metadata.genres + unknown.genres,
    )
