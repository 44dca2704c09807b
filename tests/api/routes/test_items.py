import numpy as np
import pytest

from recsys.serving import SORTS


def ids(rows):
    return [row["item_id"] for row in rows]


def test_the_catalogue_has_every_item_with_the_most_rated_first(shop):
    rows = shop.get("/v1/items?limit=100").get_json()["items"]
    counts = np.bincount(shop.ratings.items, minlength=shop.ratings.n_items)
    assert set(ids(rows)) == set(shop.ratings.item_ids)
    assert [row["n_ratings"] for row in rows] == sorted(counts, reverse=True)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [7, 29, 30])
def test_following_next_gives_every_item_once_in_any_order(shop, sort, limit):
    whole = shop.get(f"/v1/items?sort={sort}&limit=100").get_json()["items"]
    assert shop.all_pages(f"/v1/items?sort={sort}&limit={limit}") == whole
    assert len(whole) == shop.ratings.n_items


def test_titles_are_searched_without_case_and_accents(shop):
    rows = shop.get("/v1/items?query=AMELIE%20fabuleux&limit=1").get_json()
    assert rows["next"] is not None
    assert set(ids(shop.all_pages("/v1/items?query=AMELIE%20fabuleux&limit=1"))) == {"m25", "m26"}


def test_a_search_without_a_hit_is_an_empty_list(shop):
    assert shop.get("/v1/items?query=%F0%9F%98%80").get_json()["items"] == []


def test_a_genre_narrows_the_catalogue(shop):
    rows = shop.all_pages("/v1/items?genre=film-noir&limit=5")
    assert len(rows) == 24  # all but every fifth of 30
    assert all("Film-Noir" in row["genres"] for row in rows)


def test_years_and_numbers_of_ratings_narrow_the_catalogue(shop):
    query = "year_min=1975&year_max=1990&min_ratings=4"
    rows = shop.all_pages(f"/v1/items?{query}&limit=3")
    counts = np.bincount(shop.ratings.items, minlength=shop.ratings.n_items)
    expected = [row for row in range(5, 21) if counts[row] >= 4]  # m0 is of 1970
    assert 3 < len(expected) < 16
    assert sorted(ids(rows)) == sorted(f"m{row}" for row in expected)
    assert shop.get("/v1/items?year_min=1990&year_max=1975").get_json()["items"] == []


def test_one_item_is_as_in_the_list(shop):
    rows = shop.get("/v1/items?limit=100").get_json()["items"]
    for row in rows:
        assert shop.get(f"/v1/items/{row['item_id']}").get_json() == row | {"model_id": 1}


def test_an_item_nobody_rated_has_no_mean(shop):
    item = shop.get("/v1/items/m29").get_json()
    assert (item["n_ratings"], item["mean_rating"]) == (0, None)


def test_similar_items_are_nearest_first_without_the_item_itself(shop):
    body = shop.get("/v1/items/m1/similar?limit=100&min_ratings=0").get_json()
    assert len(body["items"]) == 27  # all that were rated but m1
    scores = [row["score"] for row in body["items"]]
    assert "m1" not in ids(body["items"])
    assert scores == sorted(scores, reverse=True)
    assert all(-1 <= score <= 1 for score in scores)
    assert [row["rank"] for row in body["items"]] == list(range(1, len(scores) + 1))


def test_similar_items_have_as_many_ratings_as_asked_for(shop):
    rows = shop.get("/v1/items/m1/similar?limit=100&min_ratings=6").get_json()["items"]
    counts = [shop.get(f"/v1/items/{item_id}").get_json()["n_ratings"] for item_id in ids(rows)]
    assert 0 < len(counts) < 27
    assert min(counts) >= 6


def test_similar_items_have_twenty_ratings_unless_fewer_are_asked_for(shop):
    # Nobody but the twelve users of the shop rates there.
    assert shop.get("/v1/items/m1/similar").get_json()["items"] == []


def test_an_item_nobody_rated_is_similar_to_nothing(shop):
    assert shop.get("/v1/items/m29/similar?min_ratings=0").get_json()["items"] == []
