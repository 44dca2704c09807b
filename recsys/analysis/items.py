"""The items that every table of this room names, in one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.errors import DataError, UsageError
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue


@dataclass(frozen=True)
class ItemRow:
    """One item as a table shows it; every row of this room's tables begins with it.

    Attributes
    ----------
    item_id : str
        The caller's id.
    title : str or None
        Without the year; None where the data names none.
    year : int or None
    n_ratings : int
        All known ratings, held out of training or not.
    """

    item_id: str
    title: str | None
    year: int | None
    n_ratings: int

    @property
    def label(self) -> str:
        """The title with its year, or the id where there is no title."""
        title = f"item {self.item_id}" if self.title is None else self.title
        return title if self.year is None else f"{title} ({self.year})"


class ItemFields(TypedDict):
    """The fields of `ItemRow`, to build a longer row from."""

    item_id: str
    title: str | None
    year: int | None
    n_ratings: int


def item_fields(catalogue: Catalogue, item: int) -> ItemFields:
    """Return what `ItemRow` says about the item at row ``item``."""
    return ItemFields(
        item_id=catalogue.item_ids[item],
        title=catalogue.metadata.titles[item],
        year=catalogue.metadata.years[item],
        n_ratings=int(catalogue.n_ratings[item]),
    )


def item_label(catalogue: Catalogue, item: int) -> str:
    """Return how the item at row ``item`` is named (`ItemRow.label`)."""
    return ItemRow(**item_fields(catalogue, item)).label


def catalogue_of(ratings: Ratings) -> Catalogue:
    """Return the catalogue of a data set that is in no store."""
    n_ratings = np.bincount(ratings.items, minlength=ratings.n_items)
    means = None
    if ratings.values is not None:
        sums = np.bincount(ratings.items, ratings.values, minlength=ratings.n_items)
        means = np.full(ratings.n_items, np.nan, dtype=np.float32)
        np.divide(sums, n_ratings, out=means, where=n_ratings > 0, casting="same_kind")
    return Catalogue(ratings.item_ids, ratings.metadata, n_ratings.astype(np.int32), means)


def well_known(
    items: ItemSide, catalogue: Catalogue, min_ratings: int, most_rated: int | None = None
) -> NDArray[np.intp]:
    """Return the rows of the items with enough ratings to be read, ascending.

    An item without training ratings has learned nothing and is never among them.

    Parameters
    ----------
    items : ItemSide
    catalogue : Catalogue
        Of the same items, in the same order.
    min_ratings : int
        Fewest known ratings; 0 and 1 mean the same.
    most_rated : int, optional
        Of these, only so many with the most ratings; among equals the lower row comes first.

    Returns
    -------
    (n_chosen,) intp

    Raises
    ------
    DataError
        If the catalogue is of other items.
    UsageError
        If a number is out of range.
    """
    if items.item_ids != catalogue.item_ids:
        raise DataError("the catalogue and the model are of different items")
    if min_ratings < 0:
        raise UsageError(f"min_ratings is {min_ratings}; it must be at least 0")
    if most_rated is not None and most_rated < 1:
        raise UsageError(f"most_rated is {most_rated}; it must be at least 1")
    enough = (items.item_counts > 0) & (catalogue.n_ratings >= min_ratings)
    rows = np.flatnonzero(enough)
    if most_rated is not None:
        by_count = np.argsort(-catalogue.n_ratings[rows], kind="stable")
        rows = np.sort(rows[by_count[:most_rated]])
    return rows
