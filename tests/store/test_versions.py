from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from recsys import store
from recsys.data import IdMap
from recsys.errors import DataError, NotFoundError, StoreError
from recsys.model.intervals import StarIntervals
from recsys.model.item_side import Head, ItemSide
from recsys.model.newcomers import STRENGTHS, Newcomers
from recsys.model.snapshot import Snapshot
from recsys.store.database import writing
from recsys.store.tables import ItemEmbedding, Layer, Model, UserEmbedding

MANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
floats32 = hnp.from_dtype(np.dtype("f4"), allow_nan=False, allow_infinity=False)
bounds = st.tuples(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
    st.floats(allow_nan=False, allow_infinity=False),
)
json_mapping = st.dictionaries(
    st.text(max_size=5),
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
    | st.lists(st.integers(0, 9), max_size=3).map(tuple),
    max_size=4,
)


@st.composite
def any_snapshot(draw, ratings) -> Snapshot:
    n_factors = n_user_factors = draw(st.integers(1, 5))
    hidden = draw(st.none() | st.lists(st.integers(1, 4), max_size=2))
    n_users, n_items = ratings.n_users, ratings.n_items

    def array(*shape: int) -> np.ndarray:
        return draw(hnp.arrays(np.float32, shape, elements=floats32))

    head = None
    if hidden is not None:
        n_user_factors = draw(st.integers(1, 5))
        widths = [n_user_factors + n_factors, *hidden, 1]
        weights = tuple(array(*shape) for shape in pairwise(widths))
        head = Head(weights, tuple(array(width) for width in widths[1:]))

    newcomers = None
    if draw(st.booleans()):
        implicit = {}
        if draw(st.booleans()):
            implicit = {
                "item_implicit": array(n_items, n_factors),
                "item_implicit_bias": array(n_items),
            }
        strength = st.floats(allow_nan=False, allow_infinity=False)
        strengths = {name: draw(strength) for name in STRENGTHS}
        newcomers = Newcomers(**strengths, user_mean=array(n_factors), **implicit)
    intervals = st.builds(
        StarIntervals,
        *[st.floats(-9, 9)] * 4,
        probabilities=st.just((0.1, 1 / 3, 0.9)),
        quantiles=st.tuples(*[st.floats(-9, 9)] * 3).map(lambda each: tuple(sorted(each))),
        rating_scale=st.just((1.0, 5.0)),
        n_ratings=st.integers(100),
    )

    return Snapshot(
        objective=draw(st.sampled_from(["rating", "ranking"])),
        items=ItemSide(
            item_ids=ratings.item_ids,
            item_factors=array(n_items, n_factors),
            item_bias=array(n_items),
            item_counts=draw(hnp.arrays(np.int32, n_items, elements=st.integers(0, 2**31 - 1))),
            global_mean=draw(bounds)[0],
            y_range=draw(st.none() | bounds),
            rating_scale=draw(bounds),
            head=head,
            newcomers=newcomers,
            intervals=draw(st.none() | intervals),
        ),
        user_ids=ratings.user_ids,
        user_factors=array(n_users, n_user_factors),
        user_bias=array(n_users),
        hyperparameters=draw(json_mapping),
        data_fingerprint=ratings.fingerprint,
        metrics=draw(st.dictionaries(st.text(max_size=5), st.floats(-9, 9), max_size=3)),
        history=tuple(draw(st.lists(json_mapping, max_size=3))),
    )


def bits(snapshot: Snapshot) -> list[object]:
    side = snapshot.items
    arrays = (
        snapshot.user_factors,
        snapshot.user_bias,
        side.item_factors,
        side.item_bias,
        side.item_counts,
        *(() if side.head is None else side.head.weights + side.head.biases),
        *(() if side.newcomers is None else (a for _, a, _ in side.newcomers.arrays(0, 0))),
    )
    return [
        snapshot.objective,
        tuple(snapshot.user_ids),
        tuple(side.item_ids),
        [(array.dtype, array.shape, array.tobytes()) for array in arrays],
        np.array([side.global_mean, *(side.y_range or ()), *side.rating_scale]).tobytes(),
        None if side.newcomers is None else repr(side.newcomers.strengths),
        side.intervals,
    ]


@MANY
@given(data=st.data())
def test_a_snapshot_comes_back_bit_for_bit(engine, ratings, data):
    saved = data.draw(any_snapshot(ratings))
    model_id = store.save_version(engine, store.save_data_set(engine, ratings), [saved])
    loaded = store.load_snapshot(engine, model_id, saved.objective)
    assert bits(loaded) == bits(saved)
    assert loaded.content_hash == saved.content_hash
    assert loaded.metrics == saved.metrics
    assert [dict(epoch) for epoch in loaded.history] == [
        {key: list(v) if isinstance(v, tuple) else v for key, v in epoch.items()}
        for epoch in saved.history
    ]


def test_the_extremes_of_float32_survive(engine, ratings, make_snapshot):
    # SQLite keeps no negative zero in a column of numbers, so a snapshot has none.
    user_bias = np.array([-0.0, np.float32(1e-45), np.finfo("f4").max], np.float32)
    saved = make_snapshot(ratings, user_bias=user_bias)
    model_id = store.save_version(engine, store.save_data_set(engine, ratings), [saved])
    assert bits(store.load_snapshot(engine, model_id, "rating")) == bits(saved)


def test_a_version_holds_the_snapshots_of_its_objectives(engine, ratings, make_snapshot):
    rating = make_snapshot(ratings, seed=1)
    ranking = make_snapshot(ratings, seed=2, objective="ranking", n_factors=7)
    data_set_id = store.save_data_set(engine, ratings)
    model_id = store.save_version(engine, data_set_id, [ranking, rating])
    for saved in (rating, ranking):
        assert bits(store.load_snapshot(engine, model_id, saved.objective)) == bits(saved)


def test_a_network_comes_back_with_the_extremes_of_float32(engine, ratings, make_snapshot):
    saved = make_snapshot(ratings, n_user_factors=5, hidden=(4, 2))
    head = saved.items.head
    head.weights[1][0] = [-0.0, 1e-45]
    head.biases[2][0] = np.finfo("f4").max
    model_id = store.save_version(engine, store.save_data_set(engine, ratings), [saved])
    loaded = store.load_snapshot(engine, model_id, "rating")
    assert bits(loaded) == bits(saved)
    users, items = np.array([0, 2, -1]), np.array([3, 0, 1])
    assert loaded.predict(users, items).tobytes() == saved.predict(users, items).tobytes()


def test_versions_share_a_data_set_and_overwrite_nothing(engine, ratings, make_snapshot, save):
    first, second = save(seed=1), save(seed=2)
    assert second > first
    for model_id, seed in ((first, 1), (second, 2)):
        loaded = store.load_snapshot(engine, model_id, "rating")
        assert bits(loaded) == bits(make_snapshot(ratings, seed=seed))


def test_progress_ends_with_all_embeddings(save, monkeypatch):
    monkeypatch.setattr("recsys.store.drafts.ROWS_PER_COMMIT", 2)
    told = []
    save(progress=lambda done, total: told.append((done, total)))
    # 3 users in chunks of 2 and 1, 4 items in chunks of 2.
    assert told == [(2, 7), (3, 7), (5, 7), (7, 7)]


def test_a_version_cannot_be_seen_while_it_is_written(engine, url, save, monkeypatch):
    monkeypatch.setattr("recsys.store.drafts.ROWS_PER_COMMIT", 2)
    champion = save(seed=1)
    store.promote(engine, champion)
    reader = store.open_database(url)
    seen = []

    def look(done: int, total: int) -> None:
        seen.append([version.model_id for version in store.list_versions(reader)])
        assert store.StoreSource(reader).champion() == (champion, 1)
        assert store.load_snapshot(reader, champion, "rating").n_users == 3
        with pytest.raises(NotFoundError):
            store.load_snapshot(reader, champion + 1, "rating")
        with pytest.raises(NotFoundError):
            store.promote(reader, champion + 1)

    second = save(seed=2, progress=look)
    assert seen == [[champion]] * 4
    assert [version.model_id for version in store.list_versions(reader)] == [second, champion]
    reader.dispose()


def test_other_writers_get_their_turn_while_a_version_is_written(engine, url, save, monkeypatch):
    monkeypatch.setattr("recsys.store.drafts.ROWS_PER_COMMIT", 2)
    first = save(seed=1)
    other = store.open_database(url)
    save(seed=2, progress=lambda done, _: store.promote(other, first, f"a{done}"))
    assert store.get_version(engine, first).aliases == ("a2", "a3", "a5", "a7")
    other.dispose()


def test_a_save_that_fails_leaves_nothing(engine, save):
    save(seed=1)

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(seed=2, progress=fail)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Model)) == 1
        assert connection.scalar(select(func.count()).select_from(UserEmbedding)) == 3


def test_snapshots_of_other_data_are_refused(engine, ratings, make_snapshot):
    data_set_id = store.save_data_set(engine, ratings)
    others = [
        make_snapshot(ratings, data_fingerprint="0" * 64),
        make_snapshot(ratings, user_ids=IdMap(["x", "y", "somebody else"])),
        make_snapshot(
            replace(ratings, item_ids=IdMap("dcba")), data_fingerprint=ratings.fingerprint
        ),
    ]
    for snapshot in others:
        with pytest.raises(DataError, match=r"trained on other data than data set 1 \(tiny\)"):
            store.save_version(engine, data_set_id, [snapshot])
    with pytest.raises(NotFoundError, match="there is no data set 2"):
        store.save_version(engine, 2, [make_snapshot(ratings)])


def test_a_version_needs_one_snapshot_of_each_objective(engine, ratings, make_snapshot):
    data_set_id = store.save_data_set(engine, ratings)
    for snapshots in ([], [make_snapshot(ratings)] * 2):
        with pytest.raises(DataError, match="one snapshot or more"):
            store.save_version(engine, data_set_id, snapshots)


@pytest.mark.parametrize("field", ["hyperparameters", "metrics", "history"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), np.float32(1)])
def test_what_json_cannot_hold_is_refused_by_name(engine, ratings, make_snapshot, field, value):
    data_set_id = store.save_data_set(engine, ratings)
    broken = {"rmse": value}
    snapshot = make_snapshot(ratings, **{field: (broken,) if field == "history" else broken})
    with pytest.raises(DataError, match=f"{field} of the rating snapshot cannot be stored"):
        store.save_version(engine, data_set_id, [snapshot])
    assert store.list_versions(engine) == []


@pytest.mark.parametrize("table", [UserEmbedding, ItemEmbedding])
@pytest.mark.parametrize("bias", [float("nan"), float("inf"), float("-inf")])
def test_the_database_itself_refuses_a_bias_that_is_not_finite(engine, save, table, bias):
    save()
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(update(table).values(bias=bias))


def test_an_unknown_version_or_objective_is_not_found(engine, save):
    model_id = save()
    with pytest.raises(NotFoundError, match="there is no version 9"):
        store.load_snapshot(engine, 9, "rating")
    with pytest.raises(NotFoundError, match=f"{model_id} has no ranking emb.*; it has: rating"):
        store.load_snapshot(engine, model_id, "ranking")


@pytest.mark.parametrize(
    ("table", "row"),
    [(UserEmbedding, UserEmbedding.user_row), (ItemEmbedding, ItemEmbedding.item_row)],
)
def test_missing_truncated_and_changed_rows_are_told_with_their_version(engine, save, table, row):
    model_id = save()
    what = f"{table.__tablename__} of version {model_id} \\(rating\\)"

    def damage(statement):
        with writing(engine) as connection:
            connection.execute(statement)
        with pytest.raises(StoreError) as told:
            store.load_snapshot(engine, model_id, "rating")
        return str(told.value)

    changed = damage(update(table).where(row == 2).values(bias=9))
    assert f"the rating snapshot of version {model_id} is not what was saved" in changed
    truncated = damage(update(table).where(row == 1).values(factors=b"\0" * 11))
    assert f"row 1 of {what} has 11 bytes instead of 12".replace("\\", "") in truncated
    missing = damage(delete(table).where(row == 0))
    assert f"of {table.__tablename__}" not in missing
    assert "row 0 is missing" in missing
    assert f"version {model_id} (rating)" in missing


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            update(Layer).where(Layer.position == 1).values(weight=b"\0" * 31),
            "row 1 of the weights in layers of version {} (rating) has 31 bytes instead of 32",
        ),
        (
            update(Layer).where(Layer.position == 0).values(bias=b"\0" * 20),
            "row 0 of the biases in layers of version {} (rating) has 20 bytes instead of 16",
        ),
        (
            update(Layer).where(Layer.position == 0).values(n_inputs=9),
            "row 0 of the weights in layers of version {} (rating) has 128 bytes instead of 144",
        ),
        (
            delete(Layer).where(Layer.position == 2),
            "layers of version {} (rating) has 2 rows of 3, row 2 is missing",
        ),
        (delete(Layer), "layers of version {} (rating) has 0 rows of 3, row 0 is missing"),
    ],
)
def test_a_damaged_network_is_told_and_never_served(engine, save, damage, told):
    # User 5 + item 3 inputs, then 4, 2 and 1 outputs.
    model_id = save(n_user_factors=5, hidden=(4, 2))
    with writing(engine) as connection:
        connection.execute(damage)
    for read in (partial(store.load_snapshot, engine), store.StoreSource(engine).item_side):
        with pytest.raises(StoreError, match=re.escape(told.format(model_id))):
            read(model_id, "rating")


def test_a_network_that_was_changed_is_not_what_was_saved(engine, save):
    model_id = save(hidden=(4,))
    with writing(engine) as connection:
        connection.execute(update(Layer).where(Layer.position == 1).values(bias=b"\0" * 4))
    with pytest.raises(StoreError, match="is not what was saved"):
        store.load_snapshot(engine, model_id, "rating")
