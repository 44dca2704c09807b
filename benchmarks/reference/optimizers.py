"""The optimizer table, and items 17, 19, 20, 22 and 23."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.reference.rows import Row, equal
from recsys.nn import losses
from recsys.nn.adam import SpreadsheetAdam
from recsys.nn.adaptive import SpreadsheetRMSProp
from recsys.nn.lr_finder import exponential_rates
from recsys.nn.momentum import DampedMomentum
from recsys.nn.optimizer import Optimizer
from recsys.nn.schedules import OneCycle
from recsys.nn.sgd import SGD
from recsys.nn.standardise import Standardise
from recsys.nn.tensor import Tensor

XS = (14, 86, 28, 51, 28, 29, 72, 62, 84, 15, 42, 62, 47, 35, 9, 38, 44, 99, 13, 21, 28, 20, 8, 64,
      99, 70, 27, 17, 8)  # fmt: skip


def spreadsheet() -> Iterator[Row]:
    """Yield the optimizer table: y = 2x + 30, 29 rows, one at a time, intercept b and slope a."""
    line = _line(1.0, 1.0)
    optimizer = SGD(line, 1e-4)
    for epoch in range(1, 6):
        b, a = _one_pass(optimizer)
        if epoch in (1, 5):
            expected = {1: (1.0715, 2.6131), 5: (1.2982, 2.6083)}[epoch]
            yield equal(f"table: SGD, b after epoch {epoch}", expected[0], b, 5e-5)
            yield equal(f"table: SGD, a after epoch {epoch}", expected[1], a, 5e-5)
    for name, make, start, slots, expected, tolerance in (
        (
            "damped momentum",
            lambda line: DampedMomentum(line, 1e-4),
            (1.0, 1.0),
            {"velocity": (-18.334, 98.246)},
            (1.0651, 2.1213),
            5e-5,
        ),
        (
            "RMSProp",
            lambda line: SpreadsheetRMSProp(line, 0.02),
            (3.1891, 2.4036),
            {"squares": (1134.4, 1.6799e6)},
            (3.5259, 2.4061),
            2e-4,
        ),
        (
            "Adam",
            lambda line: SpreadsheetAdam(line, 0.1),
            (29.713, 1.9456),
            {"mean": (1.8871, 167.37), "squares": (40.893, 2.7576e5)},
            (29.994, 2.086),
            1e-3,
        ),
    ):
        optimizer = make(_line(*start))
        state = optimizer.state()
        for slot, values in slots.items():
            state[f"b/{slot}"], state[f"a/{slot}"] = map(np.array, values)
        optimizer.load_state(state)
        for letter, number, ours in zip("ba", expected, _one_pass(optimizer), strict=True):
            yield equal(f"table: {name}, {letter} after one pass", number, ours, tolerance)


def control() -> Iterator[Row]:
    """Yield one-cycle, the finder's rates, weight decay and conditioning: items 19, 20, 22, 23."""
    schedule, steps = OneCycle(1.0), np.array([0, 30, 100])
    for step, lr, expected in zip(
        steps, schedule.lr(steps, 101), (1 / 25, 1.0, 1 / 25e4), strict=True
    ):
        yield equal(f"19 one-cycle, lr / lr_max at {step} %", expected, lr, 1e-12)
    momenta = schedule.momentum(steps, 101, 0.9)
    for step, momentum, expected in zip(steps, momenta, (0.95, 0.85, 0.95), strict=True):
        yield equal(f"19 one-cycle, momentum at {step} %", expected, momentum, 1e-12)
    difference = np.abs(exponential_rates(1e-3, 1.0, 1000) - 10 ** np.linspace(-3, 0, 1000)).max()
    yield equal("20 the finder's rates less 10**linspace(-3, 0, 1000)", 0.0, difference, 1e-12)

    ends = []
    for penalty, decay in ((0.3, 0.0), (0.0, 0.6)):
        w = Tensor([1.0, -2.0])
        optimizer = SGD({"w": w}, 0.1, weight_decay=decay)
        for _ in range(5):
            optimizer.zero_grad()
            (losses.squared_error(w, [3.0, 3.0]) + losses.l2([w], penalty)).backward()
            optimizer.step()
        ends.append(w.data)
    difference = np.abs(ends[0] - ends[1]).max()
    yield equal("22 SGD: L2 of c less weight decay of 2c", 0.0, difference, 1e-12)

    x = np.array(XS, dtype=float)
    flat, steep = _curvatures(x)
    yield equal("23 condition number, raw", 8490, steep / flat, 5)
    yield equal("23 largest stable full-batch rate, raw", 3.97e-4, 2 / steep, 5e-7)
    flat, steep = _curvatures(Standardise(x)(x))
    yield equal("23 condition number, standardised", 1.0, steep / flat, 1e-9)


def regression() -> Iterator[Row]:
    """Yield linear regression by SGD: item 17."""
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.uniform(-1, 1, 100), np.ones(100)])
    y = x @ [3.0, 2.0] + rng.normal(0, 0.25, 100)
    w = Tensor([-1.0, 1.0])
    optimizer = SGD({"w": w}, 0.1)
    for _ in range(100):
        optimizer.zero_grad()
        losses.squared_error(x @ w, y).backward()
        optimizer.step()
    ours = losses.squared_error(x @ w, y).item()
    own = "our own draw of the noise: three standard errors of a mean of 100 squares are .0265"
    yield equal("17 linear regression: MSE after 100 steps", 0.0784, ours, 0.0265, own)


def _line(b: float, a: float) -> dict[str, Tensor]:
    return {"b": Tensor(b), "a": Tensor(a)}


def _one_pass(optimizer: Optimizer) -> tuple[float, float]:
    b, a = optimizer.parameters["b"], optimizer.parameters["a"]
    for x in XS:
        optimizer.zero_grad()
        losses.squared_error(b + a * float(x), 2.0 * x + 30).backward()
        optimizer.step()
    return b.item(), a.item()


def _curvatures(x: np.ndarray) -> np.ndarray:
    inputs = np.column_stack([np.ones(len(x)), x])
    return np.linalg.eigvalsh(2 * inputs.T @ inputs / len(x))
