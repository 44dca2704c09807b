import json

import numpy as np
import pytest
from sklearn.datasets import make_moons

from benchmarks.reference import __main__ as command
from benchmarks.reference import formulas, networks, optimizers, ratings
from benchmarks.reference.rows import Row, at_most, equal


@pytest.mark.parametrize(
    "rows",
    [
        formulas.models,
        formulas.entropies,
        formulas.autograd,
        optimizers.spreadsheet,
        optimizers.control,
        optimizers.regression,
        networks.moons,
        networks.regression,
        networks.digits,
    ],
    ids=lambda rows: f"{rows.__module__.split('.')[-1]}.{rows.__name__}",
)
def test_every_row_holds(rows):
    found = list(rows())
    assert found
    assert [row for row in found if not row.holds] == []


def test_the_published_two_moons_are_met_while_rounding_does_not_decide():
    found = networks.two_moons([0, 1000])
    assert found[0] == pytest.approx(0.432387, abs=1e-6)
    assert found[1000] == pytest.approx(0.068947, abs=1e-6)


def test_two_moons_are_the_published_program_written_out():
    points, labels = make_moons(200, noise=0.2, random_state=0)
    rng = np.random.RandomState(0)
    w1, b1 = rng.randn(2, 3) / np.sqrt(2), np.zeros(3)
    w2, b2 = rng.randn(3, 2) / np.sqrt(3), np.zeros(2)

    def forward():
        hidden = np.tanh(points @ w1 + b1)
        p = np.exp(hidden @ w2 + b2)
        return hidden, p / p.sum(axis=1, keepdims=True)

    for _ in range(101):
        hidden, p = forward()
        delta = p - np.eye(2)[labels]
        before = delta @ w2.T * (1 - hidden**2)
        w2 = w2 - 0.01 * (hidden.T @ delta + 0.01 * w2)
        w1 = w1 - 0.01 * (points.T @ before + 0.01 * w1)
        b2, b1 = b2 - 0.01 * delta.sum(axis=0), b1 - 0.01 * before.sum(axis=0)
    _, p = forward()
    penalty = 0.01 / 2 * ((w1**2).sum() + (w2**2).sum())
    expected = (-np.log(p[np.arange(200), labels]).sum() + penalty) / 200
    assert networks.two_moons([100])[100] == pytest.approx(expected, abs=1e-12)


def test_films_are_keyed_by_title_and_stand_together_as_first_seen(tmp_path):
    (tmp_path / "u.item").write_bytes(
        "1|Twice (1990)|\n2|Café (1995)|\n3|Twice (1990)|\n".encode("latin-1")
    )
    (tmp_path / "u.data").write_text("1\t3\t5\t0\n2\t2\t4\t0\n2\t3\t1\t0\n1\t1\t2\t0\n")
    users, items, stars = ratings._by_title(tmp_path)
    # Film 3 first, both its ratings, then film 2, then film 1, which has film 3's title.
    assert users.tolist() == [0, 1, 1, 0]
    assert items.tolist() == [1, 1, 0, 1]
    assert stars.tolist() == [5, 1, 4, 2]


# The command


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    def run(rows, *arguments):
        monkeypatch.setattr(command, "rows", lambda data: iter(rows))
        code = command.main(["--data", str(tmp_path), *arguments])
        return code, capsys.readouterr().out

    return run


GOOD = equal("1 a good one", 2.0, 2.05, 0.1)
BAD = equal("2 a bad one", 2.0, 3.0, 0.1, "the moon was full")


def test_json_has_the_rows_and_apart_what_is_not_at_hand(run):
    code, out = run([GOOD, BAD], "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["rows"][1] == {
        "item": "2 a bad one",
        "expected": 2.0,
        "ours": 3.0,
        "tolerance": 0.1,
        "holds": False,
        "reason": "the moon was full",
    }
    assert any("ML-100k" in missing["item"] for missing in answer["not_at_hand"])


def test_the_table_says_what_does_not_hold_and_why(run):
    _, out = run([GOOD, BAD])
    assert "1 of 2 hold." in out
    assert "2 a bad one: the moon was full" in out


def test_more_than_three_failures_or_one_without_reason_are_a_failure(run):
    assert run([BAD] * 3)[0] == 0
    assert run([BAD] * 4)[0] == 1
    assert run([equal("3 unexplained", 2.0, 3.0, 0.1)])[0] == 1


def test_at_most_holds_for_anything_smaller():
    assert at_most("x", 1.0, 0.2, 0.0, "less is better").holds
    assert not at_most("x", 1.0, 1.2, 0.1, "less is better").holds
    assert not equal("x", 1.0, float("nan"), 0.1).holds


def test_a_row_holds_plain_numbers():
    row = equal("x", np.float32(1.0), np.float64(1.0), 0.1)
    assert isinstance(row, Row)
    assert (type(row.expected), type(row.ours), type(row.holds)) == (float, float, bool)
