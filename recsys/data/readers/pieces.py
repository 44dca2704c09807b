"""Text in pieces of whole lines, parsed side by side, so that it is never whole in memory."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, TypeVar

import pyarrow as pa

Result = TypeVar("Result")

PIECE = 32 << 20
"""Bytes read at once: more are slower to hold than fewer are to put together."""


def cut_at_lines(stream: BinaryIO, n_skipped: int, *, is_quoted: bool) -> Iterator[bytes]:
    """Yield the content in pieces that end with a line, blank ones left out.

    Parameters
    ----------
    stream : binary file
    n_skipped : int
        Lines to leave out at the beginning.
    is_quoted : bool
        Whether quotes may enclose line ends; what follows the first quote then is one piece.
    """
    rest, skipped = b"", False
    while block := stream.read(PIECE):
        block = rest + block
        if not skipped:
            lines = re.match(rb"(?:[^\r\n]*(?:\r\n?|\n)){%d}" % n_skipped, block)
            if lines is None:
                rest = block
                continue
            skipped, block = True, block[lines.end() :]
        if is_quoted and b'"' in block:
            yield block + stream.read()
            return
        end = block.rfind(b"\n") + 1
        piece, rest = block[:end], block[end:]
        if piece and not piece.isspace():
            yield piece
    if skipped and rest and not rest.isspace():
        yield rest


def in_turn(work: Callable[[bytes], Result], pieces: Iterable[bytes]) -> list[Result]:
    """Return what ``work`` makes of each piece, in their order; a few are worked on at once."""
    n_at_once: int = pa.cpu_count()
    done: list[Result] = []
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(n_at_once) as pool:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > n_at_once:
                done.append(waiting.popleft().result())
        done += [future.result() for future in waiting]
    return done
