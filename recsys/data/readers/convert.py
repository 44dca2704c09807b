"""From table columns to the arrays of `Ratings`, checked on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recsys.data.ids import ALLOWED_ID, is_valid_id
from recsys.data.readers.columns import Role
from recsys.data.readers.flaws import (
    FlawError,
    first_uncastable,
    is_text,
    plain,
    refuse_nulls,
    refuse_undecodable,
    to_numpy,
    value_type,
)
from recsys.data.readers.times import to_seconds

ALLOWED_RATING = "a finite number"
_ALLOWED_KIND = "text or whole numbers"


@dataclass(frozen=True)
class CodedIds:
    """An id column: (n,) int32 codes, and what each code is called."""

    codes: NDArray[np.int32]
    names: Sequence[str]


@dataclass(frozen=True)
class RawColumns:
    """A ratings table as arrays, one entry per row as read, duplicates and all."""

    users: CodedIds
    items: CodedIds
    values: NDArray[np.float32] | None
    timestamps: NDArray[np.int64] | None
    time_unit: str


def to_columns(table: pa.Table) -> RawColumns:
    """Return the arrays of a table whose columns are called by their role.

    Raises
    ------
    FlawError
        At the first value that cannot be used, column by column.
    """
    for role in table.column_names:
        refuse_undecodable(table[role], role)
    # Each column goes as soon as its arrays are there: of many ratings both would not fit.
    seconds, unit, values = None, "seconds", None
    if "timestamp" in table.column_names:
        seconds, unit = to_seconds(table["timestamp"])
        table = table.drop_columns("timestamp")
    users = _ids(table["user"], "user")
    items = _ids(table["item"], "item")
    table = table.drop_columns(["user", "item"])
    if "rating" in table.column_names:
        values = _values(table["rating"])
    return RawColumns(users, items, values, seconds, unit)


def _ids(column: pa.ChunkedArray, role: Role) -> CodedIds:
    refuse_nulls(column, role, ALLOWED_ID)
    kind = value_type(column)
    if not (is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise FlawError(role, 0, column[0].as_py(), _ALLOWED_KIND)
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    distinct = encoded.dictionary
    if pa.types.is_floating(kind):
        # pandas writes whole-number ids as floats once one of them was missing.
        numbers = distinct.to_numpy(zero_copy_only=False)
        # Past 2^53 floats skip numbers, so that two ids could have become one.
        whole = (np.floor(numbers) == numbers) & (np.abs(numbers) <= 2.0**53)
        if not whole.all():
            raise _flaw_at(role, encoded, ~whole, distinct, _ALLOWED_KIND)
        distinct = distinct.cast(pa.int64())
    names = [name.strip() for name in distinct.cast(pa.string()).to_pylist()]
    refused = np.fromiter((not is_valid_id(name) for name in names), dtype=bool, count=len(names))
    if refused.any():
        raise _flaw_at(role, encoded, refused, distinct, ALLOWED_ID)
    return CodedIds(to_numpy(encoded.indices).astype(np.int32, copy=False), names)


def _values(column: pa.ChunkedArray) -> NDArray[np.float32]:
    refuse_nulls(column, "rating", ALLOWED_RATING)
    column = plain(column)
    try:
        wide = column.cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        row = first_uncastable(column, pa.float64())
        raise FlawError("rating", row, column[row].as_py(), ALLOWED_RATING) from None
    values: NDArray[np.float32] = to_numpy(wide.cast(pa.float32(), safe=False))
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.argmin(finite))
        raise FlawError("rating", row, column[row].as_py(), ALLOWED_RATING)
    return values


def _flaw_at(
    role: Role, encoded: Any, refused: NDArray[np.bool_], distinct: Any, allowed: str
) -> FlawError:
    codes = to_numpy(encoded.indices)
    row = int(np.argmax(refused[codes]))
    return FlawError(role, row, distinct[int(codes[row])].as_py(), allowed)
