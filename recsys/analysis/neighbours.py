from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.analysis.items import ItemRow, item_fields, well_known
from recsys.errors import UsageError
from recsys.model.item_side import ItemSide
from recsys.model.ranking import page
from recsys.model.snapshot import Catalogue


@dataclass(frozen=True)
class Neighbour(ItemRow):
    """An item near another.

    Attributes
    ----------
    cosine : float
        Of the two embeddings, in [-1, 1].
    """

    cosine: float


def nearest_items(
    items: ItemSide, catalogue: Catalogue, item_id: str, n: int = 5, *, min_ratings: int = 20
) -> tuple[Neighbour, ...]:
    """Return the ``n`` items nearest by the cosine of the embeddings, itself left out.

    Only items with at least ``min_ratings`` known ratings are considered: with fewer, a
    direction is mostly chance. An item whose embedding is zero has no direction and no neighbours.

    Raises
    ------
    NotFoundError
        If the catalogue does not have the item.
    DataError
        If the catalogue is of other items.
    UsageError
        If a number is out of range.
    """
    if n < 1:
        raise UsageError(f"n is {n}; it must be at least 1")
    factors = items.item_factors.astype(np.float64)
    norms = np.linalg.norm(factors, axis=1)
    candidates = np.zeros(items.n_items, dtype=bool)
    candidates[well_known(items, catalogue, min_ratings)] = True
    candidates &= norms > 0
    row = catalogue.item_ids.row(item_id)
    if norms[row] == 0:
        return ()
    candidates[row] = False
    cosines = np.zeros(items.n_items)
    dots = factors[candidates] @ factors[row]
    cosines[candidates] = np.clip(dots / (norms[candidates] * norms[row]), -1, 1)
    nearest, _ = page(cosines, candidates, n)
    return tuple(
        Neighbour(**item_fields(catalogue, int(at)), cosine=float(cosines[at])) for at in nearest
    )
