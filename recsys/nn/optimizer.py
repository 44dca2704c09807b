"""What all optimizers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from recsys.errors import UsageError
from recsys.nn.rows import Floats, RowGradient
from recsys.nn.tensor import Tensor

Slots = dict[str, Floats]

_BELOW_ONE = ("momentum", "rho", "beta", "beta1", "beta2")


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
    """

    parameters: Mapping[str, Tensor]
    lr: float
    l2: float = field(default=0.0, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)
    # What is kept beside each parameter, in its shape, zero at first.
    slots: ClassVar[tuple[str, ...]] = ()
    # Whether a RowGradient moves its own rows alone. Else, and under l2 or weight_decay, which
    # move all rows, it is written out.
    rows_suffice: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("lr", "l2", "weight_decay", *_BELOW_ONE):
            limit = 1 if name in _BELOW_ONE else np.inf
            if not 0 <= (value := getattr(self, name, 0)) < limit:
                raise UsageError(f"{name} is {value}; allowed: from 0 to below {limit}")
        self.n_steps = 0
        self._slots = {
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
        w -= self.lr * self._direction(g, self._slots[name])

    def _step_rows(self, name: str, parameter: Tensor, grad: RowGradient) -> None:
        slots = self._slots[name]
        touched = {slot: array[grad.rows] for slot, array in slots.items()}
        parameter._data[grad.rows] -= self.lr * self._direction(grad.values, touched)
        for slot, array in touched.items():
            slots[slot][grad.rows] = array

    def zero_grad(self) -> None:
        """Forget the gradients; without this, the next backward pass adds to them."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def state(self) -> dict[str, Floats]:
        """Return copies of ``n_steps`` and of all slots, as ``parameter/slot``."""
        saved: dict[str, Floats] = {"n_steps": np.array(float(self.n_steps))}
        for name, slots in self._slots.items():
            _ = self.parameters[name].data  # brings rows that still glide up to date
            saved |= {f"{name}/{slot}": array.copy() for slot, array in slots.items()}
        return saved

    def load_state(self, state: Mapping[str, Floats]) -> None:
        """Write what `state` returned back; the parameters come back by `Module.load_state`."""
        if odd := sorted(state.keys() ^ self.state().keys()):
            raise UsageError(f"the state does not fit the optimizer; on one side only: {odd}")
        self.n_steps = int(state["n_steps"])
        for name, slots in self._slots.items():
            for slot, array in slots.items():
                array[...] = state[f"{name}/{slot}"]
