"""Adam and its family: a moving average of the gradient over the root of one of its square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.nn.adaptive import average
from recsys.nn.optimizer import Optimizer, Slots
from recsys.nn.rows import Floats


@dataclass(eq=False)
class Adam(Optimizer):
    """m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr m^ / (sqrt(v^) + eps).

    m^ = m / (1 - b1^t) and v^ = v / (1 - b2^t) make up for the averages' start from zero
    (Kingma and Ba 2015). Rows without gradient move too, so a `RowGradient` is written out;
    `LazyAdam` does otherwise.
    """

    lr: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("mean", "squares")

    def _averages(self, g: Floats, slots: Slots) -> tuple[Floats, Floats]:
        m = average(self.beta1, slots["mean"], g)
        return m, average(self.beta2, slots["squares"], g * g)

    def _corrections(self) -> tuple[float, float]:
        return 1 - self.beta1**self.n_steps, 1 - self.beta2**self.n_steps

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        m, v = self._averages(g, slots)
        c1, c2 = self._corrections()
        return (m / c1) / (np.sqrt(v / c2) + self.eps)


@dataclass(eq=False)
class LazyAdam(Adam):
    """Adam on the rows that a `RowGradient` touches alone; the averages of others stand still.

    It costs what it touches, and its result is not that of `Adam`.
    """

    rows_suffice = True


@dataclass(eq=False)
class AMSGrad(Adam):
    """Adam with the largest v so far in place of v, so that no step grows back (Reddi et al. 2018).

    With Adam's bias correction, as in PyTorch.
    """

    slots = ("mean", "squares", "largest")

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        m, v = self._averages(g, slots)
        c1, c2 = self._corrections()
        largest = np.maximum(slots["largest"], v, out=slots["largest"])
        return (m / c1) / (np.sqrt(largest / c2) + self.eps)


@dataclass(eq=False)
class AdaMax(Adam):
    """m as Adam; u = max(b2 u, |g| + eps); w -= lr m^ / u (Kingma and Ba 2015, section 7)."""

    lr: float = 0.002
    slots = ("mean", "largest")

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        m, u = average(self.beta1, slots["mean"], g), slots["largest"]
        np.maximum(self.beta2 * u, np.abs(g) + self.eps, out=u)
        return (m / self._corrections()[0]) / u


@dataclass(eq=False)
class Nadam(Adam):
    """Adam with a look ahead: b1 m^ + (1-b1) g / (1 - b1^t) in place of m^.

    Dozat 2016 without its schedule of b1, as in Ruder's overview.
    """

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        m, v = self._averages(g, slots)
        c1, c2 = self._corrections()
        ahead = (self.beta1 * m + (1 - self.beta1) * g) / c1
        return ahead / (np.sqrt(v / c2) + self.eps)


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with decoupled weight decay, .01 unless said (Loshchilov and Hutter 2019)."""

    weight_decay: float = 0.01


@dataclass(eq=False)
class SpreadsheetAdam(Adam):
    """m and v as Adam; w -= lr m / sqrt(v): no bias correction, no eps, both betas .9.

    As in fast.ai's graddesc spreadsheet; with the `Annealing` schedule from lr 1 and beta2 .95 it
    is the sheet's "Adam with annealing". An entry whose gradients have all been 0 stays.
    """

    lr: float = 0.1
    beta2: float = 0.9
    eps: float = 0.0

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        m, v = self._averages(g, slots)
        return np.divide(m, np.sqrt(v), out=np.zeros_like(m), where=v > 0)
