from dataclasses import replace
from functools import partial

import pytest

from api import create_app
from recsys import store
from recsys.store import RESERVED_ALIASES


def test_all_versions_are_listed_newest_first_with_what_points_to_them(fresh_shop):
    fresh_shop.train(seed=2, promote=False)
    store.promote(fresh_shop.engine, 2, "challenger")
    body = fresh_shop.get("/v1/models").get_json()
    assert [(row["model_id"], row["aliases"]) for row in body["items"]] == [
        (2, ["challenger"]),
        (1, ["champion"]),
    ]
    assert (body["model_id"], body["next"]) == (1, None)


def test_without_a_version_the_registry_is_an_empty_list(empty_shop):
    body = empty_shop.get("/v1/models").get_json()
    assert body == {"items": [], "model_id": None, "next": None}


def test_a_version_is_found_by_id_and_by_alias(shop):
    by_alias = shop.get("/v1/models/champion").get_json()
    assert by_alias == shop.get("/v1/models/1").get_json()
    (snapshot,) = by_alias["snapshots"]
    assert snapshot["hyperparameters"] == {"n_factors": 4, "seed": 1}
    assert snapshot["metrics"] == {"rmse": 0.9, "mae": None}
    assert snapshot["history"] == [{"epoch": 1, "lr": 0.1, "train_loss": 1.0}]
    assert by_alias["data_set"]["n_ratings"] == shop.ratings.n_ratings


def test_a_network_is_shown_with_its_settings_as_they_are(network_shop):
    body = network_shop.get("/v1/models/champion").get_json()
    (snapshot,) = body["snapshots"]
    assert snapshot["hyperparameters"] == {"model": "mlp", "n_factors": None, "hidden": [8]}
    assert (snapshot["n_factors"], snapshot["n_user_factors"]) == (4, 6)
    (listed,) = network_shop.get("/v1/models").get_json()["items"]
    assert listed["snapshots"][0] == {k: v for k, v in snapshot.items() if k != "history"}


def test_a_page_of_versions_goes_on_where_the_one_before_ended(fresh_shop):
    for seed in (2, 3):
        fresh_shop.train(seed, promote=False)
    first = fresh_shop.get("/v1/models?limit=2").get_json()
    assert [row["model_id"] for row in first["items"]] == [3, 2]
    # The champion is told although it stands on the next page.
    assert (first["model_id"], first["next"]) == (1, "/v1/models?limit=2&cursor=2")
    fresh_shop.train(seed=4, promote=False)
    assert [row["model_id"] for row in fresh_shop.all_pages(first["next"])] == [1]


def test_two_versions_stand_side_by_side(fresh_shop):
    second = replace(
        store.load_snapshot(fresh_shop.engine, 1, "rating"),
        hyperparameters={"n_factors": 4, "seed": 2},
        metrics={"rmse": 0.875, "ndcg@10": 0.1},
    )
    fresh_shop.train(seed=2, promote=False, make=lambda *_: second)
    body = fresh_shop.get("/v1/models/compare?from=champion&to=2").get_json()
    assert (body["before"]["model_id"], body["after"]["model_id"]) == (1, 2)
    assert body["same_ratings"] is True
    (found,) = body["objectives"]
    assert (found["objective"], found["is_same"]) == ("rating", False)
    assert found["settings"] == {"seed": {"before": 1, "after": 2}}
    assert found["metrics"] == {
        "rmse": {"before": 0.9, "after": 0.875, "difference": pytest.approx(-0.025)},
        "mae": {"before": None, "after": None, "difference": None},
        "ndcg@10": {"before": None, "after": 0.1, "difference": None},
    }


@pytest.mark.parametrize(
    ("query", "status"),
    [("from=1&to=9", 404), ("from=1&to=best", 404), ("from=1", 422), ("from=1&to=-1", 422)],
)
def test_a_comparison_needs_two_versions_that_exist(shop, query, status):
    answer = shop.get(f"/v1/models/compare?{query}")
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_a_promoted_version_makes_the_next_answer(fresh_shop):
    fresh_shop.train(seed=2, promote=False)
    answer = fresh_shop.client.put("/v1/models/aliases/champion", json={"model_id": 2})
    assert answer.get_json() == {"alias": "champion", "model_id": 2, "revision": 2}
    assert fresh_shop.get("/v1/users/1/recommendations").get_json()["model_id"] == 2
    assert fresh_shop.get("/v1/models/aliases/champion").get_json() == answer.get_json()
    assert fresh_shop.get("/v1/models/aliases/champion").headers["ETag"] == answer.headers["ETag"]


def test_promoting_again_changes_nothing(fresh_shop):
    for _ in range(2):
        answer = fresh_shop.client.put("/v1/models/aliases/champion", json={"model_id": 1})
        assert answer.get_json()["revision"] == 1


def test_a_rollback_brings_the_version_before_back(fresh_shop):
    fresh_shop.train(seed=2)
    url = "/v1/models/aliases/champion/rollback"
    answer = fresh_shop.client.post(url, json={})
    assert answer.get_json() == {"alias": "champion", "model_id": 1, "revision": 3}
    assert fresh_shop.get("/v1/users/1/recommendations").get_json()["model_id"] == 1
    again = fresh_shop.client.post(url, json={})
    assert again.status_code == 404
    assert "no earlier promotion is left" in again.get_json()["detail"]


@pytest.mark.parametrize("how", ["put", "post"])
def test_an_alias_that_somebody_else_has_moved_is_left(fresh_shop, how):
    fresh_shop.train(seed=2)
    if how == "put":
        body = {"model_id": 1, "expected_revision": 1}
        answer = fresh_shop.client.put("/v1/models/aliases/champion", json=body)
    else:
        url = "/v1/models/aliases/champion/rollback"
        answer = fresh_shop.client.post(url, json={"expected_revision": 1})
    assert answer.status_code == 409
    assert answer.get_json()["type"] == "urn:recsys:problem:conflict"
    assert "champion is at revision 2, not 1" in answer.get_json()["detail"]
    assert fresh_shop.get("/v1/models/aliases/champion").get_json()["model_id"] == 2


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "model_id"),
        ({"model_id": "1"}, "model_id"),
        ({"model_id": True}, "model_id"),
        ({"model_id": 1.5}, "model_id"),
        ({"model_id": 0}, "model_id"),
        ({"model_id": 2**31}, "model_id"),
        ({"model_id": 1, "expected_revision": -1}, "expected_revision"),
        ({"model_id": 1, "rollback": True}, "rollback"),
    ],
)
def test_a_promotion_that_makes_no_sense_is_refused_by_field(fresh_shop, body, name):
    answer = fresh_shop.client.put("/v1/models/aliases/champion", json=body)
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert (error["name"], error["location"]) == (name, "body")
    assert fresh_shop.get("/v1/models/aliases/champion").get_json()["revision"] == 1


def test_only_what_exists_is_promoted(fresh_shop):
    answer = fresh_shop.client.put("/v1/models/aliases/champion", json={"model_id": 9})
    assert answer.status_code == 404
    assert "there is no version 9; the versions are 1" in answer.get_json()["detail"]
    assert fresh_shop.get("/v1/models/aliases/challenger").status_code == 404
    assert fresh_shop.client.post("/v1/models/aliases/a/rollback", json={}).status_code == 404


@pytest.mark.parametrize("alias", ["1", "Champion", "a" * 65])
def test_an_alias_that_cannot_be_one_is_refused(fresh_shop, alias):
    answer = fresh_shop.client.put(f"/v1/models/aliases/{alias}", json={"model_id": 1})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["location"] == "path"


@pytest.mark.parametrize("alias", RESERVED_ALIASES)
def test_an_alias_called_as_an_address_is_refused_as_reserved(fresh_shop, alias):
    answer = fresh_shop.client.put(f"/v1/models/aliases/{alias}", json={"model_id": 1})
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert (error["name"], error["location"], error["value"]) == ("alias", "path", alias)
    assert "reserved" in error["message"]


def test_the_reserved_names_are_all_those_that_lie_beside_versions(shop):
    rules = {rule.rule for rule in shop.app.url_map.iter_rules()}
    for start in ("/v1/models/", "/models/"):
        beside = {
            rule.removeprefix(start).split("/")[0] for rule in rules if rule.startswith(start)
        }
        assert {part for part in beside if not part.startswith("<")} <= set(RESERVED_ALIASES)


def test_promotion_needs_a_key_where_there_are_keys_and_the_log_says_whose(fresh_shop, caplog):
    key = store.create_key(fresh_shop.engine, "ops")
    put = partial(fresh_shop.client.put, "/v1/models/aliases/challenger", json={"model_id": 1})
    assert put().status_code == 401
    with caplog.at_level("INFO", "api.routes.models"):
        assert put(headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert "challenger points to version 1, revision 1, by key ops" in caplog.messages
    assert (
        fresh_shop.client.post("/v1/models/aliases/challenger/rollback", json={}).status_code == 401
    )


def test_a_promotion_by_one_worker_is_followed_by_another(fresh_shop):
    fresh_shop.train(seed=2, promote=False)
    other = create_app(fresh_shop.config)
    try:
        ask = partial(other.test_client().get, "/v1/users/1/recommendations")
        before = ask()
        fresh_shop.client.put("/v1/models/aliases/champion", json={"model_id": 2})
        after = ask(headers={"If-None-Match": before.headers["ETag"]})
        assert (before.get_json()["model_id"], after.get_json()["model_id"]) == (1, 2)
    finally:
        other.extensions["recsys"].engine.dispose()
