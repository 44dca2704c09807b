"""How a database is opened: what every connection keeps to, and what its failures mean."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Any
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError
from sqlalchemy.pool import QueuePool

from recsys.errors import StoreError, UsageError
from recsys.store.database_file import file_of, follow, make
from recsys.store.turns import Turns

LOCK_TIMEOUT = 30.0
"""Seconds that a writer waits for another one before it gives up, unless told otherwise."""


def open_database(
    url: str,
    *,
    create: bool = True,
    lock_timeout: float = LOCK_TIMEOUT,
    turn_timeout: float = LOCK_TIMEOUT,
) -> Engine:
    """Return an engine for the database at ``url``, after one connection to it has worked.

    An SQLite file and its folder are made where there are none. A file that is replaced is opened
    anew: nothing is written into one that was removed. Every connection to SQLite has
    a write-ahead log (readers and one writer do not wait for each other), foreign keys, a busy
    timeout of ``lock_timeout``, and ``synchronous=FULL``: what was committed survives a power cut.
    Of the threads that write to SQLite by one engine, one at a time asks for the lock.
    No pooled connection crosses an `os.fork`: they are closed before it. There is one for each
    thread that asks at the same time, of which five are kept.

    Parameters
    ----------
    url : str
        ``sqlite:///relative/or//absolute.db``, or any SQLAlchemy URL, such as
        ``postgresql+psycopg://user:password@host/name``.
    create : bool
        Whether to make an SQLite file where there is none. It is made once: one that is
        removed later is missed.
    lock_timeout : float
        Seconds that a writer waits for another process. Postgres has its own setting.
    turn_timeout : float
        Seconds that one thread's write to SQLite may take before the engine's other threads
        give theirs up: a server's threads shall not all wait for the same lock.

    Raises
    ------
    UsageError
        If the URL is none, names an in-memory database, or needs a driver that is missing.
    StoreError
        If the file is not a database, is a folder, may not be written, or nobody answers.
    """
    try:
        parsed = make_url(url)
        engine = create_engine(
            parsed,
            json_serializer=partial(json.dumps, allow_nan=False),
            connect_args={"factory": _Connection} if _is_sqlite(parsed) else {},
            # Who has no connection would wait for one, which takes a thread all the same.
            poolclass=QueuePool,
            max_overflow=-1,
            execution_options={"recsys_turns": Turns(turn_timeout)},
            # A server that was restarted has closed the connections that wait in the pool.
            pool_pre_ping=not _is_sqlite(parsed),
        )
    except (ArgumentError, ModuleNotFoundError) as error:
        without_password = re.sub("//[^/@]*@", "//***@", url)
        raise UsageError(
            f"cannot use the database URL {without_password}: {error}; "
            "allowed: such as sqlite:///var/recsys.db"
        ) from None
    event.listen(engine, "handle_error", partial(_explain, parsed))
    if _is_sqlite(parsed):
        if (path := file_of(parsed)) is not None:
            if create:
                make(path)
            follow(engine, path)
        event.listen(engine, "connect", partial(_configure, lock_timeout))
        event.listen(engine, "begin", _begin)
    _engines.add(engine)
    with engine.connect():
        return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that is alone in writing from its first statement.

    SQLite would otherwise take the lock at the first write, and refuse if somebody else wrote
    since the transaction's first read.

    Raises
    ------
    StoreError
        If another process, or another thread by this engine, writes for too long.
    """
    turn = nullcontext()
    if _is_sqlite(engine.url):
        turn = engine.get_execution_options()["recsys_turns"].turn()
    with turn, engine.execution_options(recsys_writing=True).begin() as connection:
        yield connection


class _Connection(sqlite3.Connection):
    """One that closes itself with its engine; Python 3.13 warns of those that do not."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it was never open
            self.close()


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _configure(lock_timeout: float, connection: Any, _record: object) -> None:
    # Transactions begin when `_begin` says so, not when the driver guesses.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={lock_timeout * 1000:.0f}")
    _use_write_ahead_log(connection, lock_timeout)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _use_write_ahead_log(connection: sqlite3.Connection, lock_timeout: float) -> None:
    # The change of a new file's mode does not heed the busy timeout.
    deadline = time.monotonic() + lock_timeout
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("recsys_writing"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # By the driver itself, at a tenth of the cost: it neither waits nor fails, as SQLite takes
        # no lock before the first statement, and a request has several.
        connection.connection.cursor().execute("BEGIN")


_REMEDIES = {
    "file is not a database": "name another file, or move this one away",
    "malformed": "it is damaged; restore it from a backup",
    "unable to open": "check that the file and its folder exist and may be written",
    "readonly": "make the file and its folder writable",
    "locked": "another process has been writing all the while; try again",
    "full": "make room on the disk",
    "no such table": "bring it to the newest schema: recsys db upgrade",
    "does not exist": "bring it to the newest schema: recsys db upgrade",
}


def _explain(url: URL, context: ExceptionContext) -> BaseException | None:
    cause = context.original_exception
    if context.is_pre_ping:
        return None
    drivers_own = context.sqlalchemy_exception is not None or isinstance(cause, sqlite3.Error)
    if not drivers_own or isinstance(context.sqlalchemy_exception, IntegrityError):
        return None
    return failure(url, cause, isinstance(context.sqlalchemy_exception, OperationalError))


def failure(url: URL, cause: BaseException, is_operational: bool) -> StoreError:
    """Return the error that says what a driver's error means, and what to do about it.

    Parameters
    ----------
    url : URL
        Of the database.
    cause : BaseException
        What the driver raised.
    is_operational : bool
        Whether the driver says that it is no fault of the program.
    """
    place = url.database if _is_sqlite(url) else url.render_as_string()
    # Postgres tells in several lines.
    message = f"cannot use the database {place}: {' '.join(str(cause).split())}"
    remedy = next((remedy for sign, remedy in _REMEDIES.items() if sign in str(cause)), None)
    if remedy is None and is_operational:
        remedy = "check its URL and that it answers"
    return StoreError(f"{message}; {remedy}" if remedy else message)


# SQLite forbids even to close a connection in the child of a fork, so none may be left open.
_engines: WeakSet[Engine] = WeakSet()


def _close_idle_connections() -> None:
    for engine in list(_engines):
        engine.dispose()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_idle_connections)
