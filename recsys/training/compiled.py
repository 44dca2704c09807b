"""Momentum SGD at the cost of the rows that a batch touches, with the result of the dense update.

`recsys.training.steps.DenseSteps` is the definition; a test holds the two to each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from recsys.model.aligned import aligned_zeros
from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.objective import Array, Penalty
from recsys.training import kernels, row_kernels
from recsys.training.batches import Batch, Batches
from recsys.training.row_kernels import Gradient, Move, Side
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
    row_limit : float, optional
        A row that has more ratings than this in a batch has its gradient scaled down to so many.
    """

    def __init__(
        self,
        model: EmbeddingDotBias,
        penalty: Penalty,
        batches: Batches,
        clip: float | None = None,
        row_limit: float | None = None,
    ) -> None:
        self._objective = objective_of(model, penalty)
        self._clip = clip
        self._row_limit = math.inf if row_limit is None else float(row_limit)
        of_users, of_items = model.penalty_weights(penalty)
        self._users = _side(model.user_factors, model.user_bias, of_users)
        self._items = _side(model.item_factors, model.item_bias, of_items)
        self._work = make_work(batches, model.user_factors)
        # Without clipping rows are stepped at once, and a gradient is worked on only.
        n_rows = (kernels.N_PARTS, kernels.N_PARTS) if clip is None else batches.largest[1:]
        self._of_users, self._of_items = (gradients(n, model.user_factors) for n in n_rows)

    def begin_epoch(self, lr: Rates, momentum: Rates) -> None:
        """See `Steps`."""
        self._lr, self._momentum, self._step = lr, momentum, 0
        self._glide = plan_glide(lr, momentum)

    def step(self, batch: Batch) -> Step:
        """See `Steps`."""
        users, items, work, objective = self._users, self._items, self._work, self._objective
        rates = float(self._lr[self._step]), float(self._momentum[self._step])
        move = Move(self._step, *rates, self._row_limit, self._clip is None, *self._glide)
        row_kernels.glide(items, batch.item_rows, move)
        kernels.user_pass(batch, users, items, objective, work, self._of_users, move)
        kernels.item_pass(batch, items, objective, work, self._of_items, move)
        seen = self._seen(batch)
        if not move.at_once:
            scale = clip_scale(seen.gradient_norm, self._clip)
            row_kernels.momentum_step(users, batch.user_rows, self._of_users, scale, move)
            row_kernels.momentum_step(items, batch.item_rows, self._of_items, scale, move)
        self._step += 1
        return seen

    def end_epoch(self) -> None:
        """See `Steps`."""
        for side in (self._users, self._items):
            all_rows = np.arange(len(side.bias), dtype=np.uint32)
            row_kernels.glide(
                side, all_rows, Move(self._step, 0.0, 0.0, math.inf, False, *self._glide)
            )
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
        sums = self._of_users.sums.sum(axis=0) + self._of_items.sums.sum(axis=0)
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


def objective_of(model: EmbeddingDotBias, penalty: Penalty) -> kernels.Objective:
    """Return what the kernels need to know of a model's loss."""
    low, high = model.y_range or (0.0, 0.0)
    # Floats all: for an int among them everything would be compiled once more.
    return kernels.Objective(
        global_mean=float(model.global_mean),
        ranged=model.y_range is not None,
        low=float(low),
        high=float(high),
        reg=float(penalty.reg),
        reg_bias=float(penalty.reg_bias),
    )


def make_work(batches: Batches, like: Array) -> kernels.Work:
    """Return a place for what the passes over any of the batches hand to each other.

    Embeddings are as wide as those of ``like``, and of its dtype.
    """
    batch_size, n_users, _ = batches.largest
    return kernels.Work(
        aligned_zeros((n_users, like.shape[1]), like.dtype), np.empty(batch_size, like.dtype)
    )


def gradients(n_rows: int, like: Array) -> Gradient:
    """Return a place for the gradients of ``n_rows`` rows of ``like``, and for their sums."""
    return Gradient(
        aligned_zeros((n_rows, like.shape[1]), like.dtype),
        np.empty(n_rows, like.dtype),
        np.empty((kernels.N_PARTS, 3)),
    )


def _side(factors: Array, bias: Array, penalty_weight: Array) -> Side:
    velocity = aligned_zeros(factors.shape, factors.dtype)
    weight = penalty_weight.astype(factors.dtype)
    return Side(factors, bias, velocity, np.zeros_like(bias), weight, np.zeros(len(bias), np.int64))
