"""Time and memory of many ratings, whole: ``python -m benchmarks.volume [--rows N] [--json]``.

`recsys train` runs from a cold file to the stored model, in a process of its own and a database
of its own. Then everybody's list over the full catalogue is scored, with random embeddings: it
takes as long as with trained ones. Peaks are those of the whole process; of scoring, what it
needs beside the ratings and the embeddings is told too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from benchmarks.apart import apart
from benchmarks.reading.files import FORMS, prepare, synthetic
from benchmarks.storing import snapshot_of
from recsys.data.split import held_out
from recsys.evaluation.evaluate import evaluate

BUILD = Path("var", "benchmarks", "reading")
LARGEST_PEAK = 2048.0
"""What is aimed at, MiB."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if no peak is above `LARGEST_PEAK`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.volume", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="ratings")
    parser.add_argument(
        "--form", choices=FORMS, default="sorted", help="of the file, as in benchmarks.reading"
    )
    parser.add_argument("--n-epochs", type=int, default=10)
    parser.add_argument("--n-factors", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--scoring-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.scoring_only:
        print(json.dumps(score(options.rows, options.n_factors, options.seed)))
        return 0
    path = apart(prepare, BUILD, options.form, options.rows, options.seed)
    told = {
        "settings": {k: v for k, v in vars(options).items() if k not in ("json", "scoring_only")},
        "train": train(path, options),
        "score": _child(_scoring(options), {})[1],
    }
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        print(f"{options.rows:,} ratings, {options.n_factors} factors, seed {options.seed}\n")
        rows = [
            ["recsys train, cold file to stored model", told["train"]["seconds"], None,
             told["train"]["peak_mib"]],
            [f"lists for {told['score']['n_users']:,} users", told["score"]["seconds"],
             told["score"]["extra_mib"], told["score"]["peak_mib"]],
        ]  # fmt: skip
        print(tabulate(rows, ["", "seconds", "extra MiB", "peak MiB"], floatfmt=".0f"))
    return int(max(told["train"]["peak_mib"], told["score"]["peak_mib"]) > LARGEST_PEAK)


def train(path: Path, options: argparse.Namespace) -> dict[str, float]:
    """Return the seconds and the peak of the command, nothing read before."""
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        command = [
            "-m", "recsys", "--database-url", f"sqlite:///{folder}/recsys.db", "train",
            "--data", str(path), "--objective", "rating", "--json",
            "--n-epochs", str(options.n_epochs), "--n-factors", str(options.n_factors),
            "--threads", str(options.threads), "--seed", str(options.seed),
        ]  # fmt: skip
        measured, result = _child(command, {"RECSYS_CACHE": "off"})
    return measured | {"train_seconds": result["train_seconds"], **result["metrics"]}


def score(n_ratings: int, n_factors: int, seed: int) -> dict[str, float]:
    """Return what scoring everybody's list takes, ratings and embeddings apart."""
    rng = np.random.default_rng(seed)
    ratings = synthetic(n_ratings, rng)
    is_test = held_out(ratings)
    train, test = ratings.select(~is_test), ratings.select(is_test)
    snapshot = snapshot_of(ratings, n_factors, rng)
    del ratings, is_test
    Path("/proc/self/clear_refs").write_text("5")  # what was the peak until here is forgotten
    before = _status("VmRSS")
    started = time.perf_counter()
    evaluate(snapshot, train, test)
    seconds, peak = time.perf_counter() - started, _status("VmHWM")
    return {
        "n_users": train.n_users,
        "n_items": train.n_items,
        "seconds": seconds,
        "extra_mib": peak - before,
        "peak_mib": peak,
    }


def _scoring(options: argparse.Namespace) -> list[str]:
    numbers = {"--rows": options.rows, "--n-factors": options.n_factors, "--seed": options.seed}
    given = (text for name, number in numbers.items() for text in (name, str(number)))
    return ["-m", "benchmarks.volume", "--scoring-only", *given]


def _status(name: str) -> float:
    """Return a figure of this process's memory, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024


def _child(
    command: Sequence[str], environment: Mapping[str, str]
) -> tuple[dict[str, float], Mapping[str, Any]]:
    """Return the seconds and the peak of a process of ours, and the JSON object it printed."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, env=os.environ | environment
    ) as process:
        printed = process.stdout.read() if process.stdout else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_mib": used.ru_maxrss / 1024}, json.loads(printed)


if __name__ == "__main__":
    sys.exit(main())
