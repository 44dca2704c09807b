import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data import IdMap, Ratings
from recsys.data import split as splits
from recsys.data.split import (
    held_out,
    k_folds,
    part,
    split_by_rating,
    split_by_time,
    split_by_user,
    split_last,
)
from recsys.data.synthetic import synthetic_ratings
from recsys.errors import DataError, UsageError

FRACTIONS = st.floats(0, 1)
SEEDS = st.integers(0, 2**32 - 1)


def ratings_of(pairs, timestamps=None):
    """Ratings of (user_id, item_id) pairs, id maps in the order in which ids appear."""
    users, items = (
        IdMap(dict.fromkeys(u for u, _ in pairs)),
        IdMap(dict.fromkeys(i for _, i in pairs)),
    )
    return Ratings(
        "some",
        users,
        items,
        users.rows(u for u, _ in pairs),
        items.rows(i for _, i in pairs),
        np.ones(len(pairs), dtype=np.float32),
        None if timestamps is None else np.array(timestamps, dtype=np.int64),
    )


IDS = st.sampled_from([*"abcdefgh", "1", "2", "007", "ä"])
PAIRS = st.lists(st.tuples(IDS, IDS), min_size=1, max_size=60, unique=True)
GRID = ratings_of([(f"u{u}", f"i{i}") for u in range(100) for i in range(100)])


def chosen_pairs(ratings, mask):
    return {
        (ratings.user_ids[u], ratings.item_ids[i])
        for u, i in zip(ratings.users[mask], ratings.items[mask], strict=True)
    }


@settings(deadline=None)
@given(PAIRS, st.randoms(use_true_random=False))
def test_held_out_does_not_depend_on_the_order_of_the_file(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    one, other = ratings_of(pairs), ratings_of(shuffled)
    assert chosen_pairs(one, held_out(one, 0.5)) == chosen_pairs(other, held_out(other, 0.5))


@settings(deadline=None)
@given(PAIRS, PAIRS)
def test_held_out_does_not_depend_on_the_other_ratings(pairs, others):
    alone = ratings_of(pairs)
    together = ratings_of(list(dict.fromkeys(pairs + others)))
    both = chosen_pairs(together, held_out(together, 0.5))
    assert chosen_pairs(alone, held_out(alone, 0.5)) == both & set(pairs)


@settings(deadline=None)
@given(PAIRS, FRACTIONS, FRACTIONS)
def test_held_out_at_a_fraction_is_held_out_at_any_larger_one(pairs, one, other):
    ratings = ratings_of(pairs)
    small, large = held_out(ratings, min(one, other)), held_out(ratings, max(one, other))
    assert not (small & ~large).any()


def test_held_out_is_near_its_fraction_for_all_users_and_items_together():
    # 10,000 ratings at 10 %: 1,000 with a standard deviation of sqrt(10,000 * .1 * .9) = 30.
    mask = held_out(GRID)
    assert 880 < mask.sum() < 1120
    # 100 ratings each: 10 with a standard deviation of 3; nobody is left out or taken whole.
    assert np.bincount(GRID.users[mask], minlength=100).max() < 28
    assert np.bincount(GRID.items[mask], minlength=100).max() < 28


def test_held_out_tells_users_from_items():
    ratings = ratings_of([(a, b) for a in "abcdefghijkl" for b in "abcdefghijkl"])
    mask = held_out(ratings, 0.5).reshape(12, 12)
    assert (mask != mask.T).any()


def test_held_out_is_the_hash_that_its_definition_says():
    # The definition in plain integers, against the vectorised one.
    def hash_of(raw_id, person):
        return int.from_bytes(
            hashlib.blake2b(
                raw_id.encode(), digest_size=8, key=b"recsys held-out ratings", person=person
            ).digest(),
            "little",
        )

    def mixed(bits):
        bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        bits = (bits ^ bits >> 27) * 0x94D049BB133111EB % 2**64
        return bits ^ bits >> 31

    pairs = [(u, i) for u in ("1", "007", "ä") for i in ("7", "x y", "12")]
    expected = [
        mixed((hash_of(u, b"user") + mixed(hash_of(i, b"item"))) % 2**64) < 0.5 * 2**64
        for u, i in pairs
    ]
    assert held_out(ratings_of(pairs), 0.5).tolist() == expected


def test_held_out_never_changes_from_one_release_to_the_next():
    # Versions are compared on these ratings: whoever changes this choice breaks the comparison.
    ratings = ratings_of([(str(u), str(i)) for u in (1, 2, 3) for i in range(1, 9)])
    assert held_out(ratings, 0.25).nonzero()[0].tolist() == [0, 4, 9, 15, 17, 23]


@given(st.lists(st.booleans(), max_size=9), st.booleans(), st.booleans())
def test_parted_ratings_are_the_same_parts_in_the_same_order(mask, has_values, has_times):
    n = len(mask)
    ratings = Ratings(
        "some",
        IdMap("abc"),
        IdMap(map(str, range(n))),
        np.arange(n, dtype=np.int32) % 3,
        np.arange(n, dtype=np.int32),
        np.arange(n, dtype=np.float32) if has_values else None,
        np.arange(n, dtype=np.int64) if has_times else None,
    )
    chosen = np.array(mask, dtype=bool)
    parted = part(ratings, chosen)
    assert parted.train.fingerprint == ratings.select(~chosen).fingerprint
    assert parted.held_out.fingerprint == ratings.select(chosen).fingerprint
    assert sorted(parted.all.items) == sorted(ratings.items)
    for one in (parted.train, parted.held_out):
        assert not one.n_ratings or np.shares_memory(one.items, parted.all.items)


@settings(deadline=None)
@given(PAIRS, FRACTIONS, SEEDS)
def test_a_split_by_rating_takes_the_floor_and_is_stable(pairs, fraction, seed):
    ratings = ratings_of(pairs)
    mask = split_by_rating(ratings, fraction, np.random.default_rng(seed))
    again = split_by_rating(ratings, fraction, np.random.default_rng(seed))
    assert mask.shape == (ratings.n_ratings,)
    assert mask.sum() == np.floor(fraction * len(pairs) + 1e-9)
    assert (mask == again).all()


def test_a_split_depends_on_the_seed():
    one = split_by_rating(GRID, 0.5, np.random.default_rng(0))
    assert (one != split_by_rating(GRID, 0.5, np.random.default_rng(1))).any()


def test_a_fraction_that_floats_cannot_hold_takes_the_ratings_it_names():
    # .29 * 100 is 28.999999999999996.
    ratings = ratings_of([("a", str(i)) for i in range(100)])
    assert split_by_rating(ratings, 0.29, np.random.default_rng(0)).sum() == 29
    assert split_by_user(ratings, 0.29, np.random.default_rng(0)).sum() == 29


@settings(deadline=None)
@given(PAIRS, FRACTIONS, SEEDS)
def test_a_split_by_user_takes_the_floor_of_each_users_ratings(pairs, fraction, seed):
    ratings = ratings_of(pairs)
    mask = split_by_user(ratings, fraction, np.random.default_rng(seed))
    counts = np.bincount(ratings.users, minlength=ratings.n_users)
    taken = np.bincount(ratings.users[mask], minlength=ratings.n_users)
    assert taken.tolist() == np.floor(fraction * counts + 1e-9).tolist()
    assert (mask == split_by_user(ratings, fraction, np.random.default_rng(seed))).all()


def test_a_split_by_user_is_random_within_the_user():
    mask = split_by_user(GRID, 0.5, np.random.default_rng(0)).reshape(100, 100)
    assert (mask.sum(axis=1) == 50).all()
    assert len({row.tobytes() for row in mask}) == 100
    assert 30 < mask.sum(axis=0).min() < mask.sum(axis=0).max() < 70


@settings(deadline=None)
@given(PAIRS, FRACTIONS, st.data())
def test_nothing_kept_by_a_split_by_time_is_newer_than_what_is_taken(pairs, fraction, data):
    times = data.draw(st.lists(st.integers(0, 9), min_size=len(pairs), max_size=len(pairs)))
    ratings = ratings_of(pairs, times)
    mask = split_by_time(ratings, fraction)
    assert mask.sum() == np.floor(fraction * len(pairs) + 1e-9)
    if 0 < mask.sum() < len(pairs):
        assert ratings.timestamps[~mask].max() <= ratings.timestamps[mask].min()


def test_of_equal_times_a_split_by_time_takes_the_later_lines():
    ratings = ratings_of([("a", str(i)) for i in range(4)], [5, 7, 5, 5])
    assert split_by_time(ratings, 0.5).tolist() == [False, True, False, True]


def test_a_split_by_time_needs_times():
    with pytest.raises(DataError, match="some has no timestamps"):
        split_by_time(GRID, 0.1)


@settings(deadline=None)
@given(PAIRS, st.data())
def test_leaving_the_last_out_takes_each_users_newest_and_later_line(pairs, data):
    times = data.draw(st.lists(st.integers(-2, 2), min_size=len(pairs), max_size=len(pairs)))
    mask = split_last(ratings_of(pairs, times))
    for user in {u for u, _ in pairs}:
        lines = [line for line, (u, _) in enumerate(pairs) if u == user]
        newest = max(lines, key=lambda line: (times[line], line))
        assert [line for line in lines if mask[line]] == ([newest] if len(lines) > 1 else [])


def test_leaving_the_last_out_of_nothing_takes_nothing():
    assert split_last(ratings_of([], [])).tolist() == []


def test_leaving_the_last_out_needs_times():
    with pytest.raises(DataError, match="some has no timestamps"):
        split_last(GRID)


@settings(deadline=None)
@given(PAIRS.filter(lambda pairs: len(pairs) > 1), SEEDS, st.data())
def test_folds_are_disjoint_complete_even_and_stable(pairs, seed, data):
    ratings = ratings_of(pairs)
    k = data.draw(st.integers(2, len(pairs)))
    folds = k_folds(ratings, k, np.random.default_rng(seed))
    assert folds.dtype == np.int8
    sizes = np.bincount(folds, minlength=k)
    assert (len(sizes), sizes.sum()) == (k, len(pairs))
    assert sizes.max() - sizes.min() <= 1
    assert (folds == k_folds(ratings, k, np.random.default_rng(seed))).all()


@pytest.mark.parametrize("k", [-1, 0, 1, 5, 128])
def test_an_impossible_number_of_folds_is_refused(k):
    ratings = GRID if k == 128 else ratings_of([("a", str(i)) for i in range(4)])
    with pytest.raises(UsageError, match=f"{k} folds; allowed: 2 to"):
        k_folds(ratings, k, np.random.default_rng(0))


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_a_fraction_outside_0_to_1_is_refused(fraction):
    rng = np.random.default_rng(0)
    for split in (
        lambda: held_out(GRID, fraction),
        lambda: split_by_rating(GRID, fraction, rng),
        lambda: split_by_user(GRID, fraction, rng),
        lambda: split_by_time(GRID, fraction),
    ):
        with pytest.raises(UsageError, match="allowed: 0 to 1"):
            split()


def test_all_and_nothing_are_fractions_too():
    timed = ratings_of([("a", "b"), ("a", "c")], [1, 2])
    rng = np.random.default_rng(0)
    for fraction, expected in ((0.0, [False, False]), (1.0, [True, True])):
        assert held_out(timed, fraction).tolist() == expected
        assert split_by_rating(timed, fraction, rng).tolist() == expected
        assert split_by_user(timed, fraction, rng).tolist() == expected
        assert split_by_time(timed, fraction).tolist() == expected


def test_what_is_held_out_does_not_depend_on_the_pieces_it_is_worked_out_in(monkeypatch):
    made, _ = synthetic_ratings(40, 30, 500, 2, 0.5, np.random.default_rng(0))
    whole = held_out(made, 0.3)
    monkeypatch.setattr(splits, "_CHUNK", 7)
    np.testing.assert_array_equal(held_out(made, 0.3), whole)
