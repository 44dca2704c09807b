import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.data import IdMap
from recsys.errors import NotFoundError
from recsys.model.item_side import ItemSide
from recsys.model.newcomers import Newcomers
from recsys.model.snapshot import UserRow
from recsys.serving import Person, Recommender
from recsys.serving.explanations import (
    baseline,
    influences,
    nearest_liked,
    reasons,
    score_terms,
)
from recsys.serving.folding import Folding
from recsys.serving.lists import ListOrder

KNOWN = np.array([44, 33, 11, 3, 2, 33], dtype=np.int32)
SMALL = st.floats(-3, 3, width=32)


@pytest.fixture
def side(make_items):
    return make_items()


def test_the_terms_are_the_parts_of_the_dot_product_and_the_biases(side, make_user):
    # a: embedding (1, 0), bias .5; the user (2, 3), bias .25; the mean is 3.
    terms = score_terms(side, make_user([2, 3], bias=0.25), 0)
    assert (terms.global_mean, terms.user_bias, terms.item_bias) == (3, 0.25, 0.5)
    assert terms.factors == (2, 0)
    assert terms.trust == 1
    assert terms.score == 5.75


def test_where_a_list_trusts_few_ratings_less_so_do_the_terms(side, make_user):
    # c: embedding (2, 0), no bias; 10 training ratings, 10 / (10 + 10) = .5. 3 + .25 + .5 * 4.
    assert ListOrder("rating", side, KNOWN).trust(2) == 0.5
    assert ListOrder("ranking", side, KNOWN).trust(2) == 1
    terms = score_terms(side, make_user([2, 3], bias=0.25), 2, 0.5)
    assert (terms.trust, terms.factors, terms.score) == (0.5, (2, 0), 5.25)


@given(
    user=arrays(np.float32, 5, elements=SMALL),
    item=arrays(np.float32, 5, elements=SMALL),
    biases=st.tuples(SMALL, SMALL, SMALL),
    seed=st.integers(0, 9),
)
def test_terms_add_up_without_rounding_in_any_order(user, item, biases, seed):
    mean, user_bias, item_bias = biases
    nothing = np.empty(0, np.int32)
    side = ItemSide(
        IdMap("a"),
        item[None],
        np.array([item_bias], np.float32),
        np.array([7], np.int32),
        mean,
        None,
        (1, 5),
    )
    row = UserRow(user, user_bias, nothing, None)
    for shrunk in (False, True):
        trust = ListOrder("rating" if shrunk else "ranking", side, np.array([9])).trust(0)
        terms = score_terms(side, row, 0, trust)
        parts = [terms.global_mean, terms.user_bias, terms.item_bias, *terms.factors]
        np.random.default_rng(seed).shuffle(parts)
        assert sum(parts) == terms.score
        *_, last = itertools.accumulate(parts)
        assert last == terms.score
        served = (side.list_scores if shrunk else side.scores)(user, user_bias)[0]
        assert terms.score == pytest.approx(float(served), abs=1e-5)


@pytest.mark.parametrize(("mean", "is_exact"), [(2.0**13 - 1, True), (2.0**13, False)])
def test_terms_add_up_without_rounding_while_sums_are_below_two_to_the_thirteenth(
    side, make_user, mean, is_exact
):
    # With 2^-40, 2^13 - 1 has the 13 + 40 = 53 bits that a float64 has; 2^13 has 54.
    terms = score_terms(replace(side, global_mean=mean), make_user([0, 0], bias=2.0**-40), 1)
    assert (terms.global_mean, terms.user_bias) == (mean, 2.0**-40)
    exact = Fraction(mean) + Fraction(2.0**-40) + Fraction(terms.item_bias)
    assert (Fraction(terms.score) == exact) == is_exact


def test_a_network_has_no_terms(make_items, make_head, make_user):
    side = make_items(head=make_head(2, 2, 4))
    with pytest.raises(NotFoundError, match="no sum of terms"):
        score_terms(side, make_user([1, 1]), 0)


def person(make_user, rated, values, folded=None):
    row = replace(make_user([1, 0], rated=rated), rated_values=values)
    return Person({"rating": row}, folded or {})


def test_the_nearest_liked_items_come_with_their_share_of_all_similarity(side, make_user):
    # From e (.5, .5): a (1, 0) has cosine sqrt(.5), and so has b (0, 1); both are liked. c (2, 0)
    # has it too, but 3 stars are not liked; d has no direction.
    stars = np.array([4, 5, 3, 5], np.float32)
    near = nearest_liked(side, person(make_user, [0, 1, 2, 3], stars), 4, 3)
    assert [reason.row for reason in near] == [0, 1]
    assert [reason.value for reason in near] == [4, 5]
    assert [reason.similarity for reason in near] == pytest.approx([0.5**0.5] * 2)
    assert [reason.share for reason in near] == pytest.approx([0.5, 0.5])


def test_without_stars_all_that_was_chosen_is_liked(side, make_user):
    # From a (1, 0): c (2, 0) has cosine 1, e (.5, .5) sqrt(.5), b (0, 1) none.
    near = nearest_liked(side, person(make_user, [0, 1, 2, 4], None), 0, 1)
    assert [(reason.row, reason.value) for reason in near] == [(2, None)]
    assert near[0].share == pytest.approx(1 / (1 + 0.5**0.5))


def test_an_item_without_an_embedding_and_a_user_who_likes_nothing_have_no_reasons(side, make_user):
    everything = person(make_user, [0, 1, 2], None)
    assert nearest_liked(side, everything, 3, 5) == []
    assert nearest_liked(side, person(make_user, [], None), 0, 5) == []
    strict = person(make_user, [0, 1], np.array([1, 3.5], np.float32))
    assert nearest_liked(side, strict, 2, 5) == []


@pytest.fixture(params=[("rating",), ("ranking",), ("rating", "ranking")], ids="+".join)
def asked(request, source, files, make_items):
    """A version that can fold in, of either objective or both."""
    sides = {
        objective: make_items(
            item_bias=np.array([0.5, 0.25, 0, 0, 0, 0], np.float32) * scale,
            newcomers=Newcomers(
                2.0, 0.1, 1.0, unobserved, np.array([0.25, 0.5], np.float32) * unobserved
            ),
        )
        for objective, unobserved, scale in (("rating", 0.0, 1), ("ranking", 0.1, -1))
        if objective in request.param
    }
    source.add(2, **sides)
    return Recommender.load(source, 2, files)


def test_with_all_influences_the_baselines_are_the_scores(asked):
    someone, _ = asked.fold_in(["a", "b", "e"], [5, 1, 4.5])
    order = asked.order
    for row in (0, 1, 2, 4, 5):
        told = reasons(asked, someone, row, 10)
        trust, listing = order.trust(row), order.objective
        score = score_terms(order.side, someone.rows[listing], row, trust).score
        rest = baseline(order.side, someone.folded[listing], row, score, trust)
        assert rest + sum(reason.influence for reason in told) == score
        strengths = [abs(reason.influence) for reason in told]
        assert strengths == sorted(strengths, reverse=True)
        if "rating" in asked.sides:
            side = asked.side("rating")
            stars = score_terms(side, someone.rows["rating"], row).score
            rest = baseline(side, someone.folded["rating"], row, stars)
            assert rest + sum(reason.stars_influence for reason in told) == stars
        else:
            assert {reason.stars_influence for reason in told} == {None}


def test_the_baseline_of_shrunk_stars_is_the_mean_and_the_items_bias(make_items):
    side = make_items(newcomers=Newcomers(2.0, 0.0, 1.0, 0.0, np.zeros(2, np.float32)))
    someone, _ = Folding({"rating": side}, side.item_ids).person(["a", "b"], [5, 1])
    # a has 40 training ratings and the bias .5: 3 + 40/50 * .5
    score = score_terms(side, someone.rows["rating"], 0, 0.8).score
    assert baseline(side, someone.folded["rating"], 0, score, 0.8) == pytest.approx(3.4, abs=1e-6)


def test_an_influence_on_stars_is_linear_in_the_rating(make_items):
    side = make_items(newcomers=Newcomers(2.0, 0.0, 1.0, 0.0, np.zeros(2, np.float32)))
    fold = Folding({"rating": side}, side.item_ids)

    def influence(stars):
        someone, _ = fold.person(["a", "b"], [stars, 3])
        return influences(side, someone.folded["rating"], 2)

    low, middle, high = influence(1), influence(2), influence(4)  # each of a, and of b
    assert high[0] - middle[0] == pytest.approx(2 * (middle[0] - low[0]))
    assert low[1] == middle[1] == high[1]  # that of the other rating


def test_a_dislike_that_moves_no_order_still_moves_the_stars(source, files, make_items):
    newcomers = Newcomers(2.0, 0.1, 1.0, 0.0, np.zeros(2, np.float32))
    source.add(
        2,
        rating=make_items(newcomers=newcomers),
        ranking=make_items(newcomers=replace(newcomers, unobserved=0.1)),
    )
    asked = Recommender.load(source, 2, files)
    someone, _ = asked.fold_in(["a", "c"], [1, 5])
    liked, disliked = reasons(asked, someone, 4, 5)
    assert (liked.row, liked.value) == (2, 5)
    assert liked.influence > 0
    assert (disliked.row, disliked.influence) == (0, 0)
    assert disliked.stars_influence < 0


def test_a_trained_user_has_no_influences(source, files, make_items, make_user):
    someone = person(make_user, [1], None)
    asked = Recommender.load(source, 1, files)
    assert baseline(asked.order.side, None, 0, 3.0) is None
    (near,) = reasons(asked, someone, 4, 3)
    assert (near.row, near.influence, near.stars_influence) == (1, None, None)


def test_what_was_only_chosen_has_no_rating_beside_its_influence(asked):
    someone, _ = asked.fold_in(["a", "b"], [5, None])
    told = {reason.row: reason.value for reason in reasons(asked, someone, 4, 5)}
    assert told[0] == 5
    assert told.get(1) is None
