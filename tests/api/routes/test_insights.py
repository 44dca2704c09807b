from dataclasses import replace
from weakref import WeakKeyDictionary

import pytest

from api.kept_answers import KeptAnswers
from recsys import store
from recsys.analysis.bias import bias_table

BIAS = "/v1/insights/bias?min_ratings=1"


@pytest.fixture
def fitted_on_few_ratings(shop, monkeypatch):
    """Let the axes be fitted on items with any rating: here hardly one has twenty."""
    monkeypatch.setattr(
        "recsys.analysis.pca.well_known", lambda items, *_: items.item_counts.nonzero()[0]
    )
    monkeypatch.setattr("api.readings._kept", WeakKeyDictionary())
    monkeypatch.setitem(shop.app.extensions, "recsys.kept", KeptAnswers(0))


def test_biases_are_those_of_the_stored_embeddings_worst_first(shop):
    body = shop.get(BIAS + "&limit=100").get_json()
    items = store.load_snapshot(shop.engine, 1, "rating").items
    found = [row["bias"] for row in body["items"]]
    assert found == pytest.approx(sorted(items.item_bias[items.item_counts > 0]))
    for row in body["items"]:
        at = items.item_ids.row(row["item_id"])
        assert row["bias"] == pytest.approx(items.item_bias[at])
        assert row["n_training_ratings"] == items.item_counts[at]


def test_best_is_worst_backwards(shop):
    worst = shop.get(BIAS + "&limit=100").get_json()["items"]
    best = shop.get(BIAS + "&limit=100&order=best").get_json()["items"]
    assert best == worst[::-1]
    assert [row["rank_by_bias"] for row in best] == list(range(1, len(best) + 1))


def test_standard_errors_rest_on_the_held_out_error_of_the_version(shop):
    source = store.StoreSource(shop.engine)
    version = store.get_version(shop.engine, 1)
    table = bias_table(
        source.item_side(1, "rating"),
        source.catalogue(1),
        min_ratings=1,
        residual_std=0.9,
        hyperparameters=version.snapshots[0].hyperparameters,
    )
    first, expected = shop.get(BIAS).get_json()["items"][0], table.worst(1)[0]
    assert first["standard_error"] == pytest.approx(expected.standard_error)
    assert first["shrunk_bias"] == pytest.approx(expected.shrunk_bias)


def test_a_version_that_made_no_error_has_biases_without_standard_errors(fresh_shop):
    perfect = replace(store.load_snapshot(fresh_shop.engine, 1, "rating"), metrics={"rmse": 0.0})
    fresh_shop.train(seed=2, make=lambda *_: perfect)
    first = fresh_shop.get(BIAS).get_json()["items"][0]
    assert first["bias"] is not None
    assert first["standard_error"] is first["shrunk_bias"] is None


def test_following_next_gives_every_row_once(shop):
    whole = shop.get(BIAS + "&limit=100").get_json()["items"]
    assert shop.all_pages(BIAS + "&limit=4") == whole


def test_an_unknown_title_is_the_id(shop):
    rows = shop.get(BIAS + "&limit=100").get_json()["items"]
    assert next(row["title"] for row in rows if row["item_id"] == "m27") == "m27"


def test_only_items_with_twenty_ratings_are_listed_unless_said(shop):
    assert shop.get("/v1/insights/bias").get_json()["items"] == []


def test_a_network_has_no_biases_and_the_answer_says_why(network_shop):
    answer = network_shop.get(BIAS)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert body["type"] == "urn:recsys:problem:not-found"
    assert "learns no bias of an item" in body["detail"]


@pytest.mark.usefixtures("fitted_on_few_ratings")
def test_a_networks_item_embeddings_have_axes(network_shop):
    axes = network_shop.get("/v1/insights/pca?components=4&top=2").get_json()["items"]
    assert sum(axis["explained_variance_ratio"] for axis in axes) == pytest.approx(1)
    assert not {"bias"} & {c["feature"] for axis in axes for c in axis["correlates"]}


@pytest.mark.usefixtures("fitted_on_few_ratings")
def test_axes_explain_less_and_less_and_name_both_ends(shop):
    body = shop.get("/v1/insights/pca?components=4&top=2").get_json()
    ratios = [axis["explained_variance_ratio"] for axis in body["items"]]
    assert [axis["component"] for axis in body["items"]] == [0, 1, 2, 3]
    assert ratios == sorted(ratios, reverse=True)
    assert sum(ratios) == pytest.approx(1)
    for axis in body["items"]:
        assert len(axis["highest"]) == len(axis["lowest"]) == 2
        assert axis["highest"][0]["coordinate"] > axis["lowest"][0]["coordinate"]


@pytest.mark.usefixtures("fitted_on_few_ratings")
def test_one_axis_is_as_in_the_list(shop):
    axes = shop.get("/v1/insights/pca?components=4&top=3").get_json()["items"]
    for n, axis in enumerate(axes):
        one = shop.get(f"/v1/insights/pca/{n}?top=3").get_json()
        assert one == axis | {"model_id": 1}


@pytest.mark.usefixtures("fitted_on_few_ratings")
def test_more_components_than_factors_are_all_there_are(shop):
    assert len(shop.get("/v1/insights/pca?components=100").get_json()["items"]) == 4
    assert shop.get("/v1/insights/pca/4").status_code == 404


def test_too_few_well_known_items_have_no_axes(shop):
    assert shop.get("/v1/insights/pca").get_json()["items"] == []
    assert shop.get("/v1/insights/pca/0").status_code == 404


@pytest.mark.usefixtures("fitted_on_few_ratings")
def test_the_map_has_the_coordinates_of_the_first_two_axes_most_rated_first(shop):
    body = shop.get("/v1/insights/map").get_json()
    axes = shop.get("/v1/insights/pca?components=2&top=1").get_json()["items"]
    assert body["axes"] == [
        {key: axis[key] for key in ("component", "explained_variance_ratio", "label")}
        for axis in axes
    ]
    counts = [row["n_ratings"] for row in body["items"]]
    assert counts == sorted(counts, reverse=True)
    for name, axis in zip("xy", axes, strict=True):
        outermost = max(body["items"], key=lambda row: row[name])
        (highest,) = axis["highest"]
        assert (outermost["item_id"], outermost[name]) == (
            highest["item_id"],
            highest["coordinate"],
        )


@pytest.mark.usefixtures("fitted_on_few_ratings")
def test_following_next_gives_every_point_of_the_map_once(shop):
    whole = shop.get("/v1/insights/map").get_json()["items"]
    assert shop.all_pages("/v1/insights/map?limit=5") == whole
    assert len(whole) == 28


def test_a_map_of_too_few_items_is_empty(shop):
    body = shop.get("/v1/insights/map").get_json()
    assert (body["items"], body["axes"], body["next"]) == ([], [], None)
