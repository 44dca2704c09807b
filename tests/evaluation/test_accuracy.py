import math

import numpy as np

from recsys.evaluation.accuracy import mae, rmse

ACTUAL = np.array([1, 2, 5], np.float32)
PREDICTED = np.array([2, 2, 3], np.float32)


def test_rmse_is_the_root_of_the_mean_square():
    assert rmse(PREDICTED, ACTUAL) == math.sqrt(5 / 3)  # errors 1, 0 and -2


def test_mae_is_the_mean_distance():
    assert mae(PREDICTED, ACTUAL) == 1


def test_no_ratings_have_no_error():
    assert math.isnan(rmse(PREDICTED[:0], ACTUAL[:0]))
    assert math.isnan(mae(PREDICTED[:0], ACTUAL[:0]))
