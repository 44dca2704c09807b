"""A long load with everything going on beside it: ``python -m benchmarks.soak``.

Two versions are trained in a temporary folder and served. What each of them answers to a thousand
questions is noted in quiet. Then the same questions are asked again and again over several
connections, with ratings in between, while the champion is promoted and rolled back twenty times,
another version is trained, and a worker is restarted by SIGTERM. Then no answer may be an error or
missing, each must be, to the byte, what the version that it names answered in quiet, no
acknowledged rating may be lost, and the workers' memory must not grow.
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
from benchmarks.soak.traffic import Traffic
from recsys.client import Client

# The part of the requests before memory is judged: in its first promotions a worker holds two
# versions at a time, and keeps what that took. And the growth that is taken for none.
WARM_UP, FLAT = 0.4, 0.05
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
    memory_mb, growth_mb : float
        Private memory of all workers: its median after the warm-up, and what a straight line
        through the samples since then grows by.
    growth_mb_per_million : float
        The same for a million requests.
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
    memory_mb: float
    growth_mb: float
    growth_mb_per_million: float
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
    flat: float | None = FLAT,
) -> Measured:
    """Return what became of a load on a server of two versions.

    Parameters
    ----------
    store : Store
        With the versions 1 and 2, and users whose ids count from 1.
    n_requests, n_connections, n_workers, n_moves, seed : int
    retrain : tuple of str, optional
        Arguments of a training beside the load; None for no training.
    flat : float, optional
        The part of the workers' memory by which it may grow; None if that is not judged.
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
            done = load.apply(server.port, traffic.draw(n_requests), n_connections, judge)
        traffic.check_kept(_known(client, {user_id for user_id, _ in traffic.kept}))
    problems = traffic.problems + disturbed.problems
    if done.n_dropped:
        problems.append(f"{done.n_dropped} requests without an answer")
    if disturbed.n_moved != n_moves or not {1, 2} <= traffic.served.keys():
        problems.append(f"{disturbed.n_moved} moves, answers by version: {dict(traffic.served)}")
    level, growth, span = _growth(disturbed.memory, n_requests)
    if flat is not None and growth > flat * level:
        problems.append(f"the workers' memory grew by {growth:.1f} MB, from {level:.0f} MB")
    return Measured(
        n_answers=len(done.latencies),
        n_not_modified=done.statuses[304],
        answers_per_second=done.per_second,
        p50_ms=done.milliseconds(50),
        p99_ms=done.milliseconds(99),
        n_repeated=done.n_repeated,
        n_ratings=len(traffic.kept),
        n_moves=disturbed.n_moved,
        memory_mb=level,
        growth_mb=growth,
        growth_mb_per_million=growth / span * 1e6,
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


def _growth(memory: list[tuple[int, float]], n_requests: int) -> tuple[float, float, float]:
    """Return the median, what a straight line grows by, and over how many requests."""
    at, megabytes = np.array([each for each in memory if each[0] >= WARM_UP * n_requests]).T
    slope, _ = np.polyfit(at, megabytes, 1)
    span = float(at[-1] - at[0])
    return float(np.median(megabytes)), float(slope) * span, span


def as_text(measured: Measured) -> str:
    """Return what was measured in sentences."""
    verdict = "\n".join(measured.problems[:20]) or "Nothing was wrong."
    return (
        f"{measured.n_answers:,} answers, {measured.n_not_modified:,} of them 304, "
        f"{measured.answers_per_second:.0f} per second, p50 {measured.p50_ms:.1f} ms, "
        f"p99 {measured.p99_ms:.1f} ms\n"
        f"{measured.n_moves} promotions and rollbacks, a training, and a worker restarted; "
        f"{measured.n_repeated} requests sent again as it had ended before it read them\n"
        f"{measured.n_ratings:,} ratings kept\n"
        f"Private memory of the workers: {measured.memory_mb:.0f} MB, "
        f"{measured.growth_mb:+.1f} MB after the warm-up, "
        f"{measured.growth_mb_per_million:+.1f} MB per million requests\n"
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
