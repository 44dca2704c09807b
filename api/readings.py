"""What the champion's embeddings learned, for the API and the pages alike."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from api.backend import backend, recommender
from recsys.analysis.bias import BiasTable, bias_table
from recsys.analysis.pca import PrincipalAxes, principal_axes
from recsys.serving import Recommender
from recsys.store import get_version

# Axes take a second where there are many items, and each page and each answer asks for some. They
# are kept as long as the version is, for the few numbers of them that are asked for.
MOST_KEPT = 8
_kept: WeakKeyDictionary[Recommender, dict[tuple[int, int, int], PrincipalAxes]] = (
    WeakKeyDictionary()
)


def biases(min_ratings: int) -> BiasTable:
    """Return the items with so many known ratings in the order of their learned bias.

    Raises
    ------
    NotFoundError
        If the version has no rating embeddings, or no biases.
    """
    asked = recommender()
    items = asked.side("rating")
    version = get_version(backend().engine, asked.model_id)
    rating = next(found for found in version.snapshots if found.objective == "rating")
    return bias_table(
        items,
        asked.catalogue,
        min_ratings=min_ratings,
        residual_std=rating.metrics.get("rmse"),
        hyperparameters=rating.hyperparameters,
    )


def axes(n_components: int, top: int, min_ratings: int = 20) -> PrincipalAxes:
    """Return the principal axes of the rating embeddings, with ``top`` items at each end.

    They are fitted on the items with so many known ratings.

    Raises
    ------
    NotFoundError
        If the version has no rating embeddings.
    """
    asked, numbers = recommender(), (n_components, top, min_ratings)
    kept = _kept.setdefault(asked, {})
    found = kept.get(numbers)
    if found is None:
        found = principal_axes(
            asked.side("rating"), asked.catalogue, n_components, top=top, min_ratings=min_ratings
        )
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[numbers] = found
    return found
