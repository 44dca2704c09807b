"""How long the map takes to draw many films: ``python -m benchmarks.map_frames``.

The page is handed random points, and its wheel is turned. What is timed is the drawing of each
frame by the page's own script, and how far apart the frames were that the browser showed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from playwright.sync_api import Page
from tabulate import tabulate

from benchmarks.browsing import chromium, served

N_TURNS = 60
# From the first thing that a drawing does with the canvas to its last.
TIMED = """() => {
  window.drawn = []; window.shown = [];
  const canvas = CanvasRenderingContext2D.prototype, { clearRect, stroke } = canvas;
  let began;
  canvas.clearRect = function (...box) { began = performance.now(); clearRect.apply(this, box); };
  canvas.stroke = function () { stroke.apply(this); window.drawn.push(performance.now() - began); };
  let last = performance.now();
  const tick = (now) => { window.shown.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the median and the 95th percentile, in milliseconds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.map_frames", description=__doc__)
    parser.add_argument("--database-url", default="sqlite:///var/recsys.db")
    parser.add_argument("--n-points", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    points, coordinates = random_points(options.n_points, np.random.default_rng(options.seed))
    with served(options.database_url) as address, chromium() as browser:
        page = browser.new_page(base_url=address, viewport={"width": 1200, "height": 860})
        page.route("**/explore/points.json*", lambda route: route.fulfill(json=points))
        page.route("**/explore/coordinates.json*", lambda route: route.fulfill(json=coordinates))
        drawn, shown = frames(page)
        print(
            f"{options.n_points:,} random points, seed {options.seed}, Chromium {browser.version}"
        )
    rows = [
        (name, statistics.median(times), float(np.percentile(times, 95)))
        for name, times in (("drawing a frame", drawn), ("from frame to frame", shown))
    ]
    print(tabulate(rows, headers=["ms", "median", "95 %"], floatfmt=".1f"))
    return 0


def random_points(n: int, rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the map is drawn from, for ``n`` films that there are not.

    And where they lie along an axis; along all of them alike, as what is drawn takes as long.
    """
    axes = [
        {
            "component": c,
            "explained_variance_ratio": 0.1,
            "label": None,
            "highest": [],
            "lowest": [],
        }
        for c in range(8)
    ]
    points = {
        "model_id": 1,
        "axes": axes,
        "item_id": [str(row) for row in range(n)],
        "title": [f"Film {row}" for row in range(n)],
        "year": rng.integers(1900, 2020, n).tolist(),
        "genre_names": ["Drama"],
        "genres": [[0]] * n,
        "n_ratings": rng.integers(1, 1000, n).tolist(),
        "bias": rng.normal(size=n).round(4).tolist(),
    }
    return points, {"model_id": 1, "coordinates": rng.normal(size=n).round(4).tolist()}


def frames(page: Page) -> tuple[list[float], list[float]]:
    """Return how long each drawing took, and how far apart the frames were, in milliseconds."""
    page.goto("/explore")
    page.locator("#map[data-ready]").wait_for(state="attached")
    page.evaluate(TIMED)
    page.locator("#map").hover()
    for turn in range(N_TURNS):
        page.mouse.wheel(0, -40 if turn % 20 < 10 else 40)
    return page.evaluate("window.drawn"), page.evaluate("window.shown")


if __name__ == "__main__":
    sys.exit(main())
