import json
import sqlite3
from contextlib import closing

import pytest

from benchmarks.kills import Kill, Measured, Shop, as_json, as_table, main


@pytest.fixture
def ratings(tmp_path):
    path = tmp_path / "ratings.csv"
    rows = [f"u{u},i{i},{1 + (3 * u + 2 * i) % 5}" for u in range(20) for i in range(15)]
    path.write_text("\n".join(["user,item,rating", *rows]))
    return path


def test_a_killed_training_leaves_the_champion_answering(ratings, capsys):
    assert main(["--kills", "2", "--data", str(ratings), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["data"], told["n_failed"], told["last_problem"]) == ("ratings.csv", 0, "")
    first, second = told["kills"]
    assert 0 < first["seconds"] < told["duration"] / 2 < second["seconds"] < told["duration"]
    assert first["phase"] in {"starting", "preparing"}


def test_a_damaged_database_is_told(ratings, tmp_path):
    shop = Shop(tmp_path, ["--data", str(ratings)])
    shop.train("--n-epochs", "1")
    user = shop.first_user()
    answer = shop.run("recommend", user, "--json")
    assert shop.problem(user, answer) == ""
    assert "another one" in shop.problem(user, answer + " ")
    with closing(sqlite3.connect(tmp_path / "recsys.db")) as database, database:
        database.execute("DELETE FROM aliases")
    assert "there is no champion" in shop.problem(user, answer)
    with (tmp_path / "recsys.db").open("r+b") as file:
        file.write(b"nothing" * 100)
    assert "not a database" in shop.problem(user, answer)


def test_one_failure_of_any_check_counts():
    fine, broken = Kill(1.0, "starting", ""), Kill(2.0, "storing the version", "malformed")
    assert Measured("a", 0, 3.0, (fine, fine), "").n_failed == 0
    assert Measured("a", 0, 3.0, (fine, fine), "locked").n_failed == 1
    measured = Measured("a", 0, 3.0, (fine, broken), "locked")
    assert json.loads(as_json(measured))["n_failed"] == 2
    *_, before_last, _, last = as_table(measured).splitlines()
    assert before_last.split("  ")[-1] == "malformed"
    assert last == "The training afterwards: locked. Checks that failed: 2."
