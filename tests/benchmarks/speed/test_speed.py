import json
import sys

import numpy as np
import pytest

from benchmarks.speed import __main__ as speed
from benchmarks.speed import libmf
from benchmarks.speed.shapes import DataSet, prepare
from benchmarks.speed.target import _epochs_until, _libmfs, _ours, _soonest
from benchmarks.speed.turns import Entrant, Timed, race

TINY = (60, 40, 600)


@pytest.fixture
def folder(tmp_path):
    return prepare("tiny", TINY, 0, tmp_path)


def test_a_shape_is_made_once_and_split_into_two_parts(folder, tmp_path):
    data = DataSet.of(folder)
    train, validation = data.train.ratings(), data.validation.ratings()
    assert train.n_ratings == data.n_ratings
    assert train.n_ratings + validation.n_ratings == 600
    pairs = [set(zip(p.users.tolist(), p.items.tolist(), strict=True)) for p in (train, validation)]
    assert not pairs[0] & pairs[1]
    made = (folder / "train" / "values").stat().st_mtime_ns
    assert prepare("tiny", TINY, 0, tmp_path) == folder
    assert (folder / "train" / "values").stat().st_mtime_ns == made


SCRIPT = """
import json, sys
print(json.dumps({"layout_seconds": 1.0, "n_ratings": 100}), flush=True)
for n in range(3):
    sys.stdin.readline()
    with open(sys.argv[2], "a") as order:
        order.write(sys.argv[1])
    print("noise", flush=True)
    print(json.dumps({"seconds": n + 1.0}), flush=True)
print(json.dumps({"closing_seconds": 0.5, "peak_mib": 7.0}), flush=True)
"""


def test_systems_take_turns_and_the_first_epoch_does_not_count(tmp_path):
    order = tmp_path / "order"
    entrants = [
        Entrant(name, 3, [sys.executable, "-c", SCRIPT, name, str(order)], {}) for name in "ab"
    ]
    first, second = race(entrants)
    assert order.read_text() == "ababab"
    assert first == second
    # Median of 2 and 3 seconds: 40 ratings a second, 1 + 20 * 2.5 + .5 seconds for 20 epochs.
    assert (first.epoch, first.rate, first.training(20)) == (2.5, 40.0, 51.5)


def test_a_system_that_dies_is_told(tmp_path):
    with pytest.raises(RuntimeError, match="broken ended early"):
        race([Entrant("broken", 1, [sys.executable, "-c", "pass"], {})])


def test_without_libmf_the_benchmark_says_so_and_measures_ours(
    folder, tmp_path, monkeypatch, capsys
):
    def fail(build):
        raise libmf.NotBuiltError("there is no C++ compiler")

    monkeypatch.setattr(speed, "build", fail)
    monkeypatch.setattr(speed, "BUILD", tmp_path)
    monkeypatch.setitem(speed.SHAPES, "tiny", TINY)
    arguments = ["--shape", "tiny", "--n-factors", "2", "--epochs", "2", "--plain", "--json"]
    assert speed.main(arguments) == 0
    captured = capsys.readouterr()
    assert "LIBMF could not be built: there is no C++ compiler" in captured.err
    told = json.loads(captured.out)
    assert told["ratio_to_libmf"] is None
    assert told["systems"][0]["million_ratings_per_second"] > 0
    assert told["systems"][0]["settings"]["n_factors"] == 2
    assert {"n_cores", "load", "features", "versions", "seed"} <= told.keys()


def test_another_source_than_the_known_one_is_not_built():
    with pytest.raises(libmf.NotBuiltError, match="not the one that the driver knows"):
        libmf._with_hooks("int main() {}")


def test_the_soonest_setting_counts_layout_and_whole_epochs():
    slow = Timed(layout_seconds=1, epoch_seconds=[9, 1, 1], rmse=[0.9, 0.8, 0.7])
    quick = Timed(layout_seconds=0, epoch_seconds=[9, 1, 1], rmse=[0.9, 0.85, 0.7])
    assert _epochs_until(slow, 0.8) == 2
    assert _epochs_until(quick, 0.5) == np.inf
    search = [({"n_factors": 8}, slow), ({"n_factors": 4}, quick)]
    # Both after 3 seconds, but quick is farther below.
    assert _soonest(search, 0.8)[1] == quick
    assert _soonest(search, 0.85) == ({"n_factors": 4}, quick)
    # Of equally many factors seconds are taken as alike, and the fewer epochs count.
    assert _soonest([({"n_factors": 8}, timed) for timed in (slow, quick)], 0.8)[1] == slow


def test_the_number_of_factors_is_searched_unless_it_is_given():
    assert {settings["n_factors"] for settings in _ours(None)} == {16, 32}
    assert {settings["n_factors"] for settings in _libmfs(None)} == {32, 48, 64}
    for found in (_ours(8), _libmfs(8)):
        assert {settings["n_factors"] for settings in found} == {8}
