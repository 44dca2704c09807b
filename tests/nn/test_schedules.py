import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import UsageError
from recsys.nn.schedules import (
    SCHEDULES,
    Annealing,
    Constant,
    Cosine,
    Exponential,
    OneCycle,
    Polynomial,
    ReduceOnPlateau,
    StepDecay,
    make_schedule,
)


def rates(schedule, n_steps):
    return schedule.lr(np.arange(n_steps), n_steps)


def test_constant_never_changes():
    np.testing.assert_array_equal(rates(Constant(0.3), 4), [0.3] * 4)


def test_step_decay_cuts_the_run_into_equal_stages():
    # 3 stages over progress 0, .2, .4, .6, .8, 1: floor(3p) = 0 0 1 1 2 (3 -> 2)
    np.testing.assert_allclose(rates(StepDecay(1.0), 6), [1, 1, 0.1, 0.1, 0.01, 0.01])


def test_exponential_multiplies_alike_at_every_step():
    np.testing.assert_allclose(
        rates(Exponential(1.0, final_ratio=1e-4), 5), [1, 0.1, 0.01, 1e-3, 1e-4]
    )


def test_cosine_is_half_way_in_the_middle():
    np.testing.assert_allclose(
        rates(Cosine(2.0), 5), [2, 1 + math.sqrt(0.5), 1, 1 - math.sqrt(0.5), 0], atol=1e-15
    )


def test_polynomial_of_power_one_is_linear_and_two_a_parabola():
    np.testing.assert_allclose(rates(make_schedule("linear", 1.0), 5), [1, 0.75, 0.5, 0.25, 0])
    np.testing.assert_allclose(
        rates(Polynomial(1.0, power=2.0), 5), [1, 0.5625, 0.25, 0.0625, 0], atol=1e-15
    )


def test_one_cycle_rises_for_thirty_percent_then_falls_to_a_quarter_millionth():
    lr = rates(OneCycle(1.0), 101)
    assert lr[0] == pytest.approx(1 / 25)
    assert lr[15] == pytest.approx((1 + 1 / 25) / 2)  # half way up a cosine is the mean
    assert lr[30] == pytest.approx(1.0)
    assert lr[65] == pytest.approx((1 + 4e-6) / 2)
    assert lr[100] == pytest.approx(1 / 25e4)
    assert (np.diff(lr[:31]) > 0).all()
    assert (np.diff(lr[30:]) < 0).all()


def test_one_cycle_momentum_goes_against_the_rate():
    steps = np.array([0, 15, 30, 65, 100])
    np.testing.assert_allclose(
        OneCycle(1.0).momentum(steps, 101, 0.9), [0.95, 0.90, 0.85, 0.90, 0.95]
    )


@pytest.mark.parametrize(("base", "high", "low"), [(0.0, 0.0, 0.0), (0.99, 0.995, 0.985)])
def test_one_cycle_momentum_stays_a_momentum(base, high, low):
    momentum = OneCycle(1.0).momentum(np.array([0, 30]), 101, base)
    np.testing.assert_allclose(momentum, [high, low], atol=1e-15)


def test_other_schedules_leave_the_momentum_alone():
    np.testing.assert_array_equal(Cosine(1.0).momentum(np.arange(3), 3, 0.7), [0.7] * 3)


def test_plateau_cuts_the_rate_after_patience_is_used_up():
    schedule = ReduceOnPlateau(1.0, factor=0.5, patience=1)
    seen = []
    for loss in (3.0, 2.0, 2.0, 2.5, 1.0, 1.0, 1.0):
        schedule = schedule.observe(loss)
        seen.append(schedule.base_lr)
    # 2.0 is no better than 2.0 (bad 1, put up with), 2.5 cuts; 1.0 is best, 1.0 bad, 1.0 cuts.
    assert seen == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_plateau_takes_a_fall_within_min_delta_for_none():
    schedule = ReduceOnPlateau(1.0, patience=0, min_delta=0.1)
    assert schedule.observe(1.0).observe(0.95).base_lr == pytest.approx(0.1)
    assert schedule.observe(1.0).observe(0.85).base_lr == 1.0


def test_annealing_quarters_the_rate_when_the_gradient_doubles_its_best():
    schedule = Annealing(1.0)
    seen = []
    for norm in (10.0, 4.0, 8.0, 8.1, 3.0, 6.5):
        schedule = schedule.observe(norm)
        seen.append(schedule.base_lr)
    # best 10, 4; 8 is not above 2*4; 8.1 is; best 3; 6.5 > 6.
    assert seen == [1, 1, 1, 0.25, 0.25, 0.0625]


def test_an_adaptive_schedule_comes_back_from_its_fields():
    schedule = ReduceOnPlateau(1.0, patience=0).observe(2.0).observe(3.0)
    assert ReduceOnPlateau(**dataclasses.asdict(schedule)) == schedule


@given(name=st.sampled_from(sorted(SCHEDULES)), n_steps=st.integers(1, 300))
def test_every_schedule_stays_between_nothing_and_the_rate_asked_for(name, n_steps):
    schedule = make_schedule(name, 0.7)
    lr = rates(schedule, n_steps)
    momentum = schedule.momentum(np.arange(n_steps), n_steps, 0.9)
    assert lr.shape == momentum.shape == (n_steps,)
    assert lr.dtype == momentum.dtype == np.float64
    assert (lr >= 0).all()
    assert (lr <= 0.7 + 1e-15).all()
    assert ((momentum >= 0) & (momentum < 1)).all()


@given(name=st.sampled_from(sorted(SCHEDULES)), n_steps=st.integers(1, 50), data=st.data())
def test_one_step_alone_has_the_rate_it_has_among_all(name, n_steps, data):
    schedule, step = make_schedule(name, 0.1), data.draw(st.integers(0, n_steps - 1))
    assert schedule.lr(step, n_steps) == rates(schedule, n_steps)[step]


@pytest.mark.parametrize("lr", [0.0, -1.0, math.inf, math.nan])
def test_a_rate_that_is_none_is_refused(lr):
    with pytest.raises(UsageError, match="base_lr"):
        make_schedule("constant", lr)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match="one-cycle"):
        make_schedule("triangle", 0.1)


@pytest.mark.parametrize(("steps", "n_steps"), [(5, 5), (-1, 5), (0, 0)])
def test_a_step_outside_the_run_is_refused(steps, n_steps):
    with pytest.raises(UsageError, match="allowed"):
        Constant(0.1).lr(steps, n_steps)


@pytest.mark.parametrize(
    "make",
    [
        lambda: StepDecay(1.0, factor=1.5),
        lambda: StepDecay(1.0, n_stages=0),
        lambda: Exponential(1.0, final_ratio=0),
        lambda: OneCycle(1.0, warm_up=1.0),
        lambda: Polynomial(1.0, power=0),
        lambda: ReduceOnPlateau(1.0, factor=0),
    ],
)
def test_a_shape_that_is_none_is_refused(make):
    with pytest.raises(UsageError, match="allowed"):
        make()
