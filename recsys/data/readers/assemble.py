"""From raw columns to `Ratings`: ids numbered in a settled order, each pair once."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.ids import IdMap
from recsys.data.ratings import Ratings
from recsys.data.readers.convert import CodedIds, RawColumns

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


@dataclass(frozen=True, eq=False)
class Parsed:
    """What a file of ratings holds, titles apart.

    Attributes
    ----------
    ratings : Ratings
        Without metadata.
    n_rows : int
        Rows read, those dropped included.
    n_duplicates : int
        Rows dropped because their pair came again.
    time_unit : str
        In which the times were written.
    """

    ratings: Ratings
    n_rows: int
    n_duplicates: int
    time_unit: str


def assemble(raw: RawColumns, name: str) -> Parsed:
    """Return the ratings of a table, each pair once.

    Of several ratings of one item by one user the last by time stays, without times and among
    equal ones the last by line. The ratings keep the order of their lines.
    """
    user_ids, users = _number(raw.users)
    item_ids, items = _number(raw.items)
    values, timestamps = raw.values, raw.timestamps
    kept = _last_of_each_pair(users, items, len(item_ids), timestamps)
    if kept is not None:
        users, items = users[kept], items[kept]
        values = None if values is None else values[kept]
        timestamps = None if timestamps is None else timestamps[kept]
    ratings = Ratings(name, user_ids, item_ids, users, items, values, timestamps)
    n_rows = len(raw.users.codes)
    return Parsed(ratings, n_rows, n_rows - len(users), raw.time_unit)


def in_order(ids: set[str]) -> list[str]:
    """Return ``ids`` by number if all are whole numbers written plainly, else by letter."""
    if all(map(_INTEGER.fullmatch, ids)):
        return sorted(ids, key=int)
    return sorted(ids)


def _number(ids: CodedIds) -> tuple[IdMap, NDArray[np.int32]]:
    id_map = IdMap(in_order(set(ids.names)))
    return id_map, id_map.rows(ids.names)[ids.codes]


def _last_of_each_pair(
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    n_items: int,
    timestamps: NDArray[np.int64] | None,
) -> NDArray[np.bool_] | None:
    """Return which rows to keep, (n_rows,) bool; None to keep all."""
    pairs = users.astype(np.int64)
    pairs *= n_items
    pairs += items
    # Most files are sorted already or hold no pair twice: both are cheaper to see than to mend.
    if (pairs[1:] > pairs[:-1]).all():
        return None
    in_turn = np.sort(pairs)
    again = in_turn[1:] == in_turn[:-1]
    if not again.any():
        return None
    repeated = np.append(again, False) | np.append(False, again)
    rows = np.sort(np.argsort(pairs)[repeated])
    # lexsort is stable: equal pairs and times stay in the order of their lines.
    keys = (pairs[rows],) if timestamps is None else (timestamps[rows], pairs[rows])
    rows = rows[np.lexsort(keys)]
    kept = np.ones(len(pairs), dtype=bool)
    kept[rows[:-1][pairs[rows[1:]] == pairs[rows[:-1]]]] = False
    return kept
