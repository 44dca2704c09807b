"""All optimizers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys.errors import UsageError
from recsys.nn.adam import Adam, AdaMax, AdamW, AMSGrad, LazyAdam, Nadam, SpreadsheetAdam
from recsys.nn.adaptive import Adadelta, Adagrad, RMSProp, SpreadsheetRMSProp
from recsys.nn.momentum import DampedMomentum, Nesterov
from recsys.nn.optimizer import Optimizer
from recsys.nn.sgd import SGD, HeavyBall
from recsys.nn.tensor import Tensor

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": HeavyBall,
    "damped-momentum": DampedMomentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rmsprop": RMSProp,
    "adam": Adam,
    "lazy-adam": LazyAdam,
    "amsgrad": AMSGrad,
    "adamax": AdaMax,
    "nadam": Nadam,
    "adamw": AdamW,
    "spreadsheet-rmsprop": SpreadsheetRMSProp,
    "spreadsheet-adam": SpreadsheetAdam,
}


def make_optimizer(
    name: str, parameters: Mapping[str, Tensor], lr: float, **options: Any
) -> Optimizer:
    """Return the optimizer called ``name``, a key of `OPTIMIZERS`; ``options`` go to its class.

    Raises `UsageError` if there is no such optimizer, or it does not know one of the options.
    """
    if name not in OPTIMIZERS:
        raise UsageError(f"unknown optimizer {name!r}; allowed: {', '.join(OPTIMIZERS)}")
    known = OPTIMIZERS[name].__dataclass_fields__
    if odd := [option for option in options if option not in known]:
        raise UsageError(f"optimizer {name} has no {odd[0]}; it has: {', '.join(known)}")
    return OPTIMIZERS[name](parameters, lr, **options)
