import importlib.util
import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.api import __main__ as api
from benchmarks.api import large, questions
from benchmarks.api.__main__ import Row, goals, measure
from benchmarks.api.questions import Asked
from benchmarks.serving import load
from benchmarks.serving.service import Server

_spec = importlib.util.spec_from_file_location(
    "client_conftest", Path(__file__).parents[1] / "client" / "conftest.py"
)
rooms = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rooms)


@pytest.fixture
def server(tmp_path):
    shop = rooms.make_shop(tmp_path)
    with rooms.listening(shop.app) as address:
        yield Server(pid=os.getpid(), port=int(address.rpartition(":")[2]), log=tmp_path / "none")
    shop.close()


def test_all_kinds_are_asked_and_answered(server, monkeypatch):
    monkeypatch.setattr(api, "N_CONNECTIONS", (1, 2))
    asked = questions.ours(server, rooms.shops.make_ratings(), np.random.default_rng(0))
    rows = measure(asked, n_requests=5, n_turns=1)
    assert [(row.what, row.n_connections) for row in rows] == [
        (what, n)
        for n in (1, 2)
        for what in ("lists", "lists, asked again", "lists, 304", "newcomers", "predictions")
    ]
    assert all(0 < row.p50_ms <= row.p99_ms for row in rows)
    again = next(kind for kind in asked if kind.what == "lists, 304")
    done = load.apply(server.port, itertools.islice(again.requests, 4), 1)
    assert done.statuses == {304: 4}


def test_an_error_ends_the_measuring(server, monkeypatch):
    monkeypatch.setattr(api, "N_CONNECTIONS", (1,))
    wrong = itertools.repeat(load.request("GET", "/v1/users/nobody/recommendations"))
    with pytest.raises(RuntimeError, match=r"wrong: \{404: 2\}"):
        measure([Asked("wrong", server, wrong)], n_requests=2, n_turns=1)


def row(what, per_second, n_connections=2, p50=1.0, p99=5.0):
    return Row(what, n_connections, per_second, p50, p99, 0.5, 0.1)


@pytest.mark.parametrize(
    ("rows", "reached"),
    [
        ([row("lists", 1500), row("Cornac, flask run", 500)], [None, True, True, True, None]),
        # The fastest of each counts, over however many connections.
        ([row("lists", 500), row("lists", 1500, 8), row("Cornac, flask run", 501),
          row("lists, asked again", 1503, 8)], [True, False, True, True, None]),
        ([row("lists", 999, p99=11.0)], [None, None, False, False, None]),
        ([row("lists", 2000), row("lists, large catalogue", 40, p99=50.0)],
         [None, None, True, True, True]),
        ([row("lists", 2000), row("lists, large catalogue", 40, p99=50.1)],
         [None, None, True, True, False]),
    ],
)  # fmt: skip
def test_goals_are_reached_missed_or_without_comparison(rows, reached):
    assert list(goals(rows).values()) == reached


def test_the_fastest_of_each_are_compared():
    rows = [row("lists", 500), row("lists", 1500, 8), row("Cornac, gunicorn", 1000)]
    assert api.times(rows, "lists", "Cornac, gunicorn") == 1.5
    assert api.times(rows, "lists", "Cornac, flask run") is None
    assert api.times(rows, "lists, asked again", "Cornac, gunicorn") is None


def test_a_large_catalogue_is_served_from_embeddings_drawn_at_random(tmp_path):
    rng = np.random.default_rng(0)
    with large.served(tmp_path, n_items=3000, n_factors=4, n_workers=2, rng=rng) as server:
        rows = measure(
            [questions.of_large(server, rng)], n_requests=5, n_turns=1, numbers_of_connections=(1,)
        )
    assert [(row.what, row.n_connections) for row in rows] == [("lists, large catalogue", 1)]
