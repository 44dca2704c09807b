import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from recsys.training import kernels


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache in the place of the compiled passes'."""
    monkeypatch.setattr(
        kernels, "user_pass", SimpleNamespace(stats=SimpleNamespace(cache_path=str(tmp_path)))
    )
    return tmp_path


def test_what_is_not_in_the_cache_needs_compiling(cache):
    assert kernels.need_compiling()
    (cache / "kernels.user_pass-50.py311.nbi").touch()
    assert not kernels.need_compiling()


def test_kernels_that_changed_since_need_compiling(cache):
    index = cache / "kernels.user_pass-50.py311.nbi"
    index.touch()
    before = Path(kernels.__file__).stat().st_mtime - 10
    os.utime(index, (before, before))
    assert kernels.need_compiling()


@pytest.mark.parametrize("changed", ["kernels", "row_kernels", "prefetch", "shared_counter"])
def test_what_was_compiled_before_a_called_file_changed_is_forgotten(cache, monkeypatch, changed):
    # numba itself would go on with what it compiled of the file as it was.
    monkeypatch.setattr(kernels, "__file__", str(cache / "kernels.py"))
    for name in ("kernels", "row_kernels", "prefetch", "shared_counter"):
        (cache / f"{name}.py").touch()
        os.utime(cache / f"{name}.py", (1000, 1000 + 10 * (name == changed)))
    older, newer = (
        cache / f"{name}-1.py311.nbi" for name in ("row_kernels.f", "kernels.user_pass")
    )
    for index, seconds in ((older, 1005), (newer, 1015)):
        index.touch()
        os.utime(index, (seconds, seconds))
    kernels.forget_older()
    assert not older.exists()
    assert newer.exists()
    assert not kernels.need_compiling()
