"""What is known of the items and goes along with an axis of their embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue

Doubles = NDArray[np.float64]

N_PERMUTATIONS = 199
"""Enough for a p-value of .005, and a server that is asked for axes waits for them."""

SIGNIFICANT = 0.01


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
    p_value : float
        The share of permutations of the items, this one included, in which any feature goes
        along with the axis at least as much: in (0, 1]. It is so corrected for the number of
        features that were tried.
    """

    feature: str
    correlation: float
    p_value: float


def correlates(
    coordinates: Doubles,
    items: ItemSide,
    catalogue: Catalogue,
    rows: NDArray[np.intp],
    top: int,
    *,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
) -> list[tuple[Correlate, ...]]:
    """Return the ``top`` features that go along most with each axis, strongest first.

    Parameters
    ----------
    coordinates : (n_rows, n_axes) float64
        Along the axes, of the items at ``rows``.
    items : ItemSide
    catalogue : Catalogue
    rows : (n_rows,) intp
    top : int
    n_permutations, seed : int
        Of the test of significance.

    References
    ----------
    P. H. Westfall, S. S. Young, "Resampling-based multiple testing", Wiley 1993: the largest
    correlation of any feature is what each is compared with.
    """
    names, features, known = _standardised_features(items, catalogue, rows)
    along = _standardised(coordinates)
    products = features @ along  # (n_features, n_axes)
    # Over the items where a feature is known, the axis varies more or less than over all.
    lengths = np.array([np.linalg.norm(along[k] - along[k].mean(axis=0), axis=0) for k in known])
    correlations = np.zeros_like(products)
    np.divide(products, lengths.reshape(products.shape), out=correlations, where=products != 0)
    rng = np.random.default_rng(seed)
    n_as_strong, permuted = np.ones(products.shape, dtype=np.int64), np.empty_like(along)
    for _ in range(n_permutations if names else 0):
        # "clip" does nothing here, but "raise" would make a copy each time.
        np.take(along, rng.permutation(len(rows)), axis=0, out=permuted, mode="clip")
        by_chance = np.abs(features @ permuted).max(axis=0)
        # Rounding must not make a permutation that changes nothing weaker than no permutation.
        n_as_strong += by_chance >= np.abs(products) - 1e-12
    return [
        _strongest(names, correlations[:, axis], n_as_strong[:, axis] / (n_permutations + 1), top)
        for axis in range(coordinates.shape[1])
    ]


def label(found: Sequence[Correlate]) -> str | None:
    """Return an axis in a few words: up to three features that go along with it, with their sign.

    None where nothing does by more than chance (`SIGNIFICANT`).
    """
    told = [
        f"{'+' if correlate.correlation > 0 else '−'}{correlate.feature}"
        for correlate in found
        if correlate.p_value <= SIGNIFICANT
    ]
    return ", ".join(told[:3]) or None


def _standardised_features(
    items: ItemSide, catalogue: Catalogue, rows: NDArray[np.intp]
) -> tuple[list[str], Doubles, list[NDArray[np.bool_]]]:
    """Return the features' names, (n_features, n_rows) values and where each is known.

    Each has mean 0 and length 1 over the items where it is known, and is 0 elsewhere. A feature
    that all items share, or hardly any item has, says nothing about an axis and is left out.
    """
    names, standardised, where_known = [], [], []
    for name, values in _features(items, catalogue, rows):
        known = np.isfinite(values)
        if known.sum() < 3 or np.ptp(values[known]) == 0:
            continue
        column = np.zeros(len(rows))
        column[known] = _standardised(values[known][:, None])[:, 0]
        names.append(name)
        standardised.append(column)
        where_known.append(known)
    return names, np.array(standardised).reshape(len(names), len(rows)), where_known


def _standardised(columns: Doubles) -> Doubles:
    """Return columns with mean 0 and length 1; zeros for one without variance."""
    centred = columns - columns.sum(axis=0) / max(1, len(columns))
    lengths = np.linalg.norm(centred, axis=0)
    return np.asarray(np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0))


def _strongest(
    names: Sequence[str], correlations: Doubles, p_values: Doubles, top: int
) -> tuple[Correlate, ...]:
    found = [
        Correlate(name, float(r), float(p))
        for name, r, p in zip(names, correlations, p_values, strict=True)
        if r != 0
    ]
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
