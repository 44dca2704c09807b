import hashlib
import json
import logging
import os
from dataclasses import replace

import numpy as np
import pytest

from recsys.data import IdMap
from recsys.errors import StoreError
from recsys.model.intervals import StarIntervals
from recsys.model.newcomers import Newcomers
from recsys.serving import item_files
from recsys.serving.item_files import KEPT_FILES, ItemFiles

HASH = "ab" * 32


class Reader:
    """Reads the items from "the store" and counts how often."""

    def __init__(self, items):
        self.items, self.n_reads = items, 0

    def __call__(self):
        self.n_reads += 1
        return self.items


@pytest.fixture(params=["dot", "network", "newcomers", "implicit"])
def reader(request, make_items, make_head):
    head = make_head(3, 2, 4, 3) if request.param == "network" else None
    items = make_items(y_range=(0.25, 5.75), global_mean=0.1 + 0.2, head=head)
    if request.param in ("newcomers", "implicit"):
        of_implicit = {
            "item_implicit": -items.item_factors,
            "item_implicit_bias": items.item_bias / 3,
        }
        newcomers = Newcomers(
            reg=0.1,
            reg_bias=1 / 3,
            reg_per_rating=7,
            unobserved=1e-9,
            user_mean=items.item_factors[0] / 7,
            **(of_implicit if request.param == "implicit" else {}),
        )
        items = replace(
            items,
            newcomers=newcomers,
            intervals=StarIntervals(
                0.1, -0.2, 1 / 3, 0.0, (0.1, 0.9), (-1.3, 1.1), (1.0, 5.0), 200
            ),
        )
    return Reader(items)


def load(files, reader, content_hash=HASH):
    return files.load(content_hash, reader.items.item_ids, reader)


def arrays(items):
    layers = () if items.head is None else items.head.weights + items.head.biases
    side = items.newcomers
    of_newcomers = () if side is None else (array for _, array, _ in side.arrays(0, 0))
    return items.item_factors, items.item_bias, items.item_counts, *layers, *of_newcomers


def assert_same(found, expected):
    for array, other in zip(arrays(found), arrays(expected), strict=True):
        assert array.dtype == other.dtype
        assert array.shape == other.shape
        assert array.tobytes() == other.tobytes()
    for name in ("item_ids", "global_mean", "y_range", "rating_scale", "intervals"):
        assert getattr(found, name) == getattr(expected, name)
    assert (found.newcomers is None) == (expected.newcomers is None)
    if found.newcomers is not None:
        assert found.newcomers.strengths == expected.newcomers.strengths


def test_what_comes_out_of_the_file_is_bit_for_bit_what_the_store_gave(files, reader):
    assert_same(load(files, reader), reader.items)


def test_a_second_process_reads_the_file_and_not_the_store(files, reader):
    load(files, reader)
    assert_same(load(ItemFiles(files.folder), reader), reader.items)
    assert reader.n_reads == 1


def test_the_arrays_are_mapped_and_cannot_be_written(files, reader):
    items = load(files, reader)
    for array in arrays(items):
        assert not array.flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_an_item_file_made_before_there_were_networks_is_made_anew(files, reader, caplog):
    load(files, reader)
    (path,) = files.folder.iterdir()
    start = path.read_bytes().find(b"\n") + 1
    header = json.loads(path.read_bytes()[64:start])
    del header["arrays"], header["item_ids"]
    line = json.dumps(header | {"format": 1}).encode().ljust(start - 65) + b"\n"
    content = line + path.read_bytes()[start:]
    path.write_bytes(hashlib.sha256(content).hexdigest().encode() + content)

    assert_same(load(files, reader), reader.items)

    assert reader.n_reads == 2
    assert "of another snapshot or format" in caplog.text


def test_the_arrays_lie_on_boundaries_of_64_bytes(files, reader):
    assert load(files, reader).item_factors.ctypes.data % 64 == 0


def damage_each_byte(path):
    good = path.read_bytes()
    for at in range(0, len(good), 7):
        yield good[:at] + bytes([good[at] ^ 0x01]) + good[at + 1 :]


def test_a_file_with_any_bit_changed_is_made_anew(files, reader, caplog):
    load(files, reader)
    (path,) = files.folder.iterdir()
    for n_damaged, content in enumerate(damage_each_byte(path), start=1):
        path.write_bytes(content)
        assert_same(load(files, reader), reader.items)
        assert reader.n_reads == 1 + n_damaged
    assert "damaged" in caplog.text


@pytest.mark.parametrize("kept", [0, 1, 64, 65, 200, -1])
def test_a_cut_file_is_made_anew(files, reader, kept):
    load(files, reader)
    (path,) = files.folder.iterdir()
    path.write_bytes(path.read_bytes()[:kept])
    assert_same(load(files, reader), reader.items)
    assert reader.n_reads == 2


def test_a_file_under_another_snapshots_name_is_made_anew(files, reader, make_items):
    load(files, reader)
    (path,) = files.folder.iterdir()
    other = Reader(make_items(bias_of_b=9.0))
    path.rename(files.folder / f"{'cd' * 32}.items")
    assert_same(load(files, other, "cd" * 32), other.items)
    assert other.n_reads == 1


def test_a_file_of_items_with_other_ids_is_made_anew(files, reader, caplog):
    load(files, reader)
    reader.items = replace(reader.items, item_ids=IdMap("abcdeg"))
    assert_same(load(files, reader), reader.items)
    assert reader.n_reads == 2
    assert "of other items" in caplog.text


def test_what_could_not_be_read_leaves_no_file(files, reader):
    def damaged():
        raise StoreError("the items are not what was saved")

    with pytest.raises(StoreError, match="not what was saved"):
        files.load(HASH, reader.items.item_ids, damaged)
    assert not files.folder.exists()
    assert_same(load(files, reader), reader.items)


def test_a_file_of_another_format_is_made_anew(files, reader, monkeypatch):
    load(files, reader)
    monkeypatch.setattr(item_files, "FORMAT", item_files.FORMAT + 1)
    load(files, reader)
    assert reader.n_reads == 2


def test_nothing_but_whole_files_is_left_behind(files, reader, monkeypatch):
    def no_space(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(item_files.os, "fsync", no_space)
    assert_same(load(files, reader), reader.items)
    assert list(files.folder.iterdir()) == []


def test_without_a_writable_folder_the_items_stay_in_memory_and_the_log_says_so(
    tmp_path, reader, caplog
):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        assert_same(load(ItemFiles(tmp_path / "cache"), reader), reader.items)
    assert "not shared" in caplog.text


def test_only_the_files_last_used_are_kept(files, reader):
    for n in range(KEPT_FILES + 3):
        load(files, reader, f"{n:064x}")
        os.utime(files.folder / f"{n:064x}.items", (n, n))
    left = {int(path.stem, 16) for path in files.folder.iterdir()}
    assert left == set(range(3, KEPT_FILES + 3))


def test_a_file_deleted_by_another_process_stays_readable_here(files, reader):
    items = load(files, reader)
    (path,) = files.folder.iterdir()
    path.unlink()
    assert_same(items, reader.items)


def test_no_items_are_no_special_case(files, make_items):
    empty = Reader(
        make_items(
            item_ids=IdMap([]),
            item_factors=np.empty((0, 2), dtype=np.float32),
            item_bias=np.empty(0, dtype=np.float32),
            item_counts=np.empty(0, dtype=np.int32),
        )
    )
    assert_same(load(files, empty), empty.items)
