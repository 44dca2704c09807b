import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.objective import Penalty, RatingCounts
from recsys.nn.schedules import OneCycle
from recsys.training import kernels
from recsys.training.batches import Batches
from recsys.training.compiled import CompiledSteps, plan_glide
from recsys.training.implicit_steps import ImplicitSteps
from recsys.training.rating_defaults import who_rated_what
from recsys.training.steps import DenseSteps, EngineSteps

PENALTY = Penalty(0.05, 0.02, 0.1, n_prior=3)


def dense(model, batches, penalty, clip=None, row_limit=None):
    return DenseSteps(model, penalty, clip, row_limit=row_limit)


def engine(model, batches, penalty, clip=None, row_limit=None):
    return EngineSteps(model, penalty, "momentum", clip)


def compiled(model, batches, penalty, clip=None, row_limit=None):
    if model.who_rated_what is not None:
        return ImplicitSteps(model, penalty, batches, clip)
    return CompiledSteps(model, penalty, batches, clip, row_limit)


def trained(
    make_steps, ratings, *, n_factors=5, batch_size=64, lr=0.3, momentum=0.9, penalty=PENALTY,
    y_range=None, dtype=np.float64, n_steps=60, seed=0, clip=None, implicit=False,
    row_limit=None,
):  # fmt: skip
    """Return the model after ``n_steps`` mini-batches of one cycle, and its losses."""
    rng = np.random.default_rng(seed)
    model = EmbeddingDotBias(
        ratings.n_users, ratings.n_items, n_factors,
        global_mean=0.2 if y_range else 3.0, y_range=y_range, init_std=0.3, rng=rng, dtype=dtype,
        who_rated_what=who_rated_what(ratings, dtype) if implicit else None,
        rating_counts=RatingCounts.of(ratings),
    )  # fmt: skip
    batches = Batches.cut(ratings, batch_size, rng, dtype)
    steps, schedule = make_steps(model, batches, penalty, clip, row_limit), OneCycle(lr)
    losses = []
    while len(losses) < n_steps:
        at = np.arange(len(losses), min(len(losses) + len(batches), n_steps))
        steps.begin_epoch(schedule.lr(at, n_steps), schedule.momentum(at, n_steps, momentum))
        for _, batch in zip(at, batches.epoch(rng), strict=False):
            losses.append(steps.step(batch))
        steps.end_epoch()
    return model, np.array(losses)


def assert_same(ratings, tolerance, others=(dense, engine), **settings_):
    fast, fast_losses = trained(compiled, ratings, **settings_)
    first, second = np.array_split(fast_losses[:, 0], 2)
    assert second.mean() < 10 * first.mean(), "the rate must be one that converges"
    for other in others:
        slow, slow_losses = trained(other, ratings, **settings_)
        np.testing.assert_allclose(fast_losses, slow_losses, rtol=max(tolerance, 1e-9), atol=1e-9)
        for name, expected in slow.arrays().items():
            difference = np.linalg.norm(getattr(fast, name) - expected)
            assert difference <= tolerance * np.linalg.norm(expected), (other.__name__, name)


# The step that a rating makes must not depend on what its batch holds besides.
RATES = {0.0: 0.01, 0.9: 0.001, 0.99: 0.0001}


@pytest.mark.parametrize("momentum", RATES)
@pytest.mark.parametrize("batch_size", [1, 64, 2_000])
@pytest.mark.parametrize("y_range", [None, (0.0, 5.5)])
@pytest.mark.parametrize("penalty", [Penalty(0, 0), PENALTY])
def test_500_compiled_steps_are_the_engines(make_ratings, momentum, batch_size, y_range, penalty):
    assert_same(
        make_ratings(160, 100, max(batch_size, 600)),
        1e-8,
        others=(engine,),
        n_factors=3,
        momentum=momentum,
        batch_size=batch_size,
        y_range=y_range,
        penalty=penalty,
        lr=RATES[momentum] * batch_size**0.7,
        n_steps=500,
    )


@pytest.mark.parametrize("momentum", RATES)
@pytest.mark.parametrize("batch_size", [1, 64, 10_000])
def test_500_compiled_steps_are_the_engines_in_double_and_near_them_in_single_precision(
    make_ratings, momentum, batch_size
):
    ratings = make_ratings(160, 100, max(batch_size, 600))
    given = {"n_factors": 3, "momentum": momentum, "batch_size": batch_size, "n_steps": 500}
    given["lr"] = RATES[momentum] * batch_size**0.7
    slow, slow_losses = trained(engine, ratings, **given)
    for dtype, tolerance in ((np.float64, 1e-8), (np.float32, 1e-3)):
        fast, losses = trained(compiled, ratings, dtype=dtype, **given)
        np.testing.assert_allclose(losses, slow_losses, rtol=tolerance, atol=tolerance)
        for name, expected in slow.arrays().items():
            difference = np.linalg.norm(getattr(fast, name) - expected)
            assert difference <= tolerance * np.linalg.norm(expected), (dtype, name)


@settings(deadline=None, max_examples=20)
@given(
    n_factors=st.integers(1, 20),
    batch_size=st.integers(1, 200),
    momentum=st.floats(0, 0.97),
    reg=st.floats(0, 0.5),
    reg_bias=st.floats(0, 0.5),
    n_prior=st.sampled_from([0, 2.5]),
    ranged=st.booleans(),
    clip=st.none() | st.floats(0.01, 2),
    implicit=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_compiled_steps_are_the_dense_ones_and_the_engines_for_any_setting(
    make_ratings,
    n_factors,
    batch_size,
    momentum,
    reg,
    reg_bias,
    n_prior,
    ranged,
    clip,
    implicit,
    seed,
):
    assert_same(
        make_ratings(20, 15, 120, seed=seed % 1000),
        1e-9,
        n_factors=n_factors,
        batch_size=batch_size,
        momentum=momentum,
        # Implicit sums over some ten ratings are that much steeper.
        lr=0.01 * (1 - momentum) * batch_size**0.7 / (10 if implicit else 1),
        penalty=Penalty(reg, reg_bias, reg, n_prior),
        implicit=implicit,
        y_range=(0.0, 5.5) if ranged else None,
        clip=clip,
        seed=seed,
    )


@pytest.mark.parametrize("momentum", RATES)
@pytest.mark.parametrize("y_range", [None, (0.0, 5.5)])
def test_500_compiled_steps_with_implicit_terms_are_the_engines(make_ratings, momentum, y_range):
    assert_same(
        make_ratings(40, 30, 600),
        1e-8,
        others=(engine,),
        n_factors=3,
        momentum=momentum,
        y_range=y_range,
        lr=RATES[momentum] * 64**0.7 / 10,
        n_steps=500,
        implicit=True,
    )


@pytest.mark.parametrize("clip", [None, 0.5])
def test_compiled_steps_limit_the_rows_that_the_dense_ones_do(make_ratings, clip):
    # Batches of 64 over 6 items: each has about 11 ratings, more than 4.5; users have 3.
    assert_same(make_ratings(20, 6, 100), 1e-9, others=(dense,), lr=0.2, clip=clip, row_limit=4.5)


def test_a_row_with_more_ratings_than_the_limit_is_moved_as_if_it_had_so_many(make_ratings):
    # Two users' ratings of the one item, 3 and 5 with 3 predicted: the gradient of the item's
    # bias is 2/2 (0 - 2) = -2, halved by a limit of 1; each user has one rating and is not.
    ratings = make_ratings(2, 1, 2)
    object.__setattr__(ratings, "values", np.array([3.0, 5.0], np.float32))
    for make_steps in (dense, compiled):
        model = EmbeddingDotBias(
            2, 1, 1, global_mean=3.0, init_std=0, rng=np.random.default_rng(0), dtype=np.float64
        )
        batches = Batches.cut(ratings, 2, np.random.default_rng(0), np.float64)
        steps = make_steps(model, batches, Penalty(0, 0), row_limit=1)
        steps.begin_epoch(np.array([0.1]), np.array([0.0]))
        steps.step(batches[0])
        steps.end_epoch()
        assert model.item_bias == pytest.approx([0.1])
        assert model.user_bias == pytest.approx([0, 0.2])


def test_clipping_bounds_the_step(ratings):
    # From zero velocity, the first step moves all parameters together by lr * clip at most.
    moved = []
    for clip in (None, 0.01):
        before, _ = trained(compiled, ratings, n_steps=0)
        after, _ = trained(compiled, ratings, n_steps=1, clip=clip, lr=0.5)
        squares = sum(
            np.sum((getattr(after, name) - array) ** 2) for name, array in before.arrays().items()
        )
        moved.append(np.sqrt(squares))
    assert moved[0] > moved[1] == pytest.approx(0.5 / 25 * 0.01)  # a cycle begins at lr / 25


def test_threads_do_not_change_a_bit(ratings):
    models, cuts = [], []
    for n_threads in (1, 2):
        kernels.use_threads(n_threads, batch_size=1_000_000)
        models.append(trained(compiled, ratings, dtype=np.float32)[0])
        cuts.append(Batches.cut(ratings, 70, np.random.default_rng(0), run=3))
    kernels.use_threads(1, batch_size=1)
    for name, array in models[0].arrays().items():
        assert array.tobytes() == getattr(models[1], name).tobytes()
    for one, two in zip(cuts[0].flat, cuts[1].flat, strict=True):
        np.testing.assert_array_equal(one, two)


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
    for make_steps in (dense, engine, compiled):
        model = EmbeddingDotBias(
            1, 1, 1, global_mean=3.0, init_std=0, rng=np.random.default_rng(0), dtype=np.float64
        )
        batches = Batches.cut(rating, 1, np.random.default_rng(0), np.float64)
        steps = make_steps(model, batches, Penalty(0, 0))
        seen = []
        for _ in range(2):
            steps.begin_epoch(np.array([0.1]), np.array([0.9]))
            steps.step(batches[0])
            steps.end_epoch()
            seen.append(float(model.item_bias[0]))
        assert seen == pytest.approx([0.4, 1.0])
