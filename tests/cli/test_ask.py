import pytest


@pytest.fixture
def known(shop, trained):
    """Which items each user has rated."""
    rated = {}
    for row in shop.read_text().splitlines()[1:]:
        user, item, *_ = row.split(",")
        rated.setdefault(user, set()).add(item)
    return rated


def listed(outcome):
    return [item["item_id"] for item in outcome.json["items"]]


def test_a_list_is_ranked_and_leaves_out_what_the_user_rated(known, done):
    asked = done("recommend", "u1", "--limit", 5, "--json")
    assert asked.json["model_id"] == 1
    items = asked.json["items"]
    assert [item["rank"] for item in items] == [1, 2, 3, 4, 5]
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert not known["u1"] & set(listed(asked))


def test_seen_items_come_back_when_asked_for(known, done):
    everything = listed(done("recommend", "u1", "--limit", 100, "--include-seen", "--json"))
    assert known["u1"] & set(everything)
    unseen = listed(done("recommend", "u1", "--limit", 100, "--exclude-seen", "--json"))
    assert unseen == [item for item in everything if item not in known["u1"]]


def test_users_get_lists_of_their_own(trained, done):
    lists = {tuple(listed(done("recommend", f"u{n}", "--json"))) for n in range(5)}
    assert len(lists) == 5


def test_stars_of_a_list_are_those_that_predict_gives(trained, done):
    items = done("recommend", "u2", "--limit", 3, "--json").json["items"]
    predicted = done("predict", "u2", *(item["item_id"] for item in items), "--json").json
    assert predicted["model_id"] == 1
    assert [item["predicted_rating"] for item in predicted["items"]] == pytest.approx(
        [item["predicted_rating"] for item in items]
    )
    assert all(1 <= item["predicted_rating"] <= 5 for item in predicted["items"])


def test_predicted_stars_come_with_the_stars_between_which_a_rating_probably_lies(write_csv, done):
    done("train", "--data", write_csv(rows=1700), "--n-epochs", 15)
    items = done("predict", "u2", "i1", "i2", "i3", "--json").json["items"]
    for item in items:
        assert 1 <= item["low"] < item["predicted_rating"] < item["high"] <= 5
    told = done("predict", "u2", "i1").out.splitlines()
    assert told[0].split() == ["item_id", "title", "stars", "low", "high"]
    shown = [f"{items[0][name]:.4f}" for name in ("predicted_rating", "low", "high")]
    assert told[2].split()[-3:] == shown


def test_a_version_without_intervals_predicts_all_the_same_and_says_so(trained, done):
    item = done("predict", "u2", "i1", "--json").json["items"][0]
    assert (item["low"], item["high"]) == (None, None)
    told = done("predict", "u2", "i1")
    assert told.out.splitlines()[2].split()[-2:] == ["-", "-"]
    assert "stored without intervals" in told.err


def test_filters_narrow_the_list(done):
    done("train", "--n-epochs", 1, "--n-factors", 4)
    filters = ("--genre", "Film-Noir", "--year-min", 1945, "--year-max", 1955, "--min-ratings", 10)
    items = done("recommend", "1", *filters, "--json").json["items"]
    assert items
    assert all(1945 <= item["year"] <= 1955 for item in items)
    told = done("recommend", "1", *filters).out
    assert len(told.splitlines()) == 2 + len(items)
    assert items[0]["title"] in told


def test_a_list_without_items_says_so(trained, done):
    nothing = done("recommend", "u1", "--min-ratings", 10_000)
    assert nothing.out == ""
    assert nothing.err == "There is no such item.\n"
    assert done("recommend", "u1", "--min-ratings", 10_000, "--json").json["items"] == []


def test_similar_items_are_ordered_by_cosine_without_the_item_itself(trained, done):
    similar = done("similar", "i3", "--limit", 7, "--json")
    cosines = [item["score"] for item in similar.json["items"]]
    assert len(cosines) == 7
    assert cosines == sorted(cosines, reverse=True)
    assert all(-1 <= cosine <= 1 for cosine in cosines)
    assert "i3" not in listed(similar)
    assert "cosine" in done("similar", "i3").out.splitlines()[0]


def test_another_version_answers_once_it_is_promoted(trained, shop, done):
    before = listed(done("recommend", "u1", "--json"))
    done("train", "--data", shop, "--n-epochs", 2, "--seed", 5, "--no-promote")
    assert listed(done("recommend", "u1", "--json")) == before
    done("models", "promote", 2)
    after = done("recommend", "u1", "--json")
    assert after.json["model_id"] == 2
    assert listed(after) != before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("recommend", "nobody"), "user 'nobody' is unknown to version 1"),
        (("similar", "nothing"), "item 'nothing' is unknown to version 1"),
        (("predict", "u1", "i1", "nothing"), "item 'nothing' is unknown to version 1"),
        (("predict", "nobody", "i1"), "user 'nobody' is unknown to version 1"),
    ],
)
def test_who_or_what_is_unknown_is_named(trained, recsys, arguments, complaint):
    refused = recsys(*arguments)
    assert (refused.code, refused.out) == (4, "")
    assert refused.err == f"Error: {complaint}\n"


@pytest.mark.parametrize(
    "arguments", [("recommend", "u1"), ("similar", "i1"), ("predict", "u1", 1)]
)
def test_without_a_champion_there_is_nobody_to_ask(recsys, arguments):
    refused = recsys(*arguments)
    assert refused.code == 4
    assert refused.err == "Error: there is no champion yet: recsys train\n"


def test_an_id_that_looks_like_a_number_is_shown_as_it_is(home, done):
    rows = [f"{u},{i},{1 + (u + int(i)) % 5}" for u in range(9) for i in ("007", "1e5"[0], "12")]
    rows += [f"{u},1e5,3" for u in range(9)]
    (home / "ids.csv").write_text("\n".join(["user,item,rating", *rows]))
    done("train", "--data", "ids.csv", "--n-epochs", 1)
    told = done("predict", "1", "007", "1e5", "12").out
    assert [line.split()[0] for line in told.splitlines()[2:]] == ["007", "1e5", "12"]


@pytest.mark.parametrize("command", ["recommend", "similar", "predict"])
def test_a_missing_argument_is_named(recsys, command):
    refused = recsys(command)
    assert refused.code == 2
    assert "Missing argument '" in refused.err
