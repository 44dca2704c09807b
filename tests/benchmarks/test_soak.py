import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving.load import Answer
from benchmarks.serving.service import Store
from benchmarks.soak.__main__ import soak
from benchmarks.soak.memory import growth
from benchmarks.soak.traffic import Traffic

_spec = importlib.util.spec_from_file_location(
    "client_conftest", Path(__file__).parents[1] / "client" / "conftest.py"
)
rooms = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rooms)


def test_a_small_soak_stands_promotions_and_a_restart(tmp_path):
    rooms.make_shop(tmp_path).close()
    measured = soak(Store(tmp_path), n_requests=800, n_moves=6, judge_memory=False)
    assert measured.problems == []
    assert (measured.n_answers, measured.n_moves) == (800, 6)
    assert measured.n_ratings > 10
    assert measured.n_not_modified > 0


def samples(megabytes_at, n=200, n_requests=1_000_000):
    at = np.arange(n) * (n_requests // n)
    return [(int(each), megabytes_at(each)) for each in at]


def test_memory_that_filled_caches_and_then_stayed_is_flat():
    # Filled within the warm-up of 400,000; up and down by 1 MB, so noise is 2 * 1.4826 MB.
    found = growth(samples(lambda n: 100 + min(n / 1e4, 30) + (-1) ** (n // 5000)), 1_000_000)
    assert found.is_flat
    assert (found.first_mb, found.per_100k_mb) == (101, pytest.approx(0, abs=0.1))
    assert found.noise_mb == pytest.approx(2.97, abs=0.1)


def test_a_promotion_that_a_sample_met_is_no_growth():
    assert growth(samples(lambda n: 150 if n > 9.7e5 else 100), 1_000_000).is_flat


def test_twenty_bytes_of_each_request_are_a_growth():
    found = growth(samples(lambda n: 200 + 20e-6 * n + (-1) ** (n // 5000)), 1_000_000)
    assert found.per_100k_mb == pytest.approx(2)
    # 595,000 requests are judged.
    assert found.growth_mb == pytest.approx(11.9)
    assert not found.is_flat


def test_however_much_samples_scatter_a_twentieth_is_a_growth():
    wild = growth(samples(lambda n: 100 + 1e-5 * n + 20 * (-1) ** (n // 5000)), 1_000_000)
    assert wild.noise_mb == pytest.approx(0.05 * wild.level_mb)
    assert not wild.is_flat


@pytest.fixture
def traffic():
    made = Traffic(["1"], ["a", "b", "c", "d", "e"], "recsys_x", np.random.default_rng(0))
    for asked in made.questions:
        made.learn(asked, answer(asked, 1))
    return made


def answer(asked, model_id, status=200):
    body = json.dumps({"items": [asked.name], "model_id": model_id}, separators=(",", ":"))
    return Answer(status, b"HTTP/1.1 200 OK", body.encode())


def test_an_answer_of_one_version_is_taken(traffic):
    asked = traffic.questions[0]
    traffic.check(asked, answer(asked, 1))
    assert traffic.problems == []
    assert traffic.served == {1: 1}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda asked: answer(asked, 2),  # no version that was asked in quiet
        lambda asked: answer(asked, 1)._replace(body=b'{"items":[],"model_id":1}'),
        lambda asked: answer(asked, 1, status=503),
    ],
)
def test_what_no_version_answers_is_a_problem(traffic, wrong):
    asked = traffic.questions[0]
    traffic.check(asked, wrong(asked))
    assert len(traffic.problems) == 1


def test_a_rating_that_was_acknowledged_and_lost_is_a_problem(traffic):
    written = [asked for asked in traffic.draw(200) if asked.name.startswith("rating")]
    for asked in written:
        traffic.check(asked, Answer(200, b"HTTP/1.1 200 OK", b'{"n_accepted":1,"model_id":1}'))
    assert len(traffic.kept) == len(written) > 0
    known = {}
    for (user_id, item_id), rating in traffic.kept.items():
        known.setdefault(user_id, {})[item_id] = rating
    traffic.check_kept(known)
    assert traffic.problems == []
    user_id, item_id = next(iter(traffic.kept))
    known[user_id][item_id] = None
    traffic.check_kept(known)
    assert len(traffic.problems) == 1


def test_a_rating_that_was_refused_is_a_problem(traffic):
    asked = next(asked for asked in traffic.draw(200) if asked.name.startswith("rating"))
    traffic.check(asked, Answer(200, b"HTTP/1.1 200 OK", b'{"n_accepted":0,"model_id":1}'))
    assert len(traffic.problems) == 1
