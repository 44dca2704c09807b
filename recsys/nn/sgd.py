"""Stochastic gradient descent with and without momentum, and what all optimizers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from recsys.errors import UsageError
from recsys.nn.glide import Glide
from recsys.nn.rows import Floats, RowGradient
from recsys.nn.tensor import Tensor

Slots = dict[str, Floats]


@dataclass(eq=False)
class Optimizer:
    """Moves parameters: w -= lr direction(g).

    Parameters
    ----------
    parameters : mapping of str to Tensor
        As `Module.parameters` returns them. One without gradient is left alone in a step.
    lr : float
        Learning rate. May be set anew before each step, as by a schedule.
    l2 : float
        Adds l2 w to the gradient: the penalty l2/2 |w|^2, which PyTorch calls weight_decay.
    weight_decay : float
        Decoupled: takes lr weight_decay w off the parameters, past the optimizer's scaling.

    Attributes
    ----------
    slots : tuple of str
        What is kept beside each parameter, in its shape; zero at first, in ``state``.
    rows_suffice : bool
        Whether rows without gradient stay as they are, so that a `RowGradient` costs what it
        touches; else, and under l2 or weight_decay, it is written out.
    n_steps : int
        Steps taken.
    """

    parameters: Mapping[str, Tensor]
    lr: float
    l2: float = field(default=0.0, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)
    slots: ClassVar[tuple[str, ...]] = ()
    rows_suffice: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, low, high in (("lr", 0, np.inf), ("l2", 0, np.inf), ("weight_decay", 0, np.inf),
                                ("momentum", 0, 1), ("rho", 0, 1), ("beta", 0, 1),
                                ("beta1", 0, 1), ("beta2", 0, 1)):  # fmt: skip
            if not low <= getattr(self, name, 0) < high:
                raise UsageError(f"{name} is {getattr(self, name)}; allowed: {low} to below {high}")
        self.n_steps = 0
        self.state: dict[str, Slots] = {
            name: {slot: np.zeros_like(parameter.data) for slot in self.slots}
            for name, parameter in self.parameters.items()
        }

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        self.n_steps += 1
        self.lr = float(self.lr)  # NumPy's float64 would turn float32 arithmetic into float64
        for name, parameter in self.parameters.items():
            grad = parameter.grad
            by_rows = self.rows_suffice and not self.l2 and not self.weight_decay
            if isinstance(grad, RowGradient) and by_rows:
                self._step_rows(name, parameter, grad.coalesce())
            elif grad is not None:
                self._step_all(name, parameter, np.asarray(grad))

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        """Return what lr multiplies, for the gradient ``g``; bring ``slots`` up to date."""
        raise NotImplementedError

    def _step_all(self, name: str, parameter: Tensor, g: Floats) -> None:
        w = parameter.data
        if self.l2:
            g = g + self.l2 * w
        if self.weight_decay:
            w -= self.lr * self.weight_decay * w
        w -= self.lr * self._direction(g, self.state[name])

    def _step_rows(self, name: str, parameter: Tensor, grad: RowGradient) -> None:
        slots = self.state[name]
        touched = {slot: array[grad.rows] for slot, array in slots.items()}
        parameter._data[grad.rows] -= self.lr * self._direction(grad.values, touched)
        for slot, array in touched.items():
            slots[slot][grad.rows] = array

    def zero_grad(self) -> None:
        """Forget the gradients; without this, the next backward pass adds to them."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def state_dict(self) -> dict[str, Floats]:
        """Return copies of all slots as ``parameter/slot``, and ``n_steps``, for a checkpoint."""
        saved: dict[str, Floats] = {"n_steps": np.array(float(self.n_steps))}
        for name, slots in self.state.items():
            _ = self.parameters[name].data  # brings rows that still glide up to date
            saved |= {f"{name}/{slot}": array.copy() for slot, array in slots.items()}
        return saved

    def load_state_dict(self, saved: Mapping[str, Floats]) -> None:
        """Go on where `state_dict` was taken; the parameters are restored apart.

        Raises
        ------
        UsageError
            If the names are not those of this optimizer and its parameters.
        """
        if odd := sorted(saved.keys() ^ self.state_dict().keys()):
            raise UsageError(f"the state does not fit the optimizer; on one side only: {odd}")
        self.n_steps = int(saved["n_steps"])
        for name, slots in self.state.items():
            for slot, array in slots.items():
                array[...] = saved[f"{name}/{slot}"]


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

    def __post_init__(self) -> None:
        super().__post_init__()
        self._glides: dict[str, Glide] = {}

    def _direction(self, g: Floats, slots: Slots) -> Floats:
        v = slots["velocity"]
        v *= float(self.momentum)
        v += g
        return v

    def _step_rows(self, name: str, parameter: Tensor, grad: RowGradient) -> None:
        if name not in self._glides:
            self._glides[name] = Glide(parameter, self.state[name]["velocity"])
        self._glides[name].settle(grad.rows)
        super()._step_rows(name, parameter, grad)
        self._glides[name].record(grad.rows, self._glide_lr(), self.momentum)

    def _glide_lr(self) -> float:
        """Return how far a unit of velocity, momentum applied, moves a row without gradient."""
        return self.lr
