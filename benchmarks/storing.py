"""Storing a version against SQLite alone: ``python -m benchmarks.storing [--users N] [--json]``.

`recsys.store.save_version` writes a snapshot with implicit vectors into a database of its own.
Bare `sqlite3` writes the same values in one `executemany` for each table and one transaction, from
rows that are made beforehand, with the same journal and the same care for the disk. They take
turns; the ratio of their medians counts.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from tabulate import tabulate

from recsys import store
from recsys.data import IdMap, Ratings
from recsys.model.item_side import ItemSide
from recsys.model.newcomers import Newcomers
from recsys.model.snapshot import Snapshot
from recsys.store.embeddings import item_embedding_rows, user_embedding_rows

LARGEST_RATIO = 1.5
"""What is aimed at."""
_TABLES = {
    "users": (
        "create table users (snapshot_id, row, bias, factors, "
        "primary key (snapshot_id, row)) without rowid",
        "insert into users values (?, ?, ?, ?)",
    ),
    "items": (
        "create table items (snapshot_id, row, n_ratings, bias, factors, implicit_bias, implicit, "
        "primary key (snapshot_id, row)) without rowid",
        "insert into items values (?, ?, ?, ?, ?, ?, ?)",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if storing takes at most `LARGEST_RATIO` times what SQLite alone takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storing", description=__doc__)
    parser.add_argument("--users", type=int, default=140_000)
    parser.add_argument("--items", type=int, default=27_000)
    parser.add_argument("--n-factors", type=int, default=64)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="of what is stored")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    ratings, snapshot = make(options.users, options.items, options.n_factors, rng)
    seconds = race(ratings, snapshot, options.turns)
    told = {
        "users": options.users,
        "items": options.items,
        "n_factors": options.n_factors,
        "seed": options.seed,
        "turns": options.turns,
        "seconds": {name: median(of) for name, of in seconds.items()},
        "ratio": median(seconds["recsys"]) / median(seconds["sqlite3"]),
        "all_seconds": seconds,
    }
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        print(
            f"{options.users:,} users and {options.items:,} items, {options.n_factors} factors, "
            f"seed {options.seed}, medians of {options.turns} turns\n"
        )
        rows = [
            [name, median(of), min(of), max(of), median(of) / median(seconds["sqlite3"])]
            for name, of in seconds.items()
        ]
        print(tabulate(rows, ["", "seconds", "least", "most", "ratio"], floatfmt=".2f"))
    return int(told["ratio"] > LARGEST_RATIO)


def make(
    n_users: int, n_items: int, n_factors: int, rng: np.random.Generator
) -> tuple[Ratings, Snapshot]:
    """Return ratings, one of each user and item, and a snapshot drawn at random."""
    n = max(n_users, n_items)
    ratings = Ratings(
        "synthetic",
        IdMap(str(row + 1) for row in range(n_users)),
        IdMap(str(row + 1) for row in range(n_items)),
        (np.arange(n) % n_users).astype(np.int32),
        (np.arange(n) % n_items).astype(np.int32),
        rng.integers(1, 6, n).astype(np.float32),
    )
    return ratings, snapshot_of(ratings, n_factors, rng)


def snapshot_of(ratings: Ratings, n_factors: int, rng: np.random.Generator) -> Snapshot:
    """Return a snapshot of the ratings' users and items, its parameters drawn at random."""

    def draw(*shape: int) -> Any:
        return rng.standard_normal(shape, dtype=np.float32)

    newcomers = Newcomers(
        reg=0.02,
        reg_per_rating=0.0,
        reg_bias=0.02,
        unobserved=0.0,
        user_mean=draw(n_factors),
        item_implicit=draw(ratings.n_items, n_factors),
        item_implicit_bias=draw(ratings.n_items),
    )
    items = ItemSide(
        item_ids=ratings.item_ids,
        item_factors=draw(ratings.n_items, n_factors),
        item_bias=draw(ratings.n_items),
        item_counts=ratings.counts_by_item.astype(np.int32),
        global_mean=3.0,
        y_range=None,
        rating_scale=ratings.rating_scale,
        newcomers=newcomers,
    )
    return Snapshot(
        objective="rating",
        items=items,
        user_ids=ratings.user_ids,
        user_factors=draw(ratings.n_users, n_factors),
        user_bias=draw(ratings.n_users),
        hyperparameters={},
        data_fingerprint=ratings.fingerprint,
        metrics={},
        history=(),
    )


def race(ratings: Ratings, snapshot: Snapshot, turns: int) -> dict[str, list[float]]:
    """Return the seconds of each turn of both."""
    rows = {
        "users": list(user_embedding_rows(1, snapshot)),
        "items": list(item_embedding_rows(1, snapshot.items)),
    }
    seconds: dict[str, list[float]] = {"sqlite3": [], "recsys": []}
    for _ in range(turns):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            engine = store.open_database(f"sqlite:///{folder}/recsys.db")
            store.upgrade(engine)
            data_set_id = store.save_data_set(engine, ratings)
            started = time.perf_counter()
            _bare(Path(folder, "bare.db"), rows)
            between = time.perf_counter()
            store.save_version(engine, data_set_id, [snapshot])
            seconds["sqlite3"].append(between - started)
            seconds["recsys"].append(time.perf_counter() - between)
            engine.dispose()
    return seconds


def _bare(path: Path, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        for table, (create, insert) in _TABLES.items():
            connection.execute(create)
            connection.executemany(insert, rows[table])
        connection.execute("COMMIT")


if __name__ == "__main__":
    sys.exit(main())
