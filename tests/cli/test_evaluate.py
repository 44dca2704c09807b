import math

import numpy as np
import pytest

from recsys.model import ease as ease_module

KEYS = [
    "objective", "n_train", "n_test", "rmse", "mae",
    "ndcg@10", "recall@10", "precision@10", "coverage@10", "train_seconds",
]  # fmt: skip
SCORES = KEYS[3:9]
MORE_SCORES = ["map@10", "hit_rate@10", "novelty@10", "popularity_lift@10", "diversity@10"]
BASELINES = ["global", "item-mean", "bias", "popularity", "ease"]
QUICK = ("--n-epochs", 3)


@pytest.fixture
def evaluate(done):
    """Evaluate; the one JSON object that is printed."""
    return lambda *arguments: done("evaluate", *arguments, "--json").json


@pytest.fixture
def parts(shop, home):
    """The shop's ratings as a training and a test file: every fifth line is a test."""
    header, *rows = shop.read_text().splitlines()
    for name, chosen in (
        ("train.csv", [row for n, row in enumerate(rows) if n % 5]),
        ("test.csv", rows[::5]),
    ):
        (home / name).write_text("\n".join([header, *chosen, ""]))
    return ("--train", "train.csv", "--test", "test.csv")


def test_a_training_and_a_test_file_give_the_documented_keys(parts, evaluate):
    scored = evaluate(*parts)
    assert [key for key in scored if key in KEYS] == KEYS
    assert set(scored) == {*KEYS, *MORE_SCORES, "intervals", "baselines", "differences"}
    assert (scored["objective"], scored["n_train"], scored["n_test"]) == ("both", 720, 180)
    # Noise of .3 and rounding to half stars leave sqrt(.3^2 + .5^2/12) = .33 to anybody; biases
    # alone come to .94.
    assert 0.33 < scored["rmse"] < 0.8
    assert scored["mae"] < scored["rmse"]
    assert all(0 < scored[name] <= 1 for name in SCORES[2:])


@pytest.mark.parametrize(
    "split",
    [("--holdout", "0.2"), ("--folds", "2"), ("--train", "train.csv", "--test", "test.csv")],
)
def test_every_run_and_any_number_of_threads_give_the_same_figures(split, parts, shop, evaluate):
    data = () if "--train" in split else ("--data", shop)
    runs = [
        evaluate(*data, *split, *QUICK, "--threads", n_threads) for n_threads in (1, 2, 1)
    ]  # fmt: skip
    assert len({tuple(run[name] for name in SCORES) for run in runs}) == 1


def test_holdout_scores_on_the_share_asked_for(shop, evaluate):
    scored = evaluate("--data", shop, "--holdout", 0.2, *QUICK)
    assert (scored["n_train"], scored["n_test"]) == (720, 180)
    assert "folds" not in scored


def test_without_a_split_a_tenth_is_held_out(shop, evaluate):
    assert evaluate("--data", shop, *QUICK)["n_test"] == 90


def test_another_seed_is_another_split(shop, evaluate):
    first, second = (evaluate("--data", shop, "--baseline", "bias", "--seed", s) for s in (0, 1))
    assert first["rmse"] != second["rmse"]


def test_folds_are_listed_and_averaged(shop, evaluate):
    scored = evaluate("--data", shop, "--folds", 3, *QUICK)
    folds = scored.pop("folds")
    assert [key for key in scored if key in KEYS] == KEYS
    assert [fold["n_test"] for fold in folds] == [300, 300, 300]
    for name in SCORES:
        assert scored[name] == pytest.approx(np.mean([fold[name] for fold in folds]))


def test_split_by_user_holds_out_a_share_of_every_user(shop, evaluate):
    # floor(.1 * n) of each user's n ratings: less than a tenth of all 900.
    counts = {}
    for row in shop.read_text().splitlines()[1:]:
        user = row.split(",")[0]
        counts[user] = counts.get(user, 0) + 1
    expected = sum(n // 10 for n in counts.values())
    scored = evaluate("--data", shop, "--split", "user", "--baseline", "bias")
    assert scored["n_test"] == expected < 90


def test_split_by_time_scores_on_the_newest(shop, evaluate, home):
    header, *rows = shop.read_text().splitlines()
    rows.sort(key=lambda row: int(row.split(",")[3]))
    (home / "old.csv").write_text("\n".join([header, *rows[:810]]))
    (home / "new.csv").write_text("\n".join([header, *rows[810:]]))
    by_hand = evaluate("--train", "old.csv", "--test", "new.csv", "--baseline", "bias")
    split = evaluate("--data", shop, "--split", "time", "--baseline", "bias")
    assert [split[name] for name in SCORES[:2]] == pytest.approx(
        [by_hand[name] for name in SCORES[:2]]
    )


def test_split_by_time_needs_times(write_csv, recsys):
    path = write_csv(columns="user,item,rating")
    refused = recsys("evaluate", "--data", path, "--split", "time")
    assert refused.code == 3
    assert "no timestamps" in refused.err


def test_a_baseline_is_scored_instead_of_the_model(home, evaluate):
    (home / "a.csv").write_text("user,item,rating\nu1,x,2\nu1,y,4\nu2,x,3\n")
    (home / "b.csv").write_text("user,item,rating\nu2,y,4\nu3,x,1\n")
    split = ("--train", "a.csv", "--test", "b.csv", "--baseline")
    # global: the mean is 3; errors 1 and -2, so MAE 1.5 and RMSE sqrt(5/2).
    scored = evaluate(*split, "global")
    assert (scored["mae"], scored["rmse"]) == pytest.approx((1.5, math.sqrt(2.5)))
    # item-mean: y has 4, x has 2.5; errors 0 and -1.5.
    scored = evaluate(*split, "item-mean")
    assert (scored["mae"], scored["rmse"]) == pytest.approx((0.75, math.sqrt(2.25 / 2)))


def test_on_the_terminal_the_baselines_stand_beside_the_model(shop, done):
    shown = done("evaluate", "--data", shop, *QUICK).out
    assert max(map(len, shown.splitlines())) <= 80
    main, more, heading, differences = shown.split("\n\n")
    assert main.split("\n")[0].split() == SCORES
    assert more.split("\n")[0].split() == MORE_SCORES
    assert "model less each of the others, with 95 % intervals" in heading
    for table, names in ((main, ["model", *BASELINES]), (more, ["model", *BASELINES]),
                         (differences, BASELINES)):  # fmt: skip
        assert [line.split()[0] for line in table.splitlines()[2:]] == names


def test_a_difference_and_its_interval_are_of_the_scores_beside_them(parts, evaluate):
    scored = evaluate(*parts)
    assert list(scored["baselines"]) == list(scored["differences"]) == BASELINES
    found = scored["differences"]["global"]["rmse"]
    assert found["value"] == pytest.approx(scored["rmse"] - scored["baselines"]["global"]["rmse"])
    assert found["low"] < found["value"] < found["high"] < 0  # better than the mean, surely
    low, high = scored["intervals"]["rmse"]
    assert low < scored["rmse"] < high


@pytest.mark.parametrize("name", ["popularity", "ease"])
def test_baselines_of_lists_have_no_rmse_and_need_no_stars(name, write_csv, evaluate):
    liked = write_csv("liked.csv", columns="user,item", rows=600)
    scored = evaluate("--data", liked, "--split", "user", "--holdout", 0.2, "--baseline", name)
    assert scored["rmse"] is scored["mae"] is None
    assert 0 < scored["ndcg@10"] <= 1
    assert "differences" not in scored


def test_a_baseline_that_the_data_is_too_large_for_is_left_out_and_told(shop, done, monkeypatch):
    monkeypatch.setattr(ease_module, "MOST_ROWS", 29)  # the shop has 30 items
    scored = done("evaluate", "--data", shop, *QUICK, "--json")
    assert list(scored.json["baselines"]) == BASELINES[:-1]
    assert "EASE inverts a dense matrix of 30 rows" in scored.err


def test_leaving_the_last_out_scores_on_one_rating_of_each_user(shop, evaluate):
    scored = evaluate("--data", shop, "--split", "last", "--baseline", "popularity")
    assert (scored["n_train"], scored["n_test"]) == (900 - 60, 60)


def test_sampled_negatives_are_told_apart_from_the_full_catalogue(shop, evaluate, done):
    split = ("--data", shop, "--split", "last", "--baseline", "popularity")
    scored = evaluate(*split, "--sampled-negatives", 5)
    # Among 5 others nothing can be below place 5.
    assert scored["sampled_hit_rate@10"] == 1 > scored["hit_rate@10"]
    assert scored["sampled_ndcg@10"] > 1 / math.log2(5 + 2)
    told = done("evaluate", *split, "--sampled-negatives", 5).out
    assert "only to compare with published tables" in told


def test_ids_unknown_to_training_are_counted_and_told(home, done):
    (home / "a.csv").write_text("user,item,rating\nu1,x,2\nu1,y,4\nu2,x,3\n")
    (home / "b.csv").write_text("user,item,rating\nu2,y,4\nnew,x,1\nnew,z,5\nu1,w,5\n")
    scored = done("evaluate", "--train", "a.csv", "--test", "b.csv", *QUICK, "--json")
    assert "of 4 held-out ratings, 2 are of users and 2 of items without training" in scored.err
    assert scored.json["rmse"] > 0


def test_an_implicit_test_file_gives_lists_and_no_rmse(parts, home, evaluate):
    rows = (home / "test.csv").read_text().splitlines()
    implicit = ["user,item", *(",".join(row.split(",")[:2]) for row in rows[1:])]
    (home / "implicit.csv").write_text("\n".join(implicit))
    scored = evaluate("--train", "train.csv", "--test", "implicit.csv", *QUICK)
    assert scored["rmse"] is scored["mae"] is None
    assert 0 < scored["ndcg@10"] <= 1
    assert 0 < scored["recall@10"] <= 1


def test_what_cannot_be_averaged_is_null(home, evaluate):
    (home / "a.csv").write_text("user,item,rating\nu1,x,2\nu1,y,4\nu2,x,3\n")
    (home / "b.csv").write_text("user,item,rating\nu2,y,1\n")  # nothing that u2 would have liked
    scored = evaluate("--train", "a.csv", "--test", "b.csv", *QUICK)
    assert scored["rmse"] > 0
    assert {scored[name] for name in SCORES[2:]} == {None}


def test_a_fold_without_a_number_does_not_spoil_the_mean(home, evaluate):
    # The only liked item is held out in one of the two folds alone.
    rows = [f"u{u},i{i},{5 if (u, i) == (0, 0) else 2}" for u in range(6) for i in range(5)]
    (home / "data.csv").write_text("\n".join(["user,item,rating", *rows]))
    scored = evaluate("--data", "data.csv", "--folds", 2, *QUICK)
    found = [fold["recall@10"] for fold in scored["folds"]]
    assert found.count(None) == 1
    assert scored["recall@10"] == next(number for number in found if number is not None)


def test_early_stopping_watches_training_ratings_not_the_test(parts, done):
    told = done("evaluate", *parts, *QUICK, "--early-stopping", 2, "--json")
    assert "early stopping watches" in told.err
    assert "early stopping" not in done("evaluate", *parts, *QUICK, "--json").err


def test_nothing_is_stored(parts, shop, evaluate, home):
    before = set(home.iterdir())
    evaluate(*parts, *QUICK)
    evaluate("--data", shop, "--folds", 2, *QUICK)
    assert set(home.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--train", "train.csv"], "--train and --test go together"),
        (["--test", "test.csv"], "--train and --test go together"),
        (["--train", "a", "--test", "b", "--data", "c"], "without --data"),
        (["--train", "a", "--test", "b", "--folds", "3"], "without --data, --folds"),
        (["--train", "a", "--test", "b", "--holdout", ".2"], "without --data, --folds, --holdout"),
        (["--train", "a", "--test", "b", "--split", "time"], "--split"),
        (["--folds", "3", "--holdout", ".2"], "give one"),
        (["--folds", "3", "--split", "user"], "--split goes with --holdout"),
        (["--split", "last", "--holdout", ".2"], "without --holdout"),
        (["--sampled-negatives", "99"], "with --split last"),
        (["--folds", "1"], "1 is not in the range"),
        (["--holdout", "1"], "1.0 is not in the range"),
        (["--holdout", "0"], "0.0 is not in the range"),
        (["--split", "item"], "'item' is not one of"),
        (["--baseline", "magic"], "'magic' is not one of"),
    ],
)
def test_options_that_contradict_each_other_are_refused(recsys, arguments, complaint):
    refused = recsys("evaluate", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert complaint in refused.err


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("--n-factors", 8), "--n-factors"),
        (("--objective", "both"), "--objective"),
        (("--threads", 1, "--early-stopping", 3), "--threads, --early-stopping"),
        (("--no-implicit",), "--implicit"),
    ],
)
def test_a_baseline_refuses_options_of_training_before_it_reads(recsys, given, named):
    refused = recsys("evaluate", "--data", "missing.csv", "--baseline", "bias", *given)
    assert (refused.code, refused.out) == (2, "")
    assert f"--baseline bias is not trained; it goes without {named}\n" in refused.err


def test_a_baseline_goes_with_a_seed_and_with_settings_that_other_calls_use(shop, done, home):
    (home / "recsys.toml").write_text("[evaluate]\nn_factors = 8\n")
    asked = ("evaluate", "--data", shop, "--baseline", "bias", "--seed", 3, "--json")
    assert done(*asked, RECSYS_EVALUATE_N_EPOCHS="2").json["rmse"] > 0


def test_a_baseline_has_no_objective(shop, evaluate):
    assert evaluate("--data", shop, "--baseline", "bias")["objective"] is None


@pytest.mark.parametrize("command", ["train", "evaluate", "lr-find"])
@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (("--momentum", 1), "momentum is 1.0; allowed: 0 to below 1"),
        (("--n-factors", 0), "n_factors is 0; allowed: 1 to 512"),
        (("--reg", -1), "reg is -1.0; allowed: 0 or more"),
        (("--y-range", 5, 1), "y_range is (5.0, 1.0)"),
    ],
)
def test_a_setting_out_of_range_is_refused_before_any_data_is_read(
    recsys, home, command, given, complaint
):
    refused = recsys(command, "--data", "missing.csv", *given)
    assert refused.code == 2
    assert complaint in refused.err
    assert not (home / "var").exists()


def test_more_folds_than_ratings_are_refused(home, recsys):
    (home / "a.csv").write_text("user,item,rating\nu1,x,2\nu1,y,4\n")
    refused = recsys("evaluate", "--data", "a.csv", "--folds", 3)
    assert refused.code == 2
    assert "3 folds; allowed: 2 to 2" in refused.err


def test_the_embedded_set_is_evaluated_by_default(evaluate):
    scored = evaluate("--baseline", "bias")
    assert (scored["n_train"], scored["n_test"]) == (90_004, 10_000)
    assert 0.85 < scored["rmse"] < 0.92


def test_both_takes_stars_from_one_objective_and_lists_from_the_other(parts, evaluate):
    both = evaluate(*parts)
    rating, ranking = (evaluate(*parts, "--objective", name) for name in ("rating", "ranking"))
    assert (rating["objective"], ranking["objective"]) == ("rating", "ranking")
    for name in ("rmse", "mae"):
        assert both[name] == rating[name]
        assert ranking[name] is None
    for name in SCORES[2:]:
        assert both[name] == ranking[name]
