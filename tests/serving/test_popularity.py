import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.model.ranking import page
from recsys.serving.popularity import PopularityDial

DIALS = np.linspace(-1, 1, 9)


def counts(*n_ratings):
    return np.array(n_ratings, dtype=np.int32)


def test_the_score_moves_by_the_spread_of_scores_and_the_popularity_in_standard_deviations():
    # 0 and 8 ratings: less their mean, over their standard deviation, -1 and 1.
    # The scores 2 and 6 have the standard deviation 2, so half the dial moves each by 1.
    dial = PopularityDial(counts(0, 8, 1000), np.array([True, True, False]))
    scores = np.array([2, 6, 0], dtype=np.float32)
    np.testing.assert_allclose(dial.turn(scores, 0.5)[:2], [1, 7], rtol=1e-6)
    np.testing.assert_allclose(dial.turn(scores, -1)[:2], [4, 4], rtol=1e-6)


def test_at_zero_the_scores_are_the_very_same():
    scores = np.array([0.1, 0.7], dtype=np.float32)
    assert PopularityDial(counts(3, 9), np.ones(2, bool)).turn(scores, 0) is scores


@pytest.mark.parametrize("listed", [[True, True], [False, False]])
def test_equally_popular_items_and_an_empty_list_leave_the_scores_alone(listed):
    scores = np.array([0.1, 0.7], dtype=np.float32)
    turned = PopularityDial(counts(3, 3), np.array(listed)).turn(scores, 1)
    np.testing.assert_array_equal(turned, scores)


@given(
    scores=arrays(np.float32, 20, elements=st.floats(-5, 5, width=32)),
    n_ratings=arrays(np.int32, 20, elements=st.integers(0, 10_000)),
    n=st.integers(1, 20),
)
def test_what_comes_first_is_never_less_popular_when_the_dial_is_turned_up(scores, n_ratings, n):
    assume(np.ptp(scores) > 0.01)
    listed = np.ones(20, bool)
    dial = PopularityDial(n_ratings, listed)
    means = [
        n_ratings[page(dial.turn(scores, popularity), listed, n)[0]].mean() for popularity in DIALS
    ]
    # Scores that differ by less than float32 can tell once they are moved may change places.
    assert (np.diff(means) >= -1e-3 * n_ratings.std()).all()
