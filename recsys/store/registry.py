"""Which versions there are, and what each was trained on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from recsys.errors import NotFoundError
from recsys.model.snapshot import Objective
from recsys.store.tables import Alias, DataSet, Epoch, Model, SnapshotRow

LARGEST_ID = 2**31 - 1  # that of an integer column on Postgres
_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class DataSetInfo:
    """What a version was trained on.

    Attributes
    ----------
    data_set_id : int
    name : str
    fingerprint : str
        `Ratings.fingerprint`.
    n_users, n_items, n_ratings : int
        Held-out ratings included.
    rating_scale : (float, float)
    is_implicit : bool
    """

    data_set_id: int
    name: str
    fingerprint: str
    n_users: int
    n_items: int
    n_ratings: int
    rating_scale: tuple[float, float]
    is_implicit: bool


@dataclass(frozen=True)
class SnapshotInfo:
    """A stored snapshot apart from its arrays; the attributes are those of `Snapshot`.

    ``intervals`` is `StarIntervals.as_dict`, None where none were calibrated.
    """

    objective: Objective
    n_factors: int
    n_user_factors: int
    hyperparameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    history: tuple[Mapping[str, Any], ...]
    content_hash: str
    intervals: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class VersionInfo:
    """A stored version.

    Attributes
    ----------
    model_id : int
        Grows with time and is never given twice.
    created_at : datetime
        When its storing began, UTC.
    data_set : DataSetInfo
    aliases : tuple of str
        The names that point to it, sorted.
    snapshots : tuple of SnapshotInfo
        One per objective, ``rating`` before ``ranking``.
    """

    model_id: int
    created_at: datetime
    data_set: DataSetInfo
    aliases: tuple[str, ...]
    snapshots: tuple[SnapshotInfo, ...]


def list_versions(
    engine: Engine, *, limit: int | None = None, before: int | None = None
) -> list[VersionInfo]:
    """Return the complete versions, newest first.

    Parameters
    ----------
    engine : Engine
    limit : int, optional
        Only so many.
    before : int, optional
        Only those with a smaller ``model_id``: where a page before ended.
    """
    chosen = select(Model.id).where(Model.is_complete).order_by(Model.id.desc())
    if before is not None:
        chosen = chosen.where(Model.id < before)
    with engine.connect() as connection:
        return _versions(connection, chosen if limit is None else chosen.limit(limit))


def get_version(engine: Engine, ref: int | str) -> VersionInfo:
    """Return the version with the id ``ref``, or the one that the alias ``ref`` points to.

    Raises
    ------
    NotFoundError
        If there is none; the message says which there are.
    """
    with engine.connect() as connection:
        aliases = _aliases(connection)
        model_id = int(ref) if _ID.fullmatch(str(ref)) else aliases.get(str(ref), 0)
        chosen = select(Model.id).where(Model.is_complete, Model.id == model_id)
        found = _versions(connection, chosen) if model_id <= LARGEST_ID else []
        if not found:
            raise NotFoundError(f"there is no version {ref}; {known(connection)}")
        return found[0]


def get_data_set(engine: Engine, model_id: int) -> DataSetInfo:
    """Return what a version was trained on.

    Raises
    ------
    NotFoundError
        If there is no such version.
    """
    query = select(DataSet.__table__).join(Model).where(Model.id == model_id, Model.is_complete)
    with engine.connect() as connection:
        if (row := connection.execute(query).one_or_none()) is None:
            raise NotFoundError(f"there is no version {model_id}; {known(connection)}")
    return _data_set_info(row)


def _aliases(connection: Connection) -> dict[str, int]:
    query = select(Alias.name, Alias.model_id).order_by(Alias.name)
    return {row.name: row.model_id for row in connection.execute(query)}


def known(connection: Connection) -> str:
    """Return which versions and aliases there are, to be told where another was asked for."""
    query = select(Model.id).where(Model.is_complete).order_by(Model.id.desc())
    ids = list(connection.scalars(query.limit(11)))
    if not ids:
        return "no version is stored yet: recsys train"
    newest = ", ".join(str(model_id) for model_id in ids[:10])
    names = ", ".join(f"{name} -> {model_id}" for name, model_id in _aliases(connection).items())
    known = f"the {'newest are' if len(ids) > 10 else 'versions are'} {newest}"
    return f"{known}; the aliases are {names or 'none'}"


def _versions(connection: Connection, model_ids: Select[Any]) -> list[VersionInfo]:
    ids = list(connection.scalars(model_ids))

    def chosen(query: Any) -> Any:
        return connection.execute(query.where(Model.id.in_(ids)))

    aliases: dict[int, list[str]] = defaultdict(list)
    for name, pointed_to in _aliases(connection).items():
        aliases[pointed_to].append(name)

    history: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    epochs = select(Epoch.snapshot_id, Epoch.report).join(SnapshotRow).join(Model)
    for row in chosen(epochs.order_by(Epoch.snapshot_id, Epoch.position)):
        history[row.snapshot_id].append(row.report)

    snapshots: dict[int, list[SnapshotInfo]] = defaultdict(list)
    # 'rating' sorts after 'ranking', hence descending.
    order = SnapshotRow.objective.desc()
    for row in chosen(select(SnapshotRow.__table__).join(Model).order_by(order)):
        snapshots[row.model_id].append(
            SnapshotInfo(
                objective=row.objective,
                n_factors=row.n_factors,
                n_user_factors=row.n_user_factors,
                hyperparameters=row.hyperparameters,
                metrics=row.metrics,
                history=tuple(history[row.id]),
                content_hash=row.content_hash,
                intervals=row.intervals,
            )
        )

    models = select(
        Model.id.label("model_id"),
        Model.created_at.label("model_created_at"),
        DataSet.__table__,
    ).join(DataSet)
    return [
        VersionInfo(
            model_id=row.model_id,
            created_at=row.model_created_at,
            data_set=_data_set_info(row),
            aliases=tuple(aliases[row.model_id]),
            snapshots=tuple(snapshots[row.model_id]),
        )
        for row in chosen(models.order_by(Model.id.desc()))
    ]


def _data_set_info(row: Any) -> DataSetInfo:
    return DataSetInfo(
        data_set_id=row.id,
        name=row.name,
        fingerprint=row.fingerprint,
        n_users=row.n_users,
        n_items=row.n_items,
        n_ratings=row.n_ratings,
        rating_scale=(row.rating_min, row.rating_max),
        is_implicit=row.is_implicit,
    )
