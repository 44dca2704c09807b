"""Asks a live server what its description allows and what not: ``python -m benchmarks.fuzz``.

Versions of the embedded data are trained in a temporary folder and served by two workers. Then
schemathesis, in the pinned version, reads ``/openapi.json`` and makes requests from it, valid and
invalid ones, from a seed, and checks each answer in all ways it knows: no 5xx, no status, type,
header or schema that is not described, nothing invalid taken, nothing valid refused, no write
without a key. It does so twice: with ids of its own making, and with those of a user and an item
that exist, so that it also reaches what lies behind.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.serving.service import Store

LEAST_CASES = 2_000

# A second run is about somebody who exists, so they are not to be forgotten in it.
_FORGETS = "delete_ratings"


def fuzz(
    address: str,
    key: str,
    n_examples: int,
    seed: int,
    folder: Path,
    known: bool,
    phases: str = "examples,coverage,fuzzing,stateful",
) -> int:
    """Return how many cases a server was tried with; what is found is printed.

    Parameters
    ----------
    address, key : str
        Of the server, and one of its API keys.
    n_examples : int
        Cases for each operation and phase, at most.
    seed : int
    folder : Path
        For schemathesis to work in.
    known : bool
        Whether user 1 and item 1 are asked about, which must exist, or ids of its own making.
    phases : str
        Of schemathesis, separated by commas.

    Raises
    ------
    RuntimeError
        If anything was found.
    """
    configuration = folder / "schemathesis.toml"
    ids = '[parameters]\n"path.user_id" = "1"\n"path.item_id" = "1"\n' if known else ""
    configuration.write_text(ids, encoding="utf-8")
    told = []
    with subprocess.Popen(
        [
            *("schemathesis", "--config-file", configuration.name),
            *("run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *(
                "--checks",
                "all",
                "--phases",
                phases,
                "--seed",
                str(seed),
                "--max-examples",
                str(n_examples),
            ),
            *(
                "--request-timeout",
                "60",
                "--generation-database",
                "none",
                "--continue-on-failure",
                "--no-color",
            ),
            *(("--exclude-operation-id", _FORGETS) if known else ()),
        ],
        executable=str(Path(sys.executable).with_name("schemathesis")),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            told.append(line)
    found = re.search(r"(\d[\d,]*) generated", "".join(told))
    if process.returncode or found is None:
        raise RuntimeError(f"schemathesis ended with {process.returncode}: see above")
    return int(found[1].replace(",", ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was tried; return 0 if there were enough cases and nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=30, help="cases per operation and phase")
    parser.add_argument("--seed", type=int, default=1, help="of the cases")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="recsys-fuzz-") as name:
        folder = Path(name)
        store = Store(folder / "store")
        for seed in (1, 2):
            store.run("train", "--n-epochs", "2", "--seed", str(seed))
        key = store.run("keys", "create", "fuzz").strip()
        try:
            with store.served() as server:
                n_cases = [
                    fuzz(server.address, key, options.examples, options.seed, folder, known)
                    for known in (False, True)
                ]
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
    print(f"\n{sum(n_cases):,} cases, seed {options.seed}: nothing found")
    return 0 if sum(n_cases) >= LEAST_CASES else 1


if __name__ == "__main__":
    sys.exit(main())
