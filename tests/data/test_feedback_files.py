import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.data.feedback import ALL_ITEMS, LATEST, FeedbackEntry
from recsys.data.feedback_files import read_feedback, write_feedback
from recsys.data.ids import is_valid_id
from recsys.errors import DataError

# Each could be taken for another id, for nothing, or for a part of the file.
CONFUSING = (
    *(" ", "  ", " lead", "trail ", "\u00a0x", "x\u3000", "\u2028", "a\u2029b", "\ufeffx"),
    *("007", "7", "1.0", "1e3", "-0", "NaN", "nan", "NA", "null", "None", "true", "inf"),
    *('"', '""', '"a" b', "'", "\\", "#", "=1+1", "user_id", "is_erased", "x" * 255),
)
IDS = st.sampled_from(CONFUSING) | st.text(min_size=1, max_size=8).filter(is_valid_id)
TIMES = st.none() | st.integers(0, LATEST)
ENTRIES = st.lists(
    st.builds(
        FeedbackEntry,
        IDS,
        IDS,
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        TIMES,
        is_erased=st.just(False),
    )
    | st.builds(
        FeedbackEntry, IDS, IDS | st.just(ALL_ITEMS), st.none(), TIMES, is_erased=st.just(True)
    ),
    max_size=5,
)


def accept(_entry):
    return None


@pytest.mark.parametrize("name", ["feedback.csv", "feedback.parquet"])
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(entries=ENTRIES)
def test_what_is_written_is_read_again_whatever_the_ids_are(tmp_path, name, entries):
    path = tmp_path / name
    write_feedback(path, entries)
    assert list(read_feedback(path, accept)) == entries


def test_numbers_in_columns_of_parquet_are_ids(tmp_path):
    path = tmp_path / "feedback.parquet"
    pq.write_table(pa.table({"user": [7], "item": [31], "rating": [4.0]}), path)
    assert list(read_feedback(path, accept)) == [FeedbackEntry("7", "31", 4, None)]


def test_a_flaw_of_parquet_is_told_with_its_row_counted_from_1(tmp_path):
    path = tmp_path / "feedback.parquet"
    write_feedback(path, [FeedbackEntry("ann", "a", 4, 1), FeedbackEntry("a/b", "a", 4, 1)])
    first, second = read_feedback(path, accept)
    assert first == FeedbackEntry("ann", "a", 4, 1)
    assert isinstance(second, DataError)
    assert (second.line, second.value) == (2, "a/b")


def test_what_a_check_objects_to_is_told_with_its_line(tmp_path):
    path = tmp_path / "feedback.csv"
    write_feedback(path, [FeedbackEntry("ann", "a", 4, 1)])
    (flaw,) = read_feedback(path, lambda entry: f"{entry.value:g} is too much")
    assert str(flaw) == f"{path}, line 2: 4 is too much"
