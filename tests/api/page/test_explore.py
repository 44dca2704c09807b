import re

import numpy as np

from benchmarks.map_frames import random_points
from recsys import store

HTML = {"Accept": "text/html"}


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
    assert len(points["axes"]) == len(points["coordinates"])


def test_a_browser_that_holds_the_points_is_sent_none(full_shop):
    tag = full_shop.get("/explore/points.json").headers["ETag"]
    again = full_shop.get("/explore/points.json", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_without_axes_the_page_says_why_there_is_no_map(full_shop):
    assert "There is no map" in full_shop.get("/explore").text


def test_an_axis_that_cannot_be_chosen_is_refused(full_shop):
    page = full_shop.get("/explore?x=99", headers=HTML)
    assert page.status_code == 422
    assert re.search(r"x: Input should be less than 8", page.text)


def test_the_benchmark_of_the_map_hands_it_what_the_server_would(browsed_shop):
    served = browsed_shop.get("/explore/points.json").get_json()
    made = random_points(5, np.random.default_rng(0))
    assert made.keys() == served.keys()
    assert made["axes"][0].keys() == served["axes"][0].keys()
    assert {len(made[name]) for name in ("item_id", "title", "year", "genres", "bias")} == {5}
