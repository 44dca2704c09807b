from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.analysis.items import ItemRow, item_fields, well_known
from recsys.errors import NotFoundError, UsageError
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue

Doubles = NDArray[np.float64]

NO_BIASES = (
    "a neural network (the model mlp) learns no bias of an item apart from its embedding, "
    "so there is nothing to rank by; train the model dot for it"
)


@dataclass(frozen=True)
class BiasRow(ItemRow):
    """One item of a `BiasTable`; ``dataclasses.asdict`` of it is ready for JSON.

    Attributes
    ----------
    n_training_ratings : int
        The ratings that the bias was learned from.
    bias : float
        As learned; in stars, or on the logit scale where the model has a ``y_range``.
    shrunk_bias, standard_error : float or None
        In the unit of the bias; None where the residual standard deviation is not known. See
        `bias_table` for what they are.
    mean_rating : float or None
        Over all known ratings, in stars; None for implicit feedback.
    rank_by_bias : int
        1 is the highest bias of the table; equals share the better rank.
    rank_by_mean : int or None
        1 is the highest mean rating of the table.
    """

    n_training_ratings: int
    bias: float
    shrunk_bias: float | None
    standard_error: float | None
    mean_rating: float | None
    rank_by_bias: int
    rank_by_mean: int | None


@dataclass(frozen=True, eq=False)
class BiasTable:
    """Items in the order of their learned bias, lowest first.

    Attributes
    ----------
    catalogue : Catalogue
    min_ratings : int
        Fewest known ratings of a listed item.
    items : (n_listed,) intp
        Item rows, from the lowest bias to the highest; among equals the lower row first.
    n_training_ratings : (n_listed,) int32
    bias : (n_listed,) float64
    shrunk_bias, standard_error : (n_listed,) float64 or None
    mean_rating : (n_listed,) float64 or None
    rank_by_bias : (n_listed,) int64
    rank_by_mean : (n_listed,) int64 or None
    residual_std : float or None
        What the standard errors rest on, in stars.
    prior_mean, prior_std : float or None
        The distribution of true biases that the shrunk ones are drawn towards.
    """

    catalogue: Catalogue
    min_ratings: int
    items: NDArray[np.intp]
    n_training_ratings: NDArray[np.int32]
    bias: Doubles
    shrunk_bias: Doubles | None
    standard_error: Doubles | None
    mean_rating: Doubles | None
    rank_by_bias: NDArray[np.int64]
    rank_by_mean: NDArray[np.int64] | None
    residual_std: float | None
    prior_mean: float | None
    prior_std: float | None

    def __len__(self) -> int:
        return len(self.items)

    def worst(self, limit: int, offset: int = 0) -> tuple[BiasRow, ...]:
        """Return ``limit`` rows from the lowest bias upwards, after the first ``offset``."""
        return self._rows(np.arange(len(self))[offset : offset + limit])

    def best(self, limit: int, offset: int = 0) -> tuple[BiasRow, ...]:
        """Return ``limit`` rows from the highest bias downwards, after the first ``offset``."""
        return self._rows(np.arange(len(self))[::-1][offset : offset + limit])

    def disagreements(self, limit: int) -> tuple[BiasRow, ...]:
        """Return the rows whose rank by bias and rank by mean lie furthest apart.

        Furthest first; none for implicit feedback, where there is no mean to disagree with.
        """
        if self.rank_by_mean is None:
            return ()
        gap = np.abs(self.rank_by_bias - self.rank_by_mean)
        furthest = np.argsort(-gap, kind="stable")[:limit]
        return self._rows(furthest[gap[furthest] > 0])

    def _rows(self, positions: NDArray[np.intp]) -> tuple[BiasRow, ...]:
        return tuple(
            BiasRow(
                **item_fields(self.catalogue, int(self.items[at])),
                n_training_ratings=int(self.n_training_ratings[at]),
                bias=float(self.bias[at]),
                shrunk_bias=None if self.shrunk_bias is None else float(self.shrunk_bias[at]),
                standard_error=None
                if self.standard_error is None
                else float(self.standard_error[at]),
                mean_rating=None if self.mean_rating is None else float(self.mean_rating[at]),
                rank_by_bias=int(self.rank_by_bias[at]),
                rank_by_mean=None if self.rank_by_mean is None else int(self.rank_by_mean[at]),
            )
            for at in positions
        )


def bias_table(
    items: ItemSide,
    catalogue: Catalogue,
    *,
    min_ratings: int = 20,
    most_rated: int | None = None,
    residual_std: float | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
) -> BiasTable:
    """Return what the model learned about how well each item is liked, whoever rates it.

    An item's bias is what is left of its ratings once the global mean, the tastes of those
    who happened to rate it and their generosity are taken out. It is therefore not the mean
    rating, and the table shows both.

    Training has shrunk the learned bias already. Where the rest of the model is taken as given,
    the objective of an item with n ratings is that of a mean of residuals with k more that are
    zero, ``k = reg_bias (n + n_prior)``: the minimum is the share ``n / (n + k)`` of the mean of
    the n, and its curvature gives the learned bias a posterior standard deviation of
    ``residual_std / sqrt(n + k)``, the standard error here.

    The penalty was chosen for its predictions, and without ``n_prior`` it draws three ratings no
    further in than three hundred. So the shrunk bias starts from the mean m of the n residuals,
    ``bias (n + k) / n``: it is the posterior mean in the random-effects model
    ``m ~ N(truth, residual_std² / n)``, ``truth ~ N(prior_mean, prior_std²)``, the prior
    estimated by moments over all trained items, so that an item's shrunk bias does not depend on
    which others are listed.

    Parameters
    ----------
    items : ItemSide
        The items' half of a snapshot.
    catalogue : Catalogue
        Of the same data set.
    min_ratings : int, default 20
        List only items with at least so many known ratings.
    most_rated : int, optional
        Of these, list only so many with the most ratings. Published tables of ML-100k are
        ``min_ratings=0, most_rated=1000``.
    residual_std : float, optional
        Standard deviation of rating minus prediction, in stars: the version's held-out RMSE
        (``metrics["rmse"]``). Without it standard errors and shrunk biases are None.
    hyperparameters : mapping, optional
        The snapshot's: its ``reg_bias``, ``n_prior`` and ``unit`` say how far the training has
        shrunk the biases. Without them k is 0.

    Returns
    -------
    BiasTable
        Empty if no item has enough ratings. Ranks count within the table.

    Raises
    ------
    NotFoundError
        If the model has no biases to rank by.
    DataError
        If the catalogue is of other items.
    UsageError
        If a number is out of range.

    References
    ----------
    DerSimonian and Laird, "Meta-analysis in clinical trials", Controlled Clinical Trials 7,
    1986 (the moment estimate); Morris, "Parametric empirical Bayes inference", JASA 78, 1983.
    """
    if items.head is not None:
        raise NotFoundError(NO_BIASES)
    if residual_std is not None and not (np.isfinite(residual_std) and residual_std > 0):
        raise UsageError(f"residual_std is {residual_std}; it must be a positive number")
    listed = well_known(items, catalogue, min_ratings, most_rated)
    listed = listed[np.argsort(items.item_bias[listed], kind="stable")]
    bias = items.item_bias[listed].astype(np.float64)
    means = None if catalogue.mean_ratings is None else catalogue.mean_ratings[listed]
    error = shrunk = prior_mean = prior_std = None
    if residual_std is not None:
        slope = _stars_per_unit(items)
        spread = residual_std / slope
        counts = items.item_counts.astype(np.float64)
        penalty = _penalty_in_ratings(counts, slope, items, hyperparameters or {})
        trained = np.flatnonzero(counts)
        unpenalised = np.zeros(items.n_items)
        unpenalised[trained] = items.item_bias[trained] * (1 + penalty[trained] / counts[trained])
        prior_mean, prior_std = _prior(unpenalised[trained], spread / np.sqrt(counts[trained]))
        trust = prior_std**2 / (prior_std**2 + spread**2 / counts[listed])
        shrunk = prior_mean + trust * (unpenalised[listed] - prior_mean)
        error = spread / np.sqrt(counts[listed] + penalty[listed])
    return BiasTable(
        catalogue=catalogue,
        min_ratings=min_ratings,
        items=listed,
        n_training_ratings=items.item_counts[listed],
        bias=bias,
        shrunk_bias=shrunk,
        standard_error=error,
        mean_rating=None if means is None else means.astype(np.float64),
        rank_by_bias=ranks(bias),
        rank_by_mean=None if means is None else ranks(means),
        residual_std=residual_std,
        prior_mean=prior_mean,
        prior_std=prior_std,
    )


def _penalty_in_ratings(
    counts: Doubles, slope: float, items: ItemSide, hyperparameters: Mapping[str, Any]
) -> Doubles:
    """Return how many ratings with residual zero draw each bias as the training's penalty does."""
    n_prior = hyperparameters.get("n_prior", 0.0)
    of_bias: Doubles = hyperparameters.get("reg_bias", 0.0) * (counts + n_prior)
    if items.y_range is None:
        return of_bias
    # The penalty is on logits, of which each counts `slope` stars; errors are in units of stars.
    return of_bias * float((hyperparameters.get("unit", 1.0) / slope) ** 2)


def _prior(bias: Doubles, error: Doubles) -> tuple[float, float]:
    """Return mean and standard deviation of the true biases behind those estimated."""
    if not len(bias):
        return 0.0, 0.0
    weight = error**-2.0
    centre = np.average(bias, weights=weight)
    heterogeneity = np.sum(weight * (bias - centre) ** 2)
    denominator = weight.sum() - np.sum(weight**2) / weight.sum()
    excess = heterogeneity - (len(bias) - 1)
    variance = max(0.0, excess / denominator) if denominator > 0 else 0.0
    mean = np.average(bias, weights=1 / (error**2 + variance))
    return float(mean), float(np.sqrt(variance))


def _stars_per_unit(items: ItemSide) -> float:
    """Return how many stars a unit of bias is worth at the global mean."""
    if items.y_range is None:
        return 1.0
    low, high = items.y_range
    s = 1 / (1 + np.exp(-items.global_mean))
    return float((high - low) * s * (1 - s))


def ranks(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return 1 plus the number of greater values: 5, 3, 3, 1 get 1, 2, 2, 4."""
    greater = len(values) - np.searchsorted(np.sort(values), values, side="right")
    return (1 + greater).astype(np.int64)
