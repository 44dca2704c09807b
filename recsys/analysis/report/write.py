from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys.analysis.bias import bias_table
from recsys.analysis.pca import principal_axes
from recsys.analysis.report.about_items import (
    axes_section,
    bias_section,
    disagreement_section,
    neighbours_section,
    no_bias_section,
)
from recsys.analysis.report.about_training import (
    accuracy_section,
    data_section,
    density,
    training_section,
)
from recsys.analysis.report.page import Page, Section
from recsys.data import Ratings
from recsys.errors import RecsysError
from recsys.model.snapshot import Catalogue, Snapshot

# Every punctuation mark that Markdown may read as its own, GitHub's formulas included.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~$&!])")


def write_report(
    snapshot: Snapshot,
    catalogue: Catalogue,
    ratings: Ratings | None,
    out: Path,
    *,
    baselines: Mapping[str, Mapping[str, float | None]] | None = None,
    model_id: int | None = None,
    written_at: datetime | None = None,
    min_ratings: int = 20,
    top: int = 15,
) -> Path:
    """Return the path of the report's HTML file, after writing it and what belongs beside it.

    In ``out`` there are then ``report.html``, which needs nothing else, neither files nor
    network; ``report.md``, which says the same; and the plots as PNG, which ``report.md``
    shows. The same input gives the same bytes. Each file is replaced as a whole and
    ``report.html`` last, so that a reader never meets half a report.

    Parameters
    ----------
    snapshot : Snapshot
    catalogue : Catalogue
        Of the data set it was trained on.
    ratings : Ratings or None
        The same data set's ratings, for their distribution; without them it is left out.
    out : path
        A folder; made if there is none.
    baselines : mapping of str to metrics, optional
        Scores of simpler models on the same held-out ratings, to stand beside the snapshot's.
    model_id : int, optional
        The version, to be named in the heading.
    written_at : datetime, optional
        To be told in the heading.
    min_ratings : int, default 20
        Fewest known ratings of an item that is ranked, put on an axis or called a neighbour.
    top : int, default 15
        Length of each table of items.

    Raises
    ------
    RecsysError
        If ``out`` cannot be written.
    """
    page = _page(
        snapshot, catalogue, ratings, baselines or {}, model_id, written_at, min_ratings, top
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
    return out / "report.html"


def _page(
    snapshot: Snapshot,
    catalogue: Catalogue,
    ratings: Ratings | None,
    baselines: Mapping[str, Mapping[str, float | None]],
    model_id: int | None,
    written_at: datetime | None,
    min_ratings: int,
    top: int,
) -> Page:
    items, rmse = snapshot.items, snapshot.metrics.get("rmse")
    principal = principal_axes(items, catalogue, top=top, min_ratings=min_ratings)
    sections = (
        *_bias_sections(snapshot, catalogue, min_ratings, top),
        axes_section(principal, catalogue, min_ratings),
        neighbours_section(items, catalogue, min_ratings),
        data_section(snapshot, catalogue, ratings),
        training_section(snapshot),
        accuracy_section(snapshot, baselines),
    )
    n_users = snapshot.n_users if ratings is None else ratings.n_users
    n_items, n_ratings = int((catalogue.n_ratings > 0).sum()), int(catalogue.n_ratings.sum())
    facts = [
        ("users", f"{n_users:,}"),
        ("items", f"{n_items:,}"),
        ("ratings", f"{n_ratings:,}"),
        ("density", density(n_ratings, n_users, n_items)),
    ]
    if rmse is not None:
        facts.append(("held-out RMSE", f"{rmse:.3f}"))
    subtitle = [
        "" if ratings is None else f"Data set {ratings.name}",
        "" if model_id is None else f"version {model_id}",
        "" if written_at is None else f"written {written_at:%Y-%m-%d %H:%M %Z}".rstrip(),
    ]
    return Page(
        title="What the embeddings learned",
        subtitle=", ".join(part for part in subtitle if part),
        facts=tuple(facts),
        sections=tuple(section for section in sections if section is not None),
    )


def _bias_sections(
    snapshot: Snapshot, catalogue: Catalogue, min_ratings: int, top: int
) -> tuple[Section | None, ...]:
    if snapshot.items.head is not None:
        return (no_bias_section(),)
    biases = bias_table(
        snapshot.items,
        catalogue,
        min_ratings=min_ratings,
        residual_std=snapshot.metrics.get("rmse") or None,
        hyperparameters=snapshot.hyperparameters,
    )
    return bias_section(biases, top), disagreement_section(biases, top)


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
