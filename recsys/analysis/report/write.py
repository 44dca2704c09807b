from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys.analysis.bias import NO_BIASES, BiasTable, bias_table
from recsys.analysis.items import catalogue_of
from recsys.analysis.pca import principal_axes
from recsys.analysis.report.about_all import facts, summary_section
from recsys.analysis.report.about_data import data_section
from recsys.analysis.report.about_items import (
    axes_section,
    bias_section,
    disagreement_section,
    neighbours_section,
    no_bias_section,
)
from recsys.analysis.report.about_lists import lists_section, variety_section
from recsys.analysis.report.about_people import people_section
from recsys.analysis.report.about_stars import no_scores_section, stars_section
from recsys.analysis.report.about_training import lr_section, settings_section, training_section
from recsys.analysis.report.page import Page, Section
from recsys.analysis.report.scores import Scores, score_version
from recsys.data import Ratings
from recsys.errors import RecsysError
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue, Snapshot
from recsys.nn.lr_finder import LRCurve

# Every punctuation mark that Markdown may read as its own, GitHub's formulas included.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~$&!])")


def write_report(
    snapshots: Sequence[Snapshot],
    ratings: Ratings,
    out: Path,
    *,
    lr_curve: LRCurve | None = None,
    model_id: int | None = None,
    stored_at: datetime | None = None,
    written_at: datetime | None = None,
    min_ratings: int = 20,
    top: int = 15,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[Path, ...]:
    """Return the paths of a report that is then written, its HTML file first.

    In ``out`` there are then ``report.html``, which needs nothing else, neither files nor
    network; ``report.md``, which says the same; and the plots as PNG, which ``report.md``
    shows. The same input gives the same bytes. Each file is replaced as a whole and
    ``report.html`` last, so that a reader never meets half a report.

    Scores are those on the ratings that `recsys.data.split.held_out` holds out, if the snapshots
    were trained on the others; nothing is trained but the baselines beside them.

    Parameters
    ----------
    snapshots : sequence of Snapshot
        Of one version: one or more, of different objectives.
    ratings : Ratings
        All of the version's data, held-out ones included.
    out : path
        A folder; made if there is none.
    lr_curve : LRCurve, optional
        What the learning-rate finder saw with the same ratings and settings.
    model_id : int, optional
        The version, to be named in the heading.
    stored_at, written_at : datetime, optional
        To be told: when the version was stored, and when this is written.
    min_ratings : int, default 20
        Fewest known ratings of an item that is ranked, put on an axis or called a neighbour.
    top : int, default 15
        Length of each table of items.
    progress : callable, optional
        Told how many lists are scored, of how many (`score_version`).

    Raises
    ------
    DataError
        If the ratings are of other items than the snapshots.
    RecsysError
        If ``out`` cannot be written.
    """
    stored = [] if model_id is None else [("Version", f"{model_id}")]
    stored += [] if stored_at is None else [("Stored", _moment(stored_at))]
    catalogue = catalogue_of(ratings)
    scores = score_version(snapshots, ratings, progress)
    subtitle = [
        f"Data set {ratings.name}",
        "" if model_id is None else f"version {model_id}",
        "" if written_at is None else f"written {_moment(written_at)}",
    ]
    page = Page(
        title="What was learned, and how good it is",
        subtitle=", ".join(part for part in subtitle if part),
        facts=facts(ratings, scores),
        sections=(
            *_first_sections(snapshots, catalogue, ratings, lr_curve, scores, min_ratings, top),
            settings_section(snapshots, ratings, stored),
        ),
    )
    files = {f"{figure.name}.png": figure.picture.light for figure in page.figures}
    files["report.md"] = _render("report.md", page).encode()
    files["report.html"] = _render("report.html", page).encode()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            _replace(out / name, content)
    except OSError as error:
        raise RecsysError(f"cannot write the report to {out}: {error.strerror}") from error
    return tuple(out / name for name in reversed(files))


def _first_sections(
    snapshots: Sequence[Snapshot],
    catalogue: Catalogue,
    ratings: Ratings,
    lr_curve: LRCurve | None,
    scores: Scores | None,
    min_ratings: int,
    top: int,
) -> tuple[Section, ...]:
    # What an item is like the rating embeddings say; the others say who takes it.
    rating = next((each for each in snapshots if each.objective == "rating"), None)
    items = (rating or snapshots[0]).items
    biases = None if rating is None else _biases(rating, catalogue, min_ratings)
    principal = principal_axes(items, catalogue, top=top, min_ratings=min_ratings)
    finder = None
    if lr_curve is not None and rating is not None:
        finder = lr_section(lr_curve, rating.hyperparameters)
    sections = (
        summary_section(scores, biases, principal),
        data_section(catalogue, ratings),
        training_section(snapshots),
        finder,
        *_quality(scores, catalogue),
        *_bias_sections(biases, items, top),
        axes_section(principal, catalogue, min_ratings),
        neighbours_section(items, catalogue, min_ratings),
    )
    return tuple(section for section in sections if section is not None)


def _quality(scores: Scores | None, catalogue: Catalogue) -> tuple[Section | None, ...]:
    if scores is None:
        return (no_scores_section(),)
    return (
        stars_section(scores),
        lists_section(scores),
        variety_section(scores),
        people_section(scores, catalogue),
    )


def _biases(rating: Snapshot, catalogue: Catalogue, min_ratings: int) -> BiasTable | None:
    """Return the ranking by bias; None where a network took the biases' place."""
    if rating.items.head is not None:
        return None
    return bias_table(
        rating.items,
        catalogue,
        min_ratings=min_ratings,
        residual_std=rating.metrics.get("rmse") or None,
        hyperparameters=rating.hyperparameters,
    )


def _bias_sections(
    biases: BiasTable | None, items: ItemSide, top: int
) -> tuple[Section | None, ...]:
    if biases is None:
        without = "this version orders lists alone, and its biases are not in stars"
        return (no_bias_section(NO_BIASES if items.head is not None else without),)
    unit = "stars" if items.y_range is None else "logits"
    return bias_section(biases, top, unit), disagreement_section(biases, top, unit)


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M %Z}".rstrip()


def _render(template: str, page: Page) -> str:
    environment = Environment(
        loader=PackageLoader("recsys.analysis.report"),
        autoescape=template.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["data_uri"] = _data_uri
    environment.filters["escaped"] = _escaped
    return environment.get_template(template).render(page=page)


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _escaped(text: str) -> str:
    """Return ``text`` so that Markdown shows it as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
