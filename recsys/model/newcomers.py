"""What a snapshot keeps so that somebody who was not trained can be folded in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.model.negative_zero import without_negative_zero

Floats = NDArray[np.float32]

STRENGTHS = ("reg", "reg_per_rating", "reg_bias", "unobserved")


@dataclass(frozen=True, eq=False)
class Newcomers:
    """The strengths and vectors that `recsys.model.fold_in` needs beside the items' embeddings.

    Attributes
    ----------
    reg, reg_per_rating : float
        L2 penalty of a newcomer's embedding, and what each rating adds to it.
    reg_bias : float
        L2 penalty of the bias.
    unobserved : float
        Weight of every pair of a user and an item in the ranking objective, a liked one weighing
        1; 0 in the objective ``rating``.
    user_mean : (n_factors,) float32
        What the users' embeddings are stored less of; it is in the items' biases.
    item_implicit : (n_items, n_factors) float32 or None
        What an item adds, over the square root of their number, to the embeddings of those who
        rated it; None without implicit terms.
    item_implicit_bias : (n_items,) float32 or None
        The same for their biases.
    """

    reg: float
    reg_per_rating: float
    reg_bias: float
    unobserved: float
    user_mean: Floats
    item_implicit: Floats | None = None
    item_implicit_bias: Floats | None = None

    def __post_init__(self) -> None:
        for name in STRENGTHS:
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.item_implicit_bias is not None:
            bias = without_negative_zero(self.item_implicit_bias)
            object.__setattr__(self, "item_implicit_bias", bias)

    @property
    def strengths(self) -> Mapping[str, float]:
        """The attributes that are numbers, by name."""
        return {name: getattr(self, name) for name in STRENGTHS}

    def arrays(self, n_items: int, n_factors: int) -> Iterator[tuple[str, Floats, tuple[int, ...]]]:
        """Yield name, array and expected shape of each attribute that is an array."""
        yield "user_mean", self.user_mean, (n_factors,)
        if self.item_implicit is not None and self.item_implicit_bias is not None:
            yield "item_implicit", self.item_implicit, (n_items, n_factors)
            yield "item_implicit_bias", self.item_implicit_bias, (n_items,)

    def contents(self) -> Iterator[bytes | memoryview]:
        """Yield what a hash is over: the strengths, then each array's name and bytes."""
        yield json.dumps(self.strengths, sort_keys=True).encode()
        for name, array, _ in self.arrays(0, 0):
            yield name.encode()
            yield np.ascontiguousarray(array, dtype="<f4").data
