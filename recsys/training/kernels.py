"""The compiled passes over a batch.

Each pass walks over rows in a fixed order. The rows are cut into a fixed number of parts, each
done by the thread that is free next and summed by itself, and no two threads write one place, so
the bits are the same for any number of threads. The arithmetic is that of
`recsys.model.embedding_dot_bias.EmbeddingDotBias`; ``docs/performance.md`` draws the layout.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
from numba import prange

from recsys.training.batches import Batch
from recsys.training.prefetch import prefetch
from recsys.training.row_kernels import (
    Array,
    Gradient,
    Move,
    Side,
    glide_row,
    limit,
    norm_squared_of,
    of_a_row,
    over_rows,
    penalise,
    prefetch_row,
    step_row,
)
from recsys.training.shared_counter import take_next

# A thread that waits for the others keeps its core for some microseconds, then gives it up: on a
# machine that is shared, the one it waits for may need it. Read when threads are first started.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")
_N_CORES = numba.get_num_threads()
numba.set_num_threads(1)  # until `use_threads` is asked: threads that wait in vain cost time
# A thread needs so many ratings of a batch to be worth waking up.
_RATINGS_PER_THREAD = 10_000
# A batch's rows are cut into so many parts of about as many ratings each.
N_PARTS = 16
# Ratings are worked on four at a time, and their rows asked for four rounds ahead.
_AHEAD = np.uint64(16)
# A user has many ratings in a batch, an item may have a single one: further items are asked for.
_ITEMS_AHEAD = 4
_1, _2, _3, _4 = (np.uint64(n) for n in (1, 2, 3, 4))


COMPILING = "compiling the kernels, once per installation: about half a minute"


def need_compiling() -> bool:
    """Say whether the passes have yet to be compiled, because they are new here or changed."""
    changed = _changed()
    kept = _kept("kernels.user_pass")
    return all(index.stat().st_mtime < changed for index in kept)


def forget_older() -> None:
    """Delete what was compiled before any of the sources changed.

    numba compares the time of the file that a function stands in, not of those that it calls.
    """
    changed = _changed()
    for index in _kept("*kernels.*"):
        with contextlib.suppress(OSError):  # another process may be faster, or the folder read-only
            if index.stat().st_mtime < changed:
                index.unlink()


def _changed() -> float:
    names = ("kernels", "row_kernels", "prefetch", "shared_counter")
    return max(Path(__file__).with_name(f"{name}.py").stat().st_mtime for name in names)


def _kept(functions: str) -> Iterator[Path]:
    return Path(str(user_pass.stats.cache_path)).glob(f"{functions}-*.nbi")


def use_threads(n_threads: int | None, batch_size: int) -> None:
    """Run the passes on at most ``n_threads``, None being one per core.

    There are never more than cores, nor more than batches of this size keep busy. The number
    changes no result.
    """
    useful = max(1, batch_size // _RATINGS_PER_THREAD)
    numba.set_num_threads(min(n_threads or _N_CORES, _N_CORES, useful))


class Work(NamedTuple):
    """What the passes over a batch hand to each other."""

    user_factors: Array
    """(n_users_here, n_factors) the users' embeddings before they move, side by side."""
    delta: Array
    """(batch_size,) dloss/dz of each rating, by user."""


class Objective(NamedTuple):
    """What the loss of `EmbeddingDotBias.loss` needs to know, as plain numbers."""

    global_mean: float
    ranged: bool
    low: float
    high: float
    reg: float
    reg_bias: float


@over_rows
def user_pass(
    batch: Batch,
    users: Side,
    items: Side,
    objective: Objective,
    work: Work,
    gradient: Gradient,
    move: Move,
) -> None:
    """Predict, and leave the users' gradient and dloss/dz of each rating."""
    taken = np.zeros(1, np.int64)
    for _ in prange(N_PARTS):  # a thread stays in its first round until no part is left
        part = take_next(taken)
        while part < N_PARTS:
            _user_part(part, batch, users, items, objective, work, gradient, move)
            part = take_next(taken)


@of_a_row
def _user_part(part, batch, users, items, objective, work, gradient, move):  # type: ignore[no-untyped-def]
    squared_error = penalty = norm_squared = 0.0
    first, end = _rows_of(part, batch.user_starts)
    for s in range(first, end):
        row = batch.user_rows[s]
        if s + 1 < len(batch.user_rows):
            prefetch_row(batch.user_rows[s + 1], users)
        glide_row(row, users, move)
        at = np.int64(part) if move.at_once else np.int64(s)
        n_ratings = batch.user_starts[s + 1] - batch.user_starts[s]
        penalty += penalise(at, row, n_ratings, users, batch, objective, gradient)
        squared_error += _user_gradient(s, at, batch, users, items, objective, work, gradient)
        limit(at, n_ratings, gradient, move)
        if move.at_once:
            norm_squared += step_row(at, row, users, gradient, 1.0, move)
        else:
            norm_squared += norm_squared_of(at, gradient)
    gradient.sums[part, 0], gradient.sums[part, 1] = squared_error, penalty
    gradient.sums[part, 2] = norm_squared


@of_a_row
def _user_gradient(s, at, batch, users, items, objective, work, gradient):  # type: ignore[no-untyped-def]
    rows, values, delta = batch.items, batch.values, work.delta
    p, q, item_bias, p_gradient = work.user_factors, items.factors, items.bias, gradient.factors
    real = values.dtype.type
    n_factors = q.shape[1]
    begin, end = np.uint64(batch.user_starts[s]), np.uint64(batch.user_starts[s + 1])
    user = batch.user_rows[s]
    scale, offset = real(2 / len(values)), real(objective.global_mean) + users.bias[user]
    for f in range(n_factors):
        p[s, f] = users.factors[user, f]

    squared_error, delta_sum = 0.0, real(0)
    n_round = np.uint64(max(len(rows) - 3, 0))
    for n in range(begin, end, _4):
        if n + _AHEAD < n_round:
            prefetch(q, rows[n + _AHEAD])
            prefetch(q, rows[n + _AHEAD + _1])
            prefetch(q, rows[n + _AHEAD + _2])
            prefetch(q, rows[n + _AHEAD + _3])
        # The last round of a row repeats its last rating; what is repeated does not count.
        n1, n2, n3 = min(n + _1, end - _1), min(n + _2, end - _1), min(n + _3, end - _1)
        i0, i1, i2, i3 = rows[n], rows[n1], rows[n2], rows[n3]
        z0, z1, z2, z3 = real(0), real(0), real(0), real(0)
        for f in range(n_factors):
            z0 += p[s, f] * q[i0, f]
            z1 += p[s, f] * q[i1, f]
            z2 += p[s, f] * q[i2, f]
            z3 += p[s, f] * q[i3, f]
        e0, d0 = _error(offset + item_bias[i0] + z0, values[n], scale, objective)
        e1, d1 = _error(offset + item_bias[i1] + z1, values[n1], scale, objective)
        e2, d2 = _error(offset + item_bias[i2] + z2, values[n2], scale, objective)
        e3, d3 = _error(offset + item_bias[i3] + z3, values[n3], scale, objective)
        delta[n], delta[n1], delta[n2], delta[n3] = d0, d1, d2, d3
        if n + _4 > end:
            e1, d1 = (e1, d1) if n + _1 < end else (real(0), real(0))
            e2, d2 = (e2, d2) if n + _2 < end else (real(0), real(0))
            e3, d3 = real(0), real(0)
        squared_error += e0 * e0 + e1 * e1 + e2 * e2 + e3 * e3
        delta_sum += d0 + d1 + d2 + d3
        for f in range(n_factors):
            p_gradient[at, f] += d0 * q[i0, f] + d1 * q[i1, f] + d2 * q[i2, f] + d3 * q[i3, f]
    gradient.bias[at] += delta_sum
    return squared_error


@of_a_row
def _error(z, value, scale, objective):  # type: ignore[no-untyped-def]
    """Return r^ - r and dloss/dz of a rating of score z."""
    if not objective.ranged:
        return z - value, scale * (z - value)
    one = type(z)(1)
    low, width = type(z)(objective.low), type(z)(objective.high - objective.low)
    sigmoid = one / (one + np.exp(-z))
    error = low + width * sigmoid - value
    return error, scale * error * width * sigmoid * (one - sigmoid)


@over_rows
def item_pass(
    batch: Batch, items: Side, objective: Objective, work: Work, gradient: Gradient, move: Move
) -> None:
    """Leave the items' gradient, from what the pass by user has left."""
    taken = np.zeros(1, np.int64)
    for _ in prange(N_PARTS):  # a thread stays in its first round until no part is left
        part = take_next(taken)
        while part < N_PARTS:
            _item_part(part, batch, items, objective, work, gradient, move)
            part = take_next(taken)


@of_a_row
def _item_part(part, batch, items, objective, work, gradient, move):  # type: ignore[no-untyped-def]
    penalty = norm_squared = 0.0
    first, end = _rows_of(part, batch.item_starts)
    for s in range(first, end):
        row = batch.item_rows[s]
        if s + _ITEMS_AHEAD < len(batch.item_rows):
            prefetch_row(batch.item_rows[s + _ITEMS_AHEAD], items)
        at = np.int64(part) if move.at_once else np.int64(s)
        n_ratings = batch.item_starts[s + 1] - batch.item_starts[s]
        penalty += penalise(at, row, n_ratings, items, batch, objective, gradient)
        _item_gradient(s, at, batch, work, gradient)
        limit(at, n_ratings, gradient, move)
        if move.at_once:
            norm_squared += step_row(at, row, items, gradient, 1.0, move)
        else:
            norm_squared += norm_squared_of(at, gradient)
    gradient.sums[part, 0], gradient.sums[part, 1] = 0.0, penalty
    gradient.sums[part, 2] = norm_squared


@of_a_row
def _item_gradient(s, at, batch, work, gradient):  # type: ignore[no-untyped-def]
    slots, positions, delta = batch.user_slots, batch.user_positions, work.delta
    p, q_gradient, real = work.user_factors, gradient.factors, delta.dtype.type
    begin, end = np.uint64(batch.item_starts[s]), np.uint64(batch.item_starts[s + 1])
    delta_sum, n_round = real(0), np.uint64(max(len(slots) - 3, 0))
    for n in range(begin, end, _4):
        if n + _AHEAD < n_round:
            prefetch(p, slots[n + _AHEAD])
            prefetch(p, slots[n + _AHEAD + _1])
            prefetch(p, slots[n + _AHEAD + _2])
            prefetch(p, slots[n + _AHEAD + _3])
            prefetch(delta, positions[n + _AHEAD])
            prefetch(delta, positions[n + _AHEAD + _1])
            prefetch(delta, positions[n + _AHEAD + _2])
            prefetch(delta, positions[n + _AHEAD + _3])
        n1, n2, n3 = min(n + _1, end - _1), min(n + _2, end - _1), min(n + _3, end - _1)
        u0, u1, u2, u3 = slots[n], slots[n1], slots[n2], slots[n3]
        d0, d1 = delta[positions[n]], delta[positions[n1]]
        d2, d3 = delta[positions[n2]], delta[positions[n3]]
        if n + _4 > end:
            d1 = d1 if n + _1 < end else real(0)
            d2 = d2 if n + _2 < end else real(0)
            d3 = real(0)
        delta_sum += d0 + d1 + d2 + d3
        for f in range(q_gradient.shape[1]):
            q_gradient[at, f] += d0 * p[u0, f] + d1 * p[u1, f] + d2 * p[u2, f] + d3 * p[u3, f]
    gradient.bias[at] += delta_sum


@of_a_row
def _rows_of(part, starts):  # type: ignore[no-untyped-def]
    """Return the first row of a part, and the first of the next; parts have alike many ratings."""
    n_ratings = np.int64(starts[-1])
    begin = np.int64(part) * n_ratings // N_PARTS
    end = np.int64(part + 1) * n_ratings // N_PARTS
    return np.searchsorted(starts[:-1], begin), np.searchsorted(starts[:-1], end)


forget_older()
