import numpy as np
import pytest

from recsys.store.blobs import cut, cut_rows, join


@pytest.mark.parametrize("shape", [(3, 2), (0, 2), (1, 1)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_cut_as_parts_of_one_row_each_and_join_again(shape, order):
    array = np.arange(-2, shape[0] * shape[1] - 2, dtype=np.float64).reshape(shape, order=order)
    rows = cut_rows(array, "<f4")
    assert rows == list(cut(array, "<f4", np.arange(shape[0] + 1)))
    assert join(rows, "<f4").reshape(shape).tolist() == array.tolist()
    assert all(type(row) is bytes for row in rows)


def test_rows_that_end_in_zeros_keep_them():
    assert cut_rows(np.zeros((2, 2), np.float32), "<f4") == [bytes(8), bytes(8)]
