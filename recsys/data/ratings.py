from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.data.ids import IdMap
from recsys.errors import DataError


@dataclass(frozen=True)
class ItemMetadata:
    """What a release says about its items, one entry per item row.

    Attributes
    ----------
    titles : tuple of str or None
        Without the year in parentheses.
    years : tuple of int or None
        Year of release.
    genres : tuple of tuple of str
        Empty where the release names none.
    """

    titles: tuple[str | None, ...]
    years: tuple[int | None, ...]
    genres: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if not len(self.titles) == len(self.years) == len(self.genres):
            raise DataError("titles, years and genres differ in length")

    @classmethod
    def unknown(cls, n_items: int) -> ItemMetadata:
        """Return metadata that knows nothing about ``n_items`` items."""
        return cls((None,) * n_items, (None,) * n_items, ((),) * n_items)

    def __len__(self) -> int:
        return len(self.titles)

    def take(self, rows: NDArray[np.integer]) -> ItemMetadata:
        """Return the entries at ``rows``, in that order."""
        return ItemMetadata(
            tuple(self.titles[row] for row in rows),
            tuple(self.years[row] for row in rows),
            tuple(self.genres[row] for row in rows),
        )


UNKNOWN_METADATA = ItemMetadata((), (), ())
# NumPy counts in a copy of 8 bytes a rating: of so many at a time.
_COUNTED_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Ratings:
    """Who rated what, and how: frozen arrays with the maps back to the caller's ids.

    Attributes
    ----------
    name : str
        The data set's name: that of a MovieLens release, or of the file.
    user_ids, item_ids : IdMap
        The caller's id of each user row and item row.
    users, items : (n_ratings,) int32
        Row numbers into the id maps. A pair occurs once.
    values : (n_ratings,) float32 or None
        The ratings, finite; None where the data is implicit feedback.
    timestamps : (n_ratings,) int64 or None
        Seconds since 1970-01-01 UTC.
    metadata : ItemMetadata
        Titles, years and genres by item row.

    Raises
    ------
    DataError
        If the arrays contradict each other.
    """

    name: str
    user_ids: IdMap
    item_ids: IdMap
    users: NDArray[np.int32]
    items: NDArray[np.int32]
    values: NDArray[np.float32] | None = None
    timestamps: NDArray[np.int64] | None = None
    metadata: ItemMetadata = UNKNOWN_METADATA

    def __post_init__(self) -> None:
        if self.metadata is UNKNOWN_METADATA:
            object.__setattr__(self, "metadata", ItemMetadata.unknown(len(self.item_ids)))
        for name, dtype in (
            ("users", np.int32),
            ("items", np.int32),
            ("values", np.float32),
            ("timestamps", np.int64),
        ):
            array = getattr(self, name)
            if array is None:
                continue
            if array.dtype != dtype or array.shape != (self.n_ratings,):
                raise DataError(
                    f"{name} is {array.dtype} {array.shape}",
                    allowed=f"{np.dtype(dtype)} ({self.n_ratings},)",
                )
            # A view: the caller's own array stays as writeable as it was.
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)
        for name, rows, n_rows in (
            ("users", self.users, self.n_users),
            ("items", self.items, self.n_items),
        ):
            if self.n_ratings and not 0 <= rows.min() <= rows.max() < n_rows:
                raise DataError(f"{name} has rows outside its id map", allowed=f"0 to {n_rows - 1}")
        if self.values is not None and not np.isfinite(self.values).all():
            raise DataError("a rating is not a finite number")
        if len(self.metadata) != self.n_items:
            raise DataError(f"metadata for {len(self.metadata)} items, ids for {self.n_items}")

    @property
    def n_users(self) -> int:
        """Number of user rows, those without ratings included."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of item rows, those without ratings included."""
        return len(self.item_ids)

    @property
    def n_ratings(self) -> int:
        """Number of ratings."""
        return len(self.users)

    @cached_property
    def counts_by_user(self) -> NDArray[np.int64]:
        """Number of ratings of each user, (n_users,) int64, read-only."""
        return _counts(self.users, self.n_users)

    @cached_property
    def counts_by_item(self) -> NDArray[np.int64]:
        """Number of ratings of each item, (n_items,) int64, read-only."""
        return _counts(self.items, self.n_items)

    @property
    def is_implicit(self) -> bool:
        """Whether there are no rating values, only who took what."""
        return self.values is None

    @property
    def rating_scale(self) -> tuple[float, float]:
        """The smallest and largest rating, (0, 0) for implicit feedback or no ratings."""
        if self.values is None or not self.n_ratings:
            return 0.0, 0.0
        return float(self.values.min()), float(self.values.max())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids, rows, values and timestamps, as hexadecimal digits."""
        digest = hashlib.sha256()
        for ids in (self.user_ids, self.item_ids):
            digest.update(("\n".join(ids) + "\n\n").encode())
        for array in (self.users, self.items, self.values, self.timestamps):
            # The length tells absent from empty, and where one array ends.
            digest.update(b"absent" if array is None else b"%d:" % len(array))
            if array is not None:
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def with_metadata(self, metadata: ItemMetadata) -> Ratings:
        """Return the same ratings with other metadata; what is known of them stays known."""
        changed = replace(self, metadata=metadata)
        for name in ("fingerprint", "counts_by_user", "counts_by_item"):
            if name in self.__dict__:
                changed.__dict__[name] = self.__dict__[name]
        return changed

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.integer] | slice) -> Ratings:
        """Return the chosen ratings; the id maps stay as they are.

        A mask or positions make copies, a slice shares the memory.
        """
        return replace(
            self,
            users=self.users[chosen],
            items=self.items[chosen],
            values=None if self.values is None else self.values[chosen],
            timestamps=None if self.timestamps is None else self.timestamps[chosen],
        )

    def compact(self) -> Ratings:
        """Return the same ratings without the users and items that have none."""
        user_rows, users = np.unique(self.users, return_inverse=True)
        item_rows, items = np.unique(self.items, return_inverse=True)
        if len(user_rows) == self.n_users and len(item_rows) == self.n_items:
            return self
        return replace(
            self,
            user_ids=self.user_ids.take(user_rows),
            item_ids=self.item_ids.take(item_rows),
            users=users.astype(np.int32),
            items=items.astype(np.int32),
            metadata=self.metadata.take(item_rows),
        )

    def rows_in(self, other: Ratings) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return this data's users and items as rows of ``other``, -1 where unknown there."""
        return (
            other.user_ids.rows(self.user_ids)[self.users],
            other.item_ids.rows(self.item_ids)[self.items],
        )


def _counts(rows: NDArray[np.int32], n_rows: int) -> NDArray[np.int64]:
    counts = np.zeros(n_rows, np.int64)
    for first in range(0, len(rows), _COUNTED_AT_ONCE):
        counts += np.bincount(rows[first : first + _COUNTED_AT_ONCE], minlength=n_rows)
    counts.flags.writeable = False
    return counts
