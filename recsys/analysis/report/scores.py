"""How a version does on the ratings that its training never saw, beside simpler models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.data.relevance import is_relevant
from recsys.data.split import held_out
from recsys.evaluation.comparison import Comparison
from recsys.evaluation.evaluate import LIST_LENGTH, evaluate
from recsys.evaluation.lists import recommend_lists
from recsys.evaluation.predictor import Predictor
from recsys.model.baselines import fit_baselines
from recsys.model.served import Served
from recsys.model.snapshot import Snapshot

OURS = "this version"
_NAMES = {
    "global": "global mean",
    "item-mean": "item mean",
    "bias": "user and item biases",
    "popularity": "most rated items",
    "ease": "EASE",
}
# What else orders lists well enough to be looked at: those of means hold what one user loved.
_LISTING = (OURS, _NAMES["popularity"], _NAMES["ease"])


@dataclass(frozen=True, eq=False)
class Scores:
    """A version and the baselines, on the same held-out ratings.

    Attributes
    ----------
    served : Served
    train, test : Ratings
        What it was trained on, and what was held out.
    comparison : Comparison
        First of the version, `OURS`, then of the baselines.
    n_list_users : int
        Users with a relevant held-out item: those whose lists are scored.
    n_candidates : int
        Items that lists may hold.
    shares : mapping of str to (n_candidates,) float64
        Which share falls to the most rated item, to the two most rated, and so on: of the lists
        of `OURS` and of the baselines, and of what the same users rated themselves (``""``).
    left_out : mapping of str to str
        Why a baseline is not there.
    """

    served: Served
    train: Ratings
    test: Ratings
    comparison: Comparison
    n_list_users: int
    n_candidates: int
    shares: Mapping[str, NDArray[np.float64]]
    left_out: Mapping[str, str]

    @property
    def predict_stars(self) -> tuple[str, ...]:
        """Those of the comparison that predict stars."""
        comparison = self.comparison
        return tuple(name for name in comparison.names if "rmse" in comparison.intervals(name))

    @property
    def make_lists(self) -> tuple[str, ...]:
        """Those of the comparison whose lists are worth a look."""
        return tuple(name for name in self.comparison.names if name in _LISTING)


def score_version(
    snapshots: Sequence[Snapshot],
    ratings: Ratings,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Scores | None:
    """Return the scores of a version; None where it has seen ratings that should be held out.

    Nothing is trained but the baselines. Which ratings are held out the keyed hash says
    (`recsys.data.split.held_out`); that the version was trained on the others, its counts by item.

    Parameters
    ----------
    snapshots : sequence of Snapshot
    ratings : Ratings
        All of the data set.
    progress : callable, optional
        Told now and then how many lists are scored, of how many: each predictor's of each user.
    """
    is_test = held_out(ratings)
    train, test = ratings.select(~is_test), ratings.select(is_test)
    counts = np.bincount(train.items, minlength=train.n_items)
    if not test.n_ratings or any((each.item_counts != counts).any() for each in snapshots):
        return None
    served = Served.of(snapshots)
    fitted, refused = fit_baselines(train)
    predictors: dict[str, Predictor] = {OURS: served}
    predictors |= {_NAMES[name]: baseline for name, baseline in fitted.items()}

    relevant = test.users[is_relevant(test)]
    users = np.unique(relevant)
    by_popularity = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    own = np.isin(train.users, users)
    shares = {"": _shares(train.items[own], by_popularity)}
    comparison = Comparison()
    for place, (name, predictor) in enumerate(predictors.items()):

        def listed(n_done: int, n_users: int, place: int = place) -> None:
            progress(place * n_users + n_done, len(predictors) * n_users)

        comparison.add({name: evaluate(predictor, train, test, progress=listed)})
        listed(len(users), len(users))
        if name in _LISTING:
            lists = recommend_lists(predictor, train, users, LIST_LENGTH)
            shares[name] = _shares(lists[lists >= 0], by_popularity)
    return Scores(
        served=served,
        train=train,
        test=test,
        comparison=comparison,
        n_list_users=len(users),
        n_candidates=len(by_popularity),
        shares=shares,
        left_out={_NAMES[name]: str(refusal) for name, refusal in refused.items()},
    )


def _shares(items: NDArray[np.integer], by_popularity: NDArray[np.integer]) -> NDArray[np.float64]:
    n_times = np.bincount(items, minlength=int(by_popularity.max(initial=-1)) + 1)
    return np.cumsum(n_times[by_popularity]) / max(1, len(items))
