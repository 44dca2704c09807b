from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from recsys.analysis.report.scores import OURS, score_version
from recsys.analysis.report.standings import NDCG, difference_table, standing, verdict
from recsys.data.split import held_out
from recsys.evaluation.comparison import Comparison
from recsys.evaluation.evaluate import evaluate
from recsys.model.baselines import global_mean, item_mean

STARS = (OURS, "rival")


@pytest.fixture(scope="module")
def against(make_version):
    """Scores of one predictor as this version, and of another as the only baseline."""
    snapshots, ratings = make_version()
    is_test = held_out(ratings)
    train, test = ratings.select(~is_test), ratings.select(is_test)
    scores = score_version(snapshots, ratings)

    def make(ours, theirs):
        comparison = Comparison()
        found = {OURS: evaluate(ours(train), train, test)}
        comparison.add(found | {"rival": evaluate(theirs(train), train, test)})
        return replace(scores, comparison=comparison)

    return make


def slightly_off(train):
    """The item means and, for some users, a hundredth of a star more, others as much less."""
    found = item_mean(train)
    return replace(found, user_bias=np.where(np.arange(train.n_users) % 2, 0.01, -0.01))


@pytest.mark.parametrize(
    ("ours", "theirs", "how", "side"),
    [
        (item_mean, global_mean, "better by more than chance", "below"),
        (global_mean, item_mean, "worse by more than chance", "above"),
        (slightly_off, item_mean, "not told apart by this data", "(above|below)"),
    ],
)
def test_the_sentences_follow_the_paired_interval(against, ours, theirs, how, side):
    scores = against(ours, theirs)
    assert standing(scores, STARS, "rmse").endswith(f"of the best baseline, rival: {how}.")
    told = verdict(scores, STARS, "rmse")
    assert re.search(rf"stars {side} that of the best baseline, rival", told)
    explained = "may explain" if how.startswith("not") else "does not explain"
    assert told.endswith(f"which chance among users {explained}.")


def test_of_lists_more_is_better(against):
    # Nobody's list is worse than one of the lowest scores.
    def upside_down(train):
        found = item_mean(train)
        return replace(found, item_bias=-found.item_bias)

    scores = against(item_mean, upside_down)
    assert standing(scores, STARS, NDCG).endswith("rival: better by more than chance.")


def test_a_difference_is_the_versions_score_less_the_baselines(against):
    scores = against(item_mean, global_mean)
    (table,) = difference_table(scores, STARS, {"rmse": "RMSE"})
    found = scores.comparison.differences(OURS, "rival")["rmse"]
    ((name, shown),) = table.rows
    assert name == "rival"
    assert shown.startswith(f"−{abs(found.value):.4f} [−{abs(found.interval.low):.4f},")


def test_without_a_baseline_there_is_nothing_to_stand_to(against):
    scores = against(item_mean, global_mean)
    assert verdict(scores, (OURS,), "rmse") == "There is no baseline to compare with."
    assert re.fullmatch(r"RMSE .* on ratings never seen\.", standing(scores, (OURS,), "rmse"))
    assert difference_table(scores, (OURS,), {"rmse": "RMSE"}) == ()
