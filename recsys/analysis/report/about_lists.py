"""What the report says about lists: each function returns one section.

Or None, where no list can be right.
"""

from __future__ import annotations

from math import isnan

import numpy as np

from recsys.analysis.report import plots
from recsys.analysis.report.page import Figure, Section, Text, known
from recsys.analysis.report.scores import OURS, Scores
from recsys.analysis.report.standings import (
    NDCG,
    difference_table,
    meant,
    score_figure,
    score_table,
)
from recsys.evaluation.evaluate import LIST_LENGTH


def lists_section(scores: Scores) -> Section | None:
    """Return how many liked items lists find, beside those of simpler models."""
    names = scores.make_lists
    if not scores.n_list_users:
        return None
    stars = "" if scores.test.is_implicit else " with 4 stars or more"
    about = (
        f"Each list holds {LIST_LENGTH} of the {scores.n_candidates:,} items with training "
        "ratings, less what the user rated in training. It is right where it holds what the user "
        f"liked{stars} among the held-out ratings; {scores.n_list_users:,} users have such "
        "ratings. What they would like but have not rated counts as wrong: the figures tell "
        "predictors apart rather than how much of a list is liked."
    )
    note = (
        "The figures are means over users, from 0 to 1, and better when higher. nDCG counts what "
        "is found, the more the nearer to the top of the list; recall is the share of the liked "
        "items that is found, precision the share of the list that is liked, hit rate the share "
        "of the users for whom anything is found. Brackets are 95% intervals over users. "
        f"{meant(names)}"
    )
    left_out = [Text(f"{name} is left out: {why}.") for name, why in scores.left_out.items()]
    shown = {
        NDCG: "nDCG",
        f"recall@{LIST_LENGTH}": "Recall",
        f"precision@{LIST_LENGTH}": "Precision",
        f"hit_rate@{LIST_LENGTH}": "Hit rate",
    }
    return Section(
        "Lists against baselines",
        (
            Text(about),
            score_figure(scores, names, NDCG, f"nDCG of the first {LIST_LENGTH}, higher is better"),
            score_table(f"Lists of {LIST_LENGTH}", scores, names, shown),
            *difference_table(scores, names, dict(list(shown.items())[:2])),
            *left_out,
            Text(note, is_note=True),
        ),
    )


def variety_section(scores: Scores) -> Section | None:
    """Return how much of the catalogue lists show, and how they lean towards the popular."""
    names = scores.make_lists
    if not scores.n_list_users:
        return None
    found = {name: scores.comparison.scores(name) for name in names}
    about = (
        f"What the same lists are like, right or not: {LIST_LENGTH} items for each of "
        f"{scores.n_list_users:,} users."
    )
    note = (
        "Coverage is the share of the items that stand in at least one list. Popularity lift is "
        "how many times as many ratings the items of a list have as what its user rated; 1 would "
        "be their own taste for the popular. Novelty is log2(users / raters), in bits: 1 is an "
        "item that half of the users have rated, 4 one that a sixteenth has."
    )
    if not isnan(found[OURS][f"diversity@{LIST_LENGTH}"]):
        note += (
            " Diversity is the mean distance between the genres of two items of a list: 0 if all "
            "are of the same genres, 1 if no two share one."
        )
    covered = [of[f"coverage@{LIST_LENGTH}"] for of in found.values()]
    cells = {
        "": list(names),
        ">Coverage (items)": [f"{of:.1%} ({of * scores.n_candidates:,.0f})" for of in covered],
    } | {
        head: [_number(of[f"{metric}@{LIST_LENGTH}"], unit) for of in found.values()]
        for head, metric, unit in (
            (">Popularity lift", "popularity_lift", "×"),
            (">Novelty (bits)", "novelty", ""),
            (">Diversity", "diversity", ""),
        )
    }
    curves = {"": "rated by the users themselves", OURS: "lists of this version"}
    shares = {
        curves.get(name, f"lists of {name}"): scores.shares[name]
        for name in sorted(scores.shares, key=lambda name: name != OURS)
    }
    return Section(
        "Coverage and popularity bias",
        (
            Text(about),
            Figure(
                "concentration",
                plots.concentration(shares),
                "Line chart of the share of lists that falls to the most rated items.",
                f"{halves(scores)} The further to the left a line rises, the fewer items it is "
                "about; the horizontal scale is logarithmic.",
            ),
            known(f"Lists of {LIST_LENGTH}", cells),
            Text(note, is_note=True),
        ),
    )


def halves(scores: Scores) -> str:
    """Return to how few items half of the lists goes, and half of what users rate, in words."""
    ours, own = (int(np.searchsorted(scores.shares[name], 0.5)) + 1 for name in (OURS, ""))
    return (
        f"Half of all places in this version's lists go to the {ours:,} most rated items; half "
        f"of what the same users rated themselves falls to the {own:,} most rated."
    )


def _number(value: float, unit: str) -> str:
    return "" if isnan(value) else f"{value:.2f}{unit}"
