from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from recsys.errors import DataError
from recsys.store.exchange.bundle import Array, Bundle, Table
from recsys.store.exchange.folder import read_folder, write_folder
from recsys.store.exchange.text import parsed, written

# A space ends a word, and what stands for one must not be taken for itself.
_UNSPEAKABLE = re.compile(r"[\s%]")


def write(path: Path, bundle: Bundle) -> None:
    """Write a bundle as a folder of word2vec text files, for the users and items of an objective.

    The first line has the number of words and of factors, every other one a word and its
    embedding. A word is an id, its spaces and percent signs written as in a URL.
    """
    write_folder(path, bundle, _write_table)


def read(path: Path) -> Bundle:
    """Return the bundle in a folder of word2vec text files.

    Raises
    ------
    DataError
        If a file is missing or damaged, or not what was exported.
    """
    return read_folder(path, _read_table)


def _write_table(folder: Path, bundle: Bundle, table: Table) -> list[str]:
    name = table.arrays["factors"]
    n_words, n_factors = bundle.arrays[name].shape
    with _file(folder, table).open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{n_words} {n_factors}\n")
        for raw_id, numbers in zip(bundle.ids(table), written(bundle.arrays[name]), strict=True):
            word = _UNSPEAKABLE.sub(lambda found: quote(found.group()), raw_id)
            file.write(f"{word} {' '.join(numbers)}\n")
    return [name]


def _read_table(folder: Path, table: Table) -> Mapping[str, Array]:
    path = _file(folder, table)
    try:
        # Not splitlines: an id may hold what Unicode takes for the end of a line.
        _, *lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"this is damaged: {error}", path=path) from None
    words = (line.split(" ")[1:] for line in lines)
    return {table.arrays["factors"]: parsed(path, words, first_line=2)}


def _file(folder: Path, table: Table) -> Path:
    return folder / f"{table.name}.txt"
