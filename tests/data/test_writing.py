"""What an import keeps is written beside the reading: all of it, and whoever waits for it hears what went wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from winnow.data.batch import Keep, New
from winnow.data.blobs import BlobStore
from winnow.data.decoder.fact_store import FactStore
from winnow.data.decoder.facts import facts_of
from winnow.data.writing import Writer
from winnow.errors import WorkspaceError

from .pictures import file_of, noise


def named(seed: int) -> tuple[str, bytes]:
    data = file_of(noise(seed))
    return hashlib.sha256(data).hexdigest(), data


@pytest.mark.parametrize("at_once", [1, 8192])
@pytest.mark.parametrize("waits_for_disk", [True, False])
def test_all_that_was_taken_is_there_when_it_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, waits_for_disk: bool
):
    monkeypatch.setattr("winnow.data.writing._WRITE_AT_ONCE", at_once)
    keep = Keep(BlobStore(tmp_path / "blobs"), FactStore(tmp_path / "cache"))
    files = dict(named(seed) for seed in range(4))
    with Writer(keep) as writer:
        for content, data in files.items():
            writer.take(New(copies=[(content, data)], facts={content: facts_of(data)}))
        writer.finish(waits_for_disk=waits_for_disk).result()
    assert {content: keep.blobs.read(content) for content in files} == files
    assert keep.facts is not None
    assert keep.facts.get(list(files)) == {content: facts_of(data) for content, data in files.items()}


def test_what_cannot_be_written_is_told_by_the_next_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("winnow.data.writing._WRITE_AT_ONCE", 1)
    (tmp_path / "blobs").write_text("no folder")
    with Writer(Keep(BlobStore(tmp_path / "blobs"))) as writer:
        writer.take(New(copies=[named(1)]))
        with pytest.raises(WorkspaceError, match="blobs"):
            writer.finish(waits_for_disk=True).result()
        with pytest.raises(WorkspaceError, match="blobs"):
            writer.take(New(copies=[named(2)]))
