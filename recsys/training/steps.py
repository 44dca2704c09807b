"""One mini-batch step of momentum SGD, twice: as defined, and compiled.

Both do ``v = momentum * v + gradient; w -= lr * v`` for *every* parameter (heavy ball, Polyak
1964: the gradient is not damped by ``1 - momentum``), so a row that a batch leaves untouched
keeps gliding on its velocity. `DenseSteps` says so in NumPy; `CompiledSteps` gets there at the
cost of the touched rows, and a test holds it against `DenseSteps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.model.embedding_dot_bias import Array, EmbeddingDotBias, Loss, Name, Penalty
from recsys.training import kernels
from recsys.training.batches import Batch, Batches


class Steps(Protocol):
    """Momentum SGD on a model's parameters, in place."""

    def begin_epoch(self, lr: NDArray[np.float64], momentum: NDArray[np.float64]) -> None:
        """Take the learning rate and the momentum of each step of the epoch, (n_batches,)."""

    def step(self, batch: Batch) -> Loss:
        """Step once and return the loss before the step."""

    def end_epoch(self) -> None:
        """Bring every row up to date, so that the model may be read."""

    def velocities(self) -> Mapping[Name, Array]:
        """Return the velocity of each parameter: with the parameters, all of the state."""


class DenseSteps:
    """The definition: dense gradients, every parameter stepped."""

    def __init__(self, model: EmbeddingDotBias, batches: Batches, penalty: Penalty) -> None:
        self._model, self._penalty = model, penalty
        self._velocity = {name: np.zeros_like(array) for name, array in model.parameters()}

    def begin_epoch(self, lr: NDArray[np.float64], momentum: NDArray[np.float64]) -> None:
        """See `Steps`."""
        self._plan = iter(zip(lr, momentum, strict=True))

    def step(self, batch: Batch) -> Loss:
        """See `Steps`."""
        lr, momentum = next(self._plan)
        loss = self._model.loss(batch.users, batch.items, batch.values, self._penalty)
        gradient = self._model.gradients(batch.users, batch.items, batch.values, self._penalty)
        for name, parameter in self._model.parameters():
            velocity = self._velocity[name]
            velocity *= momentum
            velocity += gradient[name]
            parameter -= (lr * velocity).astype(parameter.dtype)
        return loss

    def end_epoch(self) -> None:
        """See `Steps`."""

    def velocities(self) -> Mapping[Name, Array]:
        """See `Steps`."""
        return self._velocity


class GlidePlan(NamedTuple):
    """How untouched rows move through one epoch, whose rates are known when it begins.

    With m_t the momentum and lr_t the rate of step t of T, a unit velocity after step s has
    decayed to ``exp(log_decay[t] - log_decay[s])`` after step t and travelled
    ``reach[s] - (that decay) * reach[t]``.
    """

    log_decay: NDArray[np.float64]
    """(T + 1,) log of m_1 m_2 ... m_t."""
    reach: NDArray[np.float64]
    """(T + 1,) the distance still to travel until T: ``reach[t-1] = m_t (lr_t + reach[t])``."""


def plan_glide(lr: NDArray[np.float64], momentum: NDArray[np.float64]) -> GlidePlan:
    """Return how untouched rows move through an epoch with these rates and momenta.

    The distance is kept from the epoch's end backwards, not as a running sum from its start:
    the sum converges, and after some hundred steps at momentum .9 the difference of two of its
    entries would be rounding error only.
    """
    # A momentum of zero stops a row at once: the floor decays any velocity to zero as well.
    log_decay = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(momentum, 1e-300)))])
    reach = np.zeros(len(lr) + 1)
    for t in range(len(lr), 0, -1):
        reach[t - 1] = momentum[t - 1] * (lr[t - 1] + reach[t])
    return GlidePlan(log_decay, reach)


class CompiledSteps:
    """The same steps at the cost of the rows that a batch touches."""

    def __init__(self, model: EmbeddingDotBias, batches: Batches, penalty: Penalty) -> None:
        low, high = model.y_range or (0.0, 0.0)
        self._objective = kernels.Objective(
            model.global_mean, model.y_range is not None, low, high, *penalty
        )
        self._users = _side(model.user_factors, model.user_bias)
        self._items = _side(model.item_factors, model.item_bias)
        dtype, n_factors = model.user_bias.dtype, model.user_factors.shape[1]
        self._delta = np.empty(max(len(batch.values) for batch in batches.batches), dtype)
        self._user_gradient, self._item_gradient = (
            kernels.Gradient(
                np.empty((n_rows, n_factors), dtype), np.empty(n_rows, dtype), np.empty((n_rows, 2))
            )
            for n_rows in (
                max(len(batch.user_rows) for batch in batches.batches),
                max(len(batch.item_rows) for batch in batches.batches),
            )
        )

    def begin_epoch(self, lr: NDArray[np.float64], momentum: NDArray[np.float64]) -> None:
        """See `Steps`."""
        self._lr, self._momentum, self._step = lr, momentum, 0
        self._glide = plan_glide(lr, momentum)

    def step(self, batch: Batch) -> Loss:
        """See `Steps`."""
        users, items, step = self._users, self._items, self._step
        user_rows, item_rows = batch.user_rows, batch.item_rows
        kernels.glide(users, user_rows, step, *self._glide)
        kernels.glide(items, item_rows, step, *self._glide)

        arguments = (batch, users, items, self._objective, self._delta)
        kernels.user_pass(*arguments, self._user_gradient)
        kernels.item_pass(*arguments, self._item_gradient)

        rates = (float(self._lr[step]), float(self._momentum[step]), step + 1)
        kernels.momentum_step(users, user_rows, self._user_gradient, *rates)
        kernels.momentum_step(items, item_rows, self._item_gradient, *rates)
        self._step += 1
        return self._loss(batch)

    def end_epoch(self) -> None:
        """See `Steps`."""
        for side in (self._users, self._items):
            all_rows = np.arange(len(side.bias), dtype=np.uint32)
            kernels.glide(side, all_rows, self._step, *self._glide)
            side.last_step[:] = 0

    def velocities(self) -> Mapping[Name, Array]:
        """See `Steps`."""
        return {
            "user_factors": self._users.factor_velocity,
            "item_factors": self._items.factor_velocity,
            "user_bias": self._users.bias_velocity,
            "item_bias": self._items.bias_velocity,
        }

    def _loss(self, batch: Batch) -> Loss:
        # Summed here, in one fixed order, not in the kernels: threads must not change a bit.
        total = self._user_gradient.loss[: len(batch.user_rows)].sum(axis=0)
        total += self._item_gradient.loss[: len(batch.item_rows)].sum(axis=0)
        return Loss(*(total / len(batch.values)).tolist())


def _side(factors: Array, bias: Array) -> kernels.Side:
    return kernels.Side(
        factors, bias, np.zeros_like(factors), np.zeros_like(bias), np.zeros(len(bias), np.int64)
    )
