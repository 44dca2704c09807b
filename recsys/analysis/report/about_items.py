"""What the report says about the items: each function returns one section.

Or None, where the data cannot have one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.analysis.bias import NO_BIASES, BiasRow, BiasTable
from recsys.analysis.items import ItemRow, item_fields, well_known
from recsys.analysis.neighbours import nearest_items
from recsys.analysis.pca import Axis, PrincipalAxes
from recsys.analysis.report import plots
from recsys.analysis.report.page import Block, Figure, Section, Table, Text, columns
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue

_BIASES = "Worst and best by learned bias"


def bias_section(table: BiasTable, top: int) -> Section:
    """Return the worst- and best-rated items by learned bias."""
    if not len(table):
        return Section(_BIASES, (Text(_too_few(table.min_ratings)),))
    top = min(top, len(table))
    about = (
        "An item's bias is what is left of its ratings once the general mean, the generosity of "
        "those who rated it and their tastes are taken out: how well it is liked, whoever "
        "rates it. "
        f"Ranked are the {len(table):,} items with at least {table.min_ratings} ratings."
    )
    if table.standard_error is not None:
        about += (
            " The figure behind ± is the standard error; the shrunk bias is drawn towards "
            f"{table.prior_mean:+.2f}, the more the fewer ratings there are."
        )
    return Section(
        _BIASES,
        (
            Text(about),
            _bias_table("Lowest bias", table.worst(top)),
            _bias_table("Highest bias", table.best(top)),
        ),
    )


def no_bias_section() -> Section:
    """Return why there are no rankings by bias."""
    return Section(_BIASES, (Text(f"Left out: {NO_BIASES}."),))


def disagreement_section(table: BiasTable, top: int) -> Section | None:
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
                plots.bias_against_mean(table.mean_rating, table.bias, labels),
                "Scatter plot of learned bias against mean rating, one point per item.",
                "Learned bias against mean rating. Named: the widest gaps between the ranks.",
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
                        f"{(row.rank_by_mean or 0) - row.rank_by_bias:+,}",
                        f"{row.bias:+.2f}",
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
            "what they mean. The positive end is where the more rated items lie."
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
            listed.append((ItemRow(**item_fields(catalogue, int(row))).label, names))
    if not listed:
        return None
    table = Table(
        f"The most rated items and the {n} nearest of each, with the cosine",
        columns("Item", "Nearest"),
        tuple(listed),
    )
    return Section("Nearest items", (table,))


def _bias_table(caption: str, rows: Sequence[BiasRow]) -> Table:
    """Return a table of biases; what is not known of any row has no column."""
    cells = {
        "Item": [row.label for row in rows],
        ">Bias": [
            f"{row.bias:+.2f}"
            + ("" if row.standard_error is None else f" ± {row.standard_error:.2f}")
            for row in rows
        ],
        ">Shrunk": [_number(row.shrunk_bias, "+.2f") for row in rows],
        ">Ratings": [f"{row.n_ratings:,}" for row in rows],
        ">Mean": [_number(row.mean_rating) for row in rows],
        ">Rank by mean": [
            "" if row.rank_by_mean is None else f"{row.rank_by_mean:,}" for row in rows
        ],
    }
    known = {name: column for name, column in cells.items() if any(column)}
    return Table(caption, columns(*known), tuple(zip(*known.values(), strict=True)))


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
    names = (f"{_name(first)} ({_share(first)})", f"{_name(second)} ({_share(second)})")
    return Figure(
        "item-map",
        plots.item_map(along[:, 0], along[:, 1], catalogue.n_ratings[rows], labels, names),
        "Scatter plot of the items on the first two principal axes.",
        "The items on the first two axes; the larger the point, the more ratings. Named: the "
        "outermost and the most rated, as far as there is room.",
    )


def _ends(axis: Axis) -> Table:
    return Table(
        f"{_name(axis)}: the items at its ends",
        columns(">", "Positive end", ">", "Negative end", ">"),
        tuple(
            (f"{place}", high.label, f"{high.coordinate:+.2f}", low.label, f"{low.coordinate:+.2f}")
            for place, (high, low) in enumerate(zip(axis.highest, axis.lowest, strict=True), 1)
        ),
    )


def _name(axis: Axis) -> str:
    return f"Axis {axis.component}"


def _share(axis: Axis) -> str:
    return f"{axis.explained_variance_ratio:.1%}"


def _along(axis: Axis) -> str:
    return ", ".join(f"{c.feature} {c.correlation:+.2f}" for c in axis.correlates[:4])


def _title(catalogue: Catalogue, row: int) -> str:
    return catalogue.metadata.titles[row] or catalogue.item_ids[row]


def _short(title: str) -> str:
    return title if len(title) <= 28 else title[:27].rstrip() + "…"


def _number(value: float | None, form: str = ".2f") -> str:
    return "" if value is None else format(value, form)


def _too_few(min_ratings: int) -> str:
    return f"Not enough items have {min_ratings} ratings or more to say anything here."
