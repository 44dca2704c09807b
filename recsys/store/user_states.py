from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, bindparam, func, select

from recsys.errors import NotFoundError, StoreError
from recsys.model.item_side import Floats
from recsys.model.snapshot import Champion, Objective, UserRow
from recsys.model.user_state import UserState
from recsys.store.feedback_tables import FeedbackRow
from recsys.store.prepared import Prepared
from recsys.store.tables import Alias, DataSet, Model, RatedItems, SnapshotRow, UserEmbedding


class _Found(NamedTuple):
    """One objective of a version, with what it knows of a user: nulls if nothing."""

    objective: Objective
    n_user_factors: int
    n_items: int
    is_implicit: bool
    merged_revision: int
    newest_revision: int | None
    user_row: int | None
    n_ratings: int
    item_rows: bytes | None
    rating_values: bytes | None
    bias: float
    factors: bytes | None


def user_state(query: Prepared, model_id: int, user_id: str) -> UserState:
    """Return what a version and the feedback since know of a user.

    Parameters
    ----------
    query : Prepared
        Of `USER`.
    model_id : int
    user_id : str

    Raises
    ------
    NotFoundError
        If there is no such version.
    """
    found = query.rows(model_id=model_id, user_id=user_id)
    if not found:
        raise NotFoundError(f"there is no version {model_id}")
    return _state([_Found._make(row) for row in found], model_id, user_id)


def champion_and_user(query: Prepared, user_id: str) -> tuple[Champion, UserState] | None:
    """Return the champion, and what it and the feedback since know of a user.

    None without a champion, or if it lacks anything but the user.

    Parameters
    ----------
    query : Prepared
        Of `CHAMPION_AND_USER`.
    user_id : str
    """
    found = query.rows(user_id=user_id)
    if not found:
        return None
    champion = Champion(*found[0][-2:])
    rows = [_Found._make(row[:-2]) for row in found]
    return champion, _state(rows, champion.model_id, user_id)


def _state(found: list[_Found], model_id: int, user_id: str) -> UserState:
    newest = found[0].newest_revision or 0
    is_newer = newest > found[0].merged_revision
    return UserState(newest, is_newer, partial(_user_rows, found, model_id, user_id))


def _user_rows(found: list[_Found], model_id: int, user_id: str) -> dict[Objective, UserRow]:
    whose = f"of user {user_id!r} in version {model_id}"
    if found[0].user_row is None:
        return {}
    items, values = _rated(found[0], whose)  # the same for all objectives
    return {row.objective: UserRow(_factors(row, whose), row.bias, items, values) for row in found}


def _rated(row: _Found, whose: str) -> tuple[NDArray[np.int32], Floats | None]:
    items = _array("item_rows", row.item_rows, "<i4", row.n_ratings, whose)
    if len(items) and not (items.min() >= 0 and items.max() < row.n_items):
        raise _damaged("item_rows", whose, f"an entry is not one of 0 to {row.n_items - 1}")
    if row.is_implicit:
        if row.rating_values is not None:
            raise _damaged("rating_values", whose, "implicit feedback has none")
        return items, None
    return items, _floats("rating_values", row.rating_values, row.n_ratings, whose)


def _factors(row: _Found, whose: str) -> Floats:
    return _floats("factors", row.factors, row.n_user_factors, f"{whose} ({row.objective})")


def _floats(name: str, blob: bytes | None, n: int, whose: str) -> Floats:
    array = _array(name, blob, "<f4", n, whose)
    if not np.isfinite(array).all():
        raise _damaged(name, whose, "an entry is not a finite number")
    return array


def _array(name: str, blob: bytes | None, dtype: str, n: int, whose: str) -> NDArray[Any]:
    if blob is None or len(blob) != 4 * n:
        found = "nothing" if blob is None else f"{len(blob)} bytes"
        raise _damaged(name, whose, f"{found} instead of {4 * n} bytes")
    return np.frombuffer(blob, dtype)


def _damaged(name: str, whose: str, problem: str) -> StoreError:
    return StoreError(f"{name} {whose} is damaged: {problem}; restore the database from a backup")


_NEWEST = (
    select(func.max(FeedbackRow.revision))
    .where(
        FeedbackRow.data_set_name == DataSet.name,
        FeedbackRow.user_id == bindparam("user_id"),
    )
    .correlate(DataSet)
    .scalar_subquery()
)

_USER = (
    select(
        SnapshotRow.objective,
        SnapshotRow.n_user_factors,
        DataSet.n_items,
        DataSet.is_implicit,
        DataSet.feedback_revision,
        _NEWEST,
        RatedItems.user_row,
        RatedItems.n_ratings,
        RatedItems.item_rows,
        RatedItems.rating_values,
        UserEmbedding.bias,
        UserEmbedding.factors,
    )
    .select_from(Model)
    .join(DataSet, Model.data_set_id == DataSet.id)
    .join(SnapshotRow, SnapshotRow.model_id == Model.id)
    .outerjoin(
        RatedItems,
        and_(
            RatedItems.data_set_id == DataSet.id,
            RatedItems.user_id == bindparam("user_id"),
        ),
    )
    .outerjoin(
        UserEmbedding,
        and_(
            UserEmbedding.snapshot_id == SnapshotRow.id,
            UserEmbedding.user_row == RatedItems.user_row,
        ),
    )
    .where(Model.is_complete)
)
USER = _USER.where(Model.id == bindparam("model_id"))
"""What `user_state` asks: one row for each objective of a version."""
CHAMPION_AND_USER = (
    _USER.add_columns(Alias.model_id, Alias.revision)
    .join(Alias, Alias.model_id == Model.id)
    .where(Alias.name == "champion")
)
"""What `champion_and_user` asks: the same of the version that is served."""
