import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import UsageError
from recsys.nn.layers import Sigmoid
from recsys.nn.losses import (
    binary_cross_entropy,
    huber,
    l2,
    softmax_cross_entropy,
    squared_error,
)
from recsys.nn.tensor import Tensor


def test_squared_error_is_the_mean_and_not_halved():
    r = Tensor([3.0, 5.0])
    loss = squared_error(r, [1.0, 4.0])  # (4 + 1) / 2
    loss.backward()
    assert loss.item() == 2.5
    assert r.grad.tolist() == [2.0, 1.0]  # 2 (r^ - r) / n


def test_halved_squared_error_says_so():
    r = Tensor([3.0, 5.0])
    loss = squared_error(r, [1.0, 4.0], halved=True)
    loss.backward()
    assert loss.item() == 1.25
    assert r.grad.tolist() == [1.0, 0.5]


def test_the_range_models_delta_is_that_of_the_reference():
    rng = np.random.default_rng(0)
    u, v, b = (Tensor(rng.normal(size=shape)) for shape in ((4, 3), (4, 3), (4,)))
    low, high, ratings = 0.0, 5.5, np.array([1.0, 5.0, 3.0, 4.0])
    z = (u * v).sum(axis=1) + b
    squared_error(Sigmoid(low, high)(z), ratings).backward()
    s = 1 / (1 + np.exp(-z.data))
    predicted = low + (high - low) * s
    delta = (2 / 4) * (predicted - ratings) * (high - low) * s * (1 - s)
    np.testing.assert_allclose(u.grad, delta[:, None] * v.data)
    np.testing.assert_allclose(v.grad, delta[:, None] * u.data)
    np.testing.assert_allclose(b.grad, delta)


def test_huber_is_a_parabola_inside_and_a_line_outside():
    r = Tensor([0.5, -3.0])
    loss = huber(r, [0.0, 0.0], delta=1.0)
    loss.backward()
    assert loss.item() == pytest.approx((0.125 + 2.5) / 2)  # .5^2/2; 1 (3 - 1/2)
    assert r.grad.tolist() == [0.25, -0.5]  # clip(e, -1, 1) / n


@pytest.mark.parametrize(
    ("y", "p", "decimal"), [(1, 0.5, 0.30103), (1, 0.98, 0.00877), (0, 0.9, 1.0), (1, 0.9, 0.04576)]
)
def test_binary_cross_entropy_of_the_entropy_example(y, p, decimal):
    logit = Tensor([math.log(p / (1 - p))])
    loss = binary_cross_entropy(logit, [y])
    assert loss.item() / math.log(10) == pytest.approx(decimal, abs=5e-6)


def test_binary_cross_entropys_gradient_is_p_minus_y():
    z = Tensor([0.0, math.log(3.0)])  # p = 1/2, 3/4
    binary_cross_entropy(z, [1.0, 0.0]).backward()
    np.testing.assert_allclose(z.grad, [-0.25, 0.375])


def test_binary_cross_entropy_survives_any_logit():
    z = Tensor([-1e4, 1e4])
    loss = binary_cross_entropy(z, [1.0, 0.0])
    loss.backward()
    assert loss.item() == 1e4
    np.testing.assert_allclose(z.grad, [-0.5, 0.5])


def test_softmax_cross_entropys_gradient_is_p_minus_one_at_the_class():
    f = np.array([[0.0218, -2.4881, -1.7506, 2.0704, 1.2503]])
    p = [0.0805, 0.0065, 0.0137, 0.6244, 0.2749]
    logits = Tensor(f)
    loss = softmax_cross_entropy(logits, np.array([3]))
    loss.backward()
    assert loss.item() == pytest.approx(-math.log(0.6244), abs=2e-4)
    np.testing.assert_allclose(logits.grad, [[*p[:3], p[3] - 1, p[4]]], atol=1e-4)


@given(shift=st.floats(-1e5, 1e5))
def test_softmax_cross_entropy_does_not_change_with_a_shift(shift):
    f, labels = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]), np.array([2, 0])
    plain = softmax_cross_entropy(Tensor(f), labels).item()
    assert softmax_cross_entropy(Tensor(f + shift), labels).item() == pytest.approx(plain, abs=1e-9)


def test_two_classes_are_the_binary_cross_entropy_of_the_difference():
    f, labels = np.array([[1.0, 2.0], [0.3, -1.0]]), np.array([1, 1])
    two = softmax_cross_entropy(Tensor(f), labels).item()
    one = binary_cross_entropy(Tensor(f[:, 1] - f[:, 0]), labels).item()
    assert two == pytest.approx(one)


@pytest.mark.parametrize("labels", [[0], [0, 3], [-1, 0], [[0], [1]]])
def test_labels_that_are_no_classes_are_refused(labels):
    with pytest.raises(UsageError, match="labels"):
        softmax_cross_entropy(Tensor(np.zeros((2, 3))), np.array(labels))


def test_l2_is_the_sum_of_squares_and_its_gradient_twice_the_weight():
    w = Tensor([1.0, -2.0])
    loss = l2([w, Tensor([3.0])], 0.1)  # .1 (1 + 4 + 9)
    loss.backward()
    assert loss.item() == pytest.approx(1.4)
    np.testing.assert_allclose(w.grad, [0.2, -0.4])


@pytest.mark.parametrize("loss", [squared_error, huber, binary_cross_entropy])
def test_predictions_and_targets_of_different_shape_are_refused(loss):
    with pytest.raises(UsageError, match="shape"):
        loss(Tensor(np.zeros((3, 1))), np.zeros(3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_keep_the_type(dtype):
    z = Tensor(np.ones(3, dtype))
    for loss in (
        squared_error(z, [1.0, 2.0, 3.0]),
        huber(z, np.zeros(3)),
        binary_cross_entropy(z, np.array([0, 1, 1])),
        softmax_cross_entropy(z.reshape(1, 3), np.array([1])),
        l2([z], 0.1),
    ):
        assert loss.dtype == dtype
