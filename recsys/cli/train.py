from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from recsys import store
from recsys.cli.bars import storing
from recsys.cli.feedback import merge_and_tell
from recsys.cli.folders import beside_database
from recsys.cli.options import objective_options, pace_options, training_options
from recsys.cli.output import json_option, note, print_json, say
from recsys.cli.promotion import Promotion, promote_if_not_worse
from recsys.cli.tell import evaluate_shown, metrics_of, print_scores, read_and_tell, tell_unknown
from recsys.cli.training import check_ranges, choose, fit
from recsys.data import Ratings
from recsys.data.split import held_out, part
from recsys.evaluation.calibration import MIN_RATINGS, with_intervals
from recsys.evaluation.evaluate import Evaluation
from recsys.model.baselines import BASELINES
from recsys.model.served import Served
from recsys.model.snapshot import Objective, Snapshot
from recsys.training.checkpoint import Checkpoint
from recsys.training.hyperparameters import Hyperparameters


@click.command(short_help="Train a version, store it, promote it if it is not worse.")
@click.option(
    "--data", metavar="NAME|PATH", show_default="the embedded set",
    help="Ratings to train on: a known data set, a file, a folder or a zip.",
)  # fmt: skip
@objective_options
@training_options
@pace_options(early_stopping=Hyperparameters.early_stopping)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on after the last epoch of the same training that was killed.",
)
@click.option("--no-promote", is_flag=True, help="Store the version, leave the champion.")
@click.option(
    "--no-feedback",
    is_flag=True,
    help="Add no ratings that came in after the file; what was taken back stays out.",
)
@json_option
@click.pass_obj
def train(
    database_url: str,
    /,
    data: str | None,
    resume: bool,
    no_promote: bool,
    no_feedback: bool,
    objective: str,
    threads: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a version, store it, and promote it if it is not worse than the champion.

    Both are scored on the same held-out ratings. The champion is the version that is served.
    """
    check_ranges(options)
    engine = store.open_database(database_url)
    store.prepare(engine)
    ratings, feedback_revision = merge_and_tell(
        engine, read_and_tell(data), only_erasures=no_feedback
    )
    fingerprint = ratings.fingerprint  # in the order in which they came
    ratings, trained_on, validation = part(ratings, held_out(ratings))
    chosen = choose(trained_on, options, objective)
    folder = beside_database(database_url, "checkpoints")
    checkpoints = {
        settings.objective: Checkpoint(folder, settings, resume=resume) for settings in chosen
    }
    started = time.perf_counter()
    snapshots = fit(
        trained_on,
        chosen,
        validation=validation,
        data_fingerprint=fingerprint,
        callbacks=lambda settings: [checkpoints[settings.objective]],
        n_threads=threads,
    )
    seconds = time.perf_counter() - started
    if resume:
        _tell_resumed(checkpoints)

    served = Served.of(snapshots)
    scored = evaluate_shown("the version", served, trained_on, validation)
    tell_unknown(scored)
    scores = metrics_of(scored)
    snapshots = [
        with_intervals(
            replace(snapshot, metrics={**snapshot.metrics, **metrics_of(own)}),
            trained_on,
            validation,
        )
        for snapshot, own in _scored_alone(snapshots, scored, trained_on, validation)
    ]
    _tell_intervals(snapshots, validation)
    with storing("ratings") as progress:
        data_set_id = store.save_data_set(
            engine,
            ratings,
            feedback_revision=feedback_revision,
            fingerprint=fingerprint,
            progress=progress,
        )
    with storing("embeddings") as progress:
        model_id = store.save_version(engine, data_set_id, snapshots, progress=progress)
    for checkpoint in checkpoints.values():
        checkpoint.discard()
    promoted, reason, comparison = (
        Promotion(False, "It was not promoted: --no-promote.")
        if no_promote
        else promote_if_not_worse(engine, model_id, scored, trained_on, validation)
    )

    if as_json:
        print_json(
            {
                "model_id": model_id,
                "promoted": promoted,
                "reason": reason,
                "comparison": comparison,
                "data": ratings.name,
                "n_train": trained_on.n_ratings,
                "n_test": validation.n_ratings,
                "train_seconds": seconds,
                "metrics": scores,
                "hyperparameters": {s.objective: s.hyperparameters for s in snapshots},
                "content_hash": {s.objective: s.content_hash for s in snapshots},
            }
        )
        return
    baselines = {
        name: metrics_of(evaluate_shown(name, baseline(trained_on), trained_on, validation))
        for name, baseline in ({} if trained_on.is_implicit else BASELINES).items()
    }
    print_scores({f"version {model_id}": scores} | baselines)
    kept = ", ".join(
        f"{snapshot.objective}: kept epoch {snapshot.metrics['kept_epoch']:.0f} "
        f"of {len(snapshot.history)}"
        for snapshot in snapshots
    )
    say(f"\nTrained in {seconds:.1f} s; {kept}.")
    say(f"Version {model_id} is stored. {reason}")


def _scored_alone(
    snapshots: Sequence[Snapshot], together: Evaluation, train: Ratings, held_out: Ratings
) -> Iterator[tuple[Snapshot, Evaluation]]:
    """Yield each snapshot with its own evaluation: a single one's is that of the version."""
    for snapshot in snapshots:
        if len(snapshots) == 1:
            yield snapshot, together
            continue
        what = f"{snapshot.objective} alone"
        yield snapshot, evaluate_shown(what, Served.of([snapshot]), train, held_out)


def _tell_resumed(checkpoints: Mapping[Objective, Checkpoint]) -> None:
    resumed = {name: each.resumed_epoch for name, each in checkpoints.items()}
    if not any(resumed.values()):
        note("no checkpoint of this training was found; it ran from the start")
    for name, epoch in resumed.items():
        if epoch:
            note(f"{name}: resumed after epoch {epoch}")


def _tell_intervals(snapshots: Sequence[Snapshot], validation: Ratings) -> None:
    if any(s.objective == "rating" and s.items.intervals is None for s in snapshots):
        note(
            f"{validation.n_ratings:,} held-out ratings are too few to calibrate intervals "
            f"around predicted stars; {MIN_RATINGS} are needed"
        )
