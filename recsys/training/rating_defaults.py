"""Defaults of the rating objective, and what does not go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.data import Ratings
from recsys.errors import DataError, UsageError
from recsys.model.implicit import WhoRatedWhat
from recsys.nn.optimizers import OPTIMIZERS
from recsys.training.steps import momentum_name

# What differs from the defaults of the dot product with implicit terms, which stand with the
# attributes.
_PLAIN_DEFAULTS: Mapping[str, Any] = {"n_epochs": 30, "reg": 0.05, "reg_bias": 0.02}
_MLP_DEFAULTS: Mapping[str, Any] = {
    "n_factors": None,
    "n_epochs": 10,
    "optimizer": "adam",
    "schedule": "one-cycle",
    "reg": 0.01,
    "reg_bias": 0.0,
    "init_std": 0.01,
    "hidden": (100, 50),
    "dropout": 0.4,
    "n_prior": 0.0,
}
# About so many batches make an epoch, unless a batch would pass the bounds.
_BATCHES_PER_EPOCH = {"dot": 40, "mlp": 400}
_BATCH_SIZES = (64, 65_536)
# Of the compiled dot product half as large a share, where that is more: the rows that a large
# batch steps are then many against its ratings.
_LARGE_BATCHES_PER_EPOCH, _LARGEST_BATCH = 80, 262_144
# With implicit terms, four sums over all training ratings come with every batch: few batches
# then, and none of it by default where even these would take long.
_IMPLICIT_BATCHES_PER_EPOCH = 8
_MOST_IMPLICIT_RATINGS = 2_000_000
# Optimizers of the engine take who rated what as a dense matrix.
_MOST_DENSE_CELLS = 20_000_000
# The step that one rating makes on its rows, per unit of error, once momentum has built up.
_LR_PER_RATING = 0.02
# The step of a row at its limit, as a share of the largest that a bias would bear.
_LIMITED_STEP = 0.03
# Rate of the implicit terms times their curvature, once momentum has built up; below 4 is stable.
_IMPLICIT_STEP = 2.5
# That curvature is for embeddings of length 1. They are longer where one user or item has a large
# share of the ratings: the step is divided by 1 and so many times that share.
_DOMINANCE = 4.0
# Where nothing is limited, the ratings of one row in a batch add up. Above this number a step
# would overshoot.
_MOST_RATINGS_OF_A_ROW = 200
# Elsewhere than on SGD and the dot product the rate does not depend on the data.
_FIXED_RATES = {
    "sgd": 0.1,
    "momentum": 0.02,
    "nesterov": 0.02,
    "damped-momentum": 0.2,
    "adagrad": 0.1,
    "adadelta": 1.0,
    "adamax": 0.02,
}
_OTHER_RATE = 0.005
# Those that are compiled for the dot product, and those whose step is as long as the gradient.
_COMPILED = ("momentum", "sgd")
_SGD = ("sgd", "momentum", "nesterov", "damped-momentum")


def rating_defaults(train: Ratings, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings given, and those for the rest that depend on the model or on ``train``.

    About forty batches make an epoch, eight with implicit terms. The rate grows with the batch
    size (the linear scaling rule of Goyal et al. 2017), so that a rating moves its rows alike in
    a small batch and in a large one. A single user or item may have so many ratings in each batch
    that together they would overshoot: there either that row alone is limited (`row_limit`), or,
    with implicit terms and off the compiled path, the rate of all is. That of the implicit terms
    follows from their curvature. Ratings on a scale other than one to five stars are trained in
    units of their own (`recsys.training.units`).

    Raises
    ------
    UsageError
        If a setting does not go with the model, the optimizer or the objective.
    DataError
        If there are no ratings.
    """
    model = given.get("model", "dot")
    optimizer = given.get("optimizer", "adam" if model == "mlp" else "momentum")
    implicit = given.get("implicit", _is_implicit_by_default(train, model, optimizer))
    _refuse_nonsense(train, model, optimizer, implicit, given)

    defaults = _MLP_DEFAULTS if model == "mlp" else {} if implicit else _PLAIN_DEFAULTS
    is_limited = model == "dot" and optimizer in _COMPILED and not implicit
    chosen = {"unit": _unit(train), **defaults, **given, "implicit": implicit}
    has_momentum = optimizer not in OPTIMIZERS or momentum_name(optimizer) is not None
    momentum = chosen.setdefault("momentum", 0.9 if has_momentum else 0.0)
    chosen.setdefault("batch_size", _batch_size(train, model, implicit=implicit))
    if "lr" not in chosen:
        adding_up = chosen["batch_size"]
        if not is_limited:
            adding_up = min(adding_up, _MOST_RATINGS_OF_A_ROW / _largest_share(train))
        lr = _learning_rate(model, optimizer, adding_up, momentum)
        chosen["lr"] = float(f"{lr:.3g}")
    if is_limited and "row_limit" not in chosen and chosen["lr"] > 0:
        # A bias that n ratings move is stable up to n 2 lr / batch_size = 2 (1 + momentum).
        most = _LIMITED_STEP * (1 + momentum) * chosen["batch_size"] / chosen["lr"]
        chosen["row_limit"] = float(f"{most:.3g}")
    if implicit and optimizer in _COMPILED and chosen["lr"] > 0:
        curvature = who_rated_what(train, np.float64).curvature
        step = _IMPLICIT_STEP / (1 + _DOMINANCE * _largest_share(train))
        rate = step * (1 - momentum) / (curvature * chosen["lr"])
        chosen["implicit_rate"] = float(f"{min(rate, 1):.3g}")
    return chosen


def who_rated_what(train: Ratings, dtype: np.typing.DTypeLike) -> WhoRatedWhat:
    """Return who rated what in ``train``."""
    return WhoRatedWhat.of(train.users, train.items, (train.n_users, train.n_items), dtype)


def _is_implicit_by_default(train: Ratings, model: str, optimizer: str) -> bool:
    is_quick = train.n_ratings <= _MOST_IMPLICIT_RATINGS
    return model == "dot" and optimizer in _COMPILED and is_quick


def _refuse_nonsense(
    train: Ratings, model: str, optimizer: str, implicit: bool, given: Mapping[str, Any]
) -> None:
    if "unobserved" in given:
        raise UsageError("unobserved is a setting of the objective ranking")
    for name in ("hidden", "dropout"):
        if model == "dot" and name in given:
            raise UsageError(f"{name} is a setting of the model mlp; the dot product has no layers")
    if model == "mlp" and "reg_bias" in given:
        raise UsageError("reg_bias is a setting of the model dot; the model mlp has no biases")
    if model == "mlp" and (implicit or "reg_implicit" in given or "n_prior" in given):
        raise UsageError("implicit terms are of the model dot; the model mlp has none")
    if not implicit and "reg_implicit" in given:
        raise UsageError(
            "reg_implicit is of the implicit terms, which are left out; add --implicit"
        )
    if "row_limit" in given and (model == "mlp" or implicit or optimizer not in _COMPILED):
        raise UsageError(
            "row_limit is of the model dot on momentum SGD without implicit terms: add "
            "--no-implicit, and no other optimizer than momentum or sgd"
        )
    if implicit and optimizer not in _COMPILED:
        n_cells = train.n_users * train.n_items
        if n_cells > _MOST_DENSE_CELLS:
            raise UsageError(
                f"implicit terms with the optimizer {optimizer} take a dense matrix of "
                f"{n_cells:,} cells; allowed: {_MOST_DENSE_CELLS:,}, or --optimizer momentum"
            )
    if "momentum" in given and optimizer in OPTIMIZERS and momentum_name(optimizer) is None:
        with_it = ", ".join(name for name in OPTIMIZERS if momentum_name(name))
        raise UsageError(f"the optimizer {optimizer} has no momentum; those that have: {with_it}")


def _unit(train: Ratings) -> float:
    """Return the power of two that is nearest to the ratings' standard deviation: 1 for stars."""
    if train.values is None or not train.n_ratings:
        return 1.0
    deviation = float(train.values.std(dtype=np.float64))
    return float(2 ** np.round(np.log2(deviation))) if deviation > 0 else 1.0


def _batch_size(train: Ratings, model: str, *, implicit: bool) -> int:
    low, high = _BATCH_SIZES
    if implicit:
        return max(-(-train.n_ratings // _IMPLICIT_BATCHES_PER_EPOCH), low)
    size = min(max(train.n_ratings // _BATCHES_PER_EPOCH.get(model, 1), low), high)
    if model == "mlp":
        return size
    return max(size, min(train.n_ratings // _LARGE_BATCHES_PER_EPOCH, _LARGEST_BATCH))


def _learning_rate(model: str, optimizer: str, n_adding_up: float, momentum: float) -> float:
    if optimizer in _SGD and model == "dot":
        damped = 0.0 if optimizer == "damped-momentum" else momentum
        return _LR_PER_RATING * n_adding_up * (1 - damped)
    return _FIXED_RATES.get(optimizer, _OTHER_RATE)


def _largest_share(train: Ratings) -> float:
    """Return the share of the ratings that the most frequent user or item has."""
    if not train.n_ratings:
        raise DataError("there is no rating to train on", path=train.name)
    most = max(train.counts_by_user.max(), train.counts_by_item.max())
    return float(most / train.n_ratings)
