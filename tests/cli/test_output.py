import io
import json

import pytest

from recsys.cli.output import note, print_json, print_pairs, print_table, say


def test_what_is_not_a_finite_number_is_null_at_any_depth(capsys):
    print_json({"a": float("nan"), "b": [1.5, float("inf"), {"c": -float("inf")}], "d": None})
    assert json.loads(capsys.readouterr().out) == {
        "a": None,
        "b": [1.5, None, {"c": None}],
        "d": None,
    }


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("name", "tell"), [("stderr", note), ("stdout", say)])
def test_a_message_is_broken_between_words_on_a_terminal_alone(name, tell, capsys, monkeypatch):
    message = "1234 5678\n\nlr-find.csv --n-epochs"
    tell(message)
    assert getattr(capsys.readouterr(), name[3:]) == f"{message}\n"
    monkeypatch.setenv("COLUMNS", "8")
    monkeypatch.setattr(f"sys.{name}", terminal := Terminal())
    tell(message)
    assert terminal.getvalue() == "1234\n5678\n\nlr-find.csv\n--n-epochs\n"


def test_titles_stand_in_json_as_they_are(capsys):
    print_json({"title": "Amélie"})
    assert "Amélie" in capsys.readouterr().out


def test_texts_stand_left_and_numbers_right_with_four_decimals(capsys):
    print_table([["a", 1, 0.5], ["long", 12, None]], ["name", "n", "score"])
    assert capsys.readouterr().out.splitlines() == [
        "name   n   score",
        "----  --  ------",
        "a      1  0.5000",
        "long  12       -",
    ]


def test_a_text_that_looks_like_a_number_is_left_as_it_is(capsys):
    print_table([["007"], ["1e5"], ["nan"]], ["id"])
    assert capsys.readouterr().out.splitlines()[2:] == ["007", "1e5", "nan"]


def test_a_number_that_is_written_out_stands_right_where_its_column_is_named(capsys):
    print_table([["1,209", "5 MB"], ["54", "63 MB"]], ["n", "size"], numbers={0})
    assert capsys.readouterr().out.splitlines()[2:] == ["1,209  5 MB", "   54  63 MB"]


def test_a_long_text_is_cut_with_an_ellipsis(capsys):
    print_table([["Shawshank Redemption, The"], ["Speed"]], ["title"], [10])
    assert capsys.readouterr().out.splitlines()[2:] == ["Shawshank…", "Speed"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0000123456, "1.235e-05"), (40, "40"), (None, "-"), ("cosine", "cosine"), (4.5, "4.5")],
)
def test_pairs_are_shown_with_four_significant_digits(capsys, value, shown):
    print_pairs({"lr": value})
    assert capsys.readouterr().out == f"lr  {shown}\n"
