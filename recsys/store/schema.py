"""The schema's revision: read, compared with what this version of recsys knows, brought to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from recsys import resources
from recsys.errors import StoreError
from recsys.store.drafts import sweep


def prepare(engine: Engine) -> None:
    """Make the database ready for use: its schema at head, killed writers' leftovers swept.

    An SQLite file that is empty or older is brought to head. Any other database is only looked
    at: there, migrating is its administrator's deliberate step (`upgrade`).

    Raises
    ------
    StoreError
        If the schema is newer than this version of recsys, belongs to another program, or is
        older and the database is not SQLite.
    """
    revision, head = current(engine)
    if revision != head:
        if engine.dialect.name != "sqlite":
            with engine.connect() as connection:
                _refuse_strangers(engine, connection, revision)
            raise StoreError(
                f"the schema of {_place(engine)} is at {revision or 'nothing'}, this version of "
                f"recsys needs {head}; run: recsys db upgrade"
            )
        upgrade(engine)
    sweep(engine)


def current(engine: Engine) -> tuple[str | None, str]:
    """Return the database's revision, None before the first, and the newest one, the head."""
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    return revision, _head(ScriptDirectory.from_config(config()))


def upgrade(engine: Engine) -> None:
    """Bring the schema to head, in one transaction. At head already, it does nothing.

    Raises
    ------
    StoreError
        If the schema is newer than this version of recsys, or belongs to another program.
    """
    alembic = config()
    with migrating(engine) as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        _refuse_strangers(engine, connection, revision)
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "head")


def config() -> Config:
    """Return Alembic's configuration with the migrations of this installation."""
    alembic = Config()
    alembic.set_main_option("script_location", str(resources.find("migrations")).replace("%", "%%"))
    return alembic


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a writing transaction that may rebuild tables.

    SQLite alters a table by copying, dropping and renaming it, and dropping it would take along
    the rows that refer to it, so foreign keys are off and checked at the end instead.
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.execution_options(recsys_writing=True).connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        # A transaction would ignore the pragma, so it comes before the first.
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise StoreError(
                        f"a row of {broken[0]} in {_place(engine)} refers to one of {broken[2]} "
                        "that does not exist; nothing was migrated; restore it from a backup"
                    )
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def _refuse_strangers(engine: Engine, connection: Connection, revision: str | None) -> None:
    if revision is None:
        if tables := inspect(connection).get_table_names():
            raise StoreError(
                f"{_place(engine)} holds another program's tables ({', '.join(tables[:3])}); "
                "name another file"
            )
        return
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if revision not in known:
        raise StoreError(
            f"the schema of {_place(engine)} is at {revision}, newer than this version of recsys; "
            "install the newer version"
        )


def _head(scripts: ScriptDirectory) -> str:
    head = scripts.get_current_head()
    if head is None:
        raise StoreError("this installation of recsys has no migrations; reinstall it")
    return head


def _place(engine: Engine) -> str:
    sqlite = engine.dialect.name == "sqlite"
    return str(engine.url.database if sqlite else engine.url.render_as_string())
