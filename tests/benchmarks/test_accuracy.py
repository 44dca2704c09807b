import json

import pytest

from benchmarks.accuracy import __main__ as accuracy
from benchmarks.accuracy import parts, settings
from recsys.data.readers import read_ratings


@pytest.fixture(scope="module")
def embedded():
    return read_ratings()


def test_stars_beat_every_baseline_on_a_fold_of_the_embedded_set(embedded):
    fold = next(parts.seeded_folds(embedded, seed=0))
    measured = accuracy.measure([fold], settings.stars(0, ablation=False), accuracy.STARS)
    (ours,) = measured.pop("recsys")["rmse"]
    assert set(measured) == {"bias", "item-mean", "global"}
    assert all(ours < theirs["rmse"][0] - 0.02 for theirs in measured.values())


def test_lists_are_far_better_than_the_popular_items(embedded):
    drawn = next(parts.liked_pairs(embedded, seed=0))
    measured = accuracy.measure([drawn], settings.lists(0, ablation=False), accuracy.LISTS)
    ours, popular = measured["recsys"], measured["popularity"]
    assert ours["ndcg@10"][0] > 1.5 * popular["ndcg@10"][0]
    assert ours["popularity_lift@10"][0] < popular["popularity_lift@10"][0]


@pytest.fixture
def small_set(embedded, monkeypatch):
    # A sweep takes time by the item and the cube of the factors, of which some settings have 128.
    few = embedded.select((embedded.users < 30) & (embedded.items < 300)).compact()
    monkeypatch.setattr(accuracy, "read_ratings", lambda *_: few)
    monkeypatch.setattr(parts, "N_SPLITS", 2)
    monkeypatch.setattr(parts, "N_DRAWS", 1)


@pytest.mark.usefixtures("small_set")
def test_every_setting_of_the_ablation_trains_and_without_ml_100k_that_is_said(capsys, tmp_path):
    assert accuracy.main(["--ablation", "--json", "--data", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "ML-100k is left out" in printed.err
    told = json.loads(printed.out)
    (stars,), (lists,) = told["stars"].values(), told["lists"].values()
    assert stars.keys() == settings.stars(0, ablation=True).keys()
    assert lists.keys() == settings.lists(0, ablation=True).keys()
    assert {len(of["rmse"]) for of in stars.values()} == {2}
    assert {len(of["ndcg@10"]) for of in lists.values()} == {1}
