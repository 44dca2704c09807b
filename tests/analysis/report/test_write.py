from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from recsys.analysis.report import drawing, write_report
from recsys.data.split import held_out
from recsys.errors import RecsysError
from recsys.evaluation.bootstrap import interval, resampled
from recsys.evaluation.evaluate import evaluate
from recsys.model.item_side import Head
from recsys.model.served import Served

VOID = {"meta", "img", "source", "link", "br", "hr"}
PNG = b"\x89PNG"
EVIL = '<script>alert("1")</script> | [x](http://evil.example) `*_$&\\'


class Parsed(HTMLParser):
    """Elements, their text by tag, and what is wrong with the nesting."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.texts, self.sections = [], [], [], [], []
        self.bodies = []  # of each section, what is said below the heading
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections.append([])
            self.bodies.append("")
        elif self.sections and "section" in self.open:
            self.sections[-1].append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))
            if "section" in self.open and "h2" not in self.open:
                self.bodies[-1] += data

    def text(self, tag):
        return [data for where, data in self.texts if where == tag]


pytestmark = pytest.mark.usefixtures("quick_plots")


@pytest.fixture
def _undrawn(monkeypatch):
    """For claims about words."""
    monkeypatch.setattr(drawing, "_render", lambda *_: PNG)


@pytest.fixture(scope="module")
def report(written):
    """The folder of the written report, and its HTML."""
    return written.parent, Parsed(written.read_text("utf-8"))


def test_it_writes_html_markdown_and_every_plot(report):
    out, _ = report
    assert {path.name for path in out.iterdir()} == {
        "report.html",
        "report.md",
        "bias-against-mean.png",
        "concentration.png",
        "item-map.png",
        "learning-curves-ranking.png",
        "learning-curves-rating.png",
        "learning-rate-finder.png",
        "ndcg-against-baselines.png",
        "popularity.png",
        "rating-histogram.png",
        "rmse-against-baselines.png",
    }
    for path in out.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
        assert f"({path.name})" in (out / "report.md").read_text("utf-8")


def test_the_sections_come_in_the_order_in_which_one_asks(report):
    _, html = report
    assert html.text("h2") == [
        "In short",
        "Data",
        "Learning curves",
        "Learning-rate finder",
        "Predicted stars against baselines",
        "Lists against baselines",
        "Coverage and popularity bias",
        "Sample lists",
        "Worst and best by learned bias",
        "Where bias and mean disagree",
        "Principal axes",
        "Nearest items",
        "Settings and fingerprints",
    ]


def test_the_html_is_well_formed_and_needs_nothing_but_itself(report):
    out, html = report
    assert not re.search(r"https?:", (out / "report.html").read_text("utf-8"))
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


def assert_nothing_is_empty(html):
    for inside, body in zip(html.sections, html.bodies, strict=True):
        assert {"p", "figure", "table", "ul"} & set(inside)
        assert len(body.split()) > 5
        for tag in ("table", "ul"):
            assert inside.count(tag) <= inside.count({"table": "tr", "ul": "li"}[tag])
    inside = [tag for section in html.sections for tag in section]
    assert not re.search(r"\b(nan|inf|None)\b", " ".join(html.bodies))
    for tag in ("li", "figcaption", "caption"):
        assert len(html.text(tag)) == inside.count(tag)


def test_no_section_is_empty(report):
    _, html = report
    assert_nothing_is_empty(html)
    assert html.tags.count("table") > 5
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
    for tag in ("h1", "h2", "p", "li", "caption", "figcaption", "th", "td", "dd"):
        for text in html.text(tag):
            assert " ".join(text.split()) in markdown


@pytest.mark.usefixtures("_undrawn")
def test_the_same_input_gives_the_same_bytes(make_version, tmp_path):
    for folder in ("a", "b"):
        write_report(*make_version(), tmp_path / folder)
    digests = [
        {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / folder).iterdir()}
        for folder in ("a", "b")
    ]
    assert digests[0] == digests[1]


@pytest.mark.usefixtures("_undrawn")
def test_version_and_times_are_told_when_given(make_version, tmp_path):
    path, *_ = write_report(
        *make_version(),
        tmp_path,
        model_id=12,
        stored_at=datetime(2031, 4, 5, 6, 0, tzinfo=UTC),
        written_at=datetime(2031, 4, 5, 6, 7, tzinfo=UTC),
    )
    html = Parsed(path.read_text("utf-8"))
    assert "Data set planted, version 12, written 2031-04-05 06:07 UTC" in html.text("p")
    assert {"12", "2031-04-05 06:00 UTC"} <= set(html.text("td"))


def test_settings_and_fingerprints_are_told_of_each_objective(report, make_version):
    _, html = report
    snapshots, _ = make_version(objectives=("rating", "ranking"))
    told = set(html.text("td"))
    assert {"ab" * 32, *(snapshot.content_hash for snapshot in snapshots)} <= told
    assert {"0.1", "one-cycle", "none"} <= told
    assert {"rating", "ranking"} <= set(html.text("th"))


def test_the_scores_are_those_of_the_evaluation(report, make_version):
    _, html = report
    snapshots, ratings = make_version(objectives=("rating", "ranking"))
    is_test = held_out(ratings)
    train, test = ratings.select(~is_test), ratings.select(is_test)
    scored = evaluate(Served.of(snapshots), train, test)
    rmse, ndcg = scored.scores()["rmse"], scored.scores()["ndcg@10"]
    bounds = interval(resampled(scored.by_user)["rmse"])
    assert {f"{rmse:.3f} stars", f"{ndcg:.3f}"} <= set(html.text("dd"))
    assert f"{rmse:.3f} [{bounds.low:.3f},\xa0{bounds.high:.3f}]" in html.text("td")
    about = next(text for text in html.text("p") if text.startswith("Measured on"))
    assert f"{test.n_ratings:,} ratings by {len(np.unique(test.users))} users" in about


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("n_epochs", [0, 10])
def test_that_early_stopping_saw_the_held_out_ratings_is_told(make_version, tmp_path, n_epochs):
    (snapshot,), ratings = make_version()
    settings = {**snapshot.hyperparameters, "early_stopping": n_epochs}
    page, *_ = write_report([replace(snapshot, hyperparameters=settings)], ratings, tmp_path)
    assert ("Early stopping chose the epoch" in page.read_text("utf-8")) == bool(n_epochs)


@pytest.mark.usefixtures("_undrawn")
def test_a_version_that_was_trained_on_all_ratings_is_not_scored(make_version, tmp_path):
    (snapshot,), ratings = make_version()
    counts = np.bincount(ratings.items, minlength=ratings.n_items).astype(np.int32)
    cheated = replace(snapshot, items=replace(snapshot.items, item_counts=counts))
    html = Parsed(write_report([cheated], ratings, tmp_path)[0].read_text("utf-8"))
    assert [text for text in html.text("p") if text.startswith("Not measured")]
    assert "held-out RMSE" not in html.text("dt")
    assert not {"Predicted stars against baselines", "Sample lists"} & set(html.text("h2"))
    assert_nothing_is_empty(html)


@pytest.mark.usefixtures("_undrawn")
def test_without_the_finder_there_is_no_section_on_it(make_version, tmp_path):
    html = Parsed(write_report(*make_version(), tmp_path)[0].read_text("utf-8"))
    assert "Learning-rate finder" not in html.text("h2")


def test_the_finder_tells_its_rate_beside_the_one_trained_with(report):
    _, html = report
    (caption,) = (text for text in html.text("figcaption") if "steeply" in text)
    # The fixture's curve: .03 suggested; from 1 down to .5, at a rate of .1; trained with .1.
    assert "most steeply at 0.03 and is lowest, at 0.5 after 1, at 0.1" in caption
    assert "trained with up to 0.1, 3.3 times the steepest" in caption


@pytest.mark.usefixtures("_undrawn")
def test_a_hostile_title_is_only_text(make_version, tmp_path):
    titles = [EVIL, *(f"Film {row}" for row in range(59))]
    snapshots, ratings = make_version(titles=titles)
    path, *_ = write_report(snapshots, replace(ratings, name=EVIL), tmp_path)
    html = Parsed(path.read_text("utf-8"))
    assert "script" not in html.tags
    assert f"{EVIL} (1950)" in html.text("th")
    markdown = path.with_suffix(".md").read_text("utf-8")
    lines = markdown.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("| \\<script"))
    row, header = lines[at], next(line for line in reversed(lines[:at]) if line.startswith("| ---"))
    assert "<script" not in markdown.replace("\\<script", "")
    unescaped_pipes = re.compile(r"(?<!\\)\|")
    # A backslash before a pipe is itself escaped, so strip escaped pairs first.
    cells = [len(unescaped_pipes.findall(re.sub(r"\\\\", "", line))) for line in (row, header)]
    assert cells[0] == cells[1]


@pytest.mark.usefixtures("_undrawn")
def test_without_history_or_metrics_the_section_says_so(make_version, tmp_path):
    path, *_ = write_report(*make_version(history=False, metrics=False), tmp_path)
    html = Parsed(path.read_text("utf-8"))
    assert any("no learning curve was stored" in text for text in html.text("p"))
    assert "Shrunk" not in html.text("th")  # no residual, no standard error


@pytest.mark.usefixtures("_undrawn")
def test_implicit_feedback_has_lists_and_no_stars(make_version, tmp_path):
    version = make_version(implicit=True, objectives=("ranking",))
    html = Parsed(write_report(*version, tmp_path)[0].read_text("utf-8"))
    assert "Lists against baselines" in html.text("h2")
    assert not {"Where bias and mean disagree", "Predicted stars against baselines"} & set(
        html.text("h2")
    )
    assert not {"Mean", "Stars"} & set(html.text("th"))
    assert [text for text in html.text("p") if text.startswith("Left out: this version orders")]
    assert_nothing_is_empty(html)


@pytest.mark.usefixtures("_undrawn")
def test_the_report_of_a_network_says_why_it_has_no_biases(make_version, tmp_path):
    (snapshot,), ratings = make_version()
    network = replace(
        snapshot,
        items=replace(
            snapshot.items,
            item_bias=np.zeros(ratings.n_items, np.float32),
            head=Head((np.ones((10, 1), np.float32),), (np.zeros(1, np.float32),)),
        ),
        user_factors=np.zeros((snapshot.n_users, 6), np.float32),
        hyperparameters={"model": "mlp", "n_factors": None, "hidden": []},
    )
    html = Parsed(write_report([network], ratings, tmp_path)[0].read_text("utf-8"))
    assert [text for text in html.text("p") if text.startswith("Left out: a neural network")]
    assert "Where bias and mean disagree" not in html.text("h2")
    assert not (tmp_path / "bias-against-mean.png").exists()
    assert {"Axis 0", "Principal axes", "Nearest items"} <= set(html.text("th") + html.text("h2"))
    assert {"6 (user), 4 (item)", "none"} <= set(html.text("td"))


@pytest.mark.parametrize("n_items", [0, 1, 2, 3])
def test_tiny_data_gives_a_report_without_empty_sections(make_version, tmp_path, n_items):
    path, *_ = write_report(*make_version(n_items=n_items), tmp_path)
    assert_nothing_is_empty(Parsed(path.read_text("utf-8")))


@pytest.mark.usefixtures("_undrawn")
def test_ratings_that_are_all_equal_have_no_order_to_agree_with(make_version, tmp_path):
    (snapshot,), ratings = make_version()
    equal = replace(ratings, values=np.full_like(ratings.values, 5))
    path, *_ = write_report([snapshot], equal, tmp_path)
    text = path.read_text("utf-8")
    assert "by mean" in text
    assert "rank correlation" not in text


@pytest.mark.usefixtures("_undrawn")
def test_items_below_min_ratings_stay_out_and_their_lack_is_told(make_version, tmp_path):
    path, *_ = write_report(*make_version(), tmp_path, min_ratings=1000)
    told = [text for text in Parsed(path.read_text("utf-8")).text("p") if "1000 ratings" in text]
    assert len(told) == 2  # biases and axes
    assert not (tmp_path / "item-map.png").exists()


@pytest.mark.usefixtures("_undrawn")
def test_a_place_that_cannot_be_written_is_named(make_version, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecsysError, match=r"cannot write the report to .*file"):
        write_report(*make_version(), tmp_path / "file")


@pytest.mark.usefixtures("_undrawn")
def test_a_failed_write_leaves_the_old_report_whole(make_version, tmp_path, monkeypatch):
    path, *_ = write_report(*make_version(), tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(self, content):
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(RecsysError, match="No space left on device"):
        write_report(*make_version(metrics=False), tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    assert path.exists()
