import pytest

URLS = [
    "/v1/users/1/recommendations",
    "/v1/users/1/predictions?item_ids=m1",
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
