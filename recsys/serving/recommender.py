from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from recsys.errors import NotFoundError, UnknownUserError
from recsys.model.intervals import LEVEL
from recsys.model.item_side import Floats, ItemSide
from recsys.model.ranking import Rows, page
from recsys.model.snapshot import Catalogue, Objective, UserRow
from recsys.serving.item_files import ItemFiles
from recsys.serving.popularity import PopularityDial
from recsys.serving.search import Filters, Mask, Search
from recsys.serving.source import Source

ALL_ITEMS = Filters()


@dataclass(frozen=True, eq=False)
class RankedItems:
    """One page of a list, best first.

    Attributes
    ----------
    items : (n_listed,) intp
        Item rows of the catalogue.
    scores : (n_listed,) float32
        What orders the list; never increasing.
    stars : (n_listed,) float32 or None
        Predicted ratings; None where the version has no rating embeddings.
    has_more : bool
        Whether the list goes on behind this page.
    """

    items: Rows
    scores: Floats
    stars: Floats | None
    has_more: bool


@dataclass(frozen=True, eq=False)
class Recommender:
    """One version, ready to answer; never changed after it is loaded.

    Lists are ordered by the ranking embeddings, or, where the version has none, by predicted
    stars shrunk where ratings are few (`ItemSide.shrunk`). Stars come from the rating
    embeddings.

    Attributes
    ----------
    model_id : int
    content_hashes : mapping of objective to str
    sides : mapping of objective to ItemSide
    catalogue : Catalogue
    source : Source
        Where a user's row is read from when it is asked for.
    """

    model_id: int
    content_hashes: Mapping[Objective, str]
    sides: Mapping[Objective, ItemSide]
    catalogue: Catalogue
    source: Source

    @classmethod
    def load(cls, source: Source, model_id: int, files: ItemFiles) -> Recommender:
        """Return the version ``model_id``, its item arrays mapped from ``files``.

        Raises
        ------
        NotFoundError
            If there is no such version, or it holds no snapshot.
        """
        hashes = source.content_hashes(model_id)
        if not hashes:
            raise NotFoundError(f"version {model_id} holds no embeddings")
        catalogue = source.catalogue(model_id)
        sides = {
            objective: files.load(
                content_hash, catalogue.item_ids, partial(source.item_side, model_id, objective)
            )
            for objective, content_hash in hashes.items()
        }
        return cls(model_id, hashes, sides, catalogue, source)

    @cached_property
    def search(self) -> Search:
        """Filters and title search over the catalogue."""
        return Search(self.catalogue)

    def side(self, objective: Objective) -> ItemSide:
        """Return the items' half of one of the version's snapshots.

        Raises
        ------
        NotFoundError
            If the version was not trained for that objective.
        """
        try:
            return self.sides[objective]
        except KeyError:
            raise NotFoundError(f"version {self.model_id} has no {objective} embeddings") from None

    def item_row(self, item_id: str) -> int:
        """Return the catalogue's row of an item.

        Raises
        ------
        NotFoundError
            If the catalogue does not have it.
        """
        if item_id not in self.catalogue.item_ids:
            raise NotFoundError(f"item {item_id!r} is unknown to version {self.model_id}")
        return self.catalogue.item_ids.row(item_id)

    def recommend(
        self,
        user_id: str,
        n: int = 10,
        *,
        offset: int = 0,
        filters: Filters = ALL_ITEMS,
        exclude_seen: bool = True,
        popularity: float = 0.0,
    ) -> RankedItems:
        """Return ``n`` items for a user after the first ``offset``, best first.

        Items without training ratings are never recommended. Equal scores come in row order.

        Parameters
        ----------
        user_id : str
        n, offset : int
        filters : Filters
        exclude_seen : bool
            Leave out what the user is known to have rated.
        popularity : float
            In [-1, 1]: what moves the list towards popular items, or away from them
            (`PopularityDial`).

        Raises
        ------
        UnknownUserError
            If the version does not know the user.
        """
        user = self._user(user_id, self._listing)
        raw = self._side.scores(user.factors, user.bias)
        scores = raw if self._listing == "ranking" else self._side.shrunk(raw, user.bias)
        scores = self._dial.turn(scores, popularity)
        candidates = self._trained & self.search.matching(filters)
        if exclude_seen:
            candidates[user.rated_items] = False
        items, has_more = page(scores, candidates, n, offset)
        stars = None
        if self._listing == "rating":
            stars = self._side.stars(raw[items])
        elif "rating" in self.sides:
            stars = self._stars(self._user(user_id, "rating"), items)
        return RankedItems(items, scores[items], stars, has_more)

    def popular(self, n: int = 10, *, offset: int = 0, filters: Filters = ALL_ITEMS) -> RankedItems:
        """Return the items with the most known ratings, for somebody of whom nothing is known.

        The scores are the numbers of ratings; the stars are those of a user without any taste
        or generosity of their own.
        """
        candidates = self._trained & self.search.matching(filters)
        scores = self.catalogue.n_ratings.astype(np.float32)
        items, has_more = page(scores, candidates, n, offset)
        stars = None
        if "rating" in self.sides:
            stars = self._stars(self._nobody, items)
        return RankedItems(items, scores[items], stars, has_more)

    def predict(self, user_id: str, item_ids: Sequence[str]) -> Floats:
        """Return the predicted ratings of items by a user, NaN where the item is unknown.

        An item without training ratings has an embedding and a bias of zero: it gets what the
        user gives on average, or what a network makes of that.

        Returns
        -------
        (len(item_ids),) float32
            In stars, clipped to the training scale.

        Raises
        ------
        UnknownUserError
            If the version does not know the user.
        NotFoundError
            If the version has no rating embeddings.
        """
        rows = self.catalogue.item_ids.rows(item_ids)
        stars = self._stars(self._user(user_id, "rating"), rows)
        stars[rows < 0] = np.nan
        return stars

    def predict_between(
        self, user_id: str, item_ids: Sequence[str], level: float = LEVEL
    ) -> tuple[Floats, Floats] | None:
        """Return between which stars a user's ratings of items lie in a share ``level`` of cases.

        None where the version has no calibrated intervals.

        Returns
        -------
        low, high : (len(item_ids),) float32
            Around what `predict` returns, within the training scale; NaN where it is.

        Raises
        ------
        UsageError
            If ``level`` is not in (0, 1).
        UnknownUserError
            If the version does not know the user.
        NotFoundError
            If the version has no rating embeddings.
        """
        side = self.side("rating")
        if side.intervals is None:
            return None
        rows = self.catalogue.item_ids.rows(item_ids)
        n_known = len(self._user(user_id, "rating").rated_items)
        return side.intervals.bounds(
            self.predict(user_id, item_ids), side.item_counts[rows], n_known, level
        )

    def similar_items(self, item_id: str, n: int = 10, *, min_ratings: int = 20) -> RankedItems:
        """Return the ``n`` nearest items by the cosine of their embeddings, itself left out.

        Of the rating embeddings, where the version has them: those say what a film is like, the
        ranking embeddings who watches it. Without training ratings an item has no direction: it
        is near nothing, and nothing is near it; with few, its direction is mostly chance.

        Parameters
        ----------
        item_id : str
        n : int
        min_ratings : int, default 20
            Only items with so many known ratings; with 0 the few-rated ones crowd in.

        Raises
        ------
        NotFoundError
            If the catalogue does not have the item.
        """
        row = self.item_row(item_id)
        candidates = self.search.matching(Filters(min_ratings=min_ratings)) & (self._norms > 0)
        candidates &= bool(self._norms[row] > 0)
        candidates[row] = False
        factors, norms = self._tastes.item_factors, np.where(self._norms > 0, self._norms, 1)
        cosines = np.clip(factors @ factors[row] / (norms * norms[row]), -1, 1)
        items, has_more = page(cosines, candidates, n)
        return RankedItems(items, cosines[items], None, has_more)

    @cached_property
    def _listing(self) -> Objective:
        return "ranking" if "ranking" in self.sides else "rating"

    @property
    def _side(self) -> ItemSide:
        return self.sides[self._listing]

    @cached_property
    def _trained(self) -> Mask:
        return self._side.item_counts > 0

    @cached_property
    def _dial(self) -> PopularityDial:
        return PopularityDial(self.catalogue.n_ratings, self._trained)

    @property
    def _tastes(self) -> ItemSide:
        return self.sides.get("rating", self._side)

    @cached_property
    def _norms(self) -> Floats:
        factors = self._tastes.item_factors
        norms: Floats = np.sqrt(np.einsum("ij,ij->i", factors, factors))
        return norms

    @cached_property
    def _nobody(self) -> UserRow:
        """Somebody without any taste or generosity of their own."""
        factors = np.zeros(self.side("rating").n_user_factors, dtype=np.float32)
        return UserRow(factors, 0.0, np.empty(0, dtype=np.int32), None)

    def _user(self, user_id: str, objective: Objective) -> UserRow:
        user = self.source.user_row(self.model_id, objective, user_id)
        if user is None:
            raise UnknownUserError(user_id, self.model_id)
        return user

    def _stars(self, user: UserRow, rows: NDArray[np.integer]) -> Floats:
        side = self.side("rating")
        return side.stars(side.scores(user.factors, user.bias)[rows])
