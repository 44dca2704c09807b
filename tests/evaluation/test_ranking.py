import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation import ranking

# k = 4, hits at ranks 1 and 3; five relevant items, three of them not found.
HITS = np.array([[True, False, True, False]])
FIVE = np.array([5])


def test_ndcg_is_the_discounted_gain_over_the_best_possible():
    # dcg = 1/log2(2) + 1/log2(4) = 1.5; ideal = 1 + 1/log2(3) + 1/2 + 1/log2(5) = 2.561606
    assert ranking.ndcg(HITS, FIVE) == pytest.approx(1.5 / 2.561606, rel=1e-6)


def test_ideal_of_few_relevant_items_is_a_short_list():
    # One relevant item at rank 2: 1/log2(3) against 1
    hits = np.array([[False, True, False, False]])
    assert ranking.ndcg(hits, np.array([1])) == pytest.approx(1 / math.log2(3))


def test_recall_is_the_share_found_and_precision_the_share_of_the_list():
    assert ranking.recall(HITS, FIVE) == 2 / 5
    assert ranking.precision(HITS, FIVE) == 2 / 4


def test_average_precision_takes_the_precision_at_each_hit():
    # (1/1 + 2/3) / min(4, 5) = 5/12; with two relevant items (1 + 2/3) / 2 = 5/6
    assert ranking.average_precision(HITS, FIVE) == pytest.approx(5 / 12)
    assert ranking.average_precision(HITS, np.array([2])) == pytest.approx(5 / 6)


def test_hit_rate_asks_for_one():
    hits = np.array([[False, False], [False, True], [True, True]])
    assert ranking.hit_rate(hits, np.array([2, 2, 2])).tolist() == [0, 1, 1]


def test_hits_are_the_users_own_relevant_items():
    # User 0 wants items 0, 2 and one unknown; user 1 wants 3. -1 ends a list, and is no item.
    lists = np.array([[2, 1, 0], [0, 2, -1]])
    hits = ranking.find_hits(lists, np.array([0, 0, 0, 1]), np.array([0, 2, -1, 3]), n_items=4)
    assert hits.tolist() == [[True, False, True], [False, False, False]]


def test_the_end_of_a_list_is_not_the_last_item_of_the_user_before():
    hits = ranking.find_hits(np.array([[-1], [-1]]), np.array([0]), np.array([3]), n_items=4)
    assert not hits.any()


def test_nothing_known_is_found_in_any_list():
    assert not ranking.find_hits(np.array([[0]]), np.array([0]), np.array([-1]), n_items=1).any()


K = 5
USERS = st.lists(
    st.tuples(
        st.permutations(range(9)), st.integers(0, K), st.sets(st.integers(0, 12), min_size=1)
    ),
    min_size=1,
    max_size=6,
)


@given(USERS)
def test_every_metric_is_its_definition_one_user_at_a_time(users):
    """Items 0 to 8 are known to training; 9 to 12 are wanted and unknown."""
    lists = np.full((len(users), K), -1)
    pairs = [(row, item if item < 9 else -1) for row, u in enumerate(users) for item in u[2]]
    for row, (order, length, _) in enumerate(users):
        lists[row, :length] = order[:length]
    hits = ranking.find_hits(lists, *np.array(pairs).T, n_items=9)
    n_relevant = np.array([len(wanted) for *_, wanted in users])

    for row, (order, length, wanted) in enumerate(users):
        ranks = [n for n, item in enumerate(order[:length], 1) if item in wanted]
        best = range(1, min(K, len(wanted)) + 1)
        expected = {
            ranking.ndcg: sum(1 / math.log2(n + 1) for n in ranks)
            / sum(1 / math.log2(n + 1) for n in best),
            ranking.recall: len(ranks) / len(wanted),
            ranking.precision: len(ranks) / K,
            ranking.average_precision: sum(m / n for m, n in enumerate(ranks, 1)) / len(best),
            ranking.hit_rate: float(bool(ranks)),
        }
        for metric, value in expected.items():
            assert metric(hits, n_relevant)[row] == pytest.approx(value), metric.__name__
