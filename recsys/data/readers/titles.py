"""Titles, years and genres as each MovieLens release writes them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from recsys.data.ids import IdMap
from recsys.data.ratings import ItemMetadata
from recsys.data.readers.columns import by_name
from recsys.data.readers.files import File
from recsys.errors import DataError

# The order of the flags in u.item, from the README of the 100k release.
GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
# '(1995)', '(2006–2007)', '(2007-)', and what 100k puts behind: '(1995) (V)'.
_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\s*\)(?=(?:\s*\((?:V|TV)\))?\s*$)")


class Title(NamedTuple):
    """What is known of one item."""

    title: str | None
    year: int | None
    genres: tuple[str, ...]


Titles = dict[str, Title]


def read_titles(file: File) -> tuple[Titles, str]:
    """Return what ``file`` says about items, by item id, and its encoding.

    Raises
    ------
    DataError
        If a line is not what this file's format asks for.
    """
    with file.open() as stream:
        content = stream.read()
    # 100k and 1m are in Latin-1, the later releases in UTF-8; Latin-1 decodes anything, so second.
    try:
        text, encoding = content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "latin-1"
    return dict(TITLE_FILES[file.name](text, file.shown)), encoding


def metadata_for(item_ids: IdMap, titles: Mapping[str, Title]) -> ItemMetadata:
    """Return ``titles`` by item row."""
    nothing = Title(None, None, ())
    rows = [titles.get(item_id, nothing) for item_id in item_ids]
    return ItemMetadata(
        tuple(row.title for row in rows),
        tuple(row.year for row in rows),
        tuple(row.genres for row in rows),
    )


def split_year(title: str) -> tuple[str | None, int | None]:
    """Return the title without its year, and the year; None for what is missing."""
    found = _YEAR.search(title)
    if found is None:
        return title.strip() or None, None
    rest = (title[: found.start()] + title[found.end() :]).strip()
    return rest or None, int(found[1])


def _u_item(text: str, path: str) -> Iterator[tuple[str, Title]]:
    allowed = f"id | title | date | date | address | {len(GENRES_100K)} flags"
    for number, fields in _lines(text, "|", 5 + len(GENRES_100K), path, allowed):
        flags = fields[5:]
        if not set(flags) <= {"0", "1"}:
            raise DataError(
                "genre flags", path=path, line=number, value="|".join(flags), allowed="0 and 1"
            )
        title, year = split_year(fields[1])
        if year is None and re.search(r"\d{4}$", fields[2]):
            year = int(fields[2][-4:])
        genres = (name for name, flag in zip(GENRES_100K, flags, strict=True) if flag == "1")
        yield fields[0].strip(), Title(title, year, tuple(genres))


def _movies_dat(text: str, path: str) -> Iterator[tuple[str, Title]]:
    for _, fields in _lines(text, "::", 3, path, "id::title::genres"):
        yield fields[0].strip(), Title(*split_year(fields[1]), _genres(fields[2]))


def _movies_csv(text: str, path: str) -> Iterator[tuple[str, Title]]:
    rows = _csv_rows(text, path)
    header = [name.strip().lower() for name in next(rows, (1, []))[1]]
    places = [header.index(name) if name in header else None for name in ("title", "genres")]
    item, (title, genres) = _item_place(header, path), places
    if title is None:
        raise DataError("no title column", path=path, line=1, value=", ".join(header))
    for number, fields in rows:
        if not fields:
            continue
        if len(fields) != len(header):
            raise DataError(
                f"{len(fields)} fields", path=path, line=number, allowed=f"{len(header)}"
            )
        listed = () if genres is None else _genres(fields[genres])
        yield fields[item].strip(), Title(*split_year(fields[title]), listed)


def _csv_rows(text: str, path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row, with the line that it begins on."""
    # Unlike `str.splitlines`, it ends a line at CR and LF only.
    rows = csv.reader(io.StringIO(text, newline=""))
    number = 1
    try:
        for fields in rows:
            yield number, fields
            number = rows.line_num + 1
    except csv.Error as error:
        raise DataError(
            "the line cannot be split", path=path, line=number, value=str(error)
        ) from None


def _item_place(header: list[str], path: str) -> int:
    # The user column is asked for by `by_name`, and there is none here.
    return by_name(["user", *header], path=path, line=1).item - 1


def _genres(text: str) -> tuple[str, ...]:
    if text.strip() == "(no genres listed)":
        return ()
    return tuple(genre for genre in text.strip().split("|") if genre)


def _lines(
    text: str, delimiter: str, n_fields: int, path: str, allowed: str
) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if not line.strip():
            continue
        fields = line.split(delimiter)
        if len(fields) != n_fields:
            raise DataError(
                f"{len(fields)} fields", path=path, line=number, value=line[:80], allowed=allowed
            )
        yield number, fields


TITLE_FILES: Mapping[str, Callable[[str, str], Iterable[tuple[str, Title]]]] = {
    "u.item": _u_item,
    "movies.dat": _movies_dat,
    "movies.csv": _movies_csv,
    "items.csv": _movies_csv,
}
