"""Mini-batches in the order in which the kernels visit them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.training import layout

Rows = NDArray[np.uint32]

# So many bytes of user rows stay in a core's second-level cache beside what else a batch needs.
# A fixed number, not the machine's: what is trained must not depend on it.
_BYTES_OF_USER_ROWS = 1 << 18
# A run is one step of its user, of so many times a rating's. From 2 on it would overshoot, and
# embeddings make it steeper than a bias alone.
_LARGEST_STEP = 1.2


class Batch(NamedTuple):
    """One mini-batch, its ratings in two orders: by user and by item.

    The user row ``user_rows[s]`` has the ratings from ``user_starts[s]`` to ``user_starts[s + 1]``
    by user; the item row ``item_rows[s]`` those from ``item_starts[s]`` to ``item_starts[s + 1]``
    by item.
    """

    items: Rows
    """(batch_size,) uint32 item row of each rating, by user."""
    values: NDArray[np.floating]
    """(batch_size,) of the model's dtype, stars, by user."""
    user_positions: Rows
    """(batch_size,) uint32, by item: where the same rating stands by user."""
    user_slots: Rows
    """(batch_size,) uint32, by item: which of ``user_rows`` rated."""
    user_rows: Rows
    """(n_users_here,) uint32, the distinct users, ascending."""
    user_starts: Rows
    """(n_users_here + 1,) uint32, from 0 to batch_size."""
    item_rows: Rows
    """(n_items_here,) uint32, the distinct items, ascending."""
    item_starts: Rows
    """(n_items_here + 1,) uint32, from 0 to batch_size."""

    @property
    def users(self) -> Rows:
        """(batch_size,) uint32 user row of each rating, by user."""
        return np.repeat(self.user_rows, np.diff(self.user_starts))


@dataclass(frozen=True, eq=False)
class Batches:
    """A training set cut into mini-batches once; epochs only permute their order.

    All batches lie one after the other in the same arrays; `__getitem__` cuts one out.

    Attributes
    ----------
    flat : Batch
        The arrays of all batches. What a batch counts from zero is so here too; ``user_starts``
        and ``item_starts`` have one entry more per batch than there are rows.
    ratings_from, users_from, items_from : (n_batches + 1,) int64
        Where each batch's ratings, user rows and item rows begin.
    """

    flat: Batch
    ratings_from: NDArray[np.int64]
    users_from: NDArray[np.int64]
    items_from: NDArray[np.int64]

    @classmethod
    def cut(
        cls,
        train: Ratings,
        batch_size: int,
        rng: np.random.Generator,
        dtype: np.typing.DTypeLike = np.float32,
        run: int = 1,
    ) -> Batches:
        """Return the batches of ``train``.

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
        run : int
            Up to so many ratings of a user stay together (`run_length`): each user's ratings are
            dealt into equal runs, and the runs shuffled. 1 shuffles the ratings.
        """
        if train.values is None:
            raise TypeError("implicit feedback has no values")
        n_batches = -(-train.n_ratings // batch_size)
        ratings_from = np.arange(n_batches + 1) * train.n_ratings // n_batches
        n_runs = -(-train.counts_by_user // run)
        order = rng.permutation(int(n_runs.sum()))
        ratings = train.users, train.items, train.values
        users, items, values = layout.deal(
            *ratings, train.counts_by_user, n_runs, order, ratings_from
        )
        arrays = layout.sort_by_item(users, items, train.n_items, ratings_from)
        *by_item, users_from, items_from = arrays
        flat = Batch(items, values.astype(dtype, copy=False), *by_item)
        return cls(flat, ratings_from, users_from, items_from)

    def __len__(self) -> int:
        return len(self.ratings_from) - 1

    def __getitem__(self, number: int) -> Batch:
        if not 0 <= number < len(self):
            raise IndexError(number)
        ratings, users, items = (
            slice(starts[number], starts[number + 1])
            for starts in (self.ratings_from, self.users_from, self.items_from)
        )
        flat = self.flat
        return Batch(
            flat.items[ratings],
            flat.values[ratings],
            flat.user_positions[ratings],
            flat.user_slots[ratings],
            flat.user_rows[users],
            flat.user_starts[users.start + number : users.stop + number + 1],
            flat.item_rows[items],
            flat.item_starts[items.start + number : items.stop + number + 1],
        )

    def __iter__(self) -> Iterator[Batch]:
        return (self[number] for number in range(len(self)))

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield every batch once, in a fresh random order."""
        for number in rng.permutation(len(self)):
            yield self[number]

    @property
    def largest(self) -> tuple[int, int, int]:
        """The most ratings, user rows and item rows of a batch."""
        ratings, users, items = (
            int(np.diff(starts).max())
            for starts in (self.ratings_from, self.users_from, self.items_from)
        )
        return ratings, users, items


def run_length(n_users: int, batch_size: int, row_bytes: int, lr: float, momentum: float) -> int:
    """Return how many ratings of a user are kept together, so that a batch's users fit in cache.

    A batch of random ratings holds nearly every user's row. In runs, it holds about
    ``batch_size / run`` of them. Where all users fit, nothing is kept together. The ratings of a
    run add up to one step, which bounds its length: once momentum has run out, a rating moves
    its user's bias by ``2 lr / (1 - momentum) / batch_size`` of its error.

    Parameters
    ----------
    n_users, batch_size : int
    row_bytes : int
        Of an embedding.
    lr, momentum : float
        The highest of the training.
    """
    n_fitting = max(_BYTES_OF_USER_ROWS // row_bytes, 1)
    if n_users <= n_fitting:
        return 1
    share_of_a_rating = 2 * lr / (1 - momentum) / batch_size
    return max(min(-(-batch_size // n_fitting), int(_LARGEST_STEP / share_of_a_rating)), 1)
