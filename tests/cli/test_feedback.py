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
