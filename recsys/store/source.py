from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import cast

import numpy as np
from sqlalchemy import Engine, bindparam, select

from recsys.data.feedback import FeedbackEntry
from recsys.errors import NotFoundError, StoreError
from recsys.model.item_side import ItemSide
from recsys.model.rated import Rated
from recsys.model.snapshot import Catalogue, Champion, Objective
from recsys.model.user_state import UserState
from recsys.store.aliases import rollback_targets
from recsys.store.blobs import check_hash
from recsys.store.data_sets import find_data_set, load_catalogue
from recsys.store.embeddings import find_snapshot, load_item_side
from recsys.store.feedback import newer_feedback
from recsys.store.prepared import Prepared
from recsys.store.tables import Alias, DataSet, Model, RatedItems, SnapshotRow
from recsys.store.user_states import (
    CHAMPION_AND_USER,
    USER,
    champion_and_user,
    user_state,
)
from recsys.store.versions import load_snapshot


class StoreSource:
    """Where a server's versions come from (`recsys.serving.source.Source`): the database.

    Every method raises `NotFoundError` for a version or objective that does not exist, and
    `StoreError` for rows that are missing or damaged.

    Parameters
    ----------
    engine : Engine
        From `open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @cached_property
    def _champion(self) -> Prepared:
        return Prepared(self._engine, _CHAMPION)

    @cached_property
    def _user(self) -> Prepared:
        return Prepared(self._engine, USER)

    @cached_property
    def _champion_and_user(self) -> Prepared:
        return Prepared(self._engine, CHAMPION_AND_USER)

    def champion(self) -> Champion | None:
        """Return what is to be served now; None before the first promotion."""
        rows = self._champion.rows()
        return Champion(*rows[0]) if rows else None

    def champion_and_user(self, user_id: str) -> tuple[Champion, UserState] | None:
        """Return what is to be served now and what it knows of a user, read at one moment.

        None before the first promotion, and if anything but the user is missing.
        """
        return champion_and_user(self._champion_and_user, user_id)

    def earlier_champions(self) -> list[int]:
        """Return the versions that rollbacks would lead to, the next one first."""
        return rollback_targets(self._engine)

    def content_hashes(self, model_id: int) -> Mapping[Objective, str]:
        """Return the content hash of each snapshot of the version."""
        query = (
            select(SnapshotRow.objective, SnapshotRow.content_hash)
            .join(Model)
            .where(Model.id == model_id, Model.is_complete)
        )
        with self._engine.connect() as connection:
            hashes = {row.objective: row.content_hash for row in connection.execute(query)}
        if not hashes:
            raise NotFoundError(f"there is no version {model_id}")
        return cast("Mapping[Objective, str]", hashes)

    def item_side(self, model_id: int, objective: Objective) -> ItemSide:
        """Return the items' half of a snapshot, bit for bit as it was saved."""
        with self._engine.connect() as connection:
            row = find_snapshot(connection, model_id, objective)
            items = None if row.items_hash is None else load_item_side(connection, row)
        if items is None:
            # Stored before there was a hash of this half alone.
            return load_snapshot(self._engine, model_id, objective).items
        what = f"the items' half of version {model_id} ({objective})"
        check_hash(what, items.content_hash, row.items_hash)
        return items

    def catalogue(self, model_id: int) -> Catalogue:
        """Return the items of the version's data set."""
        query = select(Model.data_set_id).where(Model.id == model_id, Model.is_complete)
        with self._engine.connect() as connection:
            if (data_set_id := connection.execute(query).scalar()) is None:
                raise NotFoundError(f"there is no version {model_id}")
            return load_catalogue(connection, find_data_set(connection, data_set_id))

    def user(self, model_id: int, user_id: str) -> UserState:
        """Return what the version and the feedback since know of a user, read at one moment.

        The rated items are all that the data set holds of the user.
        """
        return user_state(self._user, model_id, user_id)

    def rated(self, model_id: int, user_id: str) -> Rated | None:
        """Return what the version's data set holds of a user; None for one it does not know."""
        with self._engine.connect() as connection:
            found = connection.execute(_RATED, {"model_id": model_id, "user_id": user_id})
            row = found.one_or_none()
        if row is None:
            return None
        arrays = []
        for name, dtype, is_there in (
            ("item_rows", "<i4", True),
            ("rating_values", "<f4", not row.is_implicit),
            ("timestamps", "<i8", row.has_timestamps),
        ):
            n_bytes = row.n_ratings * np.dtype(dtype).itemsize
            blob = getattr(row, name)
            if is_there and (blob is None or len(blob) != n_bytes):
                raise StoreError(
                    f"{name} of user {user_id!r} in version {model_id} has "
                    f"{'nothing' if blob is None else f'{len(blob)} bytes'} instead of {n_bytes} "
                    "bytes; restore the database from a backup"
                )
            arrays.append(np.frombuffer(blob, dtype) if is_there else None)
        items, values, timestamps = arrays
        assert items is not None
        return Rated(items, values, timestamps)

    def newer_feedback(self, model_id: int, user_id: str) -> list[FeedbackEntry]:
        """Return what a user said after the version's data were read, by item id."""
        return newer_feedback(self._engine, model_id, user_id)


# Built once, as what is asked often: building a query takes longer than SQLite takes to answer it.
_CHAMPION = select(Alias.model_id, Alias.revision).where(Alias.name == "champion")
_RATED = (
    select(
        DataSet.is_implicit,
        DataSet.has_timestamps,
        RatedItems.n_ratings,
        RatedItems.item_rows,
        RatedItems.rating_values,
        RatedItems.timestamps,
    )
    .select_from(Model)
    .join(DataSet, Model.data_set_id == DataSet.id)
    .join(RatedItems, RatedItems.data_set_id == DataSet.id)
    .where(
        Model.id == bindparam("model_id"),
        Model.is_complete,
        RatedItems.user_id == bindparam("user_id"),
    )
)
