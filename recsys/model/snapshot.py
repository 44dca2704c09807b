"""What training leaves behind and all that storage, serving and analysis know."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data import IdMap, ItemMetadata
from recsys.errors import DataError

Objective = Literal["rating", "ranking"]
Floats = NDArray[np.float32]

# How many ratings an item needs before a list trusts its own score half way (see `list_scores`).
SHRINKAGE = 10.0
_BLOCK = 65_536  # pairs predicted at once, which bounds the memory


@dataclass(frozen=True, eq=False)
class Head:
    """The network of an `EmbeddingMLP`, frozen: ReLU between its layers, none after the last.

    Attributes
    ----------
    weights : tuple of (n_inputs, n_outputs) float32
        The first layer takes a user's embedding and an item's, laid end to end; the last has
        one output.
    biases : tuple of (n_outputs,) float32
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    @property
    def n_inputs(self) -> int:
        """Length of both embeddings together."""
        return len(self.weights[0])

    def scores(self, user_factors: Floats, item_factors: Floats) -> Floats:
        """Return the network's output for pairs.

        Parameters
        ----------
        user_factors : (n_user_factors,) or (n, n_user_factors) float32
            One user for all items, or one for each.
        item_factors : (n, n_item_factors) float32

        Returns
        -------
        (n,) float32
        """
        # The first layer sees [p, q]: a part of it for the user, and one for the items.
        first, n_user_factors = self.weights[0], user_factors.shape[-1]
        x = item_factors @ first[n_user_factors:] + self.biases[0]
        x += user_factors @ first[:n_user_factors]
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            x = np.maximum(x, 0) @ weight + bias
        return x[:, 0]


@dataclass(frozen=True, eq=False)
class ItemSide:
    """The items' half of a snapshot: enough to score every item for one user's row.

    This is what a server keeps in memory; a user's row is read when it is asked for.

    Item rows are those of the data set: a row without training ratings is all zeros.

    Attributes
    ----------
    item_ids : IdMap
        The caller's id of each item row.
    item_factors : (n_items, n_factors) float32
    item_bias : (n_items,) float32
    item_counts : (n_items,) int32
        Training ratings of each item.
    global_mean : float
        Added to every score. On the logit scale where there is a ``y_range``.
    y_range : (float, float) or None
        Lower and upper bound of the sigmoid that the score goes through, in stars.
    rating_scale : (float, float)
        Smallest and largest training rating; predictions are clipped to it.
    head : Head or None
        The network that takes the place of the dot product, in a snapshot of `EmbeddingMLP`.
    """

    item_ids: IdMap
    item_factors: Floats
    item_bias: Floats
    item_counts: NDArray[np.int32]
    global_mean: float
    y_range: tuple[float, float] | None
    rating_scale: tuple[float, float]
    head: Head | None = None

    def __post_init__(self) -> None:
        # -0.0 and whole numbers would come back from a database as 0.0 and floats: other bits.
        object.__setattr__(self, "item_bias", self.item_bias + np.float32(0))
        object.__setattr__(self, "global_mean", float(self.global_mean) + 0.0)
        for name in ("y_range", "rating_scale"):
            bounds = getattr(self, name)
            if bounds is not None:
                low, high = bounds
                object.__setattr__(self, name, (float(low) + 0.0, float(high) + 0.0))

    @property
    def n_items(self) -> int:
        """Number of item rows."""
        return len(self.item_bias)

    @property
    def n_factors(self) -> int:
        """Length of an item's embedding."""
        return int(self.item_factors.shape[1])

    @property
    def n_user_factors(self) -> int:
        """Length of a user's embedding: an item's, unless there is a head."""
        return self.n_factors if self.head is None else self.head.n_inputs - self.n_factors

    def scores(self, user_factors: Floats, user_bias: Floats | float) -> Floats:
        """Return the raw scores of all items: global mean, both biases and the dot product.

        With a head, its output stands in the dot product's place.

        Parameters
        ----------
        user_factors : (n_user_factors,) or (n_users, n_user_factors) float32
        user_bias : float or (n_users,) float32

        Returns
        -------
        (n_items,) or (n_users, n_items) float32
        """
        if self.head is None:
            dot = user_factors @ self.item_factors.T
        else:
            per_user = (self.head.scores(p, self.item_factors) for p in np.atleast_2d(user_factors))
            dot = np.stack(list(per_user)).reshape(*user_factors.shape[:-1], self.n_items)
        offset = np.asarray(user_bias, dtype=np.float32)[..., None] + np.float32(self.global_mean)
        return dot + self.item_bias + offset

    def stars(self, scores: Floats) -> Floats:
        """Return the predicted ratings for raw scores: sigmoid range, then clipped to the scale."""
        if self.y_range is not None:
            low, high = self.y_range
            sigmoid = (1 + np.tanh(scores / 2)) / 2  # in this form nothing overflows
            scores = (low + (high - low) * sigmoid).astype(np.float32)
        return np.clip(scores, *self.rating_scale)

    def list_scores(self, user_factors: Floats, user_bias: Floats | float) -> Floats:
        """Return the scores that order a list: raw scores, shrunk where ratings are few.

        What the model says about the item beyond the user's own mean counts
        ``n / (n + SHRINKAGE)`` for an item with n ratings, so that three enthusiasts do not
        put a film at the top of everybody's list. Shape as `scores`.
        """
        base = np.asarray(user_bias, dtype=np.float32)[..., None] + np.float32(self.global_mean)
        trust = (self.item_counts / (self.item_counts + SHRINKAGE)).astype(np.float32)
        return base + trust * (self.scores(user_factors, user_bias) - base)


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
            *_head_arrays(items.head),
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
        object.__setattr__(self, "user_bias", self.user_bias + np.float32(0))
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
            scores += np.einsum("nk,nk->n", p, q) if side.head is None else side.head.scores(p, q)
            predicted[block] = side.stars(scores)
        return predicted

    def list_scores(self, users: NDArray[np.integer]) -> Floats:
        """Return what orders the lists of ``users``, (n,) int rows: (n, n_items) float32.

        Row -1 stands for somebody unknown, whose bias and embedding count as zero.
        """
        known = (users >= 0).astype(np.float32)
        return self.items.list_scores(
            self.user_factors[users] * known[:, None], self.user_bias[users] * known
        )

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
        for array in (self.user_factors, self.user_bias, items.item_factors, items.item_bias):
            digest.update(np.ascontiguousarray(array, dtype="<f4").data)
        digest.update(np.ascontiguousarray(items.item_counts, dtype="<i4").data)
        for _, array, shape in _head_arrays(items.head):
            digest.update(repr(shape).encode())
            digest.update(np.ascontiguousarray(array, dtype="<f4").data)
        return digest.hexdigest()


def _head_arrays(head: Head | None) -> Iterator[tuple[str, Floats, tuple[int, ...]]]:
    """Yield name, array and expected shape of each layer."""
    if head is None:
        return
    n_inputs = head.n_inputs
    for number, (weight, bias) in enumerate(zip(head.weights, head.biases, strict=True)):
        n_outputs = 1 if number == len(head.weights) - 1 else len(bias)
        yield f"the weight of layer {number}", weight, (n_inputs, n_outputs)
        yield f"the bias of layer {number}", bias, (n_outputs,)
        n_inputs = n_outputs


class Champion(NamedTuple):
    """What the alias ``champion`` points to."""

    model_id: int
    revision: int
    """Grows by one with each promotion or rollback."""
