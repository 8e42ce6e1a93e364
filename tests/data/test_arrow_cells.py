"""Cells of Parquet files and Arrow tables that Python cannot hold, and Parquet files that claim too much."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from winnow.data.sources.source import RefusedSourceError

from .finding import found_in, items_in, refused_in
from .pictures import file_of, noise

NAMES = ["a.png", "b.png", "c.png"]
FAR = 2**61  # in the year 73 million, counted in thousandths of a second


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for seed, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(file_of(noise(seed)))
    monkeypatch.chdir(tmp_path)  # where the paths of a DataFrame begin
    return tmp_path


def _no_utf8() -> pa.Array:
    return pa.Array.from_buffers(pa.string(), 3, pa.array([b"\xff", b"x", b"y"]).buffers())


@pytest.mark.parametrize(
    "cells",
    [pa.array([FAR, 0, None], pa.timestamp("ms")), pa.array([FAR, 0, None], pa.duration("ms")), _no_utf8()],
    ids=["a time", "a duration", "no UTF-8"],
)
def test_a_cell_that_python_cannot_hold_costs_its_row(cells, folder):
    table = pa.table({"image": NAMES, "label": ["cat", "dog", "cat"], "more": cells})
    pq.write_table(table, folder / "t.parquet")
    for source, first in ((table, "row 0"), (folder / "t.parquet", "t.parquet[0]")):
        assert [found.labels for found in found_in(source)] == [("dog",), ("cat",)]
        assert [(line.source, line.code) for line in refused_in(source)] == [(first, "W_ROW_DROPPED")]


@pytest.mark.parametrize("name", ["label", "image"])
def test_parquet_columns_of_one_name_are_refused_rather_than_mixed_up(name, folder):
    columns = [pa.array([b"x"] * 3), pa.array(["cat", "dog", "cat"]), pa.array([b"y"] * 3)]
    pq.write_table(pa.Table.from_arrays(columns, names=["image", "label", name]), folder / "t.parquet")
    with pytest.raises(RefusedSourceError, match=f"E_ANN_SCHEMA.*'{name}'|'{name}'.*E_ANN_SCHEMA"):
        items_in(folder / "t.parquet")


def test_a_small_file_of_a_million_equal_rows_is_not_walked(folder):
    n = 1_000_000
    pq.write_table(pa.table({"image": pa.repeat("a.png", n), "label": pa.repeat("cat", n)}), folder / "t.parquet")
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_BOMB"):
        items_in(folder / "t.parquet")
