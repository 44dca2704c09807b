from __future__ import annotations

import io

import numpy as np

from recsys.cli import bars
from recsys.cli.tell import evaluate_shown
from recsys.data.synthetic import synthetic_ratings
from recsys.model.baselines import damped_bias


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def store_all():
    with bars.storing("embeddings") as progress:
        for n_done in (5000, 10000, 12000):
            progress(n_done, 12000)


def test_what_takes_long_shows_how_far_it_is(monkeypatch):
    # In the test itself: pytest puts its own stream in place after the fixtures.
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setattr(bars, "QUICK", 0)
    with bars.storing("embeddings") as progress:
        progress(6000, 12000)
        assert "storing embeddings" in terminal.getvalue()


def test_an_evaluation_shows_whose_lists_it_makes(monkeypatch):
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setattr(bars, "QUICK", 0)
    train, _ = synthetic_ratings(30, 20, 200, 2, 0.5, np.random.default_rng(0))
    evaluate_shown("bias", damped_bias(train), train, train)
    assert "evaluating bias" in terminal.getvalue()


def test_what_is_quick_shows_nothing(monkeypatch):
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    store_all()
    assert terminal.getvalue().strip() == ""


def test_where_there_is_no_terminal_nothing_is_shown(capsys, monkeypatch):
    monkeypatch.setattr(bars, "QUICK", 0)
    store_all()
    assert capsys.readouterr() == ("", "")
