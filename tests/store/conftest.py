from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy import schema as schema_ddl

from recsys import store
from recsys.data import IdMap, ItemMetadata, Ratings
from recsys.model.item_side import Head, ItemSide
from recsys.model.snapshot import Snapshot


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Of an empty database: an SQLite file, or a new schema of RECSYS_TEST_POSTGRES_URL's."""
    server = os.environ.get("RECSYS_TEST_POSTGRES_URL")
    if server is None:
        yield f"sqlite:///{tmp_path}/store.db"
    else:
        with _new_schema(server) as made:
            yield made


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Of a new schema of RECSYS_TEST_POSTGRES_URL's."""
    server = os.environ.get("RECSYS_TEST_POSTGRES_URL")
    if server is None:
        pytest.skip("RECSYS_TEST_POSTGRES_URL names no Postgres to try this on")
    with _new_schema(server) as made:
        yield made


@contextmanager
def _new_schema(server: str) -> Iterator[str]:
    schema = f"test_{uuid4().hex}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(schema_ddl.CreateSchema(schema))
        options = {"options": f"-csearch_path={schema}"}
        yield make_url(server).update_query_dict(options).render_as_string(hide_password=False)
        connection.execute(schema_ddl.DropSchema(schema, cascade=True))
    admin.dispose()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The SQLite file of a database of the newest schema that holds nothing."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    engine = store.open_database(f"sqlite:///{path}")
    store.upgrade(engine)
    engine.dispose()
    return path.read_bytes()


@pytest.fixture
def engine(url: str, migrated: bytes) -> Iterator[Engine]:
    """Of a database of the newest schema that holds nothing."""
    if (parsed := make_url(url)).get_backend_name() == "sqlite":
        assert parsed.database is not None
        Path(parsed.database).write_bytes(migrated)
    engine = store.open_database(url)
    store.upgrade(engine)  # of Postgres; here nothing is left to do
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def ratings() -> Ratings:
    """Three users, four items, five ratings: nobody rated item d, user z rated nothing."""
    return Ratings(
        name="tiny",
        user_ids=IdMap(["x", "y", "z"]),
        item_ids=IdMap(["a", "b", "c", "d"]),
        users=np.array([1, 0, 0, 1, 0], np.int32),
        items=np.array([2, 2, 0, 0, 1], np.int32),
        values=np.array([4.5, 1, 2, 3, 5], np.float32),
        timestamps=np.array([5, 4, 3, 2, 1]),
        metadata=ItemMetadata(
            ("Alien", None, "Cléo de 5 à 7", "Dune"),
            (1979, None, 1962, 1984),
            (("Horror", "Sci-Fi"), (), ("Drama",), ("Sci-Fi",)),
        ),
    )


@pytest.fixture(scope="session")
def make_snapshot() -> Callable[..., Snapshot]:
    """Return a function that makes a snapshot of ratings, its parameters drawn from a seed.

    With ``hidden`` it has a network of such layers, and users' embeddings of ``n_user_factors``.
    """

    def make(
        ratings: Ratings,
        *,
        seed: int = 0,
        n_factors: int = 3,
        n_user_factors: int | None = None,
        hidden: tuple[int, ...] | None = None,
        **other: Any,
    ) -> Snapshot:
        rng = np.random.default_rng(seed)

        def draw(*shape: int) -> np.ndarray:
            return rng.normal(size=shape).astype(np.float32)

        n_user_factors = n_user_factors or n_factors
        head = None
        if hidden is not None:
            widths = (n_user_factors + n_factors, *hidden, 1)
            weights = tuple(draw(*shape) for shape in pairwise(widths))
            head = Head(weights, tuple(draw(width) for width in widths[1:]))

        return Snapshot(
            **{
                "objective": "rating",
                "items": ItemSide(
                    item_ids=ratings.item_ids,
                    item_factors=draw(ratings.n_items, n_factors),
                    item_bias=draw(ratings.n_items),
                    item_counts=np.bincount(ratings.items, minlength=ratings.n_items).astype("i4"),
                    global_mean=3.1,
                    y_range=None,
                    rating_scale=ratings.rating_scale,
                    head=head,
                ),
                "user_ids": ratings.user_ids,
                "user_factors": draw(ratings.n_users, n_user_factors),
                "user_bias": draw(ratings.n_users),
                "hyperparameters": {"lr": 0.1, "seed": seed},
                "data_fingerprint": ratings.fingerprint,
                "metrics": {"rmse": 0.9},
                "history": ({"epoch": 1, "validation_rmse": 1.0}, {"epoch": 2}),
                **other,
            }
        )

    return make


@pytest.fixture
def save(
    engine: Engine, ratings: Ratings, make_snapshot: Callable[..., Snapshot]
) -> Callable[..., int]:
    """Return a function that stores another version of the tiny data set and returns its id.

    The snapshot is drawn from ``seed``, with a network if ``hidden`` says its layers.
    """

    def save_another(
        seed: int = 0,
        *,
        n_user_factors: int | None = None,
        hidden: tuple[int, ...] | None = None,
        **other: Any,
    ) -> int:
        snapshot = make_snapshot(ratings, seed=seed, n_user_factors=n_user_factors, hidden=hidden)
        data_set_id = store.save_data_set(engine, ratings)
        return store.save_version(engine, data_set_id, [snapshot], **other)

    return save_another
