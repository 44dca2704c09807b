from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sqlalchemy import Engine, delete, func, select, update

from recsys import store
from recsys.data import IdMap, ItemMetadata, Ratings
from recsys.data.ids import is_valid_id
from recsys.errors import NotFoundError, StoreError
from recsys.store import data_set_rows, data_sets, drafts
from recsys.store.database import writing
from recsys.store.tables import DataSet, Item, RatedItems

MANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ids = st.lists(
    st.text(min_size=1, max_size=20).filter(is_valid_id), min_size=0, max_size=6, unique=True
).map(IdMap)
# Postgres keeps no NUL in text.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
titles = st.none() | texts


@st.composite
def any_ratings(draw) -> Ratings:
    users, items = draw(ids), draw(ids)
    n_pairs = len(users) * len(items)
    pairs = draw(st.lists(st.integers(0, n_pairs - 1), unique=True)) if n_pairs else []
    n = len(pairs)
    pairs = np.array(pairs, np.int64)
    finite = hnp.from_dtype(np.dtype("f4"), allow_nan=False, allow_infinity=False)
    return Ratings(
        name=draw(texts),
        user_ids=users,
        item_ids=items,
        users=(pairs // max(len(items), 1)).astype(np.int32),
        items=(pairs % max(len(items), 1)).astype(np.int32),
        values=draw(st.none() | hnp.arrays(np.float32, n, elements=finite)),
        timestamps=draw(st.none() | hnp.arrays(np.int64, n)),
        metadata=ItemMetadata(
            tuple(draw(titles) for _ in items),
            tuple(draw(st.none() | st.integers(-3000, 3000)) for _ in items),
            tuple(tuple(draw(st.lists(texts, max_size=3))) for _ in items),
        ),
    )


@MANY
@given(ratings=any_ratings())
def test_ratings_come_back_as_they_were_saved(engine, ratings):
    loaded = store.load_ratings(engine, store.save_data_set(engine, ratings))
    by_user_and_item = ratings.select(np.lexsort((ratings.items, ratings.users)))
    assert loaded.name == ratings.name
    assert loaded.fingerprint == by_user_and_item.fingerprint
    assert loaded.metadata == ratings.metadata
    assert loaded.is_implicit == ratings.is_implicit
    assert (loaded.timestamps is None) == (ratings.timestamps is None)


def test_the_same_ratings_are_stored_once(engine, ratings):
    first = store.save_data_set(engine, ratings)
    assert store.save_data_set(engine, replace(ratings)) == first
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(RatedItems)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"name": "another"},
        {"values": np.array([4.5, 1, 2, 3, 4.5], np.float32)},
        {"metadata": ItemMetadata(("Alien", "Now known", None, None), (None,) * 4, ((),) * 4)},
    ],
    ids=["name", "rating", "title"],
)
def test_ratings_that_differ_overwrite_nothing(engine, ratings, change):
    first = store.save_data_set(engine, ratings)
    assert store.save_data_set(engine, replace(ratings, **change)) != first
    assert store.load_ratings(engine, first).metadata.titles[0] == "Alien"


def test_absent_and_empty_rating_values_are_different_data(engine, ratings):
    empty = ratings.select(np.zeros(ratings.n_ratings, np.bool_))
    data_set_ids = set()
    for values in (empty.values, None):
        for timestamps in (empty.timestamps, None):
            saved = replace(empty, values=values, timestamps=timestamps)
            data_set_ids.add(store.save_data_set(engine, saved))
            loaded = store.load_ratings(engine, max(data_set_ids))
            assert (loaded.values is None, loaded.timestamps is None) == (
                values is None,
                timestamps is None,
            )
    assert len(data_set_ids) == 4


def test_an_items_row_counts_and_averages_all_known_ratings(engine, ratings):
    # Item a: 2 and 3 stars, b: 5, c: 4.5 and 1, d: none.
    data_set_id = store.save_data_set(engine, ratings)
    query = select(Item.n_ratings, Item.mean_rating).where(Item.data_set_id == data_set_id)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(Item.item_row)).all()
    assert [tuple(row) for row in rows] == [(2, 2.5), (1, 5.0), (2, 2.75), (0, None)]


def test_a_users_rated_items_ascend_in_little_endian_blobs(engine, ratings):
    data_set_id = store.save_data_set(engine, ratings)
    query = select(RatedItems.item_rows, RatedItems.rating_values, RatedItems.timestamps)
    with engine.connect() as connection:
        row = connection.execute(
            query.where(RatedItems.data_set_id == data_set_id, RatedItems.user_id == "x")
        ).one()
    assert row.item_rows == bytes([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0])
    # 2.0 is 0x40000000, 5.0 is 0x40a00000, 1.0 is 0x3f800000.
    assert row.rating_values == bytes.fromhex("00000040 0000a040 0000803f")
    assert row.timestamps == bytes.fromhex("0300000000000000 0100000000000000 0400000000000000")


def test_an_unknown_data_set_is_not_found(engine):
    with pytest.raises(NotFoundError, match="there is no data set 7"):
        store.load_ratings(engine, 7)


def test_a_missing_item_is_told(engine, ratings):
    data_set_id = store.save_data_set(engine, ratings)
    with writing(engine) as connection:
        connection.execute(delete(Item).where(Item.item_row == 1))
    with pytest.raises(StoreError, match="items of data set 1 has 3 rows of 4, row 1 is missing"):
        store.load_ratings(engine, data_set_id)


@pytest.mark.parametrize("column", ["item_rows", "rating_values", "timestamps"])
@pytest.mark.parametrize("blob", [b"\0\0\0", b"\0" * 100])
def test_a_truncated_row_is_told(engine, ratings, column, blob):
    data_set_id = store.save_data_set(engine, ratings)
    with writing(engine) as connection:
        connection.execute(
            update(RatedItems).where(RatedItems.user_id == "y").values({column: blob})
        )
    with pytest.raises(StoreError, match=f"row 1 of {column} in rated_items of data set 1 has"):
        store.load_ratings(engine, data_set_id)


def test_two_writers_of_the_same_ratings_end_with_one_data_set(engine, ratings, monkeypatch):
    rows = data_sets.rated_items_rows
    won = []

    def overtaken(data_set_id, ratings):
        # Another process writes and completes the same ratings between our chunks.
        monkeypatch.setattr(data_sets, "rated_items_rows", rows)
        won.append(store.save_data_set(engine, ratings))
        return rows(data_set_id, ratings)

    monkeypatch.setattr(data_sets, "rated_items_rows", overtaken)
    assert [store.save_data_set(engine, ratings)] == won
    with engine.connect() as connection:
        assert connection.scalars(select(DataSet.id)).all() == won


def test_a_sample_of_users_is_the_same_each_time_and_all_where_they_are_few(engine, save):
    model_id = save()
    assert store.sample_users(engine, model_id, 10) == ["x", "y", "z"]
    sampled = store.sample_users(engine, model_id, 2)
    assert sampled == store.sample_users(engine, model_id, 2)
    assert len(set(sampled)) == 2
    with pytest.raises(NotFoundError, match="there is no version 9"):
        store.sample_users(engine, 9, 2)


def test_a_data_set_is_known_by_the_fingerprint_of_another_order(engine, ratings):
    data_set_id = store.save_data_set(engine, ratings)
    turned = ratings.select(np.arange(ratings.n_ratings)[::-1])
    assert store.save_data_set(engine, turned) != data_set_id
    known = {"fingerprint": ratings.fingerprint}
    assert store.save_data_set(engine, turned, **known) == data_set_id


def test_rated_items_do_not_depend_on_how_many_users_are_worked_out_at_once(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(data_set_rows.rated_items_rows(7, ratings))
    monkeypatch.setattr(data_set_rows, "ROWS_PER_COMMIT", 2)
    assert list(data_set_rows.rated_items_rows(7, ratings)) == whole
    # x rated a, b and c; y a and c; z nothing.
    assert [np.frombuffer(row[4], "<i4").tolist() for row in whole] == [[0, 1, 2], [0, 2], []]


def test_progress_is_told_after_each_chunk_of_users(
    engine: Engine, ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "ROWS_PER_COMMIT", 2)
    told: list[tuple[int, int]] = []
    store.save_data_set(engine, ratings, progress=lambda *so_far: told.append(so_far))
    assert told == [(2, 3), (3, 3)]
