import html
import re
from weakref import WeakKeyDictionary

import pytest

from api.kept_answers import KeptAnswers

NAMES = ["Worst rated", "Best rated", "Where bias and mean disagree"]


def tables(page):
    """Return the rows of each table of biases, title and numbers."""
    found = {}
    for name, table in re.findall(
        r'<table class="biases".*?<caption><b>(.*?)</b>.*?<tbody>(.*?)</tbody>', page.text, re.S
    ):
        found[name] = [
            (
                html.unescape(re.search(r"<b>(.*?)</b>", row)[1]),
                re.findall(r'class="right">(.*?)<', row),
            )
            for row in re.findall(r"<tr>.*?</tr>", table, re.S)
            if "<b>" in row
        ]
    return found


def test_both_ends_are_those_of_the_api(full_shop):
    page = full_shop.get("/insights?min_ratings=1&limit=5")
    shown = tables(page)
    assert list(shown) == NAMES
    for name, order in (("Worst rated", "worst"), ("Best rated", "best")):
        url = f"/v1/insights/bias?order={order}&limit=5&min_ratings=1"
        rows = full_shop.get(url).get_json()["items"]
        assert [title for title, _ in shown[name]] == [row["title"] for row in rows]
        bias, n_ratings, mean, rank, _ = shown[name][0][1]
        assert float(bias.replace("−", "-")) == pytest.approx(rows[0]["bias"], abs=0.005)
        assert (int(n_ratings), int(rank)) == (rows[0]["n_ratings"], rows[0]["rank_by_bias"])
        assert float(mean) == pytest.approx(rows[0]["mean_rating"], abs=0.005)


def test_what_disagrees_most_comes_first(full_shop):
    rows = tables(full_shop.get("/insights?min_ratings=1&limit=10"))[NAMES[2]]
    gaps = [abs(int(numbers[-2]) - int(numbers[-1])) for _, numbers in rows]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 0


def test_error_bars_are_as_long_as_the_errors(full_shop):
    rows = full_shop.get("/v1/insights/bias?order=worst&limit=5&min_ratings=1").get_json()["items"]
    page = full_shop.get("/insights?min_ratings=1&limit=5")
    drawn = [
        (float(left), float(right))
        for left, right in re.findall(r'class="range" x1="([\d.]+)" x2="([\d.]+)"', page.text)[:5]
    ]
    lengths = [right - left for left, right in drawn]
    scales = [length / row["standard_error"] for length, row in zip(lengths, rows, strict=True)]
    assert scales == pytest.approx([scales[0]] * 5, rel=1e-3)


def test_a_version_without_biases_says_why(network_shop):
    page = network_shop.get("/insights")
    assert page.status_code == 200
    assert "learns no bias of an item" in page.text


@pytest.fixture
def fitted_on_few_ratings(full_shop, monkeypatch):
    """Let the axes be fitted on items with any rating: here hardly one has twenty."""
    monkeypatch.setattr(
        "recsys.analysis.pca.well_known", lambda items, *_: items.item_counts.nonzero()[0]
    )
    monkeypatch.setattr("api.readings._kept", WeakKeyDictionary())
    monkeypatch.setitem(full_shop.app.extensions, "recsys.kept", KeptAnswers(0))


@pytest.mark.usefixtures("fitted_on_few_ratings")
def test_each_axis_has_a_page_with_its_ends_and_what_goes_along_with_it(full_shop):
    links = re.findall(r'href="(/insights/axes/\d)"', full_shop.get("/insights").text)
    assert links == [f"/insights/axes/{n}" for n in range(4)]
    for n, link in enumerate(links):
        page = full_shop.get(link)
        axis = full_shop.get(f"/v1/insights/pca/{n}?top=20").get_json()
        ends = [*axis["highest"], *axis["lowest"]]
        halves = html.unescape(page.text.split('class="halves"')[1])
        assert re.findall(r"<b>(.*?)</b>", halves) == [
            "Highest", *(film["title"] for film in axis["highest"]),
            "Lowest", *(film["title"] for film in axis["lowest"]),
        ]  # fmt: skip
        assert page.text.count('<th scope="row">') == len(ends) + len(axis["correlates"])
        assert f'href="/explore?x={n}&amp;y={0 if n else 1}"' in page.text


@pytest.mark.usefixtures("fitted_on_few_ratings")
def test_an_axis_that_there_is_not_is_not_found(full_shop):
    page = full_shop.get("/insights/axes/99", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "there is no axis 99; 4 are all, counted from 0" in page.text


def test_where_no_film_has_enough_ratings_the_page_says_so(full_shop):
    page = full_shop.get("/insights")
    assert "0 films have as many" in page.text
    assert "too few films have 20 ratings" in page.text
