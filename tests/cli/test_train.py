import sqlite3

import pytest

from recsys import store
from recsys.cli import training
from recsys.data.readers import read_ratings
from recsys.data.split import held_out
from recsys.training import kernels

BAD = ("--n-epochs", 1, "--lr", 1e-6)  # hardly trained
GOOD = ("--n-epochs", 40)


def versions(done):
    return {v["model_id"]: v for v in done("models", "list", "--json").json["items"]}


def test_the_first_version_becomes_the_champion_and_says_so(shop, done):
    trained = done("train", "--data", shop, "--n-epochs", 5)
    assert "Version 1 is stored. It is the champion: there was none." in trained.out
    assert versions(done)[1]["aliases"] == ["champion"]


def test_a_worse_version_is_stored_and_not_promoted_and_the_reason_is_said(shop, done):
    trained = done("train", "--data", shop, *GOOD, "--json").json
    worse = done("train", "--data", shop, *BAD, "--json").json
    assert (worse["model_id"], worse["promoted"]) == (2, False)
    before, after = trained["metrics"]["rmse"], worse["metrics"]["rmse"]
    assert after > before
    found = worse["comparison"]["rmse"]
    assert (found["value"], found["champion"]) == (after, before)
    assert found["difference"] == pytest.approx(after - before)
    assert 0 < found["low"] < found["difference"] < found["high"]
    assert worse["reason"].startswith(
        "It was not promoted: it is worse than version 1 in RMSE. "
        f"On the same {worse['n_test']} held-out ratings: "
        f"RMSE {after:.4f} against {before:.4f} (difference {after - before:+.4f}, "
        f"95 % interval {found['low']:+.4f} to {found['high']:+.4f}); ndcg@10 "
    )
    assert [v["aliases"] for v in versions(done).values()] == [[], ["champion"]]


def test_a_version_that_is_not_worse_is_promoted(shop, done):
    done("train", "--data", shop, *BAD)
    better = done("train", "--data", shop, *GOOD, "--json").json
    assert better["promoted"]
    assert better["reason"].startswith("It is the champion: it is better than version 1 in RMSE")
    same = done("train", "--data", shop, *GOOD, "--json").json
    assert same["promoted"]  # equal is not worse
    assert same["reason"].startswith("It is the champion: it is not worse than version 2. On the")
    assert {of["difference"] for of in same["comparison"].values()} == {0}
    assert versions(done)[3]["aliases"] == ["champion"]


def test_a_version_of_another_data_set_is_never_promoted_by_itself(shop, done, write_csv):
    done("train", "--data", shop, *BAD)
    other = write_csv("other.csv", seed=1)
    trained = done("train", "--data", other, "--n-epochs", 15, "--json").json
    assert not trained["promoted"]
    assert trained["reason"] == (
        "It was not promoted: the champion, version 1, is of shop.csv; "
        "promote it by hand: recsys models promote 2"
    )
    assert versions(done)[1]["aliases"] == ["champion"]


def test_no_promote_stores_the_version_and_leaves_the_champion(trained, shop, done):
    second = done("train", "--data", shop, "--n-epochs", 20, "--no-promote", "--json").json
    assert (second["promoted"], second["reason"]) == (False, "It was not promoted: --no-promote.")
    assert [v["aliases"] for v in versions(done).values()] == [[], ["champion"]]


def test_no_promote_leaves_even_an_empty_database_without_champion(shop, done, recsys):
    done("train", "--data", shop, *BAD, "--no-promote")
    assert recsys("recommend", "u1").code == 4


def test_the_json_holds_what_was_trained_on_scored_and_stored(trained, done, shop):
    ratings = read_ratings(shop)
    assert trained["data"] == "shop.csv"
    assert trained["n_test"] == held_out(ratings).sum()
    assert trained["n_train"] + trained["n_test"] == ratings.n_ratings == 900
    assert trained["hyperparameters"]["rating"]["n_epochs"] == 15
    assert trained["train_seconds"] > 0
    stored = {s["objective"]: s for s in done("models", "show", "--json").json["snapshots"]}
    assert sorted(stored) == ["ranking", "rating"]
    for key in ("hyperparameters", "content_hash"):
        assert trained[key] == {name: snapshot[key] for name, snapshot in stored.items()}
    # As served: stars by the rating embeddings, lists by the ranking ones.
    for objective, name in (("rating", "rmse"), ("rating", "mae"), ("ranking", "ndcg@10")):
        assert trained["metrics"][name] == stored[objective]["metrics"][name]
    assert stored["ranking"]["metrics"]["rmse"] is None
    assert {"rmse", "mae", "ndcg@10", "recall@10", "precision@10", "coverage@10"} <= set(
        trained["metrics"]
    )


def test_the_stored_data_set_holds_the_held_out_ratings_too(trained, home, shop):
    engine = store.open_database("sqlite:///var/recsys.db")
    stored = store.load_ratings(engine, 1)
    assert stored.n_ratings == read_ratings(shop).n_ratings


def test_what_is_told_on_the_terminal_compares_with_the_baselines(shop, done):
    told = done("train", "--data", shop, "--n-epochs", 15).out
    first_column = [line.split()[0] for line in told.splitlines()[2:6]]
    assert first_column == ["version", "global", "item-mean", "bias"]
    assert "kept epoch" in told


@pytest.mark.parametrize("n_threads", [1, 2])
def test_no_bit_depends_on_the_number_of_threads(trained, shop, done, n_threads):
    again = done(
        "train", "--data", shop, "--n-epochs", 15, "--threads", n_threads, "--json"
    ).json  # fmt: skip
    assert again["content_hash"] == trained["content_hash"]


def test_another_seed_trains_another_model(trained, shop, done):
    other = done("train", "--data", shop, "--n-epochs", 15, "--seed", 1, "--json").json
    for objective in ("rating", "ranking"):
        assert other["content_hash"][objective] != trained["content_hash"][objective]


def test_a_diverged_training_fails_and_stores_nothing(shop, recsys, done, home):
    diverged = recsys("train", "--data", shop, "--lr", 1e9)
    assert diverged.code == 1
    assert "diverged in epoch 1" in diverged.err
    assert "--lr" in diverged.err
    assert diverged.out == ""
    assert versions(done) == {}
    with sqlite3.connect(home / "var" / "recsys.db") as database:
        tables = ("models", "data_sets", "snapshots", "user_embeddings", "item_embeddings")
        for table in tables:
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    database.close()


def test_a_diverged_training_leaves_the_champion_in_place(trained, shop, recsys, done):
    before = done("recommend", "u1", "--json").out
    assert recsys("train", "--data", shop, "--lr", 1e9).code == 1
    assert done("recommend", "u1", "--json").out == before


def test_implicit_feedback_cannot_train_the_rating_objective_and_stores_nothing(
    write_csv, recsys, done
):
    refused = recsys("train", "--data", write_csv(columns="user,item"), "--objective", "rating")
    assert refused.code == 3
    assert "shop.csv" in refused.err
    assert "rating column" in refused.err
    assert versions(done) == {}


def test_implicit_feedback_trains_the_ranking_objective_alone_and_says_so(write_csv, done):
    path = write_csv(columns="user,item")
    trained = done("train", "--data", path, "--json")
    assert "only the ranking embeddings are trained" in trained.err
    assert list(trained.json["content_hash"]) == ["ranking"]
    assert trained.json["metrics"]["rmse"] is None
    assert trained.json["metrics"]["ndcg@10"] > 0
    listed = done("recommend", "u1", "--json").json["items"]
    assert {item["predicted_rating"] for item in listed} == {None}


def test_where_a_version_has_no_stars_the_order_of_lists_decides(home, done):
    path = home / "board.csv"  # two colours of users and items; each likes its own
    pairs = [f"u{u},i{i}" for u in range(40) for i in range(30) if (u + i) % 2 == 0]
    path.write_text("\n".join(["user,item", *pairs]))
    done("train", "--data", path)
    worse = done("train", "--data", path, "--objective", "ranking", *BAD, "--json").json
    assert (worse["model_id"], worse["promoted"]) == (2, False)
    assert worse["reason"].startswith("It was not promoted: it is worse than version 1 in ndcg@10.")
    assert list(worse["comparison"]) == ["ndcg@10"]
    same = done("train", "--data", path, "--objective", "ranking", "--json").json
    assert same["promoted"]  # equal is not worse
    assert same["reason"].startswith("It is the champion: it is not worse than version 1.")


def test_one_objective_can_be_trained_alone(shop, trained, done):
    for objective in ("rating", "ranking"):
        settings = ("--n-epochs", 15) if objective == "rating" else ()
        alone = done(
            "train", "--data", shop, "--objective", objective, *settings, "--json"
        ).json  # fmt: skip
        assert alone["content_hash"] == {objective: trained["content_hash"][objective]}


def test_lists_are_those_of_the_ranking_embeddings_with_stars_of_the_rating_ones(
    trained, shop, done
):
    asked = ("recommend", "u2", "--limit", 30, "--json")
    both = {i["item_id"]: i for i in done(*asked).json["items"]}
    done("train", "--data", shop, "--objective", "ranking", "--no-promote")
    done("models", "promote", 2)
    order = done(*asked).json["items"]
    assert list(both) == [item["item_id"] for item in order]
    assert all(1 <= item["predicted_rating"] <= 5 for item in both.values())


def test_a_champion_of_fewer_users_and_items_is_compared_on_the_ratings_of_today(shop, done, home):
    rows = shop.read_text().splitlines()
    small = [row for row in rows if not row.startswith(("u1,", "u30,")) and ",i7," not in row]
    shop.write_text("\n".join(small))
    done("train", "--data", shop, "--n-epochs", 15)
    shop.write_text("\n".join(rows))
    grown = done("train", "--data", shop, "--n-epochs", 15, "--json").json
    assert grown["promoted"], grown["reason"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--objective", "ranking", "--y-range", 0, 6), "y_range is a setting of the objective"),
        (("--objective", "ranking", "--model", "mlp"), "of the model dot"),
        (("--objective", "rating", "--unobserved", 3), "unobserved is a setting of the objective"),
    ],
)
def test_a_setting_of_the_other_objective_is_refused(shop, recsys, options, message):
    refused = recsys("train", "--data", shop, *options)
    assert refused.code == 2
    assert message in refused.err


def test_without_a_liked_held_out_item_the_list_metrics_are_null(home, done):
    rows = [f"u{u},i{i},{1 + (u + i) % 3}" for u in range(30) for i in range(20)]
    (home / "strict.csv").write_text("\n".join(["user,item,rating", *rows]))
    metrics = done("train", "--data", "strict.csv", *BAD, "--json").json["metrics"]
    assert metrics["rmse"] > 0
    assert metrics["ndcg@10"] is metrics["coverage@10"] is None


def test_where_nothing_is_held_out_the_second_version_waits_for_a_hand(home, done):
    (home / "one.csv").write_text("user,item,rating\na,x,1\n")
    assert held_out(read_ratings("one.csv")).sum() == 0
    first = done("train", "--data", "one.csv", "--n-epochs", 1, "--json").json
    assert (first["promoted"], first["metrics"]["rmse"]) == (True, None)
    second = done("train", "--data", "one.csv", "--n-epochs", 1, "--json").json
    assert not second["promoted"]
    assert "recsys models promote 2" in second["reason"]
    assert first["comparison"] is second["comparison"] is None


def test_a_version_without_the_stars_of_the_champion_waits_for_a_hand(trained, shop, done):
    lists = done("train", "--data", shop, "--objective", "ranking", "--json").json
    assert not lists["promoted"]
    assert lists["reason"].startswith(
        "It was not promoted: it predicts no stars, as version 1 does."
    )


def test_intervals_of_stars_are_calibrated_on_the_held_out_ratings(write_csv, done):
    path = write_csv(rows=1700)
    n_held_out = held_out(read_ratings(path)).sum()
    done("train", "--data", path, "--n-epochs", 15)
    engine = store.open_database("sqlite:///var/recsys.db")
    intervals = store.load_snapshot(engine, 1, "rating").items.intervals
    assert intervals.n_ratings == n_held_out >= 100
    assert intervals.rating_scale == (1, 5)
    assert store.load_snapshot(engine, 1, "ranking").items.intervals is None
    told = done("models", "show").out
    assert told.count(f"intervals of stars calibrated on {n_held_out} held-out ratings") == 1
    rating, ranking = done("models", "show", "--json").json["snapshots"]
    assert rating["intervals"] == intervals.as_dict()
    assert ranking["intervals"] is None


def test_too_few_held_out_ratings_leave_stars_without_intervals_and_that_is_said(shop, done):
    n_held_out = held_out(read_ratings(shop)).sum()
    assert n_held_out < 100
    told = done("train", "--data", shop, *BAD).err
    assert f"{n_held_out} held-out ratings are too few to calibrate intervals" in told


def test_ids_held_out_but_not_trained_on_are_counted_and_told(write_csv, done):
    path = write_csv(rows=120)  # two ratings a user: some users are held out whole
    ratings = read_ratings(path)
    is_test = held_out(ratings)
    train, test = ratings.select(~is_test), ratings.select(is_test)
    n_users = sum(user not in set(train.users) for user in test.users)
    n_items = sum(item not in set(train.items) for item in test.items)
    assert n_users + n_items > 0
    told = done("train", "--data", path, *BAD).err
    assert f"{n_users} are of users and {n_items} of items without training ratings" in told


def test_the_embedded_set_is_trained_on_by_default(embedded, done):
    assert embedded["data"] == "ml-latest-small"
    assert embedded["n_train"] + embedded["n_test"] == 100_004
    listed = done("recommend", "1", "--limit", 5, "--json").json["items"]
    assert len({item["title"] for item in listed}) == 5
    assert listed != done("recommend", "2", "--limit", 5, "--json").json["items"]


def test_no_checkpoint_is_left_once_the_version_is_stored(trained, home):
    assert list((home / "var" / "checkpoints").iterdir()) == []


def test_resume_without_a_checkpoint_says_so_and_trains(shop, done, trained):
    resumed = done("train", "--data", shop, "--n-epochs", 15, "--resume", "--json")
    assert "no checkpoint of this training was found" in resumed.err
    assert resumed.json["content_hash"] == trained["content_hash"]


def test_other_people_in_a_file_of_the_same_name_are_another_data_set(trained, done, write_csv):
    others = write_csv("shop.csv", users="v", seed=1)
    second = done("train", "--data", others, "--n-epochs", 15, "--json").json
    assert not second["promoted"]
    assert "only 0% of the users of the champion, version 1, are in this data" in second["reason"]
    assert done("recommend", "u1").out


def test_a_first_training_says_that_it_compiles_before_it_does(shop, done, monkeypatch):
    said = []
    fit_snapshot = training.fit_snapshot

    def fit(*given, **named):
        said.append("fit")
        return fit_snapshot(*given, **named)

    monkeypatch.setattr(training, "fit_snapshot", fit)
    monkeypatch.setattr(training, "note", said.append)
    train = ("train", "--data", shop, "--objective", "rating", "--n-epochs", 1)
    for is_needed in (True, False):
        monkeypatch.setattr(kernels, "need_compiling", lambda is_needed=is_needed: is_needed)
        done(*train)
    assert said == [kernels.COMPILING, "fit", "fit"]


def test_a_training_that_compiles_nothing_does_not_say_so(shop, done, monkeypatch):
    monkeypatch.setattr(kernels, "need_compiling", lambda: True)
    trained = done("train", "--data", shop, "--objective", "rating", "--model", "mlp")
    assert kernels.COMPILING not in trained.err
