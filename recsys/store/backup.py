from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import cast

from sqlalchemy import Engine

from recsys.errors import StoreError, UsageError


def backup(engine: Engine, path: Path) -> None:
    """Copy the database, as it is at one moment, into a new file; others may write meanwhile.

    The copy is one file without a write-ahead log, checked, and at ``path`` only once it is whole.
    Who may read the database may read it, and nobody else.

    Parameters
    ----------
    engine : Engine
        Of an SQLite file.
    path : Path
        What is there already is not replaced.

    Raises
    ------
    UsageError
        If the database is not SQLite, or ``path`` exists.
    StoreError
        If the copy cannot be written, or the database is damaged.
    """
    if engine.dialect.name != "sqlite":
        raise UsageError(f"{engine.dialect.name} has its own backup: pg_dump makes one")
    if path.exists():
        raise UsageError(f"{path} exists already; name a new file")
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=0o600, exist_ok=False)
        with engine.connect() as connection, closing(sqlite3.connect(unfinished)) as copy:
            database = cast(sqlite3.Connection, connection.connection.dbapi_connection)
            _, _, source = database.execute("PRAGMA database_list").fetchone()
            # All pages in one go: with a write-ahead log that keeps nobody from writing.
            database.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise StoreError(
                f"the database {engine.url.database} is damaged ({found}); nothing was copied; "
                "restore it from an earlier backup"
            )
        unfinished.chmod(stat.S_IMODE(Path(source).stat().st_mode))
        unfinished.rename(path)
    except (sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"cannot write the backup {path}: {reason}") from None
    finally:
        unfinished.unlink(missing_ok=True)
