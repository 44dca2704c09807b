import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.nn.early_stopping import EarlyStopping
from recsys.nn.losses import squared_error
from recsys.nn.sgd import SGD
from recsys.nn.tensor import Tensor


def watch(metrics, **options):
    """Return the states up to the stop."""
    monitor, states = EarlyStopping(**options), []
    for metric in metrics:
        monitor = monitor.observe(metric)
        states.append(monitor)
        if monitor.should_stop:
            break
    return states


def test_patience_is_the_number_of_bad_epochs_put_up_with():
    states = watch([3, 2, 2.5, 2.4, 2.3, 1], patience=2)
    assert [s.improved for s in states] == [True, True, False, False, False]
    assert [s.should_stop for s in states] == [False] * 4 + [True]
    assert (states[-1].best, states[-1].best_epoch) == (2, 1)


def test_patience_zero_stops_at_the_first_bad_epoch():
    assert len(watch([3, 2, 2, 1], patience=0)) == 3


def test_a_fall_within_min_delta_is_none():
    states = watch([1.0, 0.95, 0.89], patience=5, min_delta=0.1)
    assert [s.improved for s in states] == [True, False, True]
    assert states[1].best == 1.0


def test_nothing_is_stopped_before_the_first_epoch():
    monitor = EarlyStopping(patience=0)
    assert not monitor.should_stop
    assert not monitor.improved


def test_nan_is_never_an_improvement():
    states = watch([math.nan, 1.0, math.nan], patience=1)
    assert [s.improved for s in states] == [False, True, False]


def test_a_monitor_comes_back_from_its_fields():
    monitor = EarlyStopping(patience=1).observe(2.0).observe(3.0)
    assert EarlyStopping(**dataclasses.asdict(monitor)) == monitor


@given(metrics=st.lists(st.floats(0, 10), min_size=1, max_size=30), patience=st.integers(0, 5))
def test_the_best_seen_is_the_minimum_and_the_stop_comes_patience_after_it(metrics, patience):
    states = watch(metrics, patience=patience)
    seen = metrics[: len(states)]
    assert states[-1].best == min(seen)
    assert states[-1].best_epoch == seen.index(min(seen))
    if states[-1].should_stop:
        assert len(seen) - 1 - states[-1].best_epoch == patience + 1


def test_the_best_weights_come_back():
    w = Tensor([0.0])
    optimizer, monitor, best = SGD({"w": w}, 0.1), EarlyStopping(patience=3), None
    while not monitor.should_stop:
        optimizer.zero_grad()
        squared_error(w, [5.0]).backward()  # training pulls to 5, validation is best at 3
        optimizer.step()
        monitor = monitor.observe((w.item() - 3) ** 2)
        if monitor.improved:
            best = w.data.copy()
    last = w.item()
    w.data[...] = best
    # 5 (1 - .8^t): 2.952 after four steps, 3.362 after five
    assert w.item() == pytest.approx(2.952)
    assert last > 4
