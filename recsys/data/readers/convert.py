"""From table columns to the arrays of `Ratings`, checked on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.data.ids import ALLOWED_ID, is_valid_id
from recsys.data.readers.columns import Role

ALLOWED_RATING = "a finite number"
_ALLOWED_KIND = "text or whole numbers"
ALLOWED_TIME = "whole seconds since 1970, or an ISO date such as 2016-10-16 17:57:24"
# Seconds of the year 5138, but milliseconds of 1973: no clock that rates films is past either.
_LARGEST_SECONDS = 100_000_000_000


class FlawError(Exception):
    """A value that cannot stand where it stands.

    Parameters
    ----------
    role : Role
        Its column.
    row : int
        Its row, counted from 0; -1 if the whole column is wrong.
    value : object
        The value.
    allowed : str
        What may stand there.
    """

    def __init__(self, role: Role, row: int, value: object, allowed: str) -> None:
        super().__init__(f"{role} in row {row}: {value!r}")
        self.role, self.row, self.value, self.allowed = role, row, value, allowed


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
    seconds, unit = None, "seconds"
    if "timestamp" in table.column_names:
        seconds, unit = _seconds(table["timestamp"])
    return RawColumns(
        users=_ids(table["user"], "user"),
        items=_ids(table["item"], "item"),
        values=_values(table["rating"]) if "rating" in table.column_names else None,
        timestamps=seconds,
        time_unit=unit,
    )


def _ids(column: pa.ChunkedArray, role: Role) -> CodedIds:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise FlawError(role, -1, f"a column of {kind}", _ALLOWED_KIND)
    _refuse_nulls(column, role, ALLOWED_ID)
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
    return CodedIds(encoded.indices.to_numpy().astype(np.int32, copy=False), names)


def _values(column: pa.ChunkedArray) -> NDArray[np.float32]:
    _refuse_nulls(column, "rating", ALLOWED_RATING)
    try:
        wide = column.cast(pa.float64(), safe=False).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise FlawError("rating", -1, f"a column of {column.type}", ALLOWED_RATING) from None
    with np.errstate(over="ignore"):
        values: NDArray[np.float32] = wide.astype(np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.argmin(finite))
        raise FlawError("rating", row, column[row].as_py(), ALLOWED_RATING)
    return values


def _seconds(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], str]:
    _refuse_nulls(column, "timestamp", ALLOWED_TIME)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        # Fractions of a second go.
        return column.cast(pa.timestamp("s"), safe=False).cast(pa.int64()).to_numpy(), "dates"
    if pa.types.is_floating(kind):
        numbers = column.to_numpy()
        finite = np.isfinite(numbers) & (np.abs(numbers) < 2.0**63)
        if not finite.all():
            row = int(np.argmin(finite))
            raise FlawError("timestamp", row, column[row].as_py(), ALLOWED_TIME)
        numbers = np.floor(numbers).astype(np.int64)
    elif pa.types.is_integer(kind):
        numbers = column.cast(pa.int64()).to_numpy()
    else:
        raise FlawError("timestamp", -1, f"a column of {kind}", ALLOWED_TIME)
    unit = "seconds"
    for smaller in ("milliseconds", "microseconds", "nanoseconds"):
        if not len(numbers) or np.abs(numbers).max() <= _LARGEST_SECONDS:
            break
        numbers, unit = numbers // 1000, smaller
    return numbers, unit


def _refuse_nulls(column: pa.ChunkedArray, role: Role, allowed: str) -> None:
    if column.null_count:
        row = int(pc.index(column.is_null(), pa.scalar(True)).as_py())
        raise FlawError(role, row, None, allowed)


def _flaw_at(
    role: Role, encoded: Any, refused: NDArray[np.bool_], distinct: Any, allowed: str
) -> FlawError:
    codes = encoded.indices.to_numpy()
    row = int(np.argmax(refused[codes]))
    return FlawError(role, row, distinct[int(codes[row])].as_py(), allowed)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
