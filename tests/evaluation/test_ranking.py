import math

import numpy as np
import pytest

from recsys.evaluation.ranking import list_metrics


def metrics(lists, relevant, n_candidates=10, k=3):
    return list_metrics(
        iter(np.array(rows, int) for rows in lists),
        iter(np.array(rows, int) for rows in relevant),
        n_candidates,
        k,
    )


def test_one_users_list_worked_by_hand():
    # k = 3, hits at ranks 1 and 3 of 4 relevant items: dcg = 1/log2(2) + 1/log2(4) = 1.5
    # ideal = 1 + 1/log2(3) + 1/2 = 2.130930: min(3, 4) places
    found = metrics([[7, 1, 8]], [[8, 7, 5, 6]])
    assert found.ndcg == pytest.approx(1.5 / 2.130930, rel=1e-6)
    assert found.recall == 2 / 4
    assert found.precision == 2 / 3
    assert found.coverage == 3 / 10


def test_ideal_of_few_relevant_items_is_a_short_list():
    # One relevant item at rank 2: 1/log2(3) against 1
    assert metrics([[1, 2, 3]], [[2]]).ndcg == pytest.approx(1 / math.log2(3))


def test_users_are_averaged_and_items_shown_are_counted_once():
    found = metrics([[0, 1, 2], [0, 1, 3]], [[0], [9]])
    assert (found.ndcg, found.recall, found.precision) == (0.5, 0.5, 1 / 6)
    assert found.coverage == 4 / 10
    assert found.n_users == 2


def test_an_item_unknown_to_training_stays_in_the_ideal():
    # Found is 0; two unknown ones could not be: dcg 1, ideal 1 + 1/log2(3) + 1/2
    assert metrics([[0, 1, 2]], [[0, -1, -1]]).ndcg == pytest.approx(1 / 2.130930, rel=1e-6)


def test_a_list_shorter_than_k_is_no_error():
    assert metrics([[4]], [[4, 5]]).precision == 1 / 3


def test_nobody_to_ask_has_no_score():
    found = metrics([], [])
    assert math.isnan(found.ndcg)
    assert found.n_users == 0
