from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.errors import DataError, NotFoundError

ALLOWED_ID = (
    "1 to 255 characters without '/', comma, control characters or lone surrogates, and not "
    "'.' or '..' alone"
)
# Lone surrogates, which JSON can smuggle in, exist in no UTF-8 and so in no file and database.
# '.' and '..' cannot be asked for: browsers and proxies take them out of a path, encoded or not.
_VALID_ID = re.compile(r"(?!\.{1,2}\Z)[^/,\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")


def is_valid_id(raw_id: str) -> bool:
    """Say whether ``raw_id`` may name a user or an item (`ALLOWED_ID`)."""
    return _VALID_ID.fullmatch(raw_id) is not None


class IdMap:
    """The one place where the caller's ids become row numbers and back.

    Parameters
    ----------
    ids : iterable of str
        The id of each row, in row order.

    Raises
    ------
    DataError
        If an id occurs twice or is not allowed (`ALLOWED_ID`).
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = tuple(ids)
        for raw_id in self._ids:
            if not is_valid_id(raw_id):
                raise DataError("this id cannot be used", value=raw_id, allowed=ALLOWED_ID)
        if len(set(self._ids)) != len(self._ids):
            seen: set[str] = set()
            twice = next(i for i in self._ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
            raise DataError("an id occurs twice", value=twice, allowed="each id once")

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {raw_id: row for row, raw_id in enumerate(self._ids)}

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __getitem__(self, row: int) -> str:
        return self._ids[row]

    def __contains__(self, raw_id: object) -> bool:
        return raw_id in self._row_of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdMap) and self._ids == other._ids

    def __hash__(self) -> int:
        return hash(self._ids)

    def __repr__(self) -> str:
        return f"IdMap({len(self)} ids)"

    def row(self, raw_id: str) -> int:
        """Return the row number of ``raw_id``.

        Raises
        ------
        NotFoundError
            If the id is not in the map.
        """
        try:
            return self._row_of[raw_id]
        except KeyError:
            raise NotFoundError(f"unknown id {raw_id!r}") from None

    def rows(self, ids: Iterable[str]) -> NDArray[np.int32]:
        """Return the row numbers of ``ids``, (n,) int32, with -1 where an id is unknown."""
        return np.fromiter((self._row_of.get(i, -1) for i in ids), dtype=np.int32)

    def take(self, rows: NDArray[np.integer]) -> IdMap:
        """Return the map of the ids at ``rows``, renumbered in that order."""
        return IdMap(self._ids[row] for row in rows)
