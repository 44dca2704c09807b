import numpy as np
import pytest

from recsys import store

LIST = "/v1/users/1/recommendations"


def ids(rows):
    return [row["item_id"] for row in rows]


def seen_by(shop, user):
    ratings = shop.ratings
    return {ratings.item_ids[row] for row in ratings.items[ratings.users == user]}


def test_a_list_has_the_titled_items_that_the_user_has_not_rated_best_first(shop):
    body = shop.get(LIST + "?limit=100").get_json()
    ratings = shop.ratings
    rated = {ratings.item_ids[row] for row in np.unique(ratings.items)}
    assert set(ids(body["items"])) == rated - seen_by(shop, 0)
    scores = [row["score"] for row in body["items"]]
    assert scores == sorted(scores, reverse=True)
    assert [row["rank"] for row in body["items"]] == list(range(1, len(scores) + 1))
    assert all(row["title"] for row in body["items"])
    assert body["next"] is None
    assert body["fallback"] is None


def test_ten_items_are_listed_unless_said(shop):
    assert len(shop.get(LIST).get_json()["items"]) == 10


def test_users_get_different_lists(shop):
    other = shop.get("/v1/users/2/recommendations").get_json()
    assert ids(shop.get(LIST).get_json()["items"]) != ids(other["items"])


def test_the_predicted_rating_is_the_stored_embeddings_dot_product_with_biases(shop):
    snapshot = store.load_snapshot(shop.engine, 1, "rating")
    for row in shop.get(LIST).get_json()["items"]:
        item = snapshot.items.item_ids.row(row["item_id"])
        expected = (
            snapshot.items.global_mean
            + snapshot.user_bias[0]
            + snapshot.items.item_bias[item]
            + snapshot.user_factors[0] @ snapshot.items.item_factors[item]
        )
        assert row["predicted_rating"] == pytest.approx(np.clip(expected, 1, 5), rel=1e-5)


def test_a_network_is_listed_and_predicts_as_the_stored_snapshot_does(network_shop):
    snapshot = store.load_snapshot(network_shop.engine, 1, "rating")
    rows = network_shop.all_pages(LIST + "?limit=5&exclude_seen=false")
    items = snapshot.items.item_ids.rows(ids(rows))
    expected = snapshot.predict(np.zeros(len(items), np.int32), items)
    scores = snapshot.list_scores(np.array([0]))[0]
    assert len(rows) == 28  # all that anybody rated
    assert [row["predicted_rating"] for row in rows] == pytest.approx(expected, rel=1e-4)
    assert [row["score"] for row in rows] == pytest.approx(scores[items], rel=1e-4)
    assert sorted(scores[items], reverse=True) == pytest.approx(scores[items], rel=1e-5)

    asked = ",".join(ids(rows))
    predicted = network_shop.get(f"/v1/users/1/predictions?item_ids={asked}").get_json()["items"]
    assert [row["predicted_rating"] for row in predicted] == [
        row["predicted_rating"] for row in rows
    ]


def test_somebody_unknown_gets_popular_items_from_a_network_too(network_shop):
    url = "/v1/users/nobody/recommendations?fallback=popular"
    rows = network_shop.get(url).get_json()["items"]
    assert len(rows) == 10
    assert all(1 <= row["predicted_rating"] <= 5 for row in rows)


def test_a_title_that_is_unknown_is_the_id(shop):
    rows = shop.get(LIST + "?limit=100&exclude_seen=false").get_json()["items"]
    (untitled,) = [row for row in rows if row["item_id"] == "m27"]
    assert (untitled["title"], untitled["year"]) == ("m27", None)


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_following_next_gives_the_whole_list_once(shop, limit):
    whole = shop.get(LIST + "?limit=100").get_json()["items"]
    assert shop.all_pages(f"{LIST}?limit={limit}") == whole


def test_next_keeps_the_filters(shop):
    url = LIST + "?limit=1&genre=comedy&year_min=1971&exclude_seen=false&min_ratings=1"
    for row in shop.all_pages(url):
        assert "Comedy" in row["genres"]
        assert row["year"] >= 1971


def test_seen_items_come_back_when_asked_for(shop):
    rows = shop.get(LIST + "?limit=100&exclude_seen=false").get_json()["items"]
    assert seen_by(shop, 0) <= set(ids(rows))


@pytest.mark.parametrize(
    "filters",
    [
        "year_min=1990&year_max=1980",
        "genre=Opera",
        "min_ratings=2147483647",
        "offset=2147483647",
        "year_min=2147483647",
    ],
)
def test_filters_that_nothing_passes_give_an_empty_list(shop, filters):
    body = shop.get(f"{LIST}?{filters}").get_json()
    assert (body["items"], body["next"]) == ([], None)


def test_an_unknown_user_may_be_given_the_popular_items(shop):
    body = shop.get("/v1/users/99999/recommendations?fallback=popular&limit=100").get_json()
    counts = [row["score"] for row in body["items"]]
    assert body["fallback"] == "popular"
    assert counts == sorted(np.bincount(shop.ratings.items)[: len(counts)], reverse=True)


def test_a_known_user_gets_their_own_list_whatever_the_fallback(shop):
    body = shop.get(LIST + "?fallback=popular").get_json()
    assert body["fallback"] is None
    assert body["items"] == shop.get(LIST).get_json()["items"]


def test_predictions_are_those_of_the_list_in_the_order_asked_for(shop):
    listed = shop.get(LIST).get_json()["items"]
    asked = ids(reversed(listed))
    body = shop.get(f"/v1/users/1/predictions?item_ids={','.join(asked)}").get_json()
    assert ids(body["items"]) == asked
    assert [row["predicted_rating"] for row in body["items"]] == [
        row["predicted_rating"] for row in reversed(listed)
    ]
    assert body["next"] is None


def test_an_unknown_item_has_no_predicted_rating_and_does_not_spoil_the_others(shop):
    body = shop.get("/v1/users/1/predictions?item_ids=nothing,m1,m1").get_json()
    first, *others = body["items"]
    nothing = dict.fromkeys(["predicted_rating", "low", "high"])
    assert first == {"item_id": "nothing", "title": "nothing"} | nothing
    assert others[0] == others[1]
    assert 1 <= others[0]["predicted_rating"] <= 5


EXPLANATION = "/v1/users/1/items/m3/explanation"


def test_the_terms_add_up_to_the_scores_exactly(full_shop):
    body = full_shop.get(EXPLANATION).get_json()
    assert (body["user_id"], body["item_id"], body["title"]) == ("1", "m3", "Film 03")
    assert [body[part]["objective"] for part in ("order", "stars")] == ["ranking", "rating"]
    for part in (body["order"], body["stars"]):
        terms = [part["global_mean"], part["user_bias"], part["item_bias"], *part["factors"]]
        assert sum(terms) == sum(reversed(terms)) == part["score"]
        assert part["trust"] == 1


def test_what_is_explained_is_what_is_listed_and_predicted(full_shop):
    rows = full_shop.get(LIST + "?limit=100&exclude_seen=false").get_json()["items"]
    for row in rows:
        url = f"/v1/users/1/items/{row['item_id']}/explanation"
        body = full_shop.get(url).get_json()
        assert body["order"]["score"] == pytest.approx(row["score"], abs=1e-6)
        for name in ("predicted_rating", "low", "high"):
            assert body["stars"][name] == row[name]
        clipped = np.clip(body["stars"]["score"], 1, 5)
        assert row["predicted_rating"] == pytest.approx(clipped, rel=1e-7)


def test_stars_alone_are_explained_as_shrunk_and_as_predicted(shop):
    counts = np.bincount(shop.ratings.items)
    body = shop.get(EXPLANATION).get_json()
    trust = counts[3] / (counts[3] + 10)
    assert body["order"]["trust"] == pytest.approx(trust)
    assert body["order"]["factors"] == pytest.approx(np.multiply(body["stars"]["factors"], trust))
    assert (body["stars"]["trust"], body["stars"]["low"]) == (1, None)


def test_a_trained_users_reasons_are_what_they_liked_with_shares(full_shop):
    body = full_shop.get("/v1/users/2/items/m3/explanation?n_reasons=1000").get_json()
    liked = full_shop.ratings.select(full_shop.ratings.users == 1)
    allowed = {f"m{row}" for row in liked.items[liked.values >= 4]} - {"m3"}
    assert set(ids(body["reasons"])) <= allowed
    assert sum(reason["share"] for reason in body["reasons"]) == pytest.approx(1, rel=1e-6)
    similarities = [reason["similarity"] for reason in body["reasons"]]
    assert similarities == sorted(similarities, reverse=True)
    assert all(reason["rating"] >= 4 and reason["influence"] is None for reason in body["reasons"])
    assert body["order"]["baseline"] is body["stars"]["baseline"] is None


def test_a_list_is_explained_when_asked_and_otherwise_quick(full_shop):
    url = "/v1/users/2/recommendations"
    rows = full_shop.get(url + "?explain=true&n_reasons=2").get_json()["items"]
    assert max(len(row["reasons"]) for row in rows) == 2
    for row in rows:
        explained = full_shop.get(f"/v1/users/2/items/{row['item_id']}/explanation?n_reasons=2")
        assert row["reasons"] == explained.get_json()["reasons"]
    assert all(row["reasons"] == [] for row in full_shop.get(url).get_json()["items"])


def test_ratings_since_the_training_are_explained_by_what_each_adds(folding_shop):
    ratings = [{"user_id": "new", "item_id": f"m{n}", "rating": n} for n in (1, 2, 5)]
    assert folding_shop.client.post("/v1/ratings", json={"ratings": ratings}).status_code == 200
    body = folding_shop.get("/v1/users/new/items/m3/explanation").get_json()
    order, stars = body["order"], body["stars"]
    assert {reason["item_id"] for reason in body["reasons"]} == {"m1", "m2", "m5"}
    influences = sum(reason["influence"] for reason in body["reasons"])
    assert order["baseline"] + influences == order["score"]
    influences = sum(reason["stars_influence"] for reason in body["reasons"])
    assert stars["baseline"] + influences == stars["score"]


def test_what_a_network_answers_has_no_terms(network_shop):
    answer = network_shop.get(EXPLANATION)
    assert answer.status_code == 404
    assert "no sum of terms" in answer.get_json()["detail"]
    explained = network_shop.get(LIST + "?explain=true")
    assert explained.status_code == 200


@pytest.mark.parametrize("path", ["/v1/users/nobody/items/m3", "/v1/users/1/items/nothing"])
def test_unknown_users_and_items_have_no_explanation(full_shop, path):
    assert full_shop.get(path + "/explanation").status_code == 404


def test_an_item_without_ratings_is_explained_by_the_user_alone(full_shop):
    body = full_shop.get("/v1/users/1/items/m29/explanation").get_json()
    assert set(body["stars"]["factors"]) == {0}
    assert body["stars"]["item_bias"] == 0
    assert body["reasons"] == []


def test_an_interval_holds_its_prediction_and_grows_with_its_level(full_shop):
    def widths(level):
        url = f"/v1/users/1/predictions?item_ids=m1,m2,m3&level={level}"
        rows = full_shop.get(url).get_json()["items"]
        assert all(1 <= row["low"] <= row["predicted_rating"] <= row["high"] <= 5 for row in rows)
        return np.array([row["high"] - row["low"] for row in rows])

    assert (widths(0.5) < widths(0.8)).all()
    assert (widths(0.8) <= widths(0.999)).all()
    usual = full_shop.get("/v1/users/1/predictions?item_ids=m1,m2,m3").get_json()
    eighty = full_shop.get("/v1/users/1/predictions?item_ids=m1,m2,m3&level=0.8").get_json()
    assert usual == eighty


@pytest.mark.parametrize(
    "query", ["level=0", "level=1", "level=nan", "level=-1", "level=80", "level="]
)
def test_a_level_is_a_share(full_shop, query):
    answer = full_shop.get("/v1/users/1/predictions?item_ids=m1&" + query)
    assert answer.status_code == 422


@pytest.mark.parametrize("popularity", ["1.01", "-2", "nan", "inf", "much"])
def test_the_dial_ends_at_one_and_minus_one(full_shop, popularity):
    assert full_shop.get(f"{LIST}?popularity={popularity}").status_code == 422
