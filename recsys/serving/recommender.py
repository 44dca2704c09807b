from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from recsys.errors import NotFoundError
from recsys.model.intervals import LEVEL
from recsys.model.item_side import Floats, ItemSide
from recsys.model.ranking import page
from recsys.model.snapshot import Catalogue, Objective, UserRow
from recsys.model.user_state import UserState
from recsys.serving.folding import Folding
from recsys.serving.item_files import ItemFiles
from recsys.serving.lists import ListOrder, RankedItems
from recsys.serving.neighbours import Neighbours
from recsys.serving.people import People
from recsys.serving.person import Person
from recsys.serving.search import Filters, Mask, Search
from recsys.serving.source import Source

ALL_ITEMS = Filters()


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

    def person(self, user_id: str, state: UserState | None = None) -> Person:
        """Return a user as known at this moment, newer feedback folded in (`People.find`).

        Parameters
        ----------
        user_id : str
        state : UserState, optional
            What the source says of the user and this version, where it was asked already.

        Raises
        ------
        UnknownUserError
            If the version does not know the user and nothing has come in since.
        """
        return self._people.find(user_id, state or self.source.user(self.model_id, user_id))

    def fold_in(
        self,
        item_ids: Sequence[str],
        values: Sequence[float | None] | None = None,
        *,
        known: Person | None = None,
    ) -> tuple[Person, list[str]]:
        """Return somebody with these ratings, whom nobody trained, and the items skipped.

        See `Folding.person`. `FoldIn` raises NotFoundError where the version cannot do that.
        """
        return self._folding.person(item_ids, values, known)

    def recommend(
        self,
        user: str | Person,
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
        user : str or Person
            The id of a user the version knows, or whom `person` returned.
        n, offset : int
        filters : Filters
        exclude_seen : bool
            Leave out what the user is known to have rated.
        popularity : float
            In [-1, 1]: what moves the list towards popular items, or away from them
            (`recsys.serving.popularity.PopularityDial`).

        Raises
        ------
        UnknownUserError
            If the version does not know the user.
        """
        person = self._person(user)
        candidates = self.order.listed & self.search.matching(filters)
        if exclude_seen:
            candidates[person.rated_items] = False
        scores = self.order.scores(person.rows[self.order.objective], popularity)
        return self._page(person, scores, candidates, n, offset)

    def popular(self, n: int = 10, *, offset: int = 0, filters: Filters = ALL_ITEMS) -> RankedItems:
        """Return the items with the most known ratings, for somebody of whom nothing is known.

        The scores are the numbers of ratings; the stars are those of a user without any taste
        or generosity of their own.
        """
        candidates = self.order.listed & self.search.matching(filters)
        scores = self.catalogue.n_ratings.astype(np.float32)
        return self._page(self._nobody, scores, candidates, n, offset)

    def predict(self, user: str | Person, item_ids: Sequence[str]) -> Floats:
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
        stars = self._stars(self._person(user), rows)
        stars[rows < 0] = np.nan
        return stars

    def predict_between(
        self, user: str | Person, item_ids: Sequence[str], level: float = LEVEL
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
        person = self._person(user)
        rows = self.catalogue.item_ids.rows(item_ids)
        return self._between(person, rows, self.predict(person, item_ids), level)

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
        candidates = self.search.matching(Filters(min_ratings=min_ratings))
        items, cosines, has_more = self._neighbours.nearest(row, candidates, n)
        return RankedItems(items, cosines, None, None, has_more)

    @cached_property
    def order(self) -> ListOrder:
        """What orders the lists."""
        listing: Objective = "ranking" if "ranking" in self.sides else "rating"
        return ListOrder(listing, self.sides[listing], self.catalogue.n_ratings)

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self.sides.get("rating", self.order.side).item_factors)

    @cached_property
    def _nobody(self) -> Person:
        """Somebody without any taste or generosity of their own."""
        nothing = np.empty(0, dtype=np.int32)
        return Person(
            {
                name: UserRow(np.zeros(side.n_user_factors, np.float32), 0.0, nothing, None)
                for name, side in self.sides.items()
            }
        )

    @cached_property
    def _people(self) -> People:
        return People(self.source, self.model_id, self.catalogue, self.sides, self.fold_in)

    @cached_property
    def _folding(self) -> Folding:
        return Folding(self.sides, self.catalogue.item_ids)

    def _person(self, user: str | Person) -> Person:
        return self.person(user) if isinstance(user, str) else user

    def _page(
        self, person: Person, scores: Floats, candidates: Mask, n: int, offset: int
    ) -> RankedItems:
        items, has_more = page(scores, candidates, n, offset)
        if "rating" not in self.sides:
            return RankedItems(items, scores[items], None, None, has_more)
        stars = self._stars(person, items)
        between = self._between(person, items, stars, LEVEL)
        return RankedItems(items, scores[items], stars, between, has_more)

    def _stars(self, person: Person, rows: NDArray[np.integer]) -> Floats:
        side = self.side("rating")
        user = person.rows["rating"]
        return side.stars(side.scores_of(rows, user.factors, user.bias))

    def _between(
        self, person: Person, rows: NDArray[np.integer], stars: Floats, level: float
    ) -> tuple[Floats, Floats] | None:
        side = self.side("rating")
        if side.intervals is None:
            return None
        n_known = len(person.rated_items)
        return side.intervals.bounds(stars, side.item_counts[rows], n_known, level)
