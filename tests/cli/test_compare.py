import re

import pytest


def test_scores_and_settings_stand_side_by_side(two, done):
    told = done("models", "compare", 1, 2, "--json").json
    assert (told["before"], told["after"], told["same_ratings"]) == (1, 2, True)
    shown = [done("models", "show", n, "--json").json["snapshots"][0]["metrics"] for n in (1, 2)]
    rating, ranking = told["objectives"]
    assert (rating["objective"], ranking["objective"]) == ("rating", "ranking")
    rmse = rating["metrics"]["rmse"]
    assert [rmse["before"], rmse["after"]] == [metrics["rmse"] for metrics in shown]
    assert rmse["difference"] == rmse["after"] - rmse["before"]
    assert rating["settings"]["seed"] == {"before": 0, "after": 5}
    assert "n_factors" not in rating["settings"]
    assert 0 < told["drift"]["alignment"] < 1
    assert len(told["drift"]["items"]) == 5
    lines = done("models", "compare", 1, 2).out.splitlines()
    assert lines[0].split() == ["rating", "before", "after", "difference"]
    assert ["seed", "0", "5"] in [line.split() for line in lines]
    assert any(line.startswith("moved farthest") for line in lines)
    # What neither has is not listed: ranking embeddings predict no stars.
    assert [line.split()[0] for line in lines if line.startswith("rmse")] == ["rmse"]
    assert max(map(len, lines[: lines.index("")])) <= 80


def test_a_version_is_the_same_as_itself_and_compared_with_the_champion_unless_said(trained, done):
    assert "The embeddings are the same, bit for bit." in done("models", "compare", 1).out
    told = done("models", "compare", 1, "--json").json
    assert (told["before"], told["after"]) == (1, 1)
    assert told["drift"]["alignment"] == pytest.approx(1)
    assert told["drift"]["list_overlap"] == 1


def test_versions_of_other_ratings_have_no_differences(trained, write_csv, done):
    other = write_csv("other.csv", seed=3)
    done("train", "--data", other, "--n-epochs", 2, "--no-promote")
    told = done("models", "compare", 1, 2, "--json").json
    assert told["same_ratings"] is False
    metrics = [pair for of in told["objectives"] for pair in of["metrics"].values()]
    assert {pair["difference"] for pair in metrics} == {None}
    assert "They are of different ratings" in done("models", "compare", 1, 2).out


def test_versions_without_items_in_common_are_still_compared(trained, write_csv, home, done):
    text = re.sub(r",i(\d)", r",other\1", write_csv("other.csv").read_text())
    (home / "other.csv").write_text(text)
    done("train", "--data", "other.csv", "--n-epochs", 1, "--no-promote")
    compared = done("models", "compare", 1, 2)
    assert "What moved cannot be said: the versions have 0 items in common" in compared.err
    assert done("models", "compare", 1, 2, "--json").json["drift"] is None


def test_what_does_not_exist_is_named(trained, recsys):
    refused = recsys("models", "compare", 1, 9)
    assert (refused.code, refused.out) == (4, "")
    assert "there is no version 9" in refused.err
