"""The items' half of a snapshot, which scores every item for one user's row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.data import IdMap
from recsys.errors import DataError
from recsys.model.intervals import StarIntervals
from recsys.model.negative_zero import without_negative_zero
from recsys.model.newcomers import Newcomers

Floats = NDArray[np.float32]

# How many ratings an item needs before a list trusts its own score half way (see `list_scores`).
SHRINKAGE = 10.0


@dataclass(frozen=True, eq=False)
class Head:
    """The network of an `EmbeddingMLP`, frozen: ReLU between its layers, none after the last.

    Attributes
    ----------
    weights : tuple of (n_inputs, n_outputs) float32
        The first layer takes a user's embedding and an item's, laid end to end; the last has
        one output.
    biases : tuple of (n_outputs,) float32

    Raises
    ------
    DataError
        If there is no layer, or not a bias for each weight.
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def __post_init__(self) -> None:
        if not self.weights or len(self.weights) != len(self.biases):
            raise DataError(
                f"a network has {len(self.weights)} weights and {len(self.biases)} biases",
                allowed="one of each per layer, and one layer or more",
            )

    @property
    def n_inputs(self) -> int:
        """Length of both embeddings together."""
        return len(self.weights[0])

    def arrays(self) -> Iterator[tuple[str, Floats, tuple[int, ...]]]:
        """Yield name, array and expected shape of each layer's weight and bias."""
        n_inputs = self.n_inputs
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            n_outputs = 1 if number == len(self.weights) - 1 else len(bias)
            yield f"the weight of layer {number}", weight, (n_inputs, n_outputs)
            yield f"the bias of layer {number}", bias, (n_outputs,)
            n_inputs = n_outputs

    def item_part(self, item_factors: Floats) -> Floats:
        """Return what items give the first layer, whoever the user is.

        Parameters
        ----------
        item_factors : (n, n_item_factors) float32

        Returns
        -------
        (n, n_outputs) float32
            Its outputs less `scores`' part of the user, before ReLU.
        """
        return item_factors @ self.weights[0][-item_factors.shape[1] :] + self.biases[0]

    def scores(self, user_factors: Floats, item_part: Floats) -> Floats:
        """Return the network's output for pairs.

        Parameters
        ----------
        user_factors : (n_user_factors,) or (n, n_user_factors) float32
            One user for all items, or one for each.
        item_part : (n, n_outputs) float32
            Of the items, from `item_part`.

        Returns
        -------
        (n,) float32
        """
        x = item_part + user_factors @ self.weights[0][: user_factors.shape[-1]]
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
    newcomers : Newcomers or None
        What folding somebody in takes; None for a network, and in versions stored before it was
        kept.
    intervals : StarIntervals or None
        How far predicted stars may be off; None where that was not calibrated.
    """

    item_ids: IdMap
    item_factors: Floats
    item_bias: Floats
    item_counts: NDArray[np.int32]
    global_mean: float
    y_range: tuple[float, float] | None
    rating_scale: tuple[float, float]
    head: Head | None = None
    newcomers: Newcomers | None = None
    intervals: StarIntervals | None = None

    def __post_init__(self) -> None:
        # Whole numbers too would come back from a database as floats.
        object.__setattr__(self, "item_bias", without_negative_zero(self.item_bias))
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

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over everything that the items give to a prediction, their ids included."""
        header = {
            "global_mean": self.global_mean,
            "y_range": self.y_range,
            "rating_scale": self.rating_scale,
            "item_ids": list(self.item_ids),
        }
        digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
        for content in self.array_contents():
            digest.update(content)
        return digest.hexdigest()

    def array_contents(self) -> Iterator[bytes | memoryview]:
        """Yield what a hash of the arrays is over: each one's bytes, little-endian.

        They are the factors, the biases, the counts, shape and entries of each array of the
        head, and, where there are any, those of `newcomers` and the `intervals`.
        """
        yield np.ascontiguousarray(self.item_factors, dtype="<f4").data
        yield np.ascontiguousarray(self.item_bias, dtype="<f4").data
        yield np.ascontiguousarray(self.item_counts, dtype="<i4").data
        for _, array, _ in () if self.head is None else self.head.arrays():
            yield repr(array.shape).encode()
            yield np.ascontiguousarray(array, dtype="<f4").data
        if self.newcomers is not None:
            yield from self.newcomers.contents()
        if self.intervals is not None:
            yield json.dumps({"intervals": self.intervals.as_dict()}, sort_keys=True).encode()

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
            product = user_factors @ self.item_factors.T
        else:
            per_user = [self.head.scores(p, self._item_part) for p in np.atleast_2d(user_factors)]
            product = np.reshape(per_user, (*user_factors.shape[:-1], self.n_items))
        offset = np.asarray(user_bias, dtype=np.float32)[..., None] + np.float32(self.global_mean)
        product += self.item_bias
        product += offset
        return product

    def scores_of(
        self, rows: NDArray[np.integer], user_factors: Floats, user_bias: float
    ) -> Floats:
        """Return the raw scores of some items for one user, each as exact as float32 can be.

        Parameters
        ----------
        rows : (n,) int
        user_factors : (n_user_factors,) float32
        user_bias : float

        Returns
        -------
        (n,) float32
        """
        if self.head is not None:
            return np.asarray(self.scores(user_factors, user_bias)[rows])
        # Summed in float64, a score does not depend on which others are asked for.
        product = self.item_factors[rows].astype(np.float64) @ user_factors.astype(np.float64)
        scores = product + self.item_bias[rows] + (user_bias + self.global_mean)
        return np.asarray(scores, dtype=np.float32)

    def stars(self, scores: Floats) -> Floats:
        """Return the predicted ratings for raw scores: sigmoid range, then clipped to the scale."""
        if self.y_range is not None:
            low, high = self.y_range
            sigmoid = (1 + np.tanh(scores / 2)) / 2  # in this form nothing overflows
            scores = (low + (high - low) * sigmoid).astype(np.float32)
        return scores.clip(*self.rating_scale)

    def list_scores(self, user_factors: Floats, user_bias: Floats | float) -> Floats:
        """Return the scores that order a list: those of `scores`, `shrunk`."""
        return self.shrunk(self.scores(user_factors, user_bias), user_bias)

    def shrunk(self, scores: Floats, user_bias: Floats | float) -> Floats:
        """Return the raw scores of all items, shrunk where ratings are few.

        What the model says about the item beyond the user's own mean counts
        ``n / (n + SHRINKAGE)`` for an item with n ratings, so that three enthusiasts do not
        put a film at the top of everybody's list. Shape as `scores`.
        """
        if self.head is None:
            base = np.asarray(user_bias, dtype=np.float32)[..., None] + np.float32(self.global_mean)
        else:
            # Nothing but its scores tells how generous the network thinks the user is; taking
            # everybody's mean would lift the few-rated items to the top of a strict user's list.
            share = self.item_counts / max(1, self.item_counts.sum(dtype=np.int64))
            base = (scores @ share.astype(np.float32))[..., None]
        shrunk = scores - base
        shrunk *= self.trust
        shrunk += base
        return shrunk

    @cached_property
    def trust(self) -> Floats:
        """The share that `shrunk` leaves of what the model says about an item, (n_items,)."""
        return (self.item_counts / (self.item_counts + SHRINKAGE)).astype(np.float32)

    @cached_property
    def _item_part(self) -> Floats:
        # More than half the work of running the network over the catalogue.
        assert self.head is not None
        return self.head.item_part(self.item_factors)
