from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from api import Config, create_app
from recsys import store
from recsys.data import IdMap, ItemMetadata, Ratings
from recsys.model.intervals import StarIntervals
from recsys.model.item_side import Head, ItemSide
from recsys.model.newcomers import Newcomers
from recsys.model.snapshot import Snapshot

N_USERS, N_ITEMS, N_FACTORS = 12, 30, 4
GENRES = ("Action", "Comedy", "Drama", "Film-Noir")


def make_ratings(n_users: int = N_USERS) -> Ratings:
    """Twelve users, "1" to "12"; items "m0" to "m29", of which m28 and m29 nobody rated.

    m27 has neither title nor year, m26 is called as m25 and has commas and accents.
    """
    rng = np.random.default_rng(5)
    pairs = [(u, i) for u in range(n_users) for i in range(N_ITEMS - 2) if rng.random() < 0.4]
    users, items = (np.array(rows, dtype=np.int32) for rows in zip(*pairs, strict=True))
    titles = [f"Film {n:02d}" for n in range(N_ITEMS)]
    titles[25] = titles[26] = "Fabuleux destin d'Amélie Poulain, Le"
    years = [1970 + n for n in range(N_ITEMS)]
    return Ratings(
        name="tiny",
        user_ids=IdMap(str(n + 1) for n in range(n_users)),
        item_ids=IdMap(f"m{n}" for n in range(N_ITEMS)),
        users=users,
        items=items,
        values=rng.integers(1, 6, len(users)).astype(np.float32),
        metadata=ItemMetadata(
            titles=tuple(None if n == 27 else title for n, title in enumerate(titles)),
            years=tuple(None if n == 27 else year for n, year in enumerate(years)),
            genres=tuple((GENRES[n % 3], GENRES[3]) if n % 5 else () for n in range(N_ITEMS)),
        ),
    )


def make_snapshot(ratings: Ratings, seed: int) -> Snapshot:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    counts = np.bincount(ratings.items, minlength=N_ITEMS).astype(np.int32)
    trained = (counts > 0).astype(np.float32)
    return Snapshot(
        objective="rating",
        items=ItemSide(
            item_ids=ratings.item_ids,
            item_factors=draw(N_ITEMS, N_FACTORS) * trained[:, None],
            item_bias=draw(N_ITEMS) * trained,
            item_counts=counts,
            global_mean=3.25,
            y_range=None,
            rating_scale=ratings.rating_scale,
        ),
        user_ids=ratings.user_ids,
        user_factors=draw(ratings.n_users, N_FACTORS),
        user_bias=draw(ratings.n_users),
        hyperparameters={"n_factors": N_FACTORS, "seed": seed},
        data_fingerprint=ratings.fingerprint,
        metrics={"rmse": 0.9, "mae": None},
        history=({"epoch": 1, "lr": 0.1, "train_loss": 1.0},),
    )


def make_network(ratings: Ratings, seed: int) -> Snapshot:
    """As `make_snapshot`, with a network over embeddings of 6 and 4 in place of the product."""
    rng = np.random.default_rng(seed)
    dot = make_snapshot(ratings, seed)
    widths = (6 + N_FACTORS, 8, 1)
    head = Head(
        tuple(rng.normal(0, 0.5, shape).astype(np.float32) for shape in pairwise(widths)),
        tuple(np.zeros(width, np.float32) for width in widths[1:]),
    )
    return replace(
        dot,
        items=replace(dot.items, item_bias=np.zeros(N_ITEMS, np.float32), head=head),
        user_factors=rng.normal(size=(N_USERS, 6)).astype(np.float32),
        user_bias=np.zeros(N_USERS, np.float32),
        hyperparameters={"model": "mlp", "n_factors": None, "hidden": [8]},
    )


def make_foldable(ratings: Ratings, seed: int) -> Snapshot:
    """As `make_snapshot`, with what it takes to fold users in."""
    snapshot = make_snapshot(ratings, seed)
    newcomers = Newcomers(0.1, 0.1, 1.0, 0.0, user_mean=np.zeros(N_FACTORS, np.float32))
    return replace(snapshot, items=replace(snapshot.items, newcomers=newcomers))


def make_full(ratings: Ratings, seed: int) -> list[Snapshot]:
    """Both objectives, with what folding in takes, and intervals of half a star and more."""
    rating, ranking = make_foldable(ratings, seed), make_foldable(ratings, seed + 100)
    intervals = StarIntervals(
        -0.7, -0.1, -0.1, 0.0, (0.1, 0.25, 0.75, 0.9), (-2.0, -1.0, 1.0, 2.0), (1.0, 5.0), 100
    )
    newcomers = replace(
        ranking.items.newcomers,
        unobserved=0.1,
        user_mean=np.full(N_FACTORS, 0.2, np.float32),
    )
    return [
        replace(rating, items=replace(rating.items, intervals=intervals)),
        replace(
            ranking,
            objective="ranking",
            items=replace(ranking.items, global_mean=0.0, newcomers=newcomers),
            metrics={},
        ),
    ]


@pytest.fixture(scope="session")
def bare_store(tmp_path_factory):
    """The configuration and the engine of a store that holds nothing."""
    folder = tmp_path_factory.mktemp("bare")
    config = Config(f"sqlite:///{folder}/recsys.db", folder / "cache")
    engine = store.open_database(config.database_url)
    store.prepare(engine)
    yield config, engine
    engine.dispose()


@cache
def migrated() -> bytes:
    """Return the file of a store that holds nothing yet, so that each need not be migrated."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "recsys.db")
        engine = store.open_database(f"sqlite:///{path}")
        store.prepare(engine)
        engine.dispose()
        return path.read_bytes()


class Shop:
    """A store in a file, with versions made from seeds, and the application over it."""

    def __init__(self, folder: Path, ratings: Ratings | None = None) -> None:
        self.config = Config(f"sqlite:///{folder}/recsys.db", folder / "cache")
        (folder / "recsys.db").write_bytes(migrated())
        self.engine = store.open_database(self.config.database_url)
        self.ratings = ratings or make_ratings()
        self.data_set_id = store.save_data_set(self.engine, self.ratings)
        self.app = create_app(self.config)
        self.client = self.app.test_client()

    def train(self, seed: int, *, promote: bool = True, make=make_snapshot) -> int:
        made = make(self.ratings, seed)
        snapshots = made if isinstance(made, list) else [made]
        model_id = store.save_version(self.engine, self.data_set_id, snapshots)
        if promote:
            store.promote(self.engine, model_id)
        return model_id

    def get(self, url: str, **options):
        return self.client.get(url, buffered=True, **options)

    def all_pages(self, url: str) -> list[dict]:
        """Return the rows of all pages, following `next` from ``url``."""
        rows = []
        while url is not None:
            body = self.get(url).get_json()
            rows += body["items"]
            url = body["next"]
        return rows

    def close(self) -> None:
        self.engine.dispose()
        self.app.extensions["recsys"].engine.dispose()


@pytest.fixture(scope="module")
def make_shop(tmp_path_factory):
    """Return a function that makes an empty store for the tests of a module."""
    made = []

    def make_empty() -> Shop:
        made.append(Shop(tmp_path_factory.mktemp("made")))
        return made[-1]

    yield make_empty
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A store with one version, which no test changes."""
    made = Shop(tmp_path_factory.mktemp("shop"))
    made.train(seed=1)
    yield made
    made.close()


@pytest.fixture(scope="session")
def full_shop(tmp_path_factory):
    """A store whose one version has all that a version can have, which no test changes."""
    made = Shop(tmp_path_factory.mktemp("full"))
    made.train(seed=1, make=make_full)
    yield made
    made.close()


@pytest.fixture(scope="session")
def implicit_shop(tmp_path_factory):
    """A store of who took what, without ratings, which no test changes."""
    made = Shop(tmp_path_factory.mktemp("implicit"), replace(make_ratings(), values=None))
    made.train(seed=1, make=lambda ratings, seed: make_full(ratings, seed)[1])
    yield made
    made.close()


@pytest.fixture(scope="session")
def network_shop(tmp_path_factory):
    """A store whose one version is a network, which no test changes."""
    made = Shop(tmp_path_factory.mktemp("network"))
    made.train(seed=1, make=make_network)
    yield made
    made.close()


@pytest.fixture
def fresh_shop(tmp_path):
    """A store with one version for the test to change."""
    made = Shop(tmp_path)
    made.train(seed=1)
    yield made
    made.close()


@pytest.fixture
def folding_shop(tmp_path):
    """A store for the test to change, whose one version can fold users in."""
    made = Shop(tmp_path)
    made.train(seed=1, make=make_foldable)
    yield made
    made.close()


@pytest.fixture
def empty_shop(tmp_path):
    """A store without any version."""
    made = Shop(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def browsed_shop(tmp_path_factory):
    """A store of enough ratings for axes, with two versions, the second promoted last.

    The title of m3 would be a script, were it not text.
    """
    ratings = make_ratings(n_users=100)
    titles = list(ratings.metadata.titles)
    titles[3] = "<script>document.title='taken over'</script>"
    metadata = replace(ratings.metadata, titles=tuple(titles))
    made = Shop(tmp_path_factory.mktemp("browsed"), replace(ratings, metadata=metadata))
    made.train(seed=1, make=make_full)
    made.train(seed=2, make=make_full)
    yield made
    made.close()
