"""Initial weights by name: all normal with mean 0, they differ in the standard deviation."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from recsys.nn.rows import Floats

Initialiser = Callable[[np.random.Generator, tuple[int, ...]], Floats]
"""Draws a weight of shape ``(n_inputs, n_outputs)``, float64."""


def normal(rng: np.random.Generator, shape: tuple[int, ...], std: float = 0.01) -> Floats:
    """Return N(0, std), by default N(0, .01): embeddings that hardly say anything yet."""
    return rng.normal(0.0, std, shape)


def xavier(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return N(0, sqrt(2 / (n_inputs + n_outputs))), for tanh and sigmoid.

    Keeps the variance between that of the signals forward and that of the gradients backward
    (Glorot and Bengio 2010).
    """
    return normal(rng, shape, sqrt(2 / (shape[0] + shape[-1])))


def he(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return N(0, sqrt(2 / n_inputs)), for ReLU, which halves the variance (He et al. 2015)."""
    return normal(rng, shape, sqrt(2 / shape[0]))


def lecun(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return N(0, 1 / sqrt(n_inputs)), which keeps the variance of a linear layer."""
    return normal(rng, shape, sqrt(1 / shape[0]))
