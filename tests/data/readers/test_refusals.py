"""Wrong input says the path, the line, the value and what is allowed."""

import gzip
import io
import sys
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.data.readers import find_problems, read_ratings
from recsys.errors import DataError

HEADER = "userId,movieId,rating,timestamp\n"
A_NUMBER = "a finite number"
AN_ID = (
    "1 to 255 characters without '/', comma, control characters or lone surrogates, and not "
    "'.' or '..' alone"
)


def refused(path):
    with pytest.raises(DataError) as error:
        read_ratings(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
    return error.value


@pytest.mark.parametrize("rating", ["abc", "", "nan", "inf", "-Infinity", "1e39", "3,5", "4 5"])
@pytest.mark.parametrize("delimiter", [";", "\t", "::"])
def test_a_rating_that_is_no_finite_number(write, rating, delimiter):
    rows = [("user", "item", "rating"), ("1", "2", "3"), ("1", "3", rating), ("1", "4", "x")]
    error = refused(write("a", "".join(delimiter.join(row) + "\n" for row in rows)))
    assert (error.line, error.value, error.allowed) == (3, rating, A_NUMBER)


@pytest.mark.parametrize("value", ["", "  ", "..", "a/b", "x" * 256, "a\x07b", '"a,b"'])
@pytest.mark.parametrize("column", [0, 1])
def test_an_id_that_cannot_be_used(write, value, column):
    fields = ["1", "2", "3", "4"]
    fields[column] = value
    error = refused(write("a.csv", f"{HEADER}9,9,9,9\n{','.join(fields)}\n"))
    assert (error.line, error.value, error.allowed) == (3, value.strip('" '), AN_ID)


@pytest.mark.parametrize(
    "written", ["yesterday", "", "nan", "2016-13-01", "1e400", "99999999999999999999", "17:57:24"]
)
def test_a_time_that_is_none(write, written):
    error = refused(write("a.csv", f"{HEADER}1,2,3,4\n1,3,3,{written}\n"))
    assert (error.line, error.value) == (3, written)
    assert "ISO date" in error.allowed


@pytest.mark.parametrize("written", ["99999999999999999999", "true", "17:57:24", "1e19"])
def test_a_column_of_times_that_are_none(write, written):
    error = refused(write("a.csv", f"{HEADER}1,2,3,{written}\n1,3,3,{written}\n"))
    assert (error.line, error.value) == (2, written)
    assert "ISO date" in error.allowed


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2016-10-16", "1476640644"),
        ("2016-10-16", "20161016"),
        ("2016-10-16", "1.5"),
        ("1476640644", "2016-10-16"),
    ],
)
def test_times_are_all_numbers_or_all_dates(write, first, second):
    error = refused(write("a.csv", f"{HEADER}1,2,3,{first}\n1,3,3,{second}\n"))
    assert (error.line, error.value) == (3, second)
    assert "one of the two for the whole column" in error.allowed


def test_a_fraction_among_whole_times_is_no_problem(write):
    path = write("a.csv", f"{HEADER}1,2,3,4\n1,3,3,4.5\n1,4,x,5\n")
    assert [problem.line for problem in find_problems(path)] == [4]


@pytest.mark.parametrize("row", ["1,3", "1,3,4", "1,3,4,5,6"])
def test_a_line_with_too_few_or_too_many_fields(write, row):
    error = refused(write("a.csv", f"{HEADER}1,2,3,4\n{row}\n"))
    assert (error.line, error.value, error.allowed) == (3, row, "4 fields separated by ','")


def test_the_character_that_stands_in_for_two_colons_is_no_delimiter(write):
    error = refused(write("a.dat", "1::2::3::4\n1::3::3\x1f4\n"))
    assert (error.line, error.value) == (2, "3\x1f4")


def test_the_line_is_the_one_an_editor_shows(write):
    # Blank lines and line ends inside quotes count.
    text = 'user,item,review,rating\n\n1,2,"two\nlines",3\n\n1,3,fine,x\n'
    assert refused(write("a.csv", text)).line == 6
    assert refused(write("b.dat", "1::2::3::4\n\n1::3::z::4\n")).line == 3
    assert refused(write("c.csv", "\n\nuser,item,rating\n\n1,2,x\n")).line == 5
    assert refused(write("d.csv", "user,item,rating\r\n\r\n1,2,x\r\n")).line == 3


def test_the_line_is_right_far_into_a_large_file(write):
    rows = [f"{n},1,3" for n in range(200_000)]
    rows[150_000] = "150000,1,bad"
    error = refused(write("a.csv", "user,item,rating\n" + "\n".join(rows)))
    assert (error.line, error.value) == (150_002, "bad")


def test_a_quote_that_never_closes(write):
    error = refused(write("a.csv", 'user,item,rating\n1,2,3\n"1,3,4\n1,4,5\n'))
    assert error.line == 3
    long = "".join(f"{n},1,1\n" for n in range(300_000))
    assert refused(write("b.csv", f'user,item,rating\n1,2,3\n"1,3,4\n{long}')).line == 3


def test_bytes_that_are_not_utf_8(write):
    error = refused(write("a.csv", HEADER.encode() + b"1,2,3,4\nj\xf6rg,2,3,4\n"))
    assert (error.line, error.value, error.allowed) == (3, b"j\xf6rg", "text in UTF-8")


def test_bytes_that_are_not_utf_8_do_not_matter_in_other_columns(write):
    path = write("a.csv", b"user,item,rating,Gr\xf6\xdfe\n1,2,3,gro\xdf\n")
    assert read_ratings(path).n_ratings == 1


@pytest.mark.parametrize("content", ["", "\n \n\n", HEADER, HEADER.strip(), "user,item\n\n\n"])
def test_a_file_without_ratings(write, content):
    assert "allowed: " in str(refused(write("a.csv", content)))


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("thing,movieId,rating", "user"),
        ("userId,thing,rating", "item"),
        ("a,b,c", "user"),
        ("1,2,3,4,5", "user"),
        ("alice,matrix", "user"),
    ],
)
def test_a_table_without_user_or_item_column(write, header, missing):
    error = refused(write("a.csv", f"{header}\n1,2,3\n"))
    assert f"no {missing} column" in str(error)
    assert (error.line, error.value) == (1, header.replace(",", ", "))
    assert missing in error.allowed


@pytest.mark.parametrize(
    "content",
    [
        b'[{"user": 1, "item": 2}]',
        b'{"user": 1, "item": 2}\n',
        b"<html><body>404</body></html>",
        bytes(range(256)),
        HEADER.encode("utf-16"),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"just one column\n1\n2\n",
    ],
)
def test_content_of_another_kind(write, content):
    assert refused(write("a.csv", content)).allowed is not None


def zipped(*, n=2000, method=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    rows = "".join(f"{k},{k * 7919 % 1009},{k % 5}.5,{k}\n" for k in range(n))
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("ml-x/ratings.csv", HEADER + rows)
    return packed.getvalue()


@pytest.mark.parametrize("keep", [4, 30, 200, 5000, -1, -22])
def test_a_zip_that_is_cut_short(write, keep):
    assert "truncated or corrupt" in str(refused(write("a.zip", zipped()[:keep])))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_zip_with_a_changed_byte(write, method):
    content = bytearray(zipped(method=method))
    # A digit that stays a digit in the stored case: only the CRC can tell.
    content[1000] ^= 1
    assert "truncated or corrupt" in str(refused(write("a.zip", bytes(content))))


def test_an_encrypted_zip(write):
    content = bytearray(zipped())
    # The encryption bit in the local header and in the central directory.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in str(refused(write("a.zip", bytes(content))))


def test_a_zip_in_an_unsupported_compression(write):
    content = bytearray(zipped())
    for at in (8, content.index(b"PK\x01\x02") + 10):
        content[at] = 97
    assert refused(write("a.zip", bytes(content))) is not None


@pytest.mark.parametrize("damage", [slice(0, -20), slice(0, 40)])
def test_a_gzip_that_is_cut_short(write, damage):
    packed = gzip.compress(HEADER.encode() + b"1,2,3,4\n" * 1000, mtime=0)
    assert "truncated or corrupt" in str(refused(write("a.csv.gz", packed[damage])))


def test_a_gzip_with_a_wrong_checksum(write):
    packed = bytearray(gzip.compress(HEADER.encode() + b"1,2,3,4\n", mtime=0))
    packed[-8] ^= 1
    assert "truncated or corrupt" in str(refused(write("a.csv.gz", bytes(packed))))


def not_utf_8(*values):
    """A text column of these bytes, as a careless writer leaves it."""
    return pa.array(values, pa.binary()).view(pa.string())


def parquet(**columns):
    packed = io.BytesIO()
    pq.write_table(pa.table(columns), packed)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": [1, None]}, "the user in row 2 cannot be used; found 'nothing'"),
        ({"user": [1.0, 2.5]}, "the user in row 2 cannot be used; found 2.5"),
        ({"user": [1.0, float("nan")]}, "the user in row 2 cannot be used; found nan"),
        ({"user": [1.0, float("inf")]}, "the user in row 2 cannot be used; found inf"),
        ({"user": [1.0, 2.0**54]}, "the user in row 2 cannot be used; found 1.80"),
        ({"user": ["a", "b/c"]}, "the user in row 2 cannot be used; found 'b/c'"),
        (
            {"user": [b"a", b"b"]},
            "the user in row 1 cannot be used; found b'a'; allowed: text or whole",
        ),
        ({"user": [[1], [2]]}, "the user in row 1 cannot be used; found [1]"),
        ({"user": [True, False]}, "the user in row 1 cannot be used; found True"),
        ({"rating": [1.0, None]}, "the rating in row 2 cannot be used; found 'nothing'"),
        ({"rating": [1.0, float("nan")]}, "the rating in row 2 cannot be used; found nan"),
        ({"rating": [1.0, float("inf")]}, "the rating in row 2 cannot be used; found inf"),
        (
            {"rating": ["1", "x"]},
            "the rating in row 2 cannot be used; found 'x'; allowed: a finite",
        ),
        ({"rating": pa.array(["1", "x"]).dictionary_encode()}, "the rating in row 2 cannot be"),
        (
            {"rating": not_utf_8(b"1", b"\xed\xa0\x80")},
            r"rating in row 2 cannot be used; found b'\xed",
        ),
        ({"rating": [[1], [2]]}, "the rating in row 1 cannot be used; found [1]"),
        ({"timestamp": [1, None]}, "the timestamp in row 2 cannot be used; found 'nothing'"),
        ({"timestamp": [1.0, float("inf")]}, "the timestamp in row 2 cannot be used; found inf"),
        ({"timestamp": pa.array([1, 2**63], pa.uint64())}, "row 2 cannot be used; found 92233"),
        ({"timestamp": ["2016-10-16", "x"]}, "the timestamp in row 2 cannot be used; found 'x'"),
        ({"timestamp": [True, False]}, "the timestamp in row 1 cannot be used; found True"),
        (
            {"user": not_utf_8(b"a", b"\xf6")},
            r"user in row 2 cannot be used; found b'\xf6'; allowed: text",
        ),
        (
            {"item": not_utf_8(b"a", b"\xf6").dictionary_encode()},
            r"the item in row 2 cannot be used; found b'\xf6'; allowed: text in UTF-8",
        ),
        ({"user": pa.array([], pa.string()), "item": pa.array([], pa.int8())}, "no ratings in it"),
    ],
)
def test_parquet_with_unusable_values(write, columns, message):
    if len(columns.get("user", [1])):
        columns = {"user": ["a", "b"], "item": ["x", "y"]} | columns
    assert message in str(refused(write("a.parquet", parquet(**columns))))


def test_parquet_without_user_column(write):
    error = refused(write("a.parquet", parquet(a=[1], item=[2])))
    assert "no user column; found 'a, item'" in str(error)


@pytest.mark.parametrize("keep", [4, 40, -1, -20])
def test_parquet_that_is_cut_short(write, keep):
    content = parquet(user=["a"], item=["b"], rating=[3])
    assert "truncated or corrupt" in str(refused(write("a.parquet", content[:keep])))


def test_a_folder_or_zip_with_nothing_known_in_it(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no ratings in it; found 'nothing'" in str(refused(tmp_path / "empty"))
    (tmp_path / "full").mkdir()
    for name in ("links.csv", "tags.csv"):
        (tmp_path / "full" / name).write_text("x", encoding="utf-8")
    error = refused(tmp_path / "full")
    assert error.value == "links.csv, tags.csv"
    assert "u.data, ratings.dat, ratings.csv" in error.allowed
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert "no ratings in it" in str(refused(tmp_path / "empty.zip"))


def test_a_folder_in_which_two_files_could_be_meant(ml_100k_folder, ml_1m_folder):
    (ml_1m_folder / "ratings.dat").rename(ml_100k_folder / "ratings.dat")
    error = refused(ml_100k_folder)
    assert "which file holds the ratings?; found 'ratings.dat, u.data'" in str(error)


@pytest.mark.parametrize(
    ("folder", "file", "line", "problem"),
    [
        ("ml_100k_folder", "u.item", "1|Only a title", "2 fields"),
        ("ml_100k_folder", "u.item", "1|T||||" + "|".join("2" * 19), "genre flags"),
        ("ml_1m_folder", "movies.dat", "1::Only a title", "2 fields"),
        ("ml_25m_folder", "movies.csv", "1,Only a title", "2 fields"),
        ("ml_25m_folder", "movies.csv", '1,"Never closed' + "\n" * 200_000, "field larger than"),
    ],
)
def test_titles_that_cannot_be_read(request, folder, file, line, problem):
    path = request.getfixturevalue(folder) / file
    n_lines = path.read_bytes().count(b"\n")
    with path.open("ab") as stream:
        stream.write(line.encode() + b"\n")
    with pytest.raises(DataError, match=problem) as error:
        read_ratings(path.parent)
    assert str(path) in str(error.value)
    assert error.value.line == n_lines + 1


def test_titles_without_a_title_column(ml_25m_folder):
    (ml_25m_folder / "movies.csv").write_text("movieId,name\n1,x\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"movies\.csv, line 1: no title column"):
        read_ratings(ml_25m_folder)


def test_all_problems_can_be_asked_for(write):
    path = write("a.csv", f"{HEADER}1,2,x,5\n1,3,4,5,6\n1,2,3,4\n,2,nan,y\n")
    found = [(problem.line, problem.value) for problem in find_problems(path)]
    assert found == [(2, "x"), (3, "1,3,4,5,6"), (5, ""), (5, "nan"), (5, "y")]


def test_a_good_file_has_no_problems(write):
    assert list(find_problems(write("a.csv", f"{HEADER}1,2,3,4\n"))) == []
    assert list(find_problems(write("a.parquet", parquet(user=["a"], item=["b"])))) == []


# Fields that one of the two parsers, the fast one and the diagnosis, may see otherwise.
ODD = st.sampled_from(
    [
        *("1", "2.5", "-3", "+4", "5.", ".5", "1e5", "1E+5", " 6 ", "007", "0x10", "1e39", "1e400"),
        *(
            "1_0",
            "\u0663",
            "\u00a05",
            "\x0b5",
            "5\u2028",
            "nan",
            "Infinity",
            "99999999999999999999",
        ),
        *("9223372036854775807", "-9223372036854775809", "", " ", "true", "null", "NA"),
        *("2020-01-01", "2020-01-02T10:00:00Z", "2020-01-02 10:00", "2020-W01-1", "20200101T10"),
        *("10:00:00", "0000-01-01", "9999-12-31T23:59:59.5", "2020-01-01T00:00:00.123456789"),
        *(" 2020-01-01", "2020-13-01", "24:00", "2020-01-01T24:00", "2020-01-01T10:00:00+02:00"),
        *("a", "a/b", "x" * 256, "a\x1fb", "a\x85b", "\U0001f600", 'a"b', "'", "\ufeff", "a b"),
    ]
) | st.text(st.sampled_from("0123456789+-.eE_:TZ x\u00a0"), max_size=12)
ROWS = st.lists(st.lists(ODD, min_size=4, max_size=4) | st.lists(ODD, min_size=3, max_size=5))


@pytest.mark.parametrize("delimiter", [",", "\t", "::"])
@settings(max_examples=150, deadline=None)
@given(rows=ROWS.filter(bool))
@example(rows=[["1", "2", "3", "2020-01-01"], ["1", "3", "3", "10:00:00"]])
@example(rows=[["1", "2", "3", "5"], ["1", "3", "\u0663", "5"]])
@example(rows=[["1", "2", "3", "99999999999999999999"]])
def test_whatever_the_fast_reader_refuses_is_explained_with_line_and_value(
    tmp_path_factory, delimiter, rows
):
    path = tmp_path_factory.mktemp("odd") / "a"
    lines = [delimiter.join(row) for row in [["user", "item", "rating", "time"], *rows]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    refusal = None
    try:
        read_ratings(path)
    except DataError as error:
        refusal = error
    if refusal is not None:
        assert refusal.line is not None, refusal
        assert refusal.value in lines[refusal.line - 1]
        assert refusal.allowed is not None


def test_a_refusal_that_the_diagnosis_cannot_see_still_has_line_and_value(write, monkeypatch):
    # By module: the package has a function of the same name.
    reader = sys.modules["recsys.data.readers.read"]
    monkeypatch.setattr(reader, "problems", lambda *_: iter(()))
    path = write("a.csv", f"{HEADER}\n1,2,3,4\n1,3,1e39,5\n")
    error = refused(path)
    assert (error.line, error.value, error.allowed) == (4, 1e39, A_NUMBER)
