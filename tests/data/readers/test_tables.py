"""CSV, TSV and Parquet with columns called anything; text of any shape that is still a table."""

import gzip
import io
import zipfile
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.readers import files, read, read_ratings
from recsys.data.readers.columns import COLUMN_NAMES
from recsys.errors import DataError, NotFoundError, UsageError


def triples(ratings):
    """(user_id, item_id, rating) of each rating, in their order."""
    values = [None] * ratings.n_ratings if ratings.is_implicit else ratings.values.tolist()
    return [
        (ratings.user_ids[u], ratings.item_ids[i], value)
        for u, i, value in zip(ratings.users, ratings.items, values, strict=True)
    ]


def parquet(**columns):
    packed = io.BytesIO()
    pq.write_table(pa.table(columns), packed)
    return packed.getvalue()


EXPECTED = [("anna", "x 1", 4.5), ("bo", "x 1", 2.0)]
TABLES = {
    "CSV": b"user,item,rating\nanna,x 1,4.5\nbo,x 1,2\n",
    "TSV": b"user\titem\trating\nanna\tx 1\t4.5\nbo\tx 1\t2\n",
    "text separated by ';'": b"user;item;rating\nanna;x 1;4.5\nbo;x 1;2\n",
    "text separated by '|'": b"user|item|rating\nanna|x 1|4.5\nbo|x 1|2\n",
    "text separated by '::'": b"user::item::rating\nanna::x 1::4.5\nbo::x 1::2\n",
    "CSV without header": b"anna,x 1,4.5\nbo,x 1,2\n",
    "TSV without header": b"anna\tx 1\t4.5\nbo\tx 1\t2\n",
    "Parquet": parquet(user=["anna", "bo"], item=["x 1", "x 1"], rating=[4.5, 2]),
}


@pytest.mark.parametrize("packing", ["plain", "gzip", "zip"])
@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_known_by_its_content_whatever_it_is_called(write, kind, packing):
    content = TABLES[kind]
    if packing == "gzip":
        content = gzip.compress(content)
    elif packing == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("anything", content)
        content = packed.getvalue()
    reading = read(write("file", content))
    assert triples(reading.ratings) == EXPECTED
    assert reading.format == kind


@pytest.mark.parametrize(
    "header",
    [
        "userId,movieId,rating",
        "user_id,item_id,rating",
        "User ID,Item ID,Score",
        "uid,iid,stars",
        "USER,ITEM,RATING",
        '"reviewerID","asin","overall"',
        "customer_id,product_id,ratings",
    ],
)
def test_usual_names_of_columns_are_known(write, header):
    path = write("a.csv", f"{header}\n1,2,3\n")
    assert triples(read_ratings(path)) == [("1", "2", 3)]


def test_no_name_is_claimed_by_two_roles():
    names = [name for names in COLUMN_NAMES.values() for name in names]
    assert len(names) == len(set(names))


def test_columns_may_stand_in_any_order_among_others(write):
    path = write(
        "a.csv",
        "rownames,movieId,title,genres,userId,rating,timestamp\n"
        '1,31,"Dangerous ""Minds"", or so",Drama,7,2.5,1260759144\n',
    )
    ratings = read_ratings(path)
    assert triples(ratings) == [("7", "31", 2.5)]
    assert ratings.timestamps.tolist() == [1260759144]


def test_an_id_column_goes_before_a_column_of_names(write):
    path = write("a.csv", "user,user_id,movie,movieId,rating\nAnna,1,Alien,2,3\n")
    assert triples(read_ratings(path)) == [("1", "2", 3)]


@pytest.mark.parametrize(
    "content",
    [
        b"kunde,artikel,note,wann\n1,2,3,4\n",
        parquet(kunde=["1"], artikel=["2"], note=[3], wann=[4]),
    ],
)
def test_columns_can_be_named(write, content):
    columns = {"user": "kunde", "item": "artikel", "rating": "note", "timestamp": "wann"}
    ratings = read_ratings(write("a", content), columns=columns)
    assert triples(ratings) == [("1", "2", 3)]
    assert ratings.timestamps.tolist() == [4]


def test_a_column_named_but_missing_is_told(write):
    path = write("a.csv", "kunde,artikel,rating\n1,2,3\n")
    with pytest.raises(DataError, match=r"line 1: no item column; found 'kunde, artikel, rating'"):
        read_ratings(path, columns={"user": "kunde"})
    with pytest.raises(DataError, match="a column called 'Artikel'"):
        read_ratings(path, columns={"user": "kunde", "item": "Artikel"})
    with pytest.raises(UsageError, match="columns names 'usr'; allowed: user, item, rating"):
        read_ratings(path, columns={"usr": "kunde"})


def test_leading_zeros_are_part_of_an_id(write):
    path = write("a.csv", "user,item,rating\n007,1,3\n7,1,4\n")
    ratings = read_ratings(path)
    assert triples(ratings) == [("007", "1", 3), ("7", "1", 4)]
    assert list(ratings.user_ids) == ["007", "7"]


def test_words_for_nothing_are_ids_like_any_other(write):
    path = write("a.csv", "user,item,rating\nNA,null,3\nNone,nan,4\n")
    assert triples(read_ratings(path)) == [("NA", "null", 3), ("None", "nan", 4)]


def test_spaces_around_fields_do_not_count(write):
    path = write("a.csv", "user, item, rating\n 1, x y ,3 \n1,z, 4\n")
    assert triples(read_ratings(path)) == [("1", "x y", 3), ("1", "z", 4)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(write, end):
    path = write("a.csv", end.join(["user,item,rating", "1,2,3", "4,5,6"]))
    assert triples(read_ratings(path)) == [("1", "2", 3), ("4", "5", 6)]


def test_a_byte_order_mark_and_blank_lines_are_passed_over(write):
    path = write("a.csv", "\ufeff\n\nuser,item,rating\n\n1,2,3\n\n\n4,5,6\n\n")
    assert triples(read_ratings(path)) == [("1", "2", 3), ("4", "5", 6)]
    path = write("b.csv", "\ufeff1,2,3\n")
    assert triples(read_ratings(path)) == [("1", "2", 3)]


def test_quoted_text_may_hold_delimiters_and_line_ends(write):
    rows = [f'{n},1,3,"so, ""good""\nand long"' for n in range(3)]
    path = write("a.csv", "user,item,rating,review\n" + "\n".join(rows) + "\n")
    assert triples(read_ratings(path)) == [(str(n), "1", 3) for n in range(3)]


def test_line_ends_in_quotes_may_come_late_in_a_large_file(write):
    # More than one block of the CSV reader (1 MB), quotes only in the second.
    plain = [f"{n},1,3,nice" for n in range(100_000)]
    review = "very\n" * 20
    quoted = [f'{n},2,4,"{review}"' for n in range(10_000)]
    path = write("a.csv", "\n".join(["user,item,rating,review", *plain, *quoted]))
    ratings = read_ratings(path)
    assert ratings.n_ratings == 110_000
    assert (ratings.values == 4).sum() == 10_000


def test_without_rating_column_it_is_implicit_feedback(write):
    for name, content in (("a.csv", "user,item\na,x\nb,y\n"), ("b.tsv", "1\tx\n2\ty\n")):
        ratings = read_ratings(write(name, content))
        assert ratings.is_implicit
        assert ratings.n_ratings == 2
    ratings = read_ratings(write("c.csv", "user,item,time\na,x,17\n"))
    assert ratings.is_implicit
    assert ratings.timestamps.tolist() == [17]


WHEN = datetime(2016, 10, 16, 17, 57, 24, tzinfo=UTC)
SECONDS = 1476640644


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("1476640644", None),
        ("1476640644.75", None),
        ("2016-10-16 17:57:24", "dates"),
        ("2016-10-16T17:57:24Z", "dates"),
        ("2016-10-16T19:57:24+02:00", "dates"),
        ("2016-10-16T17:57:24.5Z", "dates"),
        ("1476640644000", "milliseconds"),
        ("1476640644000000", "microseconds"),
        ("1476640644000000000", "nanoseconds"),
    ],
)
def test_times_become_seconds(write, written, unit):
    reading = read(write("a.csv", f"user,item,rating,timestamp\n1,2,3,{written}\n"))
    assert reading.ratings.timestamps.tolist() == [SECONDS]
    assert reading.notes == (
        () if unit is None else (f"the times are {unit} in the file, and were read as seconds",)
    )


def test_dates_become_seconds(write):
    ratings = read_ratings(write("a.csv", "user,item,date\n1,2,1970-01-02\n1,3,1969-12-31\n"))
    assert ratings.timestamps.tolist() == [86_400, -86_400]


def test_forms_of_dates_may_be_mixed(write):
    written = (
        *("2020-01-01", "2020-01-02T10:00:00Z", "2020-01-02 10:00", "2020-01-01"),
        *("2020-01-02T12:00:00+02:00", "2020-01-02 10:00:00.75", " 2019-12-31"),
    )
    rows = "".join(f"1,{item},3,{date}\n" for item, date in enumerate(written))
    reading = read(write("a.csv", f"user,item,rating,timestamp\n{rows}"))
    # 2020-01-01 is day 18262 since 1970; ten o'clock on the next day is 86,400 + 36,000 s later.
    day = 18_262 * 86_400
    ten = day + 86_400 + 36_000
    assert reading.ratings.timestamps.tolist() == [day, ten, ten, day, ten, ten, day - 86_400]
    assert reading.notes == ("the times are dates in the file, and were read as seconds",)


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        (pa.array([12, 7], pa.int64()), ["7", "12"]),
        (pa.array([12, 7], pa.uint8()), ["7", "12"]),
        (pa.array([12.0, 7.0], pa.float64()), ["7", "12"]),
        (pa.array([2.0**53, 7.0], pa.float64()), ["7", "9007199254740992"]),
        (pa.array(["7", "012"]), ["012", "7"]),
        (pa.array(["b", "a"], pa.large_string()), ["a", "b"]),
        (pa.array(["b", "a"], pa.string_view()), ["a", "b"]),
        (pa.array(["b", "a"]).dictionary_encode(), ["a", "b"]),
        (pa.array([12, 7]).dictionary_encode(), ["7", "12"]),
    ],
    ids=str,
)
def test_ids_in_parquet_may_be_of_any_type_that_names_something(write, users, expected):
    ratings = read_ratings(write("a", parquet(user=users, item=[1, 1], rating=[3, 4])))
    assert list(ratings.user_ids) == expected
    assert ratings.values[ratings.users == 0].tolist() == [4]


@pytest.mark.parametrize(
    "ratings",
    [
        pa.array([3, 4], pa.int8()),
        pa.array([3, 4], pa.float32()),
        pa.array(["3", "4"]),
        pa.array(["3", "4"]).dictionary_encode(),
    ],
    ids=str,
)
def test_ratings_in_parquet_may_be_of_any_type_that_is_a_number(write, ratings):
    found = read_ratings(write("a", parquet(user=["a", "b"], item=["x", "x"], rating=ratings)))
    assert found.values.dtype == np.float32
    assert found.values.tolist() == [3, 4]


@pytest.mark.parametrize(
    "times",
    [
        pa.array([SECONDS], pa.int32()),
        pa.array([float(SECONDS)]),
        pa.array([WHEN], pa.timestamp("us", "Europe/Berlin")),
        pa.array([WHEN.replace(tzinfo=None)], pa.timestamp("ns")),
        pa.array([str(SECONDS)]),
        pa.array([f"{SECONDS}.5"], pa.large_string()),
        pa.array(["2016-10-16 17:57:24"]),
        pa.array(["2016-10-16T19:57:24+02:00"], pa.string_view()),
        pa.array(["2016-10-16T17:57:24Z"]).dictionary_encode(),
    ],
    ids=str,
)
def test_times_in_parquet_become_seconds(write, times):
    ratings = read_ratings(write("a", parquet(user=["a"], item=["x"], timestamp=times)))
    assert ratings.timestamps.tolist() == [SECONDS]


def test_own_titles_may_lie_beside_own_ratings(tmp_path):
    (tmp_path / "ratings.csv").write_text("user,item,rating\na,B1,3\na,B2,4\n", encoding="utf-8")
    (tmp_path / "items.csv").write_text(
        "title,item_id\nMugs (2020),B2\nPlates,B1\n", encoding="utf-8"
    )
    metadata = read_ratings(tmp_path).metadata
    assert metadata.titles == ("Plates", "Mugs")
    assert metadata.years == (None, 2020)
    assert metadata.genres == ((), ())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_line_ends_of_files_end_a_line_of_titles(tmp_path, end):
    (tmp_path / "ratings.csv").write_text("user,item\na,1\na,2\na,3\n", encoding="utf-8")
    lines = [
        "item_id,title",
        "1,Wait\x85What\u2028Now\x0b\x0c\x1c\u2029!",
        f'2,"Two{end}lines"',
        "3,C",
    ]
    titles = tmp_path / "items.csv"
    titles.write_text(end.join([*lines, ""]), encoding="utf-8", newline="")
    expected = ("Wait\x85What\u2028Now\x0b\x0c\x1c\u2029!", f"Two{end}lines", "C")
    assert read_ratings(tmp_path).metadata.titles == expected
    # The title of two lines counts as two.
    titles.write_text(end.join([*lines, "4"]), encoding="utf-8", newline="")
    with pytest.raises(DataError, match=r"items\.csv, line 6: 1 fields; allowed: 2"):
        read_ratings(tmp_path)


def test_a_folder_with_one_file_means_that_file(tmp_path):
    (tmp_path / "export.tsv").write_text("user\titem\n1\t2\n", encoding="utf-8")
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    assert read_ratings(tmp_path).n_ratings == 1


def test_an_existing_path_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ml-1m").write_text("user,item\n1,2\n", encoding="utf-8")
    assert read_ratings("ml-1m").n_ratings == 1


def test_what_is_no_path_and_no_name_is_not_found(tmp_path):
    with pytest.raises(NotFoundError, match=r"nowhere\.csv' is no file, no folder and no data set"):
        read_ratings(tmp_path / "nowhere.csv")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_only(write, capsys, monkeypatch):
    monkeypatch.setattr(files, "QUICK", 0)
    path = write("a.csv", "user,item\n1,2\n")
    read_ratings(path, progress=True)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    read_ratings(path, progress=True)
    assert "reading a.csv" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_quick_reading_shows_no_progress(write, monkeypatch):
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    read_ratings(write("a.csv", "user,item\n1,2\n"), progress=True)
    assert terminal.getvalue() == ""
