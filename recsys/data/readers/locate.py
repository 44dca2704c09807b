"""Where a source lies, and which of its files holds the ratings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recsys.data import embedded
from recsys.data.readers.files import File, files_in, is_zip
from recsys.data.releases import RELEASES, data_directory, local_path
from recsys.errors import DataError, NotFoundError

# What the ratings are called in a folder or zip.
RATING_FILES = ("u.data", "ratings.dat", "ratings.csv", "ratings.tsv", "ratings.parquet")


def locate(
    source: str | Path | None, directory: str | Path | None = None
) -> tuple[Path, str | None]:
    """Return where ``source`` lies, and its name if it is a known set.

    Raises
    ------
    NotFoundError
        If there is no such path and no such set, or the set is not downloaded.
    """
    if source is None:
        return embedded.folder(), embedded.NAME
    path = Path(source)
    if path.exists():
        return path, None
    known = next((known for known in RELEASES if known.name == str(source)), None)
    if known is None:
        names = ", ".join(known.name for known in RELEASES)
        raise NotFoundError(
            f"{str(source)!r} is no file, no folder and no data set; known: {names}"
        )
    there = local_path(known, directory)
    if there is None:
        raise NotFoundError(
            f"{known.name} is not in {data_directory(directory)}; "
            f"download it with: recsys data fetch {known.name}"
        )
    return there, known.name


def choose(path: Path) -> File:
    """Return the file of a folder or zip that holds the ratings.

    Raises
    ------
    DataError
        If there is none, or more than one could be meant.
    """
    files = files_in(path)
    if not path.is_dir() and not is_zip(path):
        return files[0]
    known = _highest([file for file in files if file.name in RATING_FILES])
    candidates = known or _highest(files)
    if len(candidates) != 1:
        found = ", ".join(file.name for file in candidates[:10])
        raise DataError(
            "which file holds the ratings?" if known else "no ratings in it",
            path=path,
            value=found or "nothing",
            allowed=f"one of {', '.join(RATING_FILES)}, or a single file",
        )
    return candidates[0]


def set_name(path: Path, file: File) -> str:
    """Return what the set is called: its folder, the only folder in its zip, or the file."""
    if path.is_dir():
        return file.path.parent.resolve().name
    if not file.member:
        return path.name
    folder = Path(file.member).parent.name
    return folder or path.stem


def _highest(files: Sequence[File]) -> list[File]:
    """Return the files that lie in the fewest folders."""
    depths = [len(Path(file.shown).parts) for file in files]
    return [file for file, depth in zip(files, depths, strict=True) if depth == min(depths)]
