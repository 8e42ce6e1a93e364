"""Imports go on while nobody looks, and are found again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from winnow.errors import NotFoundError, UserError
from winnow.studio.pages.importing import imports as module
from winnow.studio.pages.importing.imports import Imports, ImportWish, imports_of
from winnow.workspace.names import NameRefusedError
from winnow.workspace.workspace import Workspace

from ..photos import write_photos, write_sick_photos


@pytest.fixture
def imports(workspace: Workspace) -> Imports:
    return imports_of(workspace)


def test_all_pages_see_the_same_imports(workspace: Workspace, imports: Imports, tmp_path: Path):
    one = imports.of_path(str(write_photos(tmp_path / "photos")), ImportWish())
    one.work.wait(20)
    assert imports_of(workspace).find("1") is one
    assert one.work.outcome is not None
    assert (one.name, len(one.work.outcome)) == ("photos", 12)


def test_files_that_are_left_out_are_told(imports: Imports, tmp_path: Path):
    one = imports.of_path(str(write_sick_photos(tmp_path / "photos")), ImportWish("sick"))
    one.work.wait(20)
    assert one.work.outcome is not None
    assert [(line.source, line.code) for line in one.work.outcome.refused] == [("dark/broken.png", "E_NOT_IMAGE")]


def test_pictures_join_a_dataset(imports: Imports, tmp_path: Path):
    imports.of_path(str(write_photos(tmp_path / "photos", 4)), ImportWish("pets")).work.wait(20)
    one = imports.of_path(str(write_photos(tmp_path / "more", 8)), ImportWish("pets", adds=True))
    one.work.wait(20)
    assert one.work.outcome is not None, one.work.error
    assert (one.work.outcome.version, len(one.work.outcome)) == (2, 8)


def test_a_pasted_table_names_pictures_below_a_folder(imports: Imports, tmp_path: Path):
    folder = write_photos(tmp_path / "photos", 4)
    table = "path,label\ndark/000.png,night\nbright/001.png,day\n"
    one = imports.of_text(table, str(folder), ImportWish("pasted"))
    one.work.wait(20)
    assert one.work.outcome is not None, one.work.error
    assert one.work.outcome.classes == ("day", "night")
    assert one.named == str(folder / "labels.csv")


def test_a_path_that_is_not_there_is_told_before_anything_begins(imports: Imports, tmp_path: Path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(NotFoundError, match="Did you mean photos"):
        imports.of_path(str(tmp_path / "fotos"), ImportWish())
    with pytest.raises(NotFoundError, match="There is no file or folder ~nobody-of-that-name"):
        imports.of_path("~nobody-of-that-name/photos", ImportWish())
    assert imports.all() == []


@pytest.mark.parametrize(
    ("text", "folder", "name", "sentence"),
    [
        ("", ".", "x", "table is empty"),
        ("path,label\na.jpg,a", "", "x", "where the pictures lie"),
        ("path,label\na.jpg,a", "/nowhere", "x", "There is no folder /nowhere"),
        ("path,label\na.jpg,a", "~nobody-of-that-name", "x", "There is no folder ~nobody"),
        ("path,label\na.jpg,a", "/" + "a" * 5000, "x", "There is no folder /aaa"),
        ("path,label\na.jpg,a", ".", " ", "no name of its own"),
    ],
)
def test_what_a_pasted_table_lacks_is_told(imports: Imports, text: str, folder: str, name: str, sentence: str):
    with pytest.raises(UserError, match=sentence):
        imports.of_text(text, folder, ImportWish(name))


def test_no_path_is_no_path(imports: Imports):
    with pytest.raises(UserError, match="No path is given"):
        imports.of_path("  ", ImportWish())


def test_names_are_refused_before_files_are_read(imports: Imports, tmp_path: Path):
    with pytest.raises(NameRefusedError):
        imports.of_path(str(tmp_path), ImportWish("<img src=x>"))
    with pytest.raises(UserError, match="fill in its name"):
        imports.of_path(str(tmp_path), ImportWish(adds=True))


def test_one_dataset_is_imported_into_by_one_at_a_time(
    imports: Imports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    go_on = threading.Event()

    def slow(*_: Any, **__: Any) -> None:
        go_on.wait(5)

    monkeypatch.setattr(module, "load", slow)
    imports.of_path(str(tmp_path), ImportWish("pets"))
    with pytest.raises(UserError, match="wait for it"):
        imports.of_path(str(tmp_path), ImportWish("PETS"))
    other = imports.of_path(str(tmp_path), ImportWish("others"))
    go_on.set()
    other.work.wait(5)


@pytest.mark.parametrize("number", ["7", "x", "-1", "²", "9" * 400])
def test_an_import_that_nobody_knows_is_told(imports: Imports, number: str):
    with pytest.raises(UserError, match="There is no import"):
        imports.find(number)


def test_a_wish_is_what_load_takes():
    assert ImportWish("a b", True, True, " kind ", "").checked().arguments() == {
        "name": "a-b",
        "add": True,
        "in_place": True,
        "label_column": "kind",
    }
