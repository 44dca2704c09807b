"""The arrays of a snapshot: one row each per user, per item and per layer of its network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from recsys.data import IdMap
from recsys.errors import DataError, NotFoundError, StoreError
from recsys.model.intervals import StarIntervals
from recsys.model.item_side import Floats, Head, ItemSide
from recsys.model.newcomers import STRENGTHS, Newcomers
from recsys.model.snapshot import Objective, Snapshot
from recsys.store.blobs import check_lengths, check_rows, cut_rows, join
from recsys.store.data_sets import load_item_ids
from recsys.store.tables import DataSet, ItemEmbedding, Layer, Model, SnapshotRow, UserEmbedding


def user_embedding_rows(snapshot_id: int, snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    """Return a snapshot's rows of ``user_embeddings``, columns in the table's order."""
    return zip(
        repeat(snapshot_id),
        range(snapshot.n_users),
        snapshot.user_bias.tolist(),
        cut_rows(snapshot.user_factors, "<f4"),
        strict=False,
    )


def item_embedding_rows(snapshot_id: int, items: ItemSide) -> Iterator[tuple[Any, ...]]:
    """Return a snapshot's rows of ``item_embeddings``, columns in the table's order."""
    new = items.newcomers
    implicit: tuple[Iterable[Any], Iterable[Any]] = (repeat(None), repeat(None))
    if new is not None and new.item_implicit is not None and new.item_implicit_bias is not None:
        implicit = (new.item_implicit_bias.tolist(), cut_rows(new.item_implicit, "<f4"))
    return zip(
        repeat(snapshot_id),
        range(items.n_items),
        items.item_counts.tolist(),
        items.item_bias.tolist(),
        cut_rows(items.item_factors, "<f4"),
        *implicit,
        strict=False,
    )


def layer_rows(snapshot_id: int, head: Head | None) -> Iterator[Mapping[str, Any]]:
    """Return a snapshot's rows of ``layers``: none without a network."""
    if head is None:
        return
    for position, (weight, bias) in enumerate(zip(head.weights, head.biases, strict=True)):
        n_inputs, n_outputs = weight.shape
        yield {
            "snapshot_id": snapshot_id,
            "position": position,
            "n_inputs": n_inputs,
            "n_outputs": n_outputs,
            "weight": weight.astype("<f4").tobytes(),
            "bias": bias.astype("<f4").tobytes(),
        }


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
            ItemEmbedding.implicit_bias,
            ItemEmbedding.implicit_factors,
        )
        .where(ItemEmbedding.snapshot_id == snapshot.id)
        .order_by(ItemEmbedding.item_row)
    )
    rows = connection.execute(query).all()
    return ItemSide(
        item_ids=IdMap(load_item_ids(connection, snapshot.data_set_id)),
        item_factors=_factors(
            f"item_embeddings {_of(snapshot)}", rows, snapshot.n_items, snapshot.n_factors
        ),
        item_bias=np.array([row.bias for row in rows], dtype=np.float32),
        item_counts=np.array([row.n_ratings for row in rows], dtype=np.int32),
        global_mean=snapshot.global_mean,
        y_range=None if snapshot.y_min is None else (snapshot.y_min, snapshot.y_max),
        rating_scale=(snapshot.rating_min, snapshot.rating_max),
        head=_load_head(connection, snapshot),
        newcomers=_newcomers(snapshot, rows),
        intervals=_intervals(snapshot),
    )


def load_user_embeddings(connection: Connection, snapshot: Any) -> tuple[Floats, Floats]:
    """Return (n_users,) biases and (n_users, n_user_factors) factors, given a snapshot's row.

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
    factors = _factors(
        f"user_embeddings {_of(snapshot)}", rows, snapshot.n_users, snapshot.n_user_factors
    )
    return np.array([row.bias for row in rows], dtype=np.float32), factors


def _newcomers(snapshot: Any, rows: Sequence[Any]) -> Newcomers | None:
    if snapshot.newcomers is None:
        return None
    what, n_factors = f"item_embeddings {_of(snapshot)}", snapshot.n_factors
    if set(snapshot.newcomers) != set(STRENGTHS):
        raise StoreError(
            f"newcomers {_of(snapshot)} has {sorted(snapshot.newcomers)} instead of "
            f"{sorted(STRENGTHS)}; restore the database from a backup"
        )
    check_lengths(f"user_mean {_of(snapshot)}", [snapshot.user_mean], [4 * n_factors])
    implicit = None
    if any(row.implicit_factors is not None for row in rows):
        implicit = _factors(
            f"the implicit part of {what}", rows, snapshot.n_items, n_factors, "implicit_factors"
        )
    return Newcomers(
        **snapshot.newcomers,
        user_mean=join([snapshot.user_mean], "<f4"),
        item_implicit=implicit,
        item_implicit_bias=None
        if implicit is None
        else np.array([row.implicit_bias for row in rows], dtype=np.float32),
    )


def _intervals(snapshot: Any) -> StarIntervals | None:
    if snapshot.intervals is None:
        return None
    try:
        return StarIntervals.from_dict(snapshot.intervals)
    except DataError as error:
        raise StoreError(
            f"intervals {_of(snapshot)} is not what was saved: {error}; "
            "restore the database from a backup"
        ) from error


def _load_head(connection: Connection, snapshot: Any) -> Head | None:
    query = (
        select(Layer.position, Layer.n_inputs, Layer.n_outputs, Layer.weight, Layer.bias)
        .where(Layer.snapshot_id == snapshot.id)
        .order_by(Layer.position)
    )
    rows, what = connection.execute(query).all(), f"layers {_of(snapshot)}"
    check_rows(what, [row.position for row in rows], snapshot.n_layers)
    if not rows:
        return None
    n_weights = (4 * row.n_inputs * row.n_outputs for row in rows)
    check_lengths(f"the weights in {what}", [row.weight for row in rows], n_weights)
    n_biases = (4 * row.n_outputs for row in rows)
    check_lengths(f"the biases in {what}", [row.bias for row in rows], n_biases)
    return Head(
        tuple(join([row.weight], "<f4").reshape(row.n_inputs, row.n_outputs) for row in rows),
        tuple(join([row.bias], "<f4") for row in rows),
    )


def _factors(
    what: str, rows: Sequence[Any], n_rows: int, n_factors: int, column: str = "factors"
) -> Floats:
    check_rows(what, [row[0] for row in rows], n_rows)
    blobs = [getattr(row, column) for row in rows]
    check_lengths(what, blobs, repeat(4 * n_factors, n_rows))
    return join(blobs, "<f4").reshape(n_rows, n_factors)


def _of(snapshot: Any) -> str:
    return f"of version {snapshot.model_id} ({snapshot.objective})"
