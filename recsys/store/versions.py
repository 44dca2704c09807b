from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from recsys.data import IdMap
from recsys.errors import DataError, StoreError
from recsys.model.snapshot import Objective, Snapshot
from recsys.store.blobs import check_hash
from recsys.store.data_sets import find_data_set, load_item_ids, load_user_ids
from recsys.store.drafts import DraftWriter, counted, drafting, sweep
from recsys.store.embeddings import (
    find_snapshot,
    item_embedding_rows,
    layer_rows,
    load_item_side,
    load_user_embeddings,
    user_embedding_rows,
)
from recsys.store.tables import Epoch, ItemEmbedding, Layer, Model, SnapshotRow, UserEmbedding


def save_version(
    engine: Engine,
    data_set_id: int,
    snapshots: Sequence[Snapshot],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Return the ``model_id`` of a new version that holds ``snapshots``.

    Its rows are written in chunks; nobody sees it before the last commit, and what a killed
    process left of it is swept later. An error leaves nothing.

    Parameters
    ----------
    data_set_id : int
        What `save_data_set` returned for all ratings of the training run.
    snapshots : sequence of Snapshot
        One or more, of different objectives.
    progress : callable, optional
        Called after each chunk with the embeddings written so far and their total.

    Raises
    ------
    DataError
        If the snapshots are none, share an objective, are of other data, or hold what JSON
        cannot.
    NotFoundError
        If there is no such data set.
    StoreError
        If the database cannot be written.
    """
    sweep(engine)
    with engine.connect() as connection:
        _check(connection, data_set_id, snapshots)
    n_rows = sum(snapshot.n_users + snapshot.items.n_items for snapshot in snapshots)
    written = counted(progress, n_rows)
    with drafting(engine, Model, data_set_id=data_set_id) as draft:
        for snapshot in snapshots:
            _write(draft, snapshot, written)
        draft.complete()
        return draft.id


def load_snapshot(engine: Engine, model_id: int, objective: Objective) -> Snapshot:
    """Return a stored snapshot, bit for bit as it was saved.

    Raises
    ------
    NotFoundError
        If there is no such version, or it lacks the objective.
    StoreError
        If a row is missing or damaged, or the content is not what was saved.
    """
    with engine.connect() as connection:
        row = find_snapshot(connection, model_id, objective)
        user_bias, user_factors = load_user_embeddings(connection, row)
        epochs = select(Epoch.report).where(Epoch.snapshot_id == row.id).order_by(Epoch.position)
        what = f"the {objective} snapshot of version {model_id}"
        try:
            snapshot = Snapshot(
                objective=objective,
                items=load_item_side(connection, row),
                user_ids=IdMap(load_user_ids(connection, row.data_set_id)),
                user_factors=user_factors,
                user_bias=user_bias,
                hyperparameters=row.hyperparameters,
                data_fingerprint=row.fingerprint,
                metrics=row.metrics,
                history=tuple(connection.scalars(epochs)),
            )
        except DataError as error:
            raise StoreError(
                f"{what} is not what was saved: {error}; restore the database from a backup"
            ) from error
    check_hash(what, snapshot.content_hash, row.content_hash)
    return snapshot


def _check(connection: Connection, data_set_id: int, snapshots: Sequence[Snapshot]) -> None:
    data_set = find_data_set(connection, data_set_id)
    objectives = [snapshot.objective for snapshot in snapshots]
    if not objectives or len(set(objectives)) != len(objectives):
        raise DataError(
            "a version needs one snapshot or more, each of another objective", value=objectives
        )
    user_ids = load_user_ids(connection, data_set_id)
    item_ids = load_item_ids(connection, data_set_id)
    for snapshot in snapshots:
        if (
            snapshot.data_fingerprint != data_set.fingerprint
            or list(snapshot.user_ids) != user_ids
            or list(snapshot.items.item_ids) != item_ids
        ):
            raise DataError(
                f"the {snapshot.objective} snapshot was trained on other data than data set "
                f"{data_set_id} ({data_set.name})",
                value=snapshot.data_fingerprint,
                allowed=f"{data_set.fingerprint}, with its users and items",
            )
        for name in ("hyperparameters", "metrics", "history"):
            try:
                json.dumps(_plain(getattr(snapshot, name)), allow_nan=False)
            except (TypeError, ValueError) as error:
                raise DataError(
                    f"{name} of the {snapshot.objective} snapshot cannot be stored: {error}",
                    allowed="text, finite numbers, true, false, null, lists and mappings of them",
                ) from None


def _write(draft: DraftWriter, snapshot: Snapshot, written: Callable[[int], None]) -> None:
    items, new = snapshot.items, snapshot.items.newcomers
    y_min, y_max = items.y_range or (None, None)
    rating_min, rating_max = items.rating_scale
    with draft.transaction() as connection:
        snapshot_id = connection.execute(
            insert(SnapshotRow)
            .values(
                model_id=draft.id,
                objective=snapshot.objective,
                n_factors=items.n_factors,
                n_user_factors=items.n_user_factors,
                n_layers=0 if items.head is None else len(items.head.weights),
                global_mean=items.global_mean,
                y_min=y_min,
                y_max=y_max,
                rating_min=rating_min,
                rating_max=rating_max,
                hyperparameters=_plain(snapshot.hyperparameters),
                metrics=_plain(snapshot.metrics),
                content_hash=snapshot.content_hash,
                items_hash=items.content_hash,
                newcomers=None if new is None else dict(new.strengths),
                user_mean=None if new is None else new.user_mean.astype("<f4").tobytes(),
                intervals=None if items.intervals is None else dict(items.intervals.as_dict()),
            )
            .returning(SnapshotRow.id)
        ).scalar_one()
    epochs = (
        {"snapshot_id": snapshot_id, "position": position, "report": _plain(report)}
        for position, report in enumerate(snapshot.history)
    )
    draft.insert(Epoch, epochs)
    draft.insert(Layer, layer_rows(snapshot_id, items.head))
    draft.insert_many(UserEmbedding, user_embedding_rows(snapshot_id, snapshot), written)
    draft.insert_many(ItemEmbedding, item_embedding_rows(snapshot_id, items), written)


def _plain(value: Any) -> Any:
    """Return the mappings in ``value``, at any depth, as the dictionaries that JSON knows."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
