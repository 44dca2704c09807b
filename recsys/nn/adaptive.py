"""Optimizers that divide each entry's step by how large its gradients have been."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.errors import UsageError
from recsys.nn.optimizer import Optimizer, Slots
from recsys.nn.rows import Floats


def average(beta: float, mean: Floats, value: Floats) -> Floats:
    """Set ``mean`` to beta mean + (1 - beta) value, in place, and return it."""
    mean *= beta
    mean += (1 - beta) * value
    return mean


@dataclass(eq=False)
class Adagrad(Optimizer):
    """v = v + g^2; w -= lr g / (sqrt(v) + eps) (Duchi et al. 2011)."""

    lr: float = 0.01
    eps: float = 1e-8
    slots = ("squares",)
    rows_suffice = True

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        v = slots["squares"]
        v += g * g
        return g / (np.sqrt(v) + self.eps)


@dataclass(eq=False)
class Adadelta(Optimizer):
    """v = rho v + (1-rho) g^2; d = g sqrt(u + eps) / sqrt(v + eps); u = rho u + (1-rho) d^2.

    Then w -= lr d; with lr 1 it is Zeiler's (2012), whose steps have the unit of w.
    """

    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6
    slots = ("squares", "squared_steps")

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        v, u = average(self.rho, slots["squares"], g * g), slots["squared_steps"]
        d = g * np.sqrt(u + self.eps) / np.sqrt(v + self.eps)
        average(self.rho, u, d * d)
        return d


@dataclass(eq=False)
class RMSProp(Optimizer):
    """v = beta v + (1-beta) g^2; w -= lr g / (sqrt(v) + eps) (Hinton's lecture 6e)."""

    lr: float = 0.001
    beta: float = 0.9
    eps: float = 1e-8
    slots = ("squares",)

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        v = average(self.beta, slots["squares"], g * g)
        return g / (np.sqrt(v) + self.eps)


@dataclass(eq=False)
class SpreadsheetRMSProp(Optimizer):
    """w -= lr g / sqrt(v), by the v before this step; v = beta v + (1-beta) g^2.

    As in fast.ai's graddesc spreadsheet. Nothing guards the division, so v has to start above 0,
    at ``initial_squares``.
    """

    lr: float = 0.02
    beta: float = 0.9
    initial_squares: float = 1.0
    slots = ("squares",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.initial_squares > 0:
            raise UsageError(f"initial_squares is {self.initial_squares}; allowed: above 0")
        for slots in self._slots.values():
            slots["squares"][...] = self.initial_squares

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        direction: Floats = g / np.sqrt(slots["squares"])
        average(self.beta, slots["squares"], g * g)
        return direction
