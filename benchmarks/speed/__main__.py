"""How fast the trainer is, beside LIBMF: ``python -m benchmarks.speed``.

Synthetic ratings in the shape of a MovieLens set. Each system trains in a process of its own and
they take turns, an epoch each, so that noise falls on all alike; the median epoch counts, without
the first. ``recsys`` is the dot product with biases; LIBMF's model is the dot product alone, its
optimizer Adagrad. Both are penalised and float32, and of as many factors; in the race to an RMSE
(``--target``) each has its best number, unless ``--n-factors`` is given.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmarks.apart import apart
from benchmarks.speed.curve import curve
from benchmarks.speed.libmf import NotBuiltError, build
from benchmarks.speed.machine import machine
from benchmarks.speed.shapes import SHAPES, prepare
from benchmarks.speed.target import times_to_targets
from benchmarks.speed.turns import Entrant, Timed, libmf, ours, race, surprise

BUILD = Path("var/benchmarks")
N_EPOCHS_OF_A_TRAINING = 20
PLAIN: Mapping[str, Any] = {"implicit": False, "early_stopping": 0}
OTHERS: Mapping[str, Mapping[str, Any]] = {
    "y_range": {**PLAIN, "y_range": [0, 7]},
    "clip": {**PLAIN, "clip": 1.0},
    "ranking": {"objective": "ranking"},
    "implicit terms": {"implicit": True, "early_stopping": 0},
}
_N_FACTORS = 64
_FEW_EPOCHS = 3
"""Of the others, which may be slow."""


def entrants(folder: Path, options: argparse.Namespace) -> list[Entrant]:
    """Return all that take part; LIBMF is the second, if it can be built."""
    own = {"n_factors": options.n_factors, "n_epochs": options.epochs, "seed": options.seed}
    taking_part = [ours("recsys", folder, {**PLAIN, **own}, options.threads)]
    try:
        settings = {"lambda": 0.05, "eta": 0.1, **own}
        taking_part.append(libmf(build(BUILD), folder, settings, options.threads))
    except NotBuiltError as error:
        print(f"LIBMF could not be built: {error}", file=sys.stderr)
    if not options.plain:
        few = {**own, "n_epochs": min(options.epochs, _FEW_EPOCHS)}
        taking_part += [
            ours(f"recsys, {name}", folder, {**settings, **few}, options.threads)
            for name, settings in OTHERS.items()
        ]
        if options.shape == "ml-100k" and find_spec("surprise"):
            taking_part.append(surprise(folder, few))
    return taking_part


def as_rows(taking_part: Sequence[Entrant], timed: Sequence[Timed]) -> list[dict[str, Any]]:
    """Return a row per system."""
    return [
        {
            "system": entrant.name,
            "million_ratings_per_second": each.rate / 1e6,
            "layout_seconds": each.layout_seconds,
            f"seconds_for_{N_EPOCHS_OF_A_TRAINING}_epochs": each.training(N_EPOCHS_OF_A_TRAINING),
            "peak_mib": each.peak_mib,
            "settings": dict(entrant.settings),
        }
        for entrant, each in zip(taking_part, timed, strict=True)
    ]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return everything that was asked for."""
    folder = apart(prepare, options.shape, SHAPES[options.shape], options.seed, BUILD)
    told: dict[str, Any] = {
        "shape": options.shape, "seed": options.seed, "n_threads": options.threads,
        "n_factors": options.n_factors, **machine(),
    }  # fmt: skip
    if options.curve:
        return told | {"curve": curve(options.n_factors, options.threads, options.seed, BUILD)}
    if options.target:
        reached = times_to_targets(folder, build(BUILD), options.n_factors, options.threads)
        return told | {"targets": [{**asdict(each), "ratio": each.ratio} for each in reached]}
    taking_part = entrants(folder, options)
    timed = race(taking_part)
    rows = as_rows(taking_part, timed)
    rates = {entrant.name: each.rate for entrant, each in zip(taking_part, timed, strict=True)}
    libmfs = rates.pop("LIBMF", None)
    ratios = {name: rate / libmfs for name, rate in rates.items()} if libmfs else {}
    told["ratio_to_libmf"], told["other_ratios"] = ratios.pop("recsys", None), ratios
    return told | {"systems": rows}


def as_text(told: Mapping[str, Any]) -> str:
    """Return what was measured as tables."""
    known = ("systems", "other_ratios", "curve", "targets", "ratio_to_libmf")
    said = {name: value for name, value in told.items() if name not in known and value is not None}
    lines = [", ".join(f"{name} {value}" for name, value in said.items())]
    if "curve" in told:
        lines.append(tabulate(told["curve"], headers="keys", floatfmt=".3g", intfmt=","))
    elif "targets" in told:
        lines += [_target_as_text(target) for target in told["targets"]]
    else:
        shown = [
            {name.replace("_", " "): value for name, value in row.items() if name != "settings"}
            for row in told["systems"]
        ]
        lines.append(tabulate(shown, headers="keys", floatfmt=".1f"))
        ratios = {"recsys": told["ratio_to_libmf"], **told["other_ratios"]}
        if told["ratio_to_libmf"] is not None:
            each = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
            lines.append(f"ratings per second over LIBMF's: {each}")
    return "\n\n".join(lines)


def _target_as_text(target: Mapping[str, Any]) -> str:
    columns = zip(
        ("recsys", "LIBMF"), target["seconds"], target["n_epochs"], target["settings"], strict=True
    )
    return (
        f"validation RMSE {target['target']:.4f}, {target['tolerance']:.1%} above the weaker "
        f"system's best: {target['ratio']:.2f} of LIBMF's seconds\n"
        + tabulate(columns, headers=("", "seconds", "epochs", "settings"), floatfmt=".2f")
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--shape", choices=SHAPES, default="ml-1m")
    parser.add_argument(
        "--n-factors", type=int, help="default: 64; with --target, each system's best number"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=10, help="timed, the first left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="leave the other settings out")
    parser.add_argument("--target", action="store_true", help="time to a validation RMSE instead")
    parser.add_argument("--curve", action="store_true", help="time and memory by size instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.n_factors is None and not options.target:
        options.n_factors = _N_FACTORS
    try:
        told = measure(options)
    except NotBuiltError as error:
        print(f"LIBMF could not be built: {error}", file=sys.stderr)
        return 1
    print(json.dumps(told, indent=2) if options.json else as_text(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
