import numpy as np
import pytest

from recsys.data import IdMap, Ratings


@pytest.fixture(scope="session")
def make_ratings():
    """Ratings with two planted factors, biases and noise of half a star."""

    def make(n_users=60, n_items=40, n_ratings=1200, noise=0.5, seed=0):
        rng = np.random.default_rng(seed)
        pairs = rng.permutation(n_users * n_items)[:n_ratings]
        users, items = (pairs // n_items).astype(np.int32), (pairs % n_items).astype(np.int32)
        p, q = rng.normal(0, 0.8, (n_users, 2)), rng.normal(0, 0.8, (n_items, 2))
        b_u, b_i = rng.normal(0, 0.3, n_users), rng.normal(0, 0.5, n_items)
        values = 3 + b_u[users] + b_i[items] + (p[users] * q[items]).sum(axis=1)
        values += rng.normal(0, noise, n_ratings)
        return Ratings(
            "planted",
            IdMap(f"u{n}" for n in range(n_users)),
            IdMap(f"i{n}" for n in range(n_items)),
            users,
            items,
            values.astype(np.float32),
        )

    return make


@pytest.fixture(scope="session")
def ratings(make_ratings):
    return make_ratings()
