"""What the pages point to and show is there."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from api.schemas.recommendations import RecommendationList
from recsys.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("data/*/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    here = [target.partition("#")[0] for target in targets if "://" not in target]
    missing = [target for target in here if target and not (page.parent / target).exists()]
    assert missing == []


def test_the_readme_names_only_commands_and_benchmarks_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"\brecsys ([a-z-]+)", text)) - {"&&"}
    assert commands <= set(main.list_commands(None))
    for name in re.findall(r"benchmarks\.([a-z_]+)", text):
        assert (ROOT / "benchmarks" / f"{name}.py").exists() or (
            ROOT / "benchmarks" / name
        ).is_dir()


def test_the_answer_shown_in_the_readme_is_one_of_the_service():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (answer,) = re.findall(r"```json\n(.*?)```", text, re.S)
    # What is empty unless asked for may be left out.
    blank = {"low": None, "high": None, "baseline": None, "stars_baseline": None, "reasons": []}
    whole = json.loads(answer)
    whole["items"] = [blank | item for item in whole["items"]]
    shown = RecommendationList.model_validate(whole)
    assert [item.rank for item in shown.items] == [1, 2]
    assert f"limit={len(shown.items)}" in text


def test_make_alone_lists_the_targets():
    # As typed by a person, also where the tests themselves were started by make.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    listed = subprocess.run(
        ["make"], cwd=ROOT, env=outside, capture_output=True, text=True, check=True
    )
    targets = [line.split()[0] for line in listed.stdout.splitlines()]
    assert targets == [
        "setup", "serve", "train", "report", "test", "check", "lint", "types", "bench", "soak",
        "fuzz", "migrate", "clean",
    ]  # fmt: skip
