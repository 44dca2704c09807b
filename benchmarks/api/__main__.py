"""How many answers per second the service gives, and how soon: ``python -m benchmarks.api``.

Ours: `recsys train` makes a version with 64 factors for each of both objectives on the embedded
data (9,066 items), and `recsys serve` serves it with two workers, as it does unless told
otherwise: a log line, metrics and an ``ETag`` for each answer, which has titles, predicted stars
and intervals beside the ids. Asked for are lists that were not asked for before, which are computed
anew; lists asked for again, which a worker may have kept; lists whose ``ETag`` is sent back;
newcomers with twenty ratings; and predictions of ten items.

Theirs, where Cornac is installed: a matrix factorisation with as many factors on the same ratings,
in Cornac's own serving app. It computes each list anew: ten ids, without what the user rated, as
ours. It is started twice: by ``flask run``, as its documentation says, which is one process with a
thread and a new connection for each request; and, as it may be deployed, by gunicorn with as many
workers and threads as ours. It is asked for the list of each user again and again. Compared with it
are ours that are asked for likewise, and those that were not asked for before; the goal is about
``flask run``, the ratios to gunicorn are told beside it.

All are asked by the same client over 1, 2, 8 and 32 connections, kept open where the server does
and renewed ten times a turn: of two connections, one worker may have both. They take turns, so that
what else the machine does meets all; the median of the turns counts, and of each server the number
of connections that it is fastest with. The goals: three times the answers per second of Cornac's
server, to the same questions and with each list new; lists with a p50 within 2 ms and a p99 within
10 ms over two connections, and 1,000 of them per second; and from a catalogue of a million items,
each scored, a p99 within 50 ms.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from tabulate import tabulate

from benchmarks.api import cornac, large
from benchmarks.api.questions import (
    AGAIN,
    CORNAC,
    DEPLOYED,
    LARGE,
    LISTS,
    Asked,
    of_large,
    ours,
    theirs,
)
from benchmarks.serving import load
from benchmarks.serving.load import Load
from benchmarks.serving.service import Store, private_mb
from recsys.data.readers import read_ratings

N_FACTORS = 64
N_CONNECTIONS, MODERATE = (1, 2, 8, 32), 2
TIMES_CORNAC, MOST_P50_MS, MOST_P99_MS, LEAST_PER_SECOND = 3, 2.0, 10.0, 1000
MOST_LARGE_P99_MS = 50.0
# Of two connections, one worker may take both, or each worker one: no turn is to be all of a kind.
_RENEWALS = 10


@dataclass(frozen=True)
class Row:
    """What one kind of request took over so many connections; medians of the turns.

    Attributes
    ----------
    what : str
    n_connections : int
    per_second, p50_ms, p99_ms : float
    cpu_ms : float
        Processor time of the server per answer.
    client_share : float
        Part of a core that the client took: well below 1, it was not what was measured.
    """

    what: str
    n_connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    client_share: float


def measure(
    asked: Sequence[Asked],
    n_requests: int,
    n_turns: int,
    numbers_of_connections: Sequence[int] | None = None,
) -> list[Row]:
    """Return what each kind took over each number of connections, `N_CONNECTIONS` by default.

    Raises
    ------
    RuntimeError
        If there was an error.
    """
    found: dict[tuple[str, int], list[tuple[Load, float]]] = {}
    for _ in range(n_turns):
        for n_connections in numbers_of_connections or N_CONNECTIONS:
            for kind in asked:
                some, before = islice(kind.requests, n_requests), kind.server.cpu_seconds
                renew_after = max(1, n_requests // (_RENEWALS * n_connections))
                done = load.apply(kind.server.port, some, n_connections, renew_after=renew_after)
                cpu_ms = (kind.server.cpu_seconds - before) * 1000 / n_requests
                if done.n_dropped or not done.statuses.keys() <= {200, 304}:
                    raise RuntimeError(f"{kind.what}: {dict(done.statuses)}")
                found.setdefault((kind.what, n_connections), []).append((done, cpu_ms))
    return [_row(what, n_connections, loads) for (what, n_connections), loads in found.items()]


def goals(rows: Sequence[Row]) -> dict[str, bool | None]:
    """Return which goals are reached; None where there is nothing to compare with."""
    fastest = _fastest(rows, LISTS)
    largest = next(
        (row for row in rows if (row.what, row.n_connections) == (LARGE, MODERATE)), None
    )
    (moderate,) = (row for row in rows if (row.what, row.n_connections) == (LISTS, MODERATE))
    compared = {"asked the same": AGAIN, "each list new": LISTS}
    ratios = {how: times(rows, what, CORNAC) for how, what in compared.items()}
    return {
        f"{TIMES_CORNAC} times Cornac's answers per second, {how}": None
        if ratio is None
        else ratio >= TIMES_CORNAC
        for how, ratio in ratios.items()
    } | {
        f"p50 within {MOST_P50_MS:g} ms, p99 within {MOST_P99_MS:g} ms": moderate.p50_ms
        <= MOST_P50_MS
        and moderate.p99_ms <= MOST_P99_MS,
        f"{LEAST_PER_SECOND:,} lists per second": (fastest or 0) >= LEAST_PER_SECOND,
        f"large catalogue: p99 within {MOST_LARGE_P99_MS:g} ms": None
        if largest is None
        else largest.p99_ms <= MOST_LARGE_P99_MS,
    }


def times(rows: Sequence[Row], what: str, peer: str) -> float | None:
    """Return how many times the answers per second of a peer ours are; None without either."""
    ours, theirs = _fastest(rows, what), _fastest(rows, peer)
    return None if ours is None or theirs is None else ours / theirs


def _fastest(rows: Sequence[Row], what: str) -> float | None:
    return max((row.per_second for row in rows if row.what == what), default=None)


def _row(what: str, n_connections: int, turns: Sequence[tuple[Load, float]]) -> Row:
    def middle(value: Callable[[Load], float]) -> float:
        return median(value(done) for done, _ in turns)

    return Row(
        what,
        n_connections,
        middle(lambda done: done.per_second),
        middle(lambda done: done.milliseconds(50)),
        middle(lambda done: done.milliseconds(99)),
        median(cpu_ms for _, cpu_ms in turns),
        middle(lambda done: done.client_share),
    )


def compare(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return all figures, having trained and served in ``folder``."""
    ratings = read_ratings(options.data)
    rng = np.random.default_rng(options.seed)
    store = Store(folder)
    data = () if options.data is None else ("--data", str(Path(options.data).resolve()))
    store.run("train", *data, "--n-factors", str(N_FACTORS), "--n-epochs", "2")
    with ExitStack() as stack:
        server = stack.enter_context(store.served("--workers", str(options.workers)))
        asked = ours(server, ratings, rng)
        if cornac.is_installed():
            model = cornac.train(ratings, N_FACTORS, folder)
            for what, n_workers in ((CORNAC, None), (DEPLOYED, options.workers)):
                peer = stack.enter_context(cornac.served(model, n_workers))
                asked.append(theirs(peer, what, ratings, rng))
        rows = measure(asked, options.requests, options.turns)
        memory = [private_mb(pid) for pid in server.workers]
    if options.large_items:
        shape = (options.large_items, N_FACTORS, options.workers, rng)
        with large.served(folder / "large", *shape) as server:
            n_requests = max(1, options.requests // 5)
            rows += measure([of_large(server, rng)], n_requests, options.turns, (1, MODERATE))
    return {
        "data": ratings.name,
        "n_items": ratings.n_items,
        "n_factors": N_FACTORS,
        "n_large_items": options.large_items,
        "n_workers": options.workers,
        "n_requests": options.requests,
        "n_turns": options.turns,
        "seed": options.seed,
        "cornac": cornac.is_installed(),
        "times_cornac": {
            what: {peer: times(rows, what, peer) for peer in (CORNAC, DEPLOYED)}
            for what in (AGAIN, LISTS)
        },
        "rows": [asdict(row) for row in rows],
        "memory_mb_per_worker": memory,
        "goals": goals(rows),
    }


def as_text(found: dict[str, Any]) -> str:
    """Return the figures as a table and what they mean."""
    table = tabulate(
        [
            (
                row["what"],
                row["n_connections"],
                f"{row['per_second']:.0f}",
                f"{row['p50_ms']:.1f}",
                f"{row['p99_ms']:.1f}",
                f"{row['cpu_ms']:.2f}",
                f"{row['client_share']:.2f}",
            )
            for row in found["rows"]
        ],
        headers=("what", "connections", "per second", "p50 ms", "p99 ms", "cpu ms", "client"),
        disable_numparse=True,
        colalign=("left", *["right"] * 6),
    )
    said = {True: "reached", False: "missed", None: "not measured"}
    ratios = "".join(
        f"{what.capitalize()}, per second over those of {peer}: {ratio:.2f}\n"
        for what, peers in found["times_cornac"].items()
        for peer, ratio in peers.items()
        if ratio is not None
    )
    verdicts = "\n".join(f"- {goal}: {said[reached]}" for goal, reached in found["goals"].items())
    memory = ", ".join(f"{megabytes:.0f}" for megabytes in found["memory_mb_per_worker"])
    return (
        f"{found['data']}, {found['n_items']:,} items, {found['n_factors']} factors, "
        f"{found['n_workers']} workers, {found['n_requests']:,} requests a turn, "
        f"median of {found['n_turns']} turns, seed {found['seed']}; "
        f"the large catalogue has {found['n_large_items']:,} items\n\n{table}\n\n{ratios}"
        f"Private memory of each worker in MB: {memory}\n\n{verdicts}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return 0 if no goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--data", help="ratings to train on; default: the embedded set")
    parser.add_argument("--workers", type=int, default=2, help="of the server")
    parser.add_argument("--requests", type=int, default=1000, help="of each kind, per turn")
    parser.add_argument("--large-items", type=int, default=1_000_000, help="0: leave them out")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of what is asked")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="recsys-api-") as folder:
        found = compare(Path(folder), options)
    print(json.dumps(found, indent=2) if options.json else as_text(found))
    return 1 if False in found["goals"].values() else 0


if __name__ == "__main__":
    sys.exit(main())
