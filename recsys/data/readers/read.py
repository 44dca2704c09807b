from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from recsys.data.ratings import Ratings
from recsys.data.readers import parquet, text
from recsys.data.readers.assemble import Parsed, assemble
from recsys.data.readers.cache import Cache
from recsys.data.readers.convert import RawColumns, to_columns
from recsys.data.readers.diagnose import explain, problems
from recsys.data.readers.files import File
from recsys.data.readers.flaws import FlawError
from recsys.data.readers.locate import choose, locate, set_name
from recsys.data.readers.text import TextLayout
from recsys.data.readers.titles import TITLE_FILES, metadata_for, read_titles
from recsys.errors import DataError


@dataclass(frozen=True, eq=False)
class Reading:
    """Ratings, and what reading them brought to light.

    Attributes
    ----------
    ratings : Ratings
    path : str
        The file they stood in.
    format : str
        Such as ``"MovieLens .dat"`` or ``"CSV"``.
    titles_path : str or None
        The file that the titles came from.
    titles_encoding : str or None
        That file's encoding.
    n_rows : int
        Rows read, those dropped as duplicates included.
    n_duplicates : int
        Rows dropped because the user rated the same item later.
    notes : tuple of str
        What a reader did to the data, as sentences.
    """

    ratings: Ratings
    path: str
    format: str
    titles_path: str | None
    titles_encoding: str | None
    n_rows: int
    n_duplicates: int
    notes: tuple[str, ...]


def read_ratings(
    source: str | Path | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    directory: str | Path | None = None,
    progress: bool = False,
) -> Ratings:
    """Return the ratings of a file, a folder, a zip or a known data set.

    Parameters
    ----------
    source : str or path, optional
        A path, or the name of a known set that is embedded or fetched; None is the embedded set.
        A path that exists goes before a name.
    columns : mapping, optional
        The names of the columns of ``user``, ``item``, ``rating`` and ``timestamp``, where they
        are not called as expected.
    directory : path, optional
        Where fetched sets lie; default as in `recsys.data.fetch`.
    progress : bool
        Show on standard error how far reading is, if that is a terminal.

    Raises
    ------
    DataError
        If the content cannot be used; says path, line, value and what is allowed.
    NotFoundError
        If there is no such path and no such set.
    """
    return read(source, columns=columns, directory=directory, progress=progress).ratings


def read(
    source: str | Path | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    directory: str | Path | None = None,
    progress: bool = False,
) -> Reading:
    """Return the ratings with what reading them brought to light; all else as `read_ratings`."""
    path, name = locate(source, directory)
    try:
        return _read(path, name, columns, progress)
    except OSError as error:
        place = error.filename or path
        raise DataError("it cannot be opened", path=place, value=error.strerror) from error


def _read(
    path: Path, name: str | None, columns: Mapping[str, str] | None, progress: bool
) -> Reading:
    file = choose(path)
    layout = None if file.head(4) == parquet.MAGIC else text.sniff(file, columns)
    called = name or set_name(path, file)
    cache = Cache.of(file, columns)
    parsed = cache.load(called) if cache else None
    if parsed is None:
        raw = _read_columns(file, layout, columns, progress)
        # Of 20 million ratings `pyarrow` would keep 700 MB, for tables that never come.
        pa.default_memory_pool().release_unused()
        parsed = assemble(raw, called)
        del raw
        pa.default_memory_pool().release_unused()
        if cache:
            cache.save(parsed)
    ratings = parsed.ratings
    titles_file, encoding = _titles_beside(file, path, layout), None
    if titles_file is not None:
        titles, encoding = read_titles(titles_file)
        ratings = ratings.with_metadata(metadata_for(ratings.item_ids, titles))
    return Reading(
        ratings=ratings,
        path=file.shown,
        format=_format(layout),
        titles_path=None if titles_file is None else titles_file.shown,
        titles_encoding=encoding,
        n_rows=parsed.n_rows,
        n_duplicates=parsed.n_duplicates,
        notes=_notes(parsed),
    )


def _read_columns(
    file: File, layout: TextLayout | None, wanted: Mapping[str, str] | None, progress: bool
) -> RawColumns:
    if layout is None:
        return _read_parquet(file, wanted)
    try:
        return to_columns(text.read_table(file, layout, progress=progress))
    except (FlawError, pa.ArrowInvalid) as error:
        if (first := next(problems(file, layout), None)) is not None:
            raise first from None
        if isinstance(error, FlawError):
            raise explain(file, layout, error) from None
        raise DataError(str(error), path=file.shown, allowed=text.SUPPORTED) from error


def find_problems(
    source: str | Path | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    directory: str | Path | None = None,
) -> Iterator[DataError]:
    """Yield all that `read` would refuse in the lines of a text file, not only the first.

    Raises
    ------
    DataError
        If the file cannot even be split into lines; nothing is yielded for Parquet.
    """
    file = choose(locate(source, directory)[0])
    if file.head(4) != parquet.MAGIC:
        yield from problems(file, text.sniff(file, columns))


def _read_parquet(file: File, wanted: Mapping[str, str] | None) -> RawColumns:
    try:
        return to_columns(parquet.read_table(file, wanted))
    except FlawError as flaw:
        raise DataError(
            f"the {flaw.role} in row {flaw.row + 1} cannot be used",
            path=file.shown,
            value="nothing" if flaw.value is None else flaw.value,
            allowed=flaw.allowed,
        ) from None
    except pa.ArrowInvalid as error:
        raise DataError("a value cannot be used", path=file.shown, value=str(error)) from error


def _titles_beside(file: File, path: Path, layout: TextLayout | None) -> File | None:
    # Beside a file named by itself, only the titles of its own release can be meant.
    alone = not file.member and not path.is_dir()
    names = [_release(layout)[1]] if alone else TITLE_FILES
    return next((found for name in names if name and (found := file.beside(name))), None)


def _release(layout: TextLayout | None) -> tuple[str, str]:
    """Return which family of releases a file looks like, and its titles file; '' for none."""
    if layout is None:
        return "", ""
    if layout.names is None and layout.n_columns == 4:
        if layout.delimiter == "\t":
            return "MovieLens 100k", "u.item"
        if layout.delimiter == "::":
            return "MovieLens .dat", "movies.dat"
    if layout.names == ("userId", "movieId", "rating", "timestamp"):
        return "MovieLens .csv", "movies.csv"
    return "", ""


def _format(layout: TextLayout | None) -> str:
    if layout is None:
        return "Parquet"
    if release := _release(layout)[0]:
        return release
    kinds = {",": "CSV", "\t": "TSV"}
    kind = kinds.get(layout.delimiter, f"text separated by {layout.delimiter!r}")
    return kind if layout.names else f"{kind} without header"


def _notes(parsed: Parsed) -> tuple[str, ...]:
    notes, n_duplicates = [], parsed.n_duplicates
    if n_duplicates:
        rule = "line" if parsed.ratings.timestamps is None else "time"
        notes.append(
            f"{n_duplicates:,} row{'s' * (n_duplicates > 1)} dropped: the user rated the same item "
            f"again, and the last by {rule} was kept"
        )
    if parsed.time_unit != "seconds":
        notes.append(f"the times are {parsed.time_unit} in the file, and were read as seconds")
    return tuple(notes)
