import json
from datetime import datetime

import pytest

from recsys import store
from recsys.data.feedback import ALL_ITEMS, FeedbackEntry


def champion(done):
    return done("models", "show", "champion", "--json").json["model_id"]


def test_list_shows_the_versions_newest_first(two, done):
    listed = done("models", "list", "--json").json["items"]
    assert [version["model_id"] for version in listed] == [2, 1]
    assert [version["aliases"] for version in listed] == [[], ["champion"]]
    assert listed[0]["data_set"]["name"] == "shop.csv"
    assert datetime.fromisoformat(listed[0]["created_at"]).tzinfo is not None
    lines = done("models", "list").out.splitlines()
    assert lines[0].split() == ["id", "created", "(UTC)", "data", "rmse", "ndcg@10", "aliases"]
    assert [line.split()[0] for line in lines[2:]] == ["2", "1"]
    assert lines[3].endswith("champion")


def test_an_empty_list_says_what_to_do(done):
    listed = done("models", "list")
    assert (listed.out, listed.err) == ("", "No version is stored yet: recsys train\n")
    assert done("models", "list", "--json").json == {"items": []}


def test_show_takes_an_id_or_an_alias_and_the_champion_by_default(two, done):
    assert done("models", "show", "--json").json["model_id"] == 1
    assert done("models", "show", "champion", "--json").json["model_id"] == 1
    assert done("models", "show", "2", "--json").json["model_id"] == 2


def test_show_tells_data_settings_scores_and_every_epoch(two, trained, done):
    told = done("models", "show", "2").out
    assert "shop.csv: 900 ratings, 60 users, 30 items" in told
    assert "\nn_epochs        2\n" in told
    assert "\ny_range         -\n" in told
    snapshot = done("models", "show", "2", "--json").json["snapshots"][0]
    assert f"{snapshot['metrics']['rmse']:.4g}" in told
    assert snapshot["content_hash"][:16] in told
    assert [epoch["epoch"] for epoch in snapshot["history"]] == [1, 2]
    rating, ranking = told.split("\nranking  content hash ")
    assert [line.split()[0] for line in rating.splitlines()[-2:]] == ["1", "2"]
    assert "\nunobserved      14\n" in ranking
    assert [line.split()[0] for line in ranking.splitlines()[-2:]] == ["39", "40"]


def test_the_list_leaves_the_epochs_to_show(two, done):
    listed = done("models", "list", "--json").json["items"]
    assert "history" not in listed[0]["snapshots"][0]
    assert listed[0]["snapshots"][0]["metrics"]["rmse"] > 0


def test_promote_and_rollback_move_the_champion(two, done):
    assert done("models", "promote", 2).out == "champion is version 2.\n"
    assert champion(done) == 2
    assert done("models", "rollback").out == "champion is version 1 again.\n"
    assert champion(done) == 1


def test_another_alias_is_moved_alone(two, done):
    done("models", "promote", 2, "--alias", "challenger")
    assert champion(done) == 1
    assert done("models", "show", "challenger", "--json").json["model_id"] == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("show", 9), "there is no version 9; the versions are 2, 1; the aliases are champion"),
        (("show", "best"), "there is no version best"),
        (("promote", 9), "there is no version 9"),
        (("rollback",), "no earlier promotion is left"),
        (("rollback", "--alias", "challenger"), "no alias 'challenger'"),
    ],
)
def test_what_does_not_exist_is_named(two, recsys, arguments, complaint):
    refused = recsys("models", *arguments)
    assert (refused.code, refused.out) == (4, "")
    assert complaint in refused.err


@pytest.mark.parametrize(
    "arguments", [("promote", "champion"), ("promote",), ("promote", 1, "--alias", "9")]
)
def test_what_makes_no_sense_is_a_usage_error(two, recsys, arguments):
    assert recsys("models", *arguments).code == 2


def test_json_is_one_object(two, done):
    for arguments in (("list",), ("show",)):
        assert isinstance(json.loads(done("models", *arguments, "--json").out), dict)


def test_prune_removes_old_versions_but_never_what_is_served(two, done):
    assert done("models", "prune").out == "There is no version to remove.\n"
    assert done("models", "prune", "--keep", 0).out == "Removed version 2.\n"
    assert champion(done) == 1
    told = done("models", "prune", "--keep", 0, "--json").json
    assert told == {"model_ids": [], "data_set_ids": []}


@pytest.mark.parametrize("user_id", ["of the feedback alone", "u1"])
def test_forgetting_a_user_as_documented_leaves_one_row_with_their_id(shop, done, user_id):
    train = ("train", "--data", shop, "--objective", "rating", "--n-epochs", 1)
    done(*train)
    engine = store.open_database("sqlite:///var/recsys.db")
    said = [FeedbackEntry(user_id, item_id, 5, 1) for item_id in ("i1", "i2")]
    store.save_feedback(engine, "shop.csv", said)
    done(*train)

    store.forget_user(engine, "shop.csv", user_id)
    done(*train, "--seed", 1)
    done(*train, "--seed", 2)
    done("models", "promote", 3)
    done("models", "promote", 4)
    assert "Removed version 2.\nRemoved data set" in done("models", "prune", "--keep", 2).out

    rows = {}
    with engine.connect() as connection:
        for table in ("feedback", "rated_items"):
            query = f"SELECT * FROM {table} WHERE user_id = ?"
            rows[table] = connection.exec_driver_sql(query, (user_id,)).all()
    engine.dispose()
    assert [row.item_id for row in rows.pop("feedback")] == [ALL_ITEMS]
    assert rows == {"rated_items": []}
