import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.ranking import page

scores_and_candidates = st.lists(
    st.tuples(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), st.booleans()), max_size=40
)


@given(scores_and_candidates, st.integers(1, 12), st.integers(0, 50))
def test_a_page_is_that_part_of_the_whole_list_sorted_by_score_then_row(pairs, n, offset):
    scores = np.array([score for score, _ in pairs], dtype=np.float32)
    candidates = np.array([candidate for _, candidate in pairs], dtype=bool)
    whole = sorted(np.flatnonzero(candidates), key=lambda row: (-scores[row], row))

    rows, has_more = page(scores, candidates, n, offset)

    assert rows.tolist() == whole[offset : offset + n]
    assert has_more == (len(whole) > offset + n)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, 30), st.floats(0, 1))
def test_a_page_of_many_is_that_part_of_the_whole_list_too(seed, n, offset, share):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, rng.integers(1, 300), 1000).astype(np.float32)
    candidates = rng.random(1000) < share
    whole = np.flatnonzero(candidates)
    whole = whole[np.lexsort((whole, -scores[whole]))]

    rows, has_more = page(scores, candidates, n, offset)

    assert rows.tolist() == whole[offset : offset + n].tolist()
    assert has_more == (len(whole) > offset + n)


@given(scores_and_candidates, st.integers(1, 12))
def test_pages_neither_repeat_nor_lose_a_row(pairs, n):
    scores = np.array([score for score, _ in pairs], dtype=np.float32)
    candidates = np.array([candidate for _, candidate in pairs], dtype=bool)
    seen, has_more = [], True
    while has_more:
        rows, has_more = page(scores, candidates, n, len(seen))
        seen += rows.tolist()
    assert sorted(seen) == np.flatnonzero(candidates).tolist()


def test_a_page_holds_candidates_only_where_fewer_columns_than_places_have_one():
    # 2 places make a table of 16 * 2 columns: rows 0, 32, 64, ... all lie in the first.
    scores = np.full(1000, 99, dtype=np.float32)
    scores[::32] = np.arange(32)
    candidates = np.arange(1000) % 32 == 0

    rows, has_more = page(scores, candidates, 2, 0)

    assert rows.tolist() == [31 * 32, 30 * 32]
    assert has_more
