import importlib.util
import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.api import __main__ as api
from benchmarks.api.__main__ import Asked, Row, goals, measure
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
    asked = api.ours(server, rooms.shops.make_ratings(), np.random.default_rng(0))
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
        ([row("lists", 1500), row("Cornac, flask run", 500)], [True, True, True]),
        # The fastest of each counts, over however many connections.
        ([row("lists", 500), row("lists", 1500, 8), row("Cornac, flask run", 501)],
         [False, True, True]),
        ([row("lists", 999, p99=11.0)], [None, False, False]),
    ],
)  # fmt: skip
def test_goals_are_reached_missed_or_without_comparison(rows, reached):
    assert list(goals(rows).values()) == reached
