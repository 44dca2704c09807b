import pytest


def test_the_report_of_a_version_is_written_and_its_place_printed(trained, shop, done, home):
    done("train", "--data", shop, "--n-epochs", 1, "--no-promote")
    told = done("report", 2, "--out", "pages")
    page = home / "pages" / "report.html"
    assert told.out.strip() == str(page.relative_to(home))
    assert "version 2" in told.err
    assert "shop.csv" in page.read_text(encoding="utf-8")
    assert (home / "pages" / "report.md").exists()
    assert list((home / "pages").glob("*.png"))


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
