"""A version's scores beside the baselines': in a sentence, in a plot, in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

from recsys.analysis.report import plots
from recsys.analysis.report.page import Figure, Table, columns, signed
from recsys.analysis.report.scores import OURS, Scores
from recsys.evaluation.bootstrap import N_RESAMPLES
from recsys.evaluation.comparison import Difference
from recsys.evaluation.evaluate import LIST_LENGTH

NDCG = f"ndcg@{LIST_LENGTH}"
INTERVALS = (
    f"In brackets are 95% intervals: the middle of {N_RESAMPLES:,} bootstrap draws of users. A "
    "difference is taken draw by draw, which tells it from chance far earlier than two separate "
    "intervals would; where its interval leaves out 0, it is more than chance among users."
)
_TITLES = {"rmse": "RMSE", NDCG: "nDCG"}
_UNITS = {"rmse": " stars", NDCG: ""}
_BASELINES = {
    "global mean": "the mean of all ratings, for everything",
    "item mean": "each item's own mean",
    "user and item biases": "that mean, how generous the user is and how well liked the item",
    "most rated items": "the same for everybody, less what the user has rated",
    "EASE": "a linear model in closed form of what is liked together (Steck 2019)",
}


def standing(scores: Scores, names: Sequence[str], metric: str) -> str:
    """Return how the version stands to the best of the baselines, in short."""
    ours = scores.comparison.scores(OURS)[metric]
    told = f"{_TITLES[metric]} {ours:.3f}{_UNITS[metric]} on ratings never seen"
    rival = _rival(scores, names, metric)
    if rival is None:
        return f"{told}."
    best, found = rival
    theirs = scores.comparison.scores(best)[metric]
    if not found.interval.excludes_zero:
        how = "not told apart by this data"
    elif (found.value < 0) == (metric == "rmse"):
        how = "better by more than chance"
    else:
        how = "worse by more than chance"
    return f"{told}, against {theirs:.3f} of the best baseline, {best}: {how}."


def verdict(scores: Scores, names: Sequence[str], metric: str) -> str:
    """Return the difference to the best of the baselines, with its interval."""
    rival = _rival(scores, names, metric)
    if rival is None:
        return "There is no baseline to compare with."
    best, found = rival
    side = "below" if found.value < 0 else "above"
    low, high = found.interval
    chance = (
        "which chance among users does not explain"
        if found.interval.excludes_zero
        else "which chance among users may explain"
    )
    return (
        f"The {_TITLES[metric]} of this version is {abs(found.value):.4f}{_UNITS[metric]} {side} "
        f"that of the best baseline, {best} (95% interval of the difference {signed(low, 4)} to "
        f"{signed(high, 4)}), {chance}."
    )


def meant(names: Sequence[str]) -> str:
    """Return what the baselines are."""
    told = [f"{name}: {_BASELINES[name]}" for name in names if name != OURS]
    return f"The baselines are fitted to the same ratings. {'; '.join(told)}." if told else ""


def score_figure(scores: Scores, names: Sequence[str], metric: str, label: str) -> Figure:
    """Return a plot of a score of each, and how the version stands to the best baseline."""
    comparison, title = scores.comparison, _TITLES[metric]
    values = {name: comparison.scores(name)[metric] for name in names}
    intervals = {name: comparison.intervals(name)[metric] for name in names}
    return Figure(
        f"{title.lower()}-against-baselines",
        plots.with_intervals(label, values, intervals),
        f"Chart of the {title} of this version and of the baselines, with 95% intervals.",
        f"{verdict(scores, names, metric)} Bars are 95% intervals.",
    )


def score_table(
    caption: str, scores: Scores, names: Sequence[str], shown: Mapping[str, str]
) -> Table:
    """Return the scores ``shown``, titles by name, with their intervals."""
    rows = []
    for name in names:
        found, intervals = scores.comparison.scores(name), scores.comparison.intervals(name)
        cells = (
            f"{found[metric]:.3f} [{intervals[metric].low:.3f},\u00a0{intervals[metric].high:.3f}]"
            for metric in shown
        )
        rows.append((name, *cells))
    return Table(caption, columns("", *(f">{title}" for title in shown.values())), tuple(rows))


def difference_table(
    scores: Scores, names: Sequence[str], shown: Mapping[str, str]
) -> tuple[Table, ...]:
    """Return the version's scores less each baseline's."""
    rows = []
    for name in names:
        if name != OURS:
            found = scores.comparison.differences(OURS, name)
            rows.append((name, *(_signed(found[metric]) for metric in shown)))
    heads = columns("Baseline", *(f">{title}" for title in shown.values()))
    return (Table("This version's score less the baseline's", heads, tuple(rows)),) if rows else ()


def _rival(scores: Scores, names: Sequence[str], metric: str) -> tuple[str, Difference] | None:
    """Return the best of the baselines, and the version's score less its own."""
    of = {name: scores.comparison.scores(name)[metric] for name in names if name != OURS}
    of = {name: value for name, value in of.items() if not isnan(value)}
    if not of:
        return None
    best = (min if metric == "rmse" else max)(of, key=of.__getitem__)
    return best, scores.comparison.differences(OURS, best)[metric]


def _signed(found: Difference) -> str:
    low, high = found.interval
    return f"{signed(found.value, 4)} [{signed(low, 4)},\u00a0{signed(high, 4)}]"
