from __future__ import annotations

import re

import numpy as np
import pytest

from recsys.analysis.items import catalogue_of
from recsys.analysis.report.about_people import people_section
from recsys.analysis.report.scores import score_version


@pytest.fixture(scope="module")
def told(make_version):
    """Scores of the planted version, and who is shown: user id, what was said of them, the list."""
    snapshots, ratings = make_version()
    scores = score_version(snapshots, ratings)
    _, *blocks = people_section(scores, catalogue_of(ratings)).blocks
    people = []
    for text, table in zip(blocks[::2], blocks[1::2], strict=True):
        user_id = re.match(r"User (\S+) rated", text.text).group(1)
        assert table.caption == f"Recommended to user {user_id}"
        people.append((user_id, text.text, table))
    return scores, people


def films_of(ratings, user_id, chosen=lambda _: True):
    """Titles, with years, of a user's ratings that are ``chosen`` by their stars."""
    user = ratings.user_ids.row(user_id)
    return {
        f"Film {item} ({1950 + item % 50})"
        for item, stars in zip(
            ratings.items[ratings.users == user].tolist(),
            ratings.values[ratings.users == user].tolist(),
            strict=True,
        )
        if chosen(stars)
    }


def test_three_people_are_shown_and_nobody_is_recommended_what_they_rated_in_training(told):
    scores, people = told
    assert len({user_id for user_id, _, _ in people}) == 3
    for user_id, _, table in people:
        listed = {row[1].removesuffix(" ✓") for row in table.rows}
        assert len(listed) == len(table.rows) >= 5
        assert not listed & films_of(scores.train, user_id)


def test_what_they_turned_out_to_like_is_marked_and_nothing_else(told):
    scores, people = told
    n_marked = 0
    for user_id, _, table in people:
        liked = films_of(scores.test, user_id, lambda stars: stars >= 4)
        for _, item, *_ in table.rows:
            assert item.endswith(" ✓") == (item.removesuffix(" ✓") in liked)
            n_marked += item.endswith(" ✓")
    assert n_marked > 0


def test_reasons_are_what_they_liked_in_training(told):
    scores, people = told
    for user_id, _, table in people:
        liked = films_of(scores.train, user_id, lambda stars: stars >= 4)
        for *_, reasons in table.rows:
            named = [reason.rsplit(" ", 1) for reason in reasons.split("; ")]
            assert len(named) == 2
            assert {film for film, _ in named} <= liked
            assert 1 >= float(named[0][1]) >= float(named[1][1]) > 0


def test_favourites_are_told_with_their_stars_best_first(told):
    scores, people = told
    for user_id, text, _ in people:
        named = re.findall(r"(Film \d+ \(\d+\)) ([\d.]+?)[;.](?= |$)", text)
        stars = [float(value) for _, value in named]
        assert len(named) == 5
        assert stars == sorted(stars, reverse=True)
        assert {film for film, _ in named} <= films_of(scores.train, user_id)


def test_stars_are_those_of_the_rating_embeddings(told):
    scores, people = told
    for user_id, _, table in people:
        user = scores.train.user_ids.row(user_id)
        for _, item, stars, _ in table.rows:
            row = int(re.match(r"Film (\d+)", item).group(1))
            (predicted,) = scores.served.rating.predict(np.array([user]), np.array([row]))
            assert stars == f"{predicted:.1f}"


def test_where_nobody_liked_ten_items_nobody_is_shown(make_version):
    snapshots, ratings = make_version(n_items=3)
    scores = score_version(snapshots, ratings)
    assert people_section(scores, catalogue_of(ratings)) is None
