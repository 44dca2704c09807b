"""What the report says about the items: each function returns one section.

Or None, where the data cannot have one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.analysis.bias import BiasRow, BiasTable
from recsys.analysis.correlates import SIGNIFICANT
from recsys.analysis.items import item_label, well_known
from recsys.analysis.neighbours import nearest_items
from recsys.analysis.pca import Axis, PrincipalAxes
from recsys.analysis.report import plots
from recsys.analysis.report.page import Block, Figure, Section, Table, Text, columns, known, signed
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue

_BIASES = "Worst and best by learned bias"


def bias_section(table: BiasTable, top: int, unit: str) -> Section:
    """Return the worst- and best-rated items by learned bias."""
    if not len(table):
        return Section(_BIASES, (Text(_too_few(table.min_ratings)),))
    top = min(top, len(table))
    about = (
        "An item's bias is what is left of its ratings once the general mean, the generosity of "
        "those who rated it and their tastes are taken out: how well it is liked, whoever "
        f"rates it, in {unit}. Mean is that of its ratings, in stars; of the ranks, 1 is the "
        f"highest. Ranked are the {len(table):,} items with at least {table.min_ratings} ratings."
    )
    if table.standard_error is not None:
        about += (
            " The figure behind ± is the standard error. The shrunk bias is the better guess where "
            "ratings are few: what the training's penalty took is given back, and the rest drawn "
            f"towards {signed(table.prior_mean or 0)}, the more the fewer ratings there are."
        )
    return Section(
        _BIASES,
        (
            Text(about),
            _bias_table("Lowest bias", table.worst(top)),
            _bias_table("Highest bias", table.best(top)),
        ),
    )


def no_bias_section(why: str) -> Section:
    """Return why there are no rankings by bias."""
    return Section(_BIASES, (Text(f"Left out: {why}."),))


def disagreement_section(table: BiasTable, top: int, unit: str) -> Section | None:
    """Return where the order by bias and the order by mean rating differ most."""
    rows = table.disagreements(top)
    if not rows or table.mean_rating is None:
        return None
    position = {table.catalogue.item_ids[item]: at for at, item in enumerate(table.items)}
    labels = {position[row.item_id]: _short(row.title or row.item_id) for row in rows[:12]}
    return Section(
        "Where bias and mean disagree",
        (
            Text(
                "A mean rating also tells who came to rate. A positive gap is an item that the "
                "model ranks higher than its mean does: its raters are strict, or it is not "
                "their kind of item."
            ),
            Figure(
                "bias-against-mean",
                plots.bias_against_mean(table.mean_rating, table.bias, unit, labels),
                "Scatter plot of learned bias against mean rating, one point per item.",
                f"{_agreement(table, rows[0])} Named are the widest gaps between the ranks.",
            ),
            Table(
                f"Widest gaps between the two ranks, of {len(table):,}",
                columns(
                    "Item", ">Rank by bias", ">Rank by mean", ">Gap", ">Bias", ">Mean", ">Ratings"
                ),
                tuple(
                    (
                        row.label,
                        f"{row.rank_by_bias:,}",
                        f"{row.rank_by_mean:,}",
                        f"{(row.rank_by_mean or 0) - row.rank_by_bias:+,}".replace("-", "−"),
                        signed(row.bias),
                        _number(row.mean_rating),
                        f"{row.n_ratings:,}",
                    )
                    for row in rows
                ),
            ),
        ),
    )


def axes_section(principal: PrincipalAxes, catalogue: Catalogue, min_ratings: int) -> Section:
    """Return the principal axes, the items at their ends, and the map of the first two."""
    if not principal.axes:
        none = f"{_too_few(min_ratings)} Or the embeddings of those that do are all alike."
        return Section("Principal axes", (Text(none),))
    explained = sum(axis.explained_variance_ratio for axis in principal.axes)
    blocks: list[Block] = [
        Text(
            f"The directions in which the embeddings of {len(principal.rows):,} items with at "
            f"least {min_ratings} ratings differ most; the first {len(principal.axes)} hold "
            f"{explained:.0%} of the variance. Nobody named them: the items at their ends tell "
            "what they mean, and the table what goes along with them, as Pearson's correlation "
            "from −1 to 1. The positive end is where the more rated items lie."
        ),
        Table(
            "Explained variance",
            columns("Axis", ">Share", "Goes along with (correlation)"),
            tuple((_name(axis), _share(axis), _along(axis)) for axis in principal.axes),
        ),
    ]
    if len(principal.axes) >= 2:
        blocks.append(_map(principal, catalogue))
    blocks += [_ends(axis) for axis in principal.axes]
    return Section("Principal axes", tuple(blocks))


def neighbours_section(
    items: ItemSide, catalogue: Catalogue, min_ratings: int, n_items: int = 10, n: int = 5
) -> Section | None:
    """Return the nearest items of the most rated ones."""
    rows = well_known(items, catalogue, min_ratings)
    most_rated = rows[np.argsort(-catalogue.n_ratings[rows], kind="stable")][:n_items]
    listed = []
    for row in most_rated:
        item_id = catalogue.item_ids[int(row)]
        near = nearest_items(items, catalogue, item_id, n, min_ratings=min_ratings)
        if near:
            names = "; ".join(f"{other.label} {other.cosine:.2f}" for other in near)
            listed.append((item_label(catalogue, int(row)), names))
    if not listed:
        return None
    about = Text(
        f"Near are items whose embeddings point the same way, of those with at least {min_ratings} "
        "ratings. The figure is the cosine: 1 is the same direction, 0 none in common, −1 the "
        "opposite."
    )
    table = Table(
        f"The most rated items, and the {n} nearest of each",
        columns("Item", "Nearest"),
        tuple(listed),
    )
    return Section("Nearest items", (about, table))


def _agreement(table: BiasTable, widest: BiasRow) -> str:
    """Return how far the order by bias and the order by mean are the same."""
    by_mean = table.rank_by_mean
    places = (
        f"{widest.label} is number {widest.rank_by_bias:,} by bias and "
        f"{widest.rank_by_mean:,} by mean."
    )
    if by_mean is not None and not (np.ptp(table.rank_by_bias) and np.ptp(by_mean)):
        return places  # where all are alike there is no order to agree with
    correlation = 1.0 if by_mean is None else np.corrcoef(table.rank_by_bias, by_mean)[0, 1]
    return (
        f"The two orders agree to a rank correlation of {correlation:.2f} (1: they are the same); "
        f"{places}"
    )


def _bias_table(caption: str, rows: Sequence[BiasRow]) -> Table:
    """Return a table of biases; what is not known of any row has no column."""
    cells = {
        "Item": [row.label for row in rows],
        ">Bias": [
            signed(row.bias)
            + ("" if row.standard_error is None else f"\u00a0±\u00a0{row.standard_error:.2f}")
            for row in rows
        ],
        ">Shrunk": ["" if row.shrunk_bias is None else signed(row.shrunk_bias) for row in rows],
        ">Ratings": [f"{row.n_ratings:,}" for row in rows],
        ">Mean": [_number(row.mean_rating) for row in rows],
        ">Rank by mean": [
            "" if row.rank_by_mean is None else f"{row.rank_by_mean:,}" for row in rows
        ],
    }
    return known(caption, cells)


def _map(principal: PrincipalAxes, catalogue: Catalogue) -> Figure:
    rows, (first, second) = principal.rows, principal.axes[:2]
    along = principal.coordinates[rows]
    # The outermost of both axes give the map its meaning; the best known its landmarks.
    outermost = [
        row.item_id
        for axis in (first, second)
        for end in (axis.highest, axis.lowest)
        for row in end[:4]
    ]
    position = {catalogue.item_ids[row]: at for at, row in enumerate(rows)}
    named = [position[item_id] for item_id in outermost]
    named += list(np.argsort(-catalogue.n_ratings[rows], kind="stable")[:25])
    labels = {int(at): _short(_title(catalogue, int(rows[at]))) for at in named}
    names = tuple(
        f"{_name(axis)}{f': {axis.label}' if axis.label else ''} ({_share(axis)} of the variance)"
        for axis in (first, second)
    )
    return Figure(
        "item-map",
        plots.item_map(along[:, 0], along[:, 1], catalogue.n_ratings[rows], labels, *names),
        "Scatter plot of the items on the first two principal axes.",
        f"To the right {goes_along(first)}; upwards {goes_along(second)}. The larger the point, "
        "the more ratings. Named are the outermost and the most rated items, as far as there is "
        "room.",
    )


def _ends(axis: Axis) -> Table:
    return Table(
        f"{_name(axis)}: the items at its ends",
        columns(">", "Positive end", ">", "Negative end", ">"),
        tuple(
            (f"{place}", high.label, signed(high.coordinate), low.label, signed(low.coordinate))
            for place, (high, low) in enumerate(zip(axis.highest, axis.lowest, strict=True), 1)
        ),
    )


def goes_along(axis: Axis) -> str:
    """Return what of the items changes along an axis by more than chance, as a clause."""
    told = [
        f"{found.feature} {'grows' if found.correlation > 0 else 'falls'}"
        for found in axis.correlates
        if found.p_value <= SIGNIFICANT
    ][:3]
    if not told:
        return "nothing that is known of the items changes by more than chance"
    return " and ".join([", ".join(told[:-1]), told[-1]] if told[1:] else told)


def _name(axis: Axis) -> str:
    return f"Axis {axis.component}"


def _share(axis: Axis) -> str:
    return f"{axis.explained_variance_ratio:.1%}"


def _along(axis: Axis) -> str:
    return ", ".join(f"{c.feature} {signed(c.correlation)}" for c in axis.correlates[:4])


def _title(catalogue: Catalogue, row: int) -> str:
    return catalogue.metadata.titles[row] or catalogue.item_ids[row]


def _short(title: str) -> str:
    return title if len(title) <= 28 else title[:27].rstrip() + "…"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _too_few(min_ratings: int) -> str:
    return f"Not enough items have {min_ratings} ratings or more to say anything here."
