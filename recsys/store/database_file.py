"""SQLite's file: where it is, made where there is none, and missed when it is gone."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from recsys.errors import StoreError, UsageError


def file_of(url: URL) -> Path | None:
    """Return the path of an SQLite database; None if its URL has a URI in its place.

    Raises
    ------
    UsageError
        If the database would be in memory.
    StoreError
        If the path is that of a folder.
    """
    name = url.database
    if not name or name == ":memory:":
        raise UsageError(f"{url} is gone when the process ends; name a file: sqlite:///recsys.db")
    if name.startswith("file:"):
        return None
    path = Path(name)
    if path.is_dir():
        raise StoreError(f"{path} is a folder, not a database; name a file in it")
    return path


def make(path: Path) -> None:
    """Make an empty file, and its folder, if there is none.

    Raises
    ------
    StoreError
        If the folder cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {path.parent} for the database: {error.strerror}; "
            "make it, or name another place"
        ) from None
    if not path.exists():
        with suppress(OSError):  # SQLite cannot open it then, and says so
            path.touch()


def follow(engine: Engine, path: Path) -> None:
    """Make an engine use the file that is at ``path``, also if it is replaced, and never make one.

    A connection to a file that was removed would still take what is written, and lose it.
    """
    path = path.absolute()
    event.listen(engine, "do_connect", partial(_connect_to_what_is_there, path))
    event.listen(engine, "connect", partial(_remember, path))
    event.listen(engine, "checkout", partial(_check, path))


def _connect_to_what_is_there(
    path: Path, _dialect: object, _record: object, arguments: list[Any], named: dict[str, Any]
) -> None:
    arguments[0] = f"{path.as_uri()}?mode=rw"
    named["uri"] = True


def _remember(path: Path, _connection: object, record: ConnectionPoolEntry) -> None:
    record.info["file"] = _identity(path)


def _check(
    path: Path, _connection: object, record: ConnectionPoolEntry, _checked_out: object
) -> None:
    if record.info["file"] != _identity(path):
        raise DisconnectionError(f"{path} is another file now")  # the pool connects anew


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None
