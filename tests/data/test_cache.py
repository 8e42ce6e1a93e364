"""Nothing is computed twice, whoever writes and whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from winnow.data import cache as cache_file
from winnow.data.cache import ArrayCache
from winnow.events import Note, Progress

SOURCE = Path(cache_file.__file__).parents[2]


def rows_of(keys: list[str]) -> np.ndarray:
    """(N, 3) rows that can be told from their keys."""
    return np.array([[int(key), int(key) + 0.5, -int(key)] for key in keys], dtype=np.float32)


def test_rows_come_back_by_key_in_any_order(tmp_path):
    keys = [str(i) for i in range(10)]
    ArrayCache(tmp_path).put(keys, rows_of(keys))
    rows, found = ArrayCache(tmp_path).get(["7", "missing", "2", "7"])
    assert found.tolist() == [True, False, True, True]
    assert np.array_equal(rows[found], rows_of(["7", "2", "7"]))
    assert rows.dtype == np.float32


def test_only_what_is_missing_is_computed_and_repeats_once(tmp_path):
    cache = ArrayCache(tmp_path)
    cache.put(["1", "2"], rows_of(["1", "2"]))
    asked: list[str] = []
    keys = ["3", "1", "4", "3", "2"]

    def compute(places: list[int]) -> np.ndarray:
        asked.extend(keys[i] for i in places)
        return rows_of([keys[i] for i in places])

    assert np.array_equal(cache.fetch(keys, compute, chunk=1), rows_of(keys))
    assert asked == ["3", "4"]
    assert np.array_equal(ArrayCache(tmp_path).fetch(keys, compute), rows_of(keys))
    assert asked == ["3", "4"]


def test_rows_may_come_one_by_one(tmp_path):
    keys = ["5", "6"]
    fetched = ArrayCache(tmp_path).fetch(keys, lambda places: (rows_of([keys[i]])[0] for i in places))
    assert np.array_equal(fetched, rows_of(keys))


def test_progress_is_told(tmp_path):
    heard = []
    keys = [str(i) for i in range(5)]
    ArrayCache(tmp_path).fetch(
        keys, lambda p: rows_of([keys[i] for i in p]), chunk=2, tell=heard.append, what="features"
    )
    assert heard == [Progress("features", done, 5) for done in (0, 2, 4, 5)]


def test_what_was_finished_before_a_failure_is_kept(tmp_path):
    keys = [str(i) for i in range(4)]

    def compute(places: list[int]) -> np.ndarray:
        if 2 in places:
            raise KeyboardInterrupt
        return rows_of([keys[i] for i in places])

    with pytest.raises(KeyboardInterrupt):
        ArrayCache(tmp_path).fetch(keys, compute, chunk=2)
    assert ArrayCache(tmp_path).get(keys)[1].tolist() == [True, True, False, False]


@pytest.mark.parametrize("damage", ["cut the numbers", "cut the keys", "lose the numbers", "garble the header"])
def test_a_damaged_shard_is_computed_anew(tmp_path, damage):
    keys = ["1", "2"]
    ArrayCache(tmp_path).put(keys, rows_of(keys))
    numbers, names = next(tmp_path.glob("*.npy")), next(tmp_path.glob("*.keys"))
    if damage == "cut the numbers":
        numbers.write_bytes(numbers.read_bytes()[:-5])
    elif damage == "cut the keys":
        names.write_bytes(names.read_bytes()[:-2])
    elif damage == "lose the numbers":
        numbers.unlink()
    else:
        numbers.write_bytes(b"\0" * numbers.stat().st_size)
    cache = ArrayCache(tmp_path)
    assert not cache.get(keys)[1].any()
    assert np.array_equal(cache.fetch(keys, lambda p: rows_of([keys[i] for i in p])), rows_of(keys))
    assert ArrayCache(tmp_path).get(keys)[1].all()


def test_a_key_of_a_damaged_shard_is_found_in_another(tmp_path):
    keys = ["1", "2"]
    for _ in range(4):
        ArrayCache(tmp_path).put(keys, rows_of(keys))
    for numbers in sorted(tmp_path.glob("*.npy"))[1:]:
        numbers.write_bytes(b"\0" * numbers.stat().st_size)
    rows, found = ArrayCache(tmp_path).get(keys)
    assert found.all()
    assert np.array_equal(rows, rows_of(keys))


def test_many_small_shards_are_joined_and_lose_nothing(tmp_path):
    cache, other = ArrayCache(tmp_path), ArrayCache(tmp_path)
    keys = [str(i) for i in range(40)]
    other.get(keys)
    for key in keys:
        cache.put([key], rows_of([key]))
    assert len(list(tmp_path.glob("*.npy"))) < cache_file._MANY_SHARDS
    for reader in (cache, other, ArrayCache(tmp_path)):
        rows, found = reader.get(keys)
        assert found.all()
        assert np.array_equal(rows, rows_of(keys))


def test_a_reader_that_looked_before_a_join_still_finds_its_rows(tmp_path, monkeypatch):
    cache, reader = ArrayCache(tmp_path), ArrayCache(tmp_path)
    keys = [str(i) for i in range(cache_file._MANY_SHARDS)]
    for key in keys[:-1]:
        cache.put([key], rows_of([key]))
    open_shard = ArrayCache._open
    joined = []

    def join_first(self, name):
        if not joined:
            joined.append(True)
            cache.put(keys[-1:], rows_of(keys[-1:]))
        return open_shard(self, name)

    monkeypatch.setattr(ArrayCache, "_open", join_first)
    rows, found = reader.get(keys[:-1])
    assert found.all()
    assert np.array_equal(rows, rows_of(keys[:-1]))


def test_a_disk_that_refuses_costs_time_but_no_answer(tmp_path):
    (tmp_path / "file").write_text("in the way")
    heard = []
    keys = ["1", "2"]
    cache = ArrayCache(tmp_path / "file" / "cache")
    rows = cache.fetch(keys, lambda p: rows_of([keys[i] for i in p]), chunk=1, tell=heard.append)
    assert np.array_equal(rows, rows_of(keys))
    assert len([event for event in heard if isinstance(event, Note) and event.is_warning]) == 1


_WRITER = """
import sys, numpy as np
from pathlib import Path
from winnow.data.cache import ArrayCache
cache, start = ArrayCache(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
for i in range(start, start + int(sys.argv[3])):
    cache.put([str(i)], np.array([[i, i + 0.5, -i]], dtype=np.float32))
"""


def _start_writer(folder: Path, start: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, str(folder), str(start), str(count)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    writer = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path):
    writers = [_start_writer(tmp_path, start, 40) for start in (0, 20)]
    assert [writer.wait(30) for writer in writers] == [0, 0]
    keys = [str(i) for i in range(60)]
    rows, found = ArrayCache(tmp_path).get(keys)
    assert found.all()
    assert np.array_equal(rows, rows_of(keys))


def test_a_writer_killed_at_any_moment_leaves_only_whole_rows(tmp_path):
    writer = _start_writer(tmp_path, 0, 100_000)
    while not list(tmp_path.glob("*.keys")):
        time.sleep(0.001)
    time.sleep(0.07)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    keys = [str(i) for i in range(2000)]
    rows, found = ArrayCache(tmp_path).get(keys)
    kept = np.flatnonzero(found)
    assert len(kept) > 0
    assert kept.tolist() == list(range(len(kept)))  # written in order: all before the kill, none torn
    assert np.array_equal(rows[found], rows_of([str(i) for i in kept]))


def no_row(places: list[int]) -> np.ndarray:
    """For keys whose rows are all there."""
    raise AssertionError(f"asked for {places}")


def computing(keys: list[str], asked: list[str]):
    """Gives the rows of `keys`, and notes which were asked for."""

    def compute(places: list[int]) -> np.ndarray:
        asked.extend(keys[i] for i in places)
        return rows_of([keys[i] for i in places])

    return compute


def test_mapped_rows_lie_in_one_file_and_are_found_by_place(tmp_path):
    keys, asked = ["5", "3", "5", "9", "1"], []
    mapped = ArrayCache(tmp_path).mapped(keys, computing(keys, asked), chunk=2)
    assert isinstance(mapped.rows, np.memmap)
    assert np.array_equal(mapped.rows[mapped.places], rows_of(keys))
    assert np.array_equal(np.load(mapped.path), mapped.rows)
    assert asked == ["5", "3", "9", "1"]
    assert list(tmp_path.glob("*.npy")) == [mapped.path]


def test_a_part_of_what_is_mapped_needs_no_new_file(tmp_path):
    keys = [str(i) for i in range(10)]
    whole = ArrayCache(tmp_path).mapped(keys, computing(keys, []))
    part = ArrayCache(tmp_path).mapped(["7", "2"], no_row)
    assert part.path == whole.path
    assert np.array_equal(part.rows[part.places], rows_of(["7", "2"]))


def test_new_rows_among_mapped_ones_cost_themselves(tmp_path):
    keys = [str(i) for i in range(10)]
    ArrayCache(tmp_path).mapped(keys[:8], computing(keys, []))
    asked: list[str] = []
    mapped = ArrayCache(tmp_path).mapped(keys, computing(keys, asked))
    assert asked == ["8", "9"]
    assert np.array_equal(mapped.rows[mapped.places], rows_of(keys))
    assert list(tmp_path.glob("*.npy")) == [mapped.path]  # the first file held nothing else, and is gone


def test_a_mapping_that_was_killed_goes_on_where_it_stopped(tmp_path):
    keys = [str(i) for i in range(6)]

    def dies(places: list[int]) -> np.ndarray:
        if 4 in places:
            raise KeyboardInterrupt
        return rows_of([keys[i] for i in places])

    with pytest.raises(KeyboardInterrupt):
        ArrayCache(tmp_path).mapped(keys, dies, chunk=2)
    asked: list[str] = []
    mapped = ArrayCache(tmp_path).mapped(keys, computing(keys, asked), chunk=2)
    assert asked == ["4", "5"]
    assert np.array_equal(mapped.rows[mapped.places], rows_of(keys))


def test_a_mapped_file_that_is_damaged_is_made_anew(tmp_path):
    keys = ["1", "2"]
    damaged = ArrayCache(tmp_path).mapped(keys, computing(keys, [])).path
    damaged.write_bytes(b"\0" * damaged.stat().st_size)
    mapped = ArrayCache(tmp_path).mapped(keys, computing(keys, []))
    assert np.array_equal(mapped.rows[mapped.places], rows_of(keys))


def test_mapping_holds_a_chunk_in_memory_and_no_more(tmp_path):
    keys, width = [str(i) for i in range(400)], 100_000
    tracemalloc.start()
    try:
        mapped = ArrayCache(tmp_path).mapped(keys, lambda p: np.ones((len(p), width), np.uint8), chunk=20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert mapped.rows.shape == (400, width)
    assert peak < 0.4 * 400 * width
