from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data import IdMap, ItemMetadata, Ratings
from recsys.data.feedback import ALL_ITEMS, FeedbackEntry
from recsys.data.merge import merge
from recsys.data.split import held_out


def erased(user_id, item_id=ALL_ITEMS):
    return FeedbackEntry(user_id, item_id, None, 9, is_erased=True)


@pytest.fixture
def ratings():
    """Ann rated Alien 5 and Brazil 3, Bob rated Alien 4."""
    return Ratings(
        name="shop",
        user_ids=IdMap(["ann", "bob"]),
        item_ids=IdMap(["a", "b"]),
        users=np.array([0, 0, 1], np.int32),
        items=np.array([0, 1, 0], np.int32),
        values=np.array([5, 3, 4], np.float32),
        timestamps=np.array([1, 2, 3]),
        metadata=ItemMetadata(("Alien", "Brazil"), (1979, 1985), (("Horror",), ())),
    )


def table(ratings):
    """Return {(user_id, item_id): (value, timestamp)}."""
    values = [None] * ratings.n_ratings if ratings.values is None else ratings.values.tolist()
    times = [None] * ratings.n_ratings
    if ratings.timestamps is not None:
        times = ratings.timestamps.tolist()
    pairs = zip(ratings.users, ratings.items, strict=True)
    return {
        (ratings.user_ids[user], ratings.item_ids[item]): said
        for (user, item), said in zip(pairs, zip(values, times, strict=True), strict=True)
    }


def test_without_feedback_the_ratings_are_the_same(ratings):
    assert merge(ratings, []) is ratings


def test_a_new_rating_takes_the_place_of_the_old_one(ratings):
    merged = merge(ratings, [FeedbackEntry("ann", "b", 1.5, 7)])
    assert table(merged) == {("ann", "a"): (5, 1), ("bob", "a"): (4, 3), ("ann", "b"): (1.5, 7)}
    assert (merged.user_ids, merged.item_ids) == (ratings.user_ids, ratings.item_ids)
    assert merged.fingerprint != ratings.fingerprint


def test_new_users_and_items_come_behind_and_the_metadata_stays_with_its_items(ratings):
    merged = merge(ratings, [FeedbackEntry("eve", "new", 2, 8), FeedbackEntry("ann", "new", 4, 9)])
    assert list(merged.user_ids) == ["ann", "bob", "eve"]
    assert list(merged.item_ids) == ["a", "b", "new"]
    assert merged.metadata == ItemMetadata(
        ("Alien", "Brazil", None), (1979, 1985, None), (("Horror",), (), ())
    )
    assert table(merged) == {
        **table(ratings),
        ("eve", "new"): (2, 8),
        ("ann", "new"): (4, 9),
    }


def test_what_was_taken_back_is_left_out_and_so_is_an_item_that_nobody_rated_then(ratings):
    merged = merge(ratings, [erased("ann", "b"), erased("ann", "never rated")])
    assert table(merged) == {("ann", "a"): (5, 1), ("bob", "a"): (4, 3)}
    assert list(merged.item_ids) == ["a"]
    assert merged.metadata.titles == ("Alien",)


def test_a_user_who_took_everything_back_is_gone(ratings):
    merged = merge(ratings, [erased("ann"), erased("nobody")])
    assert table(merged) == {("bob", "a"): (4, 3)}
    assert list(merged.user_ids) == ["bob"]


def test_what_is_rated_after_everything_was_taken_back_counts(ratings):
    merged = merge(ratings, [erased("ann"), FeedbackEntry("ann", "a", 1, 9)])
    assert table(merged) == {("bob", "a"): (4, 3), ("ann", "a"): (1, 9)}


def test_among_implicit_feedback_an_entry_needs_no_rating_and_times_are_not_made_up(ratings):
    implicit = replace(ratings, values=None, timestamps=None)
    merged = merge(implicit, [FeedbackEntry("bob", "b", None, 7), erased("ann", "a")])
    assert merged.is_implicit
    assert merged.timestamps is None
    assert table(merged).keys() == {("ann", "b"), ("bob", "a"), ("bob", "b")}


def test_among_ratings_an_entry_without_one_is_left_out(ratings):
    assert table(merge(ratings, [FeedbackEntry("bob", "b", None, 7)])) == table(ratings)


IDS = st.sampled_from(["a", "b", "c", "d"])
ENTRIES = st.dictionaries(
    st.tuples(IDS, IDS | st.just(ALL_ITEMS)),
    st.none() | st.sampled_from([0.5, 1, 4.5]),
    max_size=12,
)


@given(st.dictionaries(st.tuples(IDS, IDS), st.sampled_from([1.0, 2.0, 3.0]), min_size=1), ENTRIES)
def test_merging_is_the_update_of_a_dictionary(before, said):
    users, items = (IdMap(dict.fromkeys(pair[side] for pair in before)) for side in (0, 1))
    ratings = Ratings(
        "some",
        users,
        items,
        users.rows(user for user, _ in before),
        items.rows(item for _, item in before),
        np.array(list(before.values()), np.float32),
    )
    feedback = [
        FeedbackEntry(user, item, None if item == ALL_ITEMS else value, 1,
                      is_erased=item == ALL_ITEMS or value is None)
        for (user, item), value in said.items()
    ]  # fmt: skip
    forgotten = {entry.user_id for entry in feedback if entry.item_id == ALL_ITEMS}
    expected = {pair: value for pair, value in before.items() if pair[0] not in forgotten}
    for entry in feedback:
        expected.pop((entry.user_id, entry.item_id), None)
        if not entry.is_erased:
            expected[entry.user_id, entry.item_id] = entry.value

    merged = merge(ratings, feedback)

    assert {pair: value for pair, (value, _) in table(merged).items()} == expected
    # Ids that are left over would be users and items without any rating.
    assert set(merged.user_ids) == {user for user, _ in expected}
    assert set(merged.item_ids) == {item for _, item in expected}


def test_what_is_held_out_stays_so_whatever_comes_in(ratings):
    many = [FeedbackEntry(f"u{n}", "a", 3, n) for n in range(200)]
    before = merge(ratings, many[:100])
    after = merge(before, many[100:])
    assert held_out(after)[: before.n_ratings].tolist() == held_out(before).tolist()
