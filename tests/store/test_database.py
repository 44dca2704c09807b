from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from recsys import store
from recsys.errors import StoreError, UsageError
from recsys.store.database import writing


@pytest.fixture
def url(tmp_path):
    """Of an SQLite file, also where the other tests of the store run on Postgres."""
    return f"sqlite:///{tmp_path}/store.db"


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("busy_timeout", 30000)],
)
@pytest.mark.usefixtures("commits_wait")
def test_every_connection_is_durable_and_keeps_foreign_keys(engine, pragma, value):
    with engine.connect() as one, engine.connect() as another:
        for connection in (one, another):
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_a_file_that_is_no_database_is_refused_with_its_path(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("not a database, but long enough to be taken for one\n" * 20)
    with pytest.raises(StoreError, match=rf"{path}: file is not a database; name another file"):
        store.open_database(f"sqlite:///{path}")


@pytest.mark.parametrize("url", ["recsys.db", "oracel://scott:tiger@host/name"])
def test_a_url_that_is_none_is_refused_without_its_password(url):
    with pytest.raises(UsageError, match="cannot use the database URL") as refused:
        store.open_database(url)
    assert "tiger" not in str(refused.value)


def test_a_read_only_file_is_read_and_not_written(engine, url, save):
    model_id = save()
    path = Path(engine.url.database)
    engine.dispose()
    read_only = store.open_database(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert [version.model_id for version in store.list_versions(read_only)] == [model_id]
    with pytest.raises(StoreError, match=f"{path}: .*readonly.*; make the file and its folder wri"):
        store.promote(read_only, model_id)
    read_only.dispose()


def test_a_damaged_file_is_told(engine, url, save):
    model_id = save()
    path = Path(engine.url.database)
    engine.dispose()
    # The first page, the header, stays: it still opens as a database.
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\x5a" * (len(whole) - 4096))
    with pytest.raises(StoreError, match=f"{path}: .*malformed; it is damaged; restore it"):
        store.load_snapshot(store.open_database(url), model_id, "rating")


def test_a_database_without_tables_says_how_to_make_them(url):
    with pytest.raises(StoreError, match="recsys db upgrade"):
        store.list_versions(store.open_database(url))


def test_a_lock_held_too_long_is_told(engine, url, save):
    model_id = save()
    impatient = store.open_database(url, lock_timeout=0.05)
    with writing(engine), pytest.raises(StoreError, match="locked; another process has been wri"):
        store.promote(impatient, model_id)
    store.promote(impatient, model_id)
    impatient.dispose()


def test_a_second_thread_gives_up_before_the_first_that_waits_for_the_lock(engine, url, save):
    model_id = save()
    hasty = store.open_database(url, turn_timeout=0)
    with (
        hasty.get_execution_options()["recsys_turns"].turn(),
        pytest.raises(StoreError, match="another thread has been at it"),
    ):
        store.promote(hasty, model_id)
    store.promote(hasty, model_id)
    hasty.dispose()


def test_many_threads_have_a_connection_each(engine):
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(engine.connect())


def test_a_transaction_is_undone_by_an_error(engine, save):
    model_id = save()

    def delete_and_fail() -> None:
        with writing(engine) as connection:
            connection.execute(text("DELETE FROM epochs"))
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        delete_and_fail()
    assert len(store.get_version(engine, model_id).snapshots[0].history) == 2


FORK = """
import os, sys
from recsys import store
engine = store.open_database(sys.argv[1])
store.prepare(engine)
assert engine.pool.checkedin() == 1
child = os.fork()
if child == 0:
    assert engine.pool.checkedin() == 0
    os._exit(len(store.list_versions(engine)))
assert engine.pool.checkedin() == 0
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert store.list_versions(engine) == []
"""


def test_no_connection_crosses_a_fork(url):
    subprocess.run([sys.executable, "-c", FORK, url], check=True)
