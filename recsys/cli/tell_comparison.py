"""How `evaluate` tells of a comparison: tables, and the same as JSON."""

from __future__ import annotations

import re
from typing import Any

import click

from recsys.cli.output import print_table
from recsys.cli.tell import MAIN_SCORES, print_scores
from recsys.evaluation.comparison import Comparison, Difference
from recsys.evaluation.evaluate import score_names

# Of the scores whose differences the table has room for.
_COMPARED = ("rmse", "ndcg@10", "recall@10")


def compared_as_json(comparison: Comparison) -> dict[str, Any]:
    """Return what is known of the first predictor against the others, as JSON types.

    ``intervals`` has the bounds by score, ``baselines`` the others' scores, and ``differences``
    the first's scores less theirs: ``value low high`` by baseline and score.
    """
    first, *others = comparison.names
    told: dict[str, Any] = {"intervals": comparison.intervals(first)}
    if others:
        told["baselines"] = {name: comparison.scores(name) for name in others}
        told["differences"] = {
            name: {
                score: {"value": found.value, **found.interval._asdict()}
                for score, found in comparison.differences(first, name).items()
            }
            for name in others
        }
    return told


def print_comparison(comparison: Comparison) -> None:
    """Print every predictor's scores, then the first one's differences to the others."""
    scores = {name: comparison.scores(name) for name in comparison.names}
    first, *others = scores
    sampled = [name for name in scores[first] if name not in score_names()]
    for number, names in enumerate((MAIN_SCORES, score_names()[len(MAIN_SCORES) :], sampled)):
        if names:
            click.echo("\n" * (number > 0), nl=False)
            print_scores(scores, names)
    if sampled:
        click.echo("\nAmong sampled negatives: only to compare with published tables.")
    if others:
        click.echo(f"\n{first} less each of the others, with 95 % intervals over users:\n")
        found = {name: comparison.differences(first, name) for name in others}
        rows = [
            [name, *(_shown(of.get(score)) for score in _COMPARED)] for name, of in found.items()
        ]
        print_table(rows, ["", *_COMPARED], numbers=range(1, len(_COMPARED) + 1))


def _shown(found: Difference | None) -> str | None:
    if found is None:
        return None
    low, high = found.interval
    # Without the zero before the point three scores fit a terminal's 80 columns.
    return re.sub(r"(?<=[+-])0\.", ".", f"{found.value:+.3f} [{low:+.3f}, {high:+.3f}]")
