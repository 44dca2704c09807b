"""Whether a new version may take the champion's place, by both scored on the same ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

from recsys.data import IdMap, Ratings
from recsys.evaluation.bootstrap import Interval
from recsys.evaluation.comparison import Comparison
from recsys.evaluation.evaluate import LIST_LENGTH, Evaluation

# What decides, and whether more of it is better: predicted stars, and lists.
_HIGHER_IS_BETTER = {"rmse": False, f"ndcg@{LIST_LENGTH}": True}
SAME_PEOPLE = 0.5


@dataclass(frozen=True)
class Against:
    """A metric of a new version against the champion's.

    Attributes
    ----------
    value, champion : float
        The metric of each.
    difference : float
        The new version's less the champion's.
    interval : Interval
        Of the difference: 95 %, paired, over users.
    higher_is_better : bool
    """

    value: float
    champion: float
    difference: float
    interval: Interval
    higher_is_better: bool

    @property
    def is_worse(self) -> bool:
        """Whether it is worse, if only by chance."""
        return self.difference < 0 if self.higher_is_better else self.difference > 0

    @property
    def is_demonstrable(self) -> bool:
        """Whether the difference is more than chance among users would make."""
        return self.interval.excludes_zero


@dataclass(frozen=True)
class Judgement:
    """What the comparison with the champion says.

    Attributes
    ----------
    against : mapping of str to Against
        By metric: ``rmse`` where both predict stars, ``ndcg@10`` where anything held out is
        relevant.
    lacks_stars : bool
        Whether the champion predicts stars and the new version does not.
    same_ratings : bool
        Whether both were trained on the same ratings.
    """

    against: Mapping[str, Against]
    lacks_stars: bool
    same_ratings: bool

    @property
    def worse(self) -> list[str]:
        """The metrics in which it is demonstrably worse."""
        return [
            name for name, found in self.against.items() if found.is_worse and found.is_demonstrable
        ]

    @property
    def better(self) -> list[str]:
        """The metrics in which it is demonstrably better."""
        return [
            name
            for name, found in self.against.items()
            if found.is_demonstrable and not found.is_worse
        ]

    @property
    def pointless(self) -> list[str]:
        """The metrics in which it is worse within chance, where nothing makes up for that.

        What does is to know other ratings, or to be demonstrably better in another metric.
        """
        if self.same_ratings and not self.better:
            return [name for name, found in self.against.items() if found.is_worse]
        return []

    @property
    def may_promote(self) -> bool:
        """Whether it is not worse than the champion."""
        return bool(self.against) and not (self.lacks_stars or self.worse or self.pointless)


def judge(new: Evaluation, champion: Evaluation, *, same_ratings: bool) -> Judgement:
    """Return what speaks for and against putting ``new`` in the champion's place.

    It must not be demonstrably worse, in stars or in lists: the 95 % interval of a difference,
    by the paired bootstrap over users, must not lie on the worse side of zero. A difference
    within that is chance, and a version that has learned from other ratings, as a rule more, may
    be behind by it. One of the same ratings may not, unless the other metric is demonstrably
    better: else a chain of versions each behind by chance would lead downwards.

    Parameters
    ----------
    new, champion : Evaluation
        On the same held-out ratings, which neither was trained on.
    same_ratings : bool
        Whether both were trained on the same ratings.
    """
    both = Comparison()
    both.add({"new": new, "champion": champion})
    scores, champion_scores = both.scores("new"), both.scores("champion")
    differences = both.differences("new", "champion")
    against = {
        name: Against(
            scores[name], champion_scores[name], found.value, found.interval, higher_is_better
        )
        for name, higher_is_better in _HIGHER_IS_BETTER.items()
        if (found := differences.get(name)) is not None and not isnan(found.value)
    }
    lacks_stars = new.rmse is None and champion.rmse is not None
    return Judgement(against, lacks_stars, same_ratings)


def share_still_there(ratings: Ratings, user_ids: IdMap) -> float:
    """Return the share of the champion's users who are in ``ratings``.

    Below `SAME_PEOPLE` the data are taken for others of the same name.
    """
    return float((ratings.user_ids.rows(user_ids) >= 0).mean())
