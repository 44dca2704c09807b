import gzip
import re

import numpy as np
import pytest

from benchmarks.map_frames import random_points
from recsys import store

HTML = {"Accept": "text/html"}
COORDINATES = "/explore/coordinates.json?component=0"


def test_points_are_the_coordinates_of_the_axes_those_with_the_most_ratings_first(full_shop):
    points = full_shop.get("/explore/points.json?min_ratings=1").get_json()
    items = full_shop.all_pages("/v1/items?limit=100&min_ratings=1")
    assert points["item_id"] == [item["item_id"] for item in items]
    for n, item in enumerate(items):
        assert points["title"][n] == item["title"]
        assert points["year"][n] == item["year"]
        assert points["n_ratings"][n] == item["n_ratings"]
        assert [points["genre_names"][genre] for genre in points["genres"][n]] == item["genres"]
    stored = store.load_snapshot(full_shop.engine, 1, "rating").items
    biases = [round(float(stored.item_bias[stored.item_ids.row(i)]), 4) for i in points["item_id"]]
    assert points["bias"] == biases


def test_every_column_has_one_entry_per_film(full_shop):
    points = full_shop.get("/explore/points.json").get_json()
    lengths = {
        len(points[name]) for name in ("item_id", "title", "year", "genres", "n_ratings", "bias")
    }
    assert lengths == {len(points["item_id"])}


def test_coordinates_are_of_the_same_films_in_the_same_order(browsed_shop):
    points = browsed_shop.get("/explore/points.json?min_ratings=1").get_json()
    seen = browsed_shop.all_pages("/v1/insights/map?limit=100&min_ratings=1")
    for component, name in enumerate("xy"):
        url = f"/explore/coordinates.json?min_ratings=1&component={component}"
        found = browsed_shop.get(url).get_json()
        assert found["model_id"] == points["model_id"]
        known = {item["item_id"]: item[name] for item in seen}
        places = dict(zip(points["item_id"], found["coordinates"], strict=True))
        assert places == pytest.approx(known, abs=5.1e-5)  # four digits behind the point


def test_an_axis_that_there_is_not_has_no_coordinates(browsed_shop):
    for component, status in (("7", 404), ("8", 422), ("", 422)):
        answer = browsed_shop.get(f"/explore/coordinates.json?component={component}")
        assert answer.status_code == status


def test_a_browser_that_holds_the_points_is_sent_none(full_shop):
    tag = full_shop.get("/explore/points.json").headers["ETag"]
    again = full_shop.get("/explore/points.json", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("url", ["/explore/points.json", COORDINATES, "/insights"])
def test_a_browser_that_can_unpack_is_sent_the_same_packed(browsed_shop, url):
    plain = browsed_shop.get(url)
    assert "Content-Encoding" not in plain.headers
    packed = browsed_shop.get(url, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    # Of other bytes, so no strong tag; the browser that holds them is sent none.
    tag = packed.headers["ETag"]
    assert tag == f"W/{plain.headers['ETag']}"
    assert browsed_shop.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_without_axes_the_page_says_why_there_is_no_map(full_shop):
    assert "There is no map" in full_shop.get("/explore").text


def test_an_axis_that_cannot_be_chosen_is_refused(full_shop):
    page = full_shop.get("/explore?x=99", headers=HTML)
    assert page.status_code == 422
    assert re.search(r"x: Input should be less than 8", page.text)


def test_the_benchmark_of_the_map_hands_it_what_the_server_would(browsed_shop):
    served = browsed_shop.get("/explore/points.json").get_json()
    made, places = random_points(5, np.random.default_rng(0))
    assert made.keys() == served.keys()
    assert places.keys() == browsed_shop.get(COORDINATES).get_json().keys()
    assert len(places["coordinates"]) == 5
    assert made["axes"][0].keys() == served["axes"][0].keys()
    assert {len(made[name]) for name in ("item_id", "title", "year", "genres", "bias")} == {5}
