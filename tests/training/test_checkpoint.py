import errno
import os

import pytest

from recsys.data.split import held_out
from recsys.errors import StoreError
from recsys.training.checkpoint import Checkpoint
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.trainer import Callback


class Killed(BaseException):
    """Stands for the end of the process."""


class KillAfter(Callback):
    def __init__(self, n_epochs=None, n_batches=None):
        self.n_epochs, self.n_batches = n_epochs, n_batches

    def on_batch(self, run, n_ratings):
        if self.n_batches is not None:
            self.n_batches -= 1
            if self.n_batches == 0:
                raise Killed

    def on_epoch(self, run):
        if run.n_epochs == self.n_epochs:
            raise Killed


@pytest.fixture(scope="module")
def parts(make_ratings):
    ratings = make_ratings(50, 40, 1700)
    mask = held_out(ratings)
    return ratings.select(~mask), ratings.select(mask)


def train(folder, parts, *, resume=False, kill=None, **given):
    settings = Hyperparameters.choose(
        parts[0], **{"n_factors": 4, "n_epochs": 8, "early_stopping": 8, **given}
    )
    checkpoint = Checkpoint(folder, settings, resume=resume)
    callbacks = [checkpoint] + ([kill] if kill else [])
    return checkpoint, fit_snapshot(parts[0], settings, validation=parts[1], callbacks=callbacks)


@pytest.mark.parametrize(
    "kill", [KillAfter(n_epochs=1), KillAfter(n_epochs=6), KillAfter(n_batches=30)]
)
@pytest.mark.parametrize(
    "given",
    [
        {"implicit": False},
        {"schedule": "one-cycle"},
        {"schedule": "plateau"},
        {"optimizer": "adam"},
        {"model": "mlp", "n_factors": 4},
    ],
)
def test_resumed_training_ends_in_the_bits_of_an_undisturbed_one(tmp_path, parts, kill, given):
    kill = KillAfter(kill.n_epochs, kill.n_batches)
    _, undisturbed = train(tmp_path / "a", parts, **given)
    with pytest.raises(Killed):
        train(tmp_path / "b", parts, kill=kill, **given)
    checkpoint, resumed = train(tmp_path / "b", parts, resume=True, **given)
    assert checkpoint.resumed_epoch > 0
    assert resumed.content_hash == undisturbed.content_hash
    assert [e["validation_rmse"] for e in resumed.history] == [
        e["validation_rmse"] for e in undisturbed.history
    ]


def test_resuming_a_finished_training_repeats_its_result(tmp_path, parts):
    _, first = train(tmp_path, parts)
    checkpoint, again = train(tmp_path, parts, resume=True)
    assert checkpoint.resumed_epoch == len(first.history)
    assert again.content_hash == first.content_hash


def test_without_resume_a_checkpoint_is_not_read(tmp_path, parts):
    train(tmp_path, parts)
    checkpoint, _ = train(tmp_path, parts)
    assert checkpoint.resumed_epoch == 0


def test_other_settings_do_not_find_the_checkpoint(tmp_path, parts):
    train(tmp_path, parts)
    checkpoint, _ = train(tmp_path, parts, resume=True, reg=0.5)
    assert checkpoint.resumed_epoch == 0


def test_a_discarded_checkpoint_leaves_an_empty_folder(tmp_path, parts):
    checkpoint, _ = train(tmp_path, parts)
    checkpoint.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_checkpoint_is_named(tmp_path, parts):
    train(tmp_path, parts)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", content[:2000] + b"!" + content[2001:]):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match=f"{path.name} is damaged .* train without --resume"):
            train(tmp_path, parts, resume=True)


def test_a_checkpoint_that_finds_no_room_is_one_clear_error_and_leaves_nothing(
    tmp_path, parts, monkeypatch
):
    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="cannot be written: No space left on device; make room"):
        train(tmp_path, parts)
    assert list(tmp_path.iterdir()) == []
