"""What else is called momentum: the damped form, and Nesterov's."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.nn.optimizer import Slots
from recsys.nn.rows import Floats
from recsys.nn.sgd import HeavyBall


@dataclass(eq=False)
class DampedMomentum(HeavyBall):
    """s = momentum s + (1 - momentum) g; w -= lr s: an average, so that the rate stays lr."""

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        return super()._direction((1 - float(self.momentum)) * g, slots)


@dataclass(eq=False)
class Nesterov(HeavyBall):
    """v = momentum v + g; w -= lr (g + momentum v): the gradient where the ball is rolling to.

    In the form that keeps the looked-ahead parameters (Sutskever et al. 2013), as PyTorch does.
    """

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        return g + float(self.momentum) * super()._direction(g, slots)

    def _glide_lr(self) -> float:
        return self.lr * self.momentum
