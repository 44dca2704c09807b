"""Ratings as they come in, kept by the name of the data set that they belong to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, case, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from recsys.data.feedback import ALL_ITEMS, FeedbackEntry
from recsys.store.database import writing
from recsys.store.feedback_tables import FeedbackRevision, FeedbackRow
from recsys.store.tables import DataSet, Model

_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_KEY = ["data_set_name", "user_id", "item_id"]


class StoredFeedback(NamedTuple):
    """All feedback on the data sets of one name.

    Attributes
    ----------
    entries : list of FeedbackEntry
        By user id and item id, each pair once.
    revision : int
        The newest write that is in them; 0 if there was none.
    """

    entries: list[FeedbackEntry]
    revision: int


def save_feedback(engine: Engine, data_set_name: str, entries: Iterable[FeedbackEntry]) -> int:
    """Write entries, all or none, and return the revision of this write.

    Once this returns they are durable. Of several entries for one pair the last stands. An entry
    that says what is known already changes nothing, not even its time, unless it tells another.
    With an entry for `ALL_ITEMS`, what was written before about its user is deleted; the entry
    stays, for the ratings that the file and stored data sets hold.

    Parameters
    ----------
    data_set_name : str
        Every data set that is read under this name, now and later, is meant.
    entries : iterable of FeedbackEntry

    Raises
    ------
    StoreError
        If the database cannot be written; then nothing is.
    """
    now = int(time.time())
    last = {(entry.user_id, entry.item_id): entry for entry in entries}.values()
    forgotten = [{"of_user": entry.user_id} for entry in last if entry.item_id == ALL_ITEMS]
    with writing(engine) as connection:
        revision = _next_revision(connection, data_set_name)
        if forgotten:
            is_theirs = FeedbackRow.user_id == bindparam("of_user")
            theirs = delete(FeedbackRow).where(
                FeedbackRow.data_set_name == data_set_name, is_theirs
            )
            connection.execute(theirs, forgotten)
        for tells_time in (True, False):
            rows = [
                {
                    **entry._asdict(),
                    "data_set_name": data_set_name,
                    "rated_at": entry.rated_at if tells_time else now,
                    "revision": revision,
                }
                for entry in last
                if (entry.rated_at is not None) == tells_time
            ]
            if rows:
                connection.execute(_upsert(connection, tells_time=tells_time), rows)
        return revision


def forget_user(engine: Engine, data_set_name: str, user_id: str) -> int:
    """Take back all that is known of a user, and return the revision of this write.

    What is rated afterwards counts again.

    Raises
    ------
    StoreError
        If the database cannot be written; then nothing is.
    """
    everything = FeedbackEntry(user_id, ALL_ITEMS, None, None, is_erased=True)
    return save_feedback(engine, data_set_name, [everything])


def load_feedback(engine: Engine, data_set_name: str) -> StoredFeedback:
    """Return all feedback on the data sets of a name."""
    newest = select(FeedbackRevision.revision).where(
        FeedbackRevision.data_set_name == data_set_name
    )
    query = (
        select(*_ENTRY)
        .where(FeedbackRow.data_set_name == data_set_name)
        .order_by(FeedbackRow.user_id, FeedbackRow.item_id)
    )
    with engine.connect() as connection:
        # Read first: what is written in between is then taken for newer, not for merged in.
        revision = connection.execute(newest).scalar() or 0
        return StoredFeedback([FeedbackEntry(*row) for row in connection.execute(query)], revision)


def newer_feedback(engine: Engine, model_id: int, user_id: str) -> list[FeedbackEntry]:
    """Return what a user said after the data of a version were read, by item id."""
    with engine.connect() as connection:
        rows = connection.execute(_NEWER, {"model_id": model_id, "user_id": user_id})
        return [FeedbackEntry(*row) for row in rows]


def count_newer_feedback(engine: Engine, model_id: int) -> int:
    """Return how many ratings and erasures came in after the data of a version were read."""
    newer = (
        select(func.count())
        .select_from(FeedbackRow)
        .join(DataSet, FeedbackRow.data_set_name == DataSet.name)
        .join(Model)
        .where(Model.id == model_id, FeedbackRow.revision > DataSet.feedback_revision)
    )
    with engine.connect() as connection:
        return int(connection.execute(newer).scalar_one())


_ENTRY: Sequence[Any] = (
    FeedbackRow.user_id,
    FeedbackRow.item_id,
    FeedbackRow.value,
    FeedbackRow.rated_at,
    FeedbackRow.is_erased,
)

# Built once, as what is asked at each request.
_OF_USER = (
    (Model.id == bindparam("model_id"))
    & Model.is_complete
    & (FeedbackRow.user_id == bindparam("user_id"))
)
_NEWER = (
    select(*_ENTRY)
    .join(DataSet, FeedbackRow.data_set_name == DataSet.name)
    .join(Model)
    .where(_OF_USER, FeedbackRow.revision > DataSet.feedback_revision)
    .order_by(FeedbackRow.item_id)
)


def _next_revision(connection: Connection, data_set_name: str) -> int:
    # The row is locked until the commit: what has a smaller revision was committed before. A number
    # that only counted would, after a backup was restored, be given again to another write.
    now = time.time_ns() // 1000
    last = FeedbackRevision.revision
    insert = _insert(connection, FeedbackRevision).values(data_set_name=data_set_name, revision=now)
    next_one = insert.on_conflict_do_update(
        index_elements=["data_set_name"], set_={"revision": case((last < now, now), else_=last + 1)}
    )
    return int(connection.execute(next_one.returning(last)).scalar_one())


def _upsert(connection: Connection, *, tells_time: bool) -> Any:
    insert = _insert(connection, FeedbackRow)
    new = insert.excluded
    differs = [
        FeedbackRow.value.is_distinct_from(new.value),
        FeedbackRow.is_erased != new.is_erased,
    ]
    if tells_time:
        differs.append(FeedbackRow.rated_at != new.rated_at)
    return insert.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: new[name] for name in ("value", "rated_at", "is_erased", "revision")},
        where=or_(*differs),
    )


def _insert(connection: Connection, table: type[FeedbackRow] | type[FeedbackRevision]) -> Any:
    return _INSERT[connection.dialect.name](table)
