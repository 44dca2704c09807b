"""Layers: callables that own parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from recsys.errors import UsageError
from recsys.nn.initialisers import Initialiser, he, normal
from recsys.nn.rows import Floats
from recsys.nn.tensor import Operand, Tensor, as_tensor


class Module:
    """What owns parameters: its tensors, and those of the modules it holds.

    While ``training``, layers that behave otherwise in training do so: `Dropout`.
    """

    training = True

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules held, by attribute; those in a list by attribute and position."""
        for name, value in vars(self).items():
            held = enumerate(value) if isinstance(value, list) else [("", value)]
            for i, item in held:
                if isinstance(item, Module):
                    yield f"{name}.{i}".rstrip("."), item

    def parameters(self) -> dict[str, Tensor]:
        """Return all that training may change, by dotted name, such as ``layers.0.weight``."""
        found = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        for prefix, child in self.children():
            found |= {f"{prefix}.{name}": value for name, value in child.parameters().items()}
        return found

    @property
    def n_parameters(self) -> int:
        """How many numbers training may change."""
        return sum(parameter.data.size for parameter in self.parameters().values())

    def train(self, training: bool = True) -> None:
        """Switch this module and all it holds to training, or with False to use."""
        self.training = training
        for _, child in self.children():
            child.train(training)

    def state(self) -> dict[str, Floats]:
        """Return a copy of every parameter's array, by dotted name."""
        return {name: parameter.data.copy() for name, parameter in self.parameters().items()}

    def load_state(self, state: Mapping[str, Floats]) -> None:
        """Write what `state` returned back, in place, or raise `UsageError` if it does not fit."""
        parameters = self.parameters()
        expected = {name: parameter.shape for name, parameter in parameters.items()}
        if (found := {name: array.shape for name, array in state.items()}) != expected:
            raise UsageError(f"the state holds {found}; this module has {expected}")
        for name, parameter in parameters.items():
            parameter.data[...] = state[name]


class Linear(Module):
    """``x @ weight + bias``; the weight drawn by ``init`` from ``rng``, the bias zero at first."""

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        rng: np.random.Generator,
        init: Initialiser = he,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.weight = Tensor(init(rng, (n_inputs, n_outputs)).astype(dtype))
        self.bias = Tensor(np.zeros(n_outputs, dtype))

    def __call__(self, x: Operand) -> Tensor:
        """Return (n, n_outputs) for ``x`` (n, n_inputs)."""
        return as_tensor(x, self.weight.dtype) @ self.weight + self.bias


class Embedding(Module):
    """A table with one row per user or item, drawn by ``init`` from ``rng``, read by row number."""

    def __init__(
        self,
        n_rows: int,
        n_factors: int,
        *,
        rng: np.random.Generator,
        init: Initialiser = normal,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.weight = Tensor(init(rng, (n_rows, n_factors)).astype(dtype))

    def __call__(self, rows: NDArray[np.integer]) -> Tensor:
        """Return ``rows.shape + (n_factors,)``."""
        return self.weight.gather(rows)


class Activation(Module):
    """A function of each entry.

    ``slope`` is its derivative, given its value; where that is far below ``max_slope``, the
    steepest it gets, an entry is saturated (`recsys.nn.report`).
    """

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        slope: Callable[[Floats], Floats],
        max_slope: float = 1.0,
    ) -> None:
        self.function, self.slope, self.max_slope = function, slope, max_slope

    def __call__(self, x: Tensor) -> Tensor:
        """Return the function of each entry."""
        return self.function(x)


class ReLU(Activation):
    """max(0, x); a unit whose slope is 0 for every input is dead."""

    def __init__(self) -> None:
        super().__init__(Tensor.relu, lambda y: np.sign(y))


class Tanh(Activation):
    """The hyperbolic tangent, between -1 and 1."""

    def __init__(self) -> None:
        super().__init__(Tensor.tanh, lambda y: 1 - y * y)


class Sigmoid(Activation):
    """``low + (high - low) sigmoid(x)``: a ``y_range``, when the bounds are stars.

    Let them lie slightly beyond the extremes to be reached: (0, 5.5) for 1 to 5 stars.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        if not low < high:
            raise UsageError(f"the sigmoid's range is ({low}, {high}); allowed: low below high")
        width = high - low
        super().__init__(
            lambda x: x.sigmoid() * width + low,
            lambda y: (y - low) * (high - y) / width,  # with s the sigmoid: width s (1 - s)
            width / 4,
        )


class Dropout(Module):
    """In training, zero for a random share ``rate`` of entries; the rest grows, the mean stays."""

    def __init__(self, rate: float, *, rng: np.random.Generator) -> None:
        if not 0 <= rate < 1:
            raise UsageError(f"the dropout rate is {rate}; allowed: 0 to below 1")
        self.rate, self.rng = rate, rng

    def __call__(self, x: Tensor) -> Tensor:
        """Return ``x``, thinned out in training."""
        if not self.training or self.rate == 0:
            return x
        return x * ((self.rng.random(x.shape) >= self.rate) / (1 - self.rate))


class Sequential(Module):
    """Layers, one after the other."""

    def __init__(self, *layers: Callable[..., Tensor]) -> None:
        self.layers = list(layers)

    def __call__(self, x: Any) -> Tensor:
        """Return what the last layer makes of what the layers before it make of ``x``."""
        for layer in self.layers:
            x = layer(x)
        return as_tensor(x)


def mlp(
    n_inputs: int,
    hidden: Sequence[int],
    n_outputs: int,
    *,
    rng: np.random.Generator,
    activation: Callable[[], Activation] = ReLU,
    init: Initialiser = he,
    dropout: float = 0.0,
    dtype: DTypeLike = np.float64,
) -> Sequential:
    """Return linear layers with activations, and dropout if any, between them.

    ``hidden`` are the widths of the hidden layers, as many as are wanted; without any it is
    linear or logistic regression, depending on the loss.
    """
    widths = [n_inputs, *hidden, n_outputs]
    layers: list[Callable[..., Tensor]] = []
    for n_in, n_out in pairwise(widths):
        layers += [Linear(n_in, n_out, rng=rng, init=init, dtype=dtype), activation()]
        if dropout:
            layers.append(Dropout(dropout, rng=rng))
    return Sequential(*layers[: -2 if dropout else -1])
