"""Reading against `pandas`: ``python -m benchmarks.reading [--rows N] [--forms ..] [--json]``.

Each file is read to `Ratings`, and by `pandas.read_csv(engine="pyarrow")` alone, in turns, each
time by a process of its own that tells its seconds and its peak memory. `ours` parses; `cached`
is the second reading, out of what the first kept beside the file. Seconds are medians and compare
within one run alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tabulate import tabulate

from benchmarks.apart import apart
from benchmarks.reading.files import FORMS, prepare

BUILD = Path("var", "benchmarks", "reading")
READERS = ("pandas", "ours", "cached")
LARGEST_RATIO, LARGEST_PEAK = 2.0, 2048.0
"""What is aimed at: times pandas's seconds for whole-number ids, and MiB."""
_COLUMNS = ("seconds", "ratio_to_pandas", "mb_per_second", "peak_mib")
_HEADER = ("ids", "reader", "seconds", "times pandas's", "MB/s", "peak MiB")


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if the goals are reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="ratings of each file")
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--turns", type=int, default=3, help="times each reader reads each file")
    parser.add_argument("--seed", type=int, default=0, help="of the ratings")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    measured = {
        form: measure(apart(prepare, BUILD, form, options.rows, options.seed), options.turns)
        for form in options.forms
    }
    told = {"rows": options.rows, "seed": options.seed, "turns": options.turns, "forms": measured}
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        print(f"{options.rows:,} ratings, seed {options.seed}, medians of {options.turns} turns\n")
        print(tabulate(_rows(measured), _HEADER, floatfmt=("", "", ".2f", ".2f", ".0f", ".0f")))
    return int(not reached(measured))


def measure(path: Path, turns: int) -> dict[str, dict[str, float]]:
    """Return each reader's median seconds, times pandas's, largest peak in MiB, and MB/s."""
    told: dict[str, list[dict[str, float]]] = {reader: [] for reader in READERS}
    _tell(path, "cached")  # the first of these parses, and keeps what it read
    for _ in range(turns):
        for reader, turn in told.items():
            turn.append(_tell(path, reader))
    seconds = {reader: median(turn["seconds"] for turn in turns) for reader, turns in told.items()}
    return {
        reader: {
            "seconds": seconds[reader],
            "ratio_to_pandas": seconds[reader] / seconds["pandas"],
            "peak_mib": max(turn["peak_mib"] for turn in told[reader]),
            "mb_per_second": path.stat().st_size / 1e6 / seconds[reader],
        }
        for reader in READERS
    }


def reached(measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> bool:
    """Say whether whole-number ids are read within the goals, and text within the memory."""
    return all(
        readers["ours"]["peak_mib"] <= LARGEST_PEAK
        and (form == "text" or readers["ours"]["ratio_to_pandas"] <= LARGEST_RATIO)
        for form, readers in measured.items()
    )


def _rows(measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[list[Any]]:
    return [
        [form, name, *(of[key] for key in _COLUMNS)]
        for form, readers in measured.items()
        for name, of in readers.items()
    ]


def _tell(path: Path, reader: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.reading.once", str(path), reader]
    environment = os.environ | {"RECSYS_CACHE": "off" if reader == "ours" else "on"}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    told: dict[str, float] = json.loads(done.stdout)
    return told


if __name__ == "__main__":
    sys.exit(main())
