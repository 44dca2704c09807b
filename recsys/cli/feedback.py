from __future__ import annotations

from sqlalchemy import Engine

from recsys import store
from recsys.cli.output import note
from recsys.data import Ratings
from recsys.data.merge import merge
from recsys.errors import DataError


def merge_and_tell(engine: Engine, ratings: Ratings) -> tuple[Ratings, int]:
    """Merge the stored feedback on data of this name in, and say so.

    Returns
    -------
    merged : Ratings
    revision : int
        Of the feedback that they hold; 0 if there is none.
    """
    entries, revision = store.load_feedback(engine, ratings.name)
    if not entries:
        return ratings, revision
    merged = merge(ratings, entries)
    n_erased = sum(entry.is_erased for entry in entries)
    note(
        f"feedback: {len(entries) - n_erased:,} ratings merged in, {n_erased:,} taken back; now "
        f"{merged.n_ratings:,} ratings of {merged.n_items:,} items by {merged.n_users:,} users"
    )
    if not merged.n_ratings:
        raise DataError(
            f"everything in {ratings.name} was taken back: there is nothing to train on"
        )
    return merged, revision
