import inspect
from pathlib import Path

import numpy as np
import pytest

import recsys.nn
from recsys.errors import UsageError
from recsys.nn import layers, losses
from recsys.nn.gradcheck import (
    LOSSES,
    OPERATIONS,
    check_all,
    check_gradients,
    check_tensors,
    draw,
    numeric_gradient,
)
from recsys.nn.tensor import Tensor, operation

CHECKS = check_all()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_gradient_is_right(check):
    assert check.relative_error < 1e-6, check


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_checks_do_not_hang_on_the_seed(seed):
    assert max(check.relative_error for check in check_all(seed=seed)) < 1e-6


def test_every_loss_is_checked():
    public = {
        name
        for name, function in inspect.getmembers(losses, inspect.isfunction)
        if function.__module__ == losses.__name__ and not name.startswith("_")
    }
    assert public <= LOSSES.keys()


def test_every_layer_is_checked():
    public = {
        name
        for name, layer in inspect.getmembers(layers, inspect.isclass)
        if layer.__module__ == layers.__name__ and name not in ("Module", "Activation")
    }
    assert public <= {check.name.split()[0] for check in CHECKS}


def test_every_operation_is_checked():
    methods = {
        name
        for name, method in inspect.getmembers(Tensor, inspect.isfunction)
        if not name.startswith("_") and name not in ("backward", "item")
    }
    assert (
        methods | {"add", "multiply", "divide", "power", "matmul", "concatenate"}
        <= OPERATIONS.keys()
    )


def test_a_wrong_rule_is_caught_with_its_worst_entry():
    x = Tensor(np.array([1.0, 2.0, 3.0]))

    def wrong_square(x):
        return operation(x.data**2, (x,), lambda grad: (grad * 2 * x.data + [0, 0, 0.5],))

    (check,) = check_tensors("wrong square", lambda: wrong_square(x).sum(), {"x": x})
    # analytic (2, 4, 6.5), numeric (2, 4, 6): .5 / (sqrt(62.25) + sqrt(56))
    assert check.name == "wrong square x"
    assert check.entry == (2,)
    assert check.analytic == 6.5
    assert check.numeric == pytest.approx(6.0)
    assert check.relative_error == pytest.approx(0.5 / (62.25**0.5 + 56**0.5), rel=1e-6)


def test_a_halved_loss_with_the_gradient_of_the_whole_is_caught():
    w = np.array([1.5, -0.5])
    (check,) = check_gradients("halved", lambda: float((w**2).sum() / 2), {"w": w}, {"w": 2 * w})
    assert check.relative_error == pytest.approx(1 / 3)  # |2w - w| / (|2w| + |w|)


def test_models_bring_their_own_checks():
    def model(rng):
        w = draw(rng, (3,))
        return check_gradients("my model", lambda: float(np.sum(w**3)), {"w": w}, {"w": 3 * w**2})

    assert check_all([model])[-1].name == "my model w"
    assert check_all([model])[-1].relative_error < 1e-6


def test_the_numeric_gradient_puts_the_array_back_bit_for_bit():
    x = draw(np.random.default_rng(0), (4, 3))
    before = x.tobytes()
    np.testing.assert_allclose(numeric_gradient(lambda: float((x**3).sum()), x), 3 * x**2)
    assert x.tobytes() == before


def test_a_gradient_that_is_zero_throughout_agrees():
    x = Tensor(np.array([-1.0, -2.0]))
    (check,) = check_tensors("dead", lambda: x.relu().sum(), {"x": x})
    assert check.relative_error == 0.0


def test_a_parameter_that_the_loss_does_not_read_has_gradient_zero():
    used, unused = Tensor(1.5), Tensor(2.0)
    checks = check_tensors("half", lambda: used * used, {"used": used, "unused": unused})
    assert checks[0].relative_error < 1e-6
    assert (checks[1].relative_error, checks[1].entry, checks[1].analytic) == (0.0, (), 0.0)


def test_a_gradient_that_is_no_number_does_not_pass():
    w = np.array([1.0, 2.0])
    (check,) = check_gradients("nan", lambda: float(w.sum()), {"w": w}, {"w": w * np.nan})
    assert check.relative_error == np.inf


def test_float32_is_refused():
    x = Tensor(np.ones(2, np.float32))
    with pytest.raises(UsageError, match="float64"):
        check_tensors("single", lambda: x.sum(), {"x": x})


def test_drawn_parameters_keep_away_from_zero():
    drawn = draw(np.random.default_rng(0), (1000,))
    assert 0.5 <= np.abs(drawn).min() <= np.abs(drawn).max() <= 1.5
    assert 400 < (drawn > 0).sum() < 600


def test_the_engine_can_be_read_in_an_evening():
    sources = {
        path.name: path.read_text().count("\n") for path in Path(recsys.nn.__path__[0]).glob("*.py")
    }
    assert sum(sources.values()) < 2000
    core = ("tensor.py", "layers.py", "losses.py", "sgd.py", "optimizer.py")
    assert sum(sources[name] for name in core) < 800
