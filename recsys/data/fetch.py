"""Downloading known data sets, checked against the digest that lies beside each archive."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pooch
from tqdm import tqdm

from recsys.data.releases import BASE_URL, data_directory, local_path, release
from recsys.errors import DownloadError

_MD5 = re.compile(r"\b[0-9a-fA-F]{32}\b")


def fetch(
    name: str,
    *,
    directory: str | Path | None = None,
    progress: bool = True,
    base_url: str = BASE_URL,
    timeout: float = 30,
) -> Path:
    """Return where the data set ``name`` lies, after downloading it if it is not there yet.

    The archive gets its name only once all of it is there and fits its digest.

    Parameters
    ----------
    name : str
        As in `recsys.data.releases.RELEASES`.
    directory : path, optional
        Where to put it; default ``RECSYS_DATA_DIR``, or ``var/data``.
    progress : bool
        Show a bar on standard error, if that is a terminal.
    base_url : str
        The folder that holds the archives and their ``.md5``.
    timeout : float
        Seconds to wait for the server to say something.

    Raises
    ------
    NotFoundError
        If no set is called so.
    DownloadError
        If the server cannot be reached or refuses, the connection breaks off, the archive is not
        what its digest says, or it cannot be written.
    """
    known = release(name)
    there = local_path(known, directory)
    if there is not None:
        return there
    # Its information level tells every file it fetches and where it goes.
    pooch.get_logger().setLevel("WARNING")
    url = f"{base_url}/{known.archive}"
    target = data_directory(directory) / f"{known.name}.zip"
    by_hand = f"to do it by hand, download {url} and save it as {target}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = _published_md5(f"{url}.md5", timeout)
        _download(url, target, f"md5:{digest}", timeout, progress=progress)
    except ValueError as error:
        raise DownloadError(
            f"{url} is not what its published MD5 says, and was not kept; try again, or {by_hand}"
        ) from error
    except OSError as error:
        raise DownloadError(f"{known.name}: {_reason(error)}; {by_hand}") from error
    return target


def _published_md5(url: str, timeout: float) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "md5"
        _download(url, path, None, timeout, progress=False)
        found = _MD5.search(path.read_text(encoding="ascii", errors="replace"))
    if found is None:
        raise DownloadError(f"{url} holds no MD5, so the archive cannot be checked")
    return found[0].lower()


def _download(
    url: str, target: Path, digest: str | None, timeout: float, *, progress: bool
) -> None:
    with ExitStack() as responses:

        def close_later(response: Any, **_: Any) -> None:
            # pooch leaves the connection open when a download fails.
            responses.callback(response.close)

        bar = tqdm(
            total=1,  # until the server has said how many; pooch asks whether it is 0
            desc=f"downloading {target.stem}",
            unit="B",
            unit_scale=True,
            disable=None if progress else True,
            dynamic_ncols=True,
            leave=False,
            file=sys.stderr,
        )
        responses.callback(bar.close)
        downloader = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=1 << 16,
            timeout=timeout,
            hooks={"response": close_later},
        )
        # Writes beside the target, checks, and only then moves; removes what does not fit.
        pooch.retrieve(
            url,
            known_hash=digest,
            fname=target.name,
            path=target.parent,
            downloader=downloader,
        )


def _reason(error: OSError) -> str:
    """Return one line on what went wrong; the exceptions of requests are OSErrors too."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code} {response.reason}"
    if error.strerror:
        return f"{error.strerror} ({error.filename})"
    return f"the download failed ({type(error).__name__})"
