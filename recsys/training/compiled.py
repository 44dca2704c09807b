"""Momentum SGD at the cost of the rows that a batch touches, with the result of the dense update.

`recsys.training.steps.DenseSteps` is the definition; a test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.objective import Array, Penalty
from recsys.training import kernels
from recsys.training.batches import Batch, Batches
from recsys.training.steps import Rates, Step, clip_scale


class CompiledSteps:
    """The steps of `DenseSteps`, compiled.

    A row that a batch leaves untouched moves all the same; it is brought up to date, in closed
    form, when a batch next touches it and when the epoch ends (`plan_glide`).

    Parameters
    ----------
    model : EmbeddingDotBias
    penalty : Penalty
    batches : Batches
        All that will be stepped on: they decide the size of the buffers.
    clip : float, optional
        Largest norm of the gradient: a longer one is scaled down to it.
    """

    def __init__(
        self,
        model: EmbeddingDotBias,
        penalty: Penalty,
        batches: Batches,
        clip: float | None = None,
    ) -> None:
        low, high = model.y_range or (0.0, 0.0)
        self._objective = kernels.Objective(
            model.global_mean, model.y_range is not None, low, high, penalty.reg, penalty.reg_bias
        )
        self._clip = clip
        self._users = _side(model.user_factors, model.user_bias)
        self._items = _side(model.item_factors, model.item_bias)
        sizes = [
            (len(batch.values), len(batch.user_rows), len(batch.item_rows))
            for batch in batches.batches
        ]
        batch_size, n_users, n_items = np.max(sizes, axis=0)
        self._delta = np.empty(batch_size, model.user_bias.dtype)
        self._user_gradient = gradient_buffer(n_users, model.user_factors)
        self._item_gradient = gradient_buffer(n_items, model.item_factors)

    def begin_epoch(self, lr: Rates, momentum: Rates) -> None:
        """See `Steps`."""
        self._lr, self._momentum, self._step = lr, momentum, 0
        self._glide = plan_glide(lr, momentum)

    def step(self, batch: Batch) -> Step:
        """See `Steps`."""
        users, items, step = self._users, self._items, self._step
        kernels.glide(users, batch.user_rows, step, *self._glide)
        kernels.glide(items, batch.item_rows, step, *self._glide)

        arguments = (batch, users, items, self._objective, self._delta)
        kernels.user_pass(*arguments, self._user_gradient)
        kernels.item_pass(*arguments, self._item_gradient)
        seen = self._seen(batch)

        scale = clip_scale(seen.gradient_norm, self._clip)
        rates = (scale, float(self._lr[step]), float(self._momentum[step]), step + 1)
        kernels.momentum_step(users, batch.user_rows, self._user_gradient, *rates)
        kernels.momentum_step(items, batch.item_rows, self._item_gradient, *rates)
        self._step += 1
        return seen

    def end_epoch(self) -> None:
        """See `Steps`."""
        for side in (self._users, self._items):
            all_rows = np.arange(len(side.bias), dtype=np.uint32)
            kernels.glide(side, all_rows, self._step, *self._glide)
            side.last_step[:] = 0

    def state(self) -> Mapping[str, Array]:
        """See `Steps`."""
        return {
            "user_factors": self._users.factor_velocity,
            "item_factors": self._items.factor_velocity,
            "user_bias": self._users.bias_velocity,
            "item_bias": self._items.bias_velocity,
        }

    def load_state(self, state: Mapping[str, Array]) -> None:
        """See `Steps`."""
        for name, velocity in self.state().items():
            velocity[...] = state[name]

    def _seen(self, batch: Batch) -> Step:
        # Summed here, in one fixed order, not in the kernels: threads must not change a bit.
        sums = self._user_gradient.sums[: len(batch.user_rows)].sum(axis=0)
        sums += self._item_gradient.sums[: len(batch.item_rows)].sum(axis=0)
        squared_error, penalty, norm_squared = sums.tolist()
        n_ratings = len(batch.values)
        return Step(squared_error / n_ratings, penalty / n_ratings, norm_squared**0.5)


class GlidePlan(NamedTuple):
    """How untouched rows move through one epoch, whose rates are known when it begins.

    With m_t the momentum and lr_t the rate of step t of T, a unit velocity after step s has
    decayed to ``exp(log_decay[t] - log_decay[s])`` after step t and travelled
    ``reach[s] - (that decay) * reach[t]``.
    """

    log_decay: Rates
    """(T + 1,) log of m_1 m_2 ... m_t."""
    reach: Rates
    """(T + 1,) the distance still to travel until T: ``reach[t-1] = m_t (lr_t + reach[t])``."""


def plan_glide(lr: Rates, momentum: Rates) -> GlidePlan:
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


def _side(factors: Array, bias: Array) -> kernels.Side:
    return kernels.Side(
        factors, bias, np.zeros_like(factors), np.zeros_like(bias), np.zeros(len(bias), np.int64)
    )


def gradient_buffer(n_rows: int, like: Array) -> kernels.Gradient:
    """Return a place for the gradients of up to ``n_rows`` rows of ``like``."""
    return kernels.Gradient(
        np.empty((n_rows, like.shape[1]), like.dtype),
        np.empty(n_rows, like.dtype),
        np.empty((n_rows, 3)),
    )
