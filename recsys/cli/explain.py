from __future__ import annotations

import click

from recsys.cli.ask import load_champion
from recsys.cli.output import json_option, print_json, print_table


@click.command()
@click.argument("user_id")
@click.argument("item_id")
@click.option("--n-reasons", type=click.IntRange(1, 1000), default=5, help="Reasons to list.")
@json_option
@click.pass_obj
def explain(
    database_url: str, /, user_id: str, item_id: str, n_reasons: int, as_json: bool
) -> None:
    """Show the terms of the scores of USER_ID and ITEM_ID.

    Under order is the score that orders lists, under stars the one that predicts stars. Below are
    the user's ratings that have most to do with it.
    """
    from api.schemas.explanations import explanation

    champion = load_champion(database_url)
    person = champion.person(user_id)
    told = explanation(champion, user_id, person, item_id, n_reasons).model_dump()
    if as_json:
        print_json(told)
        return
    parts = [told["order"], told["stars"]][: 1 + (told["stars"] is not None)]
    rows = [
        ["global mean", *(part["global_mean"] for part in parts)],
        ["user bias", *(part["user_bias"] for part in parts)],
        ["item bias", *(part["item_bias"] for part in parts)],
        [
            f"{len(parts[0]['factors'])} factors",
            *(sum(part["factors"]) for part in parts),
        ],
        ["score", *(part["score"] for part in parts)],
    ]
    print_table(rows, ["term", "order", "stars"][: 1 + len(parts)])
    keys = ["item_id", "title", "rating", "similarity", "share"]
    if parts[0]["baseline"] is not None:
        keys[3:] = ["influence", "stars_influence"]
    if told["reasons"]:
        click.echo()
        print_table([[one[key] for key in keys] for one in told["reasons"]], keys, [12, 30])
