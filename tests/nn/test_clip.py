import numpy as np
import pytest

from recsys.errors import UsageError
from recsys.nn.clip import clip_by_global_norm, clip_by_value, global_norm
from recsys.nn.rows import RowGradient
from recsys.nn.tensor import Tensor


@pytest.fixture
def parameters():
    a, b, idle = Tensor([0.0, 0.0]), Tensor(np.zeros((3, 1))), Tensor([1.0])
    a.grad = np.array([3.0, 0.0])
    # Row 1 twice: its gradient is 4, not 1 and 3. The norm of all is 5.
    b.grad = RowGradient(np.array([1, 1]), np.array([[1.0], [3.0]]), (3, 1))
    return {"a": a, "b": b, "idle": idle}


def test_the_global_norm_is_that_of_one_long_vector(parameters):
    assert global_norm(parameters) == 5.0  # sqrt(3^2 + 4^2)


def test_clipping_by_global_norm_keeps_the_direction(parameters):
    assert clip_by_global_norm(parameters, 1.0) == 5.0
    np.testing.assert_allclose(parameters["a"].grad, [0.6, 0.0])
    np.testing.assert_allclose(np.asarray(parameters["b"].grad).ravel(), [0, 0.8, 0])
    assert global_norm(parameters) == pytest.approx(1.0)


def test_a_gradient_within_the_norm_stays_as_it_is(parameters):
    before = parameters["a"].grad
    assert clip_by_global_norm(parameters, 5.0) == 5.0
    assert parameters["a"].grad is before


def test_clipping_by_value_bounds_each_entry_of_the_summed_rows(parameters):
    clip_by_value(parameters, 2.0)
    assert parameters["a"].grad.tolist() == [2.0, 0.0]
    assert isinstance(parameters["b"].grad, RowGradient)
    assert np.asarray(parameters["b"].grad).ravel().tolist() == [0, 2, 0]
    assert parameters["idle"].grad is None


def test_clipping_bounds_negative_entries_too():
    w = Tensor([0.0, 0.0])
    w.grad = np.array([-9.0, 1.0])
    clip_by_value({"w": w}, 2.0)
    assert w.grad.tolist() == [-2.0, 1.0]


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_limit_that_lets_nothing_through_is_refused(parameters, limit):
    with pytest.raises(UsageError, match="above 0"):
        clip_by_global_norm(parameters, limit)
    with pytest.raises(UsageError, match="above 0"):
        clip_by_value(parameters, limit)
