"""A pasted table is read as the same table would be in the folder of its pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow.data.sources.source import Found, RefusedSourceError
from winnow.data.sources.table_text import TableText
from winnow.events import Note

from .finding import items_in
from .pictures import class_folders


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return class_folders(tmp_path / "photos", {"cat": 2, "dog": 1})


def _said(text: str, folder: Path) -> list[tuple[str, str | None]]:
    items = items_in(TableText(text, folder))
    return [
        (one.source, one.label if isinstance(one, Found) else one.code) for one in items if not isinstance(one, Note)
    ]


def test_paths_start_at_the_folder(photos: Path):
    assert _said("path,label\ncat/0.png,cat\ndog/0.png,dog\n", photos) == [("cat/0.png", "cat"), ("dog/0.png", "dog")]


def test_cells_copied_from_a_spreadsheet_are_separated_by_tabs(photos: Path):
    assert _said("path\tlabel\ncat/0.png\tcat\ncat/1.png\tcat\n", photos) == [
        ("cat/0.png", "cat"),
        ("cat/1.png", "cat"),
    ]


def test_a_path_from_the_root_of_the_disk_may_lead_into_the_folder(photos: Path):
    assert _said(f"path,label\n{photos}/cat/0.png,cat\ncat/1.png,cat\n", photos)[0] == ("cat/0.png", "cat")


def test_a_path_does_not_leave_the_folder(photos: Path):
    assert ("../secret.png", "E_ANN_PATH") in _said("path,label\ncat/0.png,cat\n../secret.png,cat\n", photos)


def test_the_folder_stays_as_it_is(photos: Path):
    before = sorted(photos.rglob("*"))
    _said("path,label\ncat/0.png,cat\ncat/1.png,cat\n", photos)
    assert sorted(photos.rglob("*")) == before


def test_an_empty_text_is_no_table(photos: Path):
    with pytest.raises(RefusedSourceError, match="E_EMPTY"):
        _said("", photos)
