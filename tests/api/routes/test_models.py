from recsys import store


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
