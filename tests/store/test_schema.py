from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from recsys import store
from recsys.errors import StoreError
from recsys.store.database import writing
from recsys.store.schema import migrating


@pytest.fixture
def url(tmp_path):
    """Of an SQLite file, also where the other tests of the store run on Postgres."""
    return f"sqlite:///{tmp_path}/store.db"


def test_an_empty_file_is_brought_to_head(url):
    engine = store.open_database(url)
    revision, head = store.current(engine)
    assert revision is None
    store.prepare(engine)
    assert store.current(engine) == (head, head)
    store.prepare(engine)
    store.upgrade(engine)
    assert store.list_versions(engine) == []


def test_a_newer_schema_is_refused(engine):
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
    for bring in (store.prepare, store.upgrade):
        with pytest.raises(StoreError, match=r"store\.db is at later, newer than this version"):
            bring(engine)


def test_another_programs_database_is_left_alone(url):
    engine = store.open_database(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match=r"another program's tables \(recipes\)"):
        store.prepare(engine)
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["recipes"]


def test_processes_that_prepare_at_once_all_succeed(tmp_path):
    prepare = (
        "import sys; from recsys import store; engine = store.open_database(sys.argv[1]); "
        "store.prepare(engine); sys.exit(len(store.list_versions(engine)))"
    )
    url = f"sqlite:///{tmp_path}/var/store.db"
    started = [subprocess.Popen([sys.executable, "-c", prepare, url]) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]


def test_a_killed_migration_leaves_no_trace(url):
    killed = (
        "import os, signal, sys; from recsys import store; from sqlalchemy import event\n"
        "engine = store.open_database(sys.argv[1])\n"
        "event.listen(engine, 'commit', lambda _: os.kill(os.getpid(), signal.SIGKILL))\n"
        "store.upgrade(engine)"
    )
    assert subprocess.run([sys.executable, "-c", killed, url], check=False).returncode == -9
    engine = store.open_database(url)
    assert store.current(engine)[0] is None
    store.prepare(engine)
    assert store.list_versions(engine) == []


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(engine, save):
    model_id = save()
    with migrating(engine) as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("models", recreate="always") as models:
            models.add_column(sa.Column("note", sa.String()))
    assert store.load_snapshot(engine, model_id, "rating").n_users == 3
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_migration_that_leaves_a_dangling_row_is_undone(engine, save):
    model_id = save()
    refused = pytest.raises(StoreError, match=r"a row of .* refers to one of snapshots")
    with refused, migrating(engine) as connection:
        connection.exec_driver_sql("DELETE FROM snapshots")
    assert store.load_snapshot(engine, model_id, "rating").n_users == 3


def test_postgres_is_migrated_only_by_its_administrator(postgres_url):
    engine = store.open_database(postgres_url)
    with pytest.raises(StoreError, match=r"is at nothing, .* run: recsys db upgrade"):
        store.prepare(engine)
    store.upgrade(engine)
    store.prepare(engine)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
    for bring in (store.prepare, store.upgrade):
        with pytest.raises(StoreError, match="is at later, newer than this version"):
            bring(engine)
    engine.dispose()


def test_postgres_may_be_restarted_under_an_open_pool(postgres_url):
    engine = store.open_database(postgres_url)
    store.upgrade(engine)
    ended = sa.text("SELECT pg_terminate_backend(:pid)")
    admin = store.open_database(postgres_url)
    with engine.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with admin.connect() as connection:
        connection.execute(ended, {"pid": pid})
    assert store.list_versions(engine) == []
    for each in (engine, admin):
        each.dispose()
