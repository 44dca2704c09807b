from dataclasses import replace

import pytest

from recsys import store
from recsys.data import IdMap

URLS = [
    "/v1/users/1/recommendations",
    "/v1/users/1/predictions?item_ids=m1",
    "/v1/users/1/ratings",
    "/v1/items",
    "/v1/items/m1",
    "/v1/items/m1/similar",
    "/v1/insights/bias",
    "/v1/models",
    "/v1/models/champion",
]


@pytest.mark.parametrize("url", URLS)
def test_a_client_with_the_current_copy_is_told_304_without_a_body(shop, url):
    first = shop.get(url)
    again = shop.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Content-Type" not in again.headers


@pytest.mark.parametrize("url", URLS)
def test_a_client_with_another_copy_is_given_the_answer(shop, url):
    assert shop.get(url, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_copy_is_to_be_checked_before_it_is_used_again(shop):
    assert shop.get(URLS[0]).headers["Cache-Control"] == "no-cache"


def test_different_questions_have_different_tags(shop):
    urls = [
        *URLS[:-2],
        "/v1/users/2/recommendations",
        "/v1/users/1/recommendations?limit=5",
        "/v1/users/1/recommendations?offset=5",
    ]
    assert len({shop.get(url).headers["ETag"] for url in urls}) == len(urls)


def test_a_question_mark_in_an_id_is_not_where_the_query_begins(fresh_shop):
    item_ids = IdMap("m1?b" if n == 2 else f"m{n}" for n in range(30))
    fresh_shop.ratings = replace(fresh_shop.ratings, name="odd", item_ids=item_ids)
    fresh_shop.data_set_id = store.save_data_set(fresh_shop.engine, fresh_shop.ratings)
    fresh_shop.train(seed=1)
    odd = fresh_shop.get("/v1/items/m1%3Fb")
    assert odd.get_json()["item_id"] == "m1?b"
    # Of the item m1, with a parameter "b?" that does not exist.
    for held in ({}, {"If-None-Match": odd.headers["ETag"]}):
        assert fresh_shop.get("/v1/items/m1?b?", headers=held).status_code == 422


@pytest.mark.parametrize("url", URLS)
def test_a_promotion_changes_the_tag(fresh_shop, url):
    before = fresh_shop.get(url).headers["ETag"]
    fresh_shop.train(seed=2)
    after = fresh_shop.get(url, headers={"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["ETag"] != before


def test_a_stored_version_changes_the_registrys_tag_even_if_it_is_not_promoted(fresh_shop):
    before = fresh_shop.get("/v1/models").headers["ETag"]
    fresh_shop.train(seed=2, promote=False)
    assert fresh_shop.get("/v1/models", headers={"If-None-Match": before}).status_code == 200


def test_a_tag_weakened_by_a_proxy_still_counts(shop):
    tag = shop.get(URLS[0]).headers["ETag"]
    assert shop.get(URLS[0], headers={"If-None-Match": f'"x", W/{tag}'}).status_code == 304


def test_a_star_is_any_copy_of_what_there_is(shop):
    assert shop.get(URLS[0], headers={"If-None-Match": "*"}).status_code == 304


def test_an_error_has_no_tag_and_is_never_304(shop):
    answer = shop.get("/v1/users/99999/recommendations", headers={"If-None-Match": "*"})
    assert answer.status_code == 404
    assert "ETag" not in answer.headers


OF_USER_1 = [url for url in URLS if "/users/1/" in url]
WRITES = {
    "rating": lambda shop, user: shop.client.post(
        "/v1/ratings", json={"ratings": [{"user_id": user, "item_id": "m28", "rating": 4}]}
    ),
    "correction": lambda shop, user: shop.client.delete(
        f"/v1/users/{user}/ratings/{shop.ratings.item_ids[rated(shop, user)]}"
    ),
}


def rated(shop, user):
    """Return the row of an item that a user has rated."""
    return shop.ratings.items[shop.ratings.users == int(user) - 1][0]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("url", OF_USER_1)
def test_what_came_in_of_a_user_changes_the_tag_at_once(fresh_shop, url, write):
    before = fresh_shop.get(url).headers["ETag"]
    assert WRITES[write](fresh_shop, "1").status_code in (200, 204)
    after = fresh_shop.get(url, headers={"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["ETag"] != before


@pytest.mark.parametrize("url", OF_USER_1)
def test_what_came_in_of_somebody_else_leaves_the_tag(fresh_shop, url):
    before = fresh_shop.get(url).headers["ETag"]
    WRITES["rating"](fresh_shop, "2")
    assert fresh_shop.get(url, headers={"If-None-Match": before}).status_code == 304


def test_feedback_that_comes_in_while_an_answer_is_made_is_not_vouched_for(fresh_shop, monkeypatch):
    """The tag must be that of what the answer knows, or the next 304 would hide the feedback."""
    url = "/v1/users/1/ratings"
    monkeypatch.setattr(
        "api.routes.ratings.next_page", lambda **_: str(WRITES["rating"](fresh_shop, "1"))
    )
    answered = fresh_shop.get(url + "?limit=1")
    monkeypatch.undo()
    again = fresh_shop.get(url + "?limit=1", headers={"If-None-Match": answered.headers["ETag"]})
    assert again.status_code == 200
