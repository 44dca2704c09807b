"""Seconds since 1970 from times as files write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.data.readers.flaws import (
    FlawError,
    first_uncastable,
    is_text,
    plain,
    refuse_nulls,
    to_numpy,
)

ALLOWED_TIME = (
    "whole seconds since 1970, or an ISO date such as 2016-10-16 17:57:24; one of the two for "
    "the whole column"
)
# Numbers from here on are no 64-bit integers.
TOO_LARGE = 2.0**63
# Seconds of the year 5138, but milliseconds of 1973: no clock that rates films is past either.
_LARGEST_SECONDS = 100_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_seconds(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], str]:
    """Return the seconds since 1970, (n,) int64, and the unit in which they were written.

    Fractions of a second go. The unit is ``"dates"`` for dates.

    Raises
    ------
    FlawError
        At the first value that is no time.
    """
    refuse_nulls(column, "timestamp", ALLOWED_TIME)
    column = plain(column)
    if is_text(column.type):
        numbers = _numbers(column)
        if numbers is None:
            return _dates(column.cast(pa.large_string())), "dates"
        column = numbers
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return to_numpy(column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())), "dates"
    if pa.types.is_floating(kind):
        wide = to_numpy(column)
        finite = np.isfinite(wide) & (np.abs(wide) < TOO_LARGE)
        if not finite.all():
            row = int(np.argmin(finite))
            raise FlawError("timestamp", row, column[row].as_py(), ALLOWED_TIME)
        return _by_size(np.floor(wide).astype(np.int64))
    if not pa.types.is_integer(kind):
        raise FlawError("timestamp", 0, column[0].as_py(), ALLOWED_TIME)
    try:
        return _by_size(to_numpy(column.cast(pa.int64())))
    except pa.ArrowInvalid:
        row = first_uncastable(column, pa.int64())
        raise FlawError("timestamp", row, column[row].as_py(), ALLOWED_TIME) from None


def parse_date(text: str) -> int:
    """Return the seconds since 1970 of an ISO date; one without zone is in UTC.

    Raises
    ------
    ValueError
        If ``text`` is no ISO date, or only digits: those are seconds.
    """
    if text.isdecimal():
        raise ValueError(f"{text!r} is a number")
    date = datetime.fromisoformat(text)
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return (date - _EPOCH) // timedelta(seconds=1)


def _by_size(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], str]:
    unit = "seconds"
    for smaller in ("milliseconds", "microseconds", "nanoseconds"):
        if not len(numbers) or _largest(numbers) <= _LARGEST_SECONDS:
            break
        numbers, unit = numbers // 1000, smaller
    return numbers, unit


def _largest(numbers: NDArray[np.int64]) -> int:
    """Return the largest absolute value, without an array of them."""
    return max(int(numbers.max()), -int(numbers.min()))


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    for kind in (pa.int64(), pa.float64()):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def _dates(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the seconds of dates whose forms differ: with and without a zone or a time of day."""
    encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
    distinct = []
    # In the order in which they first occur.
    for text in encoded.dictionary.to_pylist():
        try:
            distinct.append(parse_date(text.strip(" \t")))
        except ValueError:
            row = int(pc.index(column, pa.scalar(text, column.type)).as_py())
            raise FlawError("timestamp", row, text, ALLOWED_TIME) from None
    codes: NDArray[np.int32] = to_numpy(encoded.indices)
    return np.array(distinct, dtype=np.int64)[codes]
