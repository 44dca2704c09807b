import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.training.batches import Batches, run_length


@settings(deadline=None)
@given(
    n_ratings=st.integers(1, 300),
    batch_size=st.integers(1, 400),
    seed=st.integers(0, 99),
    run=st.integers(1, 30),
)
def test_batches_hold_every_rating_once_and_differ_by_one_in_size(
    make_ratings, n_ratings, batch_size, seed, run
):
    train = make_ratings(20, 20, n_ratings)
    batches = Batches.cut(train, batch_size, np.random.default_rng(seed), run=run)
    sizes = [len(batch.values) for batch in batches]
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    held = {
        (int(u), int(i), float(v))
        for batch in batches
        for u, i, v in zip(batch.users, batch.items, batch.values, strict=True)
    }
    expected = zip(train.users.tolist(), train.items.tolist(), train.values.tolist(), strict=True)
    assert sum(sizes) == n_ratings
    assert held == set(expected)


@settings(deadline=None)
@given(batch_size=st.integers(1, 400), seed=st.integers(0, 99), run=st.integers(1, 30))
def test_a_batch_is_sorted_by_user_and_by_item(ratings, batch_size, seed, run):
    for batch in Batches.cut(ratings, batch_size, np.random.default_rng(seed), run=run):
        by_item = batch.user_positions
        np.testing.assert_array_equal(
            batch.user_rows[batch.user_slots], batch.users[by_item], "who rated, by item"
        )
        for rows, starts, sorted_rows in (
            (batch.user_rows, batch.user_starts, batch.users),
            (batch.item_rows, batch.item_starts, batch.items[by_item]),
        ):
            np.testing.assert_array_equal(np.repeat(rows, np.diff(starts)), sorted_rows)
            assert (np.diff(rows.astype(int)) > 0).all()


def test_a_user_with_40_ratings_in_runs_of_10_is_in_4_batches_at_most(make_ratings):
    # 30 users who rated all 40 items: 1,200 ratings are 120 runs of 10, and 12 batches of 100
    # hold 10 whole runs each.
    train = make_ratings(30, 40, 1200)
    batches = Batches.cut(train, 100, np.random.default_rng(0), run=10)
    in_batches = np.zeros(30, int)
    for batch in batches:
        in_batches[batch.user_rows] += 1
        assert set(np.diff(batch.user_starts) % 10) == {0}
        assert len(batch.user_rows) <= 10
    assert in_batches.max() == 4
    shuffled = Batches.cut(train, 100, np.random.default_rng(0))
    assert min(len(batch.user_rows) for batch in shuffled) > 20


def test_the_order_of_batches_and_runs_follows_the_seed(ratings):
    first, same, other = (
        Batches.cut(ratings, 100, np.random.default_rng(seed), run=5) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.flat.values, same.flat.values)
    assert not np.array_equal(first.flat.values, other.flat.values)


def test_ratings_are_kept_together_as_far_as_the_cache_asks_and_the_rate_allows():
    # 256 KiB hold 1,024 rows of 256 bytes: all of 1,000 users.
    assert run_length(1_000, 50_000, 256, lr=1, momentum=0) == 1
    # Else batch_size / 1,024 together, rounded up.
    assert run_length(5_000, 50_000, 256, lr=1, momentum=0) == 49
    # But a rating of 100,000 moves by 2 * 190 / (1 - .9) / 100,000 = .038: 31 of them by 1.18,
    # 32 by too much.
    assert run_length(70_000, 100_000, 256, lr=190, momentum=0.9) == 31
    assert run_length(70_000, 100_000, 256, lr=1e9, momentum=0.9) == 1


def test_an_epoch_visits_every_batch_once_in_a_new_order(ratings):
    batches = Batches.cut(ratings, 100, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    first, second = ([batch.values.tobytes() for batch in batches.epoch(rng)] for _ in range(2))
    assert sorted(first) == sorted(second) == sorted(batch.values.tobytes() for batch in batches)
    assert first != second


def test_ratings_sorted_by_user_beforehand_are_cut_into_the_same_batches(make_ratings):
    # Sorted files skip the sorting, which keeps a user's ratings in the order of the file.
    shuffled = make_ratings(30, 40, 600)
    assert (np.diff(shuffled.users) < 0).any()
    by_user = shuffled.select(np.argsort(shuffled.users, kind="stable"))
    one, other = (
        Batches.cut(part, 100, np.random.default_rng(0), run=5) for part in (shuffled, by_user)
    )
    for ours, theirs in zip(one.flat, other.flat, strict=True):
        np.testing.assert_array_equal(ours, theirs)
