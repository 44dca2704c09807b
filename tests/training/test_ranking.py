from dataclasses import replace

import numpy as np
import pytest

from recsys.data import IdMap, Ratings
from recsys.data.readers import read_ratings
from recsys.data.split import held_out
from recsys.errors import DataError, DivergenceError, UsageError
from recsys.evaluation.evaluate import evaluate
from recsys.model.baselines import popularity
from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.served import Served
from recsys.training.batches import Batches
from recsys.training.checkpoint import Checkpoint
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.ranking import AllPairs, RankingSteps, liked_pairs
from recsys.training.ranking_defaults import chance_strength, largest_singular_value
from recsys.training.trainer import Callback


def ranked(train, **given):
    chosen = Hyperparameters.choose(train, objective="ranking", **given)
    return fit_snapshot(train, chosen, n_threads=1)


@pytest.fixture(scope="module")
def small(make_ratings):
    """Liked pairs, a model of them in float64, and their loss."""
    liked = liked_pairs(make_ratings(12, 9, 60))
    model = EmbeddingDotBias(
        12, 9, 3, init_std=0.5, rng=np.random.default_rng(1), dtype=np.float64
    )  # fmt: skip
    return liked, model, AllPairs.of(liked.users, liked.items, (12, 9), 3.0, 0.1)


def test_loss_is_the_sum_over_every_single_pair(small):
    liked, model, pairs = small
    n, n_users, n_items = liked.n_ratings, len(set(liked.users)), len(set(liked.items))
    is_liked = set(zip(liked.users.tolist(), liked.items.tolist(), strict=True))
    data = penalty = 0.0
    for u in set(liked.users.tolist()):
        for i in set(liked.items.tolist()):
            p, q = model.user_factors[u], model.item_factors[i]
            for weight, target, counts in (
                (1 / n, 1.0, (u, i) in is_liked),
                (3.0 / (n_users * n_items), 0.0, True),
            ):
                if counts:
                    data += weight * (target - p @ q) ** 2
                    # The penalty is one per term.
                    penalty += weight * 0.1 * (p @ p + q @ q)
    zeroed = liked_rows_only(model, liked)
    loss = pairs.loss(zeroed, liked.users, liked.items)
    assert loss.squared_error == pytest.approx(data)
    assert loss.penalty == pytest.approx(penalty)


def liked_rows_only(model, liked):
    model.user_factors[np.bincount(liked.users, minlength=len(model.user_bias)) == 0] = 0
    model.item_factors[np.bincount(liked.items, minlength=len(model.item_bias)) == 0] = 0
    return model


def test_gradients_agree_with_central_differences_of_the_loss(small):
    liked, model, pairs = small
    batch = slice(0, 17)
    users, items = liked.users[batch], liked.items[batch]
    gradients = pairs.gradients(model, users, items)
    for name, gradient in gradients.items():
        array = getattr(model, name)
        numeric = np.zeros_like(array)
        for at in np.ndindex(array.shape):
            kept = array[at]
            sides = []
            for moved in (kept + 1e-5, kept - 1e-5):
                array[at] = moved
                sides.append(sum(pairs.loss(model, users, items)))
            array[at] = kept
            numeric[at] = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-9)


def test_a_step_is_momentum_sgd_on_gradients_divided_by_the_rows_weight(small):
    liked, model, pairs = small
    batches = Batches.cut(liked, 11, np.random.default_rng(0), np.float64)
    expected = {name: array.copy() for name, array in model.arrays().items()}
    velocity = dict.fromkeys(("user_factors", "item_factors"), 0.0)
    weights = {"user_factors": pairs.user_weight, "item_factors": pairs.item_weight}
    steps = RankingSteps(model, pairs, batches)
    n = len(batches)
    steps.begin_epoch(np.full(n, 0.05), np.full(n, 0.9))
    reference = EmbeddingDotBias(12, 9, 3, rng=np.random.default_rng(0), dtype=np.float64)
    for batch in batches:
        reference.user_factors, reference.item_factors = (
            expected["user_factors"],
            expected["item_factors"],
        )
        gradients = pairs.gradients(reference, batch.users, batch.items)
        loss = pairs.loss(reference, batch.users, batch.items)
        for name, gradient in gradients.items():
            weight = np.where(weights[name] > 0, weights[name], 1)[:, None]
            velocity[name] = 0.9 * velocity[name] + gradient / weight
            expected[name] = expected[name] - 0.05 * velocity[name]
        seen = steps.step(batch)
        assert (seen.squared_error, seen.penalty) == pytest.approx(tuple(loss))
    for name in velocity:
        np.testing.assert_allclose(getattr(model, name), expected[name], rtol=1e-10)
    assert not model.user_bias.any()
    assert not model.item_bias.any()


@pytest.fixture(scope="module")
def checkerboard():
    """Users and items of two colours: who likes what is of the same colour; some is withheld."""
    n = 20
    users, items = np.divmod(np.arange(n * n), n)
    same = (users + items) % 2 == 0
    # Each user u lacks item u, which is of the user's colour.
    chosen = same & (users != items)
    return pairs_of(users[chosen], items[chosen])


@pytest.fixture(scope="module")
def one_each():
    """18 users, each of whom likes an item of their own."""
    return pairs_of(np.arange(18), np.arange(18))


def pairs_of(users, items):
    """Implicit feedback on as many users and items as the highest row says."""
    ids = [IdMap(map(str, range(rows.max() + 1))) for rows in (users, items)]
    return Ratings("pairs", *ids, users.astype(np.int32), items.astype(np.int32))


def test_on_a_checkerboard_the_withheld_item_comes_first(checkerboard):
    snapshot = ranked(checkerboard, n_factors=4, reg=0.001, n_epochs=200)
    scores = snapshot.list_scores(np.arange(20)).copy()
    scores[checkerboard.users, checkerboard.items] = -np.inf
    assert scores.argmax(axis=1).tolist() == list(range(20))


def test_same_seed_same_bits_for_any_number_of_threads(checkerboard):
    chosen = Hyperparameters.choose(checkerboard, objective="ranking", n_epochs=5)
    first, second = (
        fit_snapshot(checkerboard, chosen, n_threads=n_threads) for n_threads in (1, 2)
    )
    assert first.content_hash == second.content_hash
    other = ranked(checkerboard, n_epochs=5, seed=1)
    assert other.content_hash != first.content_hash


class _Killed(Callback):
    def on_epoch(self, run):
        if run.n_epochs == 3:
            raise KeyboardInterrupt


def test_a_killed_training_resumes_to_the_same_bits(checkerboard, tmp_path):
    chosen = Hyperparameters.choose(checkerboard, objective="ranking", n_epochs=6)
    with pytest.raises(KeyboardInterrupt):
        fit_snapshot(
            checkerboard, chosen,
            callbacks=[Checkpoint(tmp_path, chosen, resume=False), _Killed()],
        )  # fmt: skip
    checkpoint = Checkpoint(tmp_path, chosen, resume=True)
    resumed = fit_snapshot(checkerboard, chosen, callbacks=[checkpoint])
    assert checkpoint.resumed_epoch == 3
    assert resumed.content_hash == fit_snapshot(checkerboard, chosen).content_hash


def test_stars_only_say_what_is_liked(make_ratings):
    stars = make_ratings()
    liked = stars.select(stars.values >= 4)
    as_stars, as_pairs = ranked(stars), ranked(replace(liked, values=None))
    np.testing.assert_array_equal(as_stars.user_factors, as_pairs.user_factors)
    # Candidates of a list are all items with training ratings, liked or not.
    np.testing.assert_array_equal(as_stars.item_counts, np.bincount(stars.items, minlength=40))


def test_who_liked_nothing_gets_what_the_mean_user_likes(make_ratings):
    ratings = make_ratings()
    silent = ratings.select(~((ratings.users == 0) & (ratings.values >= 4)))
    snapshot = ranked(silent)
    assert not snapshot.user_factors[0].any()
    everybody = np.unique(silent.users[silent.values >= 4])
    mean = snapshot.list_scores(everybody).mean(axis=0)
    for rows in ([0], [-1]):  # -1 is unknown
        scores = snapshot.list_scores(np.array(rows))[0]
        np.testing.assert_allclose(scores, mean, atol=1e-5)


def test_list_scores_are_raw(checkerboard):
    snapshot = ranked(checkerboard, n_epochs=5)
    raw = snapshot.user_factors @ snapshot.items.item_factors.T + snapshot.items.item_bias
    np.testing.assert_allclose(snapshot.list_scores(np.arange(20)), raw, atol=1e-6)


def test_penalty_and_rate_follow_the_data(checkerboard):
    chosen = Hyperparameters.choose(checkerboard, objective="ranking")
    # 20 users like 9 items each: (1/3 + 1/3) / (1 + 14), of which .57.
    liked = liked_pairs(checkerboard)
    assert chance_strength(liked, 14.0) == pytest.approx(2 / 3 / 15)
    assert chosen.reg == pytest.approx(0.57 * 2 / 3 / 15, rel=1e-2)
    # Every weight is 15/20, so the matrix is that of the pairs, of largest singular value 9,
    # over 180 * 15/20.
    assert largest_singular_value(liked, 14.0, 180) == pytest.approx(9 / (180 * 0.75))
    whole = Hyperparameters.choose(checkerboard, objective="ranking", batch_size=180)
    assert whole.lr == pytest.approx(0.5 * 0.1 / (9 / 135), rel=1e-2)


def test_the_rate_bears_a_batch_that_has_all_pairs_of_its_rows(one_each):
    # Every weight is 15/18, so the matrix of a batch of 3 of the 18 pairs is 1 / (3 * 15/18) = .4
    # times a part of the identity; that of all pairs, 1 / 15.
    liked = liked_pairs(one_each)
    assert largest_singular_value(liked, 14.0, 3) == pytest.approx(0.4)
    assert largest_singular_value(liked, 14.0, 18) == pytest.approx(1 / 15)
    chosen = Hyperparameters.choose(one_each, objective="ranking")
    assert chosen.batch_size == 3
    assert chosen.lr == pytest.approx(0.5 * 0.1 / (0.4 / 1.5), rel=1e-2)
    # In one batch of all, that of all counts: 1/15 is more than 1/15 / 1.5.
    whole = Hyperparameters.choose(one_each, objective="ranking", batch_size=18)
    assert whole.lr == pytest.approx(0.5 * 0.1 * 15, rel=1e-2)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_that_share_no_row_do_not_diverge_and_teach_nothing(one_each, seed):
    # The penalty, .57 of what chance makes of them, outweighs each direction: all goes to zero,
    # where a liked pair costs 1.
    assert ranked(one_each, seed=seed).metrics["train_loss"] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("n_each", "given"), [(1, {}), (5, {"batch_size": 5})])
def test_few_random_pairs_or_small_batches_do_not_diverge(n_each, given):
    rng = np.random.default_rng(0)
    users, items = np.unique(
        [np.repeat(np.arange(100), n_each), rng.integers(0, 100, 100 * n_each)], axis=1
    )
    sparse = pairs_of(users, items)
    assert ranked(sparse, n_epochs=20, **given).metrics["train_loss"] < 1


def test_a_diverged_ranking_is_advised_of_what_its_rate_is_set_by(one_each):
    with pytest.raises(DivergenceError, match="of the objective ranking") as diverged:
        ranked(one_each, lr=0.75)
    assert "--objective ranking" in str(diverged.value)
    assert "y-range" not in str(diverged.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "mlp"}, "of the model dot"),
        ({"optimizer": "adam"}, "no optimizer 'adam'; allowed: momentum, sgd"),
        ({"y_range": (0.0, 6.0)}, "y_range is a setting of the objective rating"),
        ({"early_stopping": 3}, "early_stopping is a setting of the objective rating"),
        ({"unobserved": 0.0}, "unobserved is 0.0; allowed: finite, above 0"),
    ],
)
def test_what_is_not_of_the_objective_is_refused(checkerboard, given, message):
    with pytest.raises(UsageError, match=message):
        Hyperparameters.choose(checkerboard, objective="ranking", **given)


def test_unobserved_is_refused_for_ratings(make_ratings):
    with pytest.raises(UsageError, match="unobserved is a setting of the objective ranking"):
        Hyperparameters.choose(make_ratings(), unobserved=3.0)


def test_nothing_liked_is_refused(make_ratings):
    ratings = make_ratings()
    with pytest.raises(DataError, match="nothing liked"):
        Hyperparameters.choose(ratings.select(ratings.values < 4), objective="ranking")


def test_ranking_beats_popularity_on_the_embedded_set():
    ratings = read_ratings(None)
    is_test = held_out(ratings)
    train, test = ratings.select(~is_test), ratings.select(is_test)
    lists = Served.of([ranked(train, n_epochs=15)])
    assert lists.predict(train.users[:1], train.items[:1]) is None
    ours, theirs = (
        evaluate(predictor, train, test).scores()["ndcg@10"]
        for predictor in (lists, popularity(train))
    )
    assert ours > 1.3 * theirs
