from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from recsys.data import IdMap, ItemMetadata
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue

MakeItems = Callable[..., tuple[ItemSide, Catalogue]]


@pytest.fixture(scope="session")
def make_items() -> MakeItems:
    """Items with the given bias, counts and factors, and a catalogue that names them."""

    def make(bias, counts, *, factors=None, means=None, y_range=None, global_mean=3.5, titles=None):
        n_items = len(bias)
        ids = IdMap(f"i{row}" for row in range(n_items))
        counts = np.asarray(counts, np.int32)
        factors = np.zeros((n_items, 2)) if factors is None else np.asarray(factors)
        titles = tuple(titles or (f"Film {row}" for row in range(n_items)))
        years = tuple(1950 + row % 50 for row in range(n_items))
        genres = tuple((("Drama",) if row % 2 else ("Comedy",)) for row in range(n_items))
        items = ItemSide(
            item_ids=ids,
            item_factors=factors.astype(np.float32),
            item_bias=np.asarray(bias, np.float32),
            item_counts=counts,
            global_mean=global_mean,
            y_range=y_range,
            rating_scale=(1.0, 5.0),
        )
        catalogue = Catalogue(
            item_ids=ids,
            metadata=ItemMetadata(titles, years, genres),
            n_ratings=counts,
            mean_ratings=None if means is None else np.asarray(means, np.float32),
        )
        return items, catalogue

    return make
