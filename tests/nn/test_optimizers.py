"""Each optimizer against its paper's formula, written out on plain numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import UsageError
from recsys.nn.adam import Adam, AdamW, LazyAdam, SpreadsheetAdam
from recsys.nn.adaptive import Adadelta, Adagrad, RMSProp, SpreadsheetRMSProp
from recsys.nn.losses import l2, squared_error
from recsys.nn.momentum import DampedMomentum, Nesterov
from recsys.nn.optimizers import OPTIMIZERS, make_optimizer
from recsys.nn.schedules import Annealing
from recsys.nn.sgd import SGD, HeavyBall
from recsys.nn.tensor import Tensor

# Gradients of five steps; the second entry meets a zero and a change of sign.
GRADIENTS = [(0.5, -1.0), (-0.25, 0.0), (1.5, 2.0), (0.75, -0.125), (-2.0, 0.5)]


def five_steps(optimizer_class, **options):
    """Return the parameter after each of the five steps from (1, -2)."""
    w = Tensor(np.array([1.0, -2.0]))
    optimizer = optimizer_class({"w": w}, **options)
    trajectory = []
    for gradient in GRADIENTS:
        w.grad = np.array(gradient)
        optimizer.step()
        trajectory.append(w.data.copy())
    return np.array(trajectory)


def written_out(rule):
    """Return the same for ``rule(w, g, t, memory)``, one entry at a time; memory starts at 0."""
    columns = []
    for entry, w in enumerate((1.0, -2.0)):
        memory, column = dict.fromkeys("msuvx", 0.0), []
        for t, gradient in enumerate(GRADIENTS, start=1):
            w = rule(w, gradient[entry], t, memory)
            column.append(w)
        columns.append(column)
    return np.array(columns).T


def sgd(w, g, t, memory):
    return w - 0.1 * g


def heavy_ball(w, g, t, memory):
    memory["v"] = 0.9 * memory["v"] + g
    return w - 0.1 * memory["v"]


def damped(w, g, t, memory):
    memory["s"] = 0.9 * memory["s"] + 0.1 * g
    return w - 0.1 * memory["s"]


def nesterov(w, g, t, memory):
    memory["v"] = 0.9 * memory["v"] + g
    return w - 0.1 * (g + 0.9 * memory["v"])


def adagrad(w, g, t, memory):
    memory["s"] += g**2
    return w - 0.1 * g / (math.sqrt(memory["s"]) + 1e-8)


def adadelta(w, g, t, memory):
    memory["v"] = 0.9 * memory["v"] + 0.1 * g**2
    change = math.sqrt(memory["u"] + 1e-6) / math.sqrt(memory["v"] + 1e-6) * g
    memory["u"] = 0.9 * memory["u"] + 0.1 * change**2
    return w - 0.1 * change


def rmsprop(w, g, t, memory):
    memory["v"] = 0.9 * memory["v"] + 0.1 * g**2
    return w - 0.1 * g / (math.sqrt(memory["v"]) + 1e-8)


def adam(w, g, t, memory):
    memory["m"] = 0.9 * memory["m"] + 0.1 * g
    memory["v"] = 0.999 * memory["v"] + 0.001 * g**2
    m_hat, v_hat = memory["m"] / (1 - 0.9**t), memory["v"] / (1 - 0.999**t)
    return w - 0.1 * m_hat / (math.sqrt(v_hat) + 1e-8)


def amsgrad(w, g, t, memory):
    memory["m"] = 0.9 * memory["m"] + 0.1 * g
    memory["v"] = 0.999 * memory["v"] + 0.001 * g**2
    memory["x"] = max(memory["x"], memory["v"])
    m_hat, x_hat = memory["m"] / (1 - 0.9**t), memory["x"] / (1 - 0.999**t)
    return w - 0.1 * m_hat / (math.sqrt(x_hat) + 1e-8)


def adamax(w, g, t, memory):
    memory["m"] = 0.9 * memory["m"] + 0.1 * g
    memory["u"] = max(0.999 * memory["u"], abs(g) + 1e-8)
    return w - 0.1 / (1 - 0.9**t) * memory["m"] / memory["u"]


def nadam(w, g, t, memory):
    memory["m"] = 0.9 * memory["m"] + 0.1 * g
    memory["v"] = 0.999 * memory["v"] + 0.001 * g**2
    m_hat, v_hat = memory["m"] / (1 - 0.9**t), memory["v"] / (1 - 0.999**t)
    return w - 0.1 / (math.sqrt(v_hat) + 1e-8) * (0.9 * m_hat + 0.1 * g / (1 - 0.9**t))


def adamw(w, g, t, memory):
    return adam(w, g, t, memory) - 0.1 * 0.01 * w


def spreadsheet_rmsprop(w, g, t, memory):
    v = memory["v"] if t > 1 else 1.0
    memory["v"] = 0.9 * v + 0.1 * g**2
    return w - 0.1 * g / math.sqrt(v)


def spreadsheet_adam(w, g, t, memory):
    memory["m"] = 0.9 * memory["m"] + 0.1 * g
    memory["v"] = 0.9 * memory["v"] + 0.1 * g**2
    return w - 0.1 * memory["m"] / math.sqrt(memory["v"])


RULES = {
    "sgd": sgd,
    "momentum": heavy_ball,
    "damped-momentum": damped,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "rmsprop": rmsprop,
    "adam": adam,
    "lazy-adam": adam,
    "amsgrad": amsgrad,
    "adamax": adamax,
    "nadam": nadam,
    "adamw": adamw,
    "spreadsheet-rmsprop": spreadsheet_rmsprop,
    "spreadsheet-adam": spreadsheet_adam,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_five_steps_are_those_of_the_formula_written_out(name):
    np.testing.assert_allclose(
        five_steps(OPTIMIZERS[name], lr=0.1), written_out(RULES[name]), rtol=1e-12
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_l2_enters_through_the_gradient(name):
    def rule(w, g, t, memory):
        return RULES[name](w, g + 0.3 * w, t, memory)

    np.testing.assert_allclose(
        five_steps(OPTIMIZERS[name], lr=0.1, l2=0.3), written_out(rule), rtol=1e-12
    )


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "adamw"])
def test_weight_decay_passes_the_scaling_by(name):
    def rule(w, g, t, memory):
        return RULES[name](w, g, t, memory) - 0.1 * 0.3 * w

    np.testing.assert_allclose(
        five_steps(OPTIMIZERS[name], lr=0.1, weight_decay=0.3), written_out(rule), rtol=1e-12
    )


# PyTorch's documented rules, two steps by hand: w = 1, g = .5 then -.25, lr .1


def by_hand(optimizer_class, **options):
    w = Tensor(np.array([1.0]))
    optimizer = optimizer_class({"w": w}, lr=0.1, **options)
    seen = []
    for g in (0.5, -0.25):
        w.grad = np.array([g])
        optimizer.step()
        seen.append(w.data.item())
    return seen


def test_heavy_ball_with_weight_decay_as_pytorchs_sgd():
    # g1 = .5 + .1*1 = .6        b1 = .6                    w1 = 1 - .06 = .94
    # g2 = -.25 + .1*.94 = -.156 b2 = .9*.6 - .156 = .384   w2 = .94 - .0384 = .9016
    assert by_hand(HeavyBall, momentum=0.9, l2=0.1) == pytest.approx([0.94, 0.9016])


def test_nesterov_as_pytorchs_sgd():
    # b1 = .5             step .5 + .9*.5 = .95    w1 = 1 - .095 = .905
    # b2 = .45 - .25 = .2 step -.25 + .9*.2 = -.07 w2 = .905 + .007 = .912
    assert by_hand(Nesterov, momentum=0.9) == pytest.approx([0.905, 0.912])


def test_adam_as_pytorchs():
    # m1 = .05, m^ = .5; v1 = .00025, v^ = .25; step .5/.5 = 1; w1 = .9
    # m2 = .045 - .025 = .02, m^ = .02/.19 = .10526; v2 = .00024975 + .0000625 = .00031225,
    # v^ = .00031225/.001999 = .156203, root .395225; w2 = .9 - .1*.266337 = .873366
    assert by_hand(Adam) == pytest.approx([0.9, 0.873366], abs=1e-6)


def test_adamw_as_pytorchs():
    # decay first: 1 - .1*.01*1 = .999, less .1: .899
    # .899 (1 - .001) = .898101, less .0266337: .871467
    assert by_hand(AdamW) == pytest.approx([0.899, 0.871467], abs=1e-6)


def test_adam_with_l2_is_not_adamw():
    # g1 = .5 + .01: m^/root v^ = 1 all the same; the decay is lost in the scaling
    assert by_hand(Adam, l2=0.01)[0] == pytest.approx(0.9)


# L2 and weight decay


def test_for_plain_sgd_l2_in_the_loss_is_weight_decay_of_twice_the_strength():
    in_loss, in_gradient, decayed = (Tensor(np.array([1.0, -2.0])) for _ in range(3))
    for w, optimizer, penalised in (
        (in_loss, SGD({"w": in_loss}, 0.1), True),
        (in_gradient, SGD({"w": in_gradient}, 0.1, l2=0.6), False),
        (decayed, SGD({"w": decayed}, 0.1, weight_decay=0.6), False),
    ):
        for _ in range(3):
            optimizer.zero_grad()
            loss = squared_error(w, [3.0, 3.0])
            (loss + l2([w], 0.3) if penalised else loss).backward()
            optimizer.step()
    np.testing.assert_allclose(in_loss.data, decayed.data)
    np.testing.assert_allclose(in_gradient.data, decayed.data)


# The spreadsheet: y = 2x + 30, one row at a time, b = intercept, a = slope

X = [14, 86, 28, 51, 28, 29, 72, 62, 84, 15, 42, 62, 47, 35, 9, 38, 44, 99, 13, 21, 28, 20, 8, 64,
     99, 70, 27, 17, 8]  # fmt: skip


def one_pass(optimizer, b, a, n_passes=1):
    for _ in range(n_passes):
        for x in X:
            optimizer.zero_grad()
            squared_error(b + a * float(x), 2.0 * x + 30).backward()
            optimizer.step()
    return b.item(), a.item()


def line(b, a):
    b, a = Tensor(b), Tensor(a)
    return b, a, {"b": b, "a": a}


def start(optimizer, **slots):
    """Write the spreadsheet's running values for (b, a) into the optimizer."""
    state = optimizer.state()
    for slot, (b, a) in slots.items():
        state[f"b/{slot}"], state[f"a/{slot}"] = np.array(b), np.array(a)
    optimizer.load_state(state)
    return optimizer


@pytest.mark.parametrize(("n_passes", "expected"), [(1, (1.0715, 2.6131)), (5, (1.2982, 2.6083))])
def test_the_spreadsheets_sgd(n_passes, expected):
    b, a, both = line(1.0, 1.0)
    assert one_pass(SGD(both, 1e-4), b, a, n_passes) == pytest.approx(expected, abs=5e-5)


def test_the_spreadsheets_momentum():
    b, a, both = line(1.0, 1.0)
    optimizer = start(DampedMomentum(both, 1e-4, momentum=0.9), velocity=(-18.334, 98.246))
    assert one_pass(optimizer, b, a) == pytest.approx((1.0651, 2.1213), abs=5e-5)


def test_the_spreadsheets_rmsprop():
    b, a, both = line(3.1891, 2.4036)
    optimizer = start(SpreadsheetRMSProp(both, 0.02), squares=(1134.4, 1.6799e6))
    assert one_pass(optimizer, b, a) == pytest.approx((3.5259, 2.4061), abs=2e-4)


def test_the_spreadsheets_adam():
    b, a, both = line(29.713, 1.9456)
    optimizer = start(SpreadsheetAdam(both), mean=(1.8871, 167.37), squares=(40.893, 2.7576e5))
    # The slope's start is published to four decimals only.
    assert one_pass(optimizer, b, a) == pytest.approx((29.994, 2.086), abs=1e-3)


def test_the_spreadsheets_adam_with_annealing_finds_the_line():
    b, a, both = line(1.0, 1.0)
    schedule = Annealing(1.0)
    optimizer = SpreadsheetAdam(both, 1.0, beta2=0.95)
    x = np.array(X, dtype=float)
    for _ in range(300):
        optimizer.lr = schedule.base_lr
        one_pass(optimizer, b, a)
        optimizer.zero_grad()
        squared_error(b + a * x, 2 * x + 30).backward()
        schedule = schedule.observe(math.hypot(float(b.grad), float(a.grad)))
    assert schedule.base_lr < 1.0
    assert (b.item(), a.item()) == pytest.approx((30, 2), abs=0.05)


def test_linear_regression_of_the_reference():
    rng = np.random.default_rng(42)
    x = np.column_stack([rng.uniform(-1, 1, 100), np.ones(100)])
    y = x @ [3.0, 2.0] + rng.normal(0, 0.25, 100)
    w = Tensor([-1.0, 1.0])
    optimizer = SGD({"w": w}, 0.1)
    for _ in range(100):
        optimizer.zero_grad()
        loss = squared_error(x @ w, y)
        loss.backward()
        optimizer.step()
    # To the noise: .25^2 = .0625, less two fitted parameters, give or take 3 of its errors
    assert loss.item() == pytest.approx(0.0625, abs=3 * 0.0625 * math.sqrt(2 / 100))
    np.testing.assert_allclose(w.data, [3, 2], atol=0.15)


# Sparse rows


def table_run(optimizer_class, sparse, batches, lr=0.1, schedule=None, tail=(2,), **options):
    """Return a table of 7 rows after steps that gather the batches' rows."""
    rng = np.random.default_rng(5)
    table, target = Tensor(rng.normal(size=(7, *tail))), rng.normal(size=(7, *tail))
    optimizer = optimizer_class({"table": table}, lr, **options)
    for i, rows in enumerate(batches):
        if schedule:
            optimizer.lr, optimizer.momentum = schedule[i]
        optimizer.zero_grad()
        squared_error(table.gather(rows), target[rows]).backward()
        if not sparse:
            table.grad = np.asarray(table.grad)
        optimizer.step()
    return table, optimizer


BATCHES = st.lists(
    st.lists(st.integers(0, 6), min_size=1, max_size=5).map(np.array), min_size=1, max_size=12
)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "lazy-adam"])
@settings(max_examples=15, deadline=None)
@given(batches=BATCHES, tail=st.sampled_from([(), (3,), (2, 2)]))
def test_sparse_rows_give_the_dense_result(name, batches, tail):
    dense, _ = table_run(OPTIMIZERS[name], False, batches, tail=tail)
    sparse, _ = table_run(OPTIMIZERS[name], True, batches, tail=tail)
    np.testing.assert_allclose(sparse.data, dense.data, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("optimizer_class", [HeavyBall, DampedMomentum, Nesterov])
@settings(max_examples=25, deadline=None)
@given(
    batches=BATCHES,
    schedule=st.lists(st.tuples(st.floats(0, 0.2), st.floats(0, 0.99)), min_size=12, max_size=12),
)
def test_a_glide_follows_any_schedule_of_rate_and_momentum(optimizer_class, batches, schedule):
    dense, one = table_run(optimizer_class, False, batches, schedule=schedule)
    sparse, other = table_run(optimizer_class, True, batches, schedule=schedule)
    np.testing.assert_allclose(sparse.data, dense.data, rtol=1e-10, atol=1e-12)
    for slot, array in one.state().items():
        np.testing.assert_allclose(other.state()[slot], array, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99, 0.999])
def test_a_long_glide_loses_no_digits(momentum):
    # Row 6 is left alone for 2,500 steps, through two restarts of the log.
    batches = [np.array([6, 0])] + [np.array([0, 1])] * 2500 + [np.array([6])]
    dense, _ = table_run(HeavyBall, False, batches, lr=1e-3, momentum=momentum)
    sparse, _ = table_run(HeavyBall, True, batches, lr=1e-3, momentum=momentum)
    np.testing.assert_allclose(sparse.data, dense.data, rtol=1e-11)


def test_sparse_rows_cost_what_they_touch():
    table = Tensor(np.zeros((100_000, 4)))
    optimizer = HeavyBall({"table": table}, 0.1)
    table.gather(np.array([3, 5])).sum().backward()
    optimizer.step()
    moved = np.flatnonzero(table._data.any(axis=1))  # past the property, which would catch up
    assert moved.tolist() == [3, 5]
    optimizer.zero_grad()
    table.gather(np.array([9])).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(table._data[3], -0.1)  # still owes its glide
    np.testing.assert_allclose(table.data[3], -0.1 - 0.09)


def test_l2_and_weight_decay_reach_the_rows_that_no_batch_touched():
    for options in ({"l2": 0.3}, {"weight_decay": 0.3}):
        dense, _ = table_run(HeavyBall, False, [np.array([1])] * 3, **options)
        sparse, _ = table_run(HeavyBall, True, [np.array([1])] * 3, **options)
        np.testing.assert_array_equal(sparse.data, dense.data)
        assert not np.array_equal(sparse.data[0], table_run(HeavyBall, True, [])[0].data[0])


def test_dense_and_sparse_steps_may_alternate():
    def run(sparse):
        rng = np.random.default_rng(0)
        table = Tensor(rng.normal(size=(4, 2)))
        optimizer = HeavyBall({"table": table}, 0.1)
        for i in range(9):
            optimizer.zero_grad()
            loss = (table.gather(np.array([i % 4, 0])) ** 2).sum()
            (loss + (table**2).sum() if i % 3 == 2 else loss).backward()
            if not sparse:
                table.grad = np.asarray(table.grad)
            optimizer.step()
        return table.data

    np.testing.assert_allclose(run(True), run(False))


def test_lazy_adam_leaves_untouched_rows_and_their_averages_alone():
    batches = [np.array([0, 1]), np.array([1]), np.array([0, 0, 1])]
    lazy, optimizer = table_run(LazyAdam, True, batches)
    start, _ = table_run(LazyAdam, True, [])
    np.testing.assert_array_equal(lazy.data[2:], start.data[2:])
    assert not optimizer.state()["table/mean"][2:].any()
    adam, _ = table_run(Adam, True, batches)
    assert not np.allclose(lazy.data[0], adam.data[0])  # row 0 missed the second step


def test_lazy_adam_is_adam_where_every_row_is_touched():
    batches = [np.arange(7)] * 4
    np.testing.assert_allclose(
        table_run(LazyAdam, True, batches)[0].data, table_run(Adam, True, batches)[0].data
    )


# State, types, refusals


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_restored_optimizer_goes_on_with_the_same_bits(name):
    batches = [np.array([0, 1]), np.array([2]), np.array([0, 3]), np.array([1, 2])]
    table, optimizer = table_run(OPTIMIZERS[name], True, batches)
    saved, weights = optimizer.state(), table.data.copy()

    def go_on(table, optimizer):
        for rows in (np.array([3, 3]), np.array([0, 5])):
            optimizer.zero_grad()
            squared_error(table.gather(rows), np.ones((2, 2))).backward()
            optimizer.step()
        return table.data.copy()

    undisturbed = go_on(table, optimizer)
    restored = Tensor(weights.copy())
    other = OPTIMIZERS[name]({"table": restored}, 0.1)
    other.load_state(saved)
    np.testing.assert_array_equal(go_on(restored, other), undisturbed)
    # Also into the optimizer that has gone on, in whichever order.
    optimizer.load_state(saved)
    table.data[...] = weights
    np.testing.assert_array_equal(go_on(table, optimizer), undisturbed)


def test_a_state_of_other_parameters_is_refused():
    with pytest.raises(UsageError, match="v/velocity"):
        HeavyBall({"w": Tensor([1.0])}, 0.1).load_state(
            HeavyBall({"v": Tensor([1.0])}, 0.1).state()
        )


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("sparse", [False, True])
def test_float32_parameters_stay_float32_and_move_in_place(name, sparse):
    array = np.ones((3, 2), np.float32)
    w = Tensor(array)
    optimizer = make_optimizer(name, {"w": w}, np.float64(0.1))
    for rows in ([0, 1], [1, 2]):
        optimizer.zero_grad()
        (w.gather(np.array(rows)) if sparse else w * 2).sum().backward()
        optimizer.step()
    assert w.data is array
    assert array.dtype == np.float32
    assert all(a.dtype == np.float32 for key, a in optimizer.state().items() if key != "n_steps")
    assert (array[1] < 1).all()


def test_a_parameter_without_gradient_is_left_alone():
    w, idle = Tensor([1.0]), Tensor([1.0])
    optimizer = AdamW({"w": w, "idle": idle}, 0.1)
    (w * 2).sum().backward()
    optimizer.step()
    assert idle.data.tolist() == [1.0]


def test_an_entry_that_never_had_a_gradient_survives_the_spreadsheets_adam():
    w = Tensor([1.0, 1.0])
    optimizer = SpreadsheetAdam({"w": w})
    w.grad = np.array([0.0, 1.0])
    optimizer.step()
    assert w.data[0] == 1.0
    assert w.data[1] == pytest.approx(1 - 0.1 * 0.1 / math.sqrt(0.1))


@pytest.mark.parametrize(
    ("optimizer_class", "options"),
    [
        (SGD, {"lr": -0.1}),
        (SGD, {"lr": math.nan}),
        (SGD, {"lr": 0.1, "l2": -1}),
        (HeavyBall, {"lr": 0.1, "momentum": 1.0}),
        (Adam, {"beta1": 1.0}),
        (Adam, {"beta2": -0.1}),
        (RMSProp, {"beta": 1.0}),
        (Adadelta, {"rho": 2.0}),
        (Adagrad, {"weight_decay": math.inf}),
        (SpreadsheetRMSProp, {"initial_squares": 0.0}),
    ],
)
def test_a_hyperparameter_out_of_range_is_refused(optimizer_class, options):
    with pytest.raises(UsageError, match="allowed"):
        optimizer_class({"w": Tensor([1.0])}, **options)


def test_make_optimizer_refuses_what_it_does_not_know():
    w = {"w": Tensor([1.0])}
    assert make_optimizer("momentum", w, 0.1, momentum=0.5).momentum == 0.5
    with pytest.raises(UsageError, match="adamw"):
        make_optimizer("adamx", w, 0.1)
    with pytest.raises(UsageError, match="adam has no momentum"):
        make_optimizer("adam", w, 0.1, momentum=0.9)
