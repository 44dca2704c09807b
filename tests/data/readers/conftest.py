"""Tiny files in the exact layout of every MovieLens release, all of the same five ratings."""

import zipfile

import pytest

# user, item, rating, timestamp; not in the order of any column
RATINGS = [
    ("12", "31", 4, 978300760),
    ("1", "1193", 5, 978300761),
    ("1", "7", 3, 978300762),
    ("2", "31", 1, 978300763),
    ("2", "7", 2, 978300764),
]
GENRES_100K = [
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
]


def lines(*rows, end="\n"):
    return "".join(row + end for row in rows)


def joined(delimiter, ratings=RATINGS):
    return lines(*(delimiter.join(map(str, row)) for row in ratings))


def flags(*genres):
    return "|".join("1" if genre in genres else "0" for genre in GENRES_100K)


def ml_100k():
    url = "http://us.imdb.com/M/title-exact?x"
    return {
        "u.data": joined("\t").encode(),
        "u1.base": joined("\t", RATINGS[:4]).encode(),
        "u1.test": joined("\t", RATINGS[4:]).encode(),
        "u.item": lines(
            f"7|Matrix, The (1999)|01-Jan-1999||{url}|{flags('Action', 'Sci-Fi')}",
            f"31|unknown||||{flags('unknown')}",
            f"1193|Misérables, Les (1995)|01-Jan-1995||{url}|{flags('Drama', 'Musical')}",
            f"1194|Seen By Nobody (1995)|01-Jan-1995||{url}|{flags('Drama')}",
        ).encode("latin-1"),
        "u.genre": lines(*(f"{name}|{n}" for n, name in enumerate(GENRES_100K))).encode() + b"\n",
        "u.user": b"1|24|M|technician|85711\n",
        "README": b"SUMMARY & USAGE LICENSE\n",
    }


def ml_dat(encoding, ratings):
    return {
        "ratings.dat": joined("::", ratings).encode(),
        "movies.dat": lines(
            "7::Matrix, The (1999)::Action|Sci-Fi",
            "1193::Misérables, Les (1995)::Drama|Musical",
            "1194::Star Wars: Episode IV (1977)::Action",
        ).encode(encoding),
        "users.dat": b"1::F::1::10::48067\n",
        "README": b"SUMMARY\n",
    }


def ml_csv(end="\n"):
    return {
        "ratings.csv": lines(
            "userId,movieId,rating,timestamp",
            *(f"{u},{i},{float(r)},{t}" for u, i, r, t in RATINGS),
            end=end,
        ).encode(),
        "movies.csv": lines(
            "movieId,title,genres",
            '7,"Matrix, The (1999)",Action|Sci-Fi',
            "31,,(no genres listed)",
            '1193,"Misérables, Les (1995)",Drama|Musical',
            '1194,"""Great Performances"" Cats (1998)",Musical',
            end=end,
        ).encode(),
        "links.csv": lines("movieId,imdbId,tmdbId", "7,0114709,862", end=end).encode(),
        "tags.csv": lines(
            "userId,movieId,tag,timestamp", "1,7,red pill,1139045764", end=end
        ).encode(),
        "README.txt": b"Summary\n",
    }


RELEASES = {
    "ml-100k": ml_100k(),
    "ml-1m": ml_dat("latin-1", RATINGS),
    "ml-10M100K": ml_dat("utf-8", [*RATINGS[:1], ("1", "1193", 4.5, 978300761), *RATINGS[2:]]),
    "ml-20m": ml_csv(end="\r\n") | {"genome-tags.csv": b"tagId,tag\r\n1,007\r\n"},
    "ml-25m": ml_csv() | {"genome-scores.csv": b"movieId,tagId,relevance\n7,1,0.02\n"},
    "ml-32m": ml_csv() | {"checksums.txt": b"cf12b74f9ad4b94a011f079e26d4270a  ratings.csv\n"},
    "ml-latest": ml_csv(),
    "ml-latest-small": ml_csv(),
}


def write_folder(path, files):
    path.mkdir(parents=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def write_zip(path, files, folder):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir(folder)
        for name, content in files.items():
            archive.writestr(f"{folder}/{name}", content)
    return path


@pytest.fixture(params=sorted(RELEASES))
def release_name(request):
    return request.param


@pytest.fixture(params=["folder", "zip"])
def release(request, release_name, tmp_path):
    """A release as a folder or as a zip, under a name that says nothing."""
    if request.param == "folder":
        return write_folder(tmp_path / "x" / release_name, RELEASES[release_name])
    return write_zip(tmp_path / "download", RELEASES[release_name], release_name)


@pytest.fixture
def write(tmp_path):
    """Write one file and return its path."""

    def write_one(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_one


@pytest.fixture
def ml_100k_folder(tmp_path):
    return write_folder(tmp_path / "ml-100k", RELEASES["ml-100k"])


@pytest.fixture
def ml_1m_folder(tmp_path):
    return write_folder(tmp_path / "ml-1m", RELEASES["ml-1m"])


@pytest.fixture
def ml_25m_folder(tmp_path):
    return write_folder(tmp_path / "ml-25m", RELEASES["ml-25m"])
