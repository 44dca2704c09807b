"""A server of a large catalogue, its embeddings drawn at random: a list takes as long from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import urllib3

from benchmarks.serving.service import Server, Store
from benchmarks.storing import make
from recsys import store

N_USERS = 1000

_LOADING = 900.0  # seconds that a worker may take


@contextmanager
def served(
    folder: Path, n_items: int, n_factors: int, n_workers: int, rng: np.random.Generator
) -> Iterator[Server]:
    """Store a version of so many items, and serve it.

    Users count from 1 to `N_USERS`. Its lists are ordered by stars shrunk where ratings are few,
    which takes longer than ordering them by the scores of ranking embeddings.

    Parameters
    ----------
    folder : Path
    n_items, n_factors, n_workers : int
    rng : numpy.random.Generator
    """
    shop = Store(folder)
    engine = store.open_database(f"sqlite:///{folder / 'recsys.db'}")
    store.prepare(engine)
    ratings, snapshot = make(N_USERS, n_items, n_factors, rng)
    model_id = store.save_version(engine, store.save_data_set(engine, ratings), [snapshot])
    store.promote(engine, model_id)
    engine.dispose()
    del ratings, snapshot
    with shop.served("--workers", str(n_workers)) as server:
        # Each worker reads the catalogue when it is first asked, which takes a while. A connection
        # that stays open stays with one worker.
        while server.log.read_text().count("serving version") < n_workers:
            once = {"Connection": "close"}
            urllib3.request("GET", f"{server.address}/readyz", headers=once, timeout=_LOADING)
        yield server
