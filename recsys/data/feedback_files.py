"""Feedback as files, CSV or Parquet by their names, and back."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.feedback import ALL_ITEMS, LATEST, FeedbackEntry
from recsys.data.ids import ALLOWED_ID, is_valid_id
from recsys.data.readers.columns import by_name
from recsys.data.readers.text import NUMBER
from recsys.data.readers.times import parse_date
from recsys.errors import DataError, UsageError

ERASED = "is_erased"

_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("rating", pa.float64()),
        ("timestamp", pa.int64()),
        (ERASED, pa.bool_()),
    ]
)
_TRUTH = {"true": True, "false": False, "1": True, "0": False, "": False, "none": False}
_ALLOWED_TIME = f"whole seconds since 1970, 0 to {LATEST:,}, or an ISO date such as 2016-10-16"


def write_feedback(path: Path, entries: Sequence[FeedbackEntry]) -> None:
    """Write entries to a file, one a row: ``user_id item_id rating timestamp is_erased``.

    The item id is empty where the user took back everything.

    Raises
    ------
    UsageError
        If the file is called neither ``.csv`` nor ``.parquet``.
    """
    if _is_parquet(path):
        columns = list(zip(*entries, strict=True)) or [()] * len(_SCHEMA)
        pq.write_table(pa.table(dict(zip(_SCHEMA.names, columns, strict=True)), _SCHEMA), path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_SCHEMA.names)
        rows.writerows((*entry[:-1], str(entry.is_erased).lower()) for entry in entries)


def read_feedback(
    path: Path, check: Callable[[FeedbackEntry], str | None]
) -> Iterator[FeedbackEntry | DataError]:
    """Yield the entry of each row, or what is wrong with that row.

    Only the columns of user and item must be there, under any of the names that the readers of
    ratings know. A rating that is empty is none, and so is a time. Ids are taken to the letter,
    spaces at their ends included.

    Parameters
    ----------
    path : Path
    check : callable
        Returns why an entry that is well formed cannot be used all the same, else None.

    Raises
    ------
    UsageError
        If the file is called neither ``.csv`` nor ``.parquet``.
    DataError
        If the file cannot be read, or lacks a column.
    """
    rows = _parquet_rows(path) if _is_parquet(path) else _csv_rows(path)
    try:
        _, names = next(rows)
        places: dict[str, int] = {}
        places.update(by_name(names, path=str(path)).positions().items())
        if ERASED in names:
            places[ERASED] = names.index(ERASED)
        for number, row in rows:
            if len(row) != len(names):
                allowed = f"{len(names)} fields"
                yield DataError(f"{len(row)} fields", path=path, line=number, allowed=allowed)
                continue
            said = {name: row[place] for name, place in places.items()}
            try:
                entry = _entry(said)
            except _FlawError as flaw:
                yield DataError(
                    f"this {flaw.name} cannot be used",
                    path=path,
                    line=number,
                    value=said[flaw.name],
                    allowed=flaw.allowed,
                )
                continue
            problem = check(entry)
            yield entry if problem is None else DataError(problem, path=path, line=number)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, csv.Error, UnicodeDecodeError) as error:
        raise DataError("it cannot be read", path=path, value=str(error)) from None


class _FlawError(Exception):
    def __init__(self, name: str, allowed: str) -> None:
        super().__init__(name)
        self.name, self.allowed = name, allowed


def _csv_rows(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the header and then each row, with the line that it ends on."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        yield 1, next(rows, [])
        for row in rows:
            if row:
                yield rows.line_num, row


def _parquet_rows(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the names of the columns and then each row, counted from 1."""
    with pq.ParquetFile(path) as file:
        yield 0, file.schema_arrow.names
        number = 0
        for batch in file.iter_batches():
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                number += 1
                yield number, row


def _entry(said: dict[str, Any]) -> FeedbackEntry:
    is_erased = _TRUTH.get(str(said.get(ERASED)).strip().lower())
    if is_erased is None:
        raise _FlawError(ERASED, "true or false")
    takes_all_back = is_erased and said["item"] in (None, "")
    value, rated_at = _number(said.get("rating")), _time(said.get("timestamp"))
    return FeedbackEntry(
        user_id=_id("user", said["user"]),
        item_id=ALL_ITEMS if takes_all_back else _id("item", said["item"]),
        value=None if is_erased else value,
        rated_at=rated_at,
        is_erased=is_erased,
    )


def _id(name: str, value: object) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    # Spaces at its ends are a part of an id: without them it may be somebody else's.
    text = str(value) if is_number or isinstance(value, str) else ""
    if not is_valid_id(text):
        raise _FlawError(name, ALLOWED_ID)
    return text


def _number(value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, int | float) or (isinstance(value, str) and NUMBER.fullmatch(value)):
        return float(value)
    raise _FlawError("rating", "a number, or nothing")


def _time(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        is_text = isinstance(value, str) and not value.strip().isdecimal()
        seconds = parse_date(value.strip()) if is_text else int(value)
    except (TypeError, ValueError):
        seconds = -1
    if not 0 <= seconds <= LATEST:
        raise _FlawError("timestamp", _ALLOWED_TIME)
    return seconds


def _is_parquet(path: Path) -> bool:
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise UsageError(f"{path} is neither CSV nor Parquet by its name; allowed: .csv, .parquet")
    return kind == ".parquet"
