from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from recsys.data import IdMap
from recsys.errors import DataError
from recsys.model.fold_in import FoldIn
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Objective, UserRow
from recsys.serving.person import Person


class Folding:
    """Makes a `Person` of ratings that a version was not trained on.

    Parameters
    ----------
    sides : mapping of objective to ItemSide
        Of one version.
    item_ids : IdMap

    Raises
    ------
    NotFoundError
        If nobody can be folded into one of them (`FoldIn`).
    """

    def __init__(self, sides: Mapping[Objective, ItemSide], item_ids: IdMap) -> None:
        self._fold_ins = {objective: FoldIn(side) for objective, side in sides.items()}
        self._item_ids = item_ids
        # All objectives learn from the same ratings; implicit feedback has no scale.
        low, high = next(iter(sides.values())).rating_scale
        self._scale = (low, high) if low < high else None

    def person(
        self,
        item_ids: Sequence[str],
        values: Sequence[float | None] | None = None,
        known: Person | None = None,
    ) -> tuple[Person, list[str]]:
        """Return somebody folded into each of the version's objectives, and the items skipped.

        Parameters
        ----------
        item_ids : sequence of str
            Of one that occurs twice, the last value counts.
        values : sequence of float or None, optional
            Stars, which are brought within the training scale; None where the item was chosen
            without a rating, as all are if this is left out; NaN erases what is known.
        known : Person, optional
            Whose ratings these join.

        Returns
        -------
        person : Person
        unknown : list of str
            The items that the catalogue does not have.

        Raises
        ------
        DataError
            If a value is infinite.
        """
        rows = self._item_ids.rows(item_ids).tolist()
        ratings = {} if known is None else _ratings_of(known)
        for row, value in zip(rows, [None] * len(rows) if values is None else values, strict=True):
            if value is not None and math.isinf(value):
                raise DataError("a rating is not a finite number", value=value)
            if value is not None and math.isnan(value):
                ratings.pop(row, None)
            else:
                ratings[row] = value
        ratings.pop(-1, None)
        unknown = [item_id for row, item_id in zip(rows, item_ids, strict=True) if row < 0]
        return self._fold_in(ratings), unknown

    def _fold_in(self, ratings: Mapping[int, float | None]) -> Person:
        rows = np.array(sorted(ratings), np.int32)
        in_order = [ratings[row] for row in rows.tolist()]
        stars = np.array([math.nan if value is None else value for value in in_order], np.float32)
        if self._scale is not None:
            stars = np.clip(stars, *self._scale)
        values = None if np.isnan(stars).all() else stars
        folded = {name: fold_in.fold_in(rows, values) for name, fold_in in self._fold_ins.items()}
        user_rows: dict[Objective, UserRow] = {
            name: UserRow(one.user_factors, one.user_bias, rows, values)
            for name, one in folded.items()
        }
        return Person(user_rows, folded)


def _ratings_of(person: Person) -> dict[int, float | None]:
    rows, values = person.rated_items.tolist(), person.rated_values
    if values is None:
        return dict.fromkeys(rows)
    stars = (None if math.isnan(value) else value for value in values.tolist())
    return dict(zip(rows, stars, strict=True))
