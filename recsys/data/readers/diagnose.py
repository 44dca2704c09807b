"""What is wrong with a text file, line by line: slow, and only asked once something is."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from itertools import islice

import numpy as np

from recsys.data.ids import ALLOWED_ID, is_valid_id
from recsys.data.readers.convert import ALLOWED_RATING
from recsys.data.readers.files import File
from recsys.data.readers.flaws import FlawError
from recsys.data.readers.text import NUMBER, STAND_IN, TextLayout
from recsys.data.readers.times import ALLOWED_TIME, TOO_LARGE, parse_date
from recsys.errors import DataError


def problems(file: File, layout: TextLayout) -> Iterator[DataError]:
    """Yield everything that keeps ``file`` from being read, in the order of its lines."""
    places = layout.columns.positions()
    is_time: Callable[[str], bool] | None = None
    line = 0
    for line, fields in _records(file, layout):
        if isinstance(fields, csv.Error):
            yield DataError("the line cannot be split", path=file.shown, line=line, value=fields)
            return
        if len(layout.delimiter) > 1 and (held := [f for f in fields if STAND_IN in f]):
            yield DataError(
                "a field holds a control character",
                path=file.shown,
                line=line,
                value=held[0],
                allowed=f"no {STAND_IN!r} in a file separated by {layout.delimiter!r}",
            )
            continue
        if len(fields) != layout.n_columns:
            yield DataError(
                f"{len(fields)} fields",
                path=file.shown,
                line=line,
                value=layout.delimiter.join(fields)[:80],
                allowed=f"{layout.n_columns} fields separated by {layout.delimiter!r}",
            )
            continue
        for role, place in places.items():
            # Around numbers, the fast reader passes over nothing but these.
            text = fields[place].strip(None if role in ("user", "item") else " \t")
            if any("\udc80" <= letter <= "\udcff" for letter in text):
                raw = text.encode("utf-8", "surrogateescape")
                problem, allowed, value = f"the {role} cannot be decoded", "text in UTF-8", raw
                yield DataError(problem, path=file.shown, line=line, value=value, allowed=allowed)
                continue
            if role == "rating":
                fits, allowed = _is_finite(text), ALLOWED_RATING
            elif role == "timestamp":
                # All of a column is of one kind, the kind of its first entry.
                is_time = is_time or next((kind for kind in _TIME_KINDS if kind(text)), None)
                fits, allowed = is_time is not None and is_time(text), ALLOWED_TIME
            else:
                fits, allowed = is_valid_id(text), ALLOWED_ID
            if not fits:
                problem = f"this {role} cannot be used"
                yield DataError(problem, path=file.shown, line=line, value=text, allowed=allowed)
    if not line:
        yield DataError("no ratings in it", path=file.shown, allowed="a line for each rating")


def explain(file: File, layout: TextLayout, flaw: FlawError) -> DataError:
    """Return ``flaw`` with the line on which its row begins."""
    lines = (line for line, _ in _records(file, layout))
    return DataError(
        f"this {flaw.role} cannot be used",
        path=file.shown,
        line=next(islice(lines, flaw.row, None), None),
        value="" if flaw.value is None else flaw.value,
        allowed=flaw.allowed,
    )


def _records(file: File, layout: TextLayout) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield the line on which each record begins, and its fields."""
    with file.open() as stream:
        text = TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        for _ in range(layout.first_line - 1):
            text.readline()
        before = layout.first_line - 1
        if len(layout.delimiter) > 1:
            for number, line in enumerate(text, layout.first_line):
                if line.strip("\r\n"):
                    yield number, line.rstrip("\r\n").split(layout.delimiter)
            return
        rows = csv.reader(text, delimiter=layout.delimiter)
        start = before + 1
        try:
            for fields in rows:
                if fields:
                    yield start, fields
                start = before + rows.line_num + 1
        except csv.Error as error:
            yield start, error


def _is_finite(text: str) -> bool:
    with np.errstate(over="ignore"):
        return NUMBER.fullmatch(text) is not None and bool(np.isfinite(np.float32(float(text))))


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None and abs(float(text)) < TOO_LARGE


def _is_date(text: str) -> bool:
    try:
        parse_date(text)
    except ValueError:
        return False
    return True


_TIME_KINDS = (_is_number, _is_date)
