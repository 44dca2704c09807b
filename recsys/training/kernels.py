"""The compiled passes over a batch: the only file that knows numba.

Each pass walks over rows, one thread to a row, in a fixed order inside the row. No two threads
write one place and nothing is summed across rows, so the bits are the same for any number of
threads. The arithmetic is that of `recsys.model.embedding_dot_bias.EmbeddingDotBias`.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from recsys.training.batches import Batch, Rows

Array = NDArray[np.floating]

# Sums may be reordered to fill vector registers; NaN and infinity keep their meaning, because a
# training that diverges must be noticed.
_row = njit(cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"})
# The passes only spread rows over the threads. What happens to one row stands in a function of
# its own: numba 0.6x drops stores to a named tuple's array from inside a `prange` loop.
_pass = njit(parallel=True, cache=True)
_N_CORES = numba.get_num_threads()
numba.set_num_threads(1)  # until `use_threads` is asked: threads that wait in vain cost time
# A thread needs so many ratings of a batch to be worth waking up.
_RATINGS_PER_THREAD = 10_000


def use_threads(n_threads: int | None, batch_size: int) -> None:
    """Run the passes on at most ``n_threads``, None being one per core.

    There are never more than cores, nor more than batches of this size keep busy. The number
    changes no result.
    """
    useful = max(1, batch_size // _RATINGS_PER_THREAD)
    numba.set_num_threads(min(n_threads or _N_CORES, _N_CORES, useful))


class Side(NamedTuple):
    """The users' or the items' parameters, with what momentum SGD remembers of each row."""

    factors: Array
    """(n_rows, n_factors)"""
    bias: Array
    """(n_rows,)"""
    factor_velocity: Array
    """(n_rows, n_factors)"""
    bias_velocity: Array
    """(n_rows,)"""
    last_step: NDArray[np.int64]
    """(n_rows,) step of the epoch that the row has reached."""


def only_read(factors: Array, bias: Array) -> Side:
    """Return a side whose rows are read and never stepped."""
    none = np.empty((0, factors.shape[1]), factors.dtype)
    return Side(factors, bias, none, np.empty(0, bias.dtype), np.empty(0, np.int64))


class Gradient(NamedTuple):
    """Where a pass leaves the gradient of a batch's distinct rows."""

    factors: Array
    """(n_rows, n_factors)"""
    bias: Array
    """(n_rows,)"""
    sums: NDArray[np.float64]
    """(n_rows, 3) the row's share of the squared error and of the penalty, neither divided by
    the batch's size yet, and the square of its gradient's norm."""


class Objective(NamedTuple):
    """What the loss of `EmbeddingDotBias.loss` needs to know, as plain numbers."""

    global_mean: float
    ranged: bool
    low: float
    high: float
    reg: float
    reg_bias: float


@_pass
def glide(
    side: Side, rows: Rows, step: int, log_decay: NDArray[np.float64], reach: NDArray[np.float64]
) -> None:
    """Bring rows that earlier batches left untouched to ``step``.

    Between the steps s and t an untouched row's gradient is zero, so its velocity only decays,
    by the product r of the momenta, and its parameters glide on by the sum of the decayed
    velocities. With ``reach[s]`` = the distance that a unit velocity at s still travels until
    the epoch ends, that sum is ``reach[s] - r * reach[t]`` (`recsys.training.compiled.plan_glide`).
    """
    for n in prange(len(rows)):
        _glide_row(rows[n], side, step, log_decay, reach)


@_row
def _glide_row(row, side, step, log_decay, reach):  # type: ignore[no-untyped-def]
    since = side.last_step[row]
    if since == step:
        return
    real = side.bias.dtype.type
    exact_decay = np.exp(log_decay[step] - log_decay[since])
    decay, distance = real(exact_decay), real(reach[since] - exact_decay * reach[step])
    side.bias[row] -= distance * side.bias_velocity[row]
    side.bias_velocity[row] *= decay
    for f in range(side.factors.shape[1]):
        side.factors[row, f] -= distance * side.factor_velocity[row, f]
        side.factor_velocity[row, f] *= decay
    side.last_step[row] = step


@_pass
def user_pass(
    batch: Batch,
    users: Side,
    items: Side,
    objective: Objective,
    delta: Array,
    gradient: Gradient,
) -> None:
    """Predict, and leave the users' gradient and dloss/dz of each rating (``delta``)."""
    for s in prange(len(batch.user_rows)):
        _user_gradient(s, batch, users, items, objective, delta, gradient)


@_row
def _user_gradient(s, batch, users, items, objective, delta, gradient):  # type: ignore[no-untyped-def]
    real = users.bias.dtype.type
    n_factors = users.factors.shape[1]
    scale = real(2 / len(batch.values))
    low, width = real(objective.low), real(objective.high - objective.low)
    user, begin, end = batch.user_rows[s], batch.user_starts[s], batch.user_starts[s + 1]
    reg, reg_bias = real(objective.reg * (end - begin)), real(objective.reg_bias * (end - begin))
    p, b = users.factors[user], users.bias[user]
    p_gradient, b_gradient = gradient.factors[s], scale * reg_bias * b

    squares = real(0)
    for f in range(n_factors):
        squares += p[f] * p[f]
        p_gradient[f] = scale * reg * p[f]

    squared_error = 0.0
    offset = real(objective.global_mean) + b
    for n in range(begin, end):
        item = batch.items[n]
        q = items.factors[item]
        dot = real(0)
        for f in range(n_factors):
            dot += p[f] * q[f]
        prediction, slope = offset + items.bias[item] + dot, real(1)
        if objective.ranged:
            sigmoid = real(1) / (real(1) + np.exp(-prediction))
            prediction = low + width * sigmoid
            slope = width * sigmoid * (real(1) - sigmoid)
        error = prediction - batch.values[n]
        squared_error += error * error
        d = scale * error * slope
        delta[n] = d
        b_gradient += d
        for f in range(n_factors):
            p_gradient[f] += d * q[f]

    gradient.bias[s] = b_gradient
    gradient.sums[s, 0] = squared_error
    gradient.sums[s, 1] = reg * squares + reg_bias * b * b
    gradient.sums[s, 2] = _norm_squared(p_gradient, b_gradient)


@_pass
def item_pass(
    batch: Batch,
    users: Side,
    items: Side,
    objective: Objective,
    delta: Array,
    gradient: Gradient,
) -> None:
    """Leave the items' gradient, from ``delta`` and the user rows that made it."""
    for s in prange(len(batch.item_rows)):
        _item_gradient(s, batch, users, items, objective, delta, gradient)


@_row
def _item_gradient(s, batch, users, items, objective, delta, gradient):  # type: ignore[no-untyped-def]
    real = items.bias.dtype.type
    n_factors = items.factors.shape[1]
    scale = real(2 / len(batch.values))
    item, begin, end = batch.item_rows[s], batch.item_starts[s], batch.item_starts[s + 1]
    reg, reg_bias = real(objective.reg * (end - begin)), real(objective.reg_bias * (end - begin))
    q, b = items.factors[item], items.bias[item]
    q_gradient, b_gradient = gradient.factors[s], scale * reg_bias * b

    squares = real(0)
    for f in range(n_factors):
        squares += q[f] * q[f]
        q_gradient[f] = scale * reg * q[f]

    for n in range(begin, end):
        at = batch.item_order[n]
        d, p = delta[at], users.factors[batch.users[at]]
        b_gradient += d
        for f in range(n_factors):
            q_gradient[f] += d * p[f]

    gradient.bias[s] = b_gradient
    gradient.sums[s, 0] = 0.0
    gradient.sums[s, 1] = reg * squares + reg_bias * b * b
    gradient.sums[s, 2] = _norm_squared(q_gradient, b_gradient)


@_row
def _norm_squared(factors_gradient, bias_gradient):  # type: ignore[no-untyped-def]
    norm_squared = bias_gradient * bias_gradient
    for f in range(len(factors_gradient)):
        norm_squared += factors_gradient[f] * factors_gradient[f]
    return norm_squared


@_pass
def momentum_step(
    side: Side,
    rows: Rows,
    gradient: Gradient,
    scale: float,
    lr: float,
    momentum: float,
    step: int,
) -> None:
    """Step the touched rows: ``v = momentum * v + scale * gradient; w -= lr * v``.

    ``scale`` is 1, unless the gradient is clipped.
    """
    for n in prange(len(rows)):
        _step_row(n, rows[n], side, gradient, scale, lr, momentum, step)


@_row
def _step_row(n, row, side, gradient, scale, lr, momentum, step):  # type: ignore[no-untyped-def]
    real = side.bias.dtype.type
    share, rate, keep = real(scale), real(lr), real(momentum)
    side.bias_velocity[row] = keep * side.bias_velocity[row] + share * gradient.bias[n]
    side.bias[row] -= rate * side.bias_velocity[row]
    for f in range(side.factors.shape[1]):
        velocity = keep * side.factor_velocity[row, f] + share * gradient.factors[n, f]
        side.factor_velocity[row, f] = velocity
        side.factors[row, f] -= rate * velocity
    side.last_step[row] = step
