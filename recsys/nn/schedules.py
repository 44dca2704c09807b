"""Learning-rate schedules: frozen, and pure functions of (step, n_steps) wherever possible.

A run of ``n_steps`` updates takes the rates ``schedule.lr(np.arange(n_steps), n_steps)``, so that
a whole epoch's rates can be known before it starts. The two schedules that answer to what
happens, `ReduceOnPlateau` and `Annealing`, keep one rate until `Schedule.observe` returns their
successor.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from recsys.errors import UsageError

Steps = int | NDArray[np.integer]
Rates = NDArray[np.float64]


def _progress(steps: Steps, n_steps: int) -> Rates:
    """Return how far the run is at ``steps``: 0 at the first update, 1 at the last."""
    if n_steps < 1:
        raise UsageError(f"n_steps is {n_steps}; allowed: 1 or more")
    steps = np.asarray(steps, dtype=np.float64)
    if steps.size and not 0 <= steps.min() <= steps.max() < n_steps:
        raise UsageError(f"steps {steps.min():g} to {steps.max():g}; allowed: 0 to {n_steps - 1}")
    return steps / max(1, n_steps - 1)


def _cosine(start: float, end: float, progress: Rates) -> Rates:
    """Return half a cosine wave from ``start`` at progress 0 to ``end`` at progress 1."""
    return end + (start - end) * (1 + np.cos(np.pi * progress)) / 2


# What the schedules' parameters, all above 0, may at most be.
_LARGEST = dict.fromkeys(
    ("base_lr", "n_stages", "final_ratio", "power", "start_divisor", "end_divisor", "divisor"),
    sys.float_info.max,
) | {"factor": 1.0, "warm_up": math.nextafter(1, 0)}


@dataclass(frozen=True)
class Schedule:
    """What every schedule offers; what is out of range raises `UsageError`.

    Attributes
    ----------
    base_lr : float
        The rate asked for, above 0; for most schedules the largest of the run.
    watches : {'loss', 'gradient_norm'} or None
        What `observe` wants to be told between epochs; None if nothing.
    """

    base_lr: float
    watches: ClassVar[Literal["loss", "gradient_norm"] | None] = None

    def __post_init__(self) -> None:
        for name, largest in _LARGEST.items():
            if not 0 < (value := getattr(self, name, largest)) <= largest:
                raise UsageError(f"{name} is {value!r}; allowed: above 0, at most {largest!r}")

    def lr(self, steps: Steps, n_steps: int) -> Rates:
        """Return the learning rate of each of ``steps``, float64 in their shape.

        The ``n_steps`` updates of the run are counted from 0 over all epochs.
        """
        # One step goes through as an array too: NumPy's scalar powers round differently.
        return self._lr(_progress(np.atleast_1d(steps), n_steps)).reshape(np.shape(steps))

    def _lr(self, progress: Rates) -> Rates:
        return np.full_like(progress, self.base_lr)

    def momentum(self, steps: Steps, n_steps: int, base_momentum: float) -> Rates:
        """Return the momentum of each step: ``base_momentum``, unless the schedule cycles it."""
        return np.full_like(_progress(steps, n_steps), base_momentum)

    def observe(self, metric: float) -> Self:
        """Return the schedule to go on with after an epoch that ended with ``metric``."""
        return self


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout."""


@dataclass(frozen=True)
class StepDecay(Schedule):
    """``n_stages`` equal stages, each at ``factor`` times the rate of the one before."""

    n_stages: int = 3
    factor: float = 0.1

    def _lr(self, progress: Rates) -> Rates:
        stage = np.minimum(np.floor(progress * self.n_stages), self.n_stages - 1)
        return self.base_lr * self.factor**stage


@dataclass(frozen=True)
class Exponential(Schedule):
    """``lr = base_lr * final_ratio ** progress``: every step multiplies the rate alike.

    A ``final_ratio`` above 1 makes the sweep of a learning-rate finder.
    """

    final_ratio: float = 0.01

    def _lr(self, progress: Rates) -> Rates:
        return self.base_lr * self.final_ratio**progress


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine wave from ``base_lr`` down to 0 (Loshchilov and Hutter 2017, one period)."""

    def _lr(self, progress: Rates) -> Rates:
        return _cosine(self.base_lr, 0.0, progress)


@dataclass(frozen=True)
class Polynomial(Schedule):
    """``lr = base_lr * (1 - progress) ** power``; power 1 is the linear schedule."""

    power: float = 1.0

    def _lr(self, progress: Rates) -> Rates:
        return self.base_lr * (1 - progress) ** self.power


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up to ``base_lr`` and down to almost nothing, the momentum against it.

    A half cosine from ``base_lr / start_divisor`` up to ``base_lr`` over the first ``warm_up`` of
    the run, then one down to ``base_lr / end_divisor``. The momentum falls by two swings while
    the rate rises, and comes back: for a base momentum of .9, .95 -> .85 -> .95.

    Where base momentum -/+ ``momentum_swing`` would leave [0, 1), the swing is what fits: 0 stays
    0, and .99 cycles .995 -> .985 -> .995. From Smith and Topin 2018 (arXiv 1708.07120), in
    fast.ai's cosine form.
    """

    warm_up: float = 0.3
    start_divisor: float = 25.0
    end_divisor: float = 25e4
    momentum_swing: float = 0.05

    def _there_and_back(self, progress: Rates, start: float, peak: float, end: float) -> Rates:
        return np.where(
            progress < self.warm_up,
            _cosine(start, peak, progress / self.warm_up),
            _cosine(peak, end, (progress - self.warm_up) / (1 - self.warm_up)),
        )

    def _lr(self, progress: Rates) -> Rates:
        start, end = self.base_lr / self.start_divisor, self.base_lr / self.end_divisor
        return self._there_and_back(progress, start, self.base_lr, end)

    def momentum(self, steps: Steps, n_steps: int, base_momentum: float) -> Rates:
        """Return the momentum of each step: high where the rate is low."""
        swing = min(self.momentum_swing, base_momentum, (1 - base_momentum) / 2)
        high, low = base_momentum + swing, base_momentum - swing
        return self._there_and_back(_progress(steps, n_steps), high, low, high)


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Multiply the rate by ``factor`` whenever the loss has not improved for ``patience`` epochs.

    ``patience`` epochs are put up with, the next one cuts; the loss improves if it falls by more
    than ``min_delta``. Where it stands: the lowest loss so far is ``best``, ``n_bad`` epochs ago.
    """

    watches = "loss"
    factor: float = 0.1
    patience: int = 2
    min_delta: float = 0.0
    best: float = math.inf
    n_bad: int = 0

    def observe(self, metric: float) -> Self:
        """Return the schedule after an epoch whose loss was ``metric``."""
        if metric < self.best - self.min_delta:
            return replace(self, best=metric, n_bad=0)
        if self.n_bad < self.patience:
            return replace(self, n_bad=self.n_bad + 1)
        return replace(self, base_lr=self.base_lr * self.factor, n_bad=0)


@dataclass(frozen=True)
class Annealing(Schedule):
    """Divide the rate by 4 when the gradient's norm exceeds twice the ``best``, smallest, so far.

    The fast.ai spreadsheet's "Adam with annealing" starts it at rate 1 with beta2 .95.
    """

    watches = "gradient_norm"
    divisor: float = 4.0
    tolerance: float = 2.0
    best: float = math.inf

    def observe(self, metric: float) -> Self:
        """Return the schedule after a gradient of norm ``metric``."""
        if metric > self.tolerance * self.best:
            return replace(self, base_lr=self.base_lr / self.divisor)
        return replace(self, best=min(self.best, metric))


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": StepDecay,
    "exponential": Exponential,
    "linear": Polynomial,
    "polynomial": Polynomial,
    "cosine": Cosine,
    "one-cycle": OneCycle,
    "plateau": ReduceOnPlateau,
    "annealing": Annealing,
}


def make_schedule(name: str, lr: float) -> Schedule:
    """Return the schedule called ``name`` (a key of `SCHEDULES`) with its default shape."""
    if name not in SCHEDULES:
        raise UsageError(f"unknown schedule {name!r}; allowed: {', '.join(SCHEDULES)}")
    if name == "polynomial":
        return Polynomial(lr, power=2.0)
    return SCHEDULES[name](lr)
