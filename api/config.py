from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """What an application is made from.

    Attributes
    ----------
    database_url : str
        SQLAlchemy's.
    cache_dir : Path
        Where the workers share item matrices; can be deleted at any time.
    scratch_dir : Path, optional
        Where the workers of one server share what is forgotten with it (`api.scratch`). Without
        it a process counts for itself.
    reads_need_key : bool
        Whether all of ``/v1``, the pages and ``/metrics`` are guarded; writes always are.
    n_proxies : int
        Reverse proxies in front of the server whose ``X-Forwarded-*`` is believed.
    cors_origins : tuple of str
        Web sites whose pages may use the answers, as ``https://host``; ``*`` is any.
    rate_limit : str, optional
        Requests that one caller may make: ``"100/minute"``, several separated by ``;``. No
        limit unless said.
    max_body : int
        Bytes that a request's body may have.
    """

    database_url: str = "sqlite:///var/recsys.db"
    cache_dir: Path = Path("var/cache")
    scratch_dir: Path | None = None
    reads_need_key: bool = False
    n_proxies: int = 0
    cors_origins: tuple[str, ...] = ()
    rate_limit: str | None = None
    max_body: int = 1_048_576
