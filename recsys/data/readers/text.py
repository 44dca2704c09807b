"""Delimited text: CSV, TSV, and the ``::`` of the older MovieLens releases."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from recsys.data.readers.columns import Columns, by_name, by_place, match
from recsys.data.readers.files import File
from recsys.data.readers.pieces import PIECE, cut_at_lines, in_turn
from recsys.errors import DataError

SUPPORTED = (
    "CSV, TSV or Parquet (also gzipped), or a MovieLens release as folder or zip; text in UTF-8"
)
# In this order: a comma is likelier inside a tab-separated field than the other way round.
DELIMITERS = ("::", "\t", ",", ";", "|")
# `pyarrow` wants one character; this one can be part of no id.
STAND_IN = "\x1f"
_ID = pa.dictionary(pa.int32(), pa.string())
# The smallest whole number of so many digits; nothing is as large as the last says.
_LONGEST = 19
_SMALLEST_OF_LENGTH = np.array(
    [2**63 - 1, 0, *(10**n for n in range(1, _LONGEST - 1)), 2**63 - 1], dtype=np.int64
)
# What `pyarrow` takes for a finite number, and no more.
NUMBER = re.compile(r"[ \t]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t]*", re.ASCII)


@dataclass(frozen=True)
class TextLayout:
    """How a text file is laid out.

    Attributes
    ----------
    delimiter : str
    names : tuple of str or None
        The header; None without one.
    n_columns : int
    first_line : int
        Line of the first rating, counted from 1.
    columns : Columns
    """

    delimiter: str
    names: tuple[str, ...] | None
    n_columns: int
    first_line: int
    columns: Columns


def sniff(file: File, wanted: Mapping[str, str] | None = None) -> TextLayout:
    """Return the layout that the first lines of ``file`` show.

    Raises
    ------
    DataError
        If the file is empty, is not text, or shows no user or item column.
    """
    head = file.head()
    if not head:
        raise DataError("the file is empty", path=file.shown, allowed=SUPPORTED)
    if b"\0" in head or head.lstrip()[:1] in (b"{", b"[", b"<"):
        raise DataError("not a table", path=file.shown, value=head[:16], allowed=SUPPORTED)
    # What cannot be decoded is told with its line by `problems`, if it stands where it matters.
    lines = re.split(r"\r\n?|\n", head.decode("utf-8-sig", errors="surrogateescape"))
    number = next((n for n, line in enumerate(lines, 1) if line.strip()), None)
    if number is None:
        raise DataError("the file holds only blank lines", path=file.shown, allowed=SUPPORTED)
    first = lines[number - 1]
    delimiter = next((d for d in DELIMITERS if d in first), None)
    if delimiter is None:
        raise DataError(
            "only one column",
            path=file.shown,
            line=number,
            value=first[:80],
            allowed="user and item, separated by tab, comma, ';', '|' or '::'",
        )
    fields = split(first, delimiter)
    if wanted or not _is_row(fields):
        columns = by_name(fields, wanted, path=file.shown, line=number)
        names, first_line = tuple(fields), number + 1
    else:
        columns, names, first_line = by_place(len(fields)), None, number
    return TextLayout(delimiter, names, len(fields), first_line, columns)


def split(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line."""
    if len(delimiter) > 1:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])


def read_table(file: File, layout: TextLayout, *, progress: bool = False) -> pa.Table:
    """Return the columns of the roles present, called by their role.

    User and item are dictionary-encoded strings, as written; rating is float64; timestamp is
    whatever it looks like.

    Raises
    ------
    pyarrow.ArrowInvalid
        If there are no ratings, a line has too few or too many fields, or a field is not of its
        column's type.
    DataError
        If an archive is corrupt.
    """
    tables = _read_pieces(file, layout, None, progress)
    if len({table.schema.field(-1).type for table in tables}) > 1:
        # The times look like one thing here and like another there: all are text at first.
        tables = _read_pieces(file, layout, pa.string(), progress)
    if not tables:
        raise pa.ArrowInvalid("no rows")
    return pa.concat_tables(tables)


def _read_pieces(
    file: File, layout: TextLayout, time_type: pa.DataType | None, progress: bool
) -> list[pa.Table]:
    is_quoted = len(layout.delimiter) == 1
    with file.open(progress=progress) as stream:
        pieces = cut_at_lines(stream, layout.first_line - 1, is_quoted=is_quoted)
        return in_turn(partial(_parse, layout=layout, time_type=time_type), pieces)


def _parse(piece: bytes, layout: TextLayout, time_type: pa.DataType | None) -> pa.Table:
    delimiter, quote = layout.delimiter, '"'
    if len(delimiter) > 1:
        if STAND_IN.encode() in piece:
            raise pa.ArrowInvalid(f"{STAND_IN!r} in a field")
        piece = piece.replace(delimiter.encode(), STAND_IN.encode())
        delimiter, quote = STAND_IN, ""
    positions = {role: str(place) for role, place in layout.columns.positions().items()}
    types = {"user": pa.string(), "item": pa.string(), "rating": pa.float64()}
    if time_type is not None:
        types["timestamp"] = time_type
    table = pa_csv.read_csv(
        pa.BufferReader(piece),
        read_options=pa_csv.ReadOptions(
            column_names=[str(place) for place in range(layout.n_columns)], block_size=PIECE
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter,
            quote_char=quote or False,
            # Without it, a quote that never closes loses rows without a word.
            newlines_in_values=bool(quote) and b'"' in piece,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={positions[r]: kind for r, kind in types.items() if r in positions},
            include_columns=list(positions.values()),
            null_values=[],  # 'NA' and 'null' are ids like any other
        ),
    ).rename_columns(list(positions))
    # By the piece, so that the text of all ids is never held.
    for place, role in enumerate(("user", "item")):
        encoded = [_encoded(chunk) for chunk in table[role].chunks]
        table = table.set_column(place, role, pa.chunked_array(encoded, _ID))
    return table


def _encoded(ids: pa.StringArray) -> pa.DictionaryArray:
    """Return ids with the distinct ones apart; whole numbers several times as fast as text."""
    try:
        ids[:1].cast(pa.int64())  # alone at first: that text is none takes long to say of each
        numbers = ids.cast(pa.int64())
    except pa.ArrowInvalid:
        return ids.dictionary_encode()
    lengths = np.from_dlpack(pc.binary_length(ids))
    # '007' and '+7' are not '7': of a number written plainly no shorter text could be made.
    if not (np.from_dlpack(numbers) >= _SMALLEST_OF_LENGTH[np.minimum(lengths, _LONGEST)]).all():
        return ids.dictionary_encode()
    encoded = numbers.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices, encoded.dictionary.cast(pa.string()))


def _is_row(fields: list[str]) -> bool:
    """Say whether the first line is a rating already, and not a header."""
    if any(match(field) for field in fields):
        return False
    if len(fields) == 2:
        return any(NUMBER.fullmatch(field) for field in fields)
    return len(fields) in (3, 4) and NUMBER.fullmatch(fields[2]) is not None
