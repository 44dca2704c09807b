import json

import numpy as np
import pytest
from sklearn.datasets import make_moons

from benchmarks.reference import __main__ as command
from benchmarks.reference import formulas, movielens, networks, optimizers, ratings
from benchmarks.reference.rows import Row, at_least, at_most, equal
from recsys.data import IdMap, ItemMetadata
from recsys.data.readers import read_ratings
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue


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


def write_ml_100k(folder, lines):
    (folder / "u.data").write_text("".join(f"{line}\n" for line in lines))
    ids = sorted({int(line.split("\t")[1]) for line in lines})
    films = [f"{i}|Film {i} (1990)|01-Jan-1990||url{'|0' * 19}\n" for i in ids]
    (folder / "u.item").write_text("".join(films), encoding="latin-1")
    return folder


def test_the_size_and_first_row_of_other_data_do_not_hold(tmp_path):
    data = write_ml_100k(tmp_path, ["196\t242\t3\t881250949", "7\t8\t1\t881250950"])
    found = {row.item: row for row in movielens.data_set(data)}
    assert [found[f"1 ML-100k: {n}"].ours for n in ("users", "items", "ratings", "titles")] == [
        2, 2, 2, 2,
    ]  # fmt: skip
    assert not found["1 ML-100k: ratings"].holds
    assert [row.ours for name, row in found.items() if "first row" in name] == [
        196, 242, 3, 881250949,
    ]  # fmt: skip


def test_held_out_ratings_of_unknown_items_are_counted(tmp_path):
    # Each item is rated once, so each of the two held out of ten is unknown to training.
    lines = [f"{user}\t{user}\t3\t{881250949 + user}" for user in range(1, 11)]
    (row,) = movielens.split(read_ratings(write_ml_100k(tmp_path, lines)))
    assert (row.expected, row.ours, row.holds) == (2, 2, True)


def films_on_axes(misplaced=()):
    """Return the films of `movielens.AXES`, spread along the axis they are published for."""
    rng, films = np.random.default_rng(0), {}
    for axis, (_, *sides) in enumerate(movielens.AXES):
        for side, titles in zip((1, -1), sides, strict=True):
            for title in titles:
                films[title] = rng.normal(0, 0.01, 3)
                films[title][axis] = side * (3 - 2 * axis) * (-1 if title in misplaced else 1)
    n_items, ids = len(films), IdMap(films)
    items = ItemSide(
        item_ids=ids,
        item_factors=np.array(list(films.values()), np.float32),
        item_bias=np.zeros(n_items, np.float32),
        item_counts=np.full(n_items, 50, np.int32),
        global_mean=3.5,
        y_range=None,
        rating_scale=(1.0, 5.0),
    )
    metadata = ItemMetadata(tuple(films), (1990,) * n_items, ((),) * n_items)
    return items, Catalogue(ids, metadata, np.full(n_items, 50, np.int32), None)


def test_films_on_the_published_side_of_an_axis_are_counted():
    found = list(movielens.axes(*films_on_axes()))
    assert [(row.expected, row.ours, row.holds) for row in found] == [(8, 8, True), (7, 7, True)]
    first, second = movielens.axes(*films_on_axes(misplaced=["Casablanca"]))
    assert (first.ours, first.holds, second.holds) == (7, False, True)


def test_nearest_films_are_those_of_the_formula():
    (row,) = movielens.neighbours(*films_on_axes())
    assert (row.ours, row.holds) == (10, True)


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
    assert answer["not_at_hand"][-1]["reason"].startswith("no u.data in")


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


def test_at_least_holds_for_anything_larger():
    assert at_least("x", 8, 9, "more is better").holds
    assert at_least("x", 8, 8, "more is better").holds
    assert not at_least("x", 8, 7, "more is better").holds
    assert not at_least("x", 8, float("nan"), "more is better").holds


def test_a_row_holds_plain_numbers():
    row = equal("x", np.float32(1.0), np.float64(1.0), 0.1)
    assert isinstance(row, Row)
    assert (type(row.expected), type(row.ours), type(row.holds)) == (float, float, bool)
