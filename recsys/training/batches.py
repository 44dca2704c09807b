"""Mini-batches in the order in which the kernels visit them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings

Rows = NDArray[np.uint32]


class Batch(NamedTuple):
    """One mini-batch, sorted by user and within a user by item.

    User row ``user_rows[s]`` has the ratings from ``user_starts[s]`` to ``user_starts[s + 1]``.
    Item row ``item_rows[s]`` has those at ``item_order[item_starts[s]:item_starts[s + 1]]``.
    """

    users: Rows
    """(batch_size,) uint32 user row of each rating, ascending."""
    items: Rows
    """(batch_size,) uint32 item row of each rating."""
    values: NDArray[np.floating]
    """(batch_size,) of the model's dtype, stars."""
    user_rows: Rows
    """(n_users_here,) uint32, the distinct users, ascending."""
    user_starts: Rows
    """(n_users_here + 1,) uint32, from 0 to batch_size."""
    item_rows: Rows
    """(n_items_here,) uint32, the distinct items, ascending."""
    item_starts: Rows
    """(n_items_here + 1,) uint32, from 0 to batch_size."""
    item_order: Rows
    """(batch_size,) uint32 positions in the batch, sorted by item."""


@dataclass(frozen=True)
class Batches:
    """A training set cut into mini-batches once; epochs only permute their order.

    Parameters
    ----------
    train : Ratings
        With values.
    batch_size : int
        Largest size of a batch; sizes differ by one at most.
    rng : numpy.random.Generator
        Decides which ratings share a batch.
    dtype : float32 or float64
        Of the values.
    """

    batches: tuple[Batch, ...]
    n_ratings: int

    @classmethod
    def cut(
        cls,
        train: Ratings,
        batch_size: int,
        rng: np.random.Generator,
        dtype: np.typing.DTypeLike = np.float32,
    ) -> Batches:
        """Return the batches of ``train``."""
        if train.values is None:
            raise TypeError("implicit feedback has no values")
        n_batches = -(-train.n_ratings // batch_size)
        shuffled = rng.permutation(train.n_ratings)
        batches = []
        for chosen in np.array_split(shuffled, n_batches):
            # Sorted by user, then by item.
            order = chosen[np.lexsort((train.items[chosen], train.users[chosen]))]
            users, items = (
                train.users[order].astype(np.uint32),
                train.items[order].astype(np.uint32),
            )
            item_order = np.argsort(items, kind="stable").astype(np.uint32)
            user_rows, user_starts = _runs(users)
            item_rows, item_starts = _runs(items[item_order])
            batches.append(
                Batch(
                    users=users,
                    items=items,
                    values=train.values[order].astype(dtype),
                    user_rows=user_rows,
                    user_starts=user_starts,
                    item_rows=item_rows,
                    item_starts=item_starts,
                    item_order=item_order,
                )
            )
        return cls(tuple(batches), train.n_ratings)

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield every batch once, in a fresh random order."""
        for number in rng.permutation(len(self.batches)):
            yield self.batches[number]


def _runs(sorted_rows: Rows) -> tuple[Rows, Rows]:
    """Return the distinct rows, and where the run of each begins and the last one ends."""
    rows, starts = np.unique(sorted_rows, return_index=True)
    return rows, np.append(starts, len(sorted_rows)).astype(np.uint32)
