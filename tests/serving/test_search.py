from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import NotFoundError
from recsys.serving import SORTS, Filters, Search


@pytest.fixture
def search(source):
    return Search(source.catalogue(1))


def ids(search, mask):
    return "".join(search.catalogue.item_ids[row] for row in np.flatnonzero(mask))


def all_pages(search, limit, **options):
    found, after = [], None
    while True:
        rows, after = search.page(
            **{"query": "", "filters": Filters(), "sort": "title"} | options,
            limit=limit,
            after=after,
        )
        found += [search.catalogue.item_ids[row] for row in rows]
        if after is None:
            return "".join(found)


def test_no_filter_passes_every_item(search):
    assert ids(search, search.matching(Filters())) == "abcdef"


@pytest.mark.parametrize("genre", ["Sci-Fi", "sci-fi", "SCI-FI"])
def test_a_genre_is_found_in_any_case(search, genre):
    assert ids(search, search.matching(Filters(genre=genre))) == "ac"


def test_an_unknown_genre_passes_nothing(search):
    assert ids(search, search.matching(Filters(genre="Opera"))) == ""


def test_both_years_are_included_and_an_item_without_year_fails(search):
    assert ids(search, search.matching(Filters(year_min=1979, year_max=1995))) == "ace"
    assert ids(search, search.matching(Filters(year_min=-9999))) == "abcde"


def test_a_first_year_after_the_last_passes_nothing(search):
    assert ids(search, search.matching(Filters(year_min=2001, year_max=1979))) == ""


def test_min_ratings_counts_known_ratings(search):
    assert ids(search, search.matching(Filters(min_ratings=33))) == "abf"
    assert ids(search, search.matching(Filters(min_ratings=2**31 - 1))) == ""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("amelie", "b"),  # accents do not count
        ("BRAZIL 1985", "c"),  # the year is searched too
        ("an", "de"),  # part of a word: CasablANca, MAN
        ("man dead", "e"),  # every word, in any order
        ("dead alive", ""),
        ("f", "f"),  # an item without title is found by its id
        ("  ", "abcdef"),
    ],
)
def test_titles_are_found_by_all_words_of_the_query(search, query, found):
    assert ids(search, search.titled(query)) == found


def test_an_item_without_a_title_is_found_by_its_year_too(source):
    catalogue = source.catalogue(1)
    titles = tuple(None if title == "Brazil" else title for title in catalogue.metadata.titles)
    search = Search(replace(catalogue, metadata=replace(catalogue.metadata, titles=titles)))
    assert ids(search, search.titled("1985")) == "c"
    assert ids(search, search.titled("c 1985")) == "c"
    assert ids(search, search.titled("brazil")) == ""


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-n_ratings", "abfcde"),  # 44 33 33 11 3 2: b before its equal f, by row
        ("n_ratings", "edcbfa"),
        ("-mean_rating", "eabcfd"),
        ("mean_rating", "dfbcae"),
        ("year", "dacebf"),  # the one without year comes last either way
        ("-year", "becadf"),
        ("title", "abcdef"),
        ("-title", "edcbaf"),
    ],
)
def test_items_are_sorted_with_equals_by_row_and_unknown_last(search, sort, order):
    assert all_pages(search, 100, sort=sort) == order


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 6])
def test_pages_of_any_size_add_up_to_the_whole_order(search, sort, limit):
    assert all_pages(search, limit, sort=sort) == all_pages(search, 100, sort=sort)


def test_pages_go_on_after_an_item_that_does_not_match_itself(search):
    rows, _ = search.page(
        query="", filters=Filters(genre="Sci-Fi"), sort="title", limit=5, after="b"
    )
    assert rows.tolist() == [2]


def test_a_page_after_an_unknown_item_is_not_found(search):
    with pytest.raises(NotFoundError, match="'zz'"):
        search.page(query="", filters=Filters(), sort="title", limit=5, after="zz")


def test_implicit_feedback_sorts_by_mean_rating_as_unknown(search, source):
    implicit = Search(replace(source.catalogue(1), mean_ratings=None))
    assert all_pages(implicit, 100, sort="-mean_rating") == "abcdef"
