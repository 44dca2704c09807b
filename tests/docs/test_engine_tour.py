import doctest
import re
import runpy
from pathlib import Path

import recsys.nn

DOCS = Path(__file__).parents[2] / "docs"
TOUR = (DOCS / "engine.md").read_text(encoding="utf-8")
BLOCKS = list(re.finditer(r"```pycon\n(.*?)```", TOUR, flags=re.DOTALL))


def test_every_code_block_of_the_tour_prints_what_the_page_says():
    assert len(BLOCKS) > 20
    runner, report = doctest.DocTestRunner(), []
    variables = {"__name__": "tour"}  # a block stands on those before it
    for block in BLOCKS:
        line = TOUR[: block.start(1)].count("\n")
        test = doctest.DocTestParser().get_doctest(
            block[1], variables, "engine.md", str(DOCS / "engine.md"), line
        )
        runner.run(test, out=report.append, clear_globs=False)
        variables = test.globs
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def test_no_code_block_escapes_the_test():
    assert TOUR.count("```") == 2 * len(BLOCKS)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TOUR):
        assert (DOCS / target).exists(), target


def test_the_pictures_are_drawn_by_the_committed_script(tmp_path):
    script = runpy.run_path(str(DOCS / "images" / "draw_engine.py"))
    script["main"](tmp_path)
    shown = set(re.findall(r"images/(\w+\.png)", TOUR))
    assert shown == {path.name for path in tmp_path.iterdir()}
    for name in shown:
        assert (tmp_path / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_every_name_in_the_symbol_table_is_one_of_the_code():
    table = TOUR[TOUR.index("## Symbols") :]
    sources = Path(recsys.nn.__path__[0]).glob("*.py")
    code = "".join([path.read_text(encoding="utf-8") for path in sources])
    code += "".join([block[1] for block in BLOCKS])
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")][1:]
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row[2])]
    assert len(names) > 20
    assert [name for name in names if re.split(r"[.(]", name)[0] not in code] == []
