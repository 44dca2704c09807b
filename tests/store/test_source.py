from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from recsys import store
from recsys.data import IdMap, Ratings
from recsys.data.feedback import FeedbackEntry
from recsys.errors import NotFoundError, StoreError
from recsys.serving import ItemFiles, Recommender, Serving
from recsys.store.database import writing
from recsys.store.tables import (
    Item,
    ItemEmbedding,
    Layer,
    RatedItems,
    SnapshotRow,
    UserEmbedding,
)
from recsys.store.user_states import CHAMPION_AND_USER, USER


@pytest.fixture
def source(engine):
    return store.StoreSource(engine)


def test_there_is_no_champion_before_the_first_promotion(engine, source, save):
    model_id = save()
    store.promote(engine, model_id, "challenger")
    assert source.champion() is None
    store.promote(engine, model_id)
    assert source.champion() == (model_id, 1)


def test_the_champion_moves_with_its_revision(engine, source, save):
    first, second = save(1), save(2)
    store.promote(engine, first)
    store.promote(engine, second)
    store.rollback(engine)
    assert source.champion()._asdict() == {"model_id": first, "revision": 3}


def test_the_champion_and_a_user_are_read_as_they_are_apart(engine, source, save):
    save(1)
    assert source.champion_and_user("x") is None
    model_id = save(2)
    store.promote(engine, model_id)
    revision = store.save_feedback(engine, "tiny", [FeedbackEntry("x", "c", 4, 1)])
    champion, state = source.champion_and_user("x")
    assert champion == source.champion()
    apart = source.user(model_id, "x")
    assert state[:2] == apart[:2] == (revision, True)
    together, row = state.rows()["rating"], apart.rows()["rating"]
    np.testing.assert_array_equal(together.factors, row.factors)
    np.testing.assert_array_equal(together.rated_items, row.rated_items)
    _, unknown = source.champion_and_user("nobody")
    assert not unknown.rows()
    with engine.begin() as connection:
        connection.execute(UserEmbedding.__table__.delete())
        connection.execute(SnapshotRow.__table__.delete())
    assert source.champion_and_user("x") is None


def test_content_hashes_are_those_of_the_snapshots(engine, source, ratings, make_snapshot):
    snapshots = [make_snapshot(ratings), make_snapshot(ratings, objective="ranking", n_factors=5)]
    model_id = store.save_version(engine, store.save_data_set(engine, ratings), snapshots)
    expected = {snapshot.objective: snapshot.content_hash for snapshot in snapshots}
    assert source.content_hashes(model_id) == expected


def test_an_item_side_is_that_of_the_snapshot(source, ratings, make_snapshot, save):
    saved, side = make_snapshot(ratings).items, source.item_side(save(), "rating")
    assert side.item_ids == saved.item_ids
    for name in ("item_factors", "item_bias", "item_counts"):
        np.testing.assert_array_equal(getattr(side, name), getattr(saved, name), strict=True)
    assert (side.global_mean, side.y_range, side.rating_scale) == (3.1, None, (1.0, 5.0))


def test_a_network_and_the_embeddings_of_its_users_are_those_of_the_snapshot(
    source, ratings, make_snapshot, save
):
    saved = make_snapshot(ratings, n_user_factors=5, hidden=(4,))
    model_id = save(n_user_factors=5, hidden=(4,))
    side = source.item_side(model_id, "rating")
    assert side.n_user_factors == 5
    for found, expected in zip(
        (*side.head.weights, *side.head.biases),
        (*saved.items.head.weights, *saved.items.head.biases),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected, strict=True)
    row = source.user(model_id, "y").rows()["rating"]
    np.testing.assert_array_equal(row.factors, saved.user_factors[1], strict=True)


def test_a_catalogue_counts_all_known_ratings(source, ratings, save):
    catalogue = source.catalogue(save())
    assert catalogue.item_ids == ratings.item_ids
    assert catalogue.metadata == ratings.metadata
    assert catalogue.n_ratings.tolist() == [2, 1, 2, 0]
    np.testing.assert_array_equal(catalogue.mean_ratings, np.float32([2.5, 5, 2.75, np.nan]))


def test_a_users_row_holds_the_embedding_and_all_known_ratings(
    source, ratings, make_snapshot, save
):
    snapshot = make_snapshot(ratings, seed=4)
    row = source.user(save(4), "x").rows()["rating"]
    np.testing.assert_array_equal(row.factors, snapshot.user_factors[0], strict=True)
    assert np.float32(row.bias) == snapshot.user_bias[0]
    assert row.rated_items.dtype == np.int32
    assert row.rated_items.tolist() == [0, 1, 2]
    assert row.rated_values.dtype == np.float32
    assert row.rated_values.tolist() == [2, 5, 1]


def test_a_user_without_ratings_has_a_row(source, save):
    row = source.user(save(), "z").rows()["rating"]
    assert row.rated_items.shape == row.rated_values.shape == (0,)


def test_implicit_feedback_has_no_rating_values(engine, source, make_snapshot):
    rows = np.array([0, 1], np.int32)
    ratings = Ratings("taken", IdMap(["ann", "bob"]), IdMap(["1", "2"]), rows, rows[::-1])
    model_id = store.save_version(
        engine, store.save_data_set(engine, ratings), [make_snapshot(ratings, n_factors=1)]
    )
    row = source.user(model_id, "ann").rows()["rating"]
    assert row.rated_items.tolist() == [1]
    assert row.rated_values is None
    assert source.catalogue(model_id).mean_ratings is None


def test_two_data_sets_keep_their_users_apart(engine, source, ratings, make_snapshot, save):
    other = Ratings("other", IdMap(["x"]), IdMap(["a"]), *(np.zeros(1, np.int32),) * 2)
    first = save()
    second = store.save_version(
        engine, store.save_data_set(engine, other), [make_snapshot(other, n_factors=2)]
    )
    assert len(source.user(first, "x").rows()["rating"].rated_items) == 3
    assert len(source.user(second, "x").rows()["rating"].rated_items) == 1
    assert source.user(second, "y").rows() == {}


def test_an_unknown_user_has_no_rows_and_an_unknown_version_is_not_found(source, save):
    model_id = save()
    assert source.user(model_id, "nobody").rows() == {}
    for ask in (
        lambda: source.user(9, "x"),
        lambda: source.item_side(9, "rating"),
        lambda: source.content_hashes(9),
        lambda: source.catalogue(9),
    ):
        with pytest.raises(NotFoundError, match="there is no version 9"):
            ask()
    with pytest.raises(NotFoundError, match="has no ranking embeddings; it has: rating"):
        source.item_side(model_id, "ranking")


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (update(UserEmbedding).values(factors=b"\0" * 8), "factors .* 8 bytes instead of 12"),
        (delete(UserEmbedding), "factors .* nothing instead of 12"),
        (update(RatedItems).values(item_rows=b""), "item_rows .* 0 bytes instead of 12"),
        (update(RatedItems).values(rating_values=None), "rating_values .* nothing instead of 12"),
        (
            update(UserEmbedding).values(factors=np.float32([0, np.nan, 0]).tobytes()),
            "factors .* not a finite number",
        ),
        (
            update(RatedItems).values(rating_values=np.float32([0, 0, np.inf]).tobytes()),
            "rating_values .* not a finite number",
        ),
        *(
            (
                update(RatedItems).values(item_rows=np.int32([0, 1, row]).tobytes()),
                "item_rows .* not one of 0 to 3",
            )
            for row in (-1, 4)
        ),
    ],
)
def test_a_damaged_row_is_told_with_user_and_version(engine, source, save, damage, found):
    model_id = save()
    with writing(engine) as connection:
        connection.execute(damage)
    with pytest.raises(StoreError, match=f"{found}") as told:
        source.user(model_id, "x").rows()["rating"]
    assert f"of user 'x' in version {model_id}" in str(told.value)


def execute(engine, *statements):
    with writing(engine) as connection:
        for statement in statements:
            connection.execute(statement)


def forget_items_hashes(engine):
    """Make the versions like those stored before there were hashes of the items alone."""
    execute(engine, update(SnapshotRow).values(items_hash=None))


WITH_AND_WITHOUT_HASH = pytest.mark.parametrize("prepare", [lambda _: None, forget_items_hashes])


@WITH_AND_WITHOUT_HASH
@pytest.mark.parametrize(
    "damage",
    [
        update(ItemEmbedding).where(ItemEmbedding.item_row == 2).values(factors=b"\0" * 12),
        update(ItemEmbedding)
        .where(ItemEmbedding.item_row == 2)
        .values(factors=np.float32([0, np.nan, 0]).tobytes()),
        update(ItemEmbedding).where(ItemEmbedding.item_row == 0).values(bias=0.5),
        update(ItemEmbedding).where(ItemEmbedding.item_row == 3).values(n_ratings=7),
        update(SnapshotRow).values(global_mean=3.1000000000000005),
        update(SnapshotRow).values(y_min=0, y_max=6),
        update(SnapshotRow).values(rating_max=4.5),
        update(Layer).where(Layer.position == 1).values(bias=b"\0" * 4),
        update(Item).where(Item.item_row == 1).values(item_id="e"),
    ],
)
def test_items_that_are_not_what_was_saved_are_told_with_their_version(
    engine, source, save, damage, prepare
):
    model_id = save(n_user_factors=5, hidden=(6,))
    prepare(engine)
    execute(engine, damage)
    with pytest.raises(StoreError, match="restore the database from a backup") as told:
        source.item_side(model_id, "rating")
    assert f"version {model_id}" in str(told.value)


@WITH_AND_WITHOUT_HASH
def test_damaged_items_are_neither_served_nor_cached_and_the_restored_ones_are_served_again(
    engine, source, save, prepare, tmp_path
):
    model_id = save()
    prepare(engine)
    row = ItemEmbedding.item_row == 3
    files = ItemFiles(tmp_path / "cache")

    def answer(files):
        return Recommender.load(source, model_id, files).predict("x", ["d"]).tolist()

    right = answer(ItemFiles(tmp_path / "another cache"))
    with engine.connect() as connection:
        good = connection.scalar(select(ItemEmbedding.factors).where(row))

    execute(engine, update(ItemEmbedding).where(row).values(factors=b"\0" * len(good)))
    with pytest.raises(StoreError, match=f"version {model_id}.* is not what was saved"):
        answer(files)
    assert not files.folder.exists()

    execute(engine, update(ItemEmbedding).where(row).values(factors=good))
    assert answer(files) == right


def test_a_server_keeps_the_last_good_version_while_the_champions_items_are_damaged(
    engine, source, save, tmp_path
):
    first, second = save(1), save(2)
    store.promote(engine, first)
    serving = Serving(source, ItemFiles(tmp_path))
    serving.current()
    execute(
        engine,
        update(ItemEmbedding)
        .where(ItemEmbedding.snapshot_id == second, ItemEmbedding.item_row == 3)
        .values(factors=b"\0" * 12),
    )
    store.promote(engine, second)
    assert serving.current().recommender.model_id == first
    assert serving.failure == f"version {second} cannot be loaded; the log says why"


def test_items_with_their_own_hash_are_verified_without_reading_the_users(engine, source, save):
    model_id = save()
    execute(engine, delete(UserEmbedding))
    assert source.item_side(model_id, "rating").n_items == 4
    forget_items_hashes(engine)
    with pytest.raises(StoreError, match="user_embeddings"):
        source.item_side(model_id, "rating")


@pytest.mark.parametrize("query", [USER, CHAMPION_AND_USER], ids=["user", "champion and user"])
def test_a_users_row_is_found_by_index_alone(engine, save, query):
    if engine.dialect.name != "sqlite":
        pytest.skip("reads SQLite's plan")
    save()
    compiled = query.compile(engine)
    values = {**compiled.params, "user_id": "x", "model_id": 1}
    parameters = tuple(values[name] for name in compiled.positiontup)
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", parameters).all()
    assert not [step for *_, step in plan if "SCAN" in step]
