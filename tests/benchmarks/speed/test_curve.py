from benchmarks.speed import curve as module
from benchmarks.speed.curve import as_rows, curve
from benchmarks.speed.turns import Timed


def test_time_and_memory_are_told_by_the_rating():
    small = Timed(0.5, 0, [9.0, 0.1, 0.3, 0.2], [], 100.0, 1_000_000)
    large = Timed(5.0, 0, [9.0, 2.0], [], 300.0, 11_000_000)
    rows = as_rows(["small", "large"], [small, large])
    # The first epoch warms up: .2 s for a million, 2 s for eleven.
    assert [row["epoch_seconds"] for row in rows] == [0.2, 2.0]
    assert [round(row["nanoseconds_per_rating"], 3) for row in rows] == [200.0, 181.818]
    # 200 MiB more for ten million more: 20.97 bytes each.
    assert rows[0]["bytes_per_further_rating"] is None
    assert round(rows[1]["bytes_per_further_rating"], 2) == 20.97


def test_all_shapes_take_turns_with_the_same_settings(tmp_path, monkeypatch):
    started = []

    def race(entrants):
        started.extend(entrants)
        return [Timed(1.0, 0, [1.0], [], 100.0, 1000) for _ in entrants]

    monkeypatch.setattr(module, "SHAPES", {"tiny": (20, 60, 400), "small": (30, 90, 900)})
    monkeypatch.setattr(module, "race", race)
    monkeypatch.setattr(
        module, "as_rows", lambda names, timed: list(zip(names, timed, strict=True))
    )
    rows = curve(8, 1, 3, tmp_path)
    assert [name for name, _ in rows] == ["tiny", "small"]
    assert [entrant.name for entrant in started] == ["tiny-3", "small-3"]
    assert all((tmp_path / entrant.name / "shape.json").exists() for entrant in started)
    (settings,) = {tuple(entrant.settings.items()) for entrant in started}
    assert {("n_factors", 8), ("seed", 3), ("implicit", False)} <= set(settings)
