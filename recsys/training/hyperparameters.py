from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

import numpy as np

from recsys.data import Ratings
from recsys.errors import DataError, UsageError
from recsys.model.embedding_dot_bias import Penalty
from recsys.nn.schedules import SCHEDULES, Schedule, make_schedule

# Those whose rates are known before an epoch begins, which the closed form of gliding rows needs.
SCHEDULE_NAMES = tuple(name for name, schedule in SCHEDULES.items() if schedule.watches is None)

# About this many batches make an epoch, unless a batch would pass the bounds.
_BATCHES_PER_EPOCH = 40
_BATCH_SIZES = (64, 65_536)
# The step that one rating makes on its rows, per unit of error, once momentum has built up.
_LR_PER_RATING = 0.02
# The ratings of one row in a batch add up. Above this number a step would overshoot.
_MOST_RATINGS_OF_A_ROW = 200


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Everything that, with the data, decides the parameters of `EmbeddingDotBias`.

    Attributes
    ----------
    n_factors : int
        Length of an embedding, 1 to 512.
    n_epochs : int
        Passes over the ratings, at least 1.
    batch_size : int
        Ratings in a mini-batch, at least 1. The gradient is the mean over them.
    lr : float
        Learning rate, above 0; the schedule starts or peaks there.
    momentum : float
        Of the heavy ball, v = momentum * v + gradient, in [0, 1).
    reg, reg_bias : float
        L2 penalties of embeddings and biases per rating, at least 0 (`EmbeddingDotBias.loss`).
    init_std : float
        Standard deviation of the initial embeddings, at least 0.
    y_range : (float, float) or None
        Bounds of the sigmoid that predictions go through, in stars.
    schedule : str
        One of `SCHEDULE_NAMES`.
    early_stopping : int
        Stop when the validation RMSE has not improved for this many epochs, and bring the best
        epoch back; 0 runs all epochs and keeps the last. Needs validation ratings.
    dtype : 'float32' or 'float64'
        Of the arithmetic. Snapshots are float32.
    seed : int
        Of the initial embeddings and of the batches.

    Raises
    ------
    UsageError
        If a value is out of range.
    """

    n_factors: int = 64
    n_epochs: int = 40
    batch_size: int
    lr: float
    momentum: float = 0.9
    reg: float = 0.11
    reg_bias: float = 0.05
    init_std: float = 0.03
    y_range: tuple[float, float] | None = None
    schedule: str = "cosine"
    early_stopping: int = 10
    dtype: Literal["float32", "float64"] = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("n_factors", 1, 512),
            ("n_epochs", 1, math.inf),
            ("batch_size", 1, math.inf),
            ("reg", 0, math.inf),
            ("reg_bias", 0, math.inf),
            ("init_std", 0, math.inf),
            ("early_stopping", 0, math.inf),
            ("seed", 0, math.inf),
        ):
            value = getattr(self, name)
            if not low <= value <= high or math.isinf(value):
                at_most = "" if math.isinf(high) else f" to {high}"
                raise UsageError(f"{name} is {value}; allowed: {low}{at_most or ' or more'}")
        if not 0 <= self.momentum < 1:
            raise UsageError(f"momentum is {self.momentum}; allowed: 0 to below 1")
        if not 0 < self.lr < math.inf:
            raise UsageError(f"lr is {self.lr}; allowed: finite, above 0")
        if self.y_range is not None and not self.y_range[0] < self.y_range[1]:
            raise UsageError(
                f"y_range is {self.y_range}; allowed: a lower bound, then a higher one"
            )
        if self.dtype not in ("float32", "float64"):
            raise UsageError(f"dtype is {self.dtype!r}; allowed: float32, float64")
        if self.schedule not in SCHEDULE_NAMES:
            allowed = ", ".join(SCHEDULE_NAMES)
            raise UsageError(f"schedule is {self.schedule!r}; allowed: {allowed}")

    @classmethod
    def choose(cls, train: Ratings, **given: Any) -> Self:
        """Return the hyperparameters for ``train``: those given, and defaults for the rest.

        The defaults of ``batch_size`` and ``lr`` depend on the data. About forty batches make an
        epoch. The rate grows with the batch size (the linear scaling rule of Goyal et al. 2017),
        so that a rating moves its rows alike in a small batch and in a large one, and is bounded
        where a single user or item has so many ratings in each batch that they would overshoot.

        Parameters
        ----------
        train : Ratings
        **given
            Attributes of this class; None means not given.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        low, high = _BATCH_SIZES
        batch_size = chosen.setdefault(
            "batch_size", min(max(train.n_ratings // _BATCHES_PER_EPOCH, low), high)
        )
        momentum = chosen.get("momentum", cls.momentum)
        ratings_that_add_up = min(batch_size, _MOST_RATINGS_OF_A_ROW / _largest_share(train))
        lr = _LR_PER_RATING * ratings_that_add_up * (1 - momentum)
        chosen.setdefault("lr", float(f"{lr:.3g}"))
        return cls(**chosen)

    @property
    def penalty(self) -> Penalty:
        """The strength of the L2 penalties."""
        return Penalty(self.reg, self.reg_bias)

    def make_schedule(self) -> Schedule:
        """Return the schedule, at its start."""
        return make_schedule(self.schedule, self.lr)

    def as_dict(self) -> Mapping[str, Any]:
        """Return the attributes as JSON types, in the order of their declaration."""
        values = asdict(self)
        if self.y_range is not None:
            values["y_range"] = list(self.y_range)
        return values


HYPERPARAMETER_NAMES = tuple(field.name for field in fields(Hyperparameters))


def _largest_share(train: Ratings) -> float:
    """Return the share of the ratings that the most frequent user or item has."""
    if not train.n_ratings:
        raise DataError("there is no rating to train on", path=train.name)
    most = max(np.bincount(train.users).max(), np.bincount(train.items).max())
    return float(most / train.n_ratings)
