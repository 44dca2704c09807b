"""Which ids may name a user or an item."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.ids import IdMap, is_valid_id
from recsys.errors import DataError


@given(st.text(st.characters(), min_size=1, max_size=5))
def test_every_valid_id_can_be_written_as_utf_8(raw_id):
    if is_valid_id(raw_id):
        assert raw_id.encode().decode() == raw_id


@pytest.mark.parametrize("raw_id", ["\ud800", "a\udfff", "\ud83d\ude00"])
def test_lone_surrogates_are_refused(raw_id):
    assert not is_valid_id(raw_id)
    with pytest.raises(DataError, match="lone surrogates"):
        IdMap(["a", raw_id])


@pytest.mark.parametrize("raw_id", [".", ".."])
def test_what_a_path_cannot_name_is_refused(raw_id):
    assert not is_valid_id(raw_id)
    with pytest.raises(DataError, match=r"not '\.' or '\.\.' alone"):
        IdMap(["a", raw_id])


@pytest.mark.parametrize(
    "raw_id",
    ["7", "007", "a b", " ", "é", "\U0001f600", "\ud7ff", "\ue000", "...", ".a", "a.", ". "],
)
def test_all_other_characters_of_a_name_are_allowed(raw_id):
    assert list(IdMap([raw_id])) == [raw_id]
