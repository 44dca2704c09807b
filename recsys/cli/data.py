from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from recsys.cli.output import json_option, note, print_json, print_pairs, print_table, say
from recsys.data.describe import Contents, describe
from recsys.data.fetch import fetch as download
from recsys.data.releases import RELEASES, local_path
from recsys.errors import DataError


@click.group()
def data() -> None:
    """List known data sets, download them, and look into files."""


@data.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the data sets that are known by name."""
    known = [
        {**asdict(release), "url": release.url, "checksum": release.checksum}
        | {"is_here": local_path(release) is not None}
        for release in RELEASES
    ]
    if as_json:
        print_json({"items": known})
        return
    rows = [
        [
            release["name"],
            f"{release['n_ratings']:,}",
            f"{release['megabytes']} MB",
            release["published"],
            "yes" if release["is_here"] else "",
        ]
        for release in known
    ]
    print_table(rows, ["name", "ratings", "archive", "published", "here"], numbers={1, 2})
    say(
        "\nGroupLens's terms: research use, no commercial use without permission, no endorsement."
        "\nEach set's README has them in full; recsys data list --json has addresses and checksums."
    )


@data.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Download the data set NAME.

    It is checked against the MD5 that GroupLens publishes.
    """
    click.echo(download(name))


@data.command()
@click.argument("source", metavar="[NAME|PATH]", required=False)
@json_option
def info(source: str | None, as_json: bool) -> None:
    """Show what a data set or file holds, and what is wrong with it."""
    description = describe(source, progress=True)
    if as_json:
        print_json(asdict(description))
    elif description.contents is not None:
        _print(description.contents)
    for warning in description.warnings:
        note(f"note: {warning}")
    if description.contents is None:
        for problem in description.problems[1:]:
            note(f"also: {problem}")
        if description.has_more_problems:
            note("and more")
        raise DataError(description.problems[0])


def _print(contents: Contents) -> None:
    per_user, per_item = contents.ratings_per_user, contents.ratings_per_item
    pairs: dict[str, Any] = {
        "name": contents.name,
        "file": f"{contents.path} ({contents.format})",
        "users": f"{contents.n_users:,}",
        "items": f"{contents.n_items:,}",
        "ratings": f"{contents.n_ratings:,} ({contents.density:.2%} of all pairs)",
        "per user": f"{per_user.min:,} to {per_user.max:,}, median {per_user.median:,g}",
        "per item": f"{per_item.min:,} to {per_item.max:,}, median {per_item.median:,g}",
    }
    if contents.rating_mean is not None:
        pairs["scale"] = (
            f"{contents.rating_min:g} to {contents.rating_max:g}, mean {contents.rating_mean:.3f}"
        )
    if contents.first_rated is not None:
        pairs["rated"] = f"{contents.first_rated} to {contents.last_rated}"
    if contents.titles_path is not None:
        pairs["titles"] = (
            f"{contents.n_titles:,} titles, {contents.n_years:,} years, "
            f"{contents.n_genres:,} with genres"
        )
    pairs["fingerprint"] = contents.fingerprint[:16]
    print_pairs(pairs)
    if contents.histogram:
        click.echo()
        most = max(contents.histogram.values())
        bars = [
            [value, f"{count:,}", "█" * round(40 * count / most)]
            for value, count in contents.histogram.items()
        ]
        print_table(bars, ["stars", "ratings", ""], numbers={0, 1})
