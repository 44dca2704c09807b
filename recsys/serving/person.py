from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsys.model.fold_in import FoldedIn
from recsys.model.item_side import Floats
from recsys.model.snapshot import Objective, UserRow


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody whom one version can answer.

    Attributes
    ----------
    rows : mapping of objective to UserRow
        One for each of the version's objectives, with the same rated items.
    folded : mapping of objective to FoldedIn
        What each rating gave to the rows; empty for a user who was trained.
    """

    rows: Mapping[Objective, UserRow]
    folded: Mapping[Objective, FoldedIn] = field(default_factory=dict)

    @property
    def rated_items(self) -> NDArray[np.int32]:
        """Rows of all items that they are known to have rated, (n_rated,), ascending."""
        return self._any.rated_items

    @property
    def rated_values(self) -> Floats | None:
        """The ratings, (n_rated,); None for implicit feedback."""
        return self._any.rated_values

    @property
    def _any(self) -> UserRow:
        return next(iter(self.rows.values()))
