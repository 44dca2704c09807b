from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from recsys import store
from recsys.data.feedback import ALL_ITEMS, FeedbackEntry
from recsys.store.tables import DataSet


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """One that stands still in 1970's first microsecond, so that revisions are 1, 2, 3."""
    monkeypatch.setattr("time.time_ns", lambda: 1000)


@pytest.fixture
def save(engine):
    """Write entries on the data set "tiny" and return the revision."""
    return lambda *entries: store.save_feedback(engine, "tiny", entries)


def entries(engine, name="tiny"):
    return store.load_feedback(engine, name).entries


def test_what_was_written_comes_back_by_user_and_item_with_the_revision_of_the_last_write(
    engine, save
):
    assert store.load_feedback(engine, "tiny") == ([], 0)
    assert save(FeedbackEntry("x", "b", 3.7, 20), FeedbackEntry("x", "a", 5.0, 10)) == 1
    assert save(FeedbackEntry("w", "ü 日本", None, 30)) == 2
    assert store.load_feedback(engine, "tiny") == (
        [
            FeedbackEntry("w", "ü 日本", None, 30),
            FeedbackEntry("x", "a", 5.0, 10),
            FeedbackEntry("x", "b", 3.7, 20),
        ],
        2,
    )


def test_the_last_write_of_a_pair_stands_also_within_one_write(engine, save):
    save(FeedbackEntry("x", "a", 1, 10), FeedbackEntry("x", "a", 2, 5))
    assert entries(engine) == [FeedbackEntry("x", "a", 2, 5)]
    save(FeedbackEntry("x", "a", 3, 1))
    assert entries(engine) == [FeedbackEntry("x", "a", 3, 1)]


def test_an_erasure_stands_until_the_next_rating(engine, save):
    save(FeedbackEntry("x", "a", 3, 1))
    save(FeedbackEntry("x", "a", None, 2, is_erased=True))
    assert entries(engine) == [FeedbackEntry("x", "a", None, 2, is_erased=True)]
    save(FeedbackEntry("x", "a", 4, 3))
    assert entries(engine) == [FeedbackEntry("x", "a", 4, 3)]


def test_the_same_again_changes_nothing_so_that_a_request_can_be_repeated(
    engine, save, monkeypatch
):
    monkeypatch.setattr("time.time", lambda: 100.9)
    save(FeedbackEntry("x", "a", 3, None))
    monkeypatch.setattr("time.time", lambda: 200.9)
    save(FeedbackEntry("x", "a", 3, None))
    assert entries(engine) == [FeedbackEntry("x", "a", 3, 100)]
    save(FeedbackEntry("x", "a", 3, 150))
    assert entries(engine) == [FeedbackEntry("x", "a", 3, 150)]
    save(FeedbackEntry("x", "a", 4, None))
    assert entries(engine) == [FeedbackEntry("x", "a", 4, 200)]


def test_a_user_who_takes_everything_back_leaves_one_row_that_says_so(engine, save, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 50.0)
    save(*(FeedbackEntry(user, item, 3, 1) for user in "xy" for item in "ab"))
    assert store.forget_user(engine, "tiny", "x") == 2
    everything = FeedbackEntry("x", ALL_ITEMS, None, 50, is_erased=True)
    of_y = [FeedbackEntry("y", "a", 3, 1), FeedbackEntry("y", "b", 3, 1)]
    assert entries(engine) == [everything, *of_y]
    save(FeedbackEntry("x", "b", 2, 60))
    assert entries(engine) == [everything, FeedbackEntry("x", "b", 2, 60), *of_y]


def test_data_sets_of_other_names_have_feedback_of_their_own(engine, save):
    save(FeedbackEntry("x", "a", 3, 1))
    store.save_feedback(engine, "other", [FeedbackEntry("x", "a", 1, 1)])
    store.forget_user(engine, "other", "x")
    assert store.load_feedback(engine, "tiny") == ([FeedbackEntry("x", "a", 3, 1)], 1)
    assert store.load_feedback(engine, "other").revision == 2


def test_newer_than_a_version_is_what_was_written_after_its_data_were_read(
    engine, save, ratings, make_snapshot
):
    source = store.StoreSource(engine)

    def version_of(data, revision):
        data_set_id = store.save_data_set(engine, data, feedback_revision=revision)
        return store.save_version(engine, data_set_id, [make_snapshot(data)])

    without = version_of(ratings, 0)
    assert source.newer_feedback(without, "x") == []
    assert source.user(without, "x")[:2] == (0, False)
    first, second = FeedbackEntry("x", "a", 1, 1), FeedbackEntry("x", "b", 2, 1)
    revision = save(first, FeedbackEntry("y", "a", 1, 1))
    merged = version_of(replace(ratings, values=ratings.values[::-1]), revision)
    save(second)

    assert source.newer_feedback(without, "x") == [first, second]
    assert source.newer_feedback(merged, "x") == [second]
    assert source.newer_feedback(merged, "y") == []
    assert source.newer_feedback(merged, "nobody") == []
    for version, y_is_newer in ((without, True), (merged, False)):
        assert source.user(version, "x")[:2] == (2, True)
        assert source.user(version, "y")[:2] == (1, y_is_newer)
        assert source.user(version, "nobody")[:2] == (0, False)


def test_a_users_revision_changes_with_each_change_and_with_no_repetition(
    engine, save, ratings, make_snapshot
):
    source = store.StoreSource(engine)
    data_set_id = store.save_data_set(engine, ratings)
    model_id = store.save_version(engine, data_set_id, [make_snapshot(ratings)])
    seen = []
    for write in (
        lambda: save(FeedbackEntry("x", "a", 3, 1)),
        lambda: save(FeedbackEntry("x", "a", 3, 1)),
        lambda: save(FeedbackEntry("y", "a", 3, 1)),
        lambda: save(FeedbackEntry("x", "a", None, 1, is_erased=True)),
        lambda: store.forget_user(engine, "tiny", "x"),
        lambda: store.forget_user(engine, "tiny", "x"),
    ):
        write()
        seen.append(source.user(model_id, "x").feedback_revision)
    assert seen == [1, 1, 1, 4, 5, 6]


def test_the_same_data_set_holds_the_newest_feedback_that_it_was_saved_with(engine, ratings):
    def held():
        with engine.connect() as connection:
            return connection.execute(DataSet.__table__.select()).one().feedback_revision

    for revision, expected in ((0, 0), (3, 3), (2, 3), (0, 3), (4, 4)):
        store.save_data_set(engine, ratings, feedback_revision=revision)
        assert held() == expected


def test_a_revision_is_given_once_also_when_a_backup_is_restored(engine, save, tmp_path):
    if engine.dialect.name != "sqlite":
        pytest.skip("SQLite's backup")
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr("time.time_ns", lambda: 1_700_000_000_123_456_789)
        assert save(FeedbackEntry("x", "a", 3, 1)) == 1_700_000_000_123_456
        store.backup(engine, tmp_path / "copy.db")
        gone = [save(FeedbackEntry("x", "b", n, 1)) for n in range(2)]
        assert gone == [1_700_000_000_123_457, 1_700_000_000_123_458]
        clock.setattr("time.time_ns", lambda: 1_700_000_001_000_000_000)
        restored = store.open_database(f"sqlite:///{tmp_path}/copy.db")
        entry = FeedbackEntry("x", "c", 3, 1)
        assert store.save_feedback(restored, "tiny", [entry]) == 1_700_000_001_000_000
        restored.dispose()
    # The clock was put back: later writes still have the larger revisions.
    assert save(FeedbackEntry("x", "c", 3, 1)) == 1_700_000_000_123_459


def test_a_write_that_fails_leaves_nothing(engine, save):
    save(FeedbackEntry("x", "a", 3, 1))
    with pytest.raises(IntegrityError):  # the second has no item
        save(FeedbackEntry("x", "b", 3, 1), FeedbackEntry("x", None, 3, 1))
    assert store.load_feedback(engine, "tiny") == ([FeedbackEntry("x", "a", 3, 1)], 1)


def test_of_writers_at_once_none_loses_anything_and_each_has_a_revision_of_its_own(url, engine):
    n_writers, n_writes = 4, 8
    revisions = []

    def write(writer):
        own = store.open_database(url)
        for n in range(n_writes):
            said = [FeedbackEntry("all", "same", n, 1), FeedbackEntry(f"u{writer}", f"i{n}", 3, 1)]
            revisions.append(store.save_feedback(own, "tiny", said))
        own.dispose()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(n_writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(revisions) == list(range(1, n_writers * n_writes + 1))
    assert len(entries(engine)) == n_writers * n_writes + 1
