from __future__ import annotations

import pytest

from recsys.analysis.overlap import overlap


def test_overlap_is_the_mean_share_of_the_longer_list():
    # 2 of 3 and 1 of 2.
    assert overlap([("abc", "cbx"), ("ab", "a")]) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert overlap([("ab", "ba")]) == 1
    assert overlap([("ab", "")]) == 0


def test_no_lists_have_no_overlap():
    assert overlap([]) is None
    assert overlap([("", "")]) is None
