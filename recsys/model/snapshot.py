"""What training leaves behind and all that storage, serving and analysis know."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data import IdMap, ItemMetadata
from recsys.errors import DataError
from recsys.model.item_side import Floats, ItemSide
from recsys.model.negative_zero import without_negative_zero

Objective = Literal["rating", "ranking"]

_BLOCK = 65_536  # pairs predicted at once, which bounds the memory


@dataclass(frozen=True, eq=False)
class UserRow:
    """One user's half of a snapshot, with what the user is known to have rated.

    Attributes
    ----------
    factors : (n_user_factors,) float32
    bias : float
    rated_items : (n_rated,) int32
        Item rows of the data set, ascending: all that are known, held out of training or not.
    rated_values : (n_rated,) float32 or None
        The ratings; None for implicit feedback.
    """

    factors: Floats
    bias: float
    rated_items: NDArray[np.int32]
    rated_values: Floats | None


@dataclass(frozen=True, eq=False)
class Catalogue:
    """What is known of a data set's items apart from any model, by item row.

    Attributes
    ----------
    item_ids : IdMap
    metadata : ItemMetadata
        Titles, years and genres.
    n_ratings : (n_items,) int32
        All known ratings of each item, held out of training or not.
    mean_ratings : (n_items,) float32 or None
        Their mean, NaN where there are none; None for implicit feedback.
    """

    item_ids: IdMap
    metadata: ItemMetadata
    n_ratings: NDArray[np.int32]
    mean_ratings: Floats | None


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One objective's frozen parameters, with where they came from.

    Attributes
    ----------
    objective : 'rating' or 'ranking'
    items : ItemSide
    user_ids : IdMap
        The caller's id of each user row.
    user_factors : (n_users, n_user_factors) float32
    user_bias : (n_users,) float32
    hyperparameters : mapping
        Everything that, with the data, decides the parameters. JSON types only.
    data_fingerprint : str
        `Ratings.fingerprint` of all ratings, held-out ones included.
    metrics : mapping of str to float or None
        Scores on the held-out ratings, such as ``rmse``.
    history : tuple of mappings
        One per epoch: ``epoch lr train_loss validation_rmse seconds``.

    Raises
    ------
    DataError
        If shapes contradict each other or a parameter is not finite.
    """

    objective: Objective
    items: ItemSide
    user_ids: IdMap
    user_factors: Floats
    user_bias: Floats
    hyperparameters: Mapping[str, Any]
    data_fingerprint: str
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    history: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        n_users, n_items, items = len(self.user_ids), len(self.items.item_ids), self.items
        for name, array, shape in (
            ("user_factors", self.user_factors, (n_users, items.n_user_factors)),
            ("user_bias", self.user_bias, (n_users,)),
            ("item_factors", items.item_factors, (n_items, items.n_factors)),
            ("item_bias", items.item_bias, (n_items,)),
            *(() if items.head is None else items.head.arrays()),
            *(() if items.newcomers is None else items.newcomers.arrays(n_items, items.n_factors)),
        ):
            if array.shape != shape or array.dtype != np.float32:
                raise DataError(
                    f"{name} is {array.dtype} {array.shape}", allowed=f"float32 {shape}"
                )
            if not np.isfinite(array).all():
                raise DataError(f"{name} has an entry that is not a finite number")
        bounds = (*(self.items.y_range or ()), *self.items.rating_scale)
        if not np.isfinite((self.items.global_mean, *bounds)).all():
            raise DataError("global_mean, y_range or rating_scale is not a finite number")
        object.__setattr__(self, "user_bias", without_negative_zero(self.user_bias))
        if self.items.item_counts.shape != (n_items,):
            raise DataError("item_counts does not fit the items", allowed=f"int32 ({n_items},)")

    @property
    def n_users(self) -> int:
        """Number of user rows."""
        return len(self.user_ids)

    @property
    def item_counts(self) -> NDArray[np.int32]:
        """Training ratings of each item, (n_items,) int32."""
        return self.items.item_counts

    def predict(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> Floats:
        """Return the predicted ratings of pairs, clipped to the training scale.

        Parameters
        ----------
        users, items : (n,) int
            Row numbers; -1 stands for somebody or something unknown, whose bias and embedding
            count as zero.

        Returns
        -------
        (n,) float32, stars
        """
        side = self.items
        predicted = np.empty(len(users), np.float32)
        for start in range(0, len(users), _BLOCK):
            block = slice(start, start + _BLOCK)
            u, i = users[block], items[block]
            scores = np.float32(side.global_mean) + self.user_bias[u] * (u >= 0)
            scores += side.item_bias[i] * (i >= 0)
            p = self.user_factors[u] * (u >= 0)[:, None]
            q = side.item_factors[i] * (i >= 0)[:, None]
            if side.head is None:
                scores += np.einsum("nk,nk->n", p, q)
            else:
                scores += side.head.scores(p, side.head.item_part(q))
            predicted[block] = side.stars(scores)
        return predicted

    def list_scores(self, users: NDArray[np.integer]) -> Floats:
        """Return what orders the lists of ``users``, (n,) int rows: (n, n_items) float32.

        They are raw scores under the objective ``ranking``, else those of
        `ItemSide.list_scores`. Row -1 stands for somebody unknown, whose bias and embedding
        count as zero.
        """
        known = (users >= 0).astype(np.float32)
        side = self.items
        scores = side.scores if self.objective == "ranking" else side.list_scores
        return scores(self.user_factors[users] * known[:, None], self.user_bias[users] * known)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over everything that decides a prediction and where it came from."""
        digest = hashlib.sha256()
        items = self.items
        header = {
            "objective": self.objective,
            "global_mean": items.global_mean,
            "y_range": items.y_range,
            "rating_scale": items.rating_scale,
            "hyperparameters": dict(self.hyperparameters),
            "data_fingerprint": self.data_fingerprint,
            "user_ids": list(self.user_ids),
            "item_ids": list(items.item_ids),
        }
        digest.update(json.dumps(header, sort_keys=True).encode())
        for array in (self.user_factors, self.user_bias):
            digest.update(np.ascontiguousarray(array, dtype="<f4").data)
        for content in items.array_contents():
            digest.update(content)
        return digest.hexdigest()


class Champion(NamedTuple):
    """What the alias ``champion`` points to."""

    model_id: int
    revision: int
    """Grows by one with each promotion or rollback."""
