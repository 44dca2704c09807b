"""Run by Alembic: with the connection that `recsys.store.schema` hands over, or on its own.

On its own it is for developers: ``alembic -c migrations/alembic.ini upgrade head``. The database
is then ``-x url=...``, or the environment's ``RECSYS_DATABASE_URL``, or ``var/recsys.db``.
"""

from __future__ import annotations

import os
from typing import Any

from alembic import context
from sqlalchemy import Connection

from recsys.store.base import Base, UtcDateTime
from recsys.store.database import open_database
from recsys.store.schema import migrating


def _database_url() -> str:
    given = context.get_x_argument(as_dictionary=True).get("url")
    return given or os.environ.get("RECSYS_DATABASE_URL") or "sqlite:///var/recsys.db"


def _render(_kind: str, item: object, _context: Any) -> str | bool:
    """Return how a migration writes a type: one that stays when the package changes."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite cannot alter a table: Alembic copies it.
        render_as_batch=True,
        transactional_ddl=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    context.configure(
        url=_database_url(), target_metadata=Base.metadata, literal_binds=True, render_as_batch=True
    )
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    _run(given)
else:
    with migrating(open_database(_database_url())) as connection:
        _run(connection)
