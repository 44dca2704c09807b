from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.data.feedback import ALL_ITEMS
from recsys.errors import NotFoundError, UnknownUserError
from recsys.model.snapshot import Catalogue, Objective
from recsys.model.user_state import UserState
from recsys.serving.known_ratings import KnownRating, known_ratings
from recsys.serving.person import Person
from recsys.serving.source import Source


@dataclass(frozen=True)
class People:
    """The users of one version, each as known at the moment of asking.

    Attributes
    ----------
    source : Source
    model_id : int
    catalogue : Catalogue
    objectives : collection of 'rating' or 'ranking'
        Those that the version was trained for.
    fold_in : callable
        Returns somebody with these ratings of these items, and the items skipped; raises
        `NotFoundError` where the version cannot fold anybody in.
    """

    source: Source
    model_id: int
    catalogue: Catalogue
    objectives: Collection[Objective]
    fold_in: Callable[[Sequence[str], Sequence[float | None]], tuple[Person, list[str]]]

    def find(self, user_id: str, state: UserState) -> Person:
        """Return a user as trained or, with newer feedback, folded in from all that is known now.

        Where the version cannot fold anybody in, newer feedback changes what the user has rated,
        not the embedding.

        Parameters
        ----------
        user_id : str
        state : UserState
            What the version's source says of the user.

        Raises
        ------
        UnknownUserError
            If the version was not trained on the user and cannot fold newer ratings in, or there
            are none; if everything was taken back; or if all that it was trained on was, and it
            cannot fold in what came after.
        """
        if not state.has_newer_feedback:
            return self._trained(user_id, state)
        known = known_ratings(self.source, self.model_id, self.catalogue, user_id)
        item_ids, values = [one.item_id for one in known], [one.value for one in known]
        try:
            person, _ = self.fold_in(item_ids, values)
        except NotFoundError:
            trained = self._trained(user_id, state)
            if self._is_forgotten(user_id, trained):
                raise UnknownUserError(user_id, self.model_id) from None
            return self._having_rated(trained, known)
        return person

    def _trained(self, user_id: str, state: UserState) -> Person:
        rows = state.rows()
        if not rows:
            raise UnknownUserError(user_id, self.model_id)
        return Person({name: rows[name] for name in self.objectives})

    def _is_forgotten(self, user_id: str, trained: Person) -> bool:
        """Say whether all that a user's embedding was made from was taken back."""
        newer = self.source.newer_feedback(self.model_id, user_id)
        erased = {entry.item_id for entry in newer if entry.is_erased}
        ids = self.catalogue.item_ids
        return ALL_ITEMS in erased or erased.issuperset(ids[row] for row in trained.rated_items)

    def _having_rated(self, person: Person, known: Sequence[KnownRating]) -> Person:
        rows = self.catalogue.item_ids.rows(one.item_id for one in known)
        order = np.argsort(rows)[(rows < 0).sum() :]  # without the items that are not in it
        values = None
        if person.rated_values is not None:
            stars = [math.nan if one.value is None else one.value for one in known]
            values = np.array(stars, np.float32)[order]
        return Person(
            {
                name: replace(row, rated_items=rows[order], rated_values=values)
                for name, row in person.rows.items()
            }
        )
