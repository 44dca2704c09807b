from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from sqlalchemy import and_, bindparam, func, select

from recsys.errors import NotFoundError, StoreError
from recsys.model.snapshot import Objective, UserRow
from recsys.model.user_state import UserState
from recsys.store.feedback_tables import FeedbackRow
from recsys.store.prepared import Prepared
from recsys.store.tables import DataSet, Model, RatedItems, SnapshotRow, UserEmbedding


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
    item_rows: bytes
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
    found = [_Found._make(row) for row in query.rows(model_id=model_id, user_id=user_id)]
    if not found:
        raise NotFoundError(f"there is no version {model_id}")
    newest = found[0].newest_revision or 0
    is_newer = newest > found[0].merged_revision
    return UserState(newest, is_newer, partial(_user_rows, found, model_id, user_id))


def _user_rows(found: list[_Found], model_id: int, user_id: str) -> dict[Objective, UserRow]:
    return {
        row.objective: _user_row(row, f"of user {user_id!r} in version {model_id}")
        for row in found
        if row.user_row is not None
    }


def _user_row(row: _Found, whose: str) -> UserRow:
    def check(name: str, is_sound: bool, problem: str) -> None:
        if not is_sound:
            raise StoreError(
                f"{name} {whose} ({row.objective}) is damaged: {problem}; "
                "restore the database from a backup"
            )

    for name, blob, n_bytes in (
        ("factors", row.factors, 4 * row.n_user_factors),
        ("item_rows", row.item_rows, 4 * row.n_ratings),
        ("rating_values", row.rating_values, None if row.is_implicit else 4 * row.n_ratings),
    ):
        n_found = None if blob is None else len(blob)
        if n_found != n_bytes:
            told = "nothing" if n_found is None else f"{n_found} bytes"
            check(name, False, f"{told} instead of {n_bytes} bytes")
    factors = np.frombuffer(row.factors or b"", dtype="<f4")
    items = np.frombuffer(row.item_rows, dtype="<i4")
    values = None if row.rating_values is None else np.frombuffer(row.rating_values, dtype="<f4")
    for name, array in (("factors", factors), ("rating_values", values)):
        is_finite = array is None or bool(np.isfinite(array).all())
        check(name, is_finite, "an entry is not a finite number")
    are_rows = not len(items) or (items.min() >= 0 and items.max() < row.n_items)
    check("item_rows", bool(are_rows), f"an entry is not one of 0 to {row.n_items - 1}")
    return UserRow(factors=factors, bias=row.bias, rated_items=items, rated_values=values)


_NEWEST = (
    select(func.max(FeedbackRow.revision))
    .where(
        FeedbackRow.data_set_name == DataSet.name,
        FeedbackRow.user_id == bindparam("user_id"),
    )
    .correlate(DataSet)
    .scalar_subquery()
)

USER = (
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
    .where(Model.id == bindparam("model_id"), Model.is_complete)
)
"""What `user_state` asks: one row for each objective of a version."""
