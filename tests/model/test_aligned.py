import numpy as np
import pytest

from recsys.model.aligned import aligned, aligned_zeros


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(7,), (5, 3), (0, 4)])
def test_arrays_begin_at_a_cache_line(shape, dtype):
    zeros = aligned_zeros(shape, dtype)
    assert (zeros.shape, zeros.dtype) == (shape, dtype)
    assert not zeros.size or zeros.ctypes.data % 64 == 0
    assert not zeros.any()


def test_an_aligned_copy_holds_the_same_numbers():
    array = np.arange(12.0).reshape(4, 3)
    copy = aligned(array, np.float32)
    assert copy.ctypes.data % 64 == 0
    np.testing.assert_array_equal(copy, array)
    copy[0] = 9
    assert array[0, 1] == 1
