"""Stochastic gradient descent, with and without momentum."""

from __future__ import annotations

from dataclasses import dataclass, field

from recsys.nn.glide import Glide
from recsys.nn.optimizer import Optimizer, Slots
from recsys.nn.rows import Floats, RowGradient
from recsys.nn.tensor import Tensor


@dataclass(eq=False)
class SGD(Optimizer):
    """w -= lr g."""

    rows_suffice = True

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        return g


@dataclass(eq=False)
class HeavyBall(Optimizer):
    """v = momentum v + g; w -= lr v (Polyak 1964): a steady gradient gets to lr / (1 - momentum).

    ``momentum`` in [0, 1) may be set anew before each step. Rows without gradient keep gliding,
    as in the whole table's update; `Glide` pays for it when they are next read.
    """

    momentum: float = 0.9
    slots = ("velocity",)
    rows_suffice = True
    _glides: dict[str, Glide] = field(default_factory=dict, init=False, repr=False)

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        v = slots["velocity"]
        v *= float(self.momentum)
        v += g
        return v

    def _step_rows(self, name: str, parameter: Tensor, grad: RowGradient) -> None:
        if name not in self._glides:
            self._glides[name] = Glide(parameter, self._slots[name]["velocity"])
        self._glides[name].settle(grad.rows)
        super()._step_rows(name, parameter, grad)
        self._glides[name].record(grad.rows, self._glide_lr(), self.momentum)

    def _glide_lr(self) -> float:
        return self.lr  # how far a unit of velocity moves a row without gradient
