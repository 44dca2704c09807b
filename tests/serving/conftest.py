from collections import Counter
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pytest

from recsys.data import IdMap, ItemMetadata
from recsys.model.item_side import Head, ItemSide
from recsys.model.rated import Rated
from recsys.model.snapshot import Catalogue, Champion, UserRow
from recsys.model.user_state import UserState
from recsys.serving import ItemFiles

# Six items: the fourth ("d") has no training ratings, the last ("f") no metadata.
ITEM_IDS = IdMap("abcdef")
METADATA = ItemMetadata(
    titles=("Alien", "Amélie", "Brazil", "Casablanca", "Dead Man", None),
    years=(1979, 2001, 1985, 1942, 1995, None),
    genres=(("Horror", "Sci-Fi"), ("Comedy",), ("Sci-Fi",), ("Drama",), ("Western",), ()),
)
FACTORS = [[1, 0], [0, 1], [2, 0], [0, 0], [0.5, 0.5], [0, 1]]
BIAS = [0.5, 0.25, 0, 0, 0, 0]
COUNTS = [40, 30, 10, 0, 2, 30]
KNOWN = [44, 33, 11, 3, 2, 33]
MEANS = [4.0, 3.5, 3.5, 2.0, 4.5, 3.0]


def items(bias_of_b: float = 0.25) -> ItemSide:
    bias = np.array(BIAS, dtype=np.float32)
    bias[1] = bias_of_b
    return ItemSide(
        item_ids=ITEM_IDS,
        item_factors=np.array(FACTORS, dtype=np.float32),
        item_bias=bias,
        item_counts=np.array(COUNTS, dtype=np.int32),
        global_mean=3.0,
        y_range=None,
        rating_scale=(0.5, 5.0),
    )


CATALOGUE = Catalogue(
    item_ids=ITEM_IDS,
    metadata=METADATA,
    n_ratings=np.array(KNOWN, dtype=np.int32),
    mean_ratings=np.array(MEANS, dtype=np.float32),
)


def user(factors, bias=0.0, rated=()) -> UserRow:
    return UserRow(
        np.array(factors, dtype=np.float32),
        bias,
        np.array(rated, dtype=np.int32),
        np.full(len(rated), 4, dtype=np.float32),
    )


@dataclass
class MemorySource:
    """Versions in memory; every read is counted and can be made to fail."""

    versions: dict = field(default_factory=dict)
    users: dict = field(default_factory=dict)
    current: Champion | None = None
    earlier: list = field(default_factory=list)
    feedback: dict = field(default_factory=dict)
    reads: Counter = field(default_factory=Counter)
    broken: set = field(default_factory=set)

    def add(self, model_id, **sides):
        self.versions[model_id] = sides

    def promote(self, model_id):
        revision = 1 if self.current is None else self.current.revision + 1
        if self.current is not None:
            self.earlier.insert(0, self.current.model_id)
        self.current = Champion(model_id, revision)

    def champion(self):
        return self.current

    def champion_and_user(self, user_id):
        if self.current is None:
            return None
        return self.current, self.user(self.current.model_id, user_id)

    def earlier_champions(self):
        return self.earlier

    def content_hashes(self, model_id):
        return {
            objective: sha256(
                side.item_bias.tobytes() + repr((objective, side.y_range)).encode()
            ).hexdigest()
            for objective, side in self.versions[model_id].items()
        }

    def item_side(self, model_id, objective):
        self.reads[model_id, objective] += 1
        if model_id in self.broken:
            raise RuntimeError("a row is missing")
        return self.versions[model_id][objective]

    def catalogue(self, model_id):
        return CATALOGUE

    def user(self, model_id, user_id):
        rows = {name: row for (name, known), row in self.users.items() if known == user_id}
        n_newer = len(self.newer_feedback(model_id, user_id))
        return UserState(n_newer, n_newer > 0, lambda: rows)

    def rated(self, model_id, user_id):
        rows = [row for (_, known), row in self.users.items() if known == user_id]
        return Rated(rows[0].rated_items, rows[0].rated_values, None) if rows else None

    def newer_feedback(self, model_id, user_id):
        return self.feedback.get(user_id, [])


@pytest.fixture
def source():
    """One version with rating embeddings only, and the users "1" (likes axis 0) and "2"."""
    made = MemorySource()
    made.add(1, rating=items())
    made.users = {
        ("rating", "1"): user([1, 0], bias=0.5, rated=[0]),
        ("rating", "2"): user([0, 1], bias=-0.5),
    }
    made.promote(1)
    return made


@pytest.fixture
def files(tmp_path):
    return ItemFiles(tmp_path / "cache")


@pytest.fixture
def make_items():
    """Return a function that makes item sides: ``make_items(bias_of_b=..., y_range=...)``."""
    return lambda bias_of_b=0.25, **changes: replace(items(bias_of_b), **changes)


@pytest.fixture
def make_head():
    """Return a function that draws a network: ``make_head(n_user_factors, n_factors, *hidden)``."""

    def make(n_user_factors, n_item_factors, *hidden):
        rng = np.random.default_rng(8)
        widths = (n_user_factors + n_item_factors, *hidden, 1)
        return Head(
            tuple(rng.normal(size=shape).astype(np.float32) for shape in pairwise(widths)),
            tuple(rng.normal(size=width).astype(np.float32) for width in widths[1:]),
        )

    return make


@pytest.fixture
def make_user():
    return user
