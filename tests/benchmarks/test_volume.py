from __future__ import annotations

import json

from benchmarks import volume


def test_training_and_scoring_tell_their_seconds_and_peaks(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(volume, "BUILD", tmp_path)
    arguments = ["--rows", "3000", "--n-epochs", "1", "--n-factors", "4", "--threads", "1"]
    assert volume.main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["settings"]["rows"] == 3000
    assert told["train"]["seconds"] > told["train"]["train_seconds"] > 0
    assert 0 < told["train"]["rmse"] < 3
    assert 50 < told["train"]["peak_mib"] < volume.LARGEST_PEAK
    assert (told["score"]["n_users"], told["score"]["n_items"]) == (50, 2880)
    assert 0 <= told["score"]["extra_mib"] < told["score"]["peak_mib"]
    # The file alone is left: the database was the benchmark's own.
    assert [path.suffix for path in tmp_path.iterdir()] == [".csv"]
