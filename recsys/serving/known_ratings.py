from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from recsys.data.feedback import ALL_ITEMS
from recsys.errors import UnknownUserError
from recsys.model.snapshot import Catalogue
from recsys.serving.source import Source


class KnownRating(NamedTuple):
    """What is known of a user and an item.

    Attributes
    ----------
    item_id : str
    value : float or None
        None for implicit feedback.
    rated_at : int or None
        Seconds since 1970-01-01 UTC; None where it is not known.
    """

    item_id: str
    value: float | None
    rated_at: int | None


def known_ratings(
    source: Source, model_id: int, catalogue: Catalogue, user_id: str
) -> list[KnownRating]:
    """Return all that is known of a user, newest first; of equal times by item id.

    That is what the version's data set holds, with what came in since in its place, and without
    what was taken back.

    Parameters
    ----------
    source : Source
    model_id : int
        The version.
    catalogue : Catalogue
        The version's. What came in since may be of other items too.
    user_id : str

    Raises
    ------
    UnknownUserError
        If neither knows the user, or everything was taken back.
    """
    rated, newer = source.rated(model_id, user_id), source.newer_feedback(model_id, user_id)
    known: dict[str, KnownRating] = {}
    if rated is not None and not any(entry.item_id == ALL_ITEMS for entry in newer):
        ids = catalogue.item_ids
        nothing: Iterable[None] = [None] * len(rated.items)
        values = nothing if rated.values is None else rated.values.tolist()
        times = nothing if rated.timestamps is None else rated.timestamps.tolist()
        for row, value, time in zip(rated.items.tolist(), values, times, strict=True):
            known[ids[row]] = KnownRating(ids[row], value, time)
    for entry in newer:
        known.pop(entry.item_id, None)
        if not entry.is_erased:
            known[entry.item_id] = KnownRating(entry.item_id, entry.value, entry.rated_at)
    if not known and (rated is None or newer):
        raise UnknownUserError(user_id, model_id)
    return sorted(known.values(), key=_newest_first)


def _newest_first(known: KnownRating) -> tuple[float, str]:
    return (float("inf") if known.rated_at is None else -known.rated_at, known.item_id)
