import html
import re
from dataclasses import replace

import pytest

HTML = {"Accept": "text/html"}
COMPARISON = "/models/compare?from=1&to=2"


def cells(row):
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]


@pytest.fixture
def two_versions(fresh_shop):
    """A store with two versions, the first promoted."""
    fresh_shop.train(seed=2, promote=False)
    return fresh_shop


def test_versions_are_listed_newest_first_with_what_is_served(two_versions):
    page = two_versions.get("/models")
    body = page.text.split("<tbody>")[1].split("</tbody>")[0]
    rows = [cells(row) for row in re.findall(r"<tr>.*?</tr>", body, re.S)]
    assert [row[0] for row in rows] == ["2", "1 champion"]
    assert [row[2] for row in rows] == ["tiny", "tiny"]
    assert rows[0][4] == "0.9000"  # the held-out RMSE that was stored
    assert "Version 1 is the champion" in page.text


@pytest.mark.parametrize(
    ("damaged", "told"), [("= 2", "but version 1 is served"), ("> 0", "but nothing is served")]
)
def test_what_stands_in_for_a_damaged_champion_is_named(fresh_shop, damaged, told):
    fresh_shop.train(seed=2)
    with fresh_shop.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE item_embeddings SET factors = x'00' WHERE snapshot_id {damaged}"
        )
    page = fresh_shop.get("/models").text
    assert f"Version 2 is the champion, {told}: version 2 cannot be loaded" in page


def test_a_store_without_versions_says_that_nothing_is_served(empty_shop):
    assert "Nothing is served" in empty_shop.get("/models").text


def test_older_versions_are_on_the_next_page(two_versions):
    page = two_versions.get("/models?limit=1")
    assert "Older versions" not in page.text  # of one alone nothing can be compared
    two_versions.train(seed=3, promote=False)
    first = two_versions.get("/models?limit=2").text
    (link,) = re.findall(r'href="([^"]+)">Older versions', first)
    assert ">1</a>" in two_versions.get(link).text


def test_a_version_shows_its_curves_from_its_first_epoch_to_its_last(fresh_shop):
    history = tuple(
        {"epoch": epoch, "train_loss": loss, "validation_rmse": None}
        for epoch, loss in ((1, 3.0), (2, 1.0), (3, 2.0))
    )
    make = fresh_shop.train.__func__.__kwdefaults__["make"]
    model_id = fresh_shop.train(
        seed=2, make=lambda ratings, seed: replace(make(ratings, seed), history=history)
    )
    page = fresh_shop.get(f"/models/{model_id}")
    # From the top, the largest, to the bottom, and half of the way back.
    assert 'points="0.00,0.00 50.00,100.00 100.00,50.00"' in page.text
    assert "training loss: 3 to 2 in 3 epochs, lowest 1" in page.text
    curve = page.text.split('<div class="curve">')[1]
    assert re.findall("<span>(.*?)</span>", curve) == ["3", "1", "1", "epoch 3"]
    assert "held-out RMSE" not in page.text
    assert fresh_shop.ratings.fingerprint in page.text


def test_an_alias_names_a_version_and_an_unknown_one_is_not_found(fresh_shop):
    assert "Version 1, champion" in fresh_shop.get("/models/champion").text
    assert fresh_shop.get("/models/99", headers=HTML).status_code == 404


def test_two_versions_are_compared_by_metrics_and_settings(two_versions):
    page = two_versions.get("/models/compare?from=1&to=2")
    rows = [cells(row) for row in re.findall(r"<tr>.*?</tr>", page.text, re.S)]
    assert ["rmse", "0.9000", "0.9000", "+0.0000"] in rows
    assert ["seed", "1", "2"] in rows


def test_what_moved_is_that_of_the_api(browsed_shop):
    # Without script a link leads from the comparison to what moved.
    (link,) = re.findall(
        r'<section data-include>.*?href="(.*?)"', browsed_shop.get(COMPARISON).text, re.S
    )
    page = browsed_shop.get(html.unescape(link)).text
    for name, sort in (("Moved farthest", "distance"), ("Rank by bias changed most", "rank")):
        url = f"/v1/insights/drift?from=1&to=2&limit=10&sort={sort}"
        drift = browsed_shop.get(url).get_json()
        table = page.split(f"<b>{name}</b>")[1].split("</table>")[0]
        rows = [cells(row) for row in re.findall(r"<tr>.*?</tr>", table, re.S)][1:]
        assert [[float(row[2]), int(row[4]), int(row[5])] for row in rows] == [
            [round(item["distance"], 2), item["rank_before"], item["rank_after"]]
            for item in drift["items"]
        ]
    assert re.findall("<dd>(.*?)</dd>", page) == [
        f"{100 * drift['list_overlap']:.0f} %",
        f"{100 * drift['neighbour_overlap']:.0f} %",
        f"{drift['alignment']:.3f}",
        f"{drift['bias_correlation']:.3f}".replace("-", "−"),
    ]


def test_where_nothing_can_be_compared_the_page_says_why(two_versions):
    page = two_versions.get("/models/compare/drift?from=1&to=2")
    assert page.status_code == 200
    assert "drift needs 3 or more" in page.text
    assert two_versions.get("/models/compare?from=1", headers=HTML).status_code == 422
