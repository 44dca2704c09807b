"""Which ids the API takes."""

import re

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.schemas.common import Id
from recsys.data.ids import is_valid_id

TAKEN = TypeAdapter(Id)
DESCRIBED = TAKEN.json_schema()
# In the dialect of JSON Schema, `$` is the very end; in Python's, also before a last line end.
PATTERN = re.compile(DESCRIBED["pattern"].replace("$", r"\Z"))


def is_taken(text):
    try:
        TAKEN.validate_python(text)
    except ValidationError:
        return False
    return True


def is_described(text):
    is_long_enough = DESCRIBED["minLength"] <= len(text) <= DESCRIBED["maxLength"]
    return is_long_enough and PATTERN.search(text) is not None


@given(st.text(".a/ ,\n\x85\u2028", max_size=4) | st.text(max_size=300))
@example("..")
@example("x" * 255)
@example("x" * 256)
def test_what_is_taken_is_what_is_described_and_what_the_readers_take(text):
    assert is_taken(text) == is_described(text) == is_valid_id(text)
