"""Names that point to versions, and how they are moved."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from recsys.errors import ConflictError, NotFoundError, UsageError
from recsys.store.database import writing
from recsys.store.registry import LARGEST_ID, known
from recsys.store.tables import Alias, Model, Promotion

_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,63}")
# Addresses beside those of versions, such as /v1/models/compare: a version could not be asked for
# by such a name.
RESERVED_ALIASES = ("aliases", "compare")


@dataclass(frozen=True)
class AliasInfo:
    """A name that points to a version.

    Attributes
    ----------
    alias : str
    model_id : int
    revision : int
        Grows by one with each move.
    """

    alias: str
    model_id: int
    revision: int


def get_alias(engine: Engine, alias: str) -> AliasInfo:
    """Return what an alias points to.

    Raises
    ------
    NotFoundError
        If there is no such alias.
    """
    query = select(Alias.__table__).where(Alias.name == alias)
    with engine.connect() as connection:
        if (row := connection.execute(query).one_or_none()) is None:
            raise NotFoundError(f"there is no alias {alias!r}; {known(connection)}")
    return AliasInfo(row.name, row.model_id, row.revision)


def promote(
    engine: Engine,
    model_id: int,
    alias: str = "champion",
    *,
    expected_revision: int | None = None,
) -> AliasInfo:
    """Point ``alias`` to a version and return what it is now.

    The revision grows by one, unless the alias points there already: then nothing happens.

    Parameters
    ----------
    engine : Engine
    model_id : int
    alias : str
    expected_revision : int, optional
        Move the alias only if this is its revision, 0 if there is none yet: what the caller
        decided by still holds.

    Raises
    ------
    UsageError
        If the alias is not a name, or one of `RESERVED_ALIASES`.
    NotFoundError
        If there is no such version.
    ConflictError
        If the alias has another revision than the expected one.
    """
    if not _ALIAS.fullmatch(alias):
        raise UsageError(
            f"{alias!r} cannot be an alias; allowed: a letter a to z, then up to 63 of "
            "a to z, 0 to 9, _ and -"
        )
    if alias in RESERVED_ALIASES:
        raise UsageError(
            f"{alias!r} cannot be an alias: reserved are {' and '.join(RESERVED_ALIASES)}; choose "
            "another name"
        )
    with writing(engine) as connection:
        version = select(Model.id).where(Model.id == model_id, Model.is_complete)
        if model_id > LARGEST_ID or connection.execute(version).first() is None:
            raise NotFoundError(f"there is no version {model_id}; {known(connection)}")
        now = _find_alias(connection, alias)
        if now is None:
            # Elsewhere than on SQLite somebody else may make it at this moment.
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(insert(Alias).values(name=alias, model_id=model_id, revision=0))
            now = _find_alias(connection, alias)
        _check_revision(alias, now.revision, expected_revision)
        if now.revision > 0 and now.model_id == model_id:
            return AliasInfo(alias, model_id, now.revision)
        moved = _move(connection, now, model_id)
        connection.execute(
            insert(Promotion).values(
                alias=alias,
                revision=moved.revision,
                model_id=model_id,
                promoted_at=datetime.now(UTC),
            )
        )
        return moved


def rollback(
    engine: Engine, alias: str = "champion", *, expected_revision: int | None = None
) -> AliasInfo:
    """Point ``alias`` to the version that it pointed to before, and return what it is now.

    Rolled back again, it goes back one promotion further.

    Parameters
    ----------
    engine : Engine
    alias : str
    expected_revision : int, optional
        As in `promote`.

    Raises
    ------
    NotFoundError
        If there is no such alias, or it has pointed to no other version before.
    ConflictError
        If the alias has another revision than the expected one.
    """
    with writing(engine) as connection:
        now = _find_alias(connection, alias)
        if now is None:
            raise NotFoundError(f"there is no alias {alias!r}: nothing was promoted to it yet")
        _check_revision(alias, now.revision, expected_revision)
        before = connection.execute(_earlier(alias, now.model_id)).first()
        if before is None:
            raise NotFoundError(
                f"{alias} points to version {now.model_id} and no earlier promotion is left to "
                "roll back to"
            )
        connection.execute(
            update(Promotion)
            .where(*_standing(alias), Promotion.revision > before.revision)
            .values(rolled_back_at=datetime.now(UTC))
        )
        return _move(connection, now, before.model_id)


def rollback_targets(engine: Engine, alias: str = "champion") -> list[int]:
    """Return the versions that rolling ``alias`` back again and again leads to, the next one first.

    A version that has been rolled back is not among them, nor the one that the alias points to.
    """
    with engine.connect() as connection:
        pointed_to = connection.scalar(select(Alias.model_id).where(Alias.name == alias))
        earlier = connection.execute(_earlier(alias, pointed_to))
        return list(dict.fromkeys(promotion.model_id for promotion in earlier))


def _standing(alias: str) -> tuple[ColumnElement[bool], ...]:
    return Promotion.alias == alias, Promotion.rolled_back_at.is_(None)


def _earlier(alias: str, model_id: int | None) -> Select[int, int]:
    """Return the query for the promotions to other versions that stand, the last one first."""
    return (
        select(Promotion.revision, Promotion.model_id)
        .where(*_standing(alias), Promotion.model_id != model_id)
        .order_by(Promotion.revision.desc())
    )


def _find_alias(connection: Connection, name: str) -> Any:
    # Elsewhere than on SQLite, where the whole transaction is alone, the row is locked.
    query = select(Alias.__table__).where(Alias.name == name).with_for_update()
    return connection.execute(query).one_or_none()


def _check_revision(alias: str, revision: int, expected: int | None) -> None:
    if expected is not None and revision != expected:
        raise ConflictError(
            f"{alias} is at revision {revision}, not {expected}: somebody else has moved it; look "
            "again and decide anew"
        )


def _move(connection: Connection, alias: Any, model_id: int) -> AliasInfo:
    revision = int(alias.revision) + 1
    connection.execute(
        update(Alias).where(Alias.name == alias.name).values(model_id=model_id, revision=revision)
    )
    return AliasInfo(alias.name, model_id, revision)
