"""Items 3 to 8, 14, 15, 18, 21 and 25: formulas with a number to check them by."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from benchmarks.reference.rows import Row, equal
from recsys.model.embedding_mlp import embedding_size
from recsys.nn import losses
from recsys.nn.clip import clip_by_global_norm, global_norm
from recsys.nn.gradcheck import check_all
from recsys.nn.layers import Embedding, Sigmoid, mlp
from recsys.nn.lr_finder import SmoothedLoss
from recsys.nn.tensor import Tensor


def models() -> Iterator[Row]:
    """Yield dot product, embedding, range and sizes: items 3 to 8."""
    user = Tensor([0.9, 0.8, -0.6])
    for item, expected in (((0.98, 0.9, -0.9), 2.142), ((-0.99, -0.3, 0.8), -1.611)):
        yield equal(f"3 dot product with {item}", expected, (user @ item).item(), 1e-12)

    rng = np.random.default_rng(0)
    looked_up, multiplied = (Tensor(np.arange(12.0).reshape(4, 3)) for _ in range(2))
    rows, weights = np.array([3, 0, 3]), rng.normal(size=(3, 3))
    ours, theirs = looked_up.gather(rows), np.eye(4)[rows] @ multiplied
    yield equal("4 lookup less one-hot product", 0.0, np.abs(ours.data - theirs.data).max(), 0)
    (ours * weights).sum().backward()
    (theirs * weights).sum().backward()
    difference = np.abs(np.asarray(looked_up.grad) - np.asarray(multiplied.grad)).max()
    yield equal("4 the same of their gradients", 0.0, difference, 1e-12)

    u, v, b = (Tensor(rng.normal(size=shape)) for shape in ((4, 3), (4, 3), (4,)))
    ratings, stars = np.array([1.0, 5.0, 3.0, 4.0]), Sigmoid(0.0, 5.5)
    predicted = stars((u * v).sum(axis=1) + b)
    losses.squared_error(predicted, ratings).backward()
    s = predicted.data / 5.5
    delta = 2 / 4 * (predicted.data - ratings) * 5.5 * s * (1 - s)
    for name, gradient, by_hand in (
        ("dU", u.grad, delta[:, None] * v.data),
        ("dV", v.grad, delta[:, None] * u.data),
        ("db", b.grad, delta),
    ):
        difference = np.abs(np.asarray(gradient) - by_hand).max()
        yield equal(f"5 {name} less the formula's", 0.0, difference, 1e-12)

    for z, expected in ((0.0, 2.75), (2.303, 5.0), (0.583, 3.53)):
        yield equal(f"6 stars at z = {z}", expected, stars(Tensor(z)).item(), 5e-4)

    users, items = Embedding(943, 40, rng=rng), Embedding(1682, 40, rng=rng)
    dots = users(rng.integers(0, 943, 10_000)) * items(rng.integers(0, 1682, 10_000))
    farthest = np.abs(stars(dots.sum(axis=1)).data - 2.75).max()
    yield equal("7 first predictions: farthest from 2.75", 0.0, farthest, 0.01)

    for n_rows, expected in ((944, 74), (1635, 101)):
        yield equal(f"8 embedding size of {n_rows} rows", expected, embedding_size(n_rows), 0)


def entropies() -> Iterator[Row]:
    """Yield softmax and cross-entropies: item 14."""
    f = np.array([0.0218, -2.4881, -1.7506, 2.0704, 1.2503])
    p = [0.0805, 0.0065, 0.0137, 0.6244, 0.2749]
    rounding = "the scores are published to four decimals"
    for k, (expected, ours) in enumerate(zip(p, Tensor(f).softmax().data, strict=True)):
        yield equal(f"14 softmax, class {k}", expected, ours, 1e-4, rounding)
    shifted = np.abs(Tensor(f + 100).softmax().data - Tensor(f).softmax().data).max()
    yield equal("14 softmax: change with a shift by 100", 0.0, shifted, 1e-12)
    logits = Tensor(f[None])
    losses.softmax_cross_entropy(logits, np.array([3])).backward()
    by_hand = Tensor(f).softmax().data - np.eye(5)[3]
    difference = np.abs(np.asarray(logits.grad) - by_hand).max()
    yield equal("14 dL/df_k less p_k - 1[k = y]", 0.0, difference, 1e-12)
    for y, prob, expected in (
        (1, 0.5, 0.30103),
        (1, 0.98, 0.00877),
        (0, 0.9, 1.0),
        (1, 0.9, 0.04576),
    ):
        logit = Tensor([math.log(prob / (1 - prob))])
        ours = losses.binary_cross_entropy(logit, [y]).item() / math.log(10)
        yield equal(f"14 binary cross-entropy, y = {y}, p = {prob}, log10", expected, ours, 5e-6)


def autograd() -> Iterator[Row]:
    """Yield micrograd's expression and single rules: items 13, 15, 18, 21, 25."""
    a, b = Tensor(-4.0), Tensor(2.0)
    c, d = a + b, a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    f = (c - d) ** 2
    g = f / 2.0 + 10.0 / f
    g.backward()
    yield equal("15 micrograd's g", 24.7041, g.item(), 5e-5)
    yield equal("15 dg/da", 138.8338, float(np.asarray(a.grad)), 5e-5)
    yield equal("15 dg/db", 645.5773, float(np.asarray(b.grad)), 5e-5)
    n_parameters = mlp(2, [16, 16], 1, rng=np.random.default_rng(0)).n_parameters
    yield equal("15 parameters of MLP(2, [16, 16, 1])", 337, n_parameters, 0)
    worst = max(check.relative_error for check in check_all())
    yield equal("13 gradient check of every layer and loss: worst", 0.0, worst, 1e-6)

    z = Tensor(np.linspace(-5, 5, 1001))
    z.sigmoid().sum().backward()
    yield equal("18 largest slope of the sigmoid", 0.25, np.asarray(z.grad).max(), 1e-12)
    average = SmoothedLoss(beta=0.9)
    for n, (loss, expected) in enumerate(((5, 5.0), (1, 2.8947), (1, 2.1956)), start=1):
        yield equal(f"21 smoothed loss after {n}", expected, average.add(loss), 5e-5)
    w = {"w": Tensor(np.zeros(2))}
    w["w"].grad = np.array([30.0, 40.0])
    yield equal("25 global norm of (30, 40)", 50.0, clip_by_global_norm(w, 1.0), 1e-12)
    yield equal("25 the same, clipped to 1", 1.0, global_norm(w), 1e-12)
