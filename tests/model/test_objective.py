import numpy as np
import pytest

from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.objective import Penalty, RatingCounts

# User 0 rated items 0 and 1, user 1 item 1, user 2 nothing; nobody rated item 2.
COUNTS = RatingCounts(np.array([2, 1, 0]), np.array([1, 2, 0]))


def test_a_row_of_few_ratings_is_penalised_for_more_of_them():
    # Of 4 prior ratings: users of 2, 1, 0 -> (2+4)/2, (1+4)/1; nobody's rating of user 2 counts.
    of_users, of_items = COUNTS.penalty_weights(4)
    np.testing.assert_allclose(of_users[:2], [3, 5])
    np.testing.assert_allclose(of_items[:2], [5, 3])


def test_over_an_epoch_the_penalty_counts_the_prior_ratings_too():
    model = EmbeddingDotBias(
        3, 3, 2, rng=np.random.default_rng(0), dtype=np.float64, rating_counts=COUNTS
    )
    model.user_factors[:] = [[1, 2], [3, 0], [0, 0]]
    model.item_factors[:] = 0
    # Users 0 and 1 have 2 and 1 ratings and 4 more each: (6 * 5 + 5 * 9) / 3 ratings, times .1
    penalty = Penalty(0.1, 0.0, 0.0, n_prior=4)
    assert model.penalties([0, 0, 1], [0, 1, 1], penalty) == pytest.approx(0.1 * 75 / 3)


def test_prior_ratings_ask_for_the_counts():
    model = EmbeddingDotBias(3, 3, 2, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="not told rating_counts"):
        model.penalties([0], [0], Penalty(0.1, 0.0, n_prior=4))
