"""What a training leaves behind for those whom it never saw."""

from __future__ import annotations

import numpy as np

from recsys.data import Ratings
from recsys.data.relevance import is_relevant
from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.newcomers import Newcomers
from recsys.model.objective import Array, Model
from recsys.training.hyperparameters import Hyperparameters

# A newcomer's embedding and bias are penalised for so many ratings, however many they have. Chosen
# on users of ML-100k and of the embedded set that were left out, from 5 ratings up to all.
PENALISED_RATINGS = 100.0


def newcomers_to(
    model: Model, train: Ratings, settings: Hyperparameters, user_mean: Array
) -> Newcomers | None:
    """Return what folding somebody into a trained model takes; None for a network.

    Parameters
    ----------
    model : Model
    train : Ratings
        What it was trained on.
    settings : Hyperparameters
    user_mean : (n_factors,) float
        What the stored embeddings of users are less of.
    """
    if not isinstance(model, EmbeddingDotBias):
        return None
    mean = user_mean.astype(np.float32)
    if settings.objective == "ranking":
        # `AllPairs` times the number of liked pairs, so that each of them weighs 1.
        liked = train.select(is_relevant(train))
        n_users, n_items = len(np.unique(liked.users)), len(np.unique(liked.items))
        per_user = settings.unobserved * liked.n_ratings / n_users
        return Newcomers(settings.reg * per_user, settings.reg, 0.0, per_user / n_items, mean)
    implicit: tuple[Array, Array] | tuple[()] = ()
    if model.who_rated_what is not None:
        implicit = (model.item_implicit, model.item_implicit_bias)
    return Newcomers(
        PENALISED_RATINGS * settings.reg,
        0.0,
        PENALISED_RATINGS * settings.reg_bias,
        0.0,
        mean,
        *(array.astype(np.float32) for array in implicit),
    )
