"""Pictures of the pages for the documentation: ``python -m benchmarks.screenshots``.

Wants a database with two versions of the embedded data set, as two times `recsys train` makes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.browsing import chromium, served

FOLDER = Path(__file__).parents[1] / "docs" / "images"
# Matrix, Toy Story, Fargo, Pulp Fiction.
VIEWS = {
    "recommend": "/?rated=2571:5,1:4,608:5,296:2",
    "user": "/users/1?without=1172",
    "explore": "/explore?colour=bias&item=2571",
    "insights": "/insights?limit=8",
    "models": "/models",
    "comparison": "/models/compare?from=1&to=2",
    "drift": "/models/compare/drift?from=1&to=2",
}
WIDE = {"width": 1200, "height": 860}
PHONE = {"width": 390, "height": 844}
SCREENS = {"light": ("light", WIDE), "dark": ("dark", WIDE), "phone": ("light", PHONE)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a picture of each view in both colour schemes, and as a phone shows it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("--database-url", default="sqlite:///var/recsys.db")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with served(options.database_url) as address, chromium() as browser:
        for screen, (scheme, size) in SCREENS.items():
            context = browser.new_context(
                base_url=address, color_scheme=scheme, viewport=size, reduced_motion="reduce"
            )
            page = context.new_page()
            for name, url in VIEWS.items():
                file = options.out / f"page_{name}_{screen}.png"
                _show(page, url)
                page.screenshot(path=file)
                print(file)
            context.close()
    return 0


def _show(page: Page, url: str) -> None:
    answer = page.goto(url)
    if answer is None or not answer.ok:
        raise RuntimeError(f"{url} is no page to picture: {page.title()}")
    if url.startswith("/explore"):
        page.locator("#film li").first.wait_for()
        page.locator("#whole").click()  # the film, and where it lies among the others
        page.locator(".rays line").first.wait_for(state="attached")


if __name__ == "__main__":
    sys.exit(main())
