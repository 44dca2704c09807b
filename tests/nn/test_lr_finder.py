import math

import numpy as np
import pytest

from recsys.errors import UsageError
from recsys.nn.layers import Linear
from recsys.nn.losses import squared_error
from recsys.nn.lr_finder import SmoothedLoss, exponential_rates, find_lr
from recsys.nn.sgd import HeavyBall


def curve_of(losses, rates=None, **options):
    """Return the sweep over given losses."""
    given_losses = iter(losses)
    rates = exponential_rates(1e-3, 1.0, len(losses)) if rates is None else rates
    return find_lr(
        lambda lr: next(given_losses), rates, save=lambda: None, restore=lambda _: None, **options
    )


def test_the_smoothed_loss_of_the_reference():
    smoothed = SmoothedLoss(beta=0.9)
    # .5/.1 = 5; (.45 + .1)/.19 = 2.8947; (.495 + .1)/.271 = 2.1956
    assert [round(smoothed.add(x), 4) for x in (5, 1, 1)] == [5.0, 2.8947, 2.1956]


def test_rates_grow_by_the_same_factor():
    np.testing.assert_allclose(exponential_rates(1e-3, 1.0, 4), [1e-3, 1e-2, 1e-1, 1.0])
    np.testing.assert_allclose(exponential_rates(1e-3, 1.0, 1000), 10 ** np.linspace(-3, 0, 1000))


@pytest.mark.parametrize(("start", "end", "n"), [(0, 1, 5), (1, 0.5, 5), (0.1, 1, 1)])
def test_a_sweep_that_goes_nowhere_is_refused(start, end, n):
    with pytest.raises(UsageError, match="allowed"):
        exponential_rates(start, end, n)


def test_the_sweep_stops_when_the_smoothed_loss_exceeds_four_times_its_best():
    curve = curve_of([2.0, 1.0, 1.0, 4.0, 4.1, 9.0], beta=0.0)
    assert curve.losses.tolist() == [2.0, 1.0, 1.0, 4.0, 4.1]
    assert len(curve.rates) == 5


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_sweep_stops_at_a_loss_that_is_no_number(bad):
    curve = curve_of([2.0, 1.0, bad, 1.0])
    assert len(curve.losses) == 3
    assert curve.suggestion is not None


def test_the_suggestion_is_the_steepest_point_before_the_lowest():
    # The dive from 3 to 1.5 is steeper, but comes after a rise that has spoiled the weights.
    curve = curve_of([2.0, 1.8, 1.2, 1.1, 3.0, 1.5], rates=10.0 ** np.arange(-5, 1), beta=0.0)
    # Differences per decade: -.2, -.6, -.1; the middle of the second lies half a decade on
    assert curve.suggestion == pytest.approx(10**-3.5)


def test_the_suggestion_does_not_mistake_noise_for_a_slope():
    # A fall of one between .01 and 1, under noise of .05 from batch to batch.
    rates = np.geomspace(1e-5, 10, 200)
    fall = 2 - np.clip((np.log10(rates) + 2) / 2, 0, 1)
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0, 0.05, 200)
        assert 0.005 < curve_of(list(fall + noise), rates=rates).suggestion < 2


def test_no_suggestion_where_the_loss_only_grows():
    assert curve_of([1.0, 1.5, 2.0]).suggestion is None
    assert curve_of([1.0], rates=np.array([0.1])).suggestion is None


def test_the_weights_come_back_bit_for_bit():
    rng = np.random.default_rng(0)
    model = Linear(3, 1, rng=rng)
    x, y = rng.normal(size=(64, 3)), rng.normal(size=(64, 1))
    optimizer = HeavyBall(model.parameters(), 1.0)

    def step(lr):
        optimizer.lr = lr
        optimizer.zero_grad()
        loss = squared_error(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    before = model.state()
    curve = find_lr(
        step, exponential_rates(1e-4, 100, 60), save=model.state, restore=model.load_state
    )
    assert len(curve.rates) < 60  # it diverged
    assert 1e-4 < curve.suggestion < curve.rates[-1]
    for name, array in model.state().items():
        assert array.tobytes() == before[name].tobytes()


def test_the_weights_come_back_when_a_step_raises():
    weights, restored = [1.0], []

    def step(lr):
        weights[0] = 9.0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_lr(step, np.array([0.1]), save=weights.copy, restore=restored.extend)
    assert restored == [1.0]
