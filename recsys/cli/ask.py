"""Questions to the champion."""

from __future__ import annotations

from collections.abc import Sequence

import click

from recsys import store
from recsys.cli.folders import beside_database
from recsys.cli.output import json_option, note, print_json, print_table
from recsys.errors import NotFoundError
from recsys.serving import ItemFiles, RankedItems, Recommender

limit_option = click.option(
    "--limit", type=click.IntRange(1, 1000), default=10, help="Items to list."
)


@click.command()
@click.argument("item_id")
@limit_option
@click.option(
    "--min-ratings", type=click.IntRange(min=0), default=20, help="At least so many ratings."
)
@json_option
@click.pass_obj
def similar(
    database_url: str, /, item_id: str, limit: int, min_ratings: int, as_json: bool
) -> None:
    """List the items nearest to ITEM_ID.

    Near are items whose embeddings point the same way: the score is the cosine. That of an item
    with few ratings is mostly chance.
    """
    champion = load_champion(database_url)
    known_rows(champion, [item_id])
    print_list(
        champion, champion.similar_items(item_id, limit, min_ratings=min_ratings), "cosine", as_json
    )


@click.command()
@click.argument("user_id")
@click.argument("item_ids", nargs=-1, required=True)
@json_option
@click.pass_obj
def predict(database_url: str, /, user_id: str, item_ids: tuple[str, ...], as_json: bool) -> None:
    """Predict the stars of USER_ID for each of ITEM_IDS.

    Between low and high lie 80 of 100 ratings that were predicted so.
    """
    champion = load_champion(database_url)
    titles = [_title(champion, row) for row in known_rows(champion, item_ids)]
    stars = champion.predict(user_id, item_ids).tolist()
    between = champion.predict_between(user_id, item_ids)
    low, high = [[None] * len(stars)] * 2 if between is None else (e.tolist() for e in between)
    rows = list(zip(item_ids, titles, stars, low, high, strict=True))
    if as_json:
        keys = ("item_id", "title", "predicted_rating", "low", "high")
        items = [dict(zip(keys, row, strict=True)) for row in rows]
        print_json({"model_id": champion.model_id, "items": items})
        return
    print_table(rows, ["item_id", "title", "stars", "low", "high"], [12, 40])
    if between is None:
        note("This version was stored without intervals around its predicted stars.")


def load_champion(database_url: str) -> Recommender:
    """Return the champion of the database, the item files beside it.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    engine = store.open_database(database_url)
    store.prepare(engine)
    source = store.StoreSource(engine)
    champion = source.champion()
    if champion is None:
        raise NotFoundError("there is no champion yet: recsys train")
    files = ItemFiles(beside_database(database_url, "cache"))
    return Recommender.load(source, champion.model_id, files)


def known_rows(champion: Recommender, item_ids: Sequence[str]) -> list[int]:
    """Return the catalogue's rows of items.

    Raises
    ------
    NotFoundError
        If it does not have one of them.
    """
    rows: list[int] = champion.catalogue.item_ids.rows(item_ids).tolist()
    for item_id, row in zip(item_ids, rows, strict=True):
        if row < 0:
            raise NotFoundError(f"item {item_id!r} is unknown to version {champion.model_id}")
    return rows


def _title(champion: Recommender, row: int) -> str:
    return champion.catalogue.metadata.titles[row] or champion.catalogue.item_ids[row]


def print_list(champion: Recommender, listed: RankedItems, score: str, as_json: bool) -> None:
    """Print a list as a table, its scores under the name ``score``, or as JSON."""
    catalogue = champion.catalogue
    stars = [None] * len(listed.items) if listed.stars is None else listed.stars.tolist()
    rows = [
        {
            "rank": rank,
            "item_id": catalogue.item_ids[item],
            "title": _title(champion, item),
            "year": catalogue.metadata.years[item],
            "score": points,
            "predicted_rating": star,
        }
        for rank, (item, points, star) in enumerate(
            zip(listed.items.tolist(), listed.scores.tolist(), stars, strict=True), start=1
        )
    ]
    if as_json:
        print_json({"model_id": champion.model_id, "items": rows})
    elif rows:
        headers = ["", "item_id", "title", "year", score, "stars"]
        n_columns = len(headers) - (listed.stars is None)
        shown = [list(row.values())[:n_columns] for row in rows]
        print_table(shown, headers[:n_columns], [None, 12, 38])
    else:
        note("There is no such item.")
