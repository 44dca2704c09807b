from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.readers import pieces, read
from recsys.data.readers.pieces import cut_at_lines, in_turn

IDS = st.sampled_from(["0", "7", "007", "+7", "-7", "12", "9223372036854775807", "x", "ä", "1e3"])
QUOTED = st.sampled_from(['"7"', '"a b"', '"two\nlines"'])
TIMES = st.sampled_from(["5", "5", "1500000000", "1500000000.5"])


def cut(content: bytes, n_skipped: int = 0, *, is_quoted: bool = True) -> list[bytes]:
    return list(cut_at_lines(BytesIO(content), n_skipped, is_quoted=is_quoted))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 4)


def test_a_piece_ends_with_a_line(small):
    assert cut(b"a,b\nc,d\ne,f") == [b"a,b\n", b"c,d\n", b"e,f"]


def test_a_line_longer_than_a_piece_stays_whole(small):
    assert cut(b"abcdefgh,ijkl\nm,n\n") == [b"abcdefgh,ijkl\n", b"m,n\n"]


def test_what_follows_a_quote_is_one_piece_and_the_header_is_no_part_of_it(small):
    assert cut(b'"a"\nb,c\nd,"\n",e\n', 1) == [b"b,c\n", b'd,"\n",e\n']


def test_where_quotes_mean_nothing_they_cut_nothing_short(small):
    assert cut(b'a,"\nc,d\n', is_quoted=False) == [b'a,"\n', b"c,d\n"]


def test_blank_lines_make_no_piece(small):
    assert cut(b"a,b\n\n\n\n\n  \n\n\n") == [b"a,b\n"]


def test_results_come_in_the_order_of_the_pieces():
    assert in_turn(int, (str(n).encode() for n in range(50))) == list(range(50))


def test_the_first_error_among_the_pieces_is_raised():
    with pytest.raises(ValueError, match="'x'"):
        in_turn(int, [b"1", b"x", b"y"])


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(IDS | QUOTED, IDS, TIMES), min_size=1, max_size=30),
    end=st.sampled_from(["\n", "\r\n"]),
    size=st.integers(1, 60),
)
def test_a_file_read_in_pieces_is_the_same_as_read_whole(rows, end, size, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "pieces.csv"
    lines = ["user,item,rating,time", *(f"{u},{i},3.5,{t}" for u, i, t in rows)]
    # An id in quotes may hold a line end, which no id may.
    path.write_bytes(end.join(lines).replace("two\nlines", "two lines").encode())
    whole = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE", size)
        parts = read(path)
    assert parts.ratings.fingerprint == whole.ratings.fingerprint
    assert (parts.n_rows, parts.notes) == (whole.n_rows, whole.notes) == (len(rows), whole.notes)


def test_whole_numbers_and_what_only_looks_like_one_stay_apart(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("user,item,rating\n7,1,1\n007,1,2\n+7,1,3\n-0,1,4\n0,1,5\n")
    ratings = read(path).ratings
    assert list(ratings.user_ids) == ["+7", "-0", "0", "007", "7"]
    np.testing.assert_array_equal(ratings.users, [4, 3, 0, 1, 2])


def test_times_of_two_kinds_in_two_pieces_are_refused_at_the_first_of_the_other(tmp_path, small):
    path = tmp_path / "a.csv"
    path.write_text("user,item,rating,time\n1,2,3,100\n1,3,3,2005-01-01\n")
    with pytest.raises(Exception, match="line 3: this timestamp cannot be used"):
        read(path)
