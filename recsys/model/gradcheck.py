"""Gradient checks of both models whole, for `recsys.nn.gradcheck.check_all`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.embedding_mlp import EmbeddingMLP
from recsys.model.implicit import WhoRatedWhat
from recsys.model.objective import Penalty, RatingCounts
from recsys.nn.gradcheck import Check, check_gradients, check_tensors, draw
from recsys.nn.tensor import Tensor

Range = tuple[float, float] | None
Y_RANGE: Range = (0.0, 5.5)
_N_USERS, _N_ITEMS, _N_RATINGS = 5, 7, 30  # every row occurs several times
_PENALTY = Penalty(reg=0.3, reg_bias=0.2, reg_implicit=0.4, n_prior=2.5)


def model_checks() -> list[Callable[[np.random.Generator], list[Check]]]:
    """Return the checks of `EmbeddingDotBias` and `EmbeddingMLP`, with and without a range.

    The dot product is checked twice: the gradients worked out by hand, and the engine's.
    """
    return [
        *(
            partial(check, y_range=y_range, implicit=implicit)
            for check in (_by_hand, _by_engine)
            for implicit in (False, True)
            for y_range in (None, Y_RANGE)
        ),
        *(partial(_mlp, y_range=y_range) for y_range in (None, Y_RANGE)),
    ]


def _by_hand(rng: np.random.Generator, y_range: Range, implicit: bool) -> list[Check]:
    model, batch = _dot(rng, y_range, implicit), _batch(rng)
    gradients = model.gradients(*batch, _PENALTY)
    name = _name("EmbeddingDotBias by hand", y_range, implicit)
    return check_gradients(
        name, lambda: sum(model.loss(*batch, _PENALTY)), model.arrays(), gradients
    )


def _by_engine(rng: np.random.Generator, y_range: Range, implicit: bool) -> list[Check]:
    model, batch = _dot(rng, y_range, implicit), _batch(rng)
    return _of_tensors(_name("EmbeddingDotBias by the engine", y_range, implicit), model, batch)


def _mlp(rng: np.random.Generator, y_range: Range) -> list[Check]:
    model = EmbeddingMLP(
        _N_USERS, _N_ITEMS, 3, 4, (6, 5), global_mean=0.3, y_range=y_range, rng=rng,
        dtype=np.float64,
    )  # fmt: skip
    for array in model.arrays().values():
        array[...] = draw(rng, array.shape)
    return _of_tensors(_name("EmbeddingMLP", y_range), model, _batch(rng))


def _dot(rng: np.random.Generator, y_range: Range, implicit: bool) -> EmbeddingDotBias:
    users, items = np.nonzero(rng.random((_N_USERS, _N_ITEMS)) < 0.6)
    who_rated_what = WhoRatedWhat.of(users, items, (_N_USERS, _N_ITEMS), np.float64)
    counts = RatingCounts(
        np.bincount(users, minlength=_N_USERS), np.bincount(items, minlength=_N_ITEMS)
    )
    model = EmbeddingDotBias(
        _N_USERS, _N_ITEMS, 4, global_mean=0.3, y_range=y_range, rng=rng, dtype=np.float64,
        who_rated_what=who_rated_what if implicit else None, rating_counts=counts,
    )  # fmt: skip
    for array in model.arrays().values():
        array[...] = draw(rng, array.shape)
    return model


def _batch(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    users, items = rng.integers(0, _N_USERS, _N_RATINGS), rng.integers(0, _N_ITEMS, _N_RATINGS)
    return users, items, rng.uniform(1, 5, _N_RATINGS)


def _of_tensors(
    name: str,
    model: EmbeddingDotBias | EmbeddingMLP,
    batch: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> list[Check]:
    def loss() -> Tensor:
        parts = model.tensor_loss(*batch, _PENALTY)
        return parts.squared_error + parts.penalty

    return check_tensors(name, loss, model.tensors())


def _name(model: str, y_range: Range, implicit: bool = False) -> str:
    parts = [model, *(["implicit"] if implicit else []), *(["with a range"] if y_range else [])]
    return ", ".join(parts)
