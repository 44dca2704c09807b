from collections import Counter

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


def test_filters_narrow_the_list(embedded, done):
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
    before = done("recommend", "u1", "--json").json
    done("train", "--data", shop, "--n-epochs", 2, "--seed", 5, "--no-promote")
    assert done("recommend", "u1", "--json").json == before
    done("models", "promote", 2)
    after = done("recommend", "u1", "--json")
    assert after.json["model_id"] == 2
    assert after.json["items"] != before["items"]


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


@pytest.mark.parametrize("command", ["similar", "predict", "explain"])
def test_a_missing_argument_is_named(recsys, command):
    refused = recsys(command)
    assert refused.code == 2
    assert "Missing argument '" in refused.err


def test_somebody_new_gets_a_list_by_what_they_rated(trained, done):
    asked = done("recommend", "--rating", "i1=5", "--rating", "i2=1", "--json", "--limit", 100)
    assert not {"i1", "i2"} & set(listed(asked))
    scores = [item["score"] for item in asked.json["items"]]
    assert scores == sorted(scores, reverse=True)
    chosen = done("recommend", "--rating", "i1=", "--json", "--limit", 100)
    assert "i1" not in listed(chosen)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--rating", "i1"], 2, "'i1' is not such as 318=4.5"),
        (["--rating", "i1=many"], 2, "'i1=many' is not"),
        (["--rating", "i1=nan"], 2, "'i1=nan' is not"),
        (["--rating", "i1=9"], 2, "--rating i1=9: 9 is outside the scale; allowed: 1 to 5"),
        (["--rating", "nope=4"], 4, "item 'nope' is unknown"),
        (["u1", "--rating", "i1=4"], 2, "give USER_ID, or one --rating or more"),
        ([], 2, "give USER_ID, or one --rating or more"),
        (["u1", "--popularity", "1.5"], 2, "1.5 is not in the range -1<=x<=1"),
    ],
)
def test_a_list_for_nobody_or_by_wrong_ratings_is_refused(trained, recsys, arguments, code, told):
    asked = recsys("recommend", *arguments)
    assert asked.code == code
    assert told in asked.err


def test_the_popularity_dial_moves_a_list(shop, trained, done):
    counts = Counter(row.split(",")[1] for row in shop.read_text().splitlines()[1:])

    def popularity(dial):
        lists = [listed(done("recommend", f"u{n}", "--popularity", dial, "--json")) for n in (1, 2)]
        return sum(counts[item] for items in lists for item in items)

    assert popularity("-1") < popularity("1")


def test_an_explanation_is_the_sum_of_its_terms(trained, done):
    told = done("explain", "u1", "i3", "--json").json
    for part in (told["order"], told["stars"]):
        terms = [part["global_mean"], part["user_bias"], part["item_bias"], *part["factors"]]
        assert sum(terms) == part["score"]
    shown = done("explain", "u1", "i3", "--n-reasons", 1).out.splitlines()
    assert shown[0].split() == ["term", "order", "stars"]
    assert shown[6].split() == ["score"] + [
        f"{told[part]['score']:.4f}" for part in ("order", "stars")
    ]


def test_reasons_of_newer_ratings_are_their_influences(shop, trained, done, home):
    feedback = home / "new.csv"
    feedback.write_text("user_id,item_id,rating\nsomebody,i1,5\nsomebody,i2,1\n")
    done("feedback", "import", feedback)
    told = done("explain", "somebody", "i3").out
    assert "stars_influence" in told
    assert {line.split()[0] for line in told.splitlines()[-2:]} == {"i1", "i2"}
