"""Run every benchmark whose data is at hand, one after the other: ``python -m benchmarks``."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    "accuracy",
    "intervals",
    "lists",
    "bias_titles",
    "fold_in",
    "kills",
    "reading",
    "storing",
    "volume",
    "api",
    "reference",
)


def main() -> int:
    """Return 0 if every benchmark reached what it states as its goal."""
    worst = 0
    for name in BENCHMARKS:
        print(f"\n== python -m benchmarks.{name}\n", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
