from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from recsys.analysis.report import plots, write_report
from recsys.errors import RecsysError
from recsys.model.item_side import Head

VOID = {"meta", "img", "source", "link", "br", "hr"}
EVIL = '<script>alert("1")</script> | [x](http://evil.example) `*_$&\\'


class Parsed(HTMLParser):
    """Elements, their text by tag, and what is wrong with the nesting."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.texts, self.sections = [], [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections.append([])
        elif self.sections and "section" in self.open:
            self.sections[-1].append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def text(self, tag):
        return [data for where, data in self.texts if where == tag]


@pytest.fixture(scope="module", autouse=True)
def _small_plots():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "DPI", 30)
        yield


@pytest.fixture
def _undrawn(monkeypatch):
    """For claims about words: drawing takes most of a report's time."""
    monkeypatch.setattr(plots, "_render", lambda *_: b"\x89PNG")


@pytest.fixture(scope="module")
def report(make_snapshot, tmp_path_factory):
    path = write_report(*make_snapshot(), tmp_path_factory.mktemp("new") / "report")
    return path.parent, Parsed(path.read_text("utf-8"))


def test_it_writes_html_markdown_and_every_plot(report):
    out, _ = report
    assert {path.name for path in out.iterdir()} == {
        "report.html",
        "report.md",
        "bias-against-mean.png",
        "item-map.png",
        "learning-curves.png",
        "popularity.png",
        "rating-histogram.png",
    }
    for path in out.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
        assert f"({path.name})" in (out / "report.md").read_text("utf-8")


def test_the_html_is_well_formed_and_needs_nothing_but_itself(report):
    _, html = report
    assert html.open == []
    assert "script" not in html.tags
    assert "link" not in html.tags
    for _, name, value in html.attributes:
        if name in {"src", "srcset"}:
            assert value.startswith("data:image/png;base64,")
        if name == "href":
            assert value.startswith("#")
    style = " ".join(html.text("style"))
    assert "url(" not in style
    assert "@import" not in style


def test_every_link_leads_to_a_heading(report):
    _, html = report
    ids = [value for _, name, value in html.attributes if name == "id"]
    links = [value[1:] for _, name, value in html.attributes if name == "href"]
    assert links == ids
    assert len(set(ids)) == len(ids) >= 7


def test_no_section_is_empty(report):
    _, html = report
    for inside in html.sections:
        assert {"p", "figure", "table"} & set(inside)
    assert html.tags.count("tbody") == html.tags.count("table") > 5
    assert all(
        value
        for tag, name, value in html.attributes
        if (tag, name) in {("img", "alt"), ("div", "aria-label")}
    )


def test_the_lists_run_from_the_ends_of_the_planted_bias(report):
    _, html = report
    rows = [text for text in html.text("th") if text.startswith("Film")]
    assert rows[:3] == ["Film 0 (1950)", "Film 1 (1951)", "Film 2 (1952)"]
    # After the 15 lowest the 15 highest: rows 59, 58, ... (years repeat after 50).
    assert rows[15:17] == ["Film 59 (1959)", "Film 58 (1958)"]


def test_html_and_markdown_say_the_same(report):
    out, html = report
    markdown = re.sub(r"\\(.)", r"\1", (out / "report.md").read_text("utf-8"))
    for tag in ("h1", "h2", "p", "caption", "figcaption", "th", "td", "dd"):
        for text in html.text(tag):
            assert text in markdown


def test_the_same_input_gives_the_same_bytes(make_snapshot, tmp_path):
    for folder in ("a", "b"):
        write_report(*make_snapshot(), tmp_path / folder)
    digests = [
        {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / folder).iterdir()}
        for folder in ("a", "b")
    ]
    assert digests[0] == digests[1]


@pytest.mark.usefixtures("_undrawn")
def test_version_time_and_baselines_are_told_when_given(make_snapshot, tmp_path):
    path = write_report(
        *make_snapshot(),
        tmp_path,
        model_id=12,
        written_at=datetime(2031, 4, 5, 6, 7, tzinfo=UTC),
        baselines={"item mean": {"rmse": 1.0234, "coverage": 0.5}},
    )
    html = Parsed(path.read_text("utf-8"))
    assert "Data set planted, version 12, written 2031-04-05 06:07 UTC" in html.text("p")
    cells = html.text("th") + html.text("td")
    assert {"this model", "0.9000", "item mean", "1.0234", "coverage"} <= set(cells)


@pytest.mark.usefixtures("_undrawn")
def test_scores_of_the_training_do_not_pass_for_held_out_ones(make_snapshot, tmp_path):
    snapshot, catalogue, ratings = make_snapshot()
    metrics = {"kept_epoch": 7, "train_rmse": 0.6123, "rmse": 0.9, "ndcg@10": None}
    path = write_report(replace(snapshot, metrics=metrics), catalogue, ratings, tmp_path)
    html = Parsed(path.read_text("utf-8"))
    assert {"7", "0.6123"} <= set(html.text("td"))
    assert "rmse" in html.text("th")
    assert not {"kept_epoch", "train_rmse", "ndcg@10"} & set(html.text("th"))


@pytest.mark.usefixtures("_undrawn")
def test_a_hostile_title_is_only_text(make_snapshot, tmp_path):
    titles = [EVIL, *(f"Film {row}" for row in range(59))]
    snapshot, catalogue, ratings = make_snapshot(titles=titles)
    path = write_report(snapshot, catalogue, replace(ratings, name=EVIL), tmp_path)
    html = Parsed(path.read_text("utf-8"))
    assert "script" not in html.tags
    assert f"{EVIL} (1950)" in html.text("th")
    markdown = path.with_suffix(".md").read_text("utf-8")
    (row,) = [line for line in markdown.splitlines() if line.startswith("| \\<script")][:1]
    assert "<script" not in markdown.replace("\\<script", "")
    header = next(line for line in markdown.splitlines() if line.startswith("| Item"))
    unescaped_pipes = re.compile(r"(?<!\\)\|")
    # A backslash before a pipe is itself escaped, so strip escaped pairs first.
    cells = [len(unescaped_pipes.findall(re.sub(r"\\\\", "", line))) for line in (row, header)]
    assert cells[0] == cells[1]


def test_what_matplotlib_would_read_as_mathematics_or_cannot_draw_is_no_error(
    make_snapshot, tmp_path
):
    titles = ["$\\frac{", "千と千尋の神隠し", "$5 a $day", "a" * 200] * 15
    assert write_report(*make_snapshot(titles=titles), tmp_path).exists()


@pytest.mark.usefixtures("_undrawn")
def test_without_ratings_the_histogram_is_left_out(make_snapshot, tmp_path):
    snapshot, catalogue, _ = make_snapshot()
    path = write_report(snapshot, catalogue, None, tmp_path)
    assert not (tmp_path / "rating-histogram.png").exists()
    assert "40" in Parsed(path.read_text("utf-8")).text("dd")


@pytest.mark.usefixtures("_undrawn")
def test_without_history_or_metrics_the_section_says_so(make_snapshot, tmp_path):
    path = write_report(*make_snapshot(history=False, metrics=False), tmp_path)
    html = Parsed(path.read_text("utf-8"))
    assert any(text.startswith("No learning curve") for text in html.text("p"))
    assert any(text.startswith("How accurate") for text in html.text("p"))
    assert "Shrunk" not in html.text("th")  # no residual, no standard error
    assert "held-out RMSE" not in html.text("dt")


@pytest.mark.usefixtures("_undrawn")
def test_implicit_feedback_has_no_means_and_no_disagreement(make_snapshot, tmp_path):
    path = write_report(*make_snapshot(implicit=True), tmp_path)
    html = Parsed(path.read_text("utf-8"))
    assert "Where bias and mean disagree" not in html.text("h2")
    assert "Mean" not in html.text("th")


@pytest.mark.usefixtures("_undrawn")
def test_the_report_of_a_network_says_why_it_has_no_biases(make_snapshot, tmp_path):
    snapshot, catalogue, ratings = make_snapshot()
    n_items = len(catalogue.n_ratings)
    network = replace(
        snapshot,
        items=replace(
            snapshot.items,
            item_bias=np.zeros(n_items, np.float32),
            head=Head((np.ones((10, 1), np.float32),), (np.zeros(1, np.float32),)),
        ),
        user_factors=np.zeros((snapshot.n_users, 6), np.float32),
        hyperparameters={"model": "mlp", "n_factors": None, "hidden": []},
    )
    html = Parsed(write_report(network, catalogue, ratings, tmp_path).read_text("utf-8"))
    assert [text for text in html.text("p") if text.startswith("Left out: a neural network")]
    assert "Where bias and mean disagree" not in html.text("h2")
    assert not (tmp_path / "bias-against-mean.png").exists()
    assert {"Axis 0", "Principal axes", "Nearest items"} <= set(html.text("th") + html.text("h2"))
    names, values = html.text("th"), html.text("td")
    assert {"Length of a user's embedding", "Length of an item's embedding"} <= set(names)
    assert {"6", "4"} <= set(values)


@pytest.mark.parametrize("n_items", [0, 1, 2, 3])
def test_tiny_data_gives_a_report_without_empty_sections(make_snapshot, tmp_path, n_items):
    path = write_report(*make_snapshot(n_items=n_items), tmp_path)
    for inside in Parsed(path.read_text("utf-8")).sections:
        assert {"p", "figure", "table"} & set(inside)


@pytest.mark.usefixtures("_undrawn")
def test_items_below_min_ratings_stay_out_and_their_lack_is_told(make_snapshot, tmp_path):
    path = write_report(*make_snapshot(), tmp_path, min_ratings=1000)
    told = [text for text in Parsed(path.read_text("utf-8")).text("p") if "1000 ratings" in text]
    assert len(told) == 2  # biases and axes
    assert not (tmp_path / "item-map.png").exists()


@pytest.mark.usefixtures("_undrawn")
def test_a_place_that_cannot_be_written_is_named(make_snapshot, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecsysError, match=r"cannot write the report to .*file"):
        write_report(*make_snapshot(), tmp_path / "file")


@pytest.mark.usefixtures("_undrawn")
def test_a_failed_write_leaves_the_old_report_whole(make_snapshot, tmp_path, monkeypatch):
    path = write_report(*make_snapshot(), tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(self, content):
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(RecsysError, match="No space left on device"):
        write_report(*make_snapshot(metrics=False), tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    assert path.exists()
