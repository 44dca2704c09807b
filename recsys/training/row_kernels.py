"""What is done to one row, a user's or an item's, and to rows one by one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from recsys.training.batches import Rows
from recsys.training.prefetch import prefetch

Array = NDArray[np.floating]

# Sums may be reordered to fill vector registers; NaN and infinity keep their meaning, because a
# training that diverges must be noticed.
_OPTIONS: dict[str, Any] = {
    "cache": True,
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
    "error_model": "numpy",
    "forceinline": True,
    "_nrt": False,  # nothing is allocated, so that references to arrays need not be counted
}
of_a_row = njit(**_OPTIONS)
# The passes only spread parts over the threads. What happens to one stands in a function of its
# own: numba 0.6x drops stores to a named tuple's array from inside a `prange` loop.
over_rows = njit(parallel=True, cache=True)


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
    penalty_weight: Array
    """(n_rows,) how often a rating counts in its row's penalties."""
    last_step: NDArray[np.int64]
    """(n_rows,) step of the epoch that the row has reached."""


class Gradient(NamedTuple):
    """Where a pass leaves the gradient of rows, and what it sums over them."""

    factors: Array
    """(n_rows, n_factors) by the row's place in the batch; by part, if rows move at once."""
    bias: Array
    """(n_rows,)"""
    sums: NDArray[np.float64]
    """(N_PARTS, 3) each part's share of the squared error and of the penalty, neither divided by
    the batch's size yet, and of the square of the gradient's norm."""


class Move(NamedTuple):
    """How rows move in one step of an epoch."""

    step: int
    """Counted from 0."""
    lr: float
    momentum: float
    row_limit: float
    """Ratings of a row that count; infinite if all do."""
    at_once: bool
    """Whether a pass also steps its rows; not if the gradient is only wanted, or clipped first."""
    log_decay: NDArray[np.float64]
    reach: NDArray[np.float64]
    """The epoch's, of `recsys.training.compiled.plan_glide`."""


@over_rows
def glide(side: Side, rows: Rows, move: Move) -> None:
    """Bring rows that earlier batches left untouched to the present step.

    Between the steps s and t an untouched row's gradient is zero, so its velocity only decays,
    by the product r of the momenta, and its parameters glide on by the sum of the decayed
    velocities. With ``reach[s]`` = the distance that a unit velocity at s still travels until
    the epoch ends, that sum is ``reach[s] - r * reach[t]`` (`recsys.training.compiled.plan_glide`).
    """
    for n in prange(len(rows)):
        glide_row(rows[n], side, move)


@of_a_row
def glide_row(row, side, move):  # type: ignore[no-untyped-def]
    """Bring one row to the present step."""
    since, step = side.last_step[row], move.step
    if since == step:
        return
    real = side.bias.dtype.type
    exact_decay = np.exp(move.log_decay[step] - move.log_decay[since])
    decay = real(exact_decay)
    distance = real(move.reach[since] - exact_decay * move.reach[step])
    side.bias[row] -= distance * side.bias_velocity[row]
    side.bias_velocity[row] *= decay
    factors, velocity = side.factors[row], side.factor_velocity[row]
    for f in range(len(factors)):
        factors[f] -= distance * velocity[f]
        velocity[f] *= decay
    side.last_step[row] = step


@over_rows
def momentum_step(side: Side, rows: Rows, gradient: Gradient, scale: float, move: Move) -> None:
    """Step the touched rows: ``v = momentum * v + scale * gradient; w -= lr * v``.

    ``scale`` is 1, unless the gradient is clipped.
    """
    for n in prange(len(rows)):
        step_row(n, rows[n], side, gradient, scale, move)


@of_a_row
def step_row(at, row, side, gradient, scale, move):  # type: ignore[no-untyped-def]
    """Step one row by the gradient at ``at``; return the square of the gradient's norm."""
    real = side.bias.dtype.type
    share, rate, keep = real(scale), real(move.lr), real(move.momentum)
    of_bias = gradient.bias[at]
    side.bias_velocity[row] = keep * side.bias_velocity[row] + share * of_bias
    side.bias[row] -= rate * side.bias_velocity[row]
    factors, velocity = side.factors[row], side.factor_velocity[row]
    of_factors, norm_squared = gradient.factors[at], of_bias * of_bias
    for f in range(len(factors)):
        norm_squared += of_factors[f] * of_factors[f]
        velocity[f] = keep * velocity[f] + share * of_factors[f]
        factors[f] -= rate * velocity[f]
    side.last_step[row] = move.step + 1
    return norm_squared


@of_a_row
def penalise(at, row, n_ratings, side, batch, objective, gradient):  # type: ignore[no-untyped-def]
    """Begin a row's gradient with that of its penalty; return the penalty."""
    real = side.bias.dtype.type
    scale, weight = real(2 / len(batch.values)), n_ratings * side.penalty_weight[row]
    reg, reg_bias = real(objective.reg * weight), real(objective.reg_bias * weight)
    factors, bias, of_factors = side.factors[row], side.bias[row], gradient.factors[at]
    squares = real(0)
    for f in range(len(factors)):
        squares += factors[f] * factors[f]
        of_factors[f] = scale * reg * factors[f]
    gradient.bias[at] = scale * reg_bias * bias
    return reg * squares + reg_bias * bias * bias


@of_a_row
def limit(at, n_ratings, gradient, move):  # type: ignore[no-untyped-def]
    """Scale the gradient of a row with too many ratings in the batch down to `Move.row_limit`."""
    if n_ratings <= move.row_limit:
        return
    share = gradient.bias.dtype.type(move.row_limit / n_ratings)
    gradient.bias[at] *= share
    of_factors = gradient.factors[at]
    for f in range(len(of_factors)):
        of_factors[f] *= share


@of_a_row
def norm_squared_of(at, gradient):  # type: ignore[no-untyped-def]
    """Return the square of the norm of the gradient at ``at``."""
    norm_squared = gradient.bias[at] * gradient.bias[at]
    of_factors = gradient.factors[at]
    for f in range(len(of_factors)):
        norm_squared += of_factors[f] * of_factors[f]
    return norm_squared


@of_a_row
def prefetch_row(row, side):  # type: ignore[no-untyped-def]
    """Have all that belongs to a row fetched."""
    prefetch(side.factors, row)
    prefetch(side.factor_velocity, row)
    prefetch(side.bias, row)
    prefetch(side.bias_velocity, row)
    prefetch(side.last_step, row)
