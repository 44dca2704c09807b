"""API keys: who may write.

A key is 256 random bits, so SHA-256 is enough to keep it by: slow hashes are for passwords, which
can be guessed one by one, and would only make every request slow.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, insert, select, update

from recsys.errors import NotFoundError, UsageError
from recsys.store.database import writing
from recsys.store.tables import ApiKey

# Tells what it is to whoever finds one in a file, and to programs that look for such.
PREFIX = "recsys_"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class KeyInfo:
    """A key, apart from itself.

    Attributes
    ----------
    name : str
    created_at : datetime
        UTC.
    revoked_at : datetime or None
        UTC; None for a key that is valid.
    """

    name: str
    created_at: datetime
    revoked_at: datetime | None


def create_key(engine: Engine, name: str) -> str:
    """Return a new key; only its hash is stored, so it can never be shown again.

    Parameters
    ----------
    engine : Engine
    name : str
        Of whoever uses it. A name is given once, so that a line in the log means one key.

    Raises
    ------
    UsageError
        If it is no name, or was given before.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a key; allowed: a letter or digit, then up to 63 of "
            "letters, digits, '.', '_' and '-'"
        )
    key = PREFIX + secrets.token_urlsafe(32)
    with writing(engine) as connection:
        if connection.execute(select(ApiKey.name).where(ApiKey.name == name)).first():
            raise UsageError(f"there has been a key {name!r} already; choose another name")
        connection.execute(
            insert(ApiKey).values(name=name, key_hash=_hash(key), created_at=datetime.now(UTC))
        )
    return key


def list_keys(engine: Engine) -> list[KeyInfo]:
    """Return all keys, also revoked ones, oldest first."""
    query = select(ApiKey.name, ApiKey.created_at, ApiKey.revoked_at)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(ApiKey.created_at, ApiKey.name))
        return [KeyInfo(row.name, row.created_at, row.revoked_at) for row in rows]


def revoke_key(engine: Engine, name: str) -> None:
    """Make a key worthless from this moment; to revoke it again changes nothing.

    Raises
    ------
    NotFoundError
        If there is no key of that name.
    """
    this = ApiKey.name == name
    with writing(engine) as connection:
        if connection.execute(select(ApiKey.name).where(this)).first() is None:
            names = ", ".join(connection.scalars(select(ApiKey.name).order_by(ApiKey.name)))
            raise NotFoundError(f"there is no key {name!r}; the keys are {names or 'none'}")
        connection.execute(
            update(ApiKey)
            .where(this, ApiKey.revoked_at.is_(None))
            .values(revoked_at=datetime.now(UTC))
        )


def find_key(engine: Engine, key: str) -> str | None:
    """Return the name of a valid key; None for one that is unknown or revoked.

    The store is asked each time, so that a key revoked now is refused from now on everywhere.
    """
    given, found = _hash(key), None
    with engine.connect() as connection:
        valid = connection.execute(_VALID_KEYS).all()
    for row in valid:
        # All are compared, each in the same time, so that the time tells nothing.
        if hmac.compare_digest(row.key_hash, given):
            found = str(row.name)
    return found


def has_keys(engine: Engine) -> bool:
    """Say whether there has ever been a key: revoking the last one opens nothing."""
    with engine.connect() as connection:
        return connection.execute(select(ApiKey.name).limit(1)).first() is not None


_VALID_KEYS = select(ApiKey.name, ApiKey.key_hash).where(ApiKey.revoked_at.is_(None))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
