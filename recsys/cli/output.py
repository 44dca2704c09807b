"""How the commands speak: progress and notes to stderr, results to stdout."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TextIO

import click
import tabulate

# Two more columns per header would push the widest tables past a terminal's 80.
tabulate.MIN_PADDING = 0

json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, show_default=False, allow_from_autoenv=False,
    help="Print one JSON object.",
)  # fmt: skip


def note(message: str) -> None:
    """Say something that is not the result, on stderr."""
    click.echo(_folded(message, sys.stderr), err=True)


def say(message: str) -> None:
    """Say in words what came out, on stdout."""
    click.echo(_folded(message, sys.stdout))


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object; what is not a number is null."""
    click.echo(json.dumps(_without_nan(value), ensure_ascii=False, indent=2))


def print_table(
    rows: Sequence[Sequence[Any]],
    headers: Sequence[str],
    widths: Sequence[int | None] = (),
    numbers: Collection[int] = (),
) -> None:
    """Print rows under headers; texts longer than their column's width are cut with an ellipsis.

    Texts stand left and numbers right. An id is a text, also one that looks like a number; a
    number that is written out already stands right in the columns ``numbers``.
    """
    limits = [*widths, *[None] * (len(headers) - len(widths))]
    shown = [[_cell(cell, width) for cell, width in zip(row, limits, strict=True)] for row in rows]
    is_text = [
        number not in numbers and any(isinstance(cell, str) for cell in column)
        for number, column in enumerate(zip(*rows, strict=True))
    ]
    click.echo(
        tabulate.tabulate(
            shown,
            headers,
            disable_numparse=True,
            colalign=["left" if text else "right" for text in is_text],
        )
    )


def print_pairs(pairs: Mapping[str, Any]) -> None:
    """Print a line for each name and its value."""
    shown = [[name, _cell(value, float_format=".4g")] for name, value in pairs.items()]
    click.echo(tabulate.tabulate(shown, tablefmt="plain", disable_numparse=True))


def _folded(message: str, stream: TextIO) -> str:
    """Return a message with its lines broken between words, if it goes to a terminal."""
    if not stream.isatty():
        return message
    width = shutil.get_terminal_size().columns
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in message.split("\n")
    )


def _cell(value: Any, width: int | None = None, float_format: str = ".4f") -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    shown = format(value, float_format) if isinstance(value, float) else str(value)
    return shown if width is None or len(shown) <= width else shown[: width - 1] + "…"


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
