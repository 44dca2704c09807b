"""docs/evaluation.md says what is so."""

import doctest
import re
from pathlib import Path

from recsys.evaluation.evaluate import score_names
from recsys.model.baselines import BASELINES, LIST_BASELINES

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_examples_print_what_the_page_shows():
    # Without its fences, which would pass for expected output.
    text = re.sub(r"^```.*$", "", TEXT, flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    told = []
    results = doctest.DocTestRunner().run(examples, out=told.append)
    assert results.failed == 0, "".join(told)
    assert results.attempted > 15


def test_every_score_and_baseline_is_explained():
    names = [name.replace("@10", "@k") for name in score_names()]
    assert [
        name for name in (*names, *BASELINES, *LIST_BASELINES) if f"| `{name}` |" not in TEXT
    ] == []


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (PAGE.parent / target).exists(), target
