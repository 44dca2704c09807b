from __future__ import annotations

import io

from recsys.cli import bars


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


def test_what_is_quick_shows_nothing(monkeypatch):
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    store_all()
    assert terminal.getvalue().strip() == ""


def test_where_there_is_no_terminal_nothing_is_shown(capsys, monkeypatch):
    monkeypatch.setattr(bars, "QUICK", 0)
    store_all()
    assert capsys.readouterr() == ("", "")
