from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.analysis.correlates import Correlate, correlates, label
from recsys.analysis.items import ItemRow, item_fields, well_known
from recsys.errors import UsageError
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Extreme(ItemRow):
    """An item at one end of an axis.

    Attributes
    ----------
    coordinate : float
        Along the axis; 0 is the mean of the items the axes were fitted on.
    """

    coordinate: float


@dataclass(frozen=True)
class Axis:
    """One principal axis; ``dataclasses.asdict`` of it is ready for JSON.

    Attributes
    ----------
    component : int
        Counted from 0, the largest explained variance first.
    explained_variance_ratio : float
        The part of the factors' variance along this axis, in [0, 1].
    highest, lowest : tuple of Extreme
        The items at its positive and its negative end, outermost first.
    correlates : tuple of Correlate
        What goes along with it, strongest first.
    label : str or None
        What goes along with it by more than chance, in a few words; None where nothing does.
    """

    component: int
    explained_variance_ratio: float
    highest: tuple[Extreme, ...]
    lowest: tuple[Extreme, ...]
    correlates: tuple[Correlate, ...]
    label: str | None


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """The axes along which the item factors differ most.

    Attributes
    ----------
    axes : tuple of Axis
    rows : (n_fitted,) intp
        The items that the axes were fitted on, ascending: those worth drawing on a map.
    coordinates : (n_items, n_components) float32
        Of all items. Those of items with few ratings crowd together near one point.
    """

    axes: tuple[Axis, ...]
    rows: NDArray[np.intp]
    coordinates: NDArray[np.float32]


def principal_axes(
    items: ItemSide,
    catalogue: Catalogue,
    n_components: int = 3,
    *,
    top: int = 10,
    min_ratings: int = 20,
) -> PrincipalAxes:
    """Return the principal axes of the item factors, with the items at their ends.

    The factors are centred and not scaled. The axes are fitted on items with at least
    ``min_ratings`` known ratings: the others, often the most numerous, have hardly left zero,
    and would make how much an item was trained the first axis.

    Neither the sign of an axis nor the basis of the factors means anything by itself, so the
    sign follows the items: the positive end of an axis is the one towards which the logarithm
    of the number of ratings grows; where it does not change along the axis at all, the end
    with the item furthest out. A rotation or reflection of the embeddings and a permutation of
    the items leave the axes as they are.

    Parameters
    ----------
    items : ItemSide
        The items' half of a snapshot.
    catalogue : Catalogue
        Of the same data set.
    n_components : int, default 3
        Number of axes; fewer come back where the factors, or the items with enough ratings,
        span fewer dimensions.
    top : int, default 10
        Number of items at each end of an axis, and no more than half of the fitted ones.
    min_ratings : int, default 20

    Raises
    ------
    DataError
        If the catalogue is of other items.
    UsageError
        If a number is out of range.

    References
    ----------
    K. Pearson, "On lines and planes of closest fit to systems of points in space", 1901;
    scikit-learn's `sklearn.decomposition.PCA`.
    """
    for name, number in (("n_components", n_components), ("top", top)):
        if number < 1:
            raise UsageError(f"{name} is {number}; it must be at least 1")
    rows = well_known(items, catalogue, min_ratings)
    directions, ratios, centre = _fit(items.item_factors[rows].astype(np.float64), n_components)
    popularity = np.log1p(catalogue.n_ratings[rows], dtype=np.float64)
    fitted = (items.item_factors[rows] - centre) @ directions.T
    signs = np.array([_sign(along, popularity) for along in fitted.T])
    directions, fitted = directions * signs[:, None], fitted * signs
    along = correlates(fitted, items, catalogue, rows, top=5)
    axes = tuple(
        Axis(
            component=c,
            explained_variance_ratio=float(ratios[c]),
            highest=_extremes(-fitted[:, c], fitted[:, c], rows, catalogue, top),
            lowest=_extremes(fitted[:, c], fitted[:, c], rows, catalogue, top),
            correlates=along[c],
            label=label(along[c]),
        )
        for c in range(len(ratios))
    )
    coordinates = (items.item_factors - centre) @ directions.T
    return PrincipalAxes(axes=axes, rows=rows, coordinates=coordinates.astype(np.float32))


def _fit(factors: Doubles, n_components: int) -> tuple[Doubles, Doubles, Doubles]:
    """Return directions (n, n_factors), their variance ratios (n,) and the mean (n_factors,)."""
    n_items, n_factors = factors.shape
    if n_items < 2 or not np.ptp(factors, axis=0).any():
        return np.empty((0, n_factors)), np.empty(0), np.zeros(n_factors)
    # As `PCA(svd_solver="full")` of scikit-learn, whose import would take a worker a second and
    # more memory than all else that it holds.
    centre = factors.mean(axis=0)
    _, lengths, directions = np.linalg.svd(factors - centre, full_matrices=False)
    ratios = lengths**2 / (lengths @ lengths)
    n_axes = min(n_components, n_items - 1, n_factors)
    # What is left when the factors span fewer dimensions is rounding, and no axis.
    real = ratios[:n_axes] > 1e-10
    return directions[:n_axes][real], ratios[:n_axes][real], centre


def _sign(along: Doubles, popularity: Doubles) -> float:
    """Return +1 or -1: what the axis is to be multiplied by (the rule of `principal_axes`)."""
    growth = along @ (popularity - popularity.mean())
    if abs(growth) > 1e-9 * np.linalg.norm(along) * np.linalg.norm(popularity):
        return float(np.sign(growth))
    return float(np.sign(along[np.argmax(np.abs(along))]))


def _extremes(
    order: Doubles, along: Doubles, rows: NDArray[np.intp], catalogue: Catalogue, top: int
) -> tuple[Extreme, ...]:
    outermost = np.argsort(order, kind="stable")[: min(top, len(rows) // 2)]
    return tuple(
        Extreme(**item_fields(catalogue, int(rows[at])), coordinate=float(along[at]))
        for at in outermost
    )
