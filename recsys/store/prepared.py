from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Select

from recsys.store.database import failure


class Prepared:
    """A query that is compiled once, for what is read at every request.

    SQLite answers a row by its key in some 5 us; SQLAlchemy takes ten times that to make sure, each
    time, how the same statement is to be asked and its rows to be read. Here the driver is asked
    itself, over a connection of the engine's pool and outside of any transaction.

    Parameters
    ----------
    engine : Engine
    query : Select
        Values come as the driver gives them: a boolean may be 0 or 1.
    """

    def __init__(self, engine: Engine, query: Select[*tuple[Any, ...]]) -> None:
        compiled = query.compile(engine)
        self._engine = engine
        self._text = str(compiled)
        self._parameters = compiled.params
        self._order = compiled.positiontup

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return all rows for the query's parameters.

        Raises
        ------
        StoreError
            If the database cannot be read.
        """
        named = {**self._parameters, **values}
        parameters = named if self._order is None else [named[name] for name in self._order]
        driver = self._engine.dialect.loaded_dbapi
        try:
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(self._text, parameters)
                return list(cursor.fetchall())
            except Exception:
                connection.invalidate()
                raise
            finally:
                connection.close()
        except driver.Error as error:
            is_operational = isinstance(error, driver.OperationalError)
            raise failure(self._engine.url, error, is_operational) from error
