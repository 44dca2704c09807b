"""The report as somebody opens it from disk, in a browser without network."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

SCREENS = {
    "light, wide": {"color_scheme": "light", "viewport": {"width": 1200, "height": 900}},
    "dark, phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}},
}


@pytest.fixture(params=SCREENS)
def opened(browser, written, tmp_path, request):
    """The report without what lies beside it; it must raise no fault and ask for nothing."""
    context = browser.new_context(offline=True, **SCREENS[request.param])
    page = context.new_page()
    faults, asked = [], set()
    page.on("console", lambda said: faults.append(said.text))
    page.on("request", lambda request: asked.add(request.url.split(":", 1)[0]))
    page.goto(Path(shutil.copy(written, tmp_path)).as_uri())
    yield page
    context.close()
    assert faults == []
    assert asked <= {"file", "data"}


def test_every_section_and_picture_is_there_and_nothing_is_wider_than_the_screen(opened):
    sections = opened.locator("section").all()
    assert len(sections) == 13
    for section in sections:
        heading, *body = section.locator("> *").all()
        assert heading.bounding_box()["height"] > 0
        assert sum(part.bounding_box()["height"] for part in body) > 40
    widths = opened.locator("img").evaluate_all("all => all.map((one) => one.naturalWidth)")
    assert len(widths) == 10
    assert all(width > 0 for width in widths)
    width = opened.evaluate("document.documentElement.scrollWidth")
    assert width <= opened.viewport_size["width"]


def test_no_serious_fault_of_accessibility_is_found(opened):
    faults = Axe().run(opened).response["violations"]
    assert [each["id"] for each in faults if each["impact"] in {"serious", "critical"}] == []
