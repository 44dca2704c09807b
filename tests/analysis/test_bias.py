from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from recsys.analysis import bias_table
from recsys.data import IdMap
from recsys.errors import DataError, NotFoundError, UsageError
from recsys.model.item_side import Head


def test_worst_and_best_run_from_the_two_ends(make_items):
    items, catalogue = make_items([0.2, -0.7, 0.9, -0.1], [50] * 4)
    table = bias_table(items, catalogue)
    assert [row.item_id for row in table.worst(2)] == ["i1", "i3"]
    assert [row.item_id for row in table.best(2)] == ["i2", "i0"]
    assert [row.item_id for row in table.best(2, offset=1)] == ["i0", "i3"]
    assert table.worst(9, offset=4) == ()


def test_a_network_has_no_bias_to_rank_by(make_items):
    items, catalogue = make_items([0.0, 0.0], [50, 50])
    head = Head((np.zeros((4, 1), np.float32),), (np.zeros(1, np.float32),))
    with pytest.raises(NotFoundError, match="learns no bias of an item apart from its embedding"):
        bias_table(replace(items, head=head), catalogue)


def test_a_row_is_ready_for_json(make_items):
    items, catalogue = make_items([0.5, -0.5], [25, 30], means=[4.0, 3.0])
    row = json.loads(json.dumps(asdict(bias_table(items, catalogue, residual_std=1.0).best(1)[0])))
    assert row.pop("shrunk_bias") == pytest.approx(0.42, abs=0.1)
    assert row == {
        "item_id": "i0",
        "title": "Film 0",
        "year": 1950,
        "n_ratings": 25,
        "n_training_ratings": 25,
        "bias": 0.5,
        "standard_error": 0.2,  # 1 / sqrt(25)
        "mean_rating": 4.0,
        "rank_by_bias": 1,
        "rank_by_mean": 1,
    }


def test_items_with_few_ratings_are_left_out_of_table_and_ranks(make_items):
    items, catalogue = make_items([2.0, 0.1, -2.0], [19, 20, 3], means=[5, 3, 1])
    (row,) = bias_table(items, catalogue, min_ratings=20).best(10)
    assert (row.item_id, row.rank_by_bias, row.rank_by_mean) == ("i1", 1, 1)


def test_an_item_never_trained_on_is_not_listed(make_items):
    items, catalogue = make_items([0.0, 0.3], [0, 1])
    assert [row.item_id for row in bias_table(items, catalogue, min_ratings=0).best(9)] == ["i1"]


def test_most_rated_keeps_the_most_rated(make_items):
    items, catalogue = make_items([0.4, 0.3, 0.2, 0.1], [7, 9, 8, 7])
    table = bias_table(items, catalogue, min_ratings=0, most_rated=3)
    assert {row.item_id for row in table.best(9)} == {"i1", "i2", "i0"}


def test_equal_means_share_the_better_rank(make_items):
    items, catalogue = make_items([0.4, 0.3, 0.2, 0.1], [50] * 4, means=[3, 5, 3, 1])
    assert [row.rank_by_mean for row in bias_table(items, catalogue).best(4)] == [2, 1, 2, 4]


def test_disagreements_are_the_widest_gaps_between_the_ranks(make_items):
    # By bias 1 2 3 4; by mean 4 2 1 3: gaps 3 0 2 1.
    items, catalogue = make_items([0.4, 0.3, 0.2, 0.1], [50] * 4, means=[1, 4, 5, 2])
    rows = bias_table(items, catalogue).disagreements(9)
    assert [row.item_id for row in rows] == ["i0", "i2", "i3"]


def test_implicit_feedback_has_no_mean_and_no_disagreement(make_items):
    items, catalogue = make_items([0.4, 0.3], [50, 50])
    table = bias_table(items, catalogue)
    assert table.best(1)[0].mean_rating is None
    assert table.best(1)[0].rank_by_mean is None
    assert table.disagreements(5) == ()


def test_shrinkage_by_hand(make_items):
    # residual_std 1, counts 100 and 25: errors .1 and .2, weights 100 and 25, biases 1 and -1.
    # Weighted mean .6; heterogeneity 100*.16 + 25*2.56 = 80; less k-1 = 1: 79.
    # Denominator 125 - (10000 + 625)/125 = 40; prior variance 79/40 = 1.975.
    # Prior mean: weights 1/(.01+1.975) = .503778 and 1/(.04+1.975) = .496278: .0075/1.000056.
    items, catalogue = make_items([1.0, -1.0], [100, 25])
    table = bias_table(items, catalogue, residual_std=1.0)
    assert table.prior_std == pytest.approx(np.sqrt(1.975))
    assert table.prior_mean == pytest.approx(0.0075, abs=1e-6)
    low, high = table.worst(2)
    assert high.shrunk_bias == pytest.approx(0.0075 + 1.975 / 1.985 * 0.9925, abs=1e-6)
    assert low.shrunk_bias == pytest.approx(0.0075 - 1.975 / 2.015 * 1.0075, abs=1e-6)


HUNDRED_BESIDE = {"reg_bias": 0.05, "n_prior": 100.0}


def test_what_training_has_shrunk_is_not_shrunk_again(make_items):
    # n = 100 and 25: penalties k = .05 (100 + 100) = 10 and .05 (25 + 100) = 6.25 ratings, so the
    # biases 1/1.1 and -1/1.25 are of the means 1 and -1: those of `test_shrinkage_by_hand`.
    items, catalogue = make_items([1 / 1.1, -1 / 1.25], [100, 25])
    table = bias_table(items, catalogue, residual_std=1.0, hyperparameters=HUNDRED_BESIDE)
    as_before = bias_table(*make_items([1.0, -1.0], [100, 25]), residual_std=1.0)
    assert table.prior_std == pytest.approx(as_before.prior_std)
    np.testing.assert_allclose(table.shrunk_bias, as_before.shrunk_bias, rtol=1e-6)
    np.testing.assert_allclose(table.standard_error, [31.25**-0.5, 110**-0.5])


def test_without_a_prior_the_penalty_grows_with_the_ratings(make_items):
    # k = .05 n: half of the penalty above for n = 100, and a fifth for n = 25.
    items, catalogue = make_items([1.0, -1.0], [100, 25])
    settings = {"reg_bias": 0.05}
    table = bias_table(items, catalogue, residual_std=1.0, hyperparameters=settings)
    np.testing.assert_allclose(table.standard_error, [26.25**-0.5, 105**-0.5])


def test_the_prior_behind_penalised_biases_is_found(make_items):
    # The biases as learned vary too little to find it from them.
    rng = np.random.default_rng(5)
    counts = rng.integers(1, 40, 3000)
    means = rng.normal(0, 0.25, 3000) + rng.normal(0, 0.85, 3000) / np.sqrt(counts)
    items, catalogue = make_items(means * counts / (counts + 0.05 * (counts + 100)), counts)
    table = bias_table(items, catalogue, residual_std=0.85, hyperparameters=HUNDRED_BESIDE)
    assert table.prior_std == pytest.approx(0.25, abs=0.03)
    assert bias_table(items, catalogue, residual_std=0.85).prior_std < 0.17


def test_planted_biases_are_recovered_better_after_shrinking(make_items):
    rng = np.random.default_rng(3)
    counts = np.exp(rng.uniform(0, 6, 2000)).astype(np.int32) + 1
    truth = rng.normal(-0.2, 0.5, 2000)
    learned = truth + rng.normal(0, 1, 2000) / np.sqrt(counts)
    items, catalogue = make_items(learned, counts)
    table = bias_table(items, catalogue, min_ratings=0, residual_std=1.0)
    assert table.prior_mean == pytest.approx(-0.2, abs=0.05)
    assert table.prior_std == pytest.approx(0.5, abs=0.05)
    before = np.mean((table.bias - truth[table.items]) ** 2)
    after = np.mean((table.shrunk_bias - truth[table.items]) ** 2)
    assert after < 0.6 * before
    # 95 % of the learned biases lie within two standard errors of the truth.
    within = np.abs(table.bias - truth[table.items]) < 2 * table.standard_error
    assert 0.93 < within.mean() < 0.97


def test_the_listing_does_not_change_a_shrunk_bias(make_items):
    items, catalogue = make_items([0.9, -0.4, 0.1, -1.2], [60, 40, 2, 30])
    all_rows = bias_table(items, catalogue, min_ratings=0, residual_std=0.9).best(9)
    few_rows = bias_table(items, catalogue, min_ratings=40, residual_std=0.9).best(9)
    shrunk = {row.item_id: row.shrunk_bias for row in all_rows}
    assert [row.shrunk_bias for row in few_rows] == [shrunk["i0"], shrunk["i1"]]


def test_with_a_sigmoid_range_errors_are_on_the_logit_scale_of_the_bias(make_items):
    # Range (0, 4) and mean logit 0: a logit is worth 4 * .5 * .5 = 1 star; with (0, 8), 2 stars.
    for high, error in ((4, 0.1), (8, 0.05)):
        items, catalogue = make_items([1, -1], [100, 100], y_range=(0, high), global_mean=0.0)
        row = bias_table(items, catalogue, residual_std=1.0).best(1)[0]
        assert row.standard_error == pytest.approx(error)


def test_a_penalty_on_logits_counts_by_what_they_are_worth(make_items):
    # Range (0, 8): a logit is worth 2 stars, so .05 on its square is .0125 on that of stars, and
    # in units of 2 stars again .05: k = 1.25 and 5 ratings beside the hundred; s is half a logit.
    items, catalogue = make_items([1, -1], [100, 100], y_range=(0, 8), global_mean=0.0)
    for unit, k in ((1.0, 1.25), (2.0, 5.0)):
        settings = {"reg_bias": 0.05, "unit": unit}
        table = bias_table(items, catalogue, residual_std=1.0, hyperparameters=settings)
        np.testing.assert_allclose(table.standard_error, 0.5 * (100 + k) ** -0.5)


def test_without_residual_std_nothing_is_claimed_about_the_error(make_items):
    row = bias_table(*make_items([1.0], [100])).best(1)[0]
    assert row.standard_error is None
    assert row.shrunk_bias is None


def test_identical_biases_shrink_onto_each_other(make_items):
    items, catalogue = make_items([0.25, 0.25, 0.25], [30, 60, 90])
    table = bias_table(items, catalogue, residual_std=1.0)
    assert table.prior_std == 0
    assert [row.shrunk_bias for row in table.best(3)] == pytest.approx([0.25] * 3)


def test_nothing_eligible_is_an_empty_table(make_items):
    table = bias_table(*make_items([0.0], [0]), min_ratings=0, residual_std=1.0)
    assert len(table) == 0
    assert table.worst(5) == table.best(5) == table.disagreements(5) == ()


def test_one_trained_item_is_its_own_prior(make_items):
    (row,) = bias_table(*make_items([0.5], [30]), residual_std=1.0).best(5)
    assert row.shrunk_bias == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"min_ratings": -1}, "min_ratings is -1"),
        ({"most_rated": 0}, "most_rated is 0"),
        ({"residual_std": 0.0}, "residual_std is 0.0"),
        ({"residual_std": float("nan")}, "residual_std is nan"),
    ],
)
def test_a_setting_out_of_range_is_named(make_items, setting, message):
    with pytest.raises(UsageError, match=message):
        bias_table(*make_items([0.1], [30]), **setting)


def test_a_catalogue_of_other_items_is_refused(make_items):
    items, catalogue = make_items([0.1], [30])
    with pytest.raises(DataError, match="different items"):
        bias_table(items, replace(catalogue, item_ids=IdMap(["other"])))
