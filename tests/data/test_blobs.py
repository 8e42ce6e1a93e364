"""Copies named by content."""

from __future__ import annotations

import errno
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from winnow.data import blobs
from winnow.data.blobs import BlobStore
from winnow.errors import NotFoundError, WorkspaceError

SMALL = b"a cloud"
LARGE = b"a large cloud " * 10_000


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
        for data in (SMALL, LARGE):
            assert len(set(pool.map(store.put, [data] * 50))) == 1
    assert sorted(store.contents()) == sorted(hashlib.sha256(data).hexdigest() for data in (SMALL, LARGE))


def test_small_files_share_one_and_large_ones_have_their_own(tmp_path):
    store = BlobStore(tmp_path)
    small, large = store.put(SMALL), store.put(LARGE)
    assert not store.path(small).exists()
    assert store.path(large).read_bytes() == LARGE
    assert (store.size_of(small), store.size_of(large), store.size_of("0" * 64)) == (len(SMALL), len(LARGE), 0)
    assert (store.read(small), store.read(large)) == (SMALL, LARGE)


def test_a_workspace_from_before_small_files_shared_one_is_read(tmp_path):
    content = hashlib.sha256(SMALL).hexdigest()
    (tmp_path / content[:2]).mkdir()
    (tmp_path / content[:2] / content).write_bytes(SMALL)
    store = BlobStore(tmp_path)
    assert store.read(content) == SMALL
    assert store.missing([content, "0" * 64]) == ["0" * 64]


def test_what_is_removed_is_gone_and_its_bytes_are_told(tmp_path):
    store = BlobStore(tmp_path)
    contents = [store.put(SMALL), store.put(LARGE)]
    assert store.remove(contents) == len(SMALL) + len(LARGE)
    assert store.missing(contents) == contents
    assert list(store.contents()) == []


def test_what_was_put_lately_can_be_told_from_what_is_old(tmp_path):
    store = BlobStore(tmp_path)
    store.put(SMALL), store.put(LARGE)
    assert list(store.contents(older_than_s=60)) == []


def test_damage_is_noticed(tmp_path):
    store = BlobStore(tmp_path)
    content = store.put(LARGE)
    store.path(content).write_bytes(LARGE[::-1])
    with pytest.raises(WorkspaceError, match="damaged"):
        store.read(content)


def test_a_damaged_file_of_small_pictures_has_a_sentence(tmp_path):
    content = hashlib.sha256(SMALL).hexdigest()
    (tmp_path / "small.db").write_bytes(b"no database" * 500)
    with pytest.raises(WorkspaceError, match="backup"):
        BlobStore(tmp_path).read(content)


def test_a_file_can_stay_where_the_user_has_it(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "ä.jpg").write_bytes(SMALL)
    content = hashlib.sha256(SMALL).hexdigest()
    store = BlobStore(tmp_path / "blobs")
    store.refer(photos, [(content, photos / "ä.jpg", len(SMALL))])
    assert store.read(content) == SMALL
    assert store.folders() == {photos: 1}
    assert store.size_of(content) == 0  # nothing of it lies in the workspace
    store.remove([content])
    assert (photos / "ä.jpg").read_bytes() == SMALL  # the user's own file


def test_a_file_kept_in_place_that_changed_is_not_taken_for_the_old_one(tmp_path):
    store, content = _kept_in_place(tmp_path)
    (tmp_path / "photos" / "1.jpg").write_bytes(b"another")
    with pytest.raises(WorkspaceError, match="has changed since"):
        store.read(content)


def test_a_folder_that_moved_can_be_linked_again(tmp_path):
    store, content = _kept_in_place(tmp_path)
    (tmp_path / "photos").rename(tmp_path / "moved")
    with pytest.raises(WorkspaceError, match="winnow relink"):
        store.read(content)
    with pytest.raises(NotFoundError, match="1 of 1 pictures are not in"):
        store.relink(tmp_path / "photos", tmp_path)
    assert store.relink(tmp_path / "photos", tmp_path / "moved") == 1
    assert store.read(content) == SMALL


def test_only_a_folder_with_files_kept_in_place_can_be_linked_again(tmp_path):
    store, _ = _kept_in_place(tmp_path)
    with pytest.raises(NotFoundError, match="photos"):
        store.relink(tmp_path / "elsewhere", tmp_path / "photos")


def test_a_folder_that_moved_and_was_imported_again_is_read_where_it_is_now(tmp_path):
    store, content = _kept_in_place(tmp_path)
    moved = (tmp_path / "photos").rename(tmp_path / "moved")
    store.refer(moved, [(content, moved / "1.jpg", len(SMALL))])
    assert store.read(content) == SMALL
    assert store.relink(tmp_path / "photos", moved) == 1
    assert store.folders() == {moved: 1}
    assert store.read(content) == SMALL
    assert store.relink(moved, moved) == 1
    assert store.read(content) == SMALL


def test_a_file_that_was_renamed_and_imported_again_is_no_obstacle_to_a_move(tmp_path):
    store, content = _kept_in_place(tmp_path)
    renamed = (tmp_path / "photos" / "1.jpg").rename(tmp_path / "photos" / "2.jpg")
    store.refer(tmp_path / "photos", [(content, renamed, len(SMALL))])
    assert store.read(content) == SMALL
    (tmp_path / "photos").rename(tmp_path / "moved")
    assert store.relink(tmp_path / "photos", tmp_path / "moved") == 2
    assert store.read(content) == SMALL


def test_what_is_only_kept_in_place_cut_short_or_unknown_has_no_copy(tmp_path):
    store, in_place = _kept_in_place(tmp_path)
    small, large, cut = store.put(b"small"), store.put(LARGE), store.put(LARGE + b"!")
    store.path(cut).write_bytes(LARGE[:10])
    sizes = {in_place: len(SMALL), small: 5, large: len(LARGE), cut: len(LARGE) + 1, "0" * 64: 3}
    assert store.uncopied(sizes) == {in_place, cut, "0" * 64}
    assert BlobStore(tmp_path / "empty").uncopied({small: 5}) == {small}


def _kept_in_place(root: Path) -> tuple[BlobStore, str]:
    (root / "photos").mkdir()
    (root / "photos" / "1.jpg").write_bytes(SMALL)
    content = hashlib.sha256(SMALL).hexdigest()
    store = BlobStore(root / "blobs")
    store.refer(root / "photos", [(content, root / "photos" / "1.jpg", len(SMALL))])
    return store, content


def test_a_missing_copy_says_what_to_do(tmp_path):
    with pytest.raises(WorkspaceError, match="import the dataset again"):
        BlobStore(tmp_path).read("0" * 64)


def test_a_copy_cut_short_by_a_power_cut_is_written_anew(tmp_path):
    store = BlobStore(tmp_path)
    content = store.put(LARGE)
    store.path(content).write_bytes(b"")
    assert store.put(LARGE) == content
    assert store.read(content) == LARGE


def test_a_full_disk_has_a_sentence(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(blobs, "write_whole", full)
    with pytest.raises(WorkspaceError, match="no space left"):
        BlobStore(tmp_path).put(LARGE)


def test_a_folder_that_cannot_be_made_has_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkspaceError, match="a file stands where a folder is needed"):
        BlobStore(Path(tmp_path / "file" / "blobs")).put(b"a cloud")
