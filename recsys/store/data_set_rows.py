"""The ratings of a data set: one row each per item and per user."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.store.blobs import cut
from recsys.store.drafts import ROWS_PER_COMMIT


def item_rows(data_set_id: int, ratings: Ratings) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``items``."""
    n_ratings = ratings.counts_by_item
    means: list[float | None] = [None] * ratings.n_items
    if ratings.values is not None:
        sums = np.bincount(ratings.items, weights=ratings.values, minlength=ratings.n_items)
        rated = np.flatnonzero(n_ratings)
        found = (sums[rated] / n_ratings[rated]).astype(np.float32)
        for row, mean in zip(rated.tolist(), found.tolist(), strict=True):
            means[row] = mean
    metadata = ratings.metadata
    for row, item_id in enumerate(ratings.item_ids):
        yield {
            "data_set_id": data_set_id,
            "item_row": row,
            "item_id": item_id,
            "title": metadata.titles[row],
            "year": metadata.years[row],
            "genres": list(metadata.genres[row]),
            "n_ratings": int(n_ratings[row]),
            "mean_rating": means[row],
        }


def rated_items_rows(data_set_id: int, ratings: Ratings) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of ``rated_items``, columns in the table's order."""
    order = np.argsort(ratings.users, kind="stable")
    counts = ratings.counts_by_user
    starts = np.concatenate(([0], np.cumsum(counts)))
    # A block of users at a time: of many ratings, all their bytes at once would not fit.
    for first in range(0, ratings.n_users, ROWS_PER_COMMIT):
        end = min(first + ROWS_PER_COMMIT, ratings.n_users)
        places = starts[first : end + 1]
        rows = order[places[0] : places[-1]]
        pairs = ratings.users[rows].astype(np.int64) * ratings.n_items + ratings.items[rows]
        rows = rows[np.argsort(pairs, kind="stable")]
        yield from zip(
            repeat(data_set_id),
            range(first, end),
            islice(ratings.user_ids, first, end),
            counts[first:end].tolist(),
            _blobs(ratings.items, "<i4", rows, places),
            _blobs(ratings.values, "<f4", rows, places),
            _blobs(ratings.timestamps, "<i8", rows, places),
            strict=False,
        )


def _blobs(
    array: NDArray[Any] | None, dtype: str, rows: NDArray[np.integer], places: NDArray[np.int64]
) -> Iterator[bytes | None]:
    if array is None:
        return repeat(None, len(places) - 1)
    return cut(array[rows], dtype, places - places[0])
