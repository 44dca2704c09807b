import numpy as np
import pytest

from recsys.data.relevance import is_relevant
from recsys.data.synthetic import synthetic_ratings
from recsys.model.fold_in import FoldIn
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.newcomers import PENALISED_RATINGS


@pytest.fixture(scope="module")
def ratings():
    found, _ = synthetic_ratings(80, 60, 2000, 2, 0.3, np.random.default_rng(0))
    return found


def fit(ratings, **settings):
    chosen = Hyperparameters.choose(ratings, n_factors=4, **settings)
    return chosen, fit_snapshot(ratings, chosen)


def test_a_rating_training_keeps_its_implicit_vectors_and_penalties(ratings):
    settings, snapshot = fit(ratings, n_epochs=3)
    new = snapshot.items.newcomers
    assert new.item_implicit.shape == (60, 4)
    assert np.abs(new.item_implicit).max() > 0
    assert new.reg == PENALISED_RATINGS * settings.reg
    assert new.reg_bias == PENALISED_RATINGS * settings.reg_bias
    assert new.unobserved == new.reg_per_rating == 0


def test_without_implicit_terms_there_are_no_implicit_vectors(ratings):
    _, snapshot = fit(ratings, n_epochs=3, implicit=False)
    assert snapshot.items.newcomers.item_implicit is None


def test_a_network_takes_no_newcomers(ratings):
    settings = Hyperparameters.choose(ratings, model="mlp", n_epochs=1)
    assert fit_snapshot(ratings, settings).items.newcomers is None


def test_a_user_trained_for_lists_is_where_folding_in_without_the_mean_user_finds_them(
    ratings, monkeypatch
):
    monkeypatch.setattr("recsys.model.fold_in.MEAN_USER_LIKES", 0.0)
    _, snapshot = fit(ratings, objective="ranking", n_epochs=200)
    fold_in = FoldIn(snapshot.items)
    for user in (3, 40):
        own = ratings.select((ratings.users == user) & is_relevant(ratings))
        found = fold_in.fold_in(own.items, own.values).user_factors
        trained = snapshot.user_factors[user]
        assert np.linalg.norm(found - trained) < 0.05 * np.linalg.norm(trained)
