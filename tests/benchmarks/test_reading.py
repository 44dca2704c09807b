from __future__ import annotations

import json

import pytest

from benchmarks.reading import __main__ as reading
from benchmarks.reading.files import FORMS, prepare
from recsys.data.readers import read_ratings


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BUILD", tmp_path)
    return tmp_path


def test_every_reader_reads_every_form_and_tells_its_seconds_and_peak(build, capsys):
    reading.main(["--rows", "3000", "--turns", "1", "--forms", "shuffled", "--json"])
    told = json.loads(capsys.readouterr().out)
    of = told["forms"]["shuffled"]
    assert set(of) == {"pandas", "ours", "cached"}
    assert of["pandas"]["ratio_to_pandas"] == 1
    for reader in of.values():
        assert reader["seconds"] > 0
        assert 10 < reader["peak_mib"] < 2000
    assert len(list(build.glob(".*.cache"))) == 1


def test_the_forms_hold_the_same_ratings(tmp_path):
    read = {form: read_ratings(prepare(tmp_path, form, 3000, 0)) for form in FORMS}
    assert {ratings.n_ratings for ratings in read.values()} == {3000}
    assert len({(r.n_users, r.n_items, float(r.values.sum())) for r in read.values()}) == 1
    assert read["sorted"].user_ids == read["shuffled"].user_ids
    assert all(user_id.startswith("user-") for user_id in read["text"].user_ids)


def test_too_slow_or_too_large_is_not_reached():
    def of(form, ratio, peak):
        return {form: {"ours": {"ratio_to_pandas": ratio, "peak_mib": peak}}}

    assert reading.reached(of("sorted", 2.0, 2048))
    assert not reading.reached(of("sorted", 2.1, 100))
    assert not reading.reached(of("shuffled", 1.0, 2049))
    assert reading.reached(of("text", 3.0, 100))
