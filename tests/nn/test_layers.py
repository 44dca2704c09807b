import numpy as np
import pytest
from sklearn.datasets import make_moons

from recsys.errors import UsageError
from recsys.nn.initialisers import he, lecun, normal, xavier
from recsys.nn.layers import (
    Dropout,
    Embedding,
    Linear,
    Module,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
    mlp,
)
from recsys.nn.losses import l2, softmax_cross_entropy
from recsys.nn.report import report_activations
from recsys.nn.sgd import SGD
from recsys.nn.standardise import Standardise
from recsys.nn.tensor import Tensor


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_linear_is_the_product_plus_the_bias(rng):
    layer = Linear(2, 2, rng=rng)
    layer.weight.data[...] = [[1, 2], [3, 4]]
    layer.bias.data[...] = [10, 20]
    assert layer([[1.0, 1.0]]).data.tolist() == [[14, 26]]


def test_embedding_looks_rows_up_in_any_arrangement(rng):
    layer = Embedding(5, 3, rng=rng)
    out = layer(np.array([[1, 1], [4, 0]]))
    assert out.shape == (2, 2, 3)
    np.testing.assert_array_equal(out.data[0, 1], layer.weight.data[1])


def test_parameters_go_by_dotted_names_and_lists_by_position(rng):
    class Tower(Module):
        def __init__(self):
            self.users = Embedding(3, 2, rng=rng)
            self.head = Sequential(Linear(2, 2, rng=rng), ReLU())

    assert list(Tower().parameters()) == [
        "users.weight",
        "head.layers.0.weight",
        "head.layers.0.bias",
    ]


def test_micrograds_mlp_has_337_parameters(rng):
    assert mlp(2, [16, 16], 1, rng=rng).n_parameters == 337  # 2*16+16 + 16*16+16 + 16+1


@pytest.mark.parametrize("hidden", [[], [4], [4, 3], [5, 5, 5, 5]])
def test_mlp_takes_any_number_of_hidden_layers(rng, hidden):
    model = mlp(3, hidden, 2, rng=rng, dropout=0.1)
    assert model(np.ones((7, 3))).shape == (7, 2)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Linear", "ReLU", "Dropout"] * len(hidden) + ["Linear"]


def test_an_mlp_of_337_parameters_separates_100_moons(rng):
    x, labels = make_moons(100, noise=0.1, random_state=1337)
    model = mlp(2, [16, 16], 1, rng=rng)
    optimizer = SGD(model.parameters(), lr=1.0)
    signs = 2.0 * labels - 1
    for step in range(300):
        optimizer.lr = 1.0 - 0.9 * step / 300
        optimizer.zero_grad()
        margin = (1 - model(x).reshape(-1) * signs).relu().mean()  # micrograd's max-margin loss
        (margin + l2(model.parameters().values(), 1e-4)).backward()
        optimizer.step()
    assert ((model(x).data.ravel() > 0) == (labels == 1)).all()


def test_float32_layers_compute_in_float32(rng):
    model = mlp(3, [4], 2, rng=rng, dropout=0.5, dtype=np.float32)
    out = model(np.ones((5, 3)))
    assert out.dtype == np.float32
    assert Embedding(3, 2, rng=rng, dtype=np.float32)(np.array([0])).dtype == np.float32


def test_the_same_seed_draws_the_same_weights_in_both_types():
    double = Linear(3, 2, rng=np.random.default_rng(1))
    single = Linear(3, 2, rng=np.random.default_rng(1), dtype=np.float32)
    np.testing.assert_array_equal(double.weight.data.astype(np.float32), single.weight.data)


# Initialisations


@pytest.mark.parametrize(
    ("init", "std"),
    [
        (normal, 0.01),
        (xavier, np.sqrt(2 / (400 + 100))),
        (he, np.sqrt(2 / 400)),
        (lecun, 1 / 20),  # 1 / sqrt(400)
    ],
)
def test_an_initialisation_has_the_deviation_of_its_name(rng, init, std):
    weight = init(rng, (400, 100))
    assert weight.std() == pytest.approx(std, rel=0.02)
    assert abs(weight.mean()) < 4 * std / np.sqrt(40_000)


def test_near_zero_weights_predict_the_middle_of_the_range(rng):
    users, items = Embedding(50, 40, rng=rng), Embedding(60, 40, rng=rng)
    rows = rng.integers(0, 50, 200)
    z = (users(rows) * items(rows)).sum(axis=1)
    np.testing.assert_allclose(Sigmoid(0, 5.5)(z).data, 2.75, atol=0.01)


# Activations


@pytest.mark.parametrize(("z", "stars"), [(0.0, 2.75), (2.303, 5.0), (0.583, 3.53)])
def test_the_sigmoid_range_of_the_reference(z, stars):
    # 5.5 s(2.303) = 5.5 * .90911; 5.5 s(.583) = 5.5 * .64176
    assert Sigmoid(0, 5.5)(Tensor(z)).item() == pytest.approx(stars, abs=5e-4)


@pytest.mark.parametrize("bounds", [(1.0, 1.0), (5.0, 0.0), (0.0, float("nan"))])
def test_an_empty_range_is_refused(bounds):
    with pytest.raises(UsageError, match="low below high"):
        Sigmoid(*bounds)


@pytest.mark.parametrize("activation", [ReLU(), Tanh(), Sigmoid(), Sigmoid(-2, 3)])
def test_slope_is_the_derivative_and_max_slope_bounds_it(activation):
    x = Tensor(np.linspace(-4, 4, 80))
    y = activation(x)
    y.sum().backward()
    np.testing.assert_allclose(activation.slope(y.data), x.grad, atol=1e-12)
    assert activation.slope(y.data).max() <= activation.max_slope
    assert activation.slope(y.data).max() > 0.95 * activation.max_slope


# Dropout


def test_dropout_zeroes_its_share_and_keeps_the_mean(rng):
    out = Dropout(0.25, rng=rng)(Tensor(np.ones(100_000))).data
    assert (out == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert out.mean() == pytest.approx(1.0, abs=0.01)
    assert set(np.unique(out)) == {0.0, 1 / 0.75}


def test_dropout_does_nothing_in_use(rng):
    model = Sequential(Linear(3, 4, rng=rng), Dropout(0.9, rng=rng))
    x = np.ones((2, 3))
    model.train(False)
    np.testing.assert_array_equal(model(x).data, model.layers[0](x).data)
    model.train()
    assert (model(x).data == 0).any()


def test_dropout_passes_the_gradient_of_what_it_kept(rng):
    x = Tensor(np.ones(1000))
    y = Dropout(0.5, rng=rng)(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_dropout_rate_that_leaves_nothing_is_refused(rng, rate):
    with pytest.raises(UsageError, match="rate"):
        Dropout(rate, rng=rng)


# State


def test_state_is_a_copy_and_comes_back_in_place(rng):
    model = mlp(2, [3], 1, rng=rng)
    weight = model.layers[0].weight
    before, array = model.state(), weight.data
    array += 1
    model.load_state(before)
    assert weight.data is array
    np.testing.assert_array_equal(array, before["layers.0.weight"])
    assert before["layers.0.weight"] is not array


def test_a_state_of_another_model_is_refused(rng):
    with pytest.raises(UsageError, match=r"\(2, 3\)"):
        mlp(2, [4], 1, rng=rng).load_state(mlp(2, [3], 1, rng=rng).state())
    with pytest.raises(UsageError, match=r"layers\.2"):
        mlp(2, [], 1, rng=rng).load_state(mlp(2, [3], 1, rng=rng).state())


# What can go wrong, in numbers


def test_the_report_counts_saturated_entries_and_dead_units(rng):
    linear = Linear(1, 3, rng=rng)
    linear.weight.data[...] = [[1.0, 0.0, 0.0]]
    linear.bias.data[...] = [0.0, -1.0, 1.0]
    x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    (relu,) = report_activations(Sequential(linear, ReLU()), x)
    # Unit 0 lives in two of four rows, unit 1 in none, unit 2 in all: 6 of 12 slopes are 0.
    assert (relu.layer, relu.n_units, relu.dead_units) == ("1 ReLU", 3, 1)
    assert relu.saturated == pytest.approx(6 / 12)
    linear.weight.data[...] = [[10.0, 0.0, 0.0]]
    (tanh,) = report_activations(Sequential(linear, Tanh()), x)
    # Unit 0 sees +-10 and +-20; tanh'(1) = .42 is far from .05.
    assert (tanh.saturated, tanh.dead_units) == (pytest.approx(4 / 12), 0)


def test_the_report_shows_products_that_explode(rng):
    def deviations(init):
        model = mlp(50, [50] * 10, 1, rng=np.random.default_rng(0), init=init)
        return [r.input_std for r in report_activations(model, rng.normal(size=(200, 50)))]

    wild = deviations(lambda rng, shape: normal(rng, shape, 1.0))
    tame = deviations(he)
    assert wild[-1] / wild[0] > 1e5
    assert 0.2 < tame[-1] / tame[0] < 5


def test_the_report_leaves_no_gradient_behind(rng):
    model = mlp(2, [3], 2, rng=rng)
    report_activations(model, np.ones((4, 2)))
    loss = softmax_cross_entropy(model(np.ones((4, 2))), np.zeros(4, dtype=int))
    loss.backward()
    assert all(p.grad is not None for p in model.parameters().values())


# Standardisation


def test_standardised_columns_have_mean_0_and_deviation_1(rng):
    x = rng.normal([5, -3], [10, 0.1], (500, 2))
    out = Standardise(x)(x)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(out.std(axis=0), 1)


def test_new_inputs_are_put_on_the_training_inputs_scale():
    assert Standardise(np.array([[0.0], [2.0]]))(np.array([[5.0]])).tolist() == [[4.0]]


def test_a_column_that_never_changes_is_only_centred():
    assert Standardise(np.array([[7.0], [7.0]]))(np.array([[7.0], [8.0]])).tolist() == [
        [0.0],
        [1.0],
    ]


def test_standardising_the_29_x_values_takes_the_condition_number_to_one():
    text = "14 86 28 51 28 29 72 62 84 15 42 62 47 35 9 38 44 99 13 21 28 20 8 64 99 70 27 17 8"
    x = np.array(text.split(), dtype=float)

    def hessian(x):
        a = np.column_stack([np.ones(29), x])
        return 2 * a.T @ a / 29  # of the mean squared error

    raw = np.linalg.eigvalsh(hessian(x))
    assert raw[1] / raw[0] == pytest.approx(8490, abs=5)
    assert 2 / raw[1] == pytest.approx(3.97e-4, abs=5e-7)  # the largest stable rate
    assert np.linalg.cond(hessian(Standardise(x)(x))) == pytest.approx(1.0)
