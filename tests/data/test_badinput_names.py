"""The corpus of hostile names: each is kept to the last byte, cleaned and told, or refused; and commands nothing."""

from __future__ import annotations

import json
import os
import unicodedata
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest

from winnow.data.class_names import encodable
from winnow.data.sources import open_source
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError
from winnow.events import Note
from winnow.report.words import printable
from winnow.workspace.names import NameRefusedError, valid_name

from .pictures import file_of, noise

PICTURE = file_of(noise(0))


@pytest.fixture(scope="module")
def names(test_data: Path) -> list[str]:
    """All strings of both lists, and a few that JSON lists cannot hold."""
    folder = test_data / "badinput" / "names"
    listed = [*json.loads((folder / "blns.json").read_text()), *json.loads((folder / "hostile_names.json").read_text())]
    return sorted({*listed, "\ud800", "caf\udce9", "a\0b"})


def _check(name: str, item: Found | Refused | Note, kept: str | None) -> None:
    """What was found under a name says it exactly, or says that it was changed, or was refused for it."""
    if isinstance(item, Refused):
        assert item.code == "E_NAME"
        _is_harmless(item.source, item.reason)
        return
    assert isinstance(item, Found)
    assert item.labels is not None
    _is_harmless(item.source, *item.labels)
    wanted = unicodedata.normalize("NFC", name).strip() if kept == item.labels[0] else name
    assert kept == wanted or "W_NAME_NORMALISED" in item.warnings, name


def _is_harmless(*texts: str) -> None:
    """It can be written anywhere, and does nothing to a terminal."""
    for text in texts:
        assert pa.array([text]).to_pylist() == [text]
        assert json.loads(json.dumps(text, ensure_ascii=False).encode()) == text
        assert not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in printable(text))


def _items(path: Path) -> Iterable[Found | Refused | Note]:
    return open_source(path).find(ImportOptions())


def test_as_a_dataset_each_is_kept_dashed_or_refused(names):
    refused: list[str] = []
    for name in names:
        try:
            kept = valid_name(name)
        except NameRefusedError as error:
            refused.append(str(error))
            continue
        assert valid_name(kept) == kept
        assert kept == unicodedata.normalize("NFC", name).strip(" ").replace(" ", "-") or "  " in name
        _is_harmless(kept)
    assert all(reason.isprintable() and reason.endswith("(E_NAME)") for reason in refused)


@pytest.mark.parametrize("place", ["class", "file"])
def test_in_a_folder_each_is_kept_cleaned_or_refused(names, place, tmp_path):
    tried = 0
    for i, name in enumerate(names):
        if "/" in name or name in ("", ".", ".."):
            continue
        root = tmp_path / str(i)
        (root / "other").mkdir(parents=True)
        (root / "other" / "1.png").write_bytes(PICTURE)
        path = root / name / "1.png" if place == "class" else root / "other" / name
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(PICTURE)
        except (OSError, ValueError):  # this filesystem knows no such name
            continue
        tried += 1
        items = [item for item in _items(root) if not isinstance(item, Note) and item.source != "other/1.png"]
        if place == "class" and not name.strip():
            assert [item.code for item in items if isinstance(item, Refused)] == ["E_NAME"]
            continue
        [item] = items
        kept = None if isinstance(item, Refused) else (item.label if place == "class" else item.source[len("other/") :])
        _check(name, item, kept)
        if isinstance(item, Found):
            assert item.read() == PICTURE
    assert tried > 300


@pytest.mark.parametrize("place", ["class", "file"])
def test_in_a_zip_each_is_kept_cleaned_or_refused(names, place, tmp_path):
    refused: dict[str, str] = {}
    for name in names:
        path = f"{name}/1.png" if place == "class" else f"other/{name}"
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as target:
            target.writestr("other/1.png", PICTURE)
            target.writestr(_entry(path), PICTURE)
        try:
            items = [item for item in _items(tmp_path / "a.zip") if _path_of(item) != "other/1.png"]
        except RefusedSourceError as error:
            refused[name] = error.code
            continue
        for item in items:
            if isinstance(item, Found) and name and not set(name) & set("/\\"):
                _check(encodable(name), item, item.label if place == "class" else item.source[len("other/") :])
            if isinstance(item, Found):
                assert item.read() == PICTURE
            _is_harmless(_path_of(item))
    assert set(refused.values()) == {"E_ARCHIVE_TRAVERSAL"}
    assert all(set(name) & set("/\\\0:") or name in ("", "..") for name in refused), "only what leaves it"


def _entry(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")
    info.filename = encodable(path)  # zipfile cuts names at a NUL, and knows no lone surrogates
    return info


def _path_of(item: Found | Refused | Note) -> str:
    return item.text if isinstance(item, Note) else item.source


def test_a_path_that_is_no_path_is_not_there():
    for path in ("a\0b", "x" * 5000, "\ud800", os.sep + "no\x1bwhere"):
        with pytest.raises(Exception, match=r"There is no file|cannot be read") as caught:
            open_source(path)
        assert type(caught.value).__module__ == "winnow.errors"
