"""What others reach on the same protocols; none of it is measured here.

Both tables are of one comparison on one machine, with the systems' settings tuned by hand. The
rows that this benchmark measures itself stand apart from them.
"""

from __future__ import annotations

from typing import NamedTuple


class Stars(NamedTuple):
    """RMSE on the official splits of ML-100k."""

    system: str
    mean: float
    u1: float | None


class Lists(NamedTuple):
    """nDCG@10 over the whole catalogue, of held-out pairs with 4 stars and more."""

    system: str
    ndcg: float


STARS = (
    Stars("Bayesian FM with SVD++ features (myFM)", 0.882, 0.889),
    Stars("Bayesian MF by Gibbs sampling (myFM)", 0.897, 0.907),
    Stars("Cornac MF, 64 factors", 0.907, 0.917),
    Stars("cmfrec ALS with implicit features", 0.910, 0.922),
    Stars("Surprise SVD, tuned", 0.911, 0.923),
    Stars("LIBMF, tuned", 0.914, 0.920),
    Stars("SVD++", 0.918, 0.928),
    Stars("LensKit BiasedMF", 0.920, None),
    Stars("fastai collab_learner", 0.930, 0.942),
    Stars("Surprise SVD, defaults", 0.938, 0.951),
    Stars("biases alone", 0.946, 0.960),
)
LISTS = (
    Lists("EASE", 0.313),
    Lists("implicit ALS, tuned", 0.312),
    Lists("Cornac BPR", 0.267),
    Lists("LightFM WARP", 0.262),
    Lists("popularity", 0.155),
)
