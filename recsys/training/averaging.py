"""Several trainings from different seeds, averaged into one model that costs no more to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from recsys.data import Ratings
from recsys.errors import UsageError
from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.objective import Model
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.trainer import Callback, Epoch, Run, Trainer


@dataclass(frozen=True, eq=False)
class Average:
    """Finished trainings: what `fit_members` returns.

    Attributes
    ----------
    runs : tuple of Run
        One per member.
    """

    runs: tuple[Run, ...]

    @property
    def model(self) -> Model:
        """The one member's model, or the average of the members' (`average`)."""
        if len(self.runs) == 1:
            return self.runs[0].model
        return average([run.model for run in self.runs])

    @property
    def kept(self) -> list[Epoch]:
        """Each member's epoch whose parameters were kept."""
        return [run.history[run.kept_epoch - 1] for run in self.runs]

    @property
    def history(self) -> tuple[dict[str, Any], ...]:
        """Every epoch, counted on from member to member, with its ``member``, from 1."""
        epochs = [
            (member, epoch)
            for member, run in enumerate(self.runs, start=1)
            for epoch in run.history
        ]
        return tuple(
            {**asdict(epoch), "epoch": number, "member": member}
            for number, (member, epoch) in enumerate(epochs, start=1)
        )


def fit_members(
    train: Ratings,
    hyperparameters: Hyperparameters,
    validation: Ratings | None = None,
    callbacks: Sequence[Callback] = (),
) -> Average:
    """Return ``n_members`` finished trainings that differ in their seeds alone.

    Parameters
    ----------
    train, validation : Ratings
        As `Trainer.fit` takes them.
    hyperparameters : Hyperparameters
    callbacks : sequence of Callback
        Told of each training in turn, and by `Callback.on_member` which one begins.
    """
    runs = []
    for member in range(hyperparameters.n_members):
        for callback in callbacks:
            callback.on_member(member + 1)
        seed = member_seed(hyperparameters.seed, member)
        trainer = Trainer(replace(hyperparameters, seed=seed), callbacks)
        runs.append(trainer.fit(train, validation))
    return Average(tuple(runs))


def member_seed(seed: int, member: int) -> int:
    """Return the seed of a member, counted from 0: the first has the training's own.

    So a training of one member is what it would be without members.
    """
    if member == 0:
        return seed
    return int(np.random.SeedSequence(seed, spawn_key=(member,)).generate_state(1)[0])


def average(models: Sequence[Model]) -> EmbeddingDotBias:
    """Return one model whose scores are the means of the models' scores.

    With S models, embeddings are laid end to end, each divided by the root of S, and biases
    are averaged ::

        mean over s of p_u^s . q_i^s  =  [p_u^1 ... p_u^S] / sqrt(S) . [q_i^1 ... q_i^S] / sqrt(S)

    The implicit vectors go the same way, for they are added to the embeddings. With ``y_range``
    it is the scores, on the logit scale, that are averaged, not the stars.

    Parameters
    ----------
    models : sequence of EmbeddingDotBias
        Of the same ratings.

    Raises
    ------
    UsageError
        If a model is not a dot product.
    """
    members = [model for model in models if isinstance(model, EmbeddingDotBias)]
    if len(members) < len(models):
        raise UsageError("only dot products can be averaged into one model")
    first = members[0]
    n_factors = sum(model.user_factors.shape[1] for model in members)
    averaged = EmbeddingDotBias(
        len(first.user_bias),
        len(first.item_bias),
        n_factors,
        global_mean=first.global_mean,
        y_range=first.y_range,
        init_std=0.0,
        rng=np.random.default_rng(0),
        dtype=first.user_bias.dtype,
        who_rated_what=first.who_rated_what,
    )
    arrays = [model.arrays() for model in members]
    for name, array in averaged.arrays().items():
        of_members = [each[name] for each in arrays]
        if array.ndim == 1:
            array[:] = np.mean(of_members, axis=0)
        else:
            array[:] = np.concatenate(of_members, axis=1) / np.sqrt(len(members))
    return averaged
