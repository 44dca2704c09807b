from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

QUICK = 1.0
"""Seconds; what is done sooner needs no progress bar."""


@contextmanager
def storing(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what takes the rows stored so far and all of them, and shows both on a terminal."""
    with tqdm(
        desc=f"storing {what}",
        unit=" rows",
        unit_scale=True,
        delay=QUICK,
        disable=None,
        dynamic_ncols=True,
        leave=False,
        file=sys.stderr,
    ) as bar:

        def show(n_done: int, n_rows: int) -> None:
            bar.total = n_rows
            bar.update(n_done - bar.n)

        yield show
