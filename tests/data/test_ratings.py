import numpy as np
import pytest

from recsys.data import ratings as module
from recsys.data.synthetic import synthetic_ratings


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_ratings_are_counted_by_user_and_by_item_in_blocks_of_any_size(monkeypatch, at_once):
    monkeypatch.setattr(module, "_COUNTED_AT_ONCE", at_once)
    ratings, _ = synthetic_ratings(9, 7, 30, 2, 0.5, np.random.default_rng(0))
    for counts, rows, n_rows in (
        (ratings.counts_by_user, ratings.users, 9),
        (ratings.counts_by_item, ratings.items, 7),
    ):
        assert counts.tolist() == [np.count_nonzero(rows == row) for row in range(n_rows)]
        assert counts.sum() == 30
        assert not counts.flags.writeable
    none = ratings.select(slice(0, 0))
    assert none.counts_by_user.tolist() == [0] * 9
