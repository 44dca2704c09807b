from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, case, select, update
from sqlalchemy.exc import IntegrityError

from recsys.data import IdMap, ItemMetadata, Ratings
from recsys.errors import NotFoundError
from recsys.model.snapshot import Catalogue
from recsys.store.blobs import check_lengths, check_rows, join
from recsys.store.data_set_rows import item_rows, rated_items_rows
from recsys.store.database import writing
from recsys.store.drafts import counted, drafting, sweep
from recsys.store.tables import DataSet, Item, Model, RatedItems


def save_data_set(
    engine: Engine,
    ratings: Ratings,
    *,
    feedback_revision: int = 0,
    fingerprint: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Return the id of the stored data set that holds ``ratings``, writing it if there is none.

    A data set never changes: it is the same one if name, ratings and metadata are. Its rows are
    written in chunks and are visible after the last.

    Parameters
    ----------
    ratings : Ratings
        All that are known, those held out of training included.
    feedback_revision : int
        That of `load_feedback`, if its entries were merged in: what is written later is newer
        than this data set. One that is there already keeps the larger of both.
    fingerprint : str, optional
        What the data set is known by, if the ratings come in another order than the one in which
        their own fingerprint was taken.
    progress : callable, optional
        Called after each chunk with the users whose ratings are written so far, and all users.

    Raises
    ------
    StoreError
        If the database cannot be written.
    """
    fingerprint = fingerprint or ratings.fingerprint
    sweep(engine)
    found = find_same_data_set(engine, ratings.name, fingerprint, ratings.metadata)
    if found is not None and _touch(engine, found, feedback_revision):
        return found
    low, high = ratings.rating_scale
    try:
        with drafting(
            engine,
            DataSet,
            name=ratings.name,
            fingerprint=fingerprint,
            metadata_fingerprint=_metadata_fingerprint(ratings.metadata),
            n_users=ratings.n_users,
            n_items=ratings.n_items,
            n_ratings=ratings.n_ratings,
            rating_min=low,
            rating_max=high,
            is_implicit=ratings.is_implicit,
            has_timestamps=ratings.timestamps is not None,
            feedback_revision=feedback_revision,
        ) as draft:
            draft.insert(Item, item_rows(draft.id, ratings))
            written = counted(progress, ratings.n_users)
            draft.insert_many(RatedItems, rated_items_rows(draft.id, ratings), written)
            draft.complete()
            return draft.id
    except IntegrityError:
        # Another process has completed the same data set meanwhile.
        found = find_same_data_set(engine, ratings.name, fingerprint, ratings.metadata)
        if found is None or not _touch(engine, found, feedback_revision):
            raise
        return found


def find_same_data_set(
    engine: Engine, name: str, fingerprint: str, metadata: ItemMetadata
) -> int | None:
    """Return the id of the stored data set with this name, these ratings and metadata, if any."""
    same = select(DataSet.id).where(
        DataSet.is_complete,
        DataSet.name == name,
        DataSet.fingerprint == fingerprint,
        DataSet.metadata_fingerprint == _metadata_fingerprint(metadata),
    )
    with engine.connect() as connection:
        return connection.execute(same).scalar()


def load_ratings(engine: Engine, data_set_id: int) -> Ratings:
    """Return the stored ratings, by user row and item row ascending.

    The ids, rows, values and timestamps are those that were saved; their order, and with it
    `Ratings.fingerprint`, is the saved one only if that was by user and item already.

    Raises
    ------
    NotFoundError
        If there is no such data set.
    StoreError
        If a row is missing or damaged.
    """
    columns = (
        RatedItems.user_row,
        RatedItems.user_id,
        RatedItems.n_ratings,
        RatedItems.item_rows,
        RatedItems.rating_values,
        RatedItems.timestamps,
    )
    with engine.connect() as connection:
        data_set = find_data_set(connection, data_set_id)
        catalogue = load_catalogue(connection, data_set)
        found = connection.execute(
            select(*columns)
            .where(RatedItems.data_set_id == data_set_id)
            .order_by(RatedItems.user_row)
        ).all()
    rows, user_ids, counts, items, values, timestamps = (
        list(column) for column in (zip(*found, strict=True) if found else repeat((), 6))
    )
    check_rows(f"rated_items of data set {data_set_id}", rows, data_set.n_users)

    def joined(column: str, blobs: list[bytes], dtype: str) -> NDArray[Any]:
        size = np.dtype(dtype).itemsize
        what = f"{column} in rated_items of data set {data_set_id}"
        check_lengths(what, blobs, (size * n for n in counts))
        return join(blobs, dtype)

    return Ratings(
        name=data_set.name,
        user_ids=IdMap(user_ids),
        item_ids=catalogue.item_ids,
        users=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        items=joined("item_rows", items, "<i4"),
        values=None if data_set.is_implicit else joined("rating_values", values, "<f4"),
        timestamps=joined("timestamps", timestamps, "<i8") if data_set.has_timestamps else None,
        metadata=catalogue.metadata,
    )


def sample_users(engine: Engine, model_id: int, n: int, seed: int = 0) -> list[str]:
    """Return the ids of ``n`` random users of a version's data set, or of all if they are fewer.

    Raises
    ------
    NotFoundError
        If there is no such version.
    """
    query = (
        select(DataSet.id, DataSet.n_users)
        .join(Model)
        .where(Model.id == model_id, Model.is_complete)
    )
    with engine.connect() as connection:
        if (data_set := connection.execute(query).one_or_none()) is None:
            raise NotFoundError(f"there is no version {model_id}")
        rng = np.random.default_rng(seed)
        rows = rng.choice(data_set.n_users, min(n, data_set.n_users), replace=False)
        chosen = (RatedItems.data_set_id == data_set.id) & RatedItems.user_row.in_(rows.tolist())
        query_ids = select(RatedItems.user_id).where(chosen).order_by(RatedItems.user_row)
        return list(connection.scalars(query_ids))


def find_data_set(connection: Connection, data_set_id: int) -> Any:
    """Return the row of a complete data set.

    Raises
    ------
    NotFoundError
        If there is no such data set.
    """
    query = select(DataSet.__table__).where(DataSet.id == data_set_id, DataSet.is_complete)
    if (row := connection.execute(query).one_or_none()) is None:
        raise NotFoundError(f"there is no data set {data_set_id}")
    return row


def load_catalogue(connection: Connection, data_set: Any) -> Catalogue:
    """Return the items of a data set, given its row (`find_data_set`).

    Raises
    ------
    StoreError
        If an item is missing.
    """
    columns = (
        Item.item_row,
        Item.item_id,
        Item.title,
        Item.year,
        Item.genres,
        Item.n_ratings,
        Item.mean_rating,
    )
    found = connection.execute(
        select(*columns).where(Item.data_set_id == data_set.id).order_by(Item.item_row)
    ).all()
    check_rows(
        f"items of data set {data_set.id}", [row.item_row for row in found], data_set.n_items
    )
    # A mean that does not exist is null here and NaN there.
    means = np.array([row.mean_rating for row in found], dtype=np.float32)
    return Catalogue(
        item_ids=IdMap(row.item_id for row in found),
        metadata=ItemMetadata(
            titles=tuple(row.title for row in found),
            years=tuple(row.year for row in found),
            genres=tuple(tuple(row.genres) for row in found),
        ),
        n_ratings=np.array([row.n_ratings for row in found], dtype=np.int32),
        mean_ratings=None if data_set.is_implicit else means,
    )


def load_user_ids(connection: Connection, data_set_id: int) -> list[str]:
    """Return the user id of each user row of a data set."""
    query = select(RatedItems.user_id).where(RatedItems.data_set_id == data_set_id)
    # Of many rows, unpacking each is quicker than `scalars`.
    return [user_id for (user_id,) in connection.execute(query.order_by(RatedItems.user_row))]


def load_item_ids(connection: Connection, data_set_id: int) -> list[str]:
    """Return the item id of each item row of a data set."""
    query = select(Item.item_id).where(Item.data_set_id == data_set_id)
    return list(connection.scalars(query.order_by(Item.item_row)).all())


def _touch(engine: Engine, data_set_id: int, revision: int) -> bool:
    """Mark a data set as one that a version is to follow; return whether it is there still."""
    held = DataSet.feedback_revision
    touched = (
        update(DataSet)
        .where(DataSet.id == data_set_id)
        .values(
            touched_at=datetime.now(UTC),
            feedback_revision=case((held < revision, revision), else_=held),
        )
    )
    with writing(engine) as connection:
        return bool(connection.execute(touched).rowcount)


def _metadata_fingerprint(metadata: ItemMetadata) -> str:
    content = json.dumps([metadata.titles, metadata.years, metadata.genres])
    return hashlib.sha256(content.encode()).hexdigest()
