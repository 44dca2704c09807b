"""Gradient clipping, between `Tensor.backward` and the optimizer's step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from recsys.errors import UsageError
from recsys.nn.rows import Floats, Gradient, RowGradient
from recsys.nn.tensor import Tensor


def global_norm(parameters: Mapping[str, Tensor]) -> float:
    """Return the Euclidean norm of all gradients taken as one long vector."""
    grads = [parameter.grad for parameter in parameters.values() if parameter.grad is not None]
    return float(np.sqrt(sum(np.sum(np.square(_values(g), dtype=np.float64)) for g in grads)))


def clip_by_global_norm(parameters: Mapping[str, Tensor], max_norm: float) -> float:
    """Scale all gradients alike so that their global norm is at most ``max_norm``.

    The direction stays (Pascanu et al. 2013). Returns the norm before.
    """
    if not max_norm > 0:
        raise UsageError(f"max_norm is {max_norm}; allowed: above 0")
    norm = global_norm(parameters)
    if norm > max_norm:
        _map(parameters, lambda values: values * (max_norm / norm))
    return norm


def clip_by_value(parameters: Mapping[str, Tensor], limit: float) -> None:
    """Clip each entry of each gradient to [-limit, limit], which turns the direction."""
    if not limit > 0:
        raise UsageError(f"limit is {limit}; allowed: above 0")
    _map(parameters, lambda values: np.clip(values, -limit, limit))


def _values(grad: Gradient) -> Floats:
    return grad.coalesce().values if isinstance(grad, RowGradient) else grad


def _map(parameters: Mapping[str, Tensor], change: Callable[[Floats], Floats]) -> None:
    for parameter in parameters.values():
        if isinstance(parameter.grad, RowGradient):
            once = parameter.grad.coalesce()  # a row's contributions are clipped as their sum
            parameter.grad = replace(once, values=change(once.values))
        elif parameter.grad is not None:
            parameter.grad = change(parameter.grad)
