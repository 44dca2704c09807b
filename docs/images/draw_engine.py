"""Draws the pictures of docs/engine.md: ``python docs/images/draw_engine.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import make_moons

from recsys.nn import losses
from recsys.nn.initialisers import he, normal, xavier
from recsys.nn.layers import ReLU, Sigmoid, Tanh, mlp
from recsys.nn.lr_finder import exponential_rates, find_lr
from recsys.nn.optimizers import make_optimizer
from recsys.nn.report import report_activations
from recsys.nn.schedules import OneCycle, make_schedule
from recsys.nn.sgd import SGD, HeavyBall
from recsys.nn.tensor import Tensor, stable_sigmoid

XS = np.array([14, 86, 28, 51, 28, 29, 72, 62, 84, 15, 42, 62, 47, 35, 9, 38, 44, 99, 13, 21, 28,
               20, 8, 64, 99, 70, 27, 17, 8], dtype=float)  # fmt: skip
RATES = {
    "sgd": 3e-4,
    "momentum": 1e-4,
    "damped-momentum": 3e-4,
    "nesterov": 1e-4,
    "adagrad": 5.0,
    "rmsprop": 0.3,
    "adam": 1.0,
    "nadam": 1.0,
}


def draw_optimizers() -> Figure:
    """Return the loss over passes of several optimizers on y = 2x + 30."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, lr in RATES.items():
        line = {"intercept": Tensor(1.0), "slope": Tensor(1.0)}
        optimizer, seen = make_optimizer(name, line, lr), []
        for _ in range(200):
            optimizer.zero_grad()
            loss = losses.squared_error(line["intercept"] + line["slope"] * XS, 2 * XS + 30)
            loss.backward()
            optimizer.step()
            seen.append(loss.item())
        axes.semilogy(seen, label=f"{name}, lr {lr:g}")
    axes.set(xlabel="pass over the 29 points", ylabel="mean squared error", ylim=(1e-4, 2e5))
    axes.legend(fontsize=7, ncols=2)
    return figure


def draw_schedules() -> Figure:
    """Return the rate of each schedule over a run, and one-cycle's momentum."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = np.arange(1000)
    for name in ("constant", "step", "exponential", "linear", "polynomial", "cosine", "one-cycle"):
        left.plot(make_schedule(name, 1.0).lr(steps, 1000), label=name)
    left.set(xlabel="step", ylabel="lr / base_lr")
    left.legend(fontsize=7)
    right.plot(OneCycle(1.0).momentum(steps, 1000, 0.9), color="C6")
    right.set(xlabel="step", ylabel="momentum of one-cycle")
    return figure


def draw_lr_finder() -> Figure:
    """Return the loss over the rate of a sweep on two moons."""
    points, labels = make_moons(200, noise=0.2, random_state=0)
    model = mlp(2, [20], 2, rng=np.random.default_rng(0))
    optimizer = HeavyBall(model.parameters(), lr=1.0)

    def step(lr: float) -> float:
        optimizer.lr = lr
        optimizer.zero_grad()
        loss = losses.softmax_cross_entropy(model(points), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    rates = exponential_rates(1e-4, 100, 150)
    curve = find_lr(step, rates, save=model.state, restore=model.load_state)
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.semilogx(curve.rates, curve.losses, ".", markersize=3, label="loss of the batch")
    axes.semilogx(curve.rates, curve.smoothed, label="smoothed")
    axes.axvline(curve.suggestion, color="black", linestyle=":", label="suggestion")
    axes.set(xlabel="learning rate", ylabel="loss", ylim=(0, 3))
    axes.legend(fontsize=7)
    return figure


def draw_pitfalls() -> Figure:
    """Return slopes that vanish, units that die, and signals that explode."""
    figure = Figure(figsize=(10, 3), layout="constrained")
    saturation, death, products = figure.subplots(1, 3)

    z = np.linspace(-8, 8, 300)
    s = stable_sigmoid(z)
    saturation.plot(z, s, label="sigmoid")
    saturation.plot(z, s * (1 - s), label="its slope, at most ¼")
    saturation.plot(z, 1 - np.tanh(z) ** 2, label="slope of tanh")
    saturation.set(xlabel="input", title="Saturation")
    saturation.legend(fontsize=7)

    points, labels = make_moons(200, noise=0.2, random_state=0)
    rates, dead = np.geomspace(0.01, 100, 25), []
    for lr in rates:
        network = mlp(2, [50, 50], 1, rng=np.random.default_rng(0))
        losses.squared_error(network(points).reshape(-1), labels * 10.0).backward()
        SGD(network.parameters(), lr).step()
        dead.append(report_activations(network, points)[1].dead_units)
    death.semilogx(rates, dead)
    death.set(xlabel="learning rate", title="Dead ReLUs of 50 after one step")

    signal = np.random.default_rng(1).normal(size=(200, 50))
    for label, init, activation in (
        ("ReLU, N(0, 1)", lambda rng, shape: normal(rng, shape, 1.0), ReLU),
        ("ReLU, N(0, .01)", normal, ReLU),
        ("ReLU, He", he, ReLU),
        ("tanh, Xavier", xavier, Tanh),
        ("sigmoid, Xavier", xavier, Sigmoid),
    ):
        network = mlp(
            50, [50] * 10, 1, rng=np.random.default_rng(0), init=init, activation=activation
        )
        deviations = [report.input_std for report in report_activations(network, signal)]
        products.semilogy(range(1, 11), deviations, label=label)
    products.set(xlabel="layer", title="Deviation of what arrives there")
    products.legend(fontsize=7)
    return figure


DRAWINGS = {
    "engine_optimizers.png": draw_optimizers,
    "engine_schedules.png": draw_schedules,
    "engine_lr_finder.png": draw_lr_finder,
    "engine_pitfalls.png": draw_pitfalls,
}


def main(folder: Path) -> None:
    """Write all pictures into ``folder``."""
    for name, draw in DRAWINGS.items():
        with mpl.rc_context({"axes.grid": True, "grid.alpha": 0.3, "font.size": 8}):
            # No date and no version of matplotlib inside: the same picture is the same file.
            draw().savefig(folder / name, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main(Path(__file__).parent)
