"""The analytic gradient against the numeric one, in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.errors import UsageError
from recsys.nn import layers, losses, ranking_losses
from recsys.nn.rows import Floats
from recsys.nn.tensor import Tensor, concatenate

# Near the cube root of float64's 1e-16, where a central difference loses least.
_STEP = 1e-5


@dataclass(frozen=True)
class Check:
    """How well an array's analytic gradient agrees with the numeric one.

    Attributes
    ----------
    name : str
        What was checked, and which of its arrays: ``Linear weight``.
    relative_error : float
        |a - n| / (|a| + |n|), Euclidean norms over the array; 0 where both are zero throughout.
    entry, analytic, numeric
        Where they differ most, and the two gradients there.
    """

    name: str
    relative_error: float
    entry: tuple[int, ...]
    analytic: float
    numeric: float


def numeric_gradient(loss: Callable[[], float], array: Floats, step: float = _STEP) -> Floats:
    """Return (loss(x + h) - loss(x - h)) / 2h for each entry x of ``array``.

    The entries are changed in place, one by one, and put back bit for bit.
    """
    gradient = np.empty_like(array)
    for entry in np.ndindex(array.shape):
        x = array[entry]
        array[entry] = x + step
        above = loss()
        array[entry] = x - step
        below = loss()
        array[entry] = x
        gradient[entry] = (above - below) / (2 * step)
    return gradient


def check_gradients(
    name: str,
    loss: Callable[[], float],
    arrays: Mapping[str, Floats],
    gradients: Mapping[str, Floats],
) -> list[Check]:
    """Return a check of each array of ``name``, which computes its own gradients.

    ``loss`` gives the objective at what ``arrays``, the parameters, hold at the moment, and draws
    nothing at random. They are float64, or else `UsageError`; `draw` gives some that are fit for a
    check. ``gradients`` are the analytic ones.
    """
    checks = []
    for key, array in arrays.items():
        if array.dtype != np.float64:
            raise UsageError(f"{name} {key} is {array.dtype}; a gradient check needs float64")
        analytic, numeric = np.asarray(gradients[key]), numeric_gradient(loss, array)
        size = float(np.linalg.norm(analytic) + np.linalg.norm(numeric))
        error = float(np.linalg.norm(analytic - numeric)) / size if size else 0.0
        error = np.inf if np.isnan(error) else error  # what `max` does not overlook
        worst = np.unravel_index(np.argmax(np.abs(analytic - numeric)), array.shape)
        at = tuple(int(i) for i in worst)
        checks.append(Check(f"{name} {key}", error, at, float(analytic[at]), float(numeric[at])))
    return checks


def check_tensors(
    name: str, loss: Callable[[], Tensor], parameters: Mapping[str, Tensor]
) -> list[Check]:
    """Return a check of each parameter of a scalar that the engine computes."""
    for parameter in parameters.values():
        parameter.grad = None
    loss().backward()
    gradients = {
        key: np.zeros(parameter.shape) if parameter.grad is None else np.asarray(parameter.grad)
        for key, parameter in parameters.items()
    }
    arrays = {key: parameter.data for key, parameter in parameters.items()}
    return check_gradients(name, lambda: loss().item(), arrays, gradients)


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return entries of either sign and size .5 to 1.5, so that none lies near zero or a kink."""
    return np.asarray(rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape))


Shapes = tuple[tuple[int, ...], ...]

OPERATIONS: dict[str, tuple[Callable[..., Tensor], Shapes]] = {
    "add": (lambda a, b: a + b, ((3, 4), (4,))),
    "negate": (lambda a: -a, ((3,),)),
    "subtract": (lambda a, b: a - b, ((3, 1), (4,))),
    "multiply": (lambda a, b: a * b, ((2, 3, 4), (3, 1))),
    "divide": (lambda a, b: a / b, ((3, 4), (3, 4))),
    "power": (lambda a: (a * a) ** 1.5, ((3, 4),)),
    "matmul": (lambda a, b: a @ b, ((2, 3, 4), (4, 5))),
    "matmul of vectors": (lambda a, b: a @ b, ((4,), (4,))),
    "sum": (lambda a: a.sum(axis=1), ((3, 4),)),
    "mean": (lambda a: a.mean(axis=0, keepdims=True), ((3, 4),)),
    "exp": (lambda a: a.exp(), ((3, 4),)),
    "log": (lambda a: (a * a).log(), ((3, 4),)),
    "relu": (lambda a: a.relu(), ((3, 4),)),
    "tanh": (lambda a: a.tanh(), ((3, 4),)),
    "sigmoid": (lambda a: a.sigmoid(), ((3, 4),)),
    "softplus": (lambda a: a.softplus(), ((3, 4),)),
    "clip": (lambda a: a.clip(-1.0, 0.4), ((5, 6),)),
    "softmax": (lambda a: a.softmax(), ((3, 4),)),
    "log_softmax": (lambda a: a.log_softmax(), ((3, 4),)),
    "gather": (lambda a: a.gather(np.array([[2, 0], [2, 2]])), ((4, 3),)),
    "reshape": (lambda a: a.reshape(2, -1), ((3, 4),)),
    "transpose": (lambda a: a.T, ((3, 4),)),
    "concatenate": (lambda a, b: concatenate([a, b]), ((3, 4), (3, 2))),
}

_LABELS = np.array([0, 3, 1])

LOSSES: dict[str, tuple[Callable[..., Tensor], Shapes]] = {
    "squared_error": (losses.squared_error, ((6,), (6,))),
    "squared_error halved": (lambda a, b: losses.squared_error(a, b, halved=True), ((6,), (6,))),
    "huber": (lambda a, b: losses.huber(a, b, delta=0.9), ((12,), (12,))),
    "binary_cross_entropy": (lambda z: losses.binary_cross_entropy(z, [0, 1, 0.3]), ((3,),)),
    "softmax_cross_entropy": (lambda f: losses.softmax_cross_entropy(f, _LABELS), ((3, 4),)),
    "bpr": (ranking_losses.bpr, ((6,), (6,))),
    "sampled_softmax": (
        lambda a, b: ranking_losses.sampled_softmax(a, b, log_q_positive=-1, log_q_negative=-0.7),
        ((4,), (4, 3)),
    ),
    "l2": (lambda a, b: losses.l2([a, b], 0.3), ((3, 4), (4,))),
}


class _SameDropout(layers.Dropout):
    """Drops the same entries each time, as a numeric gradient needs it."""

    def __call__(self, x: Tensor) -> Tensor:
        self.rng = np.random.default_rng(0)
        return super().__call__(x)


def _layers(rng: np.random.Generator) -> dict[str, Any]:
    """Return every layer, all for inputs (5, 4) but the embedding."""
    return {
        "Linear": layers.Linear(4, 3, rng=rng),
        "Embedding": layers.Embedding(4, 3, rng=rng),
        "ReLU": layers.ReLU(),
        "Tanh": layers.Tanh(),
        "Sigmoid": layers.Sigmoid(),
        "Sigmoid with a range": layers.Sigmoid(0, 5.5),
        "Dropout": _SameDropout(0.4, rng=rng),
        "Sequential": layers.Sequential(layers.Linear(4, 3, rng=rng), layers.Tanh()),
        "mlp, one hidden layer": layers.mlp(4, [6], 2, rng=rng),
        "mlp, three hidden layers": layers.mlp(4, [6, 5, 4], 2, rng=rng),
    }


def check_all(
    models: Iterable[Callable[[np.random.Generator], list[Check]]] = (), *, seed: int = 0
) -> list[Check]:
    """Return the checks of every operation, layer and loss, then those of ``models``.

    A model draws its parameters from the generator it is given and returns `check_gradients` or
    `check_tensors` of its whole objective.
    """
    checks: list[Check] = []
    for name, (function, shapes) in (OPERATIONS | LOSSES).items():
        rng = np.random.default_rng(seed)
        operands = [Tensor(draw(rng, shape)) for shape in shapes]
        named = {f"operand {i}": operand for i, operand in enumerate(operands)}
        checks += check_tensors(name, _weighted_sum(rng, function, *operands), named)
    for name, layer in _layers(rng := np.random.default_rng(seed)).items():
        x, parameters = Tensor(draw(rng, (5, 4))), layer.parameters()
        for parameter in parameters.values():
            parameter.data[...] = draw(rng, parameter.shape)
        if isinstance(layer, layers.Embedding):
            loss = _weighted_sum(rng, layer, np.array([0, 2, 2, 1, 2]))
        else:
            loss, parameters = _weighted_sum(rng, layer, x), parameters | {"x": x}
        checks += check_tensors(name, loss, parameters)
    for model in models:
        checks += model(np.random.default_rng(seed))
    return checks


def _weighted_sum(
    rng: np.random.Generator, function: Callable[..., Tensor], *operands: Any
) -> Callable[[], Tensor]:
    # Unequal weights, or a softmax would sum to a constant and its gradient be zero.
    weights = draw(rng, function(*operands).shape)
    return lambda: (function(*operands) * weights).sum()
