from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from recsys import store
from recsys.cli.options import given_hyperparameters, pace_options, training_options
from recsys.cli.output import json_option, note, print_json
from recsys.cli.tell import metrics_of, print_scores, read_and_tell, tell_choice, tell_unknown
from recsys.data import Ratings
from recsys.data.split import held_out
from recsys.evaluation.accuracy import rmse
from recsys.evaluation.evaluate import evaluate
from recsys.model.baselines import BASELINES
from recsys.model.snapshot import Snapshot
from recsys.training.checkpoint import Checkpoint
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.progress import ProgressBar


@click.command(short_help="Train a version, store it, promote it if it is not worse.")
@click.option(
    "--data", metavar="NAME|PATH", show_default="the embedded set",
    help="Ratings to train on: a known data set, a file, a folder or a zip.",
)  # fmt: skip
@training_options
@pace_options(early_stopping=Hyperparameters.early_stopping)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on after the last epoch of the same training that was killed.",
)
@click.option("--no-promote", is_flag=True, help="Store the version, leave the champion.")
@json_option
@click.pass_obj
def train(
    database_url: str,
    /,
    data: str | None,
    resume: bool,
    no_promote: bool,
    threads: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a version, store it, and promote it if it is not worse than the champion.

    Both are scored on the same held-out ratings. The champion is the version that is served.
    """
    engine = store.open_database(database_url)
    store.prepare(engine)
    ratings = read_and_tell(data)

    is_held_out = held_out(ratings)
    trained_on, validation = ratings.select(~is_held_out), ratings.select(is_held_out)
    hyperparameters = Hyperparameters.choose(trained_on, **given_hyperparameters(options))
    tell_choice(trained_on, hyperparameters)
    checkpoint = Checkpoint(_checkpoints(engine), hyperparameters, resume=resume)
    started = time.perf_counter()
    with closing(ProgressBar(hyperparameters.n_epochs)) as bar:
        snapshot = fit_snapshot(
            trained_on,
            hyperparameters,
            validation=validation,
            data_fingerprint=ratings.fingerprint,
            callbacks=[checkpoint, bar],
            n_threads=threads,
        )
    seconds = time.perf_counter() - started
    if resume:
        note(
            f"resumed after epoch {checkpoint.resumed_epoch}"
            if checkpoint.resumed_epoch
            else "no checkpoint of this training was found; it ran from the start"
        )

    scored = evaluate(snapshot, trained_on, validation)
    tell_unknown(scored)
    scores = metrics_of(scored)
    snapshot = replace(snapshot, metrics={**snapshot.metrics, **scores})
    model_id = store.save_version(engine, store.save_data_set(engine, ratings), [snapshot])
    checkpoint.discard()
    promoted, reason = _promote(engine, model_id, snapshot, validation, no_promote=no_promote)

    if as_json:
        print_json(
            {
                "model_id": model_id,
                "promoted": promoted,
                "reason": reason,
                "data": ratings.name,
                "n_train": trained_on.n_ratings,
                "n_test": validation.n_ratings,
                "train_seconds": seconds,
                "metrics": snapshot.metrics,
                "hyperparameters": snapshot.hyperparameters,
                "content_hash": snapshot.content_hash,
            }
        )
        return
    baselines = {
        name: metrics_of(evaluate(baseline(trained_on), trained_on, validation))
        for name, baseline in BASELINES.items()
    }
    print_scores({f"version {model_id}": scores} | baselines)
    click.echo(
        f"\nTrained in {seconds:.1f} s; kept epoch {snapshot.metrics['kept_epoch']:.0f} "
        f"of {len(snapshot.history)}."
    )
    click.echo(f"Version {model_id} is stored. {reason}")


def _checkpoints(engine: Engine) -> Path:
    """Return where checkpoints lie: beside the SQLite file, or under var."""
    database = engine.url.database
    beside = Path(database).parent if engine.dialect.name == "sqlite" and database else Path("var")
    return beside / "checkpoints"


def _promote(
    engine: Engine, model_id: int, snapshot: Snapshot, validation: Ratings, *, no_promote: bool
) -> tuple[bool, str]:
    """Promote the version if it may be; return whether it was, and why or why not."""
    if no_promote:
        return False, "It was not promoted: --no-promote."
    champion = next((v for v in store.list_versions(engine) if "champion" in v.aliases), None)
    version = store.get_version(engine, model_id)
    if champion is None:
        store.promote(engine, model_id)
        return True, "It is the champion: there was none."
    if champion.data_set.name != version.data_set.name:
        return False, (
            f"It was not promoted: the champion, version {champion.model_id}, is of "
            f"{champion.data_set.name}; promote it by hand: recsys models promote {model_id}"
        )
    if not validation.n_ratings:
        return False, (
            "It was not promoted: no rating is held out to compare it with the champion; "
            f"promote it by hand: recsys models promote {model_id}"
        )
    before, after = (
        _rmse(store.load_snapshot(engine, champion.model_id, "rating"), validation),
        _rmse(snapshot, validation),
    )
    compared = (
        f"RMSE {after:.4f} against {before:.4f} of version {champion.model_id} "
        "on the same held-out ratings."
    )
    if after > before:
        return False, f"It was not promoted: {compared}"
    store.promote(engine, model_id)
    return True, f"It is the champion: {compared}"


def _rmse(snapshot: Snapshot, validation: Ratings) -> float:
    """Return the RMSE on ratings that, by the keyed hash, no version of the data trained on."""
    users = snapshot.user_ids.rows(validation.user_ids)[validation.users]
    items = snapshot.items.item_ids.rows(validation.item_ids)[validation.items]
    assert validation.values is not None
    return rmse(snapshot.predict(users, items), validation.values)
