"""What the embeddings learned, for the API and the pages alike."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from api.backend import backend, recommender
from recsys.analysis.bias import BiasTable, bias_table
from recsys.analysis.drift import Drift, measure_drift
from recsys.analysis.overlap import list_overlap
from recsys.analysis.pca import PrincipalAxes, principal_axes
from recsys.serving import Recommender
from recsys.store import StoreSource, get_version, sample_users

# Axes take a second where there are many items, and each page and each answer asks for some. They
# are kept as long as the version is, for the few numbers of them that are asked for.
MOST_KEPT = 8
_kept: WeakKeyDictionary[Recommender, dict[tuple[int, int, int], PrincipalAxes]] = (
    WeakKeyDictionary()
)

LIST_LENGTH = 10
"""Of the lists whose overlap is measured."""
N_USERS = 100
"""Whose lists these are, at most."""
_measuring = Lock()


class Moved(NamedTuple):
    """What is different between two versions."""

    drift: Drift
    list_overlap: float | None
    """The share of a user's list that is the same; None where nobody has one from both."""
    n_users: int
    """Of how many users."""


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
        residual_std=rating.metrics.get("rmse") or None,
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


def moved(engine: Engine, before: int, after: int, min_ratings: int) -> Moved:
    """Return what moved between two versions, given by their ``model_id``.

    Raises
    ------
    NotFoundError
        If a version has no rating embeddings, or too few items can be compared.
    """
    # Who asks for what is being measured waits for it, and does not measure it a second time.
    with _measuring:
        return _measured(engine, before, after, min_ratings)


# Versions never change and their ids are never given again; a comparison takes a second or more.
@lru_cache(maxsize=16)
def _measured(engine: Engine, before: int, after: int, min_ratings: int) -> Moved:
    source = StoreSource(engine)
    sides = ((source.item_side(each, "rating"), source.catalogue(each)) for each in (before, after))
    found = measure_drift(*sides, min_ratings=min_ratings)
    user_ids = sample_users(engine, after, N_USERS)
    overlap = list_overlap(source, before, after, user_ids, LIST_LENGTH)
    return Moved(found, overlap, len(user_ids))
