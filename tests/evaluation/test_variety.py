import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data import ItemMetadata
from recsys.evaluation import variety
from recsys.evaluation.variety import coverage, diversity, genre_matrix, novelty, popularity_lift

LISTS = np.array([[0, 1], [0, -1], [-1, -1]])
COUNTS = np.array([8, 2, 4])


def test_coverage_counts_each_item_shown_once():
    assert coverage(LISTS, n_candidates=4) == 2 / 4


def test_nobodys_lists_cover_nothing_that_could_be_told():
    assert math.isnan(coverage(LISTS[:0], 4))
    assert math.isnan(coverage(LISTS, 0))


def test_novelty_is_the_mean_surprise_of_the_items():
    # Of 16 users 8 know item 0, 2 know item 1: log2(16/8) = 1 bit, log2(16/2) = 3 bits.
    # Lists: (1 + 3) / 2 = 2 and 1; the empty list does not count: (2 + 1) / 2.
    assert novelty(LISTS, COUNTS, n_users=16).value == 1.5


def test_popularity_lift_is_the_lists_popularity_over_that_of_what_users_chose():
    # Lists: (8 + 2) / 2 = 5 and 8, mean 6.5; own items: 4 and 1, mean 2.5. 6.5 / 2.5 = 2.6
    assert popularity_lift(LISTS, COUNTS, np.array([4.0, 1.0, 9.0])).value == pytest.approx(2.6)


def test_people_without_own_items_do_not_count_in_the_lift():
    assert popularity_lift(LISTS, COUNTS, np.array([4.0, 0.0, 0.0])).value == 5 / 4


GENRES = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]], bool)


def test_diversity_is_the_mean_jaccard_distance_of_genres():
    # 0 and 1 share one genre of two: distance 1/2. 2 shares none with either: 1 and 1.
    # (1/2 + 1 + 1) / 3 = 5/6
    assert diversity(np.array([[0, 1, 2]]), GENRES).value == pytest.approx(5 / 6)


def test_items_without_genres_and_ends_of_lists_make_no_pair():
    # Item 3 has no genre: of [0, 3, 1] only the pair 0, 1 is left. [2, 3, -1] has no pair.
    assert diversity(np.array([[0, 3, 1], [2, 3, -1]]), GENRES).value == pytest.approx(1 / 2)


def test_without_genres_there_is_no_diversity():
    assert math.isnan(diversity(np.array([[0, 1]]), genre_matrix(ItemMetadata.unknown(2))).value)


def test_genres_become_columns_in_sorted_order():
    metadata = ItemMetadata((None,) * 3, (None,) * 3, (("War", "Comedy"), (), ("War",)))
    assert genre_matrix(metadata).tolist() == [[True, True], [False, False], [False, True]]


@given(
    st.lists(st.sets(st.integers(0, 3)), min_size=1, max_size=8),
    st.lists(st.lists(st.integers(0, 7), max_size=4, unique=True), min_size=1, max_size=5),
)
def test_variety_is_its_definition_one_list_at_a_time(genres_of, wanted):
    n_items = len(genres_of)
    wanted = [[item for item in chosen if item < n_items] for chosen in wanted]
    lists = np.full((len(wanted), 4), -1)
    for row, chosen in enumerate(wanted):
        lists[row, : len(chosen)] = chosen
    genres = np.array([[g in of for g in range(4)] for of in genres_of])
    counts = np.arange(1, n_items + 1)

    of_user = []
    for chosen in wanted:
        pairs = [
            (genres_of[a], genres_of[b])
            for n, a in enumerate(chosen)
            for b in chosen[n + 1 :]
            if genres_of[a] and genres_of[b]
        ]
        if pairs:
            of_user.append(sum(1 - len(a & b) / len(a | b) for a, b in pairs) / len(pairs))
    expected = sum(of_user) / len(of_user) if of_user else math.nan
    assert diversity(lists, genres).value == pytest.approx(expected, nan_ok=True, abs=1e-6)

    bits = [sum(math.log2(9 / counts[i]) for i in c) / len(c) for c in wanted if c]
    expected = sum(bits) / len(bits) if bits else math.nan
    assert novelty(lists, counts, 9).value == pytest.approx(expected, nan_ok=True)


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    genres = rng.random((9, 4)) < 0.4
    lists = np.stack([rng.permutation(9)[:5] for _ in range(20)])
    whole = diversity(lists, genres).amounts
    monkeypatch.setattr(variety, "_USERS_AT_ONCE", 3)
    assert (diversity(lists, genres).amounts == whole).all()
