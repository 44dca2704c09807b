"""How `train` promotes what it has stored, and says why or why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Engine

from recsys import store
from recsys.cli.tell import evaluate_shown
from recsys.data import Ratings
from recsys.evaluation.evaluate import Evaluation
from recsys.evaluation.gate import SAME_PEOPLE, Against, Judgement, judge, share_still_there
from recsys.model.served import Served


class Promotion(NamedTuple):
    """Whether a version was promoted.

    Attributes
    ----------
    promoted : bool
    reason : str
    comparison : mapping or None
        The new version against the champion, as JSON types: ``value champion difference low
        high`` by metric. None where they were not compared.
    """

    promoted: bool
    reason: str
    comparison: Mapping[str, Mapping[str, float]] | None = None


def promote_if_not_worse(
    engine: Engine, model_id: int, scored: Evaluation, train: Ratings, held_out: Ratings
) -> Promotion:
    """Promote a stored version, trained on ``train``, if the champion is not better.

    Parameters
    ----------
    engine : Engine
    model_id : int
    scored : Evaluation
        Of the version, on ``held_out``.
    train, held_out : Ratings
    """
    champion = next((v for v in store.list_versions(engine) if "champion" in v.aliases), None)
    version = store.get_version(engine, model_id)
    if champion is None:
        store.promote(engine, model_id)
        return Promotion(True, "It is the champion: there was none.")
    name = f"version {champion.model_id}"
    if champion.data_set.name != version.data_set.name:
        return _left_to_hand(model_id, f"the champion, {name}, is of {champion.data_set.name}")
    snapshots = [
        store.load_snapshot(engine, champion.model_id, snapshot.objective)
        for snapshot in champion.snapshots
    ]
    share = share_still_there(train, snapshots[0].user_ids)
    if share < SAME_PEOPLE:
        return _left_to_hand(
            model_id,
            f"only {share:.0%} of the users of the champion, {name}, are in this data, so it is "
            "taken for another data set of the same name",
        )
    # No version of the data trained on these ratings: the keyed hash holds out the same ones.
    served = Served.of(snapshots).at_rows_of(train)
    before = evaluate_shown(name, served, train, held_out)
    same_ratings = champion.data_set.fingerprint == version.data_set.fingerprint
    found = judge(scored, before, same_ratings=same_ratings)
    if not found.against:
        return _left_to_hand(model_id, f"no held-out rating can tell it from the champion, {name}")
    if found.may_promote:
        store.promote(engine, model_id)
    compared = "; ".join(_compared(metric, of) for metric, of in found.against.items())
    return Promotion(
        found.may_promote,
        f"{_verdict(found, name)} On the same {held_out.n_ratings:,} held-out ratings: {compared}.",
        {metric: _as_json(of) for metric, of in found.against.items()},
    )


def _left_to_hand(model_id: int, why: str) -> Promotion:
    return Promotion(
        False,
        f"It was not promoted: {why}; promote it by hand: recsys models promote {model_id}",
    )


def _verdict(found: Judgement, champion: str) -> str:
    if found.lacks_stars:
        return f"It was not promoted: it predicts no stars, as {champion} does."
    if found.worse:
        return f"It was not promoted: it is worse than {champion} in {_named(found.worse)}."
    if found.pointless:
        return (
            f"It was not promoted: it has learned from the same ratings as {champion}, is better "
            f"in nothing and behind, if within chance, in {_named(found.pointless)}."
        )
    if found.better:
        return f"It is the champion: it is better than {champion} in {_named(found.better)}."
    return f"It is the champion: it is not worse than {champion}."


def _compared(metric: str, found: Against) -> str:
    low, high = found.interval
    return (
        f"{_named([metric])} {found.value:.4f} against {found.champion:.4f} "
        f"(difference {found.difference:+.4f}, 95 % interval {low:+.4f} to {high:+.4f})"
    )


def _named(metrics: list[str]) -> str:
    return " and ".join("RMSE" if metric == "rmse" else metric for metric in metrics)


def _as_json(found: Against) -> dict[str, Any]:
    return {
        "value": found.value,
        "champion": found.champion,
        "difference": found.difference,
        **found.interval._asdict(),
    }
