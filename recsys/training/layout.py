"""The compiled sorting of ratings into mini-batches, in time proportional to their number."""

from __future__ import annotations

import numpy as np
from numba import njit

_compiled = njit(cache=True)


@_compiled
def deal(users, items, values, n_runs, order, ratings_from):  # type: ignore[no-untyped-def]
    """Return users, items and values of all batches, one after the other, each by user.

    A user's ratings are dealt, like cards, to the user's runs; the runs of all users are laid in
    a row as ``order`` says, and the row is cut at ``ratings_from``.

    Parameters
    ----------
    users, items, values : (n_ratings,)
    n_runs : (n_users,) int64
    order : (n_runs.sum(),) int64
        Permutation of all runs, those of the first user counted first.
    ratings_from : (n_batches + 1,) int64
    """
    n_ratings, n_users, n_batches = len(users), len(n_runs), len(ratings_from) - 1
    by_user, user_from = _sort(users, n_users)

    run_size = np.empty(len(order), np.int64)
    run = 0
    for user in range(n_users):
        count = user_from[user + 1] - user_from[user]
        for n in range(n_runs[user]):
            run_size[run] = (count - n + n_runs[user] - 1) // n_runs[user]
            run += 1
    run_next = np.empty(len(order), np.int64)  # where the run's next rating goes in the row
    at = 0
    for run in order:
        run_next[run] = at
        at += run_size[run]

    batch_next = ratings_from[:-1].copy()
    of_user, of_item = np.empty(n_ratings, np.uint32), np.empty(n_ratings, np.uint32)
    of_value = np.empty(n_ratings, values.dtype)
    first_run = 0
    for user in range(n_users):
        for n in range(user_from[user + 1] - user_from[user]):
            rating, run = by_user[user_from[user] + n], first_run + n % n_runs[user]
            batch = _batch_of(run_next[run], n_ratings, n_batches)
            run_next[run] += 1
            at = batch_next[batch]
            batch_next[batch] += 1
            of_user[at], of_item[at], of_value[at] = user, items[rating], values[rating]
        first_run += n_runs[user]
    return of_user, of_item, of_value


@_compiled
def sort_by_item(users, items, n_items, ratings_from):  # type: ignore[no-untyped-def]
    """Return the arrays of `recsys.training.batches.Batch` from ``item_positions`` on.

    After them come ``users_from`` and ``items_from`` of `recsys.training.batches.Batches`.
    """
    n_ratings, n_batches = len(users), len(ratings_from) - 1
    positions, slots = np.empty(n_ratings, np.uint32), np.empty(n_ratings, np.uint32)
    # As many rows as ratings at most; what is not written takes no memory.
    user_rows, user_starts = np.empty(n_ratings, np.uint32), _starts(n_ratings, n_batches)
    item_rows, item_starts = np.empty(n_ratings, np.uint32), _starts(n_ratings, n_batches)
    users_from, items_from = np.zeros(n_batches + 1, np.int64), np.zeros(n_batches + 1, np.int64)
    n_users_seen = n_items_seen = 0
    item_next = np.empty(n_items, np.int64)
    for batch in range(n_batches):
        begin, end = ratings_from[batch], ratings_from[batch + 1]
        item_next[:] = 0
        for n in range(begin, end):
            item_next[items[n]] += 1
        at = 0
        for item in range(n_items):
            count = item_next[item]
            item_next[item] = at
            if count:
                item_rows[n_items_seen], item_starts[n_items_seen + batch] = item, at
                n_items_seen += 1
            at += count
        for n in range(begin, end):
            if n == begin or users[n] != users[n - 1]:
                user_rows[n_users_seen], user_starts[n_users_seen + batch] = users[n], n - begin
                n_users_seen += 1
            at = item_next[items[n]]
            item_next[items[n]] += 1
            positions[n], slots[begin + at] = at, n_users_seen - 1 - users_from[batch]
        user_starts[n_users_seen + batch] = item_starts[n_items_seen + batch] = end - begin
        users_from[batch + 1], items_from[batch + 1] = n_users_seen, n_items_seen
    return (
        positions,
        slots,
        user_rows[:n_users_seen].copy(),
        user_starts[: n_users_seen + n_batches].copy(),
        item_rows[:n_items_seen].copy(),
        item_starts[: n_items_seen + n_batches].copy(),
        users_from,
        items_from,
    )


@_compiled
def _sort(keys, n_keys):  # type: ignore[no-untyped-def]
    """Return the positions of ``keys`` in their order, and where each key begins."""
    begins = np.zeros(n_keys + 1, np.int64)
    for key in keys:
        begins[key + 1] += 1
    for key in range(n_keys):
        begins[key + 1] += begins[key]
    next_at = begins[:-1].copy()
    positions = np.empty(len(keys), np.uint32)
    for n, key in enumerate(keys):
        positions[next_at[key]] = n
        next_at[key] += 1
    return positions, begins


@_compiled
def _batch_of(at, n_ratings, n_batches):  # type: ignore[no-untyped-def]
    """Return the batch whose share of the row holds ``at``: the last b with b n // B <= at."""
    return ((at + 1) * n_batches - 1) // n_ratings


@_compiled
def _starts(n_ratings, n_batches):  # type: ignore[no-untyped-def]
    return np.empty(n_ratings + n_batches, np.uint32)
