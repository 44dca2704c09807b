"""The embeddings of a snapshot: one row each per user and per item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from recsys.data import IdMap
from recsys.errors import NotFoundError
from recsys.model.item_side import Floats, ItemSide
from recsys.model.snapshot import Objective, Snapshot
from recsys.store.blobs import check_lengths, check_rows, cut, join
from recsys.store.data_sets import load_item_ids
from recsys.store.tables import DataSet, ItemEmbedding, Model, SnapshotRow, UserEmbedding


def user_embedding_rows(snapshot_id: int, snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    """Return a snapshot's rows of ``user_embeddings``, columns in the table's order."""
    return zip(
        repeat(snapshot_id),
        range(snapshot.n_users),
        snapshot.user_bias.tolist(),
        cut(snapshot.user_factors, "<f4", np.arange(snapshot.n_users + 1)),
        strict=False,
    )


def item_embedding_rows(snapshot_id: int, items: ItemSide) -> Iterator[tuple[Any, ...]]:
    """Return a snapshot's rows of ``item_embeddings``, columns in the table's order."""
    return zip(
        repeat(snapshot_id),
        range(items.n_items),
        items.item_counts.tolist(),
        items.item_bias.tolist(),
        cut(items.item_factors, "<f4", np.arange(items.n_items + 1)),
        strict=False,
    )


def find_snapshot(connection: Connection, model_id: int, objective: Objective) -> Any:
    """Return a snapshot's row, with its data set's ``data_set_id fingerprint n_users n_items``.

    Raises
    ------
    NotFoundError
        If there is no such version, or it lacks the objective.
    """
    query = (
        select(
            SnapshotRow.__table__,
            Model.data_set_id,
            DataSet.fingerprint,
            DataSet.n_users,
            DataSet.n_items,
        )
        .join(Model, SnapshotRow.model_id == Model.id)
        .join(DataSet, Model.data_set_id == DataSet.id)
        .where(Model.is_complete, Model.id == model_id)
    )
    rows = {row.objective: row for row in connection.execute(query)}
    if not rows:
        raise NotFoundError(f"there is no version {model_id}")
    if objective not in rows:
        raise NotFoundError(
            f"version {model_id} has no {objective} embeddings; it has: {', '.join(sorted(rows))}"
        )
    return rows[objective]


def load_item_side(connection: Connection, snapshot: Any) -> ItemSide:
    """Return the items' half of a snapshot, given its row (`find_snapshot`).

    Raises
    ------
    StoreError
        If a row is missing or damaged.
    """
    query = (
        select(
            ItemEmbedding.item_row,
            ItemEmbedding.n_ratings,
            ItemEmbedding.bias,
            ItemEmbedding.factors,
        )
        .where(ItemEmbedding.snapshot_id == snapshot.id)
        .order_by(ItemEmbedding.item_row)
    )
    rows = connection.execute(query).all()
    return ItemSide(
        item_ids=IdMap(load_item_ids(connection, snapshot.data_set_id)),
        item_factors=_factors("item_embeddings", rows, snapshot, snapshot.n_items),
        item_bias=np.array([row.bias for row in rows], dtype=np.float32),
        item_counts=np.array([row.n_ratings for row in rows], dtype=np.int32),
        global_mean=snapshot.global_mean,
        y_range=None if snapshot.y_min is None else (snapshot.y_min, snapshot.y_max),
        rating_scale=(snapshot.rating_min, snapshot.rating_max),
    )


def load_user_embeddings(connection: Connection, snapshot: Any) -> tuple[Floats, Floats]:
    """Return (n_users,) biases and (n_users, n_factors) factors, given a snapshot's row.

    Raises
    ------
    StoreError
        If a row is missing or damaged.
    """
    query = (
        select(UserEmbedding.user_row, UserEmbedding.bias, UserEmbedding.factors)
        .where(UserEmbedding.snapshot_id == snapshot.id)
        .order_by(UserEmbedding.user_row)
    )
    rows = connection.execute(query).all()
    factors = _factors("user_embeddings", rows, snapshot, snapshot.n_users)
    return np.array([row.bias for row in rows], dtype=np.float32), factors


def _factors(table: str, rows: Sequence[Any], snapshot: Any, n_rows: int) -> Floats:
    what = f"{table} of version {snapshot.model_id} ({snapshot.objective})"
    check_rows(what, [row[0] for row in rows], n_rows)
    blobs = [row.factors for row in rows]
    check_lengths(what, blobs, repeat(4 * snapshot.n_factors, n_rows))
    return join(blobs, "<f4").reshape(n_rows, snapshot.n_factors)
