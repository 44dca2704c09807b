import math

import numpy as np

from recsys.evaluation.accuracy import errors_by_user, mae, rmse

ACTUAL = np.array([1, 2, 5], np.float32)
PREDICTED = np.array([2, 2, 3], np.float32)


def test_rmse_is_the_root_of_the_mean_square():
    assert rmse(PREDICTED, ACTUAL) == math.sqrt(5 / 3)  # errors 1, 0 and -2


def test_mae_is_the_mean_distance():
    assert mae(PREDICTED, ACTUAL) == 1


def test_no_ratings_have_no_error():
    assert math.isnan(rmse(PREDICTED[:0], ACTUAL[:0]))
    assert math.isnan(mae(PREDICTED[:0], ACTUAL[:0]))


def test_errors_kept_by_user_add_up_to_those_of_all_ratings():
    # User 0 has the errors 1 and -2, user 2 has 0, user 1 no ratings.
    by_user = errors_by_user(PREDICTED, ACTUAL, np.array([0, 2, 0]), n_users=3)
    assert by_user["rmse"].amounts.tolist() == [5, 0, 0]
    assert by_user["rmse"].weights.tolist() == by_user["mae"].weights.tolist() == [2, 0, 1]
    assert by_user["rmse"].value == math.sqrt(5 / 3)
    assert by_user["mae"].value == 1
