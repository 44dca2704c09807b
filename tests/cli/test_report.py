import re

import pytest


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch):
    """Drawing takes most of a report's time, and is tried where it belongs."""
    monkeypatch.setattr("recsys.analysis.report.drawing._render", lambda *_: b"\x89PNG")


def test_the_report_of_a_version_is_written_and_what_was_is_printed(trained, shop, done, home):
    done("train", "--data", shop, "--n-epochs", 1, "--no-promote")
    told = done("report", 2, "--out", "pages")
    page, twin = home / "pages" / "report.html", home / "pages" / "report.md"
    pictures = list((home / "pages").glob("*.png"))
    lines = told.out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{page.relative_to(home)}  ")
    # kB are of 1,000 bytes, MB of a million.
    n_bytes = page.stat().st_size
    size = f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} kB"
    assert lines[0].split("  ")[1].startswith(size)
    assert f"the {len(pictures)} PNG" in lines[1]
    assert lines[1].startswith(str(twin.relative_to(home)))
    assert "version 2" in told.err
    assert "shop.csv" in page.read_text(encoding="utf-8")


def test_scores_are_those_of_the_training_and_the_finder_is_told_where_it_ran(
    trained, shop, done, home
):
    def sections():
        done("report", "--out", "pages")
        return (home / "pages" / "report.md").read_text(encoding="utf-8")

    before = sections()
    assert f"held-out RMSE: {trained['metrics']['rmse']:.3f} stars" in before
    assert f"held-out nDCG@10: {trained['metrics']['ndcg@10']:.3f}" in before
    assert "## Learning-rate finder" not in before
    done("lr-find", "--data", shop, "--steps", 20, "--reg", 0.5)  # of other settings
    assert sections().count("## ") == before.count("## ")
    found = done("lr-find", "--data", shop, "--steps", 20, "--json").json
    after = sections()
    assert "## Learning-rate finder" in after
    suggested = re.search(r"falls most steeply at (\S+) and", after)
    assert suggested.group(1) == f"{found['suggestion']:.3g}"


@pytest.mark.parametrize("version", ["champion", "7"])
def test_without_the_version_there_is_no_report(recsys, home, version):
    refused = recsys("report", version, "--out", "pages")
    assert refused.code == 4
    assert not (home / "pages").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(trained, recsys, home):
    (home / "taken").write_text("")
    refused = recsys("report", "--out", "taken/pages")
    assert refused.code == 1
    assert "version 1" in refused.err  # by default it is the champion's
    assert "taken" in refused.err
    assert "Traceback" not in refused.err
