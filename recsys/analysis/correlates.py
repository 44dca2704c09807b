from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Correlate:
    """Something known of the items that goes along with an axis.

    Attributes
    ----------
    feature : str
        ``popularity`` (logarithm of the number of ratings), ``bias``, ``mean rating``,
        ``year``, or ``genre`` and its name.
    correlation : float
        Pearson's, in [-1, 1], over the items where the feature is known.
    """

    feature: str
    correlation: float


def correlates(
    coordinates: Doubles, items: ItemSide, catalogue: Catalogue, rows: NDArray[np.intp], top: int
) -> tuple[Correlate, ...]:
    """Return the ``top`` features that go along most with an axis, strongest first.

    Parameters
    ----------
    coordinates : (n_rows,) float64
        Along the axis, of the items at ``rows``.
    items : ItemSide
    catalogue : Catalogue
    rows : (n_rows,) intp
    top : int
    """
    found = []
    for name, values in _features(items, catalogue, rows):
        known = np.isfinite(values)
        # A feature that all items share, or hardly any item has, says nothing about an axis.
        if known.sum() < 3 or np.ptp(values[known]) == 0 or np.ptp(coordinates[known]) == 0:
            continue
        r = float(np.corrcoef(values[known], coordinates[known])[0, 1])
        found.append(Correlate(name, float(np.clip(r, -1, 1))))
    return tuple(sorted(found, key=lambda c: (-abs(c.correlation), c.feature))[:top])


def _features(
    items: ItemSide, catalogue: Catalogue, rows: NDArray[np.intp]
) -> Iterator[tuple[str, Doubles]]:
    metadata = catalogue.metadata
    yield "popularity", np.log1p(catalogue.n_ratings[rows], dtype=np.float64)
    yield "bias", items.item_bias[rows].astype(np.float64)
    if catalogue.mean_ratings is not None:
        yield "mean rating", catalogue.mean_ratings[rows].astype(np.float64)
    years = [metadata.years[row] for row in rows]
    yield "year", np.array([np.nan if year is None else year for year in years], np.float64)
    genres = [metadata.genres[row] for row in rows]
    for genre in sorted({name for names in genres for name in names}):
        yield f"genre {genre}", np.array([genre in names for names in genres], np.float64)
