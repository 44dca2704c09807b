"""What moved between two versions: their item embeddings laid over each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.analysis.bias import ranks
from recsys.analysis.items import ItemRow, item_fields, well_known
from recsys.analysis.overlap import overlap
from recsys.errors import NotFoundError, UsageError
from recsys.model.item_side import Floats, ItemSide
from recsys.model.ranking import page
from recsys.model.snapshot import Catalogue

Doubles = NDArray[np.float64]
Rows = NDArray[np.intp]

FEWEST_ITEMS = 3
"""Of fewer items in common, a rotation lays almost any two pictures over each other."""

_MOST_SAMPLED = 500


@dataclass(frozen=True)
class ItemDrift(ItemRow):
    """How far an item moved from one version to the other.

    Attributes
    ----------
    distance : float
        Between its two places after the alignment, in units of the items' root mean square
        distance from their centre: 0 is the same place, the square root of 2 what two unrelated
        places are apart on average.
    cosine : float
        Of the two places as seen from the centre, in [-1, 1]; 0 where one is the centre.
    rank_before, rank_after : int or None
        By bias within the items compared, 1 the highest; None where a version has no biases.
    """

    distance: float
    cosine: float
    rank_before: int | None
    rank_after: int | None

    @property
    def rank_change(self) -> int | None:
        """By how many places it rose; negative where it fell."""
        if self.rank_before is None or self.rank_after is None:
            return None
        return self.rank_before - self.rank_after


@dataclass(frozen=True)
class Drift:
    """What is different between the item embeddings of two versions.

    Attributes
    ----------
    n_items : int
        Compared: known to both versions, with enough ratings in both.
    alignment : float
        The Procrustes correlation of the two configurations, in [0, 1]: 1 where one is the other
        turned, mirrored, shifted and scaled.
    neighbour_overlap : float
        The share of an item's ``n_neighbours`` nearest that are the same in both versions, mean
        over items.
    n_neighbours : int
    bias_correlation : float or None
        Spearman's, of the biases; None where a version has no biases, or all are equal.
    items : tuple of ItemDrift
        All that were compared, the farthest moved first.
    """

    n_items: int
    alignment: float
    neighbour_overlap: float
    n_neighbours: int
    bias_correlation: float | None
    items: tuple[ItemDrift, ...]

    def by_rank_change(self) -> tuple[ItemDrift, ...]:
        """Return the items by how far they moved in the order by bias, the farthest first."""
        return tuple(sorted(self.items, key=lambda item: -abs(item.rank_change or 0)))


def measure_drift(
    before: tuple[ItemSide, Catalogue],
    after: tuple[ItemSide, Catalogue],
    *,
    min_ratings: int = 20,
    n_neighbours: int = 10,
    seed: int = 0,
) -> Drift:
    """Return what moved between two versions, of the same data set or not.

    Turning, mirroring, shifting and scaling the item embeddings, with the users' turned and
    scaled against it, changes no order of any list, so all of that is taken out: both
    configurations are centred and scaled to the same size, then one is turned onto the other by
    orthogonal Procrustes. Embeddings of fewer factors get zeros for those that they lack.

    Parameters
    ----------
    before, after : (ItemSide, Catalogue)
        Each version's items.
    min_ratings : int
        Only items with so many known ratings in both: those of fewer are hardly trained.
    n_neighbours : int
        How many nearest items are compared.
    seed : int
        Which 500 items' neighbours are compared, where there are more.

    Raises
    ------
    NotFoundError
        If fewer than `FEWEST_ITEMS` items can be compared, or all embeddings of a version are
        alike.
    UsageError
        If a number is out of range.

    References
    ----------
    P. H. Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika
    31, 1966. W. L. Hamilton, J. Leskovec, D. Jurafsky, "Diachronic word embeddings reveal
    statistical laws of semantic change", ACL 2016: words' drift measured this way.
    """
    if n_neighbours < 1:
        raise UsageError(f"n_neighbours is {n_neighbours}; it must be at least 1")
    rows_before, rows_after = _in_common(before, after, min_ratings)
    factors_before = before[0].item_factors[rows_before].astype(np.float64)
    factors_after = after[0].item_factors[rows_after].astype(np.float64)
    one, other, alignment = _aligned(factors_before, factors_after)
    places = _bias_ranks(before[0].item_bias[rows_before], after[0].item_bias[rows_after])
    distances = np.linalg.norm(one - other, axis=1)
    cosines = _cosines(one, other)
    order = np.argsort(-distances, kind="stable")
    sample = np.random.default_rng(seed).permutation(len(order))[:_MOST_SAMPLED]
    return Drift(
        n_items=len(order),
        alignment=alignment,
        neighbour_overlap=_neighbour_overlap(factors_before, factors_after, sample, n_neighbours),
        n_neighbours=min(n_neighbours, len(order) - 1),
        bias_correlation=None if places is None else _spearman(*places),
        items=tuple(
            ItemDrift(
                **item_fields(after[1], int(rows_after[at])),
                distance=float(distances[at]),
                cosine=float(cosines[at]),
                rank_before=None if places is None else int(places[0][at]),
                rank_after=None if places is None else int(places[1][at]),
            )
            for at in order.tolist()
        ),
    )


def _in_common(
    before: tuple[ItemSide, Catalogue], after: tuple[ItemSide, Catalogue], min_ratings: int
) -> tuple[Rows, Rows]:
    """Return the row of each item to be compared, in both versions."""
    rows = well_known(*after, min_ratings)
    ids = [after[0].item_ids[int(row)] for row in rows]
    found = before[0].item_ids.rows(ids)
    both = np.isin(found, well_known(*before, min_ratings))
    if both.sum() < FEWEST_ITEMS:
        raise NotFoundError(
            f"the versions have {both.sum()} items in common that have {min_ratings} or more "
            f"ratings in both; drift needs {FEWEST_ITEMS} or more"
        )
    return found[both].astype(np.intp), rows[both]


def _aligned(before: Doubles, after: Doubles) -> tuple[Doubles, Doubles, float]:
    """Return both configurations, centred, scaled, the first turned onto the second.

    And the sum of the singular values of their product, which is their Procrustes correlation.
    """
    # Imported here: a server that is never asked for drift does not pay for it.
    from scipy.linalg import orthogonal_procrustes

    n_factors = max(before.shape[1], after.shape[1])
    one, other = (_of_size_one(_padded(factors, n_factors)) for factors in (before, after))
    rotation, scale = orthogonal_procrustes(one, other)
    size = np.sqrt(len(one))  # so that the root mean square distance from the centre is 1
    return one @ rotation * size, other * size, float(np.clip(scale, 0, 1))


def _padded(factors: Doubles, n_factors: int) -> Doubles:
    return np.pad(factors, ((0, 0), (0, n_factors - factors.shape[1])))


def _of_size_one(factors: Doubles) -> Doubles:
    centred = factors - factors.mean(axis=0)
    size = np.linalg.norm(centred)
    if size <= 1e-12 * np.linalg.norm(factors):
        raise NotFoundError(
            "the items' embeddings of one of the versions are all alike: nothing can be compared"
        )
    return np.asarray(centred / size)


def _cosines(one: Doubles, other: Doubles) -> Doubles:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    dots = np.einsum("nk,nk->n", one, other)
    cosines = np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)
    return np.asarray(np.clip(cosines, -1, 1))


def _neighbour_overlap(before: Doubles, after: Doubles, sample: Rows, n: int) -> float:
    """Return `overlap` of the nearest items by cosine, of the items at ``sample``."""
    directions = [_directions(factors) for factors in (before, after)]

    def nearest(factors: Doubles, at: int) -> Iterable[int]:
        candidates = np.ones(len(factors), dtype=bool)
        candidates[at] = False
        rows, _ = page(factors @ factors[at], candidates, n)
        return map(int, rows)

    shares = overlap(
        (nearest(directions[0], at), nearest(directions[1], at)) for at in sample.tolist()
    )
    return 0.0 if shares is None else shares


def _directions(factors: Doubles) -> Doubles:
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    return np.asarray(np.divide(factors, lengths, out=np.zeros_like(factors), where=lengths > 0))


def _bias_ranks(
    before: Floats, after: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the places in both orders by bias; None where a version has no biases."""
    return (ranks(before), ranks(after)) if before.any() and after.any() else None


def _spearman(before: NDArray[np.int64], after: NDArray[np.int64]) -> float | None:
    if not np.ptp(before) or not np.ptp(after):
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(before, after).statistic)
