"""Copies named by content."""

from __future__ import annotations

import errno
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from winnow.data import blobs
from winnow.data.blobs import BlobStore
from winnow.errors import WorkspaceError


def test_what_is_put_is_read_under_the_name_of_its_content(tmp_path):
    store = BlobStore(tmp_path)
    content = store.put(b"a cloud")
    store.flush()
    assert content == hashlib.sha256(b"a cloud").hexdigest()
    assert store.has(content)
    assert BlobStore(tmp_path).read(content) == b"a cloud"


def test_equal_files_are_kept_once_even_by_many_threads(tmp_path):
    store = BlobStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(store.put, [b"same"] * 100))) == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_damage_is_noticed(tmp_path):
    store = BlobStore(tmp_path)
    content = store.put(b"a cloud")
    store.path(content).write_bytes(b"a clown")
    with pytest.raises(WorkspaceError, match="damaged"):
        store.read(content)


def test_a_missing_copy_says_what_to_do(tmp_path):
    with pytest.raises(WorkspaceError, match="import the dataset again"):
        BlobStore(tmp_path).read("0" * 64)


def test_a_copy_cut_short_by_a_power_cut_is_written_anew(tmp_path):
    store = BlobStore(tmp_path)
    content = store.put(b"a cloud")
    store.path(content).write_bytes(b"")
    assert store.put(b"a cloud") == content
    assert store.read(content) == b"a cloud"


def test_a_full_disk_has_a_sentence(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(blobs, "write_whole", full)
    with pytest.raises(WorkspaceError, match="no space left"):
        BlobStore(tmp_path).put(b"a cloud")


def test_a_folder_that_cannot_be_made_has_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkspaceError, match="a file stands where a folder is needed"):
        BlobStore(Path(tmp_path / "file" / "blobs")).put(b"a cloud")
