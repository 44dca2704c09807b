"""Delimited text: CSV, TSV, and the ``::`` of the older MovieLens releases."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import pyarrow as pa
import pyarrow.csv as pa_csv

from recsys.data.readers.columns import Columns, by_name, by_place, match
from recsys.data.readers.files import File
from recsys.errors import DataError

SUPPORTED = (
    "CSV, TSV or Parquet (also gzipped), or a MovieLens release as folder or zip; text in UTF-8"
)
# In this order: a comma is likelier inside a tab-separated field than the other way round.
DELIMITERS = ("::", "\t", ",", ";", "|")
# `pyarrow` wants one character; this one can be part of no id.
STAND_IN = "\x1f"
_ID = pa.dictionary(pa.int32(), pa.string())
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
    names = [str(place) for place in range(layout.n_columns)]
    positions = layout.columns.positions()
    types = {str(layout.columns.user): _ID, str(layout.columns.item): _ID}
    if layout.columns.rating is not None:
        types[str(layout.columns.rating)] = pa.float64()
    with file.open(progress=progress) as stream:
        source, delimiter = stream, layout.delimiter
        if len(delimiter) > 1:
            content = stream.read()
            if STAND_IN.encode() in content:
                raise pa.ArrowInvalid(f"{STAND_IN!r} in a field")
            source = BytesIO(content.replace(delimiter.encode(), STAND_IN.encode()))
            delimiter = STAND_IN
        table = pa_csv.read_csv(
            source,
            read_options=pa_csv.ReadOptions(column_names=names, skip_rows=layout.first_line - 1),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter,
                quote_char=False if len(layout.delimiter) > 1 else '"',
                # Without it, a quote that never closes loses rows without a word.
                newlines_in_values=True,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=types,
                include_columns=[str(place) for place in positions.values()],
                null_values=[],  # 'NA' and 'null' are ids like any other
            ),
        )
    if not table.num_rows:
        raise pa.ArrowInvalid("no rows")
    return table.rename_columns(list(positions))


def _is_row(fields: list[str]) -> bool:
    """Say whether the first line is a rating already, and not a header."""
    if any(match(field) for field in fields):
        return False
    if len(fields) == 2:
        return any(NUMBER.fullmatch(field) for field in fields)
    return len(fields) in (3, 4) and NUMBER.fullmatch(fields[2]) is not None
