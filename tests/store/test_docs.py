from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from recsys import store
from recsys.store.base import Base

PAGE = (Path(__file__).parents[2] / "docs/store.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_pages_example_and_its_backup_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(example, "docs/store.md", "exec"), names)
    (backup,) = (block for block in blocks("bash") if " backup " in block)
    subprocess.run([sys.executable, "-m", *shlex.split(backup)], check=True)
    copy = store.open_database("sqlite:///recsys-backup.db")
    assert store.get_version(copy, "champion").model_id == names["model_id"]
    copy.dispose()


def test_every_table_is_on_the_page():
    assert [table for table in Base.metadata.tables if f"`{table}`" not in PAGE] == []


def test_every_public_function_has_a_docstring():
    assert [name for name in store.__all__ if not getattr(store, name).__doc__] == []
