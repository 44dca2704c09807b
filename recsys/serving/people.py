from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

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
            are none; or if everything was taken back.
        """
        if not state.has_newer_feedback:
            return self._trained(user_id, state)
        known = known_ratings(self.source, self.model_id, self.catalogue, user_id)
        item_ids, values = [one.item_id for one in known], [one.value for one in known]
        try:
            person, _ = self.fold_in(item_ids, values)
        except NotFoundError:
            return self._having_rated(self._trained(user_id, state), known)
        return person

    def _trained(self, user_id: str, state: UserState) -> Person:
        rows = state.rows()
        if not rows:
            raise UnknownUserError(user_id, self.model_id)
        return Person({name: rows[name] for name in self.objectives})

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
