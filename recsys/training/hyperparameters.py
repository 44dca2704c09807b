from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from recsys.data import Ratings
from recsys.errors import UsageError
from recsys.model.embedding_mlp import embedding_size
from recsys.model.objective import Penalty
from recsys.nn.optimizers import OPTIMIZERS
from recsys.nn.schedules import SCHEDULES, Schedule, make_schedule
from recsys.training.ranking_defaults import UNOBSERVED, ranking_defaults
from recsys.training.rating_defaults import rating_defaults


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
    row_limit : float or None
        A row that has more ratings than this in a batch has its gradient scaled down to so many,
        above 0; goes with ``momentum`` and ``sgd`` on ``dot`` without implicit terms.
    reg, reg_bias, reg_implicit : float
        L2 penalties of embeddings, biases and implicit terms per rating, at least 0
        (`EmbeddingDotBias.loss`).
    n_prior : float
        Ratings that each of these penalties counts beside a row's own, at least 0.
    unobserved : float
        How much all pairs weigh in the ranking objective, the liked ones weighing 1; above 0.
    init_std : float
        Standard deviation of the initial embeddings, at least 0.
    unit : float
        Ratings are divided by it for the training, and so are they for the penalties and for
        ``lr``; above 0 (`recsys.training.units`).
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
    row_limit: float | None = None
    reg: float = 0.07
    reg_bias: float = 0.05
    reg_implicit: float = 0.2
    n_prior: float = 100.0
    unobserved: float = UNOBSERVED
    init_std: float = 0.03
    unit: float = 1.0
    y_range: tuple[float, float] | None = None
    schedule: str = "cosine"
    early_stopping: int = 10
    dtype: Literal["float32", "float64"] = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (
            ("objective", ("rating", "ranking")),
            ("model", ("dot", "mlp")),
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
            ("n_prior", 0, math.inf),
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
        for name in ("lr", "clip", "row_limit", "unobserved", "unit"):
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

        Some depend on the data: `recsys.training.rating_defaults`, `...ranking_defaults`.

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
        return cls(**rating_defaults(train, given))

    def embedding_sizes(self, train: Ratings) -> tuple[int, int]:
        """Return the lengths of a user's and of an item's embedding."""
        if self.n_factors is not None:
            return self.n_factors, self.n_factors
        return embedding_size(train.n_users), embedding_size(train.n_items)

    @property
    def penalty(self) -> Penalty:
        """The strength of the L2 penalties."""
        return Penalty(self.reg, self.reg_bias, self.reg_implicit, self.n_prior)

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
