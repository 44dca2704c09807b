import numpy as np
import pytest

from recsys.data.feedback import rating_flaw

HALF_STARS = (0.5, 5.0)


@pytest.mark.parametrize("value", [0.5, 3.7, 5, 5.0])
def test_a_rating_within_the_scale_has_no_flaw(value):
    assert rating_flaw(value, HALF_STARS, is_implicit=False) is None


@pytest.mark.parametrize("value", [0.4, 5.5, -3, float("nan"), float("inf"), 1e300])
def test_one_outside_is_told_the_scale(value):
    flaw = rating_flaw(value, HALF_STARS, is_implicit=False)
    assert flaw == f"{value:g} is outside the scale; allowed: 0.5 to 5"


def test_the_ends_of_the_scale_are_compared_as_they_are_stored():
    tenth = float(np.float32(0.1))
    assert tenth > 0.1
    assert rating_flaw(0.1, (tenth, 1.0), is_implicit=False) is None


def test_a_rating_is_needed_where_others_have_one_and_refused_where_none_has():
    assert rating_flaw(None, HALF_STARS, is_implicit=False) == (
        "there is no rating; allowed: 0.5 to 5"
    )
    assert rating_flaw(None, (0, 0), is_implicit=True) is None
    assert "leave the rating out" in str(rating_flaw(4, (0, 0), is_implicit=True))
