"""The compiled sorting of ratings into mini-batches, in time proportional to their number.

Groups of users, and then batches, are dealt with side by side on several threads; no two of them
write one place.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

_compiled = njit(cache=True)
_side_by_side = njit(cache=True, parallel=True)

# Users are cut into so many groups of about as many ratings each.
_N_GROUPS = 16


@_side_by_side
def deal(users, items, values, n_by_user, n_runs, order, ratings_from):  # type: ignore[no-untyped-def]
    """Return users, items and values of all batches, one after the other, each by user.

    A user's ratings are dealt, like cards, to the user's runs; the runs of all users are laid in
    a row as ``order`` says, and the row is cut at ``ratings_from``.

    Parameters
    ----------
    users, items, values : (n_ratings,)
    n_by_user : (n_users,) int64
        Ratings of each user.
    n_runs : (n_users,) int64
    order : (n_runs.sum(),) int64
        Permutation of all runs, those of the first user counted first.
    ratings_from : (n_batches + 1,) int64
    """
    n_ratings = len(users)
    user_from, by_user = _sort(users, n_by_user)
    run_from, run_begin, run_end = _lay_in_a_row(user_from, n_runs, order)
    group_from = np.arange(_N_GROUPS + 1) * n_ratings // _N_GROUPS
    user_group_from = np.searchsorted(user_from[:-1], group_from)

    # Where each group's next rating of each batch goes.
    places = np.zeros((_N_GROUPS + 1, len(ratings_from) - 1), np.int64)
    run_batch = np.empty(len(order), np.int64)
    for group in prange(_N_GROUPS):
        first, end = run_from[user_group_from[group]], run_from[user_group_from[group + 1]]
        for run in range(first, end):
            run_batch[run] = _count(run_begin[run], run_end[run], ratings_from, places[group + 1])
    places[0] = ratings_from[:-1]
    for group in range(_N_GROUPS):
        places[group + 1] += places[group]

    dealt = (
        np.empty(n_ratings, np.uint32),
        np.empty(n_ratings, np.uint32),
        np.empty(n_ratings, values.dtype),
    )
    for group in prange(_N_GROUPS):
        for user in range(user_group_from[group], user_group_from[group + 1]):
            ratings = user_from[user], user_from[user + 1]
            runs = slice(run_from[user], run_from[user + 1])
            at = run_begin[runs], run_batch[runs]
            of_group = ratings_from, places[group]
            _deal_user(user, ratings, by_user, items, values, at, of_group, dealt)
    return dealt


@_compiled
def _lay_in_a_row(user_from, n_runs, order):  # type: ignore[no-untyped-def]
    """Return where each user's runs begin among all, and where in the row each begins and ends."""
    run_from = np.zeros(len(n_runs) + 1, np.int64)
    begin, end = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    for user in range(len(n_runs)):
        count, first = user_from[user + 1] - user_from[user], run_from[user]
        run_from[user + 1] = first + n_runs[user]
        for n in range(n_runs[user]):
            end[first + n] = (count - n + n_runs[user] - 1) // n_runs[user]  # its size, for now
    at = 0
    for run in order:
        begin[run] = at
        at += end[run]
        end[run] = at
    return run_from, begin, end


@_compiled
def _count(begin, end, ratings_from, n_by_batch):  # type: ignore[no-untyped-def]
    """Count a run's ratings to the batches that they fall into; return the first of these."""
    first = np.searchsorted(ratings_from, begin, side="right") - 1
    batch = first
    while begin < end:
        here = min(end, ratings_from[batch + 1]) - begin
        n_by_batch[batch] += here
        begin += here
        batch += 1
    return first


@_compiled
def _deal_user(user, ratings, by_user, items, values, runs, of_group, dealt):  # type: ignore[no-untyped-def]
    """Deal a user's ratings to the user's runs, and write them where these go."""
    (run_at, run_batch), (ratings_from, places) = runs, of_group
    of_user, of_item, of_value = dealt
    run = 0
    for n in range(ratings[0], ratings[1]):
        rating = by_user[n] if len(by_user) else n
        while run_at[run] >= ratings_from[run_batch[run] + 1]:
            run_batch[run] += 1
        at = places[run_batch[run]]
        places[run_batch[run]] += 1
        of_user[at], of_item[at], of_value[at] = user, items[rating], values[rating]
        run_at[run] += 1
        run = run + 1 if run + 1 < len(run_at) else 0


@_side_by_side
def sort_by_item(users, items, n_items, ratings_from):  # type: ignore[no-untyped-def]
    """Return the arrays of `recsys.training.batches.Batch` from ``user_positions`` on.

    After them come ``users_from`` and ``items_from`` of `recsys.training.batches.Batches`.
    """
    n_ratings, n_batches = len(users), len(ratings_from) - 1
    users_from, items_from = np.zeros(n_batches + 1, np.int64), np.zeros(n_batches + 1, np.int64)
    for batch in prange(n_batches):
        here = slice(ratings_from[batch], ratings_from[batch + 1])
        users_from[batch + 1] = _count_distinct(users[here])
        items_from[batch + 1] = np.count_nonzero(_count_by_item(items[here], n_items))
    users_from, items_from = np.cumsum(users_from), np.cumsum(items_from)

    positions, slots = np.empty(n_ratings, np.uint32), np.empty(n_ratings, np.uint32)
    user_rows, item_rows = np.empty(users_from[-1], np.uint32), np.empty(items_from[-1], np.uint32)
    user_starts = np.empty(users_from[-1] + n_batches, np.uint32)
    item_starts = np.empty(items_from[-1] + n_batches, np.uint32)
    for batch in prange(n_batches):
        here = slice(ratings_from[batch], ratings_from[batch + 1])
        of_users = slice(users_from[batch], users_from[batch + 1])
        of_items = slice(items_from[batch], items_from[batch + 1])
        starts = (
            user_starts[of_users.start + batch : of_users.stop + batch + 1],
            item_starts[of_items.start + batch : of_items.stop + batch + 1],
        )
        rows = user_rows[of_users], item_rows[of_items]
        _sort_batch(users[here], items[here], n_items, rows, starts, positions[here], slots[here])
    return (
        positions, slots, user_rows, user_starts, item_rows, item_starts, users_from, items_from,
    )  # fmt: skip


@_compiled
def _count_distinct(sorted_keys):  # type: ignore[no-untyped-def]
    """Return how many different keys there are; there is at least one."""
    n_keys = 1
    for n in range(1, len(sorted_keys)):
        n_keys += sorted_keys[n] != sorted_keys[n - 1]
    return n_keys


@_compiled
def _count_by_item(items, n_items):  # type: ignore[no-untyped-def]
    counts = np.zeros(n_items, np.int64)
    for item in items:
        counts[item] += 1
    return counts


@_compiled
def _sort_batch(users, items, n_items, rows, starts, positions, slots):  # type: ignore[no-untyped-def]
    """Fill in what one batch has of `sort_by_item`'s arrays."""
    (user_rows, item_rows), (user_starts, item_starts) = rows, starts
    item_next = _count_by_item(items, n_items)
    at = n_items_seen = 0
    for item in range(n_items):
        count = item_next[item]
        item_next[item] = at
        if count:
            item_rows[n_items_seen], item_starts[n_items_seen] = item, at
            n_items_seen += 1
        at += count
    n_users_seen = 0
    for n in range(len(users)):
        if n == 0 or users[n] != users[n - 1]:
            user_rows[n_users_seen], user_starts[n_users_seen] = users[n], n
            n_users_seen += 1
        at = item_next[items[n]]
        item_next[items[n]] += 1
        positions[at], slots[at] = n, n_users_seen - 1
    user_starts[n_users_seen] = item_starts[n_items_seen] = len(users)


@_compiled
def _sort(keys, n_by_key):  # type: ignore[no-untyped-def]
    """Return where each key begins, and the positions of ``keys`` in their order.

    No positions stand for all in place: files often are sorted by user, and memory that is new to
    the process takes longer to be given than to be filled.
    """
    begins = np.zeros(len(n_by_key) + 1, np.int64)
    begins[1:] = np.cumsum(n_by_key)
    n = 1
    while n < len(keys) and keys[n - 1] <= keys[n]:
        n += 1
    if n >= len(keys):
        return begins, np.empty(0, np.uint32)
    positions, next_at = np.empty(len(keys), np.uint32), begins.copy()
    for n, key in enumerate(keys):
        positions[next_at[key]] = n
        next_at[key] += 1
    return begins, positions
