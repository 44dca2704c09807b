"""Rows whose parts are written in chunks, seen by nobody before the last commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, delete, insert, select, update

from recsys.errors import StoreError
from recsys.store.base import Base
from recsys.store.database import writing
from recsys.store.tables import DataSet, Model

Row = TypeVar("Row")

ROWS_PER_COMMIT = 5_000
"""How many rows are written before other writers get a turn."""

ABANDONED_AFTER = timedelta(minutes=5)
"""A writer that has not written for so long is dead: it waits at most `LOCK_TIMEOUT`."""


class DraftWriter:
    """The writer of one row of ``data_sets`` or ``models`` and of all that hangs on it.

    Attributes
    ----------
    id : int
        The row's.
    """

    def __init__(self, engine: Engine, table: type[DataSet | Model], **values: Any) -> None:
        self._engine, self._table = engine, table
        now = datetime.now(UTC)
        row = insert(table).values(created_at=now, touched_at=now, is_complete=False, **values)
        with writing(engine) as connection:
            self.id: int = connection.execute(row.returning(table.id)).scalar_one()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection whose transaction also marks the draft as being written.

        Raises
        ------
        StoreError
            If the draft was swept: its writer was thought dead.
        """
        with writing(self._engine) as connection:
            self._set(connection, touched_at=datetime.now(UTC))
            yield connection

    def insert(self, table: type[Base], rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert ``rows``, `ROWS_PER_COMMIT` at a time."""
        for chunk in _chunks(rows):
            with self.transaction() as connection:
                connection.execute(insert(table), chunk)

    def insert_many(
        self,
        table: type[Base],
        rows: Iterable[tuple[Any, ...]],
        written: Callable[[int], None] = lambda _n_rows: None,
    ) -> None:
        """Insert ``rows`` as the driver takes them: several times the speed of `insert`.

        Parameters
        ----------
        rows : iterable of tuple
            The values of all columns, in the table's order: numbers, text, bytes and None.
        written : callable, optional
            Told after each commit how many rows it held.
        """
        dialect = self._engine.dialect
        statement = str(insert(table).compile(dialect=dialect))
        names = [column.name for column in table.__table__.columns]
        for chunk in _chunks(rows):
            with self.transaction() as connection:
                connection.exec_driver_sql(
                    statement,
                    chunk
                    if dialect.positional
                    else [dict(zip(names, row, strict=True)) for row in chunk],
                )
            written(len(chunk))

    def complete(self) -> None:
        """Make the row visible: the last commit."""
        with writing(self._engine) as connection:
            self._set(connection, is_complete=True)

    def discard(self) -> None:
        """Remove what was written."""
        with writing(self._engine) as connection:
            connection.execute(delete(self._table).where(self._mine))

    @property
    def _mine(self) -> Any:
        return (self._table.id == self.id) & ~self._table.is_complete

    def _set(self, connection: Connection, **values: Any) -> None:
        if not connection.execute(update(self._table).where(self._mine).values(values)).rowcount:
            raise StoreError(
                f"what was being written ({self._table.__tablename__} {self.id}) is gone: it was "
                f"not written to for over {ABANDONED_AFTER} and swept away; save it again"
            )


def counted(progress: Callable[[int, int], None] | None, n_rows: int) -> Callable[[int], None]:
    """Return what is told of each chunk's rows, and tells ``progress`` how many are written.

    Parameters
    ----------
    progress : callable, optional
        Called with the rows written so far and ``n_rows``.
    """
    n_done = 0

    def written(n_new: int) -> None:
        nonlocal n_done
        n_done += n_new
        if progress is not None:
            progress(n_done, n_rows)

    return written


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, ROWS_PER_COMMIT)):
        yield chunk


@contextmanager
def drafting(engine: Engine, table: type[DataSet | Model], **values: Any) -> Iterator[DraftWriter]:
    """Yield a writer whose draft is removed if it is not completed because of an error."""
    draft = DraftWriter(engine, table, **values)
    try:
        yield draft
    except BaseException:
        # What cannot be removed now is swept later; the first error is the one to hear about.
        with suppress(StoreError):
            draft.discard()
        raise


def sweep(engine: Engine, abandoned_after: timedelta = ABANDONED_AFTER) -> int:
    """Remove what killed writers left unfinished and return how many drafts that were.

    Parameters
    ----------
    abandoned_after : timedelta
        A draft that was written to within this time still has its writer and is left alone.
    """
    n_swept = 0
    for table in (Model, DataSet):
        abandoned = ~table.is_complete & (table.touched_at <= datetime.now(UTC) - abandoned_after)
        with engine.connect() as connection:
            found = connection.execute(select(table.id).where(abandoned)).first()
        if found:
            with writing(engine) as connection:
                n_swept += connection.execute(delete(table).where(abandoned)).rowcount
    return n_swept
