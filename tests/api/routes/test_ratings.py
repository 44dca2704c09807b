from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select

from recsys import store
from recsys.store.database import writing
from recsys.store.feedback_tables import FeedbackRow


def give(shop, *given, **more):
    """Post (user_id, item_id, rating) and return the answer."""
    ratings = [dict(zip(("user_id", "item_id", "rating"), one, strict=False)) for one in given]
    return shop.client.post("/v1/ratings", json={"ratings": ratings, **more})


@pytest.fixture
def post(fresh_shop):
    """As `give`, to the fresh store."""
    return partial(give, fresh_shop)


def kept(shop):
    """Return {(user_id, item_id): rating} of the stored feedback."""
    entries = store.load_feedback(shop.engine, "tiny").entries
    return {(entry.user_id, entry.item_id): entry.value for entry in entries}


def listed(shop, user_id):
    """Return {item_id: rating} of all pages of a user's ratings."""
    rows = shop.all_pages(f"/v1/users/{user_id}/ratings?limit=3")
    return {row["item_id"]: row["rating"] for row in rows}


def rated_by(shop, user):
    ratings = shop.ratings.select(shop.ratings.users == user)
    ids = [shop.ratings.item_ids[row] for row in ratings.items]
    return dict(zip(ids, ratings.values.tolist(), strict=True))


def test_ratings_are_kept_of_known_and_unknown_users(post, fresh_shop):
    answer = post(("1", "m1", 4), ("somebody new", "m2", 3.5))
    assert answer.status_code == 200
    assert answer.get_json() == {
        "items": [
            {"index": 0, "user_id": "1", "item_id": "m1", "accepted": True, "error": None},
            {"index": 1, "user_id": "somebody new", "item_id": "m2", "accepted": True,
             "error": None},
        ],
        "model_id": 1,
        "next": None,
        "n_accepted": 2,
        "n_refused": 0,
    }  # fmt: skip
    assert kept(fresh_shop) == {("1", "m1"): 4, ("somebody new", "m2"): 3.5}


def test_each_rating_is_taken_or_refused_for_itself(post, fresh_shop):
    body = post(("1", "m1", 4), ("1", "m2", 5.5), ("1", "nope", 3), ("1", "m3")).get_json()
    assert (body["n_accepted"], body["n_refused"]) == (1, 3)
    assert [row["error"] for row in body["items"]] == [
        None,
        {"type": "urn:recsys:problem:rating",
         "detail": "5.5 is outside the scale; allowed: 1 to 5"},
        {"type": "urn:recsys:problem:unknown-item",
         "detail": "item 'nope' is unknown to version 1; with new_items true it is kept for the "
         "next training"},
        {"type": "urn:recsys:problem:rating", "detail": "there is no rating; allowed: 1 to 5"},
    ]  # fmt: skip
    assert kept(fresh_shop) == {("1", "m1"): 4}


def test_an_unknown_item_is_kept_when_it_is_said_to_be_new(post, fresh_shop):
    assert post(("1", "brand new", 4), new_items=True).get_json()["n_accepted"] == 1
    assert listed(fresh_shop, "1")["brand new"] == 4
    (row,) = [
        row
        for row in fresh_shop.all_pages("/v1/users/1/ratings?limit=100")
        if row["item_id"] == "brand new"
    ]
    assert (row["title"], row["year"], row["genres"]) == ("brand new", None, [])


def test_implicit_feedback_has_no_rating(fresh_shop):
    fresh_shop.ratings = replace(fresh_shop.ratings, values=None)
    fresh_shop.data_set_id = store.save_data_set(fresh_shop.engine, fresh_shop.ratings)
    fresh_shop.train(seed=1)
    given = [{"user_id": "1", "item_id": "m1"}, {"user_id": "1", "item_id": "m2", "rating": 4}]
    body = fresh_shop.client.post("/v1/ratings", json={"ratings": given}).get_json()
    assert [row["accepted"] for row in body["items"]] == [True, False]
    assert "leave the rating out" in body["items"][1]["error"]["detail"]
    assert kept(fresh_shop) == {("1", "m1"): None}
    assert listed(fresh_shop, "1") == dict.fromkeys([*rated_by_implicit(fresh_shop), "m1"])


def rated_by_implicit(shop):
    rows = shop.ratings.items[shop.ratings.users == 0]
    return [shop.ratings.item_ids[row] for row in rows]


def test_the_last_rating_of_an_item_stands_also_within_one_request(post, fresh_shop):
    post(("1", "m1", 2), ("1", "m1", 3))
    assert kept(fresh_shop) == {("1", "m1"): 3}
    post(("1", "m1", 1))
    assert kept(fresh_shop) == {("1", "m1"): 1}


def test_a_number_is_the_same_id_as_its_digits(post, fresh_shop):
    assert post((7, "m1", 4), (7.0, "m2", 4), (-8, "m1", 4)).status_code == 200
    assert set(kept(fresh_shop)) == {("7", "m1"), ("7", "m2"), ("-8", "m1")}


def test_the_time_is_the_one_given_or_else_now(fresh_shop, monkeypatch):
    monkeypatch.setattr("recsys.store.feedback.time.time", lambda: 1_700_000_000.0)
    given = [
        {"user_id": "x", "item_id": "m1", "rating": 4, "timestamp": 1_600_000_000},
        {"user_id": "x", "item_id": "m2", "rating": 4},
        {"user_id": "x", "item_id": "m3", "rating": 4, "timestamp": None},
    ]
    assert fresh_shop.client.post("/v1/ratings", json={"ratings": given}).status_code == 200
    rows = fresh_shop.get("/v1/users/x/ratings").get_json()["items"]
    assert [(row["item_id"], row["timestamp"]) for row in rows] == [
        ("m2", 1_700_000_000),
        ("m3", 1_700_000_000),
        ("m1", 1_600_000_000),
    ]


OK = {"user_id": "1", "item_id": "m1", "rating": 4}


@pytest.mark.parametrize(
    ("flaw", "place"),
    [
        ({"user_id": ""}, "user_id"),
        ({"user_id": "a" * 256}, "user_id"),
        ({"user_id": "a/b"}, "user_id"),
        ({"user_id": "."}, "user_id"),
        ({"item_id": ".."}, "item_id"),
        ({"item_id": "a,b"}, "item_id"),
        ({"item_id": "a\n"}, "item_id"),
        ({"item_id": "a\ud800"}, "item_id"),
        ({"item_id": None}, "item_id"),
        ({"item_id": True}, "item_id"),
        ({"item_id": 1.5}, "item_id"),
        ({"item_id": 2**53 + 1}, "item_id"),
        ({"item_id": ["m1"]}, "item_id"),
        ({"rating": "4"}, "rating"),
        ({"rating": True}, "rating"),
        ({"rating": float("nan")}, "rating"),
        ({"rating": float("-inf")}, "rating"),
        ({"timestamp": -1}, "timestamp"),
        ({"timestamp": 1.5}, "timestamp"),
        ({"timestamp": "2020-01-01"}, "timestamp"),
        ({"timestamp": 1_700_000_000_000}, "timestamp"),
        ({"raiting": 4}, "raiting"),
    ],
)
def test_a_body_that_is_not_as_described_keeps_nothing_and_says_where(shop, flaw, place):
    # Python writes what JSON does not know, and lone surrogates as escapes.
    body = json.dumps({"ratings": [OK, {**OK, **flaw}]})
    answer = shop.client.post("/v1/ratings", data=body, content_type="application/json")
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    (error,) = answer.get_json()["errors"]
    assert (error["name"], error["location"]) == (f"ratings.1.{place}", "body")
    assert kept(shop) == {}


def test_every_mistake_of_a_body_has_an_entry(shop):
    given = [{"user_id": "a/b", "item_id": "m1", "rating": 4}] * 20 + [OK] + [{}]
    answer = shop.client.post("/v1/ratings", json={"ratings": given}).get_json()
    places = [error["name"] for error in answer["errors"]]
    missing = ["ratings.21.user_id", "ratings.21.item_id"]
    assert places == [f"ratings.{n}.user_id" for n in range(20)] + missing
    assert answer["detail"].endswith("and 17 more, see errors")


@pytest.mark.parametrize("n", [0, 1001])
def test_a_request_has_one_to_a_thousand_ratings(shop, n):
    answer = shop.client.post("/v1/ratings", json={"ratings": [OK] * n})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["name"] == "ratings"
    assert len(answer.get_json()["errors"][0]["value"]) <= 300


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ('{"ratings": 1' + "0" * 5000 + "}", "application/json", 400),
        ("[1]", "application/json", 422),
        ('"{}"', "application/json", 422),
        ("null", "application/json", 422),
        (json.dumps({"ratings": [OK]}), "text/plain", 415),
        (json.dumps({"ratings": [OK]}), None, 415),
        ("user_id=1", "application/x-www-form-urlencoded", 415),
    ],
)
def test_what_is_no_json_object_is_refused(shop, body, kind, status):
    answer = shop.client.post("/v1/ratings", data=body, content_type=kind)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert kept(shop) == {}


def test_the_place_where_json_breaks_off_is_told(shop):
    answer = shop.client.post("/v1/ratings", data='{"ratings": [}', content_type="application/json")
    assert "line 1 column 14" in answer.get_json()["detail"]


def test_a_parameter_in_the_url_is_refused(shop):
    answer = shop.client.post("/v1/ratings?dry_run=true", json={"ratings": [OK]})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["location"] == "query"


def test_without_a_version_there_is_nothing_to_rate(empty_shop):
    assert empty_shop.client.post("/v1/ratings", json={"ratings": [OK]}).status_code == 503


def test_a_locked_database_is_503_and_nothing_is_acknowledged(fresh_shop, post, monkeypatch):
    monkeypatch.setattr("api.backend.LOCK_TIMEOUT", 0.01)
    with writing(fresh_shop.engine):
        answer = post(("1", "m1", 4))
        assert answer.status_code == 503
        assert answer.get_json()["type"] == "urn:recsys:problem:store"
    assert kept(fresh_shop) == {}
    assert post(("1", "m1", 4)).status_code == 200


def test_a_users_ratings_are_those_of_the_data_set_and_what_came_in_since(post, fresh_shop):
    before = rated_by(fresh_shop, 0)
    assert listed(fresh_shop, "1") == before
    item, *_ = before
    post(("1", item, 1.5), ("1", "m28", 4))
    assert listed(fresh_shop, "1") == {**before, item: 1.5, "m28": 4}


def test_what_came_in_comes_first_and_ratings_without_a_time_last(post, fresh_shop):
    post(("1", "m28", 4))
    first, *others = fresh_shop.get("/v1/users/1/ratings?limit=100").get_json()["items"]
    assert (first["item_id"], first["title"]) == ("m28", "Film 28")
    assert all(row["timestamp"] is None for row in others)


def test_somebody_known_by_what_came_in_alone_is_known(post, fresh_shop):
    assert fresh_shop.get("/v1/users/new/ratings").status_code == 404
    post(("new", "m1", 4))
    assert listed(fresh_shop, "new") == {"m1": 4}


def test_a_page_of_ratings_ends_where_the_next_begins(shop):
    whole = shop.all_pages("/v1/users/1/ratings?limit=100")
    assert shop.all_pages("/v1/users/1/ratings?limit=4") == whole
    beyond = shop.get("/v1/users/1/ratings?offset=2147483647").get_json()
    assert (beyond["items"], beyond["next"]) == ([], None)


def test_one_rating_is_forgotten_whether_trained_on_or_new(post, fresh_shop):
    before = rated_by(fresh_shop, 0)
    trained_on, *_ = before
    post(("1", "m28", 4))
    for item in (trained_on, "m28"):
        answer = fresh_shop.client.delete(f"/v1/users/1/ratings/{item}")
        assert (answer.status_code, answer.data) == (204, b"")
        assert "Content-Type" not in answer.headers
        assert item not in listed(fresh_shop, "1")
        assert fresh_shop.client.delete(f"/v1/users/1/ratings/{item}").status_code == 404
    del before[trained_on]
    assert listed(fresh_shop, "1") == before


def test_a_forgotten_rating_can_be_given_again(post, fresh_shop):
    item, *_ = rated_by(fresh_shop, 0)
    fresh_shop.client.delete(f"/v1/users/1/ratings/{item}")
    post(("1", item, 2))
    assert listed(fresh_shop, "1")[item] == 2


def test_a_user_who_is_forgotten_is_unknown_until_they_rate_again(post, fresh_shop):
    post(("1", "m28", 4))
    assert fresh_shop.client.delete("/v1/users/1/ratings").status_code == 204
    assert fresh_shop.get("/v1/users/1/ratings").status_code == 404
    assert fresh_shop.client.delete("/v1/users/1/ratings").status_code == 404
    with fresh_shop.engine.connect() as connection:
        (row,) = connection.execute(select(FeedbackRow.__table__)).all()
    assert (row.user_id, row.item_id, row.value, row.is_erased) == ("1", "", None, True)
    post(("1", "m2", 3))
    assert listed(fresh_shop, "1") == {"m2": 3}


def test_what_is_unknown_cannot_be_forgotten(shop):
    unknown = shop.client.delete("/v1/users/nobody/ratings")
    assert unknown.get_json()["type"] == "urn:recsys:problem:unknown-user"
    unrated = shop.client.delete("/v1/users/1/ratings/m28")
    assert unrated.get_json()["type"] == "urn:recsys:problem:not-found"
    assert kept(shop) == {}


PREDICTED = "/v1/users/{}/predictions?item_ids=m3,m4"
LISTED = "/v1/users/{}/recommendations?limit=100"


def stars(shop, user_id):
    rows = shop.get(PREDICTED.format(user_id)).get_json()["items"]
    return [row["predicted_rating"] for row in rows]


def recommended(shop, user_id):
    return {row["item_id"] for row in shop.get(LISTED.format(user_id)).get_json()["items"]}


def test_ratings_count_at_once_in_predictions_and_lists(folding_shop):
    before, was_listed = stars(folding_shop, "1"), recommended(folding_shop, "1")
    item = min(was_listed)
    give(folding_shop, ("1", item, 1), ("1", "m1", 1), ("1", "m2", 1))
    assert all(after < star for after, star in zip(stars(folding_shop, "1"), before, strict=True))
    assert item not in recommended(folding_shop, "1")


def test_somebody_new_has_lists_from_their_first_rating_to_their_last_erasure(folding_shop):
    for url in (LISTED, PREDICTED):
        assert folding_shop.get(url.format("new")).status_code == 404
    give(folding_shop, ("new", "m1", 5))
    assert len(recommended(folding_shop, "new")) == 27  # all that anybody rated, less their own
    assert None not in stars(folding_shop, "new")
    folding_shop.client.delete("/v1/users/new/ratings/m1")
    for url in (LISTED, PREDICTED):
        assert folding_shop.get(url.format("new")).status_code == 404


def test_a_user_who_is_forgotten_is_recommended_nothing_of_their_own(folding_shop):
    folding_shop.client.delete("/v1/users/1/ratings")
    answer = folding_shop.get(LISTED.format("1"))
    assert answer.status_code == 404
    popular = folding_shop.get(LISTED.format("1") + "&fallback=popular").get_json()
    assert popular["fallback"] == "popular"


def test_the_bounds_of_ids_and_times_are_described(shop):
    schemas = shop.get("/openapi.json").get_json()["components"]["schemas"]
    described = schemas["GivenRating"]["properties"]
    (number,) = [kind for kind in described["user_id"]["anyOf"] if kind["type"] == "integer"]
    assert (number["minimum"], number["maximum"]) == (-(2**53), 2**53)
    (time,) = [kind for kind in described["timestamp"]["anyOf"] if kind["type"] == "integer"]
    assert (time["minimum"], time["maximum"]) == (0, 100_000_000_000)
    ratings = schemas["GivenRatings"]["properties"]["ratings"]
    assert (ratings["minItems"], ratings["maxItems"]) == (1, 1000)
