"""Dropped files come in whole, stay private and inside, and leave nothing behind."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from winnow.errors import NotFoundError, UserError
from winnow.studio.pages.importing import uploads as module
from winnow.studio.pages.importing.receiving import receiving, uploads_of
from winnow.studio.pages.importing.uploads import Upload, Uploads
from winnow.workspace.workspace import Workspace


def piece(*files: tuple[str, int, bytes]) -> bytes:
    head = [[path, begin, len(data)] for path, begin, data in files]
    return json.dumps(head).encode() + b"\n" + b"".join(data for *_, data in files)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads")


@pytest.fixture
def upload(uploads: Uploads) -> Upload:
    return uploads.begin()


def inside(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_keeps_its_structure(upload: Upload):
    upload.write(piece(("pets/cats/1.jpg", 0, b"cat"), ("pets/dogs/1.jpg", 0, b"dog")))
    assert upload.source.name == "pets"
    assert inside(upload.source) == ["cats/1.jpg", "dogs/1.jpg"]
    assert (upload.source / "dogs/1.jpg").read_bytes() == b"dog"


def test_a_large_file_comes_in_several_pieces(upload: Upload):
    upload.write(piece(("pets.zip", 0, b"first ")))
    upload.write(piece(("pets.zip", 6, b"second")))
    assert upload.source.read_bytes() == b"first second"
    assert (upload.n_files, upload.n_bytes) == (1, 12)


def test_an_empty_file_is_a_file(upload: Upload):
    upload.write(piece(("a/1.jpg", 0, b""), ("a/2.jpg", 0, b"x")))
    assert inside(upload.source) == ["1.jpg", "2.jpg"]


def test_a_picture_alone_is_a_folder_of_one(upload: Upload):
    upload.write(piece(("1.jpg", 0, b"x")))
    assert inside(upload.source) == ["1.jpg"]


def test_several_folders_are_imported_together(upload: Upload):
    upload.write(piece(("cats/1.jpg", 0, b"x"), ("dogs/1.jpg", 0, b"y")))
    assert inside(upload.source) == ["cats/1.jpg", "dogs/1.jpg"]


@pytest.mark.parametrize(
    "path", ["../../evil.jpg", "a/../../evil.jpg", "/etc/evil.jpg", "..", "C:\\evil.jpg", "a\0b.jpg"]
)
def test_no_name_leads_outside(path: str, upload: Upload, tmp_path: Path):
    upload.write(piece((path, 0, b"x")))
    (written,) = [one for one in tmp_path.rglob("*") if one.is_file() and one.name != "running.lock"]
    assert written.resolve().is_relative_to(tmp_path / "uploads" / upload.id / "files")


@pytest.mark.parametrize("path", ["", "///", "a" * 300, "x/" * 200 + "1.jpg", "\ud800.jpg"])
def test_a_name_that_no_disk_holds_is_refused(path: str, upload: Upload):
    with pytest.raises(UserError, match="rename it"):
        upload.write(piece((path, 0, b"x")))


def test_what_systems_leave_beside_files_is_passed_over(upload: Upload):
    upload.write(piece(("pets/.DS_Store", 0, b"x"), ("pets/cats/1.jpg", 0, b"y"), ("__MACOSX/pets/._1.jpg", 0, b"z")))
    assert inside(upload.source) == ["cats/1.jpg"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no line",
        b"[]\n",
        b'{"a": 1}\n',
        b'[["a.jpg", 0, 9]]\nshort',
        b'[["a.jpg", -1, 1]]\nx',
        b"[[1, 0, 1]]\nx",
        b"[" * 100_000 + b"\n",
    ],
)
def test_what_is_cut_off_or_no_piece_is_refused(data: bytes, upload: Upload):
    with pytest.raises(UserError, match="drop the folder again"):
        upload.write(data)


def test_a_file_that_comes_twice_is_refused(upload: Upload):
    upload.write(piece(("a.jpg", 0, b"x")))
    with pytest.raises(UserError, match="twice"):
        upload.write(piece(("a.jpg", 0, b"y")))


def test_too_many_files_are_refused_with_another_way(upload: Upload, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_FILES", 2)
    with pytest.raises(UserError, match="at most 2 files: import it by its path"):
        upload.write(piece(("1.jpg", 0, b""), ("2.jpg", 0, b""), ("3.jpg", 0, b"")))


def test_too_many_bytes_are_refused_with_another_way(upload: Upload, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_BYTES", 2)
    with pytest.raises(UserError, match="import it by its path"):
        upload.write(piece(("1.jpg", 0, b"abc")))


def test_a_disk_that_would_be_full_is_left_alone(upload: Upload, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_SPARE_BYTES", 1 << 62)
    with pytest.raises(UserError, match="nearly full"):
        upload.write(piece(("1.jpg", 0, b"abc")))


def test_nobody_else_on_this_machine_may_look(upload: Upload, tmp_path: Path):
    assert stat.S_IMODE((tmp_path / "uploads" / upload.id).stat().st_mode) == 0o700


def test_an_empty_folder_says_so(upload: Upload):
    with pytest.raises(UserError, match="no files"):
        _ = upload.source


def test_what_is_done_with_is_removed(uploads: Uploads, upload: Upload, tmp_path: Path):
    upload.write(piece(("1.jpg", 0, b"x")))
    uploads.remove(upload.id)
    uploads.remove(upload.id)
    assert not list((tmp_path / "uploads").iterdir())
    with pytest.raises(NotFoundError, match="gone"):
        uploads.find(upload.id)


def test_what_a_killed_studio_left_is_removed_and_what_another_one_has_is_not(uploads: Uploads, tmp_path: Path):
    others = Uploads(tmp_path / "uploads").begin()
    left = tmp_path / "uploads" / "left"
    (left / "files").mkdir(parents=True)
    uploads.begin()
    assert not left.exists()
    assert (tmp_path / "uploads" / others.id).exists()


def test_an_upload_that_nobody_went_on_with_is_removed(uploads: Uploads, upload: Upload):
    upload.touched -= 7200
    uploads.begin()
    with pytest.raises(NotFoundError):
        uploads.find(upload.id)


@pytest.fixture
def browser(workspace: Workspace) -> TestClient:
    app = FastAPI()
    app.include_router(receiving(workspace))
    return TestClient(app)


def test_a_browser_begins_sends_and_is_told_how_much_is_there(browser: TestClient, workspace: Workspace):
    upload_id = browser.post("/uploads").json()["id"]
    answer = browser.post(f"/uploads/{upload_id}/pieces", content=piece(("a/1.jpg", 0, b"xyz")))
    assert answer.json() == {"files": 1, "bytes": 3}
    assert inside(uploads_of(workspace).find(upload_id).source) == ["1.jpg"]


def test_a_browser_is_told_in_a_sentence_what_is_wrong(browser: TestClient):
    answer = browser.post("/uploads/unknown/pieces", content=piece(("a/1.jpg", 0, b"xyz")))
    assert answer.status_code == 404
    assert "Drop it again" in answer.json()["error"]


def test_a_piece_beyond_all_measure_is_not_read(browser: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("winnow.studio.pages.importing.receiving.MOST_PIECE_BYTES", 10)
    upload_id = browser.post("/uploads").json()["id"]
    assert browser.post(f"/uploads/{upload_id}/pieces", content=b"x" * 11).status_code == 413


def test_a_browser_gives_up(browser: TestClient, workspace: Workspace):
    upload_id = browser.post("/uploads").json()["id"]
    assert browser.post(f"/uploads/{upload_id}/give-up").status_code == 204
    assert not list((workspace.cache_folder / "uploads").iterdir())
