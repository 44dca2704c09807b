import math

import numpy as np
import pytest

from recsys.nn.losses import softmax_cross_entropy
from recsys.nn.ranking_losses import bpr, sampled_softmax
from recsys.nn.tensor import Tensor


def test_bpr_looks_at_the_difference_alone():
    taken, other = Tensor([2.0]), Tensor([1.0])
    loss = bpr(taken, other)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)))
    assert taken.grad[0] == pytest.approx(-1 / (1 + math.e))  # -sigmoid(-1)
    assert other.grad[0] == -taken.grad[0]


def test_bpr_takes_several_negatives_per_positive():
    taken, others = Tensor(np.zeros((4, 1))), Tensor(np.zeros((4, 3)))
    assert bpr(taken, others).item() == pytest.approx(math.log(2))


def test_sampled_softmax_of_all_the_others_is_the_softmax():
    scores = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
    full = softmax_cross_entropy(Tensor(scores), np.array([0, 0])).item()
    sampled = sampled_softmax(Tensor(scores[:, 0]), Tensor(scores[:, 1:])).item()
    assert sampled == pytest.approx(full)


def test_sampled_softmax_takes_the_sampling_probability_off():
    taken, others = Tensor([1.0]), Tensor([[2.0, 0.0]])
    loss = sampled_softmax(
        taken, others, log_q_positive=math.log(0.5), log_q_negative=np.log([[0.25, 0.1]])
    )
    # e / .5, e^2 / .25, 1 / .1
    weights = [math.e / 0.5, math.e**2 / 0.25, 10.0]
    assert loss.item() == pytest.approx(-math.log(weights[0] / sum(weights)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ranking_losses_keep_the_type(dtype):
    z = Tensor(np.ones(3, dtype))
    for loss in (bpr(z, z * 2), sampled_softmax(z, z.reshape(3, 1))):
        assert loss.dtype == dtype
