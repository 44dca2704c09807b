import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.training.batches import Batches


@settings(deadline=None)
@given(n_ratings=st.integers(1, 300), batch_size=st.integers(1, 400), seed=st.integers(0, 99))
def test_batches_hold_every_rating_once_and_differ_by_one_in_size(
    make_ratings, n_ratings, batch_size, seed
):
    train = make_ratings(20, 20, n_ratings)
    batches = Batches.cut(train, batch_size, np.random.default_rng(seed))
    sizes = [len(batch.values) for batch in batches.batches]
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    held = {
        (int(u), int(i), float(v))
        for batch in batches.batches
        for u, i, v in zip(batch.users, batch.items, batch.values, strict=True)
    }
    expected = zip(train.users.tolist(), train.items.tolist(), train.values.tolist(), strict=True)
    assert sum(sizes) == n_ratings
    assert held == set(expected)


@settings(deadline=None)
@given(batch_size=st.integers(1, 400), seed=st.integers(0, 99))
def test_runs_cover_a_batch_by_user_and_by_item(ratings, batch_size, seed):
    for batch in Batches.cut(ratings, batch_size, np.random.default_rng(seed)).batches:
        for rows, starts, sorted_rows in (
            (batch.user_rows, batch.user_starts, batch.users),
            (batch.item_rows, batch.item_starts, batch.items[batch.item_order]),
        ):
            np.testing.assert_array_equal(np.repeat(rows, np.diff(starts)), sorted_rows)
            assert (np.diff(rows.astype(int)) > 0).all()


def test_an_epoch_visits_every_batch_once_in_a_new_order(ratings):
    batches = Batches.cut(ratings, 100, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    first, second = ([id(batch) for batch in batches.epoch(rng)] for _ in range(2))
    assert sorted(first) == sorted(second) == sorted(id(batch) for batch in batches.batches)
    assert first != second
