import numpy as np
import pytest

from recsys.data import IdMap, Ratings
from recsys.errors import DataError
from recsys.model.baselines import (
    BASELINES,
    DAMPING,
    LIST_BASELINES,
    damped_bias,
    global_mean,
    item_mean,
    popularity,
)

UNKNOWN = np.array([-1])


@pytest.fixture
def train():
    # a rates x 5 and y 3, b rates x 4; z is in the catalogue and has no rating. Mean 4.
    return Ratings(
        "tiny",
        IdMap("ab"),
        IdMap("xyz"),
        np.array([0, 0, 1], np.int32),
        np.array([0, 1, 0], np.int32),
        np.array([5, 3, 4], np.float32),
    )


def test_global_mean_predicts_the_mean_for_everybody(train):
    predicted = global_mean(train).predict(np.array([0, 1, -1]), np.array([0, 2, -1]))
    np.testing.assert_allclose(predicted, [4, 4, 4])


def test_item_mean_predicts_the_items_mean_and_the_global_one_without_ratings(train):
    predicted = item_mean(train).predict(np.zeros(4, int), np.array([0, 1, 2, -1]))
    np.testing.assert_allclose(predicted, [4.5, 3, 4, 4])


def test_bias_is_damped_where_ratings_are_few(train):
    assert DAMPING == 5
    # residuals: x +1 and 0, y -1. b_x = 1 / (2 + 5) = 1/7, b_y = -1 / (1 + 5) = -1/6
    # a: (1 - 1/7) + (-1 + 1/6) = 1/42, over 2 + 5; b: (0 - 1/7), over 1 + 5
    predicted = damped_bias(train).predict(np.array([0, 1]), np.array([0, 1]))
    np.testing.assert_allclose(predicted, [4 + 1 / 294 + 1 / 7, 4 - 1 / 42 - 1 / 6], rtol=1e-6)


def test_unknown_user_and_item_have_no_bias(train):
    assert damped_bias(train).predict(UNKNOWN, UNKNOWN) == 4


def test_predictions_stay_on_the_scale(train):
    steep = damped_bias(train)
    steep.item_bias[:] = 9
    assert steep.predict(np.array([0]), np.array([0])) == 5


def test_implicit_feedback_has_no_mean(train):
    implicit = Ratings("tiny", train.user_ids, train.item_ids, train.users, train.items)
    with pytest.raises(DataError, match="no rating values"):
        global_mean(implicit)


def test_popularity_lists_by_the_number_of_ratings_for_everybody(train):
    fitted = popularity(train)
    assert fitted.item_counts.tolist() == [2, 1, 0]
    assert fitted.list_scores(np.array([1, -1])).tolist() == [[2, 1, 0], [2, 1, 0]]
    assert fitted.predict(np.array([0]), np.array([0])) is None


@pytest.mark.parametrize("name", [*BASELINES, *LIST_BASELINES])
def test_every_baseline_knows_its_name_and_the_items_with_training_ratings(train, name):
    fitted = {**BASELINES, **LIST_BASELINES}[name](train)
    assert fitted.name == name
    assert fitted.item_counts.tolist() == [2, 1, 0]
    assert fitted.list_scores(np.array([0, 1, -1])).shape == (3, 3)


@pytest.mark.parametrize("name", LIST_BASELINES)
def test_baselines_of_lists_need_no_stars(train, name):
    implicit = Ratings("tiny", train.user_ids, train.item_ids, train.users, train.items)
    assert LIST_BASELINES[name](implicit).item_counts.tolist() == [2, 1, 0]
