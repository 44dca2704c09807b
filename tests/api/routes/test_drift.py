from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys import store
from recsys.analysis.overlap import list_overlap
from recsys.data.feedback import FeedbackEntry

DRIFT = "/v1/insights/drift?min_ratings=1"


@pytest.fixture(scope="module")
def drifted_shop(make_shop):
    """A store whose version 2 is version 1 turned, but for m3, which moved, and one bias."""
    made = make_shop()
    made.train(seed=1)
    before = store.load_snapshot(made.engine, 1, "rating")
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    factors, bias = before.items.item_factors.copy(), before.items.item_bias.copy()
    factors[3] *= -4
    bias[np.argmin(bias[:28])] = 9
    after = replace(
        before,
        items=replace(before.items, item_factors=(factors @ rotation).astype("f4"), item_bias=bias),
        user_factors=(before.user_factors @ rotation).astype("f4"),
    )
    made.train(seed=1, promote=False, make=lambda *_: after)
    return made


def test_what_moved_comes_first(drifted_shop):
    body = drifted_shop.get(f"{DRIFT}&from=champion&to=2").get_json()
    assert (body["before"], body["model_id"], body["n_items"]) == (1, 2, 28)
    assert body["items"][0]["item_id"] == "m3"
    assert body["items"][0]["distance"] > 2 * body["items"][1]["distance"]
    assert 0 < body["neighbour_overlap"] <= 1
    assert 0 < body["alignment"] < 1
    assert 0 < body["list_overlap"] < 1
    assert (body["n_users"], body["list_length"], body["n_neighbours"]) == (12, 10, 10)


def test_by_rank_the_item_whose_bias_changed_comes_first(drifted_shop):
    body = drifted_shop.get(f"{DRIFT}&from=1&to=2&sort=rank&limit=1").get_json()
    (first,) = body["items"]
    assert (first["rank_before"], first["rank_after"]) == (28, 1)


def test_the_overlap_of_lists_is_of_the_versions_whatever_came_in_since(folding_shop):
    first = store.load_snapshot(folding_shop.engine, 1, "rating")
    second = replace(first, user_factors=-first.user_factors)
    folding_shop.train(seed=2, promote=False, make=lambda *_: second)
    source, user_ids = store.StoreSource(folding_shop.engine), [str(n) for n in range(1, 13)]
    before = list_overlap(source, 1, 2, user_ids)
    given = [FeedbackEntry(user_id, f"m{n}", 5.0, None) for user_id in user_ids for n in (1, 2, 3)]
    store.save_feedback(folding_shop.engine, "tiny", given)
    assert list_overlap(source, 1, 2, user_ids) == before


def test_a_version_does_not_drift_from_itself(drifted_shop):
    body = drifted_shop.get(f"{DRIFT}&from=2&to=2").get_json()
    assert body["alignment"] == body["list_overlap"] == body["neighbour_overlap"] == 1
    assert body["items"][0]["distance"] == pytest.approx(0, abs=1e-6)


def test_following_next_gives_every_item_once(drifted_shop):
    whole = drifted_shop.get(f"{DRIFT}&from=1&to=2&limit=100").get_json()["items"]
    assert drifted_shop.all_pages(f"{DRIFT}&from=1&to=2&limit=9") == whole
    assert len(whole) == 28


@pytest.mark.parametrize(
    ("query", "status", "complaint"),
    [
        ("from=1&to=9", 404, "there is no version 9"),
        ("from=1&to=2&min_ratings=1000", 404, "0 items in common that have 1000"),
        ("to=2", 422, "from"),
        ("from=1&to=2&sort=title", 422, "sort"),
    ],
)
def test_what_cannot_be_compared_is_told(drifted_shop, query, status, complaint):
    answer = drifted_shop.get(f"/v1/insights/drift?{query}")
    assert answer.status_code == status
    assert complaint in answer.get_json()["detail"]
