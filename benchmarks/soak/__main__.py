"""A long load with everything going on beside it: ``python -m benchmarks.soak``.

Two versions are trained in a temporary folder and served. What each of them answers to a thousand
questions is noted in quiet. Then the same questions are asked again and again over several
connections, with ratings in between, while the champion is promoted and rolled back twenty times,
another version is trained, and a worker is restarted by SIGTERM. Then no answer may be an error or
missing, each must be, to the byte, what the version that it names answered in quiet, no
acknowledged rating may be lost, and after a warm-up of two fifths of the requests the workers'
memory must not grow by more than noise.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.serving import load
from benchmarks.serving.service import Server, Store
from benchmarks.soak.disturbances import Disturbances
from benchmarks.soak.memory import WARM_UP, Growth, growth
from benchmarks.soak.traffic import Traffic
from recsys.client import Client

# Else the connections that a worker leaves when it is restarted stay with the other one for good.
RENEW_AFTER = 200
TRAIN = ("--n-epochs", "3")


@dataclass(frozen=True)
class Measured:
    """A soak.

    Attributes
    ----------
    n_answers, n_not_modified : int
        All answers, and those that were 304.
    answers_per_second : float
    p50_ms, p99_ms : float
    n_repeated : int
        Requests sent again on a new connection, as the worker had ended before it read them.
    n_ratings : int
        Kept, and found again at the end.
    n_moves : int
        Promotions and rollbacks.
    growth : Growth
        Of the private memory of all workers.
    memory : list of (int, float)
        The samples: number of answers, and memory in MB.
    problems : list of str
        What was wrong; empty if nothing.
    """

    n_answers: int
    n_not_modified: int
    answers_per_second: float
    p50_ms: float
    p99_ms: float
    n_repeated: int
    n_ratings: int
    n_moves: int
    growth: Growth
    memory: list[tuple[int, float]]
    problems: list[str]


def soak(
    store: Store,
    *,
    n_requests: int,
    n_connections: int = 8,
    n_workers: int = 2,
    n_moves: int = 20,
    seed: int = 0,
    retrain: tuple[str, ...] | None = None,
    judge_memory: bool = True,
) -> Measured:
    """Return what became of a load on a server of two versions.

    Parameters
    ----------
    store : Store
        With the versions 1 and 2, and users whose ids count from 1.
    n_requests, n_connections, n_workers, n_moves, seed : int
    retrain : tuple of str, optional
        Arguments of a training beside the load; None for no training.
    judge_memory : bool
        Whether growth is a problem.
    """
    key = store.run("keys", "create", "soak").strip()
    with (
        store.served("--workers", str(n_workers)) as server,
        Client(server.address, api_key=key) as client,
    ):
        traffic = _learned(client, server, key, seed, n_connections)
        disturbed = Disturbances(store, server, client, (1, 2), n_requests, n_moves, retrain)

        def judge(asked: load.Request, answer: load.Answer) -> None:
            traffic.check(asked, answer)
            disturbed.answered()

        with disturbed:
            asked = traffic.draw(n_requests)
            done = load.apply(server.port, asked, n_connections, judge, RENEW_AFTER)
        traffic.check_kept(_known(client, {user_id for user_id, _ in traffic.kept}))
    problems = traffic.problems + disturbed.problems
    if done.n_dropped:
        problems.append(f"{done.n_dropped} requests without an answer")
    if disturbed.n_moved != n_moves or not {1, 2} <= traffic.served.keys():
        problems.append(f"{disturbed.n_moved} moves, answers by version: {dict(traffic.served)}")
    grown = growth(disturbed.memory, n_requests)
    if judge_memory and not grown.is_flat:
        problems.append(
            f"the workers' memory grew by {grown.growth_mb:.1f} MB after the warm-up, "
            f"at {grown.level_mb:.0f} MB; noise is up to {grown.noise_mb:.1f} MB"
        )
    return Measured(
        n_answers=len(done.latencies),
        n_not_modified=done.statuses[304],
        answers_per_second=done.per_second,
        p50_ms=done.milliseconds(50),
        p99_ms=done.milliseconds(99),
        n_repeated=done.n_repeated,
        n_ratings=len(traffic.kept),
        n_moves=disturbed.n_moved,
        growth=grown,
        memory=disturbed.memory,
        problems=problems,
    )


def _learned(client: Client, server: Server, key: str, seed: int, n_connections: int) -> Traffic:
    """Return the traffic, having asked both versions everything in quiet; the first is served."""
    items = [item["item_id"] for item in client.list_items(limit=100)["items"]]
    n_users = client.show_model("champion")["data_set"]["n_users"]
    candidates = [str(number) for number in range(1, n_users + 1)]
    traffic = Traffic(candidates, items, key, np.random.default_rng(seed))
    for model_id in (2, 1):
        client.promote_model(model_id)
        # Twice: while a worker loads a version, it still answers from the one before.
        load.apply(server.port, iter(traffic.questions), n_connections)
        load.apply(server.port, iter(traffic.questions), n_connections, traffic.learn)
    return traffic


def _known(client: Client, user_ids: set[str]) -> dict[str, dict[str, float | None]]:
    return {
        user_id: {
            rating["item_id"]: rating["rating"]
            for rating in client.follow(client.list_ratings(user_id, limit=100))
        }
        for user_id in user_ids
    }


def as_text(measured: Measured) -> str:
    """Return what was measured in sentences."""
    verdict = "\n".join(measured.problems[:20]) or "Nothing was wrong."
    grown, warm_up = measured.growth, int(WARM_UP * measured.n_answers)
    return (
        f"{measured.n_answers:,} answers, {measured.n_not_modified:,} of them 304, "
        f"{measured.answers_per_second:.0f} per second, p50 {measured.p50_ms:.1f} ms, "
        f"p99 {measured.p99_ms:.1f} ms\n"
        f"{measured.n_moves} promotions and rollbacks, a training, and a worker restarted; "
        f"{measured.n_repeated} requests sent again as it had ended before it read them\n"
        f"{measured.n_ratings:,} ratings kept\n"
        f"Private memory of the workers: {grown.first_mb:.0f} MB at first; after a warm-up of "
        f"{warm_up:,} requests {grown.level_mb:.0f} MB, {grown.per_100k_mb:+.2f} MB per 100,000 "
        f"requests, {grown.growth_mb:+.1f} MB in all; noise is up to {grown.noise_mb:.1f} MB\n"
        f"{len(measured.problems)} problems. {verdict}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was measured; return 0 if nothing was wrong, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000, help="how many")
    parser.add_argument("--connections", type=int, default=8, help="open at a time")
    parser.add_argument("--workers", type=int, default=2, help="of the server")
    parser.add_argument("--seed", type=int, default=0, help="of what is asked")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="recsys-soak-") as folder:
        store = Store(Path(folder))
        for number in (1, 2):
            store.run("train", *TRAIN, "--seed", str(number), "--no-promote")
        store.run("models", "promote", "1")
        measured = soak(
            store,
            n_requests=options.requests,
            n_connections=options.connections,
            n_workers=options.workers,
            seed=options.seed,
            retrain=(*TRAIN, "--seed", "3"),
        )
    print(json.dumps(asdict(measured), indent=2) if options.json else as_text(measured))
    return 1 if measured.problems else 0


if __name__ == "__main__":
    sys.exit(main())
