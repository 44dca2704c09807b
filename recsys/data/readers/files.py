"""Files as the readers see them: on disk or in a zip, gzipped or not, all opened alike."""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from tqdm import tqdm

from recsys.errors import DataError

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP_MAGIC = b"\x1f\x8b"
# What reading a cut, damaged, encrypted or exotically packed archive raises.
_BROKEN = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
)


QUICK = 1.0
"""Seconds; what is read sooner needs no progress bar."""


@dataclass(frozen=True)
class File:
    """One file of a data set.

    Attributes
    ----------
    path : Path
        The file on disk: itself, or the zip it lies in.
    member : str
        Its name inside the zip; empty for a file on disk.
    """

    path: Path
    member: str = ""

    @property
    def shown(self) -> str:
        """The path as messages name it."""
        return str(self.path / self.member)

    @property
    def name(self) -> str:
        """The last part of the path in lower case, without ``.gz``."""
        return (self.path / self.member).name.lower().removesuffix(".gz")

    def beside(self, name: str) -> File | None:
        """Return the file called ``name`` or ``name.gz`` in the same folder, if there is one."""
        for candidate in (name, f"{name}.gz"):
            if not self.member and self.path.with_name(candidate).is_file():
                return File(self.path.with_name(candidate))
            if self.member:
                member = str(PurePosixPath(self.member).with_name(candidate))
                with zipfile.ZipFile(self.path) as archive:
                    if member in archive.namelist():
                        return File(self.path, member)
        return None

    @contextmanager
    def open(self, *, progress: bool = False) -> Iterator[BinaryIO]:
        """Open the content for reading, unzipped and ungzipped.

        Parameters
        ----------
        progress : bool
            Show the bytes read on standard error, if that is a terminal.

        Raises
        ------
        DataError
            If an archive turns out truncated or corrupt, now or while it is read.
        """
        try:
            with self._open_packed() as packed, _progress(packed, self, progress) as counted:
                if self._starts_with(_GZIP_MAGIC):
                    with gzip.GzipFile(fileobj=counted, mode="rb") as unpacked:
                        yield cast(BinaryIO, unpacked)
                else:
                    yield counted
        except _BROKEN as error:
            raise DataError(
                "the archive is truncated or corrupt", path=self.shown, value=str(error)
            ) from error
        except RuntimeError as error:
            if "password" not in str(error):
                raise
            raise DataError("the archive is encrypted", path=self.shown) from error

    def head(self, n_bytes: int = 1 << 16) -> bytes:
        """Return the first bytes of the content."""
        with self.open() as stream:
            return stream.read(n_bytes)

    @contextmanager
    def _open_packed(self) -> Iterator[BinaryIO]:
        if not self.member:
            with self.path.open("rb") as stream:
                yield stream
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as member:
            yield cast(BinaryIO, member)

    def _starts_with(self, magic: bytes) -> bool:
        with self._open_packed() as stream:
            return stream.read(len(magic)) == magic

    def _size(self) -> int:
        if not self.member:
            return self.path.stat().st_size
        with zipfile.ZipFile(self.path) as archive:
            return archive.getinfo(self.member).file_size


@contextmanager
def _progress(stream: BinaryIO, file: File, shown: bool) -> Iterator[BinaryIO]:
    if not shown:
        yield stream
        return
    with tqdm.wrapattr(
        stream,
        "read",
        total=file._size(),
        desc=f"reading {file.name}",
        leave=False,
        disable=None,
        delay=QUICK,
    ) as counted:
        yield cast(BinaryIO, counted)


def is_zip(path: Path) -> bool:
    """Say whether ``path`` begins as a zip does, however it is called and wherever it ends."""
    with path.open("rb") as stream:
        return stream.read(4) in _ZIP_MAGIC


def files_in(path: Path) -> list[File]:
    """Return the files of a folder (and of the folders in it), of a zip, or the file itself.

    Raises
    ------
    DataError
        If it is a zip that is truncated or corrupt.
    """
    if path.is_dir():
        found = [*path.iterdir(), *path.glob("*/*")]
        return [File(p) for p in sorted(found) if p.is_file() and not _is_hidden(p.name)]
    if not is_zip(path):
        return [File(path)]
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except _BROKEN as error:
        raise DataError(
            "the zip is truncated or corrupt", path=path, value=str(error), allowed="a whole zip"
        ) from error
    return [
        File(path, name)
        for name in sorted(names)
        if not name.startswith("__MACOSX/") and not _is_hidden(Path(name).name)
    ]


def _is_hidden(name: str) -> bool:
    return name.startswith(".")
