import os

import pytest

from benchmarks.apart import apart


def test_work_is_done_apart_in_another_process():
    assert apart(os.getpid) not in (os.getpid(), os.getppid())


def test_what_fails_apart_fails_here():
    with pytest.raises(ValueError, match="'x'"):
        apart(int, "x")
