"""Our zips, opened by the standard library's reader."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from winnow.data.targets.stored_zip import StoredZip

FILES = {"a/1.png": b"one", "日本/é 😀.jpg": b"\x00\xff" * 5000, "empty": b""}


def test_the_standard_library_reads_what_was_written():
    file = io.BytesIO()
    archive = StoredZip(file)
    with archive.open("table.csv") as table:
        table.write(b"path,label\n")
        for path, data in FILES.items():
            archive.write(path, data)
        table.write(b"a,b\n")
    archive.close()
    with zipfile.ZipFile(file) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == {**FILES, "table.csv": b"path,label\na,b\n"}
        for entry in read.infolist():
            assert (entry.compress_type, entry.date_time) == (zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0))
            assert entry.external_attr >> 16 == 0o100644


def test_no_files_make_an_empty_zip():
    file = io.BytesIO()
    StoredZip(file).close()
    assert zipfile.ZipFile(file).namelist() == []


def test_more_files_than_a_plain_zip_counts():
    file = io.BytesIO()
    archive = StoredZip(file)
    for number in range(66_000):
        archive.write(f"{number}", b"x")
    archive.close()
    with zipfile.ZipFile(file) as read:
        assert len(read.namelist()) == 66_000
        assert read.read("65999") == b"x"


def test_files_behind_the_first_four_gigabytes(tmp_path: Path):
    with (tmp_path / "large.zip").open("wb") as file:
        archive = StoredZip(file)
        archive.write("first", b"1")
        hole = (5 << 30) - file.tell()
        file.seek(hole, io.SEEK_CUR)  # a sparse file: nothing lies there on the disk
        archive.write("last", b"2")
        archive.close()
    if (tmp_path / "large.zip").stat().st_blocks > 1 << 16:
        pytest.skip("this disk keeps no sparse files")
    with zipfile.ZipFile(tmp_path / "large.zip") as read:
        assert read.getinfo("last").header_offset == 5 << 30
        assert (read.read("first"), read.read("last")) == (b"1", b"2")
