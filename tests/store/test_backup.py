from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from recsys import store
from recsys.errors import StoreError, UsageError


@pytest.fixture(autouse=True)
def sqlite_only(engine):
    if engine.dialect.name != "sqlite":
        pytest.skip("other databases have backups of their own")


def test_a_copy_holds_what_was_committed_also_what_is_still_in_the_log(engine, save, tmp_path):
    model_id = save(1)
    store.promote(engine, model_id)
    store.backup(engine, tmp_path / "copy.db")
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy.db"]  # one file is all
    copy = store.open_database(f"sqlite:///{tmp_path}/copy.db")
    store.prepare(copy)
    assert store.list_versions(copy) == store.list_versions(engine)
    again, first = (store.load_snapshot(each, model_id, "rating") for each in (copy, engine))
    assert again.content_hash == first.content_hash
    copy.dispose()


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_copy_may_be_read_by_those_who_may_read_the_database(engine, tmp_path, mode):
    Path(engine.url.database).chmod(mode)
    store.backup(engine, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == mode


def test_a_copy_is_of_one_moment_while_a_writer_goes_on(engine, url, tmp_path):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE pairs (left_half INTEGER, right_half INTEGER)")
    stop, going_on = threading.Event(), threading.Event()

    def write():
        writer = store.open_database(url)
        n = 0
        while not stop.is_set():
            with writer.begin() as connection:
                # Two statements of one transaction: a copy has both or neither.
                connection.exec_driver_sql(f"INSERT INTO pairs (left_half) VALUES ({n})")
                connection.exec_driver_sql(
                    f"UPDATE pairs SET right_half = {n} WHERE rowid = {n + 1}"
                )
            n += 1
            going_on.set()
        writer.dispose()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(3):
            going_on.clear()
            assert going_on.wait(30)
            store.backup(engine, tmp_path / f"{number}.db")
    finally:
        stop.set()
        thread.join()
    counts = []
    for number in range(3):
        copy = sqlite3.connect(tmp_path / f"{number}.db")
        n, halves = copy.execute("SELECT count(*), count(right_half) FROM pairs").fetchone()
        copy.close()
        assert n == halves
        counts.append(n)
    assert 0 < counts[0] < counts[1] < counts[2]


def test_what_is_there_already_is_left_alone(engine, tmp_path):
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(UsageError, match="exists already; name a new file"):
        store.backup(engine, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_damaged_database_is_told_and_leaves_no_copy(engine, url, save, tmp_path):
    save(1)
    engine.dispose()
    with Path(engine.url.database).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\x5a" * 4096)
    with pytest.raises(StoreError, match=r"is damaged|malformed"):
        store.backup(store.open_database(url), tmp_path / "copy.db")
    assert list(tmp_path.glob("copy*")) == []


def test_a_place_that_cannot_be_written_is_told(engine, tmp_path):
    with pytest.raises(StoreError, match=r"cannot write the backup .*: No such file"):
        store.backup(engine, tmp_path / "no" / "such" / "copy.db")
