from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self

import numpy as np

from recsys.data import Ratings
from recsys.errors import DataError, UsageError
from recsys.model.embedding_mlp import embedding_size
from recsys.model.implicit import WhoRatedWhat
from recsys.model.objective import Penalty
from recsys.nn.optimizers import OPTIMIZERS
from recsys.nn.schedules import SCHEDULES, Schedule, make_schedule
from recsys.training.ranking_defaults import UNOBSERVED, ranking_defaults
from recsys.training.steps import momentum_name

# What differs from the defaults of the dot product with implicit terms, which stand with the
# attributes.
_PLAIN_DEFAULTS: Mapping[str, Any] = {"n_epochs": 40, "reg": 0.11}
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
}
# About so many batches make an epoch, unless a batch would pass the bounds.
_BATCHES_PER_EPOCH = {"dot": 40, "mlp": 400}
_BATCH_SIZES = (64, 65_536)
# With implicit terms, four sums over all training ratings come with every batch: few batches
# then, and none of it by default where even these would take long.
_IMPLICIT_BATCHES_PER_EPOCH = 8
_MOST_IMPLICIT_RATINGS = 2_000_000
# Optimizers of the engine take who rated what as a dense matrix.
_MOST_DENSE_CELLS = 20_000_000
# The step that one rating makes on its rows, per unit of error, once momentum has built up.
_LR_PER_RATING = 0.02
# Rate of the implicit terms times their curvature, once momentum has built up; below 4 is stable.
_IMPLICIT_STEP = 3.0
# The ratings of one row in a batch add up. Above this number a step would overshoot.
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


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Everything that, with the data, decides the parameters of a model.

    `choose` fills in what is not given. Values are checked; what makes no sense together is
    refused there.

    Attributes
    ----------
    objective : 'rating' or 'ranking'
        Predict stars, or order lists (`recsys.training.ranking.AllPairs`).
    model : 'dot' or 'mlp'
        `EmbeddingDotBias` or `EmbeddingMLP`.
    n_factors : int or None
        Length of the embeddings, 1 to 512; None takes `embedding_size` for each side.
    hidden : tuple of int
        Widths of the hidden layers of ``mlp``.
    implicit : bool
        Whether who rated what enters the embeddings of ``dot`` (`EmbeddingDotBias`).
    implicit_rate : float
        What ``lr`` is multiplied by for the implicit terms, in (0, 1].
    dropout : float
        Share of hidden activations of ``mlp`` dropped in training, in [0, 1).
    n_epochs : int
        Passes over the ratings, at least 1.
    batch_size : int
        Ratings in a mini-batch, at least 1. The gradient is the mean over them.
    optimizer : str
        A name of `recsys.nn.optimizers.OPTIMIZERS`. ``momentum``, the heavy ball, and ``sgd``
        are compiled for ``dot``; all else runs on the autodiff engine.
    lr : float
        Learning rate, above 0; the schedule starts or peaks there.
    momentum : float
        In [0, 1): that of the optimizer, beta1 in Adam's family.
    clip : float or None
        Largest norm of the gradient, above 0: a longer one is scaled down to it.
    reg, reg_bias, reg_implicit : float
        L2 penalties of embeddings, biases and implicit terms per rating, at least 0
        (`EmbeddingDotBias.loss`).
    unobserved : float
        How much all pairs weigh in the ranking objective, the liked ones weighing 1; above 0.
    init_std : float
        Standard deviation of the initial embeddings, at least 0.
    y_range : (float, float) or None
        Bounds of the sigmoid that predictions go through, in stars.
    schedule : str
        A name of `recsys.nn.schedules.SCHEDULES`.
    early_stopping : int
        Stop when the validation RMSE has not improved for this many epochs, and bring the best
        epoch back; 0 runs all epochs and keeps the last. Needs validation ratings.
    dtype : 'float32' or 'float64'
        Of the arithmetic. Snapshots are float32.
    seed : int
        Of the initial parameters, the batches and the dropout.

    Raises
    ------
    UsageError
        If a value is out of range.
    """

    objective: Literal["rating", "ranking"] = "rating"
    model: Literal["dot", "mlp"] = "dot"
    n_factors: int | None = 64
    implicit: bool = True
    implicit_rate: float = 1.0
    hidden: tuple[int, ...] = ()
    dropout: float = 0.0
    n_epochs: int = 60
    batch_size: int
    optimizer: str = "momentum"
    lr: float
    momentum: float = 0.9
    clip: float | None = None
    reg: float = 0.15
    reg_bias: float = 0.05
    reg_implicit: float = 0.2
    unobserved: float = UNOBSERVED
    init_std: float = 0.03
    y_range: tuple[float, float] | None = None
    schedule: str = "cosine"
    early_stopping: int = 10
    dtype: Literal["float32", "float64"] = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (
            ("objective", ("rating", "ranking")),
            ("model", _BATCHES_PER_EPOCH),
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("dtype", ("float32", "float64")),
        ):
            if getattr(self, name) not in choices:
                found = getattr(self, name)
                raise UsageError(f"{name} is {found!r}; allowed: {', '.join(choices)}")
        for name, low, high in (
            ("n_factors", 1, 512),
            ("n_epochs", 1, math.inf),
            ("batch_size", 1, math.inf),
            ("reg", 0, math.inf),
            ("reg_bias", 0, math.inf),
            ("reg_implicit", 0, math.inf),
            ("init_std", 0, math.inf),
            ("early_stopping", 0, math.inf),
            ("seed", 0, math.inf),
        ):
            value = getattr(self, name)
            if value is not None and (not low <= value <= high or math.isinf(value)):
                at_most = "" if math.isinf(high) else f" to {high}"
                raise UsageError(f"{name} is {value}; allowed: {low}{at_most or ' or more'}")
        for name in ("momentum", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; allowed: 0 to below 1")
        for name in ("lr", "clip", "unobserved"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"{name} is {value}; allowed: finite, above 0")
        if any(width < 1 for width in self.hidden):
            raise UsageError(f"hidden is {self.hidden}; allowed: widths of 1 or more")
        if self.y_range is not None and not self.y_range[0] < self.y_range[1]:
            raise UsageError(
                f"y_range is {self.y_range}; allowed: a lower bound, then a higher one"
            )

    @classmethod
    def choose(cls, train: Ratings, **given: Any) -> Self:
        """Return the hyperparameters for ``train``: those given, and defaults for the rest.

        Those of the ranking objective are `ranking_defaults`. For ratings, the defaults of
        ``batch_size`` and ``lr`` depend on the data. About forty batches make an
        epoch of the dot product. The rate grows with the batch size (the linear scaling rule of
        Goyal et al. 2017), so that a rating moves its rows alike in a small batch and in a large
        one, and is bounded where a single user or item has so many ratings in each batch that
        they would overshoot.

        Parameters
        ----------
        train : Ratings
        **given
            Attributes of this class; None means not given.

        Raises
        ------
        UsageError
            If a value is out of range, or does not go with the model or the optimizer.
        DataError
            If there are no ratings.
        """
        given = {name: value for name, value in given.items() if value is not None}
        if given.get("objective") == "ranking":
            return cls(**ranking_defaults(train, given))
        if "unobserved" in given:
            raise UsageError("unobserved is a setting of the objective ranking")
        model = given.get("model", cls.model)
        optimizer = given.get("optimizer", "adam" if model == "mlp" else cls.optimizer)
        implicit = given.get("implicit", _is_implicit_by_default(train, model, optimizer))
        _refuse_nonsense(train, model, optimizer, implicit, given)

        defaults = _MLP_DEFAULTS if model == "mlp" else {} if implicit else _PLAIN_DEFAULTS
        chosen = {**defaults, **given, "implicit": implicit}
        if optimizer in OPTIMIZERS and momentum_name(optimizer) is None:
            chosen["momentum"] = 0.0
        chosen.setdefault("batch_size", _batch_size(train, model, implicit=implicit))
        momentum = chosen.get("momentum", cls.momentum)
        if "lr" not in chosen:
            lr = _learning_rate(train, model, optimizer, chosen["batch_size"], momentum)
            chosen["lr"] = float(f"{lr:.3g}")
        settings = cls(**chosen)
        if implicit and optimizer in _COMPILED:
            curvature = who_rated_what(train, np.float64).curvature
            rate = _IMPLICIT_STEP * (1 - momentum) / (curvature * settings.lr)
            settings = replace(settings, implicit_rate=float(f"{min(rate, 1):.3g}"))
        return settings

    def embedding_sizes(self, train: Ratings) -> tuple[int, int]:
        """Return the lengths of a user's and of an item's embedding."""
        if self.n_factors is not None:
            return self.n_factors, self.n_factors
        return embedding_size(train.n_users), embedding_size(train.n_items)

    @property
    def penalty(self) -> Penalty:
        """The strength of the L2 penalties."""
        return Penalty(self.reg, self.reg_bias, self.reg_implicit if self.implicit else 0.0)

    def make_schedule(self) -> Schedule:
        """Return the schedule, at its start."""
        return make_schedule(self.schedule, self.lr)

    def as_dict(self) -> Mapping[str, Any]:
        """Return the attributes as JSON types, in the order of their declaration."""
        values = asdict(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }


HYPERPARAMETER_NAMES = tuple(field.name for field in fields(Hyperparameters))


def who_rated_what(train: Ratings, dtype: np.typing.DTypeLike) -> WhoRatedWhat:
    """Return who rated what in ``train``."""
    return WhoRatedWhat.of(train.users, train.items, (train.n_users, train.n_items), dtype)


def _is_implicit_by_default(train: Ratings, model: str, optimizer: str) -> bool:
    is_quick = train.n_ratings <= _MOST_IMPLICIT_RATINGS
    return model == "dot" and optimizer in _COMPILED and is_quick


def _refuse_nonsense(
    train: Ratings, model: str, optimizer: str, implicit: bool, given: Mapping[str, Any]
) -> None:
    for name in ("hidden", "dropout"):
        if model == "dot" and name in given:
            raise UsageError(f"{name} is a setting of the model mlp; the dot product has no layers")
    if model == "mlp" and "reg_bias" in given:
        raise UsageError("reg_bias is a setting of the model dot; the model mlp has no biases")
    if model == "mlp" and (implicit or "reg_implicit" in given):
        raise UsageError("implicit terms are of the model dot; the model mlp has none")
    if not implicit and "reg_implicit" in given:
        raise UsageError(
            "reg_implicit is of the implicit terms, which are left out; add --implicit"
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


def _batch_size(train: Ratings, model: str, *, implicit: bool) -> int:
    low, high = _BATCH_SIZES
    if implicit:
        return max(-(-train.n_ratings // _IMPLICIT_BATCHES_PER_EPOCH), low)
    return min(max(train.n_ratings // _BATCHES_PER_EPOCH.get(model, 1), low), high)


def _learning_rate(
    train: Ratings, model: str, optimizer: str, batch_size: int, momentum: float
) -> float:
    if optimizer in _SGD and model == "dot":
        ratings_that_add_up = min(batch_size, _MOST_RATINGS_OF_A_ROW / _largest_share(train))
        damped = 0.0 if optimizer == "damped-momentum" else momentum
        return _LR_PER_RATING * ratings_that_add_up * (1 - damped)
    return _FIXED_RATES.get(optimizer, _OTHER_RATE)


def _largest_share(train: Ratings) -> float:
    """Return the share of the ratings that the most frequent user or item has."""
    if not train.n_ratings:
        raise DataError("there is no rating to train on", path=train.name)
    most = max(np.bincount(train.users).max(), np.bincount(train.items).max())
    return float(most / train.n_ratings)
