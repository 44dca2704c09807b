import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from recsys.analysis.search_plot import _BEST, plot_search
from recsys.errors import UsageError

SCORES = np.array([0.9, np.nan, 0.8, 0.85])
VALUES = {"lr": np.array([1.0, 100, 0.5, 2])}


def has(image, colour):
    wanted = np.array(mpl.colors.to_rgb(colour))
    return np.abs(image[..., :3] - wanted).max(axis=-1) < 0.02


def test_the_star_is_at_the_best_trial_whichever_way_is_better(tmp_path):
    path = tmp_path / "search.png"
    at = {}
    for lower_is_better in (True, False):
        plot_search(path, "rmse", SCORES, VALUES, lower_is_better=lower_is_better)
        by_value = imread(path)[400:]  # below the history
        at[lower_is_better] = np.flatnonzero(has(by_value, _BEST).any(axis=0)).mean()
    # The lowest score, .8, is that of the rate .5; the highest, .9, that of the rate 1, the
    # defaults'.
    assert at[True] < at[False]


def test_the_first_trial_may_have_been_given_up(tmp_path):
    plot_search(
        tmp_path / "search.svg", "rmse", SCORES[1:], {"lr": VALUES["lr"][1:]}, lower_is_better=True
    )
    drawn = (tmp_path / "search.svg").read_text()
    assert drawn.count("<svg") == 1


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"search\.txt: .*not supported"):
        plot_search(tmp_path / "search.txt", "rmse", SCORES, VALUES, lower_is_better=True)
