import numpy as np
import pytest

from recsys.errors import DataError
from recsys.evaluation.calibration import MIN_RATINGS, calibrate, counts_at

SCALE = (1.0, 5.0)


def draw(n, seed, spread=lambda items, users, stars: 0.4):
    """Predictions and ratings around them, spread by what is known of the pair."""
    rng = np.random.default_rng(seed)
    items, users = rng.geometric(0.02, n), 10 + rng.geometric(0.02, n)
    stars = rng.uniform(2, 4, n)
    actual = stars + spread(items, users, stars) * rng.standard_normal(n)
    return stars, actual, items, users


def share_held(intervals, drawn, level, where=slice(None)):
    stars, actual, items, users = drawn
    low, high = intervals.bounds(stars, items, users, level)
    return ((low <= actual) & (actual <= high))[where].mean()


def test_the_ends_are_the_errors_that_leave_a_tail_of_one_more_rating_on_each_side():
    # 199 errors without any pattern but their order: -.99, -.98, ..., .99. The scale is the same
    # for all. Of 200 places a tenth is 20: the 20th from below is -.80, the 20th from above .80.
    errors = np.arange(-99, 100) / 100
    nothing = np.zeros(199, int)
    intervals = calibrate(np.full(199, 3.0), 3 + errors, nothing, nothing, SCALE)
    for level, end in ((0.8, 0.80), (0.9, 0.90), (0.5, 0.50), (0.99, 0.99)):
        low, high = intervals.bounds([3.0], 0, 0, level)
        assert (low[0], high[0]) == pytest.approx((3 - end, 3 + end), abs=1e-6)


def test_both_ends_have_errors_of_their_own():
    # 199 errors: 0, -.01, ..., -1.98. The 20th from below is -1.79, the 20th from above -.19; a
    # prediction belongs to its own interval.
    nothing = np.zeros(199, int)
    errors = -np.arange(199) / 100
    intervals = calibrate(np.full(199, 4.0), 4 + errors, nothing, nothing, SCALE)
    low, high = intervals.bounds([4.0], 0, 0, 0.8)
    assert (low[0], high[0]) == pytest.approx((4 - 1.79, 4.0), abs=1e-6)


def test_a_level_that_the_ratings_are_too_few_for_ends_at_the_scale():
    nothing = np.zeros(MIN_RATINGS, int)
    errors = np.linspace(-0.5, 0.5, MIN_RATINGS)
    intervals = calibrate(3 + errors * 0, 3 + errors, nothing, nothing, SCALE)
    low, high = intervals.bounds([3.0], 0, 0, 0.98)  # one of 101 places below, one above
    assert (low[0], high[0]) == pytest.approx((2.5, 3.5))
    low, high = intervals.bounds([3.0], 0, 0, 0.99)
    assert (low[0], high[0]) == SCALE


def test_the_weights_of_the_scale_are_found():
    def spread(items, users, stars):
        return np.exp(0.3 - 0.1 * np.log1p(items) - 0.2 * np.log1p(users) - 0.15 * stars)

    found = calibrate(*draw(200_000, 0, spread), SCALE)
    assert found.intercept == pytest.approx(0.3, abs=0.03)
    assert found.per_log_item_count == pytest.approx(-0.1, abs=0.01)
    assert found.per_log_user_count == pytest.approx(-0.2, abs=0.01)
    assert found.per_star == pytest.approx(-0.15, abs=0.01)
    # The quantiles of the standard normal distribution.
    assert np.interp([0.1, 0.975], found.probabilities, found.quantiles) == pytest.approx(
        (-1.28, 1.96), abs=0.02
    )


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_new_ratings_are_held_as_often_as_stated_in_each_third_of_popularity(level):
    def spread(items, users, stars):
        return 0.9 * (1 + items) ** -0.25

    intervals = calibrate(*draw(4000, 1, spread), (-10, 20))
    new = draw(20_000, 2, spread)
    assert share_held(intervals, new, level) == pytest.approx(level, abs=0.02)
    for third in np.array_split(np.argsort(new[2], kind="stable"), 3):
        assert share_held(intervals, new, level, third) == pytest.approx(level, abs=0.03)


def test_without_error_intervals_are_narrow():
    stars, _, items, users = draw(500, 3)
    low, high = calibrate(stars, stars, items, users, SCALE).bounds(stars, items, users)
    assert (high - low < 0.05).all()


def test_the_order_of_the_ratings_does_not_matter():
    drawn = draw(400, 4)
    order = np.random.default_rng(0).permutation(400)
    one, other = calibrate(*drawn, SCALE), calibrate(*(column[order] for column in drawn), SCALE)
    assert one.quantiles == pytest.approx(other.quantiles, abs=1e-4)


def test_too_few_ratings_are_refused():
    with pytest.raises(DataError, match=r"too few held-out ratings.*99.*100 or more"):
        calibrate(*draw(99, 0), SCALE)


def test_somebody_unknown_has_no_ratings():
    assert counts_at(np.array([5, 7]), np.array([1, -1, 0])).tolist() == [7, 0, 5]
