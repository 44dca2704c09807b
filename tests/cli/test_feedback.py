import sqlite3
from contextlib import closing

import pytest

from recsys import store
from recsys.data.feedback import ALL_ITEMS, FeedbackEntry

QUICK = ("--n-epochs", 2, "--json")


@pytest.fixture
def say(home):
    """Write feedback on shop.csv: (user_id, item_id, rating or None to take it back)."""

    def write(*said):
        engine = store.open_database("sqlite:///var/recsys.db")
        store.prepare(engine)
        entries = [
            FeedbackEntry(user, item, value, 5, is_erased=value is None)
            for user, item, value in said
        ]
        store.save_feedback(engine, "shop.csv", entries)
        engine.dispose()

    return write


@pytest.fixture
def stored():
    """Return {(user_id, item_id): rating} of the newest version's data set."""

    def load():
        engine = store.open_database("sqlite:///var/recsys.db")
        ratings = store.load_ratings(engine, store.list_versions(engine)[0].data_set.data_set_id)
        engine.dispose()
        pairs = zip(ratings.users, ratings.items, ratings.values.tolist(), strict=True)
        return {(ratings.user_ids[u], ratings.item_ids[i]): value for u, i, value in pairs}

    return load


def test_training_merges_feedback_in_and_says_so(shop, done, say, stored):
    done("train", "--data", shop, *QUICK)
    before = stored()
    (user, item), *_ = before
    say(("new user", "new item", 4.5), ("new user", item, 1), (user, item, None))

    told = done("train", "--data", shop, *QUICK).err

    assert "feedback: 2 ratings merged in, 1 taken back; now 901 ratings of 31 items" in told
    expected = {**before, ("new user", "new item"): 4.5, ("new user", item): 1}
    del expected[user, item]
    assert stored() == expected


def test_without_feedback_the_file_alone_is_trained_on(shop, done, say, stored):
    first = done("train", "--data", shop, *QUICK).json["content_hash"]
    before = stored()
    say(("new user", "i1", 4.5))
    again = done("train", "--data", shop, "--no-feedback", *QUICK)
    assert again.json["content_hash"] == first
    assert "feedback" not in again.err
    assert stored() == before


def test_without_feedback_what_was_taken_back_stays_out_all_the_same(shop, done, say, stored):
    done("train", "--data", shop, *QUICK)
    before = stored()
    (user, item), *_ = (pair for pair in before if pair[0] != "u1")
    say(("u1", ALL_ITEMS, None), ("u1", "i1", 5), ("new", "i1", 5), (user, item, None))
    told = done("train", "--data", shop, "--no-feedback", *QUICK).err
    assert "feedback: 0 ratings merged in, 2 taken back" in told
    assert stored() == {
        pair: value for pair, value in before.items() if pair[0] != "u1" and pair != (user, item)
    }


def test_feedback_on_another_data_set_is_none_of_ours(shop, write_csv, done, say):
    other = write_csv("other.csv", seed=1)
    done("train", "--data", other, *QUICK)
    say(("new user", "i1", 4.5))
    assert "feedback" not in done("train", "--data", other, *QUICK).err


def test_what_was_merged_in_is_not_newer_than_the_version(shop, done, say):
    before = done("train", "--data", shop, *QUICK).json["model_id"]
    say(("u1", "i1", 4.5))
    after = done("train", "--data", shop, *QUICK).json["model_id"]
    source = store.StoreSource(store.open_database("sqlite:///var/recsys.db"))
    assert len(source.newer_feedback(before, "u1")) == 1
    assert source.newer_feedback(after, "u1") == []


def test_evaluating_leaves_feedback_out(shop, done, say):
    command = ("evaluate", "--data", shop, "--holdout", 0.2, "--n-epochs", 1, "--json")
    before = done(*command).json
    say(("u1", "i1", 1), ("u1", "i2", 1))
    assert done(*command).json["rmse"] == before["rmse"]


def test_nothing_left_to_train_on_is_bad_data(home, recsys, say):
    (home / "shop.csv").write_text("user,item,rating\nann,a,4\nann,b,3\n")
    say(("ann", ALL_ITEMS, None))
    refused = recsys("train", "--data", "shop.csv")
    assert refused.code == 3
    assert "everything in shop.csv was taken back" in refused.err


@pytest.fixture
def kept():
    """Return the stored feedback on shop.csv."""

    def load():
        engine = store.open_database("sqlite:///var/recsys.db")
        entries = store.load_feedback(engine, "shop.csv").entries
        engine.dispose()
        return entries

    return load


def copy(database, to):
    # The last commits may be in the write-ahead log still.
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


@pytest.fixture(scope="session")
def shop_store(tmp_path_factory):
    """The database of a training on six ratings, 1 to 5 stars, named as shop.csv is."""
    return tmp_path_factory.mktemp("shop") / "recsys.db"


@pytest.fixture
def small(home, shop_store, done):
    """A champion of six ratings, trained once for all tests."""
    (home / "var").mkdir()
    if not shop_store.exists():
        rows = ["ann,a,5", "ann,b,3", "bob,a,4", "bob,b,1", "eve,a,2", "eve,b,4.5"]
        (home / "shop.csv").write_text("\n".join(["user,item,rating", *rows, ""]))
        done("--database-url", f"sqlite:///{shop_store}", "train", "--data", "shop.csv",
             "--objective", "rating", "--n-epochs", 1)  # fmt: skip
    copy(shop_store, home / "var" / "recsys.db")


@pytest.mark.parametrize("name", ["feedback.csv", "feedback.parquet"])
def test_what_is_exported_can_be_imported_elsewhere(small, done, say, kept, home, name):
    copy(home / "var" / "recsys.db", home / "other.db")
    say(("ann", "a", 3.7), ("007", "b", 1), ('Ü "q" 日本', "a", 2), ("bob", "a", None))
    say(("eve", ALL_ITEMS, None), ("eve", "a", 5))
    # None of these is ann, eve or nobody.
    say((" ann", ALL_ITEMS, None), ("eve\u00a0", ALL_ITEMS, None), (" ", "b", 3), ("null", "a", 1))
    before = kept()
    assert len(before) == 10
    assert "10 rows" in done("feedback", "export", name).out
    elsewhere = ("--database-url", "sqlite:///other.db")
    engine = store.open_database("sqlite:///other.db")
    store.save_feedback(engine, "shop.csv", [FeedbackEntry("eve", "b", 1, 1)])
    assert "10 rows" in done(*elsewhere, "feedback", "import", name).out
    assert store.load_feedback(engine, "shop.csv").entries == before
    engine.dispose()
    done("feedback", "import", name)
    assert kept() == before


def test_there_may_be_nothing_to_export(small, done, home):
    assert "0 rows" in done("feedback", "export", "none.csv").out
    assert (home / "none.csv").read_text() == "user_id,item_id,rating,timestamp,is_erased\n"
    done("feedback", "export", "none.parquet")
    assert "0 rows" in done("feedback", "import", "none.parquet").out


def test_a_ratings_file_of_any_column_names_can_be_imported(small, done, kept, home):
    (home / "new.csv").write_text("rating,movieId,USER\n4.5,a,ann\n2,b,7\n")
    done("feedback", "import", "new.csv")
    assert [entry[:3] for entry in kept()] == [("7", "b", 2), ("ann", "a", 4.5)]


def test_a_file_with_mistakes_is_not_taken_in_and_each_is_told_with_its_line(
    small, recsys, kept, home
):
    rows = [
        "ann,a,4,,",
        "ann,a,5.5,,",
        "",
        "a/b,a,4,,",
        "ann,nope,4,,",
        "ann,a,good,,",
        "ann,a,,,",
        "ann,a,4,yesterday,",
        "ann,a,4,1700000000000,",
        "ann,a,4,,maybe",
        "ann,a",
    ]
    header = "user_id,item_id,rating,timestamp,is_erased"
    (home / "bad.csv").write_text("\n".join([header, *rows, ""]))
    refused = recsys("feedback", "import", "bad.csv")
    assert refused.code == 3
    told = refused.err.splitlines()
    wanted = {
        3: "5.5 is outside the scale; allowed: 1 to 5",
        5: "this user cannot be used; found 'a/b'",
        6: "item 'nope' is not in shop.csv; allowed with --new-items",
        7: "this rating cannot be used; found 'good'",
        8: "there is no rating; allowed: 1 to 5",
        9: "this timestamp cannot be used; found 'yesterday'",
        10: "this timestamp cannot be used; found '1700000000000'",
        11: "this is_erased cannot be used; found 'maybe'",
        12: "2 fields; allowed: 5 fields",
    }
    assert len(told) == len(wanted)
    for line, problem in wanted.items():
        assert any(f"bad.csv, line {line}: {problem}" in one for one in told), problem
    assert told[-1].startswith("Error: bad.csv, line 3")
    assert kept() == []


def test_of_many_mistakes_ten_are_told(small, recsys, home):
    (home / "bad.csv").write_text("user,item,rating\n" + "ann,a,9\n" * 1234)
    told = recsys("feedback", "import", "bad.csv").err.splitlines()
    assert len(told) == 11
    assert "and 1,224 more" in told


def test_new_items_are_taken_when_they_are_said_to_be_new(small, done, kept, home):
    (home / "new.csv").write_text("user,item,rating\nann,new,4\n")
    done("feedback", "import", "new.csv", "--new-items")
    assert [entry[:3] for entry in kept()] == [("ann", "new", 4)]


def test_times_are_seconds_or_dates(small, done, kept, home):
    (home / "new.csv").write_text(
        "user,item,rating,timestamp\nann,a,4,1700000000\nbob,a,4,1970-01-02\n"
    )
    done("feedback", "import", "new.csv")
    assert [entry.rated_at for entry in kept()] == [1_700_000_000, 86_400]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("export", "feedback.txt"), 2, "allowed: .csv, .parquet"),
        (("import", "feedback.txt"), 2, "allowed: .csv, .parquet"),
        (("import", "missing.csv"), 1, "missing.csv: No such file"),
        (("import", "empty.csv"), 3, "no user column"),
        (("import", "shop.csv"), 3, "no item column"),
        (("import", "latin.csv"), 3, "it cannot be read"),
        (("import", "text.parquet"), 3, "it cannot be read"),
        (("export", "x.csv", "--data-set", "other"), 4, "known: shop.csv"),
        (("info", "--data-set", "other"), 4, "known: shop.csv"),
    ],
)
def test_what_cannot_be_done_is_told(small, recsys, home, arguments, code, told):
    (home / "empty.csv").write_text("")
    (home / "shop.csv").write_text("user,rating\nann,4\n")
    (home / "latin.csv").write_bytes("user,item,rating\nJosé,a,4\n".encode("latin-1"))
    (home / "text.parquet").write_text("not Parquet")
    refused = recsys("feedback", *arguments)
    assert refused.code == code, refused.err
    assert told in refused.err


def test_info_counts_what_is_there_and_what_is_newer_than_the_version(small, done, say):
    say(("ann", "a", 3), ("new", "a", 1), ("bob", "a", None))
    assert done("feedback", "info", "--json").json == {
        "data_set": "shop.csv",
        "n_users": 3,
        "n_ratings": 2,
        "n_erased": 1,
        "model_id": 1,
        "n_newer": 3,
    }
    assert "shop.csv" in done("feedback", "info").out


def test_without_a_version_there_is_nothing_to_check_against(home, recsys):
    (home / "new.csv").write_text("user,item,rating\nann,a,4\n")
    assert recsys("feedback", "import", "new.csv").code == 4
