from __future__ import annotations

import gzip
import hashlib
import os
import sys
import time
import zipfile
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.data import Ratings
from recsys.data.readers import cache, cache_file, read

# By module: the package has a function of the same name.
READER = sys.modules["recsys.data.readers.read"]
CONTENT = "user,item,rating,time\n7,b,4.5,9000000000000\n007,a,1,1\n7,b,2,9000000000001\n"
IDS = st.text("ab01é ", min_size=1, max_size=3).filter(str.strip)


@pytest.fixture(autouse=True)
def no_file_is_too_small(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "WORTH_IT", 0)
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "sets"))


@pytest.fixture
def parsing(monkeypatch):
    """The sources that were parsed and not taken from a cache."""
    parsed = []
    original = READER._read_columns

    def noted(file, *rest):
        parsed.append(file.shown)
        return original(file, *rest)

    monkeypatch.setattr(READER, "_read_columns", noted)
    return parsed


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "data" / "a.csv"
    found.parent.mkdir()
    found.write_text(CONTENT)
    return found


def cache_of(path):
    return path.with_name(f".{path.name}.cache")


@pytest.fixture
def hashed(monkeypatch):
    """The files of which all bytes were read for their hash."""
    found = []
    original = hashlib.file_digest

    def noted(stream, name):
        found.append(stream.name)
        return original(stream, name)

    monkeypatch.setattr(cache.hashlib, "file_digest", noted)
    return found


def change(path, content):
    """Write so that only the time of change tells: the clock of a file system ticks in steps."""
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:
        path.write_text(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def same(one, other):
    for name in ("users", "items", "values", "timestamps"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            assert a.tobytes() == b.tobytes()
    assert (one.name, one.user_ids, one.item_ids) == (other.name, other.user_ids, other.item_ids)
    assert one.metadata == other.metadata
    assert one.fingerprint == other.fingerprint
    return True


def test_the_second_reading_parses_nothing_and_gives_the_same(path, parsing):
    first, second = read(path), read(path)
    assert len(parsing) == 1
    assert same(first.ratings, second.ratings)
    assert (first.n_rows, first.n_duplicates, first.notes) == (3, 1, second.notes)
    assert len(second.notes) == 2  # a duplicate, and milliseconds
    assert (second.n_rows, second.n_duplicates) == (3, 1)
    assert (first.format, first.path) == (second.format, second.path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(IDS, IDS, st.sampled_from("12.5"), st.integers(0, 9)), min_size=1),
    n_columns=st.integers(2, 4),
)
def test_with_and_without_the_cache_ratings_are_equal_bit_for_bit(path, rows, n_columns):
    header = ("user", "item", "rating", "time")
    lines = [",".join(map(str, row[:n_columns])).replace(".", "3") for row in [header, *rows]]
    path.write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_CACHE", "off")
        without = read(path)
    cache_of(path).unlink(missing_ok=True)
    written, loaded = read(path), read(path)
    assert same(without.ratings, written.ratings)
    assert same(without.ratings, loaded.ratings)
    assert without.notes == loaded.notes


def test_titles_join_what_is_cached_as_they_are_now(path, parsing):
    path = path.rename(path.with_name("ratings.csv"))
    titles = path.with_name("items.csv")
    titles.write_text("item,title\na,Old (1999)\n")
    read(path.parent)
    titles.write_text("item,title\na,New (2000)\nb,Other (2001)\n")
    ratings = read(path.parent).ratings
    assert (ratings.metadata.titles, ratings.metadata.years) == (("New", "Other"), (2000, 2001))
    assert len(parsing) == 1


@pytest.mark.parametrize("at_rest", [60, -1])
def test_changed_content_is_noticed_at_the_same_size_and_time(
    path, parsing, caplog, monkeypatch, at_rest
):
    monkeypatch.setattr(cache, "AT_REST", at_rest)
    read(path)
    change(path, CONTENT.replace("9000000000001", "1000000000001"))
    assert read(path).ratings.values.tolist() == [4.5, 1.0]
    assert "made from other content" in caplog.text
    read(path)
    assert len(parsing) == 2


def test_a_change_that_shows_nowhere_is_noticed_shortly_after_another(path, parsing, monkeypatch):
    frozen = (1, len(CONTENT), 0, time.time_ns())
    monkeypatch.setattr(cache, "_state", lambda _: frozen)
    read(path)
    path.write_text(CONTENT.replace("9000000000001", "1000000000001"))
    assert read(path).ratings.values.tolist() == [4.5, 1.0]
    assert len(parsing) == 2


def test_a_file_that_was_at_rest_and_has_not_changed_is_not_even_hashed(
    path, parsing, hashed, monkeypatch
):
    monkeypatch.setattr(cache, "AT_REST", -1)
    first = read(path)
    assert same(first.ratings, read(path).ratings)
    assert same(first.ratings, read(path).ratings)
    assert len(hashed) == len(parsing) == 1


def test_a_file_just_written_is_hashed_until_it_was_at_rest_once(
    path, parsing, hashed, monkeypatch
):
    read(path)
    read(path)
    assert len(hashed) == 2
    monkeypatch.setattr(cache, "AT_REST", -1)
    read(path)  # hashed once more, and its state taken note of
    read(path)
    assert len(hashed) == 3
    assert len(parsing) == 1


def test_a_file_that_was_touched_or_copied_is_hashed_once_and_not_parsed(
    path, parsing, hashed, monkeypatch
):
    monkeypatch.setattr(cache, "AT_REST", -1)
    read(path)
    os.utime(path, (1, 1))
    read(path)
    read(path)
    assert len(hashed) == 2
    assert len(parsing) == 1


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_a_damaged_cache_changes_nothing(path, place, flip):
    right = read(path)
    whole = cache_of(path).read_bytes()
    at = int(place * len(whole))
    damaged = whole[:at] + (bytes([whole[at] ^ flip]) + whole[at + 1 :] if flip else b"")
    cache_of(path).write_bytes(damaged)
    again = read(path)
    assert same(again.ratings, right.ratings)
    assert (again.n_rows, again.notes) == (right.n_rows, right.notes)
    cache_of(path).write_bytes(whole)


def test_a_damaged_cache_is_told_of_and_made_anew(path, parsing, caplog):
    read(path)
    whole = cache_of(path).read_bytes()
    cache_of(path).write_bytes(whole[: len(whole) // 2])
    read(path)
    assert "is damaged and will be made anew" in caplog.text
    assert cache_of(path).read_bytes() == whole
    assert len(parsing) == 2


@pytest.mark.parametrize("name", ["users", "items", "values", "timestamps", "user_ids", "item_ids"])
def test_an_array_that_is_not_what_was_saved_is_named(path, caplog, name):
    path.write_text("user,item,rating,time\n1,a,2,5\n1,b,3,6\n")  # no two arrays alike
    right = read(path)
    content = getattr(right.ratings, name)
    found = "\n".join(content).encode() if name.endswith("ids") else content.tobytes()
    whole = cache_of(path).read_bytes()
    at = whole.index(found, whole.index(b"\n"))
    cache_of(path).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert same(read(path).ratings, right.ratings)
    assert f"its {name} are not what was saved" in caplog.text


def test_a_cache_of_a_format_unknown_here_is_made_anew(path, parsing, caplog):
    cache_of(path).write_bytes(b"%08x {}\n" % zlib.crc32(b"{}"))
    read(path)
    assert "is damaged and will be made anew" in caplog.text
    read(path)
    assert len(parsing) == 1


def test_other_columns_are_other_ratings(path, parsing):
    path.write_text("user,item,rating,mine\n1,2,3,4\n")
    assert read(path).ratings.values.tolist() == [3.0]
    assert read(path, columns={"rating": "mine"}).ratings.values.tolist() == [4.0]
    assert len(parsing) == 2


def test_a_copy_under_another_name_keeps_its_own_name(path):
    read(path)
    other = path.with_name("b.csv")
    other.write_text(CONTENT)
    cache_of(other).write_bytes(cache_of(path).read_bytes())
    assert read(other).ratings.name == "b.csv"


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_an_archive_is_cached_beside_itself(path, parsing, kind):
    packed = path.with_name(f"a.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("set/ratings.csv", CONTENT)
    else:
        packed.write_bytes(gzip.compress(CONTENT.encode()))
    first, second = read(packed), read(packed)
    assert same(first.ratings, second.ratings)
    assert len(parsing) == 1
    assert cache_of(packed).exists()


def test_a_folder_does_not_take_the_cache_for_its_ratings(path, parsing):
    assert same(read(path.parent).ratings, read(path.parent).ratings)
    assert len(parsing) == 1


def test_where_nothing_can_be_written_it_lies_among_the_fetched_sets(
    path, parsing, tmp_path, monkeypatch
):
    write = cache_file.write

    def only_among_sets(place, *rest, **named):
        if place.parent == path.parent:
            raise PermissionError(30, "Read-only file system", str(place))
        write(place, *rest, **named)

    monkeypatch.setattr(cache_file, "write", only_among_sets)
    assert same(read(path).ratings, read(path).ratings)
    assert len(parsing) == 1
    assert len(list((tmp_path / "sets" / ".cache").iterdir())) == 1


def test_where_it_can_be_written_nowhere_the_log_says_so(path, monkeypatch, caplog):
    def refused(place, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_file, "write", refused)
    assert isinstance(read(path).ratings, Ratings)
    assert "cannot be kept: [Errno 28] No space left on device" in caplog.text


def test_a_write_that_fails_leaves_nothing(path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_file.os, "fchmod", fail)
    read(path)
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    assert list((path.parent.parent / "sets" / ".cache").iterdir()) == []


def test_it_can_be_switched_off(path, parsing, monkeypatch):
    monkeypatch.setenv("RECSYS_CACHE", "off")
    read(path)
    read(path)
    assert len(parsing) == 2
    assert not cache_of(path).exists()


def test_small_files_are_left_alone(path, monkeypatch):
    monkeypatch.setattr(cache, "WORTH_IT", len(CONTENT) + 1)
    read(path)
    assert not cache_of(path).exists()


def test_it_may_be_read_by_whom_the_ratings_may_be_read(path):
    path.chmod(0o640)
    read(path)
    assert cache_of(path).stat().st_mode & 0o777 == 0o640


def test_a_file_that_changes_while_it_is_read_is_not_kept(path, monkeypatch, caplog):
    original = READER.assemble

    def assemble(*rest):
        path.write_text(CONTENT + "9,9,1,1\n")
        return original(*rest)

    monkeypatch.setattr(READER, "assemble", assemble)
    read(path)
    assert "changed while it was read" in caplog.text
    assert not cache_of(path).exists()


def test_a_refused_file_leaves_no_cache(path):
    path.write_text("user,item,rating\n1,2,x\n")
    with pytest.raises(Exception, match="this rating cannot be used"):
        read(path)
    assert not cache_of(path).exists()


def test_a_fingerprint_that_was_checked_is_not_taken_twice(path):
    read(path)
    assert "fingerprint" in read(path).ratings.__dict__
