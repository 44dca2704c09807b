import html
import re
from itertools import pairwise

import pytest

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)).strip()


def titles(answer):
    """Return the titles of the list."""
    films = answer.text.split('<ol class="films">')[1].split("</ol>")[0]
    return [html.unescape(title) for title in re.findall(r"<b>(.*?)</b>", films)]


def test_nobody_in_particular_gets_the_most_rated_films(full_shop):
    page = full_shop.get("/")
    most_rated = full_shop.get("/v1/items?limit=10").get_json()["items"]
    assert page.status_code == 200
    assert titles(page) == [item["title"] for item in most_rated]


def test_the_list_is_that_of_the_api_for_the_same_ratings(full_shop):
    page = full_shop.get("/?rated=m1:5,m2:1.5&genre=Comedy&popularity=0.5")
    asked = {
        "ratings": [{"item_id": "m1", "rating": 5}, {"item_id": "m2", "rating": 1.5}],
        "genre": "Comedy",
        "popularity": 0.5,
    }
    listed = full_shop.client.post("/v1/recommendations", json=asked).get_json()["items"]
    assert titles(page) == [item["title"] for item in listed]
    assert f"{listed[0]['predicted_rating']:.1f}" in text_of(page)


def test_stars_given_in_a_form_become_the_address_of_the_page(full_shop):
    given = full_shop.get("/?rated=m1:5&genre=Comedy&item=m2&stars=3")
    assert given.status_code == 303
    assert given.location == "/?genre=Comedy&rated=m1:5,m2:3"
    removed = full_shop.get("/?rated=m1:5,m2:3&remove=m1")
    assert removed.location == "/?rated=m2:3"


def test_a_film_without_stars_does_not_count_yet(full_shop):
    page = full_shop.get("/?rated=m1:")
    assert "Rate a film or two" in page.text
    assert "Film 01" in page.text.split('id="rated"')[1]


def test_the_bars_of_each_film_add_up(full_shop):
    page = full_shop.get("/?rated=m1:5,m2:1,m3:4,m4:2,m5:3,m6:5,m7:1")
    tables = re.findall(r'<table class="bars">.*?</table>', page.text, re.S)
    assert len(tables) == 20  # ten films, the place and the stars of each
    for table in tables:
        *terms, total = (float(value) for value in re.findall(r'<data value="([^"]+)"', table))
        assert sum(terms) == pytest.approx(total, abs=1e-6)
        ends = [
            (float(x), float(x) + float(width))
            for x, width in re.findall(r' x="([\d.]+)" y="0" width="([\d.]+)"', table)
        ]
        # Each bar begins where the one before ended.
        for before, after in pairwise(ends):
            assert any(abs(a - b) < 0.7 for a in before for b in after)


def test_search_works_without_script(full_shop):
    page = full_shop.get("/?query=film+07")
    found = page.text.split("<h2>Found</h2>")[1].split("</ul>")[0]
    assert re.findall(r"<b>(.*?)</b>", found) == ["Film 07"]
    assert "No title has these words" in full_shop.get("/?query=nothing").text


def test_ratings_that_no_address_can_mean_are_refused_with_the_reason(full_shop):
    page = full_shop.get("/?rated=m1", headers=HTML)
    assert page.status_code == 422
    assert "is no rating; allowed: such as 318:4.5" in text_of(page)


def test_a_film_that_the_version_does_not_know_is_said_and_left_out(full_shop):
    page = full_shop.get("/?rated=m1:5,nope:4")
    assert "1 of the films in this address" in text_of(page)
    assert titles(page) == titles(full_shop.get("/?rated=m1:5"))


def test_a_version_that_folds_nobody_in_says_so_and_lists_the_most_rated(shop):
    page = shop.get("/?rated=m1:5")
    assert page.status_code == 200
    assert "Most rated films" in page.text
    assert titles(page) == titles(shop.get("/"))


def test_a_known_user_is_opened_by_id(full_shop):
    assert full_shop.get("/users?user_id=3").location == "/users/3"
    assert full_shop.get("/users?user_id=").location == "/"


def test_a_users_page_has_their_list_their_history_and_reasons_that_make_a_whole(full_shop):
    page = full_shop.get("/users/1")
    listed = full_shop.get("/v1/users/1/recommendations").get_json()["items"]
    known = full_shop.get("/v1/users/1/ratings?limit=100").get_json()["items"]
    assert titles(page) == [item["title"] for item in listed]
    history = page.text.split('class="rated history"')[1].split("</ul>")[0]
    assert re.findall(r"<b>(.*?)</b>", html.unescape(history)) == [
        rating["title"] for rating in known
    ]
    shares = re.search(r'<table class="bars">.*?</table>', page.text, re.S)[0]
    *terms, total = (float(value) for value in re.findall(r'<data value="([^"]+)"', shares))
    assert sum(terms) == pytest.approx(total) == pytest.approx(1)


def test_what_if_is_the_list_folded_in_from_the_rest_beside_the_ranks_with_all(full_shop):
    known = full_shop.get("/v1/users/1/ratings?limit=100").get_json()["items"]
    left_out, rest = known[0]["item_id"], known[1:]
    page = full_shop.get(f"/users/1?without={left_out}")

    def folded(ratings):
        asked = {
            "ratings": [{"item_id": one["item_id"], "rating": one["rating"]} for one in ratings],
            "limit": 100,
        }
        answer = full_shop.client.post("/v1/recommendations", json=asked).get_json()
        return [item["title"] for item in answer["items"]]

    before, after = folded(known), folded(rest)
    assert titles(page) == after[:10]
    shown = re.findall(r'<span class="before">(.*?)</span>', page.text)
    expected = [
        "new"
        if title not in before
        else "as before"
        if before.index(title) == rank
        else f"was {before.index(title) + 1}"
        for rank, title in enumerate(after[:10])
    ]
    assert shown == expected
    assert f'id="toggle {left_out}" href="/users/1"' in page.text  # puts it back


def test_without_all_ratings_the_most_rated_films_are_left(full_shop):
    known = full_shop.get("/v1/users/1/ratings?limit=100").get_json()["items"]
    everything = ",".join(one["item_id"] for one in known)
    page = full_shop.get(f"/users/1?without={everything}")
    assert "Nothing is left to go by" in page.text
    assert titles(page) == titles(full_shop.get("/"))


def test_where_the_data_has_no_ratings_films_are_chosen_and_each_counts(implicit_shop):
    page = implicit_shop.get("/?rated=m1:")
    asked = {"ratings": [{"item_id": "m1"}]}
    listed = implicit_shop.client.post("/v1/recommendations", json=asked).get_json()
    assert listed["fallback"] is None
    assert titles(page) == [item["title"] for item in listed["items"]]
    assert "Chosen" in page.text
    assert 'class="stars"' not in page.text
