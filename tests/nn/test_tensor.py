import gc
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import broadcastable_shapes, mutually_broadcastable_shapes

from recsys.nn.gradcheck import check_tensors, draw
from recsys.nn.rows import RowGradient
from recsys.nn.tensor import Tensor, concatenate, no_grad

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


def assert_gradients_agree(name, function, *operands):
    """Check every operand's gradient of a weighted sum of the result, and print the worst."""
    weights = draw(np.random.default_rng(7), function(*operands).shape)
    checks = check_tensors(
        name,
        lambda: (function(*operands) * weights).sum(),
        {f"operand {i}": operand for i, operand in enumerate(operands)},
    )
    for check in checks:
        assert check.relative_error < 1e-6, check


def tensor(shape, seed=0):
    return Tensor(draw(np.random.default_rng((seed, *shape)), shape))


# One multiplication, one graph


def test_times_swaps_and_plus_copies():
    a, b = Tensor(3.0), Tensor(-2.0)
    (a * b).backward()
    assert (a.grad, b.grad) == (-2.0, 3.0)
    a, b = Tensor(3.0), Tensor(-2.0)
    (a + b).backward()
    assert (a.grad, b.grad) == (1.0, 1.0)


def test_micrograds_worked_expression():
    a, b = Tensor(-4.0), Tensor(2.0)
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
    assert g.item() == pytest.approx(24.7041, abs=5e-5)
    assert a.grad == pytest.approx(138.8338, abs=5e-5)
    assert b.grad == pytest.approx(645.5773, abs=5e-5)


def test_a_node_used_twice_sums_its_gradients():
    x = Tensor(3.0)
    y = x * x  # dy/dx = 2x = 6
    (y + y * y).backward()  # (1 + 2y) 6 = 19 * 6
    assert x.grad == pytest.approx(114.0)


def test_backward_adds_to_what_is_there_already():
    x = Tensor(2.0)
    (x * 3).backward()
    (x * 4).backward()
    assert x.grad == 7.0


def test_only_leaves_keep_a_gradient():
    x = Tensor(2.0)
    y = x * 3
    (y * 5).backward()
    assert y.grad is None
    assert x.grad == 15.0


def test_leaves_do_not_share_their_gradients_memory():
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    (a + b).sum().backward()
    a.grad[0] = 100.0
    assert b.grad.tolist() == [1.0, 1.0]


def test_constants_get_no_gradient_and_pass_none_on():
    x, c = Tensor([1.0]), Tensor([2.0], requires_grad=False)
    (x * c).sum().backward()
    assert c.grad is None
    assert not (c * 2).requires_grad


def test_nothing_is_recorded_under_no_grad():
    x = Tensor(2.0)
    with no_grad():
        y = x * x
    assert not y.requires_grad
    assert (x * x).requires_grad


def test_backward_from_a_constant_says_so():
    with pytest.raises(ValueError, match="constant"):
        Tensor(1.0, requires_grad=False).backward()


def test_backward_from_an_array_needs_a_gradient_of_its_shape():
    x = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="scalar"):
        (x * 2).backward()
    with pytest.raises(ValueError, match="shape"):
        (x * 2).backward([1.0, 2.0, 3.0])
    (x * 2).backward([1.0, 10.0])
    assert x.grad.tolist() == [2.0, 20.0]


def test_a_chain_of_50_000_operations_works_and_is_freed():
    x = Tensor(1.0)
    y = x
    for _ in range(25_000):
        y = y * 1.0001 + 0.0
    y.backward()
    assert x.grad == pytest.approx(1.0001**25_000)
    del y
    gc.collect()
    assert x.grad == pytest.approx(math.exp(25_000 * math.log(1.0001)))


def test_no_reference_cycle_keeps_a_graph_alive():
    x = Tensor(np.ones(3))
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            ((x * 2).sigmoid().softmax() @ x).backward()
        assert not any(isinstance(o, Tensor) and o is not x for o in gc.get_objects())
    finally:
        gc.enable()


# Types


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients_keep_their_type(dtype):
    x = Tensor(np.ones((3, 2), dtype))
    w = Tensor(np.ones((2, 2), dtype))
    y = ((1.5 - x @ w / 3) ** 2 + np.ones(2)).log_softmax().sigmoid().clip(0, 1).mean()
    y.backward()
    assert y.dtype == x.grad.dtype == w.grad.dtype == dtype


def test_numbers_and_integers_become_float64():
    assert Tensor(3).dtype == Tensor([True, False]).dtype == np.float64


def test_an_array_on_the_left_leaves_the_arithmetic_to_the_tensor():
    x = Tensor([1.0, 2.0])
    for result, expected in (
        (np.array([1.0, 1.0]) + x, [2, 3]),
        (np.array([1.0, 1.0]) - x, [0, -1]),
        (np.array([2.0, 3.0]) * x, [2, 6]),
        (np.array([2.0, 3.0]) / x, [2, 1.5]),
        (np.array([[2.0, 3.0]]) @ x, [8]),
    ):
        assert isinstance(result, Tensor)
        assert result.data.tolist() == expected


def test_repr_shows_the_numbers():
    assert repr(Tensor([1.0, 2.5])) == "Tensor([1. , 2.5])"


# Every operation against central differences, on shapes that hypothesis chooses


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("add", lambda a, b: a + b),
        ("subtract", lambda a, b: a - b),
        ("multiply", lambda a, b: a * b),
        ("divide", lambda a, b: a / b),
    ],
)
@settings(max_examples=25, deadline=None)
@given(shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_arithmetic_broadcasts_and_its_gradient_sums_over_the_broadcast(name, function, shapes):
    a, b = shapes.input_shapes
    assert_gradients_agree(name, function, tensor(a, 1), tensor(b, 2))


@settings(max_examples=40, deadline=None)
@given(
    shapes=mutually_broadcastable_shapes(
        signature=np.matmul.signature, max_dims=2, max_side=3, min_side=1
    )
)
def test_matmul_of_vectors_matrices_and_stacks(shapes):
    a, b = shapes.input_shapes
    assert_gradients_agree("matmul", lambda x, y: x @ y, tensor(a, 1), tensor(b, 2))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("negate", lambda a: -a),
        ("square", lambda a: a**2),
        ("power", lambda a: (a * a) ** 0.7),
        ("reciprocal", lambda a: a**-1),
        ("exp", lambda a: a.exp()),
        ("log", lambda a: (a * a).log()),
        ("relu", lambda a: a.relu()),
        ("tanh", lambda a: a.tanh()),
        ("sigmoid", lambda a: a.sigmoid()),
        ("softplus", lambda a: a.softplus()),
        ("clip", lambda a: a.clip(-0.4, 0.3)),
        ("softmax", lambda a: a.softmax()),
        ("softmax of columns", lambda a: a.softmax(axis=0)),
        ("log_softmax", lambda a: a.log_softmax()),
        ("log_softmax of columns", lambda a: a.log_softmax(axis=0)),
        ("transpose", lambda a: a.T),
        ("flatten", lambda a: a.reshape(-1)),
        ("gather", lambda a: a.gather(np.array([[0, 0], [0, a.shape[0] - 1]]))),
    ],
)
@settings(max_examples=15, deadline=None)
@given(shape=SHAPES)
def test_functions_of_one_tensor(name, function, shape):
    assert_gradients_agree(name, function, tensor(shape))


@settings(max_examples=40, deadline=None)
@given(shape=SHAPES, keepdims=st.booleans(), data=st.data())
def test_sum_and_mean_over_any_axes(shape, keepdims, data):
    axes = st.integers(-len(shape), len(shape) - 1)
    axis = data.draw(st.none() | axes | st.sets(axes.filter(lambda i: i >= 0)).map(tuple))
    x = tensor(shape)
    assert_gradients_agree("sum", lambda a: a.sum(axis, keepdims), x)
    assert_gradients_agree("mean", lambda a: a.mean(axis, keepdims), x)
    np.testing.assert_allclose(
        x.mean(axis, keepdims).data, np.mean(x.data, axis=axis, keepdims=keepdims)
    )


@settings(max_examples=25, deadline=None)
@given(shape=SHAPES, widths=st.lists(st.integers(1, 3), min_size=1, max_size=3), data=st.data())
def test_concatenate_hands_each_its_piece_back(shape, widths, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    parts = []
    for i, width in enumerate(widths):
        each = list(shape)
        each[axis] = width
        parts.append(tensor(tuple(each), i))
    assert_gradients_agree("concatenate", lambda *p: concatenate(p, axis), *parts)


@settings(max_examples=25, deadline=None)
@given(shape=SHAPES, data=st.data())
def test_a_gradient_has_the_shape_of_its_tensor(shape, data):
    other = data.draw(broadcastable_shapes(shape, max_dims=3, max_side=4))
    a, b = tensor(shape), tensor(other)
    (a * b).sum().backward()
    assert a.grad.shape == shape
    assert b.grad.shape == other


# Numbers that overflow if one is careless


def test_sigmoid_softplus_and_softmax_survive_large_numbers():
    x = Tensor([-1000.0, 0.0, 1000.0])
    assert x.sigmoid().data.tolist() == [0.0, 0.5, 1.0]
    np.testing.assert_allclose(x.softplus().data, [0.0, math.log(2), 1000.0])
    assert x.softmax().data.tolist() == [0.0, 0.0, 1.0]
    assert x.log_softmax().data.tolist() == [-2000.0, -1000.0, 0.0]
    for function in (Tensor.sigmoid, Tensor.softplus, Tensor.softmax, Tensor.log_softmax):
        x.grad = None
        function(x).sum().backward()
        assert np.isfinite(x.grad).all()


def test_softmax_of_the_reference_and_its_shift_invariance():
    x = np.array([0.0218, -2.4881, -1.7506, 2.0704, 1.2503])
    expected = [0.0805, 0.0065, 0.0137, 0.6244, 0.2749]  # x as published has four decimals
    np.testing.assert_allclose(Tensor(x).softmax().data, expected, atol=1e-4)
    np.testing.assert_allclose(Tensor(x + 500).softmax().data, expected, atol=1e-4)


@given(x=st.floats(-700, 700))
def test_the_sigmoids_slope_is_never_above_a_quarter(x):
    z = Tensor(x)
    z.sigmoid().backward()
    assert 0 <= z.grad <= 0.25


# Gathered rows


def test_dot_products_of_the_reference():
    user = Tensor([0.9, 0.8, -0.6])
    items = Tensor([[0.98, 0.9, -0.9], [-0.99, -0.3, 0.8]])
    # .882 + .72 + .54; -.891 - .24 - .48
    np.testing.assert_allclose((items @ user).data, [2.142, -1.611])


def test_gather_is_the_product_with_one_hot_rows():
    table, same = tensor((5, 3)), tensor((5, 3))
    rows = np.array([4, 0, 4, 2])
    one_hot = np.eye(5)[rows]
    weights = draw(np.random.default_rng(3), (4, 3))
    looked_up, multiplied = table.gather(rows), one_hot @ same
    np.testing.assert_array_equal(looked_up.data, multiplied.data)
    (looked_up * weights).sum().backward()
    (multiplied * weights).sum().backward()
    np.testing.assert_allclose(np.asarray(table.grad), same.grad)


def test_repeated_rows_accumulate_and_others_cost_nothing():
    table = Tensor(np.zeros((1000, 2)))
    table.gather(np.array([7, 3, 7])).sum().backward()
    assert isinstance(table.grad, RowGradient)
    once = table.grad.coalesce()
    assert once.rows.tolist() == [3, 7]
    assert once.values.tolist() == [[1, 1], [2, 2]]


def test_two_gathers_of_one_table_add_up_sparsely():
    table = Tensor(np.zeros((4, 1)))
    (table.gather(np.array([0, 1])).sum() + table.gather(np.array([1, 3])).sum() * 10).backward()
    assert isinstance(table.grad, RowGradient)
    assert np.asarray(table.grad).ravel().tolist() == [1, 11, 0, 10]


def test_a_gather_and_a_dense_use_add_up_densely():
    table = Tensor(np.ones((3, 1)))
    (table.gather(np.array([2])).sum() + (table * 5).sum()).backward()
    assert table.grad.ravel().tolist() == [5, 5, 6]


def test_gather_from_something_computed_flows_on():
    table = Tensor(np.ones((3, 1)))
    (table * 2).gather(np.array([0, 0, 2])).sum().backward()
    assert table.grad.ravel().tolist() == [4, 0, 2]


def test_gather_of_no_rows_gives_no_gradient():
    table = Tensor(np.ones((3, 2)))
    table.gather(np.array([], dtype=np.int32)).sum().backward()
    assert np.asarray(table.grad).tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("rows", [[-1], [0, 3]])
def test_gather_refuses_rows_outside_the_table(rows):
    with pytest.raises(IndexError, match="allowed: 0 to 2"):
        Tensor(np.ones((3, 2))).gather(np.array(rows))


@given(
    rows=st.lists(st.integers(0, 5), max_size=12),
    more=st.lists(st.integers(0, 5), max_size=12),
    tail=st.sampled_from([(), (2,), (2, 2)]),
)
def test_a_row_gradient_written_out_is_the_scatter_add(rows, more, tail):
    rng = np.random.default_rng(len(rows))
    expected = np.zeros((6, *tail))
    parts = []
    for chosen in (rows, more):
        values = rng.normal(size=(len(chosen), *tail))
        np.add.at(expected, np.array(chosen, dtype=int), values)
        parts.append(RowGradient(np.array(chosen, dtype=int), values, expected.shape))
    np.testing.assert_allclose(np.asarray(parts[0] + parts[1]), expected, atol=1e-12)
    np.testing.assert_allclose((parts[0] + parts[1]).coalesce().dense(), expected, atol=1e-12)


def test_a_row_gradient_cannot_pretend_to_be_an_array_already():
    with pytest.raises(ValueError, match="written out"):
        np.array(RowGradient(np.array([0]), np.ones((1, 2)), (3, 2)), copy=False)
