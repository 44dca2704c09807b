import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.model.embedding_dot_bias import EmbeddingDotBias, Penalty
from recsys.training import kernels
from recsys.training.batches import Batches
from recsys.training.steps import CompiledSteps, DenseSteps, plan_glide

PENALTY = Penalty(0.05, 0.02)


def trained(
    make_steps, ratings, *, n_factors=5, batch_size=64, lr=0.3, momentum=0.9,
    penalty=PENALTY, y_range=None, dtype=np.float64, n_epochs=3, seed=0,
):  # fmt: skip
    """Return the model after some epochs at a rate that falls from ``lr`` to a tenth of it."""
    rng = np.random.default_rng(seed)
    model = EmbeddingDotBias(
        ratings.n_users, ratings.n_items, n_factors,
        global_mean=0.2 if y_range else 3.0, y_range=y_range, init_std=0.3, rng=rng, dtype=dtype,
    )  # fmt: skip
    batches = Batches.cut(ratings, batch_size, rng, dtype)
    steps = make_steps(model, batches, penalty)
    losses = []
    for _ in range(n_epochs):
        n = len(batches)
        steps.begin_epoch(np.linspace(lr, lr / 10, n), np.full(n, momentum))
        losses += [steps.step(batch) for batch in batches.epoch(rng)]
        steps.end_epoch()
    return model, np.array(losses)


def assert_same(ratings, tolerance, **settings_):
    dense, dense_losses = trained(DenseSteps, ratings, **settings_)
    compiled, compiled_losses = trained(CompiledSteps, ratings, **settings_)
    np.testing.assert_allclose(compiled_losses, dense_losses, rtol=max(tolerance, 1e-9), atol=1e-9)
    for name, expected in dense.parameters():
        difference = getattr(compiled, name) - expected
        assert np.linalg.norm(difference) <= tolerance * np.linalg.norm(expected), name


@pytest.mark.parametrize("momentum", [0.0, 0.9, 0.99])
@pytest.mark.parametrize("batch_size", [1, 64, 10_000])
@pytest.mark.parametrize("y_range", [None, (0.0, 5.5)])
def test_compiled_steps_are_the_dense_ones(make_ratings, momentum, batch_size, y_range):
    ratings = make_ratings(20, 15, 120)
    lr = {0.0: 0.3, 0.9: 0.03, 0.99: 0.003}[momentum] * min(1, batch_size / 16)
    assert_same(ratings, 1e-11, momentum=momentum, batch_size=batch_size, y_range=y_range, lr=lr)


@settings(deadline=None, max_examples=30)
@given(
    n_factors=st.integers(1, 20),
    batch_size=st.integers(1, 200),
    momentum=st.floats(0, 0.97),
    reg=st.floats(0, 0.5),
    reg_bias=st.floats(0, 0.5),
    ranged=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_compiled_steps_are_the_dense_ones_for_any_setting(
    make_ratings, n_factors, batch_size, momentum, reg, reg_bias, ranged, seed
):
    assert_same(
        make_ratings(20, 15, 120, seed=seed % 1000),
        1e-9,
        n_factors=n_factors,
        batch_size=batch_size,
        momentum=momentum,
        lr=0.2 * (1 - momentum) * min(1, batch_size / 16),
        penalty=Penalty(reg, reg_bias),
        y_range=(0.0, 5.5) if ranged else None,
        seed=seed,
    )


def test_single_precision_stays_near_the_definition(ratings):
    assert_same(ratings, 1e-5, dtype=np.float32)


def test_threads_do_not_change_a_bit(ratings):
    models = []
    for n_threads in (1, 2):
        kernels.use_threads(n_threads, batch_size=1_000_000)
        models.append(trained(CompiledSteps, ratings, dtype=np.float32)[0])
    for name, array in models[0].parameters():
        assert array.tobytes() == getattr(models[1], name).tobytes()


def test_rows_untouched_for_thousands_of_steps_glide_exactly():
    # A row last stepped at 3 is next read at 5,000, where .9^4997 underflows to nothing: its
    # velocity has travelled m/(1 - m) = 9 rates. A running sum would have lost it to rounding.
    lr, momentum = np.full(5000, 0.5), np.full(5000, 0.9)
    log_decay, reach = plan_glide(lr, momentum)
    assert reach[3] - np.exp(log_decay[5000] - log_decay[3]) * reach[5000] == pytest.approx(4.5)
    # Rates that end as they began, from 4,990 to 5,000: .5 * (.9 + ... + .9^10)
    decay = np.exp(log_decay[5000] - log_decay[4990])
    assert decay == pytest.approx(0.9**10)
    assert reach[4990] - decay * reach[5000] == pytest.approx(0.5 * 9 * (1 - 0.9**10))


def test_momentum_carries_the_previous_step(make_ratings):
    # One rating of 5, prediction 3 + 0: the gradient of the item's bias is 2 (3 - 5) = -4.
    # v1 = -4, b1 = .1 * 4 = .4; then gradient 2 (3 + .4 + b_u - 5), b_u = .4 as well: -2.4
    # v2 = .9 * -4 - 2.4 = -6, b2 = .4 + .6 = 1
    ratings = make_ratings(1, 1, 1)
    rating = ratings.select(np.array([0]))
    object.__setattr__(rating, "values", np.array([5.0], np.float32))
    for make_steps in (DenseSteps, CompiledSteps):
        model = EmbeddingDotBias(
            1, 1, 1, global_mean=3.0, init_std=0, rng=np.random.default_rng(0), dtype=np.float64
        )
        batches = Batches.cut(rating, 1, np.random.default_rng(0), np.float64)
        steps = make_steps(model, batches, Penalty(0, 0))
        seen = []
        for _ in range(2):
            steps.begin_epoch(np.array([0.1]), np.array([0.9]))
            steps.step(batches.batches[0])
            steps.end_epoch()
            seen.append(float(model.item_bias[0]))
        assert seen == pytest.approx([0.4, 1.0])
