import pytest


def test_rates_go_from_start_to_end_and_one_is_suggested(shop, done):
    asked = ("lr-find", "--data", shop, "--start", 0.001, "--end", 0.1, "--steps", 20, "--json")
    told = done(*asked).json
    assert told["rates"][0] == pytest.approx(0.001)
    assert told["rates"][-1] <= 0.1 * (1 + 1e-9)
    assert len(told["rates"]) == len(told["losses"]) == len(told["smoothed"]) <= 20


def test_without_start_and_end_the_rates_lie_around_the_default(shop, done):
    told = done("lr-find", "--data", shop, "--steps", 10, "--json").json
    assert told["rates"][0] == pytest.approx(told["default"] / 1000)


def test_a_curve_that_cannot_be_kept_is_told_all_the_same(shop, done, home):
    (home / "var").write_text("in the way")
    told = done("lr-find", "--data", shop, "--steps", 10, "--json")
    assert told.json["rates"]
    assert "the curve is not kept for the report: var" in told.err


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (("--start", 0), "--start is 0; allowed: a finite rate above 0"),
        (("--end", 0), "--end is 0; allowed: a finite rate above 0"),
        (("--end", "inf"), "--end is inf; allowed"),
        (("--start", "nan"), "--start is nan; allowed"),
        (("--start", 1, "--end", 0.5), "--start is 1 and --end 0.5; allowed: a higher --end"),
    ],
)
def test_rates_that_cannot_be_are_refused_before_any_data_is_read(recsys, given, complaint):
    refused = recsys("lr-find", "--data", "missing.csv", *given)
    assert (refused.code, refused.out) == (2, "")
    assert complaint in refused.err
