import math

import numpy as np

from recsys.evaluation.user_metric import UserMetric


def test_a_mean_is_over_those_who_count():
    metric = UserMetric.mean(np.array([1.0, 5.0, 2.0]), np.array([True, False, True]))
    assert metric.value == 1.5


def test_a_root_is_taken_of_the_quotient_not_of_its_parts():
    # (3 + 6) / (1 + 3) = 9/4, root 3/2
    assert UserMetric(np.array([3.0, 6.0]), np.array([1.0, 3.0]), is_root=True).value == 1.5


def test_among_more_users_the_value_is_the_same():
    metric = UserMetric(np.array([3.0, 6.0]), np.array([1.0, 3.0]), is_root=True)
    among = metric.at(np.array([4, 1]), 6)
    assert among.amounts.tolist() == [0, 6, 0, 0, 3, 0]
    assert among.value == metric.value


def test_nobody_has_no_value():
    assert math.isnan(UserMetric(np.zeros(0), np.zeros(0)).value)
    assert math.isnan(UserMetric(np.zeros(3), np.zeros(3), is_root=True).value)
