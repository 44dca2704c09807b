"""The learning-rate finder on a real model: one mini-batch at each of many growing rates."""

from __future__ import annotations

from itertools import cycle

import numpy as np

from recsys.data import Ratings
from recsys.nn.lr_finder import LRCurve, find_lr
from recsys.nn.rows import Floats
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.setup import cut_batches, initial_model, make_steps
from recsys.training.units import in_units


def sweep(train: Ratings, hyperparameters: Hyperparameters, rates: Floats) -> LRCurve:
    """Return the curve of the loss over the learning rate, from the initial parameters on.

    The momentum is the hyperparameters' throughout, so the rates are to be read for it.

    Parameters
    ----------
    train : Ratings
        With values.
    hyperparameters : Hyperparameters
        Their learning rate and schedule are not used.
    rates : (n,) float64
        Growing, such as `recsys.nn.lr_finder.exponential_rates`.
    """
    train, hyperparameters = in_units(train, hyperparameters)
    rng = np.random.default_rng(hyperparameters.seed)
    model = initial_model(train, hyperparameters, rng)
    batches = cut_batches(train, hyperparameters, rng)
    steps = make_steps(model, batches, hyperparameters)
    order = cycle(batches.epoch(rng))
    momentum = np.array([hyperparameters.momentum])

    def step(rate: float) -> float:
        steps.begin_epoch(np.array([rate]), momentum)
        seen = steps.step(next(order))
        steps.end_epoch()
        return seen.squared_error + seen.penalty

    def save() -> dict[str, Floats]:
        return {name: array.copy() for name, array in model.arrays().items()}

    def restore(saved: dict[str, Floats]) -> None:
        for name, array in model.arrays().items():
            array[...] = saved[name]

    with np.errstate(over="ignore", invalid="ignore"):  # the sweep is meant to diverge
        return find_lr(step, rates, save=save, restore=restore)
