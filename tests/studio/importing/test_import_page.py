"""The page Import: three ways in, an import that goes on by itself, and a report of what was left out."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from nicegui.testing import User

from winnow.data.sources.refused import Refused
from winnow.events import Progress
from winnow.studio.pages.importing import imports as module
from winnow.studio.pages.importing.imports import Import, ImportWish, imports_of
from winnow.studio.pages.importing.receiving import uploads_of
from winnow.studio.pages.importing.refused import PAGE_LINES
from winnow.workspace.workspace import Workspace

from ..fields import act, fill, labelled, until
from ..photos import png, write_photos, write_sick_photos


async def _shown(visitor: User, workspace: Workspace) -> Import:
    """The newest import once it is over, as its page shows it."""
    await until(lambda: bool(imports_of(workspace).all()))
    one = imports_of(workspace).all()[0]
    await until(lambda: not one.work.is_running)
    await visitor.open(f"/import/{one.number}")
    return one


async def test_a_folder_of_this_machine_is_imported_and_reported(visitor: User, workspace: Workspace, tmp_path: Path):
    folder = write_sick_photos(tmp_path / "photos", 16)
    await visitor.open("/import")
    fill(visitor, "Path", str(folder))
    visitor.find("Import this path").click()
    await _shown(visitor, workspace)
    await visitor.should_see("photos, version 1: 18 pictures of 2 classes")
    await visitor.should_see("Left out: 1 file")
    await visitor.should_see("dark/broken.png")
    await visitor.should_see("E_NOT_IMAGE")
    await visitor.should_see("occurs under different labels")
    await visitor.should_see("Check the data")
    await visitor.should_see(f"winnow import {folder}")


async def test_what_is_not_there_is_told_with_what_is_near(visitor: User, tmp_path: Path):
    (tmp_path / "photos").mkdir()
    await visitor.open("/import")
    fill(visitor, "Path", str(tmp_path / "fotos"))
    visitor.find("Import this path").click()
    await visitor.should_see("Did you mean photos")


async def test_dropped_files_are_imported_and_then_removed(visitor: User, workspace: Workspace):
    uploads = uploads_of(workspace)
    upload = uploads.begin()
    files = [
        (f"pets/{name}/{place}.png", png(name == "cats", place)) for name in ("cats", "dogs") for place in range(3)
    ]
    head = json.dumps([[path, 0, len(data)] for path, data in files]).encode()
    upload.write(head + b"\n" + b"".join(data for _, data in files))
    await visitor.open("/import")
    (zone,) = (one for one in visitor.client.elements.values() if one.props.get("id") == "drop")  # type: ignore[union-attr]
    act(visitor, zone, "uploaded", {"id": upload.id, "said": "pets"})
    one = await _shown(visitor, workspace)
    await visitor.should_see("pets, version 1: 6 pictures of 2 classes, from pets")
    assert one.work.outcome is not None
    assert one.work.outcome.manifest.column("source")[0] == "cats/0.png"
    assert not list((workspace.cache_folder / "uploads").iterdir())


async def test_an_upload_with_an_impossible_name_is_told_and_removed(visitor: User, workspace: Workspace):
    uploads = uploads_of(workspace)
    upload = uploads.begin()
    upload.write(b'[["a.png", 0, 1]]\nx')
    await visitor.open("/import")
    fill(visitor, "Name of the dataset", "a:b")
    (zone,) = (one for one in visitor.client.elements.values() if one.props.get("id") == "drop")  # type: ignore[union-attr]
    act(visitor, zone, "uploaded", {"id": upload.id, "said": "a.png"})
    await visitor.should_see("E_NAME")
    assert not list((workspace.cache_folder / "uploads").iterdir())


async def test_a_pasted_table_is_imported(visitor: User, workspace: Workspace, tmp_path: Path):
    folder = write_photos(tmp_path / "photos", 4)
    await visitor.open("/import")
    fill(visitor, "Name of the dataset", "pasted")
    fill(visitor, "Lines of the table", "path\tlabel\ndark/000.png\tnight\nbright/001.png\tday\n")
    fill(visitor, "Folder of its pictures", str(folder))
    visitor.find("Import the table").click()
    await _shown(visitor, workspace)
    await visitor.should_see("pasted, version 1: 2 pictures of 2 classes")


async def test_folders_are_looked_through_until_one_is_taken(
    visitor: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "home" / "photos" / "cats").mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    await visitor.open("/import")
    await visitor.should_see("photos/")
    visitor.find("photos/").click()
    await visitor.should_see(str(tmp_path / "home" / "photos"), retries=20)
    visitor.find("Take this folder").click()
    path = labelled(visitor, "Path")
    await until(lambda: path.props["value"] == str(tmp_path / "home" / "photos"))


async def test_an_import_goes_on_without_its_page_and_is_found_again(
    visitor: User, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    go_on = threading.Event()

    def slow(*_: Any, tell: Any, **__: Any) -> None:
        tell(Progress("reading pictures", 3, 8))
        go_on.wait(10)
        tell(Progress("reading pictures", 4, 8))

    monkeypatch.setattr(module, "load", slow)
    one = imports_of(workspace).start(tmp_path, ImportWish("slow"), said="somewhere", named="somewhere")
    await visitor.open("/import/1")
    await visitor.should_see("Reading pictures: 3 of 8")
    await visitor.open("/import")
    await visitor.should_see("under way")
    await visitor.open("/")
    await visitor.should_see("Imports under way")
    await visitor.open("/import/1")
    await visitor.should_see("Stop the import")
    visitor.find("Stop the import").click()
    await until(lambda: one.work.is_stopping)
    go_on.set()
    await visitor.should_see("The import was stopped", retries=20)


async def test_what_cannot_be_imported_says_why(visitor: User, workspace: Workspace, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    imports_of(workspace).of_path(str(tmp_path / "empty"), ImportWish())
    await _shown(visitor, workspace)
    await visitor.should_see("holds no pictures")
    await visitor.should_see("Import again")


async def test_hundreds_of_refused_files_are_shown_in_pages_and_by_reason(
    visitor: User, workspace: Workspace, tmp_path: Path
):
    one = imports_of(workspace).of_path(str(write_photos(tmp_path / "photos", 4)), ImportWish())
    one.work.wait(20)
    assert one.work.outcome is not None
    one.work.outcome.refused = tuple(
        Refused(f"file{place}.jpg", "E_EMPTY" if place % 3 else "E_NAME", "No good.") for place in range(300)
    )
    await visitor.open("/import/1")
    await visitor.should_see("Left out: 300 files")
    await visitor.should_see(f"1 to {PAGE_LINES} of 300")
    visitor.find("Next files").click()
    await visitor.should_see(f"file{PAGE_LINES}.jpg")
    await visitor.should_not_see("file0.jpg")
    act(visitor, labelled(visitor, "Why"), "change", "E_NAME")
    await visitor.should_see(f"1 to {PAGE_LINES} of 100")
    for _ in range(9):
        visitor.find("Next files").click()
    await visitor.should_see("76 to 100 of 100")


async def test_what_is_called_like_markup_is_shown_as_words(visitor: User, workspace: Workspace, tmp_path: Path):
    name = "<img src=x onerror=alert(1)>"
    write_photos(tmp_path / "photos", 4)
    (tmp_path / "photos" / "dark").rename(tmp_path / "photos" / name)
    imports_of(workspace).of_path(str(tmp_path / "photos"), ImportWish())
    await _shown(visitor, workspace)
    await visitor.should_see(name)


async def test_an_unknown_import_says_so(visitor: User):
    await visitor.open("/import/12")
    await visitor.should_see("There is no import 12")


async def test_every_code_is_explained(visitor: User):
    await visitor.open("/codes")
    await visitor.should_see("E_NOT_IMAGE")
    await visitor.should_see("It is no picture of a known format.")
