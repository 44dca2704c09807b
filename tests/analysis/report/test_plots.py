from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread

from recsys.analysis.report import drawing, plots
from recsys.evaluation.bootstrap import Interval


@pytest.fixture(autouse=True)
def _small_plots(monkeypatch):
    monkeypatch.setattr(drawing, "DPI", 30)


def pixels(png):
    return imread(io.BytesIO(png))[..., :3]


def colour(theme_colour):
    return np.array(mpl.colors.to_rgb(theme_colour))


def share_of(image, wanted):
    return (np.abs(image - wanted).max(axis=-1) < 0.02).mean()


def test_each_theme_is_drawn_in_its_own_colours():
    picture = plots.rating_histogram(np.repeat([1, 2, 3], [1, 2, 3]).astype(np.float32))
    for png, theme in ((picture.light, drawing.LIGHT), (picture.dark, drawing.DARK)):
        image = pixels(png)
        assert share_of(image[:1, :], colour(theme.paper)) == 1
        assert share_of(image, colour(theme.mark)) > 0.1


def test_the_bars_are_as_high_as_their_share():
    # One rating of 1, three of 5: the right bar is three times as high as the left.
    image = pixels(plots.rating_histogram(np.array([1, 5, 5, 5], np.float32)).light)
    blue = np.abs(image - colour(drawing.LIGHT.mark)).max(axis=-1) < 0.02
    heights = blue.sum(axis=0)
    middle = len(heights) // 2
    left, right = heights[:middle].max(), heights[middle:].max()
    assert right / left == pytest.approx(3, rel=0.15)


def test_many_different_values_are_put_in_bins():
    values = np.linspace(0, 100, 1000, dtype=np.float32)
    assert share_of(pixels(plots.rating_histogram(values).light), colour(drawing.LIGHT.mark)) > 0.3


def test_a_curve_without_a_single_value_has_no_panel():
    epochs = [{"epoch": e, "train_loss": 1 / e, "validation_rmse": None} for e in (1, 2, 3)]
    both = [{**entry, "validation_rmse": 0.9} for entry in epochs]
    one, two = (
        pixels(plots.learning_curves(history, None, in_stars=True).light)
        for history in (epochs, both)
    )
    assert one.shape[0] < two.shape[0]
    assert share_of(one, colour(drawing.LIGHT.accent)) == 0
    assert share_of(two, colour(drawing.LIGHT.accent)) > 0


def test_an_rmse_that_is_not_in_stars_is_not_drawn():
    epochs = [{"epoch": e, "train_loss": 1 / e, "train_rmse": 1 / e} for e in (1, 2, 3)]
    stars, none = (
        pixels(plots.learning_curves(epochs, None, in_stars=in_stars).light)
        for in_stars in (True, False)
    )
    assert none.shape[0] < stars.shape[0]


def test_only_this_version_is_drawn_in_the_colour_of_the_mark():
    values = {"this version": 0.8, "other": 0.9}
    intervals = {"this version": Interval(0.7, 0.9), "other": Interval(0.85, 0.95)}
    both = pixels(plots.with_intervals("score", values, intervals).light)
    blue = np.abs(both - colour(drawing.LIGHT.mark)).max(axis=-1) < 0.02
    # Ours is the upper of the two.
    assert blue[: len(blue) // 2].any()
    assert not blue[len(blue) // 2 :].any()


def test_what_matplotlib_would_read_as_mathematics_or_cannot_draw_is_no_error():
    titles = ["$\\frac{", "千と千尋の神隠し", "$5 a $day", "a" * 200]
    places = np.arange(4.0)
    drawn = plots.item_map(places, places, np.ones(4, int), dict(enumerate(titles)), "$x", "y_{")
    assert drawn.light.startswith(b"\x89PNG")


def test_the_readers_own_matplotlib_settings_neither_change_nor_are_changed():
    values = np.array([1, 2, 2], np.float32)
    plain = plots.rating_histogram(values)
    assert plots.rating_histogram(values) == plain
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30}):
        assert plots.rating_histogram(values) == plain
        assert mpl.rcParams["font.size"] == 30


def test_labels_cover_neither_each_other_nor_a_named_point():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 120))
    figure = Figure(figsize=(6, 6), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.scatter(x, y)
    drawing.name_points(axes, x, y, {at: f"A film, No. {at}" for at in range(60)}, drawing.LIGHT)
    boxes = [text.get_window_extent() for text in axes.texts]
    named = [axes.transData.transform(text.xy) for text in axes.texts]
    assert 5 < len(boxes) < 60
    for at, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[at + 1 :])
        assert not any(box.contains(*point) for point in named)
