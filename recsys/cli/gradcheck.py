from __future__ import annotations

from dataclasses import asdict

import click

from recsys.cli.output import json_option, print_json, print_table
from recsys.errors import RecsysError
from recsys.model.gradcheck import model_checks
from recsys.nn.gradcheck import check_all

TOLERANCE = 1e-6


@click.command()
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the parameters drawn.")
@json_option
def gradcheck(seed: int, as_json: bool) -> None:
    """Hold every gradient against central differences, in float64.

    All operations, layers and losses of the engine, and both models whole. The error of an array
    is |a - n| / (|a| + |n|) in Euclidean norms; shown is also the entry that differs most. Above
    1e-6 the check has failed.
    """
    checks = check_all(model_checks(), seed=seed)
    largest = max(check.relative_error for check in checks)
    if as_json:
        print_json(
            {
                "max_relative_error": largest,
                "tolerance": TOLERANCE,
                "checks": [asdict(check) for check in checks],
            }
        )
    else:
        rows = [
            [
                check.name,
                f"{check.relative_error:.1e}",
                f"{check.analytic:.6g}",
                f"{check.numeric:.6g}",
            ]
            for check in checks
        ]
        print_table(rows, ["array", "error", "analytic", "numeric"], [44], {1, 2, 3})
        click.echo(f"\n{len(checks)} arrays; the largest relative error is {largest:.1e}.")
    if not largest < TOLERANCE:
        worst = max(checks, key=lambda check: check.relative_error)
        raise RecsysError(
            f"{worst.name}: the analytic gradient at {worst.entry} is {worst.analytic!r}, "
            f"the numeric one {worst.numeric!r}; their relative error {worst.relative_error:.1e} "
            f"is above {TOLERANCE:g}"
        )
