from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from recsys.data.split import held_out
from recsys.errors import DataError, DivergenceError, UsageError
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.steps import DenseSteps
from recsys.training.trainer import Callback, Trainer, initial_model


@pytest.fixture(scope="module")
def parts(make_ratings):
    ratings = make_ratings(100, 80, 4000)
    mask = held_out(ratings)
    return ratings.select(~mask), ratings.select(mask)


def dense_steps(model, batches, settings):
    return DenseSteps(model, settings.penalty, settings.clip, settings.implicit_rate)


def settings_for(train, **given):
    return Hyperparameters.choose(
        train, **{"n_factors": 8, "n_epochs": 10, "reg": 0.02, "n_prior": 0.0, **given}
    )


def test_planted_factors_are_recovered_close_to_the_noise(parts):
    # Noise is half a star. Biases alone leave the planted p . q, of deviation .8 * .8 * sqrt 2.
    train, validation = parts
    run = Trainer(settings_for(train, n_epochs=60, reg=0.03)).fit(train, validation)
    assert run.history[0].validation_rmse > 0.9
    assert 0.5 < run.history[run.kept_epoch - 1].validation_rmse < 0.68


def test_same_seed_gives_the_same_bits_and_another_seed_does_not(parts):
    hashes = [
        fit_snapshot(parts[0], settings_for(parts[0], seed=seed, n_epochs=2)).content_hash
        for seed in (0, 0, 1)
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_trainer_reaches_the_same_place_by_the_definition(parts):
    settings = settings_for(parts[0], n_epochs=3, dtype="float64")
    compiled = Trainer(settings).fit(*parts)
    dense = Trainer(settings, make_steps=dense_steps).fit(*parts)
    for fast, slow in zip(compiled.history, dense.history, strict=True):
        assert fast.train_loss == pytest.approx(slow.train_loss, rel=1e-10)
        assert fast.validation_rmse == pytest.approx(slow.validation_rmse, rel=1e-10)


@pytest.mark.parametrize("given", [{"model": "mlp"}, {"objective": "ranking"}])
def test_products_keep_to_one_thread_in_training(parts, given):
    seen = set()

    class Count(Callback):
        def on_epoch(self, run):
            pools = threadpool_info()
            seen.update(pool["num_threads"] for pool in pools if pool["user_api"] == "blas")

    train = replace(parts[0], values=parts[0].values + 1)  # so that something is liked
    fit_snapshot(train, Hyperparameters.choose(train, n_epochs=1, **given), callbacks=[Count()])
    assert seen == {1}


@pytest.mark.parametrize("schedule", ["constant", "one-cycle", "cosine", "step"])
def test_every_schedule_lowers_the_loss(parts, schedule):
    run = Trainer(settings_for(parts[0], schedule=schedule)).fit(parts[0])
    losses = [epoch.train_loss for epoch in run.history]
    assert losses[-1] < 0.8 * losses[0]


def test_early_stopping_brings_the_best_epoch_back(parts):
    # Without penalty the model overfits: after some epochs validation gets worse.
    train, validation = parts
    kept = {}

    class Remember(Callback):
        def on_epoch(self, run):
            kept[run.n_epochs] = run.model.user_factors.copy()

    settings = settings_for(train, n_epochs=100, reg=0, schedule="constant", early_stopping=3)
    run = Trainer(settings, [Remember()]).fit(train, validation)
    scores = [epoch.validation_rmse for epoch in run.history]
    assert run.n_epochs == np.argmin(scores) + 1 + 3 < 100
    assert run.kept_epoch == np.argmin(scores) + 1
    np.testing.assert_array_equal(run.model.user_factors, kept[run.kept_epoch])


def test_an_rmse_of_zero_is_one_to_beat(parts):
    # Everybody gives 3 stars: the first epoch is perfect, and patience runs out after two more.
    same = [replace(part, values=np.full(part.n_ratings, 3, np.float32)) for part in parts]
    settings = settings_for(same[0], reg=10, init_std=0.0, early_stopping=2)
    run = Trainer(settings).fit(*same)
    assert [epoch.validation_rmse for epoch in run.history] == [0.0, 0.0, 0.0]
    assert run.kept_epoch == 1


def test_without_early_stopping_the_last_epoch_is_kept(parts):
    settings = settings_for(parts[0], n_epochs=12, reg=0, schedule="constant", early_stopping=0)
    run = Trainer(settings).fit(*parts)
    assert run.kept_epoch == run.n_epochs == 12


def test_divergence_says_of_which_objective_where_and_at_which_rate(parts):
    settings = settings_for(parts[0], lr=1e6, schedule="constant")
    told = r"in epoch 1 of the objective rating, at learning rate 1e\+06: .*; lower --lr or"
    with pytest.raises(DivergenceError, match=told):
        Trainer(settings).fit(*parts)


def test_rows_without_training_ratings_stay_zero(parts):
    train = parts[0].select(parts[0].users > 0)
    snapshot = fit_snapshot(train, settings_for(train, n_epochs=1))
    assert not snapshot.user_factors[0].any()
    assert snapshot.user_factors[1].any()
    assert snapshot.user_bias[0] == 0


def test_first_predictions_are_near_the_mean_rating(parts):
    train = parts[0]
    rng = np.random.default_rng(0)
    for y_range in (None, (-10.0, 20.0)):
        model = initial_model(train, settings_for(train, y_range=y_range), rng)
        predicted = model.predict(train.users, train.items)
        np.testing.assert_allclose(predicted, train.values.mean(), atol=0.1)


def test_a_range_without_the_mean_rating_is_refused(parts):
    with pytest.raises(UsageError, match="y_range is 7 to 9, but the mean rating is"):
        Trainer(settings_for(parts[0], y_range=(7.0, 9.0))).fit(parts[0])


def test_implicit_feedback_is_refused(parts):
    implicit = replace(parts[0], values=None)
    with pytest.raises(DataError, match="implicit feedback cannot train the rating objective"):
        Trainer(settings_for(implicit)).fit(implicit)


def test_training_leaves_the_ratings_as_they_were(parts):
    before = parts[0].fingerprint
    Trainer(settings_for(parts[0], n_epochs=1)).fit(*parts)
    assert replace(parts[0]).fingerprint == before
