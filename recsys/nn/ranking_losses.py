"""Losses of an order: the item taken against items that were not."""

from __future__ import annotations

import numpy as np

from recsys.nn.losses import softmax_cross_entropy
from recsys.nn.tensor import Operand, Tensor, concatenate


def bpr(positive: Tensor, negative: Tensor) -> Tensor:
    """Return the mean of -log sigmoid(x_ui - x_uj): an item taken should beat one that was not.

    ``positive`` are scores of items taken, ``negative`` those of sampled ones; they may broadcast
    (Rendle et al. 2009, "BPR: Bayesian personalized ranking from implicit feedback").
    """
    return (negative - positive).softplus().mean()


def sampled_softmax(
    positive: Tensor,
    negative: Tensor,
    *,
    log_q_positive: Operand = 0.0,
    log_q_negative: Operand = 0.0,
) -> Tensor:
    """Return the mean cross-entropy of the item taken among itself and the sampled ones.

    ``positive`` (n,) are scores of the items taken, ``negative`` (n, n_negatives) of the sampled.
    ``log_q_positive`` and ``log_q_negative``, the logarithm of the probability with which each is
    sampled, are taken off the scores: else what is sampled often looks bad for it (Bengio and
    Senécal 2008). They broadcast; 0 if uniform.
    """
    n = positive.shape[0]
    taken = (positive - log_q_positive).reshape(n, 1)
    logits = concatenate([taken, negative - log_q_negative], axis=1)
    return softmax_cross_entropy(logits, np.zeros(n, dtype=np.int64))
