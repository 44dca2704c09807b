import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import DataError, UsageError
from recsys.model.intervals import StarIntervals

INTERVALS = StarIntervals(
    intercept=0.5,
    per_log_item_count=-0.1,
    per_log_user_count=-0.2,
    per_star=-0.25,
    probabilities=(0.1, 0.25, 0.75, 0.9),
    quantiles=(-1.5, -0.5, 0.5, 1.0),
    rating_scale=(1.0, 5.0),
    n_ratings=1000,
)
FLAT = replace(
    INTERVALS, intercept=0.0, per_log_item_count=0.0, per_log_user_count=0.0, per_star=0.0
)  # a scale of 1 star


def test_the_scale_follows_from_the_counts_and_the_prediction():
    # .5 - .1 log(1 + 9) - .2 log(1 + 99) - .25 * 4 = .5 - .230259 - .921034 - 1 = -1.651293
    assert INTERVALS.scale([4.0], 9, 99) == pytest.approx([np.exp(-1.651293)])


def test_an_end_is_the_prediction_and_the_scale_times_the_quantile():
    low, high = FLAT.bounds([3.0], 5, 5, 0.8)  # tails of .1
    assert (low.tolist(), high.tolist()) == ([1.5], [4.0])
    assert low.dtype == high.dtype == np.float32


def test_between_known_quantiles_lies_a_straight_line():
    # Tails of .175, half way from .1 to .25: (-1.5 - .5) / 2 = -1 and (.5 + 1) / 2 = .75
    low, high = FLAT.bounds([3.0], 5, 5, 0.65)
    assert (low[0], high[0]) == pytest.approx((2.0, 3.75))


def test_beyond_the_last_quantile_an_end_is_that_of_the_scale():
    low, high = FLAT.bounds([3.0], 5, 5, 0.81)
    assert (low[0], high[0]) == (1.0, 5.0)


def test_ends_are_cut_to_the_rating_scale():
    low, high = FLAT.bounds([1.2, 4.8], 5, 5, 0.8)
    assert low == pytest.approx([1.0, 3.3])
    assert high == pytest.approx([2.2, 5.0])


def test_what_is_not_predicted_has_no_interval():
    low, high = FLAT.bounds([np.nan, 3.0], [0, 5], 5)
    assert np.isnan([low[0], high[0]]).all()
    assert not np.isnan([low[1], high[1]]).any()


@given(
    stars=st.floats(1, 5, width=32),
    counts=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
    level=st.floats(0.001, 0.999),
    wider=st.floats(0.001, 0.999),
)
def test_an_interval_holds_its_prediction_stays_on_the_scale_and_grows_with_its_level(
    stars, counts, level, wider
):
    low, high = INTERVALS.bounds([stars], *counts, level)
    assert 1 <= low[0] <= stars <= high[0] <= 5
    if wider > level:
        wider_low, wider_high = INTERVALS.bounds([stars], *counts, wider)
        assert wider_low[0] <= low[0]
        assert wider_high[0] >= high[0]


@pytest.mark.parametrize("level", [0, 1, -0.5, 80, float("nan")])
def test_a_level_that_is_no_share_is_refused(level):
    with pytest.raises(UsageError, match=r"level is .*; allowed: between 0 and 1"):
        INTERVALS.bounds([3.0], 5, 5, level)


def test_what_is_told_as_json_comes_back():
    assert StarIntervals.from_dict(json.loads(json.dumps(INTERVALS.as_dict()))) == INTERVALS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"intercept": np.nan}, "not a finite number"),
        ({"quantiles": (-1.5, -0.5, 0.5, np.inf)}, "not a finite number"),
        ({"quantiles": (-1.5, 0.5)}, "4 probabilities and 2 quantiles"),
        ({"quantiles": (), "probabilities": ()}, "0 probabilities"),
        ({"probabilities": (0.1, 0.1, 0.75, 0.9)}, "out of order"),
        ({"probabilities": (0.1, 0.25, 0.75, 1.0)}, "out of order"),
        ({"quantiles": (-0.5, -1.5, 0.5, 1.0)}, "out of order"),
        ({"rating_scale": (5.0, 1.0)}, "upside down"),
    ],
)
def test_numbers_that_make_no_interval_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        replace(INTERVALS, **change)


@pytest.mark.parametrize(
    "change",
    [{"intercept": "high"}, {"quantiles": None}, {"rating_scale": [1]}, {"width": 1.0}],
)
def test_what_is_no_interval_is_refused_when_it_is_read(change):
    with pytest.raises(DataError):
        StarIntervals.from_dict({**INTERVALS.as_dict(), **change})


def test_a_missing_value_is_refused_when_it_is_read():
    told = INTERVALS.as_dict()
    del told["intercept"]
    with pytest.raises(DataError, match="intercept"):
        StarIntervals.from_dict(told)
