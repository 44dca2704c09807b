"""A value that cannot stand in its column, and in which row it stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsys.data.readers.columns import Role


class FlawError(Exception):
    """A value that cannot stand where it stands.

    Parameters
    ----------
    role : Role
        Its column.
    row : int
        Its row, counted from 0.
    value : object
        The value; None where there is none.
    allowed : str
        What may stand there.
    """

    def __init__(self, role: Role, row: int, value: object, allowed: str) -> None:
        super().__init__(f"{role} in row {row}: {value!r}")
        self.role, self.row, self.value, self.allowed = role, row, value, allowed


def refuse_nulls(column: pa.ChunkedArray, role: Role, allowed: str) -> None:
    """Raise `FlawError` at the first row without a value."""
    if column.null_count:
        row = int(pc.index(column.is_null(), pa.scalar(True)).as_py())
        raise FlawError(role, row, None, allowed)


def refuse_undecodable(column: pa.ChunkedArray, role: Role) -> None:
    """Raise `FlawError` at the first text that is not UTF-8, which Parquet does not rule out."""
    if not is_text(value_type(column)):
        return
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        encoded = plain(column).cast(pa.large_binary())
        row = first_uncastable(encoded, pa.large_string())
        raise FlawError(role, row, encoded[row].as_py(), "text in UTF-8") from None


def first_uncastable(column: pa.ChunkedArray, kind: pa.DataType) -> int:
    """Return the first row of ``column`` that cannot become ``kind``; there must be one."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            column.slice(low, middle - low).cast(kind)
            low = middle
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            high = middle
    return low


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ``column`` with its values in place of the codes of a dictionary."""
    return column.cast(value_type(column)) if pa.types.is_dictionary(column.type) else column


def value_type(column: pa.ChunkedArray) -> pa.DataType:
    """Return the type of the values of ``column``, be they in a dictionary or not."""
    return column.type.value_type if pa.types.is_dictionary(column.type) else column.type


def is_text(kind: pa.DataType) -> bool:
    """Say whether a column of this type holds text."""
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def to_numpy(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """Return a column of numbers, none missing, as an array; `pyarrow`'s own way loads pandas."""
    if isinstance(column, pa.ChunkedArray) and column.num_chunks > 1:
        # In memory of NumPy's, which goes back when it is freed; `pyarrow` would keep it.
        return np.concatenate([np.from_dlpack(chunk) for chunk in column.chunks])
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.from_dlpack(array)
