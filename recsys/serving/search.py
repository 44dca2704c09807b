"""Finding items by what is known of them apart from any model."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from recsys.errors import NotFoundError
from recsys.model.snapshot import Catalogue

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
Sort = Literal[
    "-n_ratings", "n_ratings", "-mean_rating", "mean_rating", "-year", "year", "title", "-title"
]
SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True)
class Filters:
    """Which items may be listed; everything, unless said.

    Attributes
    ----------
    genre : str or None
        Only items of this genre, in whatever case it is written.
    year_min, year_max : int or None
        First and last year of release, both included; an item without a year fails either.
    min_ratings : int
        Fewest known ratings.
    """

    genre: str | None = None
    year_min: int | None = None
    year_max: int | None = None
    min_ratings: int = 0


class Search:
    """Filters, title search and sorted pages over one catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._sorted: dict[Sort, Rows] = {}

    @property
    def n_items(self) -> int:
        """Number of item rows."""
        return len(self.catalogue.item_ids)

    def matching(self, filters: Filters) -> Mask:
        """Return which items pass the filters, (n_items,) bool."""
        mask = self.catalogue.n_ratings >= filters.min_ratings
        if filters.genre is not None:
            mask &= self._genre_masks.get(fold(filters.genre), np.False_)
        # A comparison with NaN, an unknown year, is false.
        if filters.year_min is not None:
            mask &= self._years >= filters.year_min
        if filters.year_max is not None:
            mask &= self._years <= filters.year_max
        return mask

    def titled(self, query: str) -> Mask:
        """Return the items whose title and year contain every word of ``query``, (n_items,) bool.

        Case and accents do not count, and a word may be a part of one: "amel" finds "Amélie".
        Of an item without a title, the id stands in its place.
        """
        words = fold(query).split()
        if not words:
            return np.ones(self.n_items, dtype=np.bool_)
        return np.fromiter(
            (all(word in text for word in words) for text in self._texts),
            dtype=np.bool_,
            count=self.n_items,
        )

    def page(
        self, *, query: str, filters: Filters, sort: Sort, limit: int, after: str | None = None
    ) -> tuple[Rows, str | None]:
        """Return one page of items and what to pass as ``after`` for the next.

        Parameters
        ----------
        query : str
            As in `titled`; all items if it has no word.
        filters : Filters
        sort : one of `SORTS`
            A minus means largest or last first. Items without the value come last either
            way; equals come in row order.
        limit : int
        after : str or None
            The id of the last item of the page before.

        Returns
        -------
        rows : (at most limit,) intp
        after : str or None
            None after the last page.

        Raises
        ------
        NotFoundError
            If ``after`` is no item of this catalogue.
        """
        chosen = self.matching(filters) & self.titled(query)
        order = self._order(sort)
        if after is not None:
            if after not in self.catalogue.item_ids:
                raise NotFoundError(
                    f"there is no item {after!r} to go on after; begin again at the first page"
                )
            last = self.catalogue.item_ids.row(after)
            order = order[int(np.flatnonzero(order == last)[0]) + 1 :]
        rows = order[chosen[order]]
        more = len(rows) > limit
        return rows[:limit], self.catalogue.item_ids[int(rows[limit - 1])] if more else None

    def _order(self, sort: Sort) -> Rows:
        if sort not in self._sorted:
            self._sorted[sort] = self._sort(sort)
        return self._sorted[sort]

    def _sort(self, sort: Sort) -> Rows:
        descending, key = sort.startswith("-"), sort.removeprefix("-")
        if key == "title":
            titles = self.catalogue.metadata.titles
            known = [row for row, title in enumerate(titles) if title is not None]
            known.sort(key=lambda row: fold(titles[row] or ""), reverse=descending)
            unknown = [row for row, title in enumerate(titles) if title is None]
            return np.array(known + unknown, dtype=np.intp)
        values = self._values(key)
        return np.argsort(-values if descending else values, kind="stable")  # NaN goes last

    def _values(self, key: str) -> NDArray[np.float64]:
        if key == "year":
            return self._years
        if key == "n_ratings":
            return self.catalogue.n_ratings.astype(np.float64)
        means = self.catalogue.mean_ratings
        return np.full(self.n_items, np.nan) if means is None else means.astype(np.float64)

    @cached_property
    def _years(self) -> NDArray[np.float64]:
        years = self.catalogue.metadata.years
        return np.array([np.nan if year is None else year for year in years], dtype=np.float64)

    @cached_property
    def _genre_masks(self) -> dict[str, Mask]:
        masks: dict[str, Mask] = {}
        for row, names in enumerate(self.catalogue.metadata.genres):
            for genre in names:
                masks.setdefault(fold(genre), np.zeros(self.n_items, dtype=np.bool_))[row] = True
        return masks

    @cached_property
    def _texts(self) -> list[str]:
        metadata, ids = self.catalogue.metadata, self.catalogue.item_ids
        return [
            fold(f"{raw_id if title is None else title} {'' if year is None else year}")
            for raw_id, title, year in zip(ids, metadata.titles, metadata.years, strict=True)
        ]


def fold(text: str) -> str:
    """Return ``text`` without case and accents, for comparing what people type."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
