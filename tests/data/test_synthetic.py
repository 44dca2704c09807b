import numpy as np
import pytest

from recsys.data.synthetic import synthetic_ratings
from recsys.errors import UsageError


@pytest.fixture(scope="module")
def planted():
    return synthetic_ratings(300, 200, 9_000, 4, 0.25, np.random.default_rng(7))


def test_there_are_as_many_ratings_as_asked_for_and_no_pair_twice(planted):
    ratings, _ = planted
    assert (ratings.n_users, ratings.n_items, ratings.n_ratings) == (300, 200, 9_000)
    assert len(set(zip(ratings.users.tolist(), ratings.items.tolist(), strict=True))) == 9_000


def test_what_the_planted_factors_leave_over_is_the_noise(planted):
    ratings, truth = planted
    rest = ratings.values - truth.expected(ratings.users, ratings.items)
    # 9,000 draws: the standard error of their deviation is .25 / sqrt(18,000) = .0019.
    assert abs(rest.std() - 0.25) < 0.008
    assert abs(rest.mean()) < 0.011
    # Nothing of the factors is left in the noise of one user or one item.
    assert abs(np.corrcoef(rest, truth.item_bias[ratings.items])[0, 1]) < 0.05


def test_an_expected_rating_is_the_mean_both_biases_and_the_dot_product(planted):
    ratings, truth = planted
    u, i = int(ratings.users[5]), int(ratings.items[5])
    by_hand = 3.5 + truth.user_bias[u] + truth.item_bias[i]
    by_hand += sum(truth.user_factors[u, k] * truth.item_factors[i, k] for k in range(4))
    assert truth.expected(ratings.users[5:6], ratings.items[5:6])[0] == pytest.approx(by_hand)


def test_without_noise_the_ratings_are_the_expected_ones():
    ratings, truth = synthetic_ratings(20, 20, 100, 2, 0.0, np.random.default_rng(0))
    assert (ratings.values == truth.expected(ratings.users, ratings.items)).all()


def test_popularity_has_a_long_tail(planted):
    ratings, _ = planted
    counts = np.sort(np.bincount(ratings.items, minlength=200))[::-1]
    assert counts[:20].sum() > 0.25 * ratings.n_ratings
    assert counts[0] > 4 * np.median(counts)


def test_the_same_seed_gives_the_same_ratings_and_another_seed_others():
    one, same, other = (
        synthetic_ratings(30, 40, 300, 3, 0.5, np.random.default_rng(seed))[0].fingerprint
        for seed in (1, 1, 2)
    )
    assert one == same != other


def test_half_of_all_pairs_can_be_rated():
    ratings, _ = synthetic_ratings(40, 50, 1_000, 2, 0.1, np.random.default_rng(0))
    assert ratings.n_ratings == 1_000


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 5, 5, 1, 0.1), "n_users is 0"),
        ((5, 5, 5, 0, 0.1), "n_factors is 0"),
        ((4, 5, 11, 1, 0.1), "allowed: at most half of all pairs, 10"),
        ((5, 5, 5, 1, -0.1), "noise is -0.1"),
        ((5, 5, 5, 1, float("nan")), "noise is nan"),
    ],
)
def test_impossible_numbers_are_refused(numbers, message):
    with pytest.raises(UsageError, match=message):
        synthetic_ratings(*numbers, np.random.default_rng(0))
