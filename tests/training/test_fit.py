import pytest

from recsys.data.readers import read_ratings
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters


@pytest.mark.parametrize("n_users", [15, 40])
def test_the_defaults_hold_where_one_user_has_most_ratings(n_users):
    # User 15 of the embedded set has 1,700: two thirds of the one part, a quarter of the other.
    embedded = read_ratings()
    few = embedded.select(embedded.users < n_users).compact()
    assert fit_snapshot(few, Hyperparameters.choose(few)).metrics["train_rmse"] < 0.8
