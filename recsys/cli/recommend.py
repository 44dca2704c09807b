"""Lists, for a user or for somebody new."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import click

from recsys.cli.ask import known_rows, limit_option, load_champion, print_list
from recsys.cli.output import json_option
from recsys.data.feedback import rating_flaw
from recsys.errors import UsageError
from recsys.serving import Filters, Person, Recommender


def _parse(
    context: click.Context, option: click.Parameter, given: Sequence[str]
) -> list[tuple[str, float | None]]:
    return [_rating(one) for one in given]


def _rating(given: str) -> tuple[str, float | None]:
    item_id, _, stars = given.rpartition("=")
    try:
        rated = float(stars) if stars else None
    except ValueError:
        rated = math.nan
    if not item_id or (rated is not None and not math.isfinite(rated)):
        raise click.BadParameter(f"{given!r} is not such as 318=4.5, or 318= without stars")
    return item_id, rated


@click.command()
@click.argument("user_id", required=False)
@click.option(
    "--rating",
    metavar="ITEM_ID=STARS",
    multiple=True,
    callback=_parse,
    help="A rating of somebody new, for whom to list; once for each.",
)
@limit_option
@click.option(
    "--popularity",
    type=click.FloatRange(-1, 1),
    default=0.0,
    help="Towards what many rated (1) or few did (-1).",
)
@click.option("--genre", help="Of this genre only.")
@click.option("--year-min", type=int, help="From this year on.")
@click.option("--year-max", type=int, help="Up to this year.")
@click.option(
    "--min-ratings", type=click.IntRange(min=0), default=0, help="At least so many ratings."
)
@click.option("--exclude-seen/--include-seen", default=True, help="Leave out what the user rated.")
@json_option
@click.pass_obj
def recommend(
    database_url: str,
    /,
    user_id: str | None,
    rating: list[tuple[str, float | None]],
    limit: int,
    popularity: float,
    exclude_seen: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """List items for USER_ID, or by ratings, best first."""
    if (user_id is None) == (not rating):
        raise click.UsageError("give USER_ID, or one --rating or more")
    champion = load_champion(database_url)
    listed = champion.recommend(
        _newcomer(champion, rating) if user_id is None else champion.person(user_id),
        limit,
        filters=Filters(**filters),
        exclude_seen=exclude_seen,
        popularity=popularity,
    )
    print_list(champion, listed, "score", as_json)


def _newcomer(champion: Recommender, ratings: Sequence[tuple[str, float | None]]) -> Person:
    is_implicit = champion.catalogue.mean_ratings is None
    for item_id, stars in ratings:
        flaw = rating_flaw(stars, champion.order.side.rating_scale, is_implicit=is_implicit)
        if stars is not None and flaw is not None:
            raise UsageError(f"--rating {item_id}={stars:g}: {flaw}")
    known_rows(champion, [item_id for item_id, _ in ratings])
    person, _ = champion.fold_in(*zip(*ratings, strict=True))
    return person
