"""Reads one file one way, and prints the seconds and the peak memory: started by the benchmark."""

from __future__ import annotations

import json
import resource
import sys
import time


def main(path: str, reader: str) -> None:
    """Print one JSON object. What is imported does not count, what is read lazily does."""
    if reader == "pandas":
        import pandas as pd
        import pyarrow.csv  # noqa: F401  what pandas would import while the clock runs

        started = time.perf_counter()
        pd.read_csv(path, engine="pyarrow")
    else:
        from recsys.data.readers import cache, read_ratings

        cache.WORTH_IT = 0
        started = time.perf_counter()
        read_ratings(path)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
