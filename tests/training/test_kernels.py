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
