"""What the report says first: the figures looked for, and the findings in a few sentences."""

from __future__ import annotations

from recsys.analysis.bias import BiasRow, BiasTable
from recsys.analysis.pca import PrincipalAxes
from recsys.analysis.report.about_data import density
from recsys.analysis.report.about_items import goes_along
from recsys.analysis.report.about_lists import halves
from recsys.analysis.report.page import Points, Section, signed
from recsys.analysis.report.scores import OURS, Scores
from recsys.analysis.report.standings import NDCG, standing
from recsys.data import Ratings


def facts(ratings: Ratings, scores: Scores | None) -> tuple[tuple[str, str], ...]:
    """Return the figures that a reader looks for first: name and value."""
    known = [
        ("users", f"{ratings.n_users:,}"),
        ("items", f"{ratings.n_items:,}"),
        ("ratings", f"{ratings.n_ratings:,}"),
        ("density", density(ratings)),
    ]
    if scores is not None:
        found = scores.comparison.scores(OURS)
        if OURS in scores.predict_stars:
            known.append(("held-out RMSE", f"{found['rmse']:.3f} stars"))
        if scores.n_list_users:
            known.append(("held-out nDCG@10", f"{found[NDCG]:.3f}"))
    return tuple(known)


def summary_section(
    scores: Scores | None, biases: BiasTable | None, principal: PrincipalAxes
) -> Section | None:
    """Return the findings, one sentence each; None where there are none."""
    told: list[str] = []
    if scores is not None:
        if OURS in scores.predict_stars:
            told.append(f"Stars. {standing(scores, scores.predict_stars, 'rmse')}")
        if scores.n_list_users:
            told.append(f"Lists. {standing(scores, scores.make_lists, NDCG)}")
            told.append(f"Popularity. {halves(scores)}")
    if biases is not None and len(biases) > 1:
        (best,), (worst,) = biases.best(1), biases.worst(1)
        told.append(
            f"Items. Whoever rates them, {_named(best)} is liked best of the {len(biases):,} "
            f"items with at least {biases.min_ratings} ratings, and {_named(worst)} least."
        )
    if principal.axes:
        first = principal.axes[0]
        told.append(
            "Embeddings. Items differ most along an axis that holds "
            f"{first.explained_variance_ratio:.0%} of the variance; along it "
            f"{goes_along(first)}."
        )
    return Section("In short", (Points(tuple(told)),)) if told else None


def _named(row: BiasRow) -> str:
    return f"{row.label} (bias {signed(row.bias)})"
