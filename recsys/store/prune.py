"""Old versions, and what only they need, taken out of the store."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, select

from recsys.errors import StoreError, UsageError
from recsys.store.database import writing
from recsys.store.drafts import ABANDONED_AFTER
from recsys.store.tables import Alias, DataSet, Model, Promotion


@dataclass(frozen=True)
class Pruned:
    """What was removed.

    Attributes
    ----------
    model_ids : tuple of int
        Versions, oldest first.
    data_set_ids : tuple of int
        Data sets of which no version is left.
    """

    model_ids: tuple[int, ...]
    data_set_ids: tuple[int, ...]


def prune(engine: Engine, keep: int) -> Pruned:
    """Remove old versions, and data sets of which none is left, and return which.

    Kept are the newest ``keep`` versions, those that an alias points to, and those that a rollback
    of an alias would go back to; and, for `ABANDONED_AFTER`, the data set that was stored last,
    whose training may be about to store its version. Feedback is not of a version: it stays.
    SQLite's file is written anew, so that it shrinks and nothing of what was removed is left in it.

    Parameters
    ----------
    engine : Engine
    keep : int
        0 or more.

    Raises
    ------
    UsageError
        If ``keep`` is negative.
    StoreError
        If the database cannot be written.
    """
    if keep < 0:
        raise UsageError(f"keep is {keep}; allowed: 0 or more")
    with writing(engine) as connection:
        kept = _newest(connection, keep) | _needed(connection)
        complete = select(Model.id).where(Model.is_complete).order_by(Model.id)
        old = [model_id for model_id in connection.scalars(complete) if model_id not in kept]
        for model_id in old:
            connection.execute(delete(Model).where(Model.id == model_id))
        unused = select(DataSet.id).where(
            DataSet.is_complete, DataSet.id.not_in(select(Model.data_set_id))
        )
        data_sets = list(connection.scalars(unused.order_by(DataSet.id)))
        # A training stores its data set, or finds it stored, before it stores its version.
        last = select(DataSet.id).order_by(DataSet.touched_at.desc(), DataSet.id.desc()).limit(1)
        awaited = connection.scalar(
            last.where(
                DataSet.is_complete, DataSet.touched_at > datetime.now(UTC) - ABANDONED_AFTER
            )
        )
        data_sets = [data_set_id for data_set_id in data_sets if data_set_id != awaited]
        for data_set_id in data_sets:
            connection.execute(delete(DataSet).where(DataSet.id == data_set_id))
    if old or data_sets:
        _shrink(engine)
    return Pruned(tuple(old), tuple(data_sets))


def _newest(connection: Connection, n: int) -> set[int]:
    query = select(Model.id).where(Model.is_complete).order_by(Model.id.desc()).limit(n)
    return set(connection.scalars(query))


def _needed(connection: Connection) -> set[int]:
    """Return the versions of aliases, and those that rolling an alias back leads to."""
    needed = set()
    for name, model_id in connection.execute(select(Alias.name, Alias.model_id)).all():
        before = select(Promotion.model_id).where(
            Promotion.alias == name,
            Promotion.rolled_back_at.is_(None),
            Promotion.model_id != model_id,
        )
        earlier = connection.scalar(before.order_by(Promotion.revision.desc()).limit(1))
        needed |= {model_id} if earlier is None else {model_id, earlier}
    return needed


def _shrink(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM")
    except sqlite3.Error as error:
        raise StoreError(
            f"the versions are removed, but the file could not be made smaller: {error}"
        ) from None
    finally:
        connection.close()
