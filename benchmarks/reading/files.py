"""Ratings files of MovieLens's shape at any size, written once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.data.synthetic import synthetic_ratings

FORMS: Mapping[str, str] = {
    "sorted": "whole-number ids, by user and item, as MovieLens's own",
    "shuffled": "the same in random order",
    "text": "ids of text, in random order",
}
# What ML-20M has: a user to 144 ratings, an item to 748.
_RATINGS_PER_USER, _RATINGS_PER_ITEM = 144, 748
_CHUNK = 1 << 20
# Ten years from 2005 on.
_FIRST_TIME, _SECONDS = 1_104_537_600, 315_000_000


def prepare(folder: Path, form: str, n_ratings: int, seed: int) -> Path:
    """Return the file of a form (`FORMS`); made at the first asking."""
    path = folder / f"{form}-{n_ratings}-{seed}.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        _write(unfinished, form, n_ratings, np.random.default_rng(seed))
        unfinished.replace(path)
    return path


def synthetic(n_ratings: int, rng: np.random.Generator) -> Ratings:
    """Return ratings with as many users and items to them as ML-20M has."""
    n_users = max(n_ratings // _RATINGS_PER_USER, 50)
    # Of few ratings, enough items that most pairs stay unrated.
    n_items = max(n_ratings // _RATINGS_PER_ITEM, 20 * _RATINGS_PER_USER)
    return synthetic_ratings(n_users, n_items, n_ratings, 4, 0.8, rng)[0]


def _write(path: Path, form: str, n_ratings: int, rng: np.random.Generator) -> None:
    ratings = synthetic(n_ratings, rng)
    order = np.arange(n_ratings)
    if form != "sorted":
        order = rng.permutation(n_ratings)
    stars = np.clip(np.round(np.asarray(ratings.values) * 2) / 2, 0.5, 5.0).astype(np.float64)
    times = _FIRST_TIME + rng.integers(0, _SECONDS, n_ratings)
    # The writer would put the header in quotes, and MovieLens does not.
    plain = pa_csv.WriteOptions(include_header=False, quoting_style="none")
    with (
        path.open("wb") as stream,
        pa_csv.CSVWriter(stream, _SCHEMAS[form], write_options=plain) as writer,
    ):
        stream.write((",".join(_SCHEMAS[form].names) + "\n").encode())
        for start in range(0, n_ratings, _CHUNK):
            rows = order[start : start + _CHUNK]
            columns: list[Any] = [
                _ids(ratings.users[rows], form, "user"),
                _ids(ratings.items[rows], form, "item"),
                stars[rows],
                times[rows],
            ]
            writer.write_table(pa.table(columns, schema=_SCHEMAS[form]))


def _ids(rows: NDArray[np.int32], form: str, what: str) -> Any:
    numbers = pa.array(rows.astype(np.int64) + 1)
    if form != "text":
        return numbers
    # Spread, so that neither length nor order says anything of the number.
    spread = pa.array((rows.astype(np.uint64) + 1) * np.uint64(0x9E3779B97F4A7C15))
    return pc.binary_join_element_wise(what, spread.cast(pa.string()), "-")


def _schema(id_type: pa.DataType) -> pa.Schema:
    return pa.schema(
        [
            ("userId", id_type),
            ("movieId", id_type),
            ("rating", pa.float64()),
            ("timestamp", pa.int64()),
        ]
    )


_SCHEMAS = {form: _schema(pa.string() if form == "text" else pa.int64()) for form in FORMS}
