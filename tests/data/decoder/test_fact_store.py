"""What decoding told is kept by content, and losing it loses time only."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from winnow.data.blobs import BlobStore
from winnow.data.decode import UnreadablePictureError
from winnow.data.decoder import pool
from winnow.data.decoder.fact_store import FactStore
from winnow.data.decoder.facts import facts_of
from winnow.data.importing import import_examples
from winnow.data.reading import Keep

from ..pictures import class_folders, file_of, noise

FACTS = facts_of(file_of(noise(1)))
SLOW = UnreadablePictureError("E_TIMEOUT", "It takes too long.")
CRASHED = UnreadablePictureError("E_CORRUPT", "The decoder crashed on it.")
NEEDS_EXTRA = UnreadablePictureError("E_UNSUPPORTED_FORMAT", "DICOM needs the extra dicom.")


def test_what_was_told_is_known_next_time(tmp_path):
    FactStore(tmp_path).put({"a" * 64: FACTS})
    assert FactStore(tmp_path).get(["a" * 64, "c" * 64]) == {"a" * 64: FACTS}


def test_what_may_end_otherwise_next_time_is_not_kept(tmp_path):
    store = FactStore(tmp_path)
    store.put({"a" * 64: SLOW, "b" * 64: CRASHED, "c" * 64: NEEDS_EXTRA})
    assert store.get(["a" * 64, "b" * 64, "c" * 64]) == {}


@pytest.mark.parametrize("damage", [b"", b"no database" * 1000])
def test_a_damaged_cache_costs_time_only(damage, tmp_path):
    FactStore(tmp_path).put({"a" * 64: FACTS})
    (file,) = tmp_path.glob("facts-*.db")
    for path in tmp_path.iterdir():
        path.unlink()
    file.write_bytes(damage)
    store = FactStore(tmp_path)
    assert store.get(["a" * 64]) == {}
    store.put({"a" * 64: FACTS})


def test_pictures_that_were_imported_before_are_not_decoded_again(tmp_path, monkeypatch):
    photos = class_folders(tmp_path / "photos", {"cat": 5, "dog": 5})
    keep = Keep(BlobStore(tmp_path / "blobs"), FactStore(tmp_path / "cache"))
    first = import_examples(photos, keep).manifest

    asked: list[int] = []
    honest = pool.Reading.tell

    def counted(self: pool.Reading, about: list[int], wanted: list[int]):
        asked.append(len(about))
        return honest(self, about, wanted)

    monkeypatch.setattr(pool.Reading, "tell", counted)
    assert import_examples(photos, keep).manifest.digest() == first.digest()
    assert asked == []
    (photos / "cat" / "new.png").write_bytes(file_of(noise(99)))
    assert len(import_examples(photos, keep).manifest) == 11
    assert asked == [1]


def test_pictures_that_were_kept_in_place_are_copied_when_they_are_imported_to_be_copied(tmp_path):
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    blobs, facts = BlobStore(tmp_path / "blobs"), FactStore(tmp_path / "cache")
    kept = import_examples(photos, Keep(blobs, facts, in_place=photos)).manifest
    contents = dict.fromkeys(kept.column("content"), 0)
    assert blobs.uncopied(contents) == contents.keys()
    import_examples(photos, Keep(blobs, facts))
    assert blobs.uncopied(contents) == set()


def test_facts_of_another_version_are_found_out_anew(tmp_path, monkeypatch):
    FactStore(tmp_path).put({"a" * 64: FACTS})
    monkeypatch.setattr("winnow.data.decoder.fact_store.VERSION", 10**6)
    assert FactStore(tmp_path).get(["a" * 64]) == {}


def test_the_file_is_sqlite_and_may_be_looked_into(tmp_path: Path):
    FactStore(tmp_path).put({"a" * 64: FACTS})
    (file,) = tmp_path.glob("facts-*.db")
    assert sqlite3.connect(file).execute("SELECT count(*) FROM facts").fetchone() == (1,)
