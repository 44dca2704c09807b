from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from recsys.errors import DataError
from recsys.store.exchange.bundle import Array, Bundle, Table
from recsys.store.exchange.folder import read_folder, write_folder
from recsys.store.exchange.text import parsed, written


def write(path: Path, bundle: Bundle) -> None:
    """Write a bundle as a folder of TSV files for the TensorFlow Embedding Projector.

    For the users and items of each objective there are two: the embeddings, and beside them the
    ids and what is known of an item.
    """
    write_folder(path, bundle, _write_table)


def read(path: Path) -> Bundle:
    """Return the bundle in a folder of TSV files.

    Raises
    ------
    DataError
        If a file is missing or damaged, or not what was exported.
    """
    return read_folder(path, _read_table)


def _write_table(folder: Path, bundle: Bundle, table: Table) -> list[str]:
    name = table.arrays["factors"]
    _write_lines(_vectors(folder, table), written(bundle.arrays[name]))
    _write_lines(folder / f"{table.name}.metadata.tsv", _metadata(bundle, table))
    return [name]


def _read_table(folder: Path, table: Table) -> Mapping[str, Array]:
    path = _vectors(folder, table)
    try:
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"this is damaged: {error}", path=path) from None
    numbers = (line.split("\t") for line in lines)
    return {table.arrays["factors"]: parsed(path, numbers, first_line=1)}


def _metadata(bundle: Bundle, table: Table) -> Iterator[Iterable[str]]:
    bias = bundle.arrays[table.arrays["bias"]].astype(str).tolist()
    if not table.of_items:
        yield ["user_id", "bias"]
        yield from zip(bundle.user_ids, bias, strict=True)
        return
    known = bundle.manifest["data_set"]
    counts = bundle.arrays[table.arrays["counts"]].astype(str).tolist()
    yield ["item_id", "title", "year", "genres", "bias", "counts"]
    rows = zip(
        bundle.item_ids, known["titles"], known["years"], known["genres"], bias, counts, strict=True
    )
    for item_id, title, year, genres, *numbers in rows:
        shown = [title or item_id, "" if year is None else str(year), "|".join(genres)]
        yield [item_id, *shown, *numbers]


def _write_lines(path: Path, lines: Iterable[Iterable[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for cells in lines:
            # A title may hold a tab or the end of a line, where a cell or a row would end.
            file.write("\t".join(" ".join(cell.split()) for cell in cells) + "\n")


def _vectors(folder: Path, table: Table) -> Path:
    return folder / f"{table.name}.vectors.tsv"
