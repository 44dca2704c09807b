import numpy as np
import pytest

from recsys.data.split import held_out
from recsys.errors import UsageError
from recsys.model.embedding_mlp import EmbeddingMLP
from recsys.training.averaging import average, fit_members, member_seed
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.trainer import Trainer


@pytest.fixture(scope="module")
def parts(make_ratings):
    ratings = make_ratings(50, 40, 1700)
    mask = held_out(ratings)
    return ratings.select(~mask), ratings.select(mask)


def settings_for(parts, **given):
    small = {"n_factors": 3, "n_epochs": 3, "early_stopping": 0, "n_members": 3}
    return Hyperparameters.choose(parts[0], **{**small, **given})


@pytest.mark.parametrize("given", [{}, {"implicit": False}, {"y_range": (-2.0, 9.0)}])
def test_the_average_scores_what_its_members_score_on_average(parts, given):
    members = fit_members(parts[0], settings_for(parts, dtype="float64", **given))
    models = [run.model for run in members.runs]
    pairs = parts[1].users, parts[1].items
    predicted = np.array([model.predict(*pairs) for model in models])
    averaged = average(models).predict(*pairs)
    if "y_range" in given:
        # Scores are averaged, not stars: r^ = -2 + 11 sigmoid(z), so z = log((r^+2) / (9-r^)).
        z = np.log((predicted + 2) / (9 - predicted)).mean(axis=0)
        np.testing.assert_allclose(averaged, -2 + 11 / (1 + np.exp(-z)))
    else:
        np.testing.assert_allclose(averaged, predicted.mean(axis=0))
    assert not np.allclose(predicted[0], predicted[1])


def test_embeddings_are_laid_end_to_end_over_the_root_of_their_number(parts):
    members = fit_members(parts[0], settings_for(parts, n_members=2))
    first, second = (run.model for run in members.runs)
    both = np.concatenate([first.item_implicit, second.item_implicit], axis=1) / np.sqrt(2)
    np.testing.assert_allclose(members.model.item_implicit, both)
    biases = (first.item_implicit_bias + second.item_implicit_bias) / 2
    np.testing.assert_allclose(members.model.item_implicit_bias, biases, rtol=1e-6)


def test_one_member_is_the_training_itself(parts):
    settings = settings_for(parts, n_members=1)
    alone = Trainer(settings).fit(*parts).model
    model = fit_members(parts[0], settings, parts[1]).model
    np.testing.assert_array_equal(model.user_factors, alone.user_factors)


def test_members_have_seeds_of_their_own():
    seeds = {member_seed(seed, member) for seed in range(50) for member in range(8)}
    assert len(seeds) == 50 * 8
    assert member_seed(7, 0) == 7


def test_the_history_says_whose_epoch_it_is(parts):
    snapshot = fit_snapshot(parts[0], settings_for(parts, n_members=2), validation=parts[1])
    assert [row["epoch"] for row in snapshot.history] == [1, 2, 3, 4, 5, 6]
    assert [row["member"] for row in snapshot.history] == [1, 1, 1, 2, 2, 2]
    assert snapshot.items.n_factors == 2 * 3


def test_the_validation_rmse_told_is_that_of_the_average(parts):
    snapshot = fit_snapshot(parts[0], settings_for(parts), validation=parts[1])
    error = snapshot.predict(parts[1].users, parts[1].items) - parts[1].values
    assert snapshot.metrics["validation_rmse"] == pytest.approx(np.sqrt(np.mean(error**2)), 1e-5)


@pytest.mark.parametrize("given", [{}, {"optimizer": "adam", "n_epochs": 1}])
def test_threads_change_no_bit_of_an_average(parts, given):
    settings = settings_for(parts, n_members=2, **given)
    one, two = (fit_snapshot(parts[0], settings, n_threads=n) for n in (1, 2))
    assert one.content_hash == two.content_hash


@pytest.mark.parametrize("given", [{"model": "mlp"}, {"objective": "ranking"}])
def test_only_star_embeddings_are_averaged(parts, given):
    with pytest.raises(UsageError, match="n_members is a setting of the"):
        Hyperparameters.choose(parts[0], n_members=2, **given)
    network = EmbeddingMLP(2, 2, 1, 1, (), rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="only dot products can be averaged"):
        average([network, network])
