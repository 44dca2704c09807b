"""Work whose memory must not show in what is measured later."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")


def apart(work: Callable[P, Result], *arguments: P.args, **named: P.kwargs) -> Result:
    """Return ``work(*arguments)``, done in a process of its own.

    The peak that a process tells (``ru_maxrss``) begins with that of the one which started it.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **named).result()
