"""The pages as somebody with a browser uses them."""

import csv
import re
from collections import defaultdict

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from benchmarks.map_frames import random_points
from recsys import store

VIEWS = [
    "/?rated=m1:5,m2:1,m5:4",
    "/users/1",
    "/explore",
    "/insights",
    "/insights/axes/0",
    "/models",
    "/models/1",
    "/models/compare?from=1&to=2",
]
MEGABYTE = 1_000_000
# Row and column of each square that is drawn, from the top.
DRAWN_BLOCKS = """() => {
  const canvas = document.querySelector("#map canvas"), { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const is = (row, column) => data[4 * (row * width + column) + 3] > 0;
  const found = [];
  for (let row = 1; row < height; row += 1)
    for (let column = 1; column < width; column += 1)
      if (is(row, column) && !is(row - 1, column) && !is(row, column - 1))
        found.push([row, column]);
  return found;
}"""
FIRST_CONTENT = """new Promise((resolve) => new PerformanceObserver((list) => {
  const [entry] = list.getEntriesByName("first-contentful-paint");
  if (entry) resolve(entry.startTime);
}).observe({ type: "paint", buffered: true }))"""


def titles(page):
    return page.locator(".films .name b").all_inner_texts()


def open_map(page, url="/explore"):
    page.goto(url)
    expect(page.locator("#map[data-ready]")).to_be_attached()


def test_three_films_are_rated_by_keyboard_and_the_list_follows_with_bars_that_add_up(page):
    page.goto("/")
    before = titles(page)
    for words, stars in (("film 05", 5), ("film 11", 2), ("film 17", 4)):
        box = page.get_by_label("Find a film to rate")
        box.fill(words)
        expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
        box.press("ArrowDown")
        box.press("Enter")
        # The focus is on the stars of the film that was chosen.
        first = page.locator(":focus")
        expect(first).to_have_attribute("aria-label", "1")
        for _ in range(stars - 1):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        group = page.get_by_role("group", name=f"Stars for {words.title()}")
        expect(group.get_by_role("button", pressed=True)).to_have_attribute(
            "aria-label", str(stars)
        )
    expect(page.get_by_text("From 3 ratings.")).to_be_visible()
    assert page.url.endswith("?rated=m5:5,m11:2,m17:4")
    assert titles(page) != before
    for table in page.locator(".films details[open] .bars").all():
        values = table.locator("data").evaluate_all("all => all.map((one) => Number(one.value))")
        assert len(values) >= 3
        assert sum(values[:-1]) == pytest.approx(values[-1], abs=1e-6)
        assert table.locator("rect").count() == len(values) - 2


def test_going_back_undoes_a_rating(page):
    page.goto("/?rated=m5:5")
    page.get_by_role("group", name="Stars for Film 05").get_by_role("button", name="2").click()
    expect(page).to_have_url(re.compile("m5:2"))
    page.go_back()
    group = page.get_by_role("group", name="Stars for Film 05")
    expect(group.get_by_role("button", pressed=True)).to_have_attribute("aria-label", "5")


def test_filters_and_the_dial_change_the_list_as_they_are_turned(page):
    page.goto("/?rated=m5:5,m6:1")
    everything = titles(page)
    page.get_by_label("Genre").select_option("Comedy")
    expect(page).to_have_url(re.compile("genre=Comedy"))
    for shown in page.locator(".films .genres").all_inner_texts():
        assert "Comedy" in shown
    page.get_by_label("Genre").select_option("")
    expect(page).not_to_have_url(re.compile("genre"))
    page.get_by_label("Popularity").fill("1")
    expect(page).to_have_url(re.compile("popularity=1"))
    assert titles(page) != everything


def test_leaving_a_rating_out_shows_what_it_did(page):
    page.goto("/users/1")
    page.get_by_role("link", name=re.compile("^Leave out")).first.click()
    expect(page.get_by_role("heading", name="Recommended without 1 rating")).to_be_visible()
    expect(page.locator(".before")).to_have_count(10)
    page.get_by_role("link", name="Put all back").click()
    expect(page.locator(".before")).to_have_count(0)


def test_a_film_is_flown_to_on_the_map_and_shows_its_neighbours(page):
    open_map(page)
    ticks = page.locator("#map .tick").all_text_contents()
    box = page.get_by_role("combobox", name="Fly to a film")
    box.fill("film 07")
    page.get_by_role("option", name="Film 07").click()
    expect(page.get_by_role("heading", name="Film 07 (1977)")).to_be_visible()
    expect(page.locator("#film li")).to_have_count(10)
    expect(page.locator(".rays line")).to_have_count(10)
    expect(page.locator("#map .tick").first).not_to_have_text(ticks[0])  # it has moved
    # The film lies in the middle, where it can be pointed at.
    page.locator("#map").scroll_into_view_if_needed()
    middle = page.locator("#map").bounding_box()
    page.mouse.move(middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2)
    expect(page.locator(".tip")).to_contain_text("Film 07 (1977)")


def test_a_lasso_makes_a_list_to_download_with_coordinates(page):
    open_map(page)
    page.get_by_role("button", name="Lasso").click()
    page.locator("#map").scroll_into_view_if_needed()
    box = page.locator("#map").bounding_box()
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)]
    for n, (right, down) in enumerate(corners):
        page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"], steps=4)
        if n == 0:
            page.mouse.down()
    page.mouse.up()
    n_films = int(page.locator("#map").get_attribute("data-ready"))
    expect(page.get_by_role("heading", name=f"{n_films} films selected")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    with open(download.value.path(), newline="", encoding="utf-8") as file:  # noqa: PTH123
        rows = list(csv.DictReader(file))
    shown = page.request.get("/explore/points.json").json()
    along = page.request.get("/explore/coordinates.json?component=1").json()["coordinates"]
    assert {row["item_id"] for row in rows} == set(shown["item_id"])
    first = shown["item_id"].index(rows[0]["item_id"])
    assert float(rows[0]["axis_1"]) == along[first]


def test_thousands_of_films_are_drawn_each_where_it_lies(page):
    points, places = random_points(7000, np.random.default_rng(0))
    # Two lie at the ends of the diagonal, all others in its middle.
    places["coordinates"] = [-4.0, 4.0, *[0.0] * 6998]
    page.route("**/explore/points.json*", lambda route: route.fulfill(json=points))
    page.route("**/explore/coordinates.json*", lambda route: route.fulfill(json=places))
    open_map(page)
    high, middle, low = page.evaluate(DRAWN_BLOCKS)
    assert high[0] < low[0]
    assert high[1] > low[1]
    assert middle == pytest.approx([(a + b) / 2 for a, b in zip(high, low, strict=True)], abs=2)


def test_other_axes_and_colours_are_kept_in_the_address(page):
    open_map(page)
    page.get_by_label("Across").select_option("2")
    page.get_by_label("Colour").select_option("genre Comedy")
    expect(page).to_have_url(re.compile("x=2.*colour=genre(%20|\\+)Comedy"))
    expect(page.locator("#legend")).to_contain_text("Comedy")
    open_map(page, page.url)
    expect(page.get_by_label("Across")).to_have_value("2")
    # Another version is promoted while the page is open: its films are read, then its axes.
    of_another = {"model_id": 99, "coordinates": []}
    page.route(
        "**/coordinates.json?*component=0", lambda route: route.fulfill(json=of_another), times=1
    )
    page.get_by_label("Across").select_option("0")
    expect(page.locator("#x-title")).to_have_text(re.compile("^(0:|axis 0)"))


def test_the_worst_rated_table_is_open_to_see(page):
    page.goto("/")
    page.get_by_role("link", name="Insights").click()
    table = page.get_by_role("table", name=re.compile("^Worst rated"))
    expect(table.locator("tbody tr")).to_have_count(15)
    biases = [
        float(text.replace("−", "-"))
        for text in table.locator("tbody td:nth-of-type(1)").all_inner_texts()
    ]
    assert biases == sorted(biases)
    assert table.locator("svg .range").count() == 15


def test_what_a_promotion_moved_stands_below_the_insights_and_in_the_comparison(page):
    for url in ("/insights", "/models/compare?from=1&to=2"):
        page.goto(url)
        section = page.locator("[data-include]")
        expect(section.get_by_role("heading")).to_have_text(
            "What moved from version 1 to version 2"
        )
        expect(section.get_by_text("films on a user's list are the same")).to_be_visible()
        expect(section.get_by_role("table", name="Moved farthest")).to_be_visible()


def test_a_film_that_is_called_like_a_script_is_harmless_wherever_it_stands(page):
    name = "<script>document.title='taken over'</script>"
    for url in ("/?rated=m3:5", "/?query=script", "/insights"):
        page.goto(url)
        expect(page.get_by_text(name).first).to_be_attached()
    open_map(page, "/explore?item=m3")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.goto("/")
    page.get_by_label("Find a film to rate").fill("taken over")
    expect(page.get_by_role("option", name=name)).to_be_visible()
    assert "taken over" not in page.title()


@pytest.mark.parametrize("url", VIEWS)
def test_a_view_is_accessible_and_within_the_screen(page, url):
    page.goto(url)
    if url == "/explore":
        expect(page.locator("#map[data-ready]")).to_be_attached()
    expect(page.locator("[aria-busy]")).to_have_count(0)  # what comes later is there
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_each_view_is_light_and_shows_something_within_a_second(browser, address):
    context = browser.new_context(base_url=address)
    page, weights = context.new_page(), defaultdict(int)

    def weigh(got):
        size = int(got.headers.get("content-length", 0))  # 304 has none
        weights[got.url] = max(weights[got.url], size)

    page.on("response", weigh)
    open_map(page)
    for url in VIEWS:
        page.goto(url)
        page.goto(url)  # now that the server has what it needs
        # Milliseconds; a promise to whoever looks, with two orders of magnitude to spare.
        assert page.evaluate(FIRST_CONTENT) < 1000, url
    context.close()
    # All views together.
    assert 0 < sum(size for asked, size in weights.items() if "/d3-" not in asked) < MEGABYTE


def test_without_script_films_are_searched_rated_and_recommended(browser, address):
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Find a film to rate").fill("film 07")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("group", name="Stars for Film 07").first.get_by_role(
        "button", name="4"
    ).click()
    expect(page.get_by_text("From 1 rating.")).to_be_visible()
    page.get_by_label("Genre").select_option("Drama")
    page.get_by_role("button", name="Update").click()
    assert "genre=Drama" in page.url
    assert "rated=m7:4" in page.url.replace("%3A", ":")
    context.close()


def test_a_version_is_promoted_and_rolled_back_with_a_key(page, folding_shop, fresh_address):
    second = folding_shop.train(seed=2, promote=False)
    key = store.create_key(folding_shop.engine, "someone")
    page.goto(f"{fresh_address}/models")
    served = page.locator("h1 + p")
    expect(served).to_contain_text("Version 1 is the champion")

    page.get_by_role("button", name=f"Promote version {second}").click()
    expect(page.get_by_role("alert")).to_contain_text("A valid key is needed")
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name=f"Promote version {second}").click()
    expect(served).to_contain_text(f"Version {second} is the champion")
    assert folding_shop.get("/readyz").get_json()["model_id"] == second

    page.get_by_role("button", name="Roll back the champion").click()
    expect(served).to_contain_text("Version 1 is the champion")
    assert folding_shop.get("/readyz").get_json()["model_id"] == 1
    # Nothing keeps the key: it is gone with the page.
    page.reload()
    assert page.get_by_label("Key").input_value() == ""
    assert (
        page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    )


def test_where_reads_need_a_key_it_is_given_once_and_the_scripts_work_too(browser, guarded):
    url, key = guarded
    login = {"username": "anybody", "password": key}
    context = browser.new_context(base_url=url, http_credentials=login)
    page = context.new_page()
    page.goto("/users/1")
    page.get_by_role("link", name="recsys").click()
    page.get_by_label("Find a film to rate").press_sequentially("film 07")
    expect(page.get_by_role("option", name="Film 07")).to_be_visible()
    context.close()
