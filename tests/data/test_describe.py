import dataclasses
import json

import pytest

from recsys.data.describe import MAX_PROBLEMS, Spread, describe
from recsys.errors import NotFoundError


@pytest.fixture
def write(tmp_path):
    def write_one(content):
        path = tmp_path / "a.csv"
        path.write_text(content, encoding="utf-8")
        return path

    return write_one


def test_the_embedded_set_is_described():
    description = describe()
    contents = description.contents
    assert (contents.n_users, contents.n_items, contents.n_ratings) == (671, 9_066, 100_004)
    assert contents.density == pytest.approx(100_004 / (671 * 9_066))
    assert list(contents.histogram) == ["0.5", "1", "1.5", "2", "2.5", "3", "3.5", "4", "4.5", "5"]
    assert sum(contents.histogram.values()) == 100_004
    assert (contents.first_rated, contents.last_rated) == (
        "1995-01-09T11:46:49+00:00",
        "2016-10-16T17:57:24+00:00",
    )
    assert (contents.n_titles, contents.n_years) == (9_061, 9_061)
    assert description.problems == ()
    assert description.warnings == ("5 of 9,066 items have no title; ids are shown",)


def test_a_small_file_is_described_by_hand_worked_numbers(write):
    contents = describe(
        write("user,item,rating,timestamp\na,x,1,0\na,y,4,86400\nb,x,4,60\nc,x,3,60\n")
    ).contents
    assert (contents.n_users, contents.n_items, contents.n_ratings) == (3, 2, 4)
    assert contents.density == pytest.approx(4 / 6)
    assert (contents.rating_min, contents.rating_max, contents.rating_mean) == (1, 4, 3)
    assert contents.histogram == {"1": 1, "3": 1, "4": 2}
    assert contents.ratings_per_user == Spread(1, 1.0, 2)
    assert contents.ratings_per_item == Spread(1, 2.0, 3)
    assert (contents.n_users_with_few, contents.n_items_with_few) == (3, 2)
    assert (contents.first_rated, contents.last_rated) == (
        "1970-01-01T00:00:00+00:00",
        "1970-01-02T00:00:00+00:00",
    )


def test_a_description_can_be_written_as_json(write):
    for content in ("user,item,rating\n1,2,3\n", "user,item\n1,2\n", "user,item,rating\n1,2,x\n"):
        described = dataclasses.asdict(describe(write(content)))
        assert json.loads(json.dumps(described))["problems"] == list(described["problems"])


def test_ratings_of_many_values_are_counted_by_range(write):
    rows = "".join(f"{n},1,{n / 10}\n" for n in range(100))
    histogram = describe(write(f"user,item,rating\n{rows}")).contents.histogram
    assert list(histogram.values()) == [10] * 10
    assert next(iter(histogram)) == "0 to 0.99"


def test_everything_wrong_with_a_file_is_told_at_once(write):
    description = describe(write("user,item,rating\n1,2,x\n1,3\n,3,4\n"))
    assert description.contents is None
    assert [problem.split(", line ")[1][:1] for problem in description.problems] == ["2", "3", "4"]
    assert not description.has_more_problems


def test_a_flood_of_problems_is_cut_and_said_to_be(write):
    description = describe(write("user,item,rating\n" + "1,2,x\n" * (MAX_PROBLEMS + 1)))
    assert len(description.problems) == MAX_PROBLEMS
    assert description.has_more_problems


@pytest.mark.parametrize("content", ["", "a,b,c\nx,y,z\n", "{}"])
def test_a_file_that_is_no_table_has_one_problem(write, content):
    path = write(content)
    (problem,) = describe(path).problems
    assert str(path) in problem


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        ("user,item\n1,2\n1,3\n2,2\n", "implicit feedback"),
        ("user,item,rating\n1,2,3\n1,3,3\n2,2,3\n", "all ratings are 3"),
        ("user,item,rating\n1,2,3\n1,2,4\n2,2,5\n", "1 row dropped"),
        ("user,item,rating,time\n1,2,3,0\n1,3,4,99\n", "1 times are 1970 or earlier"),
        ("user,item,rating\n1,2,3\n1,3,4\n", "there is only one of the users"),
        ("user,item,rating\n1,2,3\n1,3,4\n2,4,4\n", "all items have one rating each"),
    ],
)
def test_what_may_not_be_meant_is_warned_of(write, content, warning):
    description = describe(write(content))
    assert description.problems == ()
    assert any(warning in told for told in description.warnings)


def test_implicit_feedback_has_no_scale(write):
    contents = describe(write("user,item\n1,2\n1,3\n")).contents
    assert contents.is_implicit
    assert contents.rating_min is contents.rating_mean is contents.histogram is None


def test_what_does_not_exist_is_not_found(tmp_path):
    with pytest.raises(NotFoundError):
        describe(tmp_path / "nowhere")
