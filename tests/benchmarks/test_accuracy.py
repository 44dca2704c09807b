import json

from benchmarks import accuracy


def test_the_model_beats_every_baseline_on_the_embedded_set(capsys, tmp_path):
    assert accuracy.main(["--json", "--data", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "ML-100k is left out" in printed.err
    (rmse,) = json.loads(printed.out)["rmse"].values()
    assert all(len(scores) == 5 for scores in rmse.values())
    for name in ("global", "item-mean", "bias"):
        assert all(
            ours < theirs for ours, theirs in zip(rmse["recsys"], rmse[name], strict=True)
        ), name
