from math import fsum

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from recsys import store
from recsys.serving import Recommender

NEWCOMER = "/v1/recommendations"
BATCH = "/v1/recommendations/batch"
FIVE = [
    {"item_id": "m1", "rating": 5},
    {"item_id": "m2", "rating": 4.5},
    {"item_id": "m3", "rating": 1},
    {"item_id": "m4", "rating": 2},
    {"item_id": "m5"},
]


def post(shop, url, **body):
    return shop.client.post(url, json=body)


def newcomer(shop, ratings=FIVE, **options):
    answer = post(shop, NEWCOMER, ratings=ratings, **options)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def ids(rows):
    return [row["item_id"] for row in rows]


def test_a_newcomer_gets_a_list_by_what_they_rated_without_it(full_shop):
    body = newcomer(full_shop, limit=100)
    assert not {given["item_id"] for given in FIVE} & set(ids(body["items"]))
    assert len(body["items"]) == 28 - 5  # all that anybody rated
    scores = [row["score"] for row in body["items"]]
    assert scores == sorted(scores, reverse=True)
    assert (body["fallback"], body["skipped"], body["next"], body["next_offset"]) == (
        None,
        [],
        None,
        None,
    )
    assert body["model_id"] == 1


def test_what_somebody_likes_decides_their_list(full_shop):
    lists = [
        ids(newcomer(full_shop, [{"item_id": item_id, "rating": 5}])["items"])
        for item_id in ("m1", "m2", "m3")
    ]
    assert len(set(map(tuple, lists))) == 3


def test_the_newcomer_is_who_the_recommender_folds_in(full_shop):
    asked = full_shop.app.extensions["recsys"].serving.current().recommender
    person, _ = asked.fold_in(["m1", "m2", "m3", "m4", "m5"], [5, 4.5, 1, 2, None])
    expected = asked.recommend(person, 10)
    rows = newcomer(full_shop)["items"]
    assert ids(rows) == [asked.catalogue.item_ids[row] for row in expected.items]
    assert [row["predicted_rating"] for row in rows] == pytest.approx(expected.stars, rel=1e-6)
    assert all(row["low"] <= row["predicted_rating"] <= row["high"] for row in rows)


def test_nothing_of_a_newcomer_is_kept(full_shop):
    newcomer(full_shop)
    assert store.load_feedback(full_shop.engine, "tiny").entries == []


def test_numbers_are_ids_too_and_the_last_rating_of_an_item_counts(full_shop):
    twice = [{"item_id": "m1", "rating": 1}, {"item_id": "m1", "rating": 5}]
    assert newcomer(full_shop, twice) == newcomer(full_shop, twice[1:])
    skipped = newcomer(full_shop, [*FIVE, {"item_id": 17, "rating": 3}])["skipped"]
    assert [(one["index"], one["item_id"]) for one in skipped] == [(5, "17")]


def test_ratings_that_cannot_count_are_skipped_and_named_with_why(full_shop):
    wrong = [{"item_id": "nope", "rating": 4}, {"item_id": "m6", "rating": 9}]
    body = newcomer(full_shop, [wrong[0], *FIVE, wrong[1]])
    assert body["items"] == newcomer(full_shop)["items"]
    unknown, outside = body["skipped"]
    assert (unknown["index"], unknown["item_id"]) == (0, "nope")
    assert unknown["error"]["type"] == "urn:recsys:problem:unknown-item"
    assert (outside["index"], outside["item_id"]) == (6, "m6")
    assert outside["error"] == {
        "type": "urn:recsys:problem:rating",
        "detail": "9 is outside the scale; allowed: 1 to 5",
    }


@pytest.mark.parametrize("ratings", [[], [{"item_id": "nope", "rating": 4}]])
def test_without_a_rating_that_counts_the_popular_items_are_listed_and_said_to_be(
    full_shop, ratings
):
    body = newcomer(full_shop, ratings, explain=True)
    popular = full_shop.get("/v1/users/nobody/recommendations?fallback=popular").get_json()
    assert body["fallback"] == "popular"
    assert body["items"] == popular["items"]
    assert all(row["reasons"] == [] for row in body["items"])


def test_pages_add_up_to_a_newcomers_list(full_shop):
    whole, pages, offset = newcomer(full_shop, limit=100)["items"], [], 0
    while offset is not None:
        body = newcomer(full_shop, limit=4, offset=offset)
        pages += body["items"]
        offset = body["next_offset"]
    assert pages == whole


def test_a_newcomers_list_is_filtered_as_a_users_is(full_shop):
    body = newcomer(full_shop, genre="comedy", year_min=1972, exclude_seen=False, limit=100)
    years = full_shop.get("/v1/items?genre=comedy&limit=100").get_json()["items"]
    wanted = {row["item_id"] for row in years if row["year"] >= 1972 and row["n_ratings"]}
    assert set(ids(body["items"])) == wanted
    assert "m4" in wanted  # which was rated


@pytest.mark.parametrize("shop_name", ["full_shop", "folding_shop"])
def test_baselines_and_all_influences_add_up_to_score_and_stars(request, shop_name):
    shop = request.getfixturevalue(shop_name)
    for row in newcomer(shop, explain=True, n_reasons=5, popularity=0.3)["items"]:
        reasons = row["reasons"]
        assert {reason["item_id"] for reason in reasons} <= {f"m{n}" for n in range(1, 6)}
        assert all(reason["share"] is None for reason in reasons)
        score = fsum([row["baseline"], *(reason["influence"] for reason in reasons)])
        assert score == pytest.approx(row["score"], abs=1e-14)
        stars = fsum([row["stars_baseline"], *(reason["stars_influence"] for reason in reasons)])
        assert np.clip(stars, 1, 5) == pytest.approx(row["predicted_rating"], rel=1e-7)


def test_the_strongest_three_reasons_are_given_unless_said_and_none_without_explain(full_shop):
    many = [{"item_id": f"m{n}", "rating": 5} for n in range(6)]
    assert all(len(row["reasons"]) == 3 for row in newcomer(full_shop, many, explain=True)["items"])
    assert all(
        (row["reasons"], row["baseline"]) == ([], None)
        for row in newcomer(full_shop, many)["items"]
    )


def test_without_stars_the_rating_is_optional_and_does_not_count(implicit_shop):
    chosen = [{"item_id": "m1"}, {"item_id": "m2"}]
    body = newcomer(implicit_shop, chosen, explain=True)
    rated = newcomer(implicit_shop, [one | {"rating": 50} for one in chosen], explain=True)
    assert body == rated
    assert body["skipped"] == []
    assert {row["predicted_rating"] for row in body["items"]} == {None}
    reasons = [reason for row in body["items"] for reason in row["reasons"]]
    assert {(reason["rating"], reason["stars_influence"]) for reason in reasons} == {(None, None)}
    assert {reason["item_id"] for reason in reasons} == {"m1", "m2"}


def test_a_version_that_folds_nobody_in_says_so(network_shop, shop):
    for closed in (network_shop, shop):
        answer = post(closed, NEWCOMER, ratings=FIVE)
        assert answer.status_code == 404
        assert "recsys train" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "ratings"),
        ({"ratings": [{"item_id": "m1", "rating": "5"}]}, "ratings.0.rating"),
        ({"ratings": [{"item_id": "m1"}, {"item_id": "a/b"}]}, "ratings.1.item_id"),
        ({"ratings": [{"rating": 5}]}, "ratings.0.item_id"),
        ({"ratings": [{"item_id": "m1", "stars": 5}]}, "ratings.0.stars"),
        ({"ratings": [{"item_id": "m1"}] * 1001}, "ratings"),
        ({"ratings": [], "limit": "5"}, "limit"),
        ({"ratings": [], "limit": True}, "limit"),
        ({"ratings": [], "limit": 101}, "limit"),
        ({"ratings": [], "popularity": 1.5}, "popularity"),
        ({"ratings": [], "popularity": "1"}, "popularity"),
        ({"ratings": [], "explain": "true"}, "explain"),
        ({"ratings": [], "exclude_seen": 1}, "exclude_seen"),
        ({"ratings": [], "n_reasons": 1001}, "n_reasons"),
        ({"ratings": [], "fallback": "popular"}, "fallback"),
    ],
)
def test_a_wrong_body_is_refused_with_the_place(full_shop, body, name):
    answer = post(full_shop, NEWCOMER, **body)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    (error,) = answer.get_json()["errors"]
    assert (error["name"], error["location"]) == (name, "body")


def test_numbers_with_a_fraction_of_zero_are_whole(full_shop):
    assert len(newcomer(full_shop, limit=2.0)["items"]) == 2


@pytest.mark.parametrize("url", [NEWCOMER, BATCH])
def test_other_bodies_than_json_are_refused(full_shop, url):
    assert full_shop.client.post(url, data="ratings").status_code == 415
    cut = full_shop.client.post(url, data="{", content_type="application/json")
    assert cut.status_code == 400


def test_the_answers_to_posts_carry_no_tag(full_shop):
    assert "ETag" not in post(full_shop, NEWCOMER, ratings=FIVE).headers
    assert "ETag" not in post(full_shop, BATCH, user_ids=["1"]).headers


def test_a_batch_has_each_users_own_list_and_says_who_is_unknown(full_shop):
    body = post(full_shop, BATCH, user_ids=["2", "nobody", 1], limit=5).get_json()
    second, nobody, first = body["items"]
    for found, user_id in ((second, "2"), (first, "1")):
        own = full_shop.get(f"/v1/users/{user_id}/recommendations?limit=5").get_json()
        assert (found["user_id"], found["items"]) == (user_id, own["items"])
        assert (found["error"], found["next_offset"]) == (None, 5)
    assert (nobody["user_id"], nobody["items"], nobody["fallback"]) == ("nobody", [], None)
    assert nobody["error"]["type"] == "urn:recsys:problem:unknown-user"
    assert (body["model_id"], body["next"]) == (1, None)


def test_a_batch_takes_the_options_of_a_list(full_shop):
    options = {"genre": "drama", "popularity": -0.5, "explain": True, "fallback": "popular"}
    query = "genre=drama&popularity=-0.5&explain=true&fallback=popular"
    body = post(full_shop, BATCH, user_ids=["2", "nobody"], **options).get_json()
    for found in body["items"]:
        own = full_shop.get(f"/v1/users/{found['user_id']}/recommendations?{query}").get_json()
        assert (found["items"], found["fallback"]) == (own["items"], own["fallback"])


@pytest.mark.parametrize("user_ids", [[], ["1"] * 101, [""], None])
def test_a_batch_is_of_one_to_a_hundred_ids(full_shop, user_ids):
    assert post(full_shop, BATCH, user_ids=user_ids).status_code == 422


@pytest.mark.parametrize(
    ("options", "is_allowed"),
    [
        ({"explain": True}, True),
        ({"explain": True, "limit": 10, "n_reasons": 50}, True),
        ({"explain": True, "limit": 11}, False),
        ({"explain": False, "limit": 100}, True),
        ({"limit": 100}, True),
    ],
)
def test_the_lists_of_a_batch_with_reasons_are_of_ten_items_at_most_and_the_schema_says_so(
    full_shop, options, is_allowed
):
    body = {"user_ids": ["1"], **options}
    answer = post(full_shop, BATCH, **body)
    schema = full_shop.get("/openapi.json").get_json()["components"]["schemas"]["BatchBody"]
    assert Draft202012Validator(schema).is_valid(body) == is_allowed
    assert answer.status_code == (200 if is_allowed else 422)
    if not is_allowed:
        (error,) = answer.get_json()["errors"]
        assert error == {
            "name": "limit",
            "location": "body",
            "message": "Input should be less than or equal to 10 with explain",
            "value": "11",
        }


@pytest.mark.parametrize(
    ("options", "is_allowed"),
    [
        ({"explain": True, "limit": 100, "n_reasons": 50}, True),
        ({"explain": True, "limit": 10, "n_reasons": 1000}, True),
        ({"explain": True, "limit": 11, "n_reasons": 51}, False),
        ({"limit": 100, "n_reasons": 1000}, True),
    ],
)
def test_a_newcomer_may_ask_for_the_influence_of_every_rating_on_ten_items(
    full_shop, options, is_allowed
):
    body = {"ratings": [{"item_id": "m1", "rating": 4}], **options}
    answer = post(full_shop, NEWCOMER, **body)
    schemas = full_shop.get("/openapi.json").get_json()
    schema = {**schemas["components"]["schemas"]["NewcomerBody"], **schemas}
    assert Draft202012Validator(schema).is_valid(body) == is_allowed
    assert answer.status_code == (200 if is_allowed else 422)
    if not is_allowed:
        (error,) = answer.get_json()["errors"]
        assert (error["name"], error["value"]) == ("limit", "11")


def test_of_a_user_who_is_named_again_a_batch_has_the_same_list_and_makes_it_once(
    full_shop, monkeypatch
):
    single = post(full_shop, BATCH, user_ids=["2"]).get_json()["items"]
    made = []
    recommend = Recommender.recommend
    monkeypatch.setattr(
        Recommender,
        "recommend",
        lambda *args, **options: made.append(1) or recommend(*args, **options),
    )
    again = post(full_shop, BATCH, user_ids=["2", 2, "nobody", "2"]).get_json()["items"]
    assert [again[n] for n in (0, 1, 3)] == single * 3
    assert len(made) == 1


def test_the_lists_get_more_popular_as_the_dial_is_turned_up(full_shop):
    counts = np.bincount(full_shop.ratings.items, minlength=30)
    rows = full_shop.ratings.item_ids
    users = [str(n) for n in range(1, 13)]
    means = []
    for popularity in (-1, -0.5, 0, 0.5, 1):
        body = post(full_shop, BATCH, user_ids=users, popularity=popularity).get_json()
        listed = [rows.row(row["item_id"]) for found in body["items"] for row in found["items"]]
        means.append(counts[listed].mean())
    assert means == sorted(means)
    assert means[0] < means[2] < means[-1]
