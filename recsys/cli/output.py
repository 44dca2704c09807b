"""How the commands speak: progress and notes to stderr, results to stdout."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from tabulate import tabulate

json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, show_default=False, help="Print one JSON object."
)


def note(message: str) -> None:
    """Say something that is not the result, on stderr."""
    click.echo(message, err=True)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object; what is not a number is null."""
    click.echo(json.dumps(_without_nan(value), ensure_ascii=False, indent=2))


def print_table(
    rows: Iterable[Sequence[Any]], headers: Sequence[str], widths: Sequence[int | None] = ()
) -> None:
    """Print rows under headers; texts longer than their column's width are cut with an ellipsis."""
    cut = [[_cut(cell, width) for cell, width in _zip(row, widths)] for row in rows]
    click.echo(
        tabulate(cut, headers=headers, floatfmt=".4f", missingval="-", disable_numparse=False)
    )


def _zip(row: Sequence[Any], widths: Sequence[int | None]) -> Iterable[tuple[Any, int | None]]:
    return zip(row, [*widths, *[None] * (len(row) - len(widths))], strict=True)


def _cut(cell: Any, width: int | None) -> Any:
    if isinstance(cell, str) and width is not None and len(cell) > width:
        return cell[: width - 1] + "…"
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
