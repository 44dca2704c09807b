"""Ratings that come in one by one after the file was written, and when they can be used."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ALL_ITEMS = ""
"""In the place of an item id, which is never empty: all that was known of the user before."""

LATEST = 100_000_000_000
"""No rating is given later, in seconds since 1970: a larger number is of milliseconds."""


class FeedbackEntry(NamedTuple):
    """What one user says, or takes back, about one item; it stands before what a file says.

    Attributes
    ----------
    user_id, item_id : str
        The item id is `ALL_ITEMS` where the user takes back everything.
    value : float or None
        The rating; None where it is taken back, and for implicit feedback.
    rated_at : int or None
        Seconds since 1970-01-01 UTC; None, on its way to the store, for the time of writing.
    is_erased : bool
        Whether it is taken back.
    """

    user_id: str
    item_id: str
    value: float | None
    rated_at: int | None
    is_erased: bool = False


def rating_flaw(
    value: float | None, scale: tuple[float, float], *, is_implicit: bool
) -> str | None:
    """Return why a rating cannot stand among those of a data set; None if it can.

    Parameters
    ----------
    value : float or None
    scale : (float, float)
        The data set's smallest and largest rating.
    is_implicit : bool
        Whether the data set has no ratings, only who took what.
    """
    if is_implicit:
        allowed = "the data set has no ratings, only who took what: leave the rating out"
        return None if value is None else f"{value:g} is a rating; {allowed}"
    low, high = scale
    allowed = f"allowed: {low:g} to {high:g}"
    if value is None:
        return f"there is no rating; {allowed}"
    # The scale is of float32: 0.1 as a float64 would lie below it.
    with np.errstate(over="ignore"):
        fits = np.float32(low) <= np.float32(value) <= np.float32(high)
    return None if fits else f"{value:g} is outside the scale; {allowed}"
