from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from recsys import store
from recsys.errors import StoreError
from recsys.store.tables import (
    Base,
    DataSet,
    Epoch,
    Item,
    ItemEmbedding,
    Layer,
    Model,
    RatedItems,
    SnapshotRow,
    UserEmbedding,
)

AT_ONCE = timedelta(0)

# Commits 1 to 7 begin a data set, write its items in 2 and its users in 3 chunks, and complete it;
# 8 to 17 begin a version, write its snapshot, its history, its network, its users in 3 and its
# items in 2 chunks, and complete it.
N_COMMITS = 17
DATA_SET_COMPLETE = 7

# For each number n that it is given: a child saves all that in n.db and kills itself just before
# its nth commit. Prints the children's exit codes; 0 kills nobody.
KILLED = """
import os, signal, sys
import numpy as np
from sqlalchemy import event
from recsys import store
from recsys.data import IdMap, Ratings
from recsys.model.item_side import Head, ItemSide
from recsys.model.snapshot import Snapshot
from recsys.store import drafts

drafts.ROWS_PER_COMMIT = 20
users, items = IdMap(f"u{i}" for i in range(60)), IdMap(f"i{i}" for i in range(40))
rows = np.arange(60, dtype="i4")
ratings = Ratings("killed", users, items, rows, rows % 40)
counts = np.ones(40, "i4")
head = Head((np.ones((16, 2), "f4"), np.ones((2, 1), "f4")), (np.ones(2, "f4"), np.ones(1, "f4")))
side = ItemSide(items, np.ones((40, 9), "f4"), np.ones(40, "f4"), counts, 3, None, (1, 5), head)
snapshot = Snapshot(
    "rating", side, users, np.ones((60, 7), "f4"), np.ones(60, "f4"), {}, ratings.fingerprint,
    history=({"epoch": 1},),
)

def save(path, last_commit):
    commits = 0

    def count(connection):
        nonlocal commits
        commits += 1
        if commits == last_commit:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = store.open_database(f"sqlite:///{path}")
    # A reading transaction ends with a rollback, so commits are writes.
    event.listen(engine, "commit", count)
    store.save_version(engine, store.save_data_set(engine, ratings), [snapshot])
    return commits

def run(path, last_commit):
    child = os.fork()
    if child == 0:
        os._exit(save(path, last_commit))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

folder, *numbers = sys.argv[1:]
print(*(run(f"{folder}/{n}.db", int(n)) for n in numbers))
"""


def save_and_kill(folder: Path, *numbers: int) -> list[int]:
    """Return the exit code of each child."""
    told = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), *map(str, numbers)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return [int(code) for code in told.split()]


@pytest.fixture(scope="module")
def killed(tmp_path_factory, ratings, make_snapshot) -> Path:
    """A folder of databases, n.db with a champion and a writer killed at its nth commit."""
    folder = tmp_path_factory.mktemp("killed")
    template = store.open_database(f"sqlite:///{folder}/template.db")
    store.prepare(template)
    data_set_id = store.save_data_set(template, ratings)
    champion = make_snapshot(ratings, n_user_factors=5, hidden=(4, 2))
    store.promote(template, store.save_version(template, data_set_id, [champion]))
    template.dispose()
    numbers = range(1, N_COMMITS + 1)
    for number in numbers:
        shutil.copy(folder / "template.db", folder / f"{number}.db")
    assert save_and_kill(folder, *numbers) == [-signal.SIGKILL] * N_COMMITS
    return folder


@pytest.fixture
def open_killed(killed, tmp_path) -> Iterator[Callable[[int], Engine]]:
    """Return a function that opens a copy of a database whose writer was killed at a commit."""
    engines = []

    def open_copy(last_commit: int) -> Engine:
        for file in killed.glob(f"{last_commit}.db*"):
            shutil.copy(file, tmp_path)
        engines.append(store.open_database(f"sqlite:///{tmp_path}/{last_commit}.db"))
        return engines[-1]

    yield open_copy
    for engine in engines:
        engine.dispose()


def rows(engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.__tablename__: connection.scalar(select(func.count()).select_from(table))
            for table in (
                DataSet,
                Item,
                RatedItems,
                Model,
                SnapshotRow,
                Epoch,
                Layer,
                UserEmbedding,
                ItemEmbedding,
            )
        }


@pytest.mark.parametrize("last_commit", range(1, N_COMMITS + 1))
def test_a_writer_killed_at_any_commit_leaves_the_champion_serving(open_killed, last_commit):
    engine = open_killed(last_commit)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    store.prepare(engine)
    assert [version.model_id for version in store.list_versions(engine)] == [1]
    assert store.StoreSource(engine).champion() == (1, 1)
    assert store.load_snapshot(engine, 1, "rating").n_users == 3

    store.sweep(engine, AT_ONCE)
    complete = {"data_sets": 1, "items": 40, "rated_items": 60}
    if last_commit <= DATA_SET_COMPLETE:
        complete = {}
    one_of_each = {"data_sets": 1, "items": 4, "rated_items": 3, "models": 1, "snapshots": 1}
    one_of_each |= {"epochs": 2, "layers": 3, "user_embeddings": 3, "item_embeddings": 4}
    assert rows(engine) == {table: n + complete.get(table, 0) for table, n in one_of_each.items()}


@pytest.mark.parametrize("last_commit", [5, 12])
def test_what_a_killed_writer_wrote_can_be_saved_again(open_killed, tmp_path, last_commit):
    engine = open_killed(last_commit)
    engine.dispose()
    (tmp_path / f"{last_commit}.db").rename(tmp_path / "0.db")
    # A data set that is found takes one commit, which marks it.
    n_found = N_COMMITS - DATA_SET_COMPLETE + 1
    n_commits = N_COMMITS if last_commit <= DATA_SET_COMPLETE else n_found
    assert save_and_kill(tmp_path, 0) == [n_commits]
    engine = store.open_database(f"sqlite:///{tmp_path}/0.db")
    newest, champion = store.list_versions(engine)
    assert champion.aliases == ("champion",)
    assert store.load_snapshot(engine, newest.model_id, "rating").n_users == 60
    engine.dispose()


def test_a_writer_that_still_writes_is_not_swept(engine, url, save, monkeypatch):
    monkeypatch.setattr("recsys.store.drafts.ROWS_PER_COMMIT", 2)
    other = store.open_database(url)
    swept = []
    model_id = save(progress=lambda *_: swept.append(store.sweep(other)))
    assert swept == [0, 0, 0, 0]
    assert store.load_snapshot(engine, model_id, "rating").n_users == 3
    other.dispose()


def test_a_writer_that_was_thought_dead_is_told_and_completes_nothing(engine, save, monkeypatch):
    monkeypatch.setattr("recsys.store.drafts.ROWS_PER_COMMIT", 2)
    for stop_at in (2, 7):

        def stall(done: int, total: int, stop_at: int = stop_at) -> None:
            if done == stop_at:
                assert store.sweep(engine, AT_ONCE) == 1

        with pytest.raises(StoreError, match="swept away; save it again"):
            save(progress=stall)
    assert store.list_versions(engine) == []
    assert rows(engine)["user_embeddings"] == 0


def test_an_abandoned_draft_is_swept_by_prepare_and_by_the_next_save(
    open_killed, ratings, monkeypatch
):
    monkeypatch.setattr("recsys.store.drafts.sweep.__defaults__", (AT_ONCE,))
    for last_commit, use in (
        (12, store.prepare),
        (13, lambda engine: store.save_data_set(engine, ratings)),
    ):
        engine = open_killed(last_commit)
        assert rows(engine)["models"] == 2
        use(engine)
        assert rows(engine)["models"] == 1


def test_every_table_that_a_draft_fills_is_counted_here(engine):
    others = {"aliases", "api_keys", "promotions", "feedback", "feedback_revisions"}
    assert set(Base.metadata.tables) - set(rows(engine)) == others
