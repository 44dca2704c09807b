from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError, NotFoundError, UnknownUserError
from recsys.model.item_side import ItemSide
from recsys.model.newcomers import Newcomers
from recsys.serving import Filters, Recommender


@pytest.fixture
def recommender(source, files):
    return Recommender.load(source, 1, files)


def ids(recommender, rows):
    return "".join(recommender.catalogue.item_ids[row] for row in rows)


def listed(recommender, *args, **options):
    return ids(recommender, recommender.recommend(*args, **options).items)


def test_a_list_is_ordered_by_stars_shrunk_where_ratings_are_few(recommender):
    # User "1": base = 3 + .5. Beyond it: a 1 + .5, b 0 + .25, c 2 + 0, e .5, f 0.
    # Trust n/(n+10): a 40/50 = .8, b 30/40 = .75, c 10/20 = .5, e 2/12 = 1/6, f .75.
    # Scores: a 3.5 + 1.2, b 3.5 + .1875, c 3.5 + 1, e 3.5 + 1/12, f 3.5; a is seen.
    ranked = recommender.recommend("1", 10)
    assert ids(recommender, ranked.items) == "cbef"
    np.testing.assert_allclose(ranked.scores, [4.5, 3.6875, 3.5 + 1 / 12, 3.5], rtol=1e-6)
    # Stars are those predicted, not shrunk; c has 3.5 + 2 = 5.5, clipped to the scale.
    np.testing.assert_allclose(ranked.stars, [5.0, 3.75, 4.0, 3.5], rtol=1e-6)


def test_seen_items_come_back_when_asked_for(recommender):
    assert listed(recommender, "1", exclude_seen=False) == "acbef"


def test_an_item_without_training_ratings_is_never_recommended(recommender):
    assert "d" not in listed(recommender, "2", 100, exclude_seen=False)


def test_filters_apply_before_the_list_is_cut(recommender):
    assert listed(recommender, "1", 1, filters=Filters(genre="Western")) == "e"


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_pages_add_up_to_the_list_and_the_last_one_says_so(recommender, n):
    pages = [recommender.recommend("2", n, offset=offset) for offset in range(0, 5, n)]
    assert "".join(ids(recommender, page.items) for page in pages) == listed(recommender, "2", 5)
    assert [page.has_more for page in pages] == [True] * (len(pages) - 1) + [False]


def test_a_list_with_its_stars_scores_the_catalogue_once(recommender, monkeypatch):
    scored = []
    scores = ItemSide.scores
    monkeypatch.setattr(
        ItemSide, "scores", lambda side, *user: scored.append(user) or scores(side, *user)
    )
    assert recommender.recommend("1").stars is not None
    assert len(scored) == 1


def test_an_offset_beyond_the_end_is_an_empty_page(recommender):
    page = recommender.recommend("2", 5, offset=2**31)
    assert not len(page.items)
    assert not page.has_more


def test_an_unknown_user_raises_with_the_id(recommender):
    with pytest.raises(UnknownUserError, match="'nobody' is unknown to version 1"):
        recommender.recommend("nobody")
    with pytest.raises(UnknownUserError):
        recommender.predict("nobody", ["a"])


def test_popular_items_are_those_with_the_most_ratings(recommender):
    ranked = recommender.popular(3)
    assert ids(recommender, ranked.items) == "abf"
    assert ranked.scores.tolist() == [44, 33, 33]
    np.testing.assert_allclose(ranked.stars, [3.5, 3.25, 3.0])  # global mean and item bias
    assert ranked.has_more


def test_predictions_agree_bit_for_bit_with_the_stars_of_the_list(recommender):
    ranked = recommender.recommend("1", 10)
    predicted = recommender.predict("1", list(ids(recommender, ranked.items)))
    assert predicted.tobytes() == ranked.stars.tobytes()


def test_predictions_keep_the_order_asked_for_and_are_nan_for_unknown_items(recommender):
    # User "2": base 3 - .5; b 1 + .25, a .5; d without training ratings gets the base.
    predicted = recommender.predict("2", ["b", "nothing", "a", "d", "b"])
    np.testing.assert_allclose(predicted, [3.75, np.nan, 3.0, 2.5, 3.75])


def test_similar_items_are_the_nearest_by_cosine_without_the_item_itself(recommender):
    # From a = (1, 0): c (2, 0) has cosine 1, e (.5, .5) 1/sqrt(2), b and f (0, 1) have 0.
    ranked = recommender.similar_items("a", 3, min_ratings=0)
    assert ids(recommender, ranked.items) == "ceb"
    np.testing.assert_allclose(ranked.scores, [1, 0.5**0.5, 0], atol=1e-6)


def test_similar_items_may_be_limited_to_those_with_enough_ratings(recommender):
    # e has 2 known ratings, c 11, b and f 33.
    assert ids(recommender, recommender.similar_items("a", min_ratings=11).items) == "cbf"
    assert ids(recommender, recommender.similar_items("a", min_ratings=12).items) == "bf"


def test_similar_items_have_twenty_ratings_unless_fewer_are_asked_for(
    recommender, source, files, monkeypatch
):
    known = recommender.catalogue.n_ratings.copy()
    known[[2, 4]] = 20, 19
    catalogue = replace(recommender.catalogue, n_ratings=known)
    monkeypatch.setattr(source, "catalogue", lambda model_id: catalogue)
    recommender = Recommender.load(source, 1, files)
    assert ids(recommender, recommender.similar_items("a").items) == "cbf"
    assert ids(recommender, recommender.similar_items("a", min_ratings=19).items) == "cebf"


def test_an_item_without_training_ratings_is_near_nothing_and_nothing_is_near_it(recommender):
    assert not len(recommender.similar_items("d", min_ratings=0).items)
    assert "d" not in ids(recommender, recommender.similar_items("a", min_ratings=0).items)


def test_similar_items_of_an_unknown_item_are_not_found(recommender):
    with pytest.raises(NotFoundError, match="'nothing'"):
        recommender.similar_items("nothing")


def test_ranking_embeddings_order_the_list_and_rating_embeddings_give_the_stars(
    source, files, make_items, make_user
):
    flat = np.array([0, 3, 0, 9, 1, 2], dtype=np.float32)
    source.add(2, rating=make_items(), ranking=make_items(item_bias=flat))
    source.users["ranking", "1"] = make_user([0, 0], rated=[0])
    recommender = Recommender.load(source, 2, files)

    ranked = recommender.recommend("1")

    # By item bias alone, unshrunk: b 3, f 2, e 1, c 0; d is untrained, a seen.
    assert ids(recommender, ranked.items) == "bfec"
    np.testing.assert_allclose(ranked.stars, [3.75, 3.5, 4.0, 5.0], rtol=1e-6)


def test_a_version_without_rating_embeddings_has_lists_but_no_stars(
    source, files, make_items, make_user
):
    source.add(2, ranking=make_items())
    source.users["ranking", "1"] = make_user([1, 0])
    recommender = Recommender.load(source, 2, files)
    assert recommender.recommend("1").stars is None
    assert recommender.popular().stars is None
    with pytest.raises(NotFoundError, match="version 2 has no rating embeddings"):
        recommender.predict("1", ["a"])


def test_a_version_without_embeddings_is_not_loaded(source, files):
    source.add(2)
    with pytest.raises(NotFoundError, match="version 2 holds no embeddings"):
        Recommender.load(source, 2, files)


def test_embeddings_of_other_items_than_the_catalogue_are_refused(source, files, make_items):
    from recsys.data import IdMap

    source.add(2, rating=make_items(item_ids=IdMap("abcdeX")))
    with pytest.raises(DataError, match="different items"):
        Recommender.load(source, 2, files)


@pytest.fixture
def network(source, files, make_items, make_head, make_user):
    """A recommender by a network; user "1" has an embedding longer than an item's."""
    side = make_items(item_bias=np.zeros(6, np.float32), head=make_head(3, 2, 8, 4))
    source.add(3, rating=side)
    source.users["rating", "1"] = make_user([0.5, -1, 2], rated=[0])
    return Recommender.load(source, 3, files)


def test_a_network_is_run_over_the_whole_catalogue(network):
    side, p = network.side("rating"), np.array([0.5, -1, 2], np.float32)
    # The network by its definition: one pair of embeddings, laid end to end, at a time.
    expected = []
    for q in side.item_factors:
        x = np.concatenate([p, q])
        for n, (weight, bias) in enumerate(zip(side.head.weights, side.head.biases, strict=True)):
            x = (x if n == 0 else np.maximum(x, 0)) @ weight + bias
        expected.append(x[0] + 3)
    base = np.average(expected, weights=side.item_counts)
    trust = side.item_counts / (side.item_counts + 10)
    shrunk = base + trust * (np.array(expected) - base)

    ranked = network.recommend("1", exclude_seen=False)

    assert ranked.items.tolist() == sorted([0, 1, 2, 4, 5], key=lambda row: (-shrunk[row], row))
    np.testing.assert_allclose(ranked.scores, shrunk[ranked.items], rtol=1e-5)
    stars = np.clip(expected, 0.5, 5)
    np.testing.assert_allclose(ranked.stars, stars[ranked.items], rtol=1e-5)
    np.testing.assert_allclose(network.predict("1", list("abcdef")), stars, rtol=1e-5)


def test_a_network_has_similar_and_popular_items(network):
    assert ids(network, network.similar_items("a", 3, min_ratings=0).items) == "ceb"
    assert ids(network, network.popular(3).items) == "abf"
    assert np.isfinite(network.popular(3).stars).all()


def test_a_newcomer_gets_a_list_by_the_same_road_as_a_user_who_was_trained(
    source, files, make_items
):
    mean = np.zeros(2, np.float32)
    items = replace(make_items(), newcomers=Newcomers(2.0, 0.0, 1.0, 0.0, mean))
    source.add(2, rating=items)
    recommender = Recommender.load(source, 2, files)

    newcomer, unknown = recommender.fold_in(["a", "zebra"], [5.0, 1.0])

    assert unknown == ["zebra"]
    # 5 is 1.5 above 3 + .5; x = (1, 0, 1): w = B^-1 x 1.5 / (1 + 1/2 + 1) = (.3, 0) and .6.
    np.testing.assert_allclose(newcomer.rows["rating"].factors, [0.3, 0], rtol=1e-6)
    np.testing.assert_allclose(recommender.predict(newcomer, ["a", "c"]), [4.4, 4.2], rtol=1e-6)
    # Like user "1", they like axis 0; what they rated is left out, and filters apply.
    assert listed(recommender, newcomer) == listed(recommender, "1") == "cbef"
    assert listed(recommender, newcomer, exclude_seen=False)[0] == "a"
    assert listed(recommender, newcomer, filters=Filters(genre="Western")) == "e"


def test_new_ratings_of_a_known_user_count_at_once(source, files, make_items):
    mean = np.zeros(2, np.float32)
    source.add(2, rating=replace(make_items(), newcomers=Newcomers(2.0, 0.0, 1.0, 0.0, mean)))
    recommender = Recommender.load(source, 2, files)
    known = recommender.person("1")

    after, _ = recommender.fold_in(["f"], [0.5], known=known)

    np.testing.assert_array_equal(after.rated_items, [0, 5])
    assert "f" not in listed(recommender, after)
    assert recommender.predict(after, ["b"])[0] < recommender.predict(known, ["b"])[0]


def test_a_version_without_what_newcomers_take_still_serves_and_says_so_when_asked(recommender):
    assert listed(recommender, "1") == "cbef"
    with pytest.raises(NotFoundError, match="recsys train"):
        recommender.fold_in(["a"], [5.0])
