from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

QUICK = 1.0
"""Seconds; what is done sooner needs no progress bar."""


@contextmanager
def storing(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what takes the rows stored so far and all of them, and shows both on a terminal."""
    with _counting(desc=f"storing {what}", unit=" rows", unit_scale=True) as show:
        yield show


@contextmanager
def evaluating(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what takes how many users have their list, of how many, and shows it on a terminal."""
    with _counting(desc=f"evaluating {what}", unit=" users", unit_scale=True) as show:
        yield show


@contextmanager
def scoring() -> Iterator[Callable[[int, int], None]]:
    """Yield what takes how many lists are scored, of how many, and shows it on a terminal."""
    with _counting(desc="scoring", unit=" lists", unit_scale=True) as show:
        yield show


@contextmanager
def _counting(**looks: Any) -> Iterator[Callable[[int, int], None]]:
    with tqdm(
        delay=QUICK, disable=None, dynamic_ncols=True, leave=False, file=sys.stderr, **looks
    ) as bar:

        def show(n_done: int, n_all: int) -> None:
            bar.total = n_all
            bar.update(n_done - bar.n)

        yield show
