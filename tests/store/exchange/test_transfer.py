"""Every format is held to the same claims."""

from __future__ import annotations

import json
import string
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys import store
from recsys.data import IdMap, ItemMetadata, Ratings
from recsys.data.ids import is_valid_id
from recsys.errors import DataError, NotFoundError, UsageError
from recsys.model.intervals import StarIntervals
from recsys.model.newcomers import Newcomers
from recsys.store.exchange import FORMATS, export_version, import_version

INTERVALS = StarIntervals(-0.7, -0.1, -0.1, 0.0, (0.1, 0.9), (-1.0, 1.0), (1.0, 5.0), 100)


@pytest.fixture(params=FORMATS)
def form(request):
    return request.param


@pytest.fixture
def elsewhere(tmp_path, migrated):
    """Another database, which holds nothing."""
    path = tmp_path / "elsewhere.db"
    path.write_bytes(migrated)
    engine = store.open_database(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def save_full(engine, ratings, make_snapshot):
    """Return a function that stores a version with all that one can have, of these ratings."""

    def save(ratings=ratings):
        rating, ranking = (
            make_snapshot(ratings, objective=objective, n_factors=n, seed=n)
            for objective, n in (("rating", 3), ("ranking", 5))
        )
        rng = np.random.default_rng(1)
        newcomers = Newcomers(
            0.1, 0.2, 0.3, 0.0,
            user_mean=rng.normal(size=3).astype("f4"),
            item_implicit=rng.normal(size=(ratings.n_items, 3)).astype("f4"),
            item_implicit_bias=rng.normal(size=ratings.n_items).astype("f4"),
        )  # fmt: skip
        items = replace(rating.items, newcomers=newcomers, intervals=INTERVALS, y_range=(0.5, 5.5))
        rating = replace(
            rating,
            items=items,
            metrics={"rmse": 0.1 + 0.2, "mae": None},
            hyperparameters={"hidden": [3, 1], "lr": 1e-7, "n": 2, "by": {"x": None}},
        )
        data_set_id = store.save_data_set(engine, ratings)
        return store.save_version(engine, data_set_id, [rating, ranking])

    return save


def same_version(one, model_id, other, other_id):
    before, after = store.get_version(one, model_id), store.get_version(other, other_id)
    assert after.snapshots == before.snapshots
    for field in ("name", "fingerprint", "n_users", "n_items", "n_ratings", "rating_scale"):
        assert getattr(after.data_set, field) == getattr(before.data_set, field)
    for snapshot in before.snapshots:
        loaded, found = (
            store.load_snapshot(engine, each, snapshot.objective)
            for engine, each in ((one, model_id), (other, other_id))
        )
        assert found.content_hash == loaded.content_hash == snapshot.content_hash
        assert found.user_factors.tobytes() == loaded.user_factors.tobytes()
        assert found.history == loaded.history


def test_a_version_comes_back_bit_for_bit(engine, elsewhere, save_full, form, tmp_path):
    model_id = save_full()
    export_version(engine, model_id, tmp_path / "out", form)
    imported = import_version(elsewhere, tmp_path / "out")
    same_version(engine, model_id, elsewhere, imported)
    data_set_id = store.get_version(elsewhere, imported).data_set.data_set_id
    original = store.load_ratings(engine, 1)
    found = store.load_ratings(elsewhere, data_set_id)
    for name in ("users", "items", "values", "timestamps"):
        assert getattr(found, name).tolist() == getattr(original, name).tolist()
    assert found.metadata == original.metadata
    user = store.StoreSource(elsewhere).user(imported, "x").rows()["rating"]
    assert user.rated_items.tolist() == [0, 1, 2]


def test_a_network_comes_back_bit_for_bit(engine, elsewhere, save, form, tmp_path):
    model_id = save(3, n_user_factors=2, hidden=(4, 2))
    export_version(engine, model_id, tmp_path / "out", form)
    imported = import_version(elsewhere, tmp_path / "out")
    same_version(engine, model_id, elsewhere, imported)


def test_implicit_feedback_without_times_comes_back(
    engine, elsewhere, ratings, save_full, form, tmp_path
):
    implicit = replace(ratings, values=None, timestamps=None)
    model_id = save_full(implicit)
    export_version(engine, model_id, tmp_path / "out", form)
    imported = import_version(elsewhere, tmp_path / "out")
    same_version(engine, model_id, elsewhere, imported)
    assert store.load_ratings(elsewhere, 1).is_implicit


def test_an_import_is_a_new_version_of_the_stored_data_set(engine, save_full, form, tmp_path):
    model_id = save_full()
    export_version(engine, model_id, tmp_path / "out", form)
    imported = import_version(engine, tmp_path / "out")
    assert imported > model_id
    before, after = store.get_version(engine, model_id), store.get_version(engine, imported)
    assert after.data_set == before.data_set
    assert after.aliases == ()


def test_without_ratings_it_needs_the_data_set(
    engine, elsewhere, ratings, save_full, form, tmp_path
):
    model_id = save_full()
    export_version(engine, model_id, tmp_path / "out", form, ratings=False)
    with pytest.raises(NotFoundError, match="without the ratings of 'tiny', and that data set is"):
        import_version(elsewhere, tmp_path / "out")
    assert store.list_versions(elsewhere) == []
    store.save_data_set(elsewhere, ratings)
    same_version(engine, model_id, elsewhere, import_version(elsewhere, tmp_path / "out"))


def test_what_is_there_is_not_overwritten(engine, save_full, form, tmp_path):
    model_id = save_full()
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="out is there already"):
        export_version(engine, model_id, tmp_path / "out", form)
    assert (tmp_path / "out").read_text() == "mine"


def test_an_export_that_fails_leaves_nothing(engine, save_full, form, tmp_path, monkeypatch):
    def half(path, _bundle):
        (path / "half" if path.is_dir() else path).write_text("half")
        raise OSError("disk full")

    model_id = save_full()
    monkeypatch.setitem(FORMATS, form, replace(FORMATS[form], write=half))
    with pytest.raises(OSError, match="disk full"):
        export_version(engine, model_id, tmp_path / "deep" / "out", form)
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_changed_byte_is_noticed_and_nothing_is_stored(
    engine, elsewhere, save_full, form, tmp_path
):
    export_version(engine, save_full(), tmp_path / "out", form)
    out = tmp_path / "out"
    for file in sorted(out.iterdir()) if out.is_dir() else [out]:
        if file.name.endswith(".metadata.tsv"):
            continue  # for the Projector alone, never read
        whole = file.read_bytes()
        # Two thirds down there are embeddings, ratings or a compressed column of them.
        for at in (len(whole) * 2 // 3, len(whole) // 2):
            changed = bytearray(whole)
            changed[at] ^= 0x01
            file.write_bytes(changed)
            imported = None
            with suppress(DataError):
                imported = import_version(elsewhere, out)
            if imported is not None:  # the byte stands for nothing
                same_version(engine, 1, elsewhere, imported)
        for cut in (0, len(whole) // 2, len(whole) - 20):
            file.write_bytes(whole[:cut])
            with pytest.raises(DataError, match=str(out)):
                import_version(elsewhere, out)
        file.write_bytes(whole)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("parquet", "ranking.users.parquet"),
        ("word2vec", "ranking.users.txt"),
        ("projector", "ranking.users.vectors.tsv"),
    ],
)
def test_a_missing_file_is_named(engine, elsewhere, save_full, form, name, tmp_path):
    export_version(engine, save_full(), tmp_path / "out", form)
    (tmp_path / "out" / name).unlink()
    with pytest.raises(DataError, match=f"a file of the exported version is missing: .*{name}"):
        import_version(elsewhere, tmp_path / "out")


def test_what_the_projector_alone_reads_may_be_missing(engine, elsewhere, save_full, tmp_path):
    model_id = save_full()
    export_version(engine, model_id, tmp_path / "out", "projector")
    for file in (tmp_path / "out").glob("*.metadata.tsv"):
        file.unlink()
    same_version(engine, model_id, elsewhere, import_version(elsewhere, tmp_path / "out"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"userId,movieId\n1,2\n", b"\x00" * 64])
@pytest.mark.parametrize("name", ["other", "other.npz", "other.safetensors"])
def test_another_file_is_no_version(elsewhere, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    told = "npz file" if content.startswith(b"PK") else "exported version"
    with pytest.raises(DataError, match=f"{name}: this is damaged, or no {told}"):
        import_version(elsewhere, tmp_path / name)


def test_another_npz_is_no_version(elsewhere, tmp_path):
    np.savez(tmp_path / "other.npz", a=np.arange(3))
    with pytest.raises(DataError, match=r"no exported version: it has no manifest\.json"):
        import_version(elsewhere, tmp_path / "other.npz")


def test_another_folder_is_no_version(elsewhere, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=r"folder: this folder is no exported version"):
        import_version(elsewhere, tmp_path / "folder")


def test_an_object_array_is_never_unpickled(elsewhere, tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("it was unpickled",))

    np.savez(tmp_path / "trap.npz", **{"manifest.json": np.array([Trap()], dtype=object)})
    with pytest.raises(DataError, match="allow_pickle"):
        import_version(elsewhere, tmp_path / "trap.npz")


def test_a_version_of_a_later_layout_is_refused(engine, elsewhere, save_full, tmp_path):
    export_version(engine, save_full(), tmp_path / "out")
    bundle = FORMATS["npz"].read(tmp_path / "out")
    later = replace(bundle, manifest={**bundle.manifest, "layout": 2})
    FORMATS["npz"].write(tmp_path / "later", later)
    with pytest.raises(DataError, match=r"exported by another recsys.*found 2; allowed: layout 1"):
        import_version(elsewhere, tmp_path / "later")


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("data_set"),
        lambda m: m["data_set"].update(user_ids=["x"]),
        lambda m: m["data_set"].update(years="no"),
        lambda m: m["snapshots"][0].pop("newcomers"),
        lambda m: m["snapshots"][0].update(content_hash="0"),
        lambda m: m["snapshots"][0]["hyperparameters"].update(lr=2.0),
        lambda m: m["snapshots"][0].update(n_layers=1),
        lambda m: m.update(snapshots=[]),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(engine, elsewhere, save_full, tmp_path, change):
    export_version(engine, save_full(), tmp_path / "out")
    bundle = FORMATS["npz"].read(tmp_path / "out")
    manifest = json.loads(json.dumps(bundle.manifest))
    change(manifest)
    FORMATS["npz"].write(tmp_path / "odd", replace(bundle, manifest=manifest))
    with pytest.raises(DataError):
        import_version(elsewhere, tmp_path / "odd")
    assert store.list_versions(elsewhere) == []


def test_what_does_not_exist_is_not_exported(engine, save_full, tmp_path):
    with pytest.raises(NotFoundError, match="there is no version 7"):
        export_version(engine, 7, tmp_path / "out")
    with pytest.raises(UsageError, match="no format 'pickle'; allowed: npz, safetensors"):
        export_version(engine, save_full(), tmp_path / "out", "pickle")


ids = st.text(
    st.sampled_from(string.printable + "\u00a0\u2028é漢😀%+\"'\\") | st.characters(),
    min_size=1,
    max_size=5,
).filter(is_valid_id)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    ids=st.lists(ids, min_size=1, max_size=4, unique=True),
    titles=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=4),
    numbers=st.lists(
        st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=4, max_size=4
    ),
)
def test_any_id_title_and_number_comes_back(
    engine, make_snapshot, form, tmp_path_factory, ids, titles, numbers
):
    n = len(ids)
    ratings = Ratings(
        name="any",
        user_ids=IdMap(ids),
        item_ids=IdMap(ids),
        users=np.arange(n, dtype=np.int32),
        items=np.arange(n, dtype=np.int32),
        values=np.ones(n, np.float32),
        metadata=ItemMetadata(tuple(titles[:n]), (None,) * n, (("a b", "c"),) * n),
    )
    factors = np.tile(np.array(numbers, np.float32), (n, 1))
    snapshot = make_snapshot(ratings, n_factors=4, user_factors=factors)
    data_set_id = store.save_data_set(engine, ratings)
    model_id = store.save_version(engine, data_set_id, [snapshot])
    path = tmp_path_factory.mktemp("any") / "out"
    export_version(engine, model_id, path, form)
    same_version(engine, model_id, engine, import_version(engine, path))


def test_other_programs_read_what_they_know(engine, save_full, tmp_path):
    model_id = save_full()
    snapshot = store.load_snapshot(engine, model_id, "rating")
    for name in FORMATS:
        export_version(engine, model_id, tmp_path / name, name)

    with np.load(tmp_path / "npz") as arrays:
        assert (arrays["rating/item_factors"] == snapshot.items.item_factors).all()

    table = pd.read_parquet(tmp_path / "parquet" / "rating.items.parquet")
    assert table["item_id"].tolist() == ["a", "b", "c", "d"]
    assert table["title"][2] == "Cléo de 5 à 7"
    assert (np.stack(table["factors"]) == snapshot.items.item_factors).all()

    head, *lines = (tmp_path / "word2vec" / "rating.users.txt").read_text().splitlines()
    assert head == "3 3"
    words = {word: numbers for word, *numbers in (line.split() for line in lines)}
    assert np.float32(words["y"]).tolist() == snapshot.user_factors[1].tolist()

    lines = (tmp_path / "projector" / "rating.items.metadata.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["item_id", "title", "year", "genres", "bias", "counts"]
    assert lines[1].split("\t")[:4] == ["a", "Alien", "1979", "Horror|Sci-Fi"]
    vectors = np.loadtxt(tmp_path / "projector" / "rating.items.vectors.tsv", dtype=np.float32)
    assert (vectors == snapshot.items.item_factors).all()


def test_an_id_is_one_word(engine, make_snapshot, tmp_path):
    ratings = Ratings(
        "spaced",
        IdMap(["a b", "50%"]),
        IdMap(["x"]),
        np.array([0, 1], "i4"),
        np.array([0, 0], "i4"),
    )
    data_set_id = store.save_data_set(engine, ratings)
    model_id = store.save_version(engine, data_set_id, [make_snapshot(ratings)])
    export_version(engine, model_id, tmp_path / "out", "word2vec")
    _, *lines = (tmp_path / "out" / "rating.users.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["a%20b", "50%25"]
    assert {len(line.split()) for line in lines} == {4}
