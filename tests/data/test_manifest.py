"""A dataset version's table."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from winnow.data import manifest as manifest_file
from winnow.data.manifest import Box, Example, Manifest
from winnow.errors import WorkspaceError

CAT = Example("c1", "p1", ("cat",), None, "train", "winnow", "cat/1.jpg", 4, 3, "JPEG", 99, False)
DOG = replace(CAT, content="c2", labels=("dog",), split="test", source="dog/ä.jpg")
UNKNOWN = replace(CAT, content="c3", labels=None, group="g")


@pytest.fixture
def manifest() -> Manifest:
    return Manifest.of([CAT, DOG, UNKNOWN], {"source": "photos", "parent": None})


def test_rows_and_provenance_come_back_from_disk(manifest, tmp_path):
    path = tmp_path / "versions" / "1.parquet"
    manifest.write(path)
    again = Manifest.read(path)
    assert again.examples() == [CAT, DOG, UNKNOWN]
    assert again.provenance == manifest.provenance
    assert again.digest() == manifest.digest()
    assert [p.name for p in path.parent.iterdir()] == ["1.parquet"]


def test_classes_and_counts_leave_out_what_has_no_label(manifest):
    assert manifest.classes == ("cat", "dog")
    assert manifest.counts() == {"cat": {"train": 1}, "dog": {"test": 1}}
    assert len(manifest) == 3


def test_one_split_can_be_taken(manifest):
    assert manifest.examples("test") == [DOG]


def test_the_digest_is_of_the_rows_and_of_nothing_else(manifest):
    assert Manifest.of([CAT, DOG, UNKNOWN], {"source": "elsewhere"}).digest() == manifest.digest()
    assert Manifest.of([DOG, CAT, UNKNOWN]).digest() != manifest.digest()
    assert Manifest.of([CAT, DOG]).digest() != manifest.digest()


def test_the_digest_of_many_rows_is_that_of_their_columns_as_json():
    many = Manifest.of([replace(CAT if i % 3 else UNKNOWN, source=f"{i}.jpg") for i in range(9000)])
    sha = hashlib.sha256(many.task.encode())
    for name in many.table.column_names:
        if name not in ("warnings", "phash"):
            sha.update(json.dumps([name, many.column(name)], separators=(",", ":")).encode())
    assert many.digest() == sha.hexdigest()


def test_the_digest_is_the_same_for_ever(manifest):
    assert manifest.digest() == "c5ecc5e3ea36f33dcff4f82462651cc711c0b0026210e622126eaf5f065c18b0"


def test_the_first_format_still_opens(manifest):
    old = Manifest.read(Path(__file__).parent / "files" / "manifest-1.parquet")
    assert old.examples() == [CAT, DOG, UNKNOWN]
    assert (old.task, old.digest()) == ("classify", manifest.digest())


def test_all_that_is_known_of_a_picture_comes_back(tmp_path):
    street = replace(
        CAT,
        labels=("car", "dog"),
        weight=2.5,
        taken="2026-11-21T10:00:00",
        boxes=(Box("car", 1, 2, 3, 4), Box("dog", 0, 0, 1.5, 2, is_crowd=True)),
        metadata={"camera": "left", "": "odd"},
        warnings=("W_ALPHA",),
        phash=bytes(range(32)),
    )
    nothing = replace(CAT, labels=())
    manifest = Manifest.of([street, nothing, UNKNOWN])
    manifest.write(tmp_path / "1.parquet")
    again = Manifest.read(tmp_path / "1.parquet")
    assert again.examples() == [street, nothing, UNKNOWN]
    assert again.task == "multilabel"
    assert again.counts() == {"car": {"train": 1}, "dog": {"train": 1}}


def test_what_is_computed_from_the_pixels_makes_no_other_dataset(manifest):
    assert Manifest.of([replace(CAT, phash=b"1", warnings=("W_TINY",)), DOG, UNKNOWN]).digest() == manifest.digest()


def test_a_newer_format_asks_for_an_upgrade(manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(manifest_file, "FORMAT_VERSION", 3)
    manifest.write(tmp_path / "1.parquet")
    monkeypatch.undo()
    with pytest.raises(WorkspaceError, match="upgrade"):
        Manifest.read(tmp_path / "1.parquet")


def test_damage_and_strangers_say_so(manifest, tmp_path):
    path = tmp_path / "1.parquet"
    path.write_bytes(b"PAR1 no")
    with pytest.raises(WorkspaceError, match="damaged"):
        Manifest.read(path)
    pq.write_table(manifest.table, path)
    with pytest.raises(WorkspaceError, match="no manifest"):
        Manifest.read(path)
    with pytest.raises(WorkspaceError, match="Cannot read"):
        Manifest.read(tmp_path / "missing.parquet")
